"""Read an inventory: devices and memberships as Parquet, checked column by column by the rules of their form."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pydantic import ValidationError

from permcheck.errors import LoadError
from permcheck.loading.files import INVENTORY, file_problem
from permcheck.loading.inventory_columns import Prepared, prepare
from permcheck.model.estate import Device
from permcheck.model.fold import fold_case
from permcheck.model.inventory import plain
from permcheck.model.provenance import Lines, Source
from permcheck.system import reason_of

if TYPE_CHECKING:
    import pyarrow as pa

    from permcheck.loading.estate import Joined

DEVICES, MEMBERSHIPS = INVENTORY
FLAGS: Final = frozenset(
    {"uploaded", "client_current", "online", "endpoint_analytics", "bitlocker_policy"}
)  # the fields of a device that are true or false
MEMBERSHIP: Final = ("hierarchy", "resource_id", "collection")
PLAIN: Final = {
    "name": r"^[ -~]*[!-~][ -~]*$",
    "entra_id": r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$",
    "intune_id": r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$",
}
"""What is right for certain, of columns with a value for each device; everything else the form is asked about."""
SHOWN: Final = 20
"""Wrong values of one column that are reported one by one."""


class AsForms(Mapping[str, Any]):
    """What an inventory says, as a file of an estate would: made of its rows when somebody reads it."""

    def __init__(self, columns: Columns) -> None:
        self._columns = columns
        self._devices: list[dict[str, Any]] | None = None

    def __getitem__(self, key: str) -> Any:
        if key != "devices":
            raise KeyError(key)
        if self._devices is None:
            self._devices = list(self._columns.records())
        return self._devices

    def __iter__(self) -> Iterator[str]:
        return iter(("devices",))

    def __len__(self) -> int:
        return 1


@dataclass(frozen=True)
class Columns:
    """The columns of an inventory as they were read; values are right by themselves, names are not resolved."""

    folder: Path
    devices: Mapping[str, pa.Array]
    memberships: Mapping[str, pa.Array] | None
    """None: no file tells them."""
    joined: Joined = field(repr=False, compare=False)
    wait: Callable[[], Prepared] = field(repr=False, compare=False)

    exported = False

    def is_exported(self, _path: tuple[str | int, ...]) -> bool:
        """Tell whether a field comes from an export; an inventory is made by people."""
        return self.exported

    @property
    def file(self) -> str:
        """Return the file of the devices."""
        return str(self.folder / DEVICES)

    @property
    def prepared(self) -> Prepared:
        """Return what is worked out beside other work, when it is done."""
        return self.wait()

    @property
    def data(self) -> Any:
        """Return the devices as an estate file would list them."""
        return AsForms(self)

    def place(self, path: tuple[str | int, ...]) -> tuple[str, int, int]:
        """Return the file; a message says row and column."""
        return str(self.folder / (MEMBERSHIPS if path and path[0] == "memberships" else DEVICES)), 0, 0

    def source(self) -> Source:
        """Return what knows where records stand, as long as no inventory is made of it."""
        return Lines(self.file, {})

    def records(self) -> Iterator[dict[str, Any]]:
        """Return every device as a plain record with the collections that it is in."""
        ids = {fold_case(name): h.value.id for h in self.joined.values("hierarchies") for name in _names(h.value)}
        only = next(iter(ids.values())) if len({*ids.values()}) == 1 else None

        def key(hierarchy: str | None, resource: object) -> tuple[str | None, str]:
            return ids.get(fold_case(hierarchy)) if hierarchy else only, fold_case(str(resource))

        inside: dict[tuple[str | None, str], list[str]] = {}
        if self.memberships is not None:
            owners, resources, collections = (self._membership(name) for name in MEMBERSHIP)
            for owner, resource, collection in zip(owners, resources, collections, strict=True):
                inside.setdefault(key(owner, resource), []).append(collection)
        names = list(self.devices)
        for values in zip(*(column.to_pylist() for column in self.devices.values()), strict=True):
            record = {name: value for name, value in zip(names, values, strict=True) if value is not None}
            if self.memberships is not None:
                record["collections"] = inside.get(key(record.get("hierarchy"), record.get("resource_id")), [])
            yield record

    def _membership(self, name: str) -> list[Any]:
        assert self.memberships is not None
        count = len(self.memberships["collection"])
        return self.memberships[name].to_pylist() if name in self.memberships else [None] * count


def read_ahead(folder: Path) -> Callable[[Joined], None]:
    """Start to read the inventory of a folder beside other work; returns what adds it to an estate."""
    from concurrent.futures import ThreadPoolExecutor

    pool = ThreadPoolExecutor(1)
    tables = pool.submit(_tables, folder)
    prepared = pool.submit(lambda: prepare(tables.result()))
    pool.shutdown(wait=False)
    return lambda joined: add_inventory(joined, folder, tables.result, prepared.result)


def list_devices(joined: Joined) -> None:
    """Turn the inventory of an estate into the list of devices that a file would have."""
    from permcheck.loading.estate import Record

    columns, joined.inventory = joined.inventory, None
    if columns is not None:
        file = joined.parsed.index(columns)
        devices = (Device.model_validate(record) for record in columns.data["devices"])
        joined.sections.setdefault("devices", []).extend(Record(d, file, i) for i, d in enumerate(devices))


def add_inventory(
    joined: Joined,
    folder: Path,
    tables: Callable[[], Mapping[str, pa.Table]],
    prepared: Callable[[], Prepared],
) -> None:
    """Check an inventory and add it to an estate. Problems are collected."""
    if not (folder / DEVICES).is_file():
        message = f"there are memberships, but no {DEVICES} with the devices"
        joined.problems += file_problem(folder / MEMBERSHIPS, "no-devices", message).problems
        return
    try:
        reader = _Reader(joined, folder, tables())
    except LoadError as error:
        joined.problems += error.problems
        return
    devices, memberships = reader.devices(), reader.memberships()
    if reader.problems:
        return
    columns = Columns(folder, devices, memberships, joined, prepared)
    joined.parsed.append(columns)
    joined.inventory = columns
    if joined.sections.get("devices"):
        message = f"devices stand in {DEVICES}, and in a list"
        joined.problems += file_problem(folder / DEVICES, "stated-twice", message, "keep one of them").problems


def _tables(folder: Path) -> dict[str, pa.Table]:
    """Read the files that there are."""
    try:
        import numpy  # noqa: F401, ICN001 - it comes with the same extra, and whoever uses the columns needs it
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        help_ = "pip install 'permcheck[bulk]'"
        raise file_problem(folder / DEVICES, "parquet", "Parquet files need a further package", help_) from None
    found = {}
    for path in (folder / name for name in INVENTORY if (folder / name).is_file()):
        try:
            with pq.ParquetFile(path) as file:  # in pieces as large as they were written
                table = file.read()
            found[path.name] = pa.table([whole(column) for column in table.columns], table.column_names)
            found[path.name].validate(full=True)  # every text is UTF-8: whoever reads a value relies on it
        except (OSError, pa.ArrowException, ValueError) as error:
            if isinstance(error, OSError) and error.errno:
                message = f"can't read the file: {reason_of(error, 'it failed')}"
                raise file_problem(path, "unreadable", message) from None
            message = "this is no Parquet file, it was cut, or a text in it is not UTF-8"
            raise file_problem(path, "parquet", message, "export it again") from None
    return found


class _Reader:
    """Checks what was read of the two files."""

    def __init__(self, joined: Joined, folder: Path, tables: Mapping[str, pa.Table]) -> None:
        self._joined, self._folder, self._tables = joined, folder, tables
        self.problems = 0

    def devices(self) -> Mapping[str, pa.Array]:
        columns = self._columns(DEVICES, [name for name in Device.model_fields if name != "collections"], ("name",))
        for name, column in columns.items():
            self._check(DEVICES, name, column)
        return columns

    def memberships(self) -> Mapping[str, pa.Array] | None:
        if MEMBERSHIPS not in self._tables:
            return None
        columns = self._columns(MEMBERSHIPS, MEMBERSHIP, ("resource_id", "collection"))
        for name, column in columns.items():
            if name != "hierarchy" and column.null_count:
                self._report(MEMBERSHIPS, "missing-key", f"column `{name}` is empty in some rows")
        return columns

    def _columns(self, file: str, known: Sequence[str], needed: tuple[str, ...]) -> dict[str, pa.Array]:
        import pyarrow as pa

        table, found = self._tables[file], {}
        for name in dict.fromkeys(table.column_names):
            if name not in known:
                near = get_close_matches(name, list(known), 1)
                help_ = f"did you mean `{near[0]}`?" if near else "known are " + ", ".join(f"`{one}`" for one in known)
                self._report(file, "unknown-key", f"unknown column `{name}`", help_)
            elif table.column_names.count(name) > 1:
                self._report(file, "duplicate-key", f"the column `{name}` stands twice", "keep one of them")
            elif not pa.types.is_null(table[name].type) and self._fits(file, name, table[name].type):
                found[name] = table[name].chunk(0) if table[name].num_chunks else pa.array([], table[name].type)
        for name in needed:
            if name not in table.column_names:
                self._report(file, "missing-key", f"the column `{name}` is missing")
            elif pa.types.is_null(table[name].type):
                found[name] = pa.array([], pa.string())
                if table.num_rows:
                    self._report(file, "missing-key", f"column `{name}` is empty")
        return found

    def _fits(self, file: str, name: str, kind: pa.DataType) -> bool:
        import pyarrow as pa

        types = pa.types
        value = kind.value_type if types.is_dictionary(kind) else kind
        text = types.is_string(value) or types.is_large_string(value)
        if name in FLAGS:
            fits, wanted = types.is_boolean(kind), "true or false"
        elif name == "resource_id":
            fits, wanted = text or types.is_integer(kind), "a whole number or a text"
        elif name == "scope_tags":
            listed = types.is_list(kind) or types.is_large_list(kind)
            fits, wanted = listed and types.is_string(kind.value_type), "a list of texts"
        else:
            fits, wanted = text, "a text"
        if not fits:
            self._report(file, "type", f"column `{name}` is {kind}, not {wanted}")
        return bool(fits)

    def _check(self, file: str, name: str, column: pa.Array) -> None:
        """Check the values of a column, each once."""
        import pyarrow as pa
        import pyarrow.compute as pc

        if name == "name" and column.null_count:
            row = pc.index(pc.is_null(column), value=True).as_py() + 1
            self._report(file, "missing-key", f"row {row}: the key `name` is missing")
        if name in FLAGS or pa.types.is_integer(column.type):
            return
        if name == "scope_tags":
            different: Any = {tuple(value) for value in column.to_pylist() if value is not None}
        elif pa.types.is_dictionary(column.type):
            different = column.dictionary.to_pylist()
        elif name in PLAIN:
            odd = pc.invert(pc.fill_null(pc.match_substring_regex(column, PLAIN[name]), fill_value=True))
            different = column.filter(odd).to_pylist()
        else:
            different = pc.unique(column).drop_null().to_pylist()
        wrong = [value for value in dict.fromkeys(different) if not _right(name, value)]
        for value in wrong[:SHOWN]:
            if name == "scope_tags":
                row = column.to_pylist().index(list(value))
            else:
                row = pc.index(plain(column), value=value).as_py()
            if row >= 0:
                help_ = Device.model_fields[name].description or ""
                message = f"row {row + 1}, column `{name}`: `{str(value)[:60]}` does not have the right form"
                self._report(file, "pattern", message, help_)
        if len(wrong) > SHOWN:
            self._report(file, "pattern", f"column `{name}` has {len(wrong) - SHOWN} further values that are not right")

    def _report(self, file: str, id_: str, message: str, help_: str = "") -> None:
        self.problems += 1
        self._joined.problems += file_problem(self._folder / file, id_, message, help_).problems


def _names(hierarchy: Any) -> tuple[str, ...]:
    return tuple(name for name in (hierarchy.id, hierarchy.name) if name)


def whole(column: pa.ChunkedArray) -> pa.Array:
    """Return a column in one piece, texts as plain strings or a dictionary of them."""
    import pyarrow as pa

    kind = column.type
    if pa.types.is_dictionary(kind):
        column = column.unify_dictionaries()
        if pa.types.is_large_string(kind.value_type):
            column = column.cast(pa.string())
    elif pa.types.is_large_string(kind):
        column = column.cast(pa.string())
    joined = column.combine_chunks()
    return joined.chunk(0) if isinstance(joined, pa.ChunkedArray) else joined


def _right(name: str, value: Any) -> bool:
    """Tell whether the form of a device takes a value; an unused entry of a dictionary may be empty."""
    if value is None:
        return True
    try:
        Device.model_validate({"name": "x", name: value})
    except ValidationError:
        return False
    return True
