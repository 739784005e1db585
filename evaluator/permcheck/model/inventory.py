"""Devices held column by column: half a million of them, of which a form is made when somebody asks for one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from permcheck.model.estate import Device
from permcheck.model.fold import fold_case
from permcheck.model.provenance import Origin
from permcheck.model.tables import Key, Tables

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

SCANS: Final = 16
"""After as many look-ups in a column an index of it is made; each of the first few takes a millisecond."""


class Finder:
    """Finds rows by the text of a column."""

    def __init__(self, column: pa.Array) -> None:
        self.column = column
        self._asked = 0
        self._index: dict[str, list[int]] | None = None

    def rows(self, text: str) -> list[int]:
        """Return the rows that hold a text, in order."""
        if self._index is not None:
            return self._index.get(text, [])
        self._asked += 1
        if self._asked > SCANS:
            self._index = {}
            for row, value in enumerate(self.column.to_pylist()):
                if value is not None:
                    self._index.setdefault(value, []).append(row)
            return self.rows(text)
        import pyarrow as pa
        import pyarrow.compute as pc

        same = pc.equal(self.column, pa.scalar(text, self.column.type))
        found: list[int] = pc.indices_nonzero(same).to_pylist()
        return found


@dataclass(frozen=True)
class Inventory:
    """The devices of an estate by rows, and the collections that each is in."""

    columns: Mapping[str, pa.Array]
    """Field of a device -> its values."""
    hierarchies: tuple[Key, ...]
    owners: np.ndarray
    """Row -> number of its hierarchy."""
    folded: pa.Array
    """Names as keys spell them."""
    renamed: Mapping[int, Key]
    """Rows whose key is not made of hierarchy and name alone."""
    collections: tuple[Key, ...]
    ids: tuple[str, ...]
    """The same, as they are written."""
    starts: np.ndarray
    """Row -> where its collections start in `inside`; one more for the end."""
    inside: np.ndarray
    """Numbers of collections, row by row."""
    roots: Mapping[Key, frozenset[Key]]
    """Hierarchy -> collections that contain all of its devices."""
    open: np.ndarray
    """Rows that may be in further collections."""
    told: bool
    """Whether the collections of every device are told."""
    files: tuple[str, str]
    """What devices and memberships were read from, for people."""

    def __len__(self) -> int:
        return len(self.owners)

    @cached_property
    def key_column(self) -> pa.Array:
        """The key of every row, as a column."""
        import pyarrow as pa
        import pyarrow.compute as pc

        owners = pa.DictionaryArray.from_arrays(pa.array(self.owners), pa.array(self.hierarchies, pa.string()))
        made = pc.binary_join_element_wise(owners.cast(pa.string()), self.folded, "/")
        if not self.renamed:
            return made
        listed = made.to_pylist()
        for row, key in self.renamed.items():
            listed[row] = key
        return pa.array(listed, pa.string())

    @cached_property
    def keys(self) -> Sequence[Key]:
        """The key of every row."""
        found: list[Key] = self.key_column.to_pylist()
        return found

    @cached_property
    def _named(self) -> Finder:
        return Finder(self.folded)

    @cached_property
    def _by_key(self) -> Mapping[Key, int]:
        return {key: row for row, key in self.renamed.items()}

    def key(self, row: int) -> Key:
        """Return the key of a row."""
        return self.renamed.get(row) or f"{self.hierarchies[self.owners[row]]}/{self.folded[row].as_py()}"

    def noted_key(self, row: int) -> Key:
        """Return the key of a row that will be looked up soon."""
        key = self.key(row)
        self._rows[key] = row
        return key

    def row(self, key: object) -> int | None:
        """Return the row of a key."""
        if not isinstance(key, str):
            return None
        if key not in self._rows:
            self._rows[key] = self._row(key)
        return self._rows[key]

    @cached_property
    def _rows(self) -> dict[Key, int | None]:
        return {}

    def _row(self, key: Key) -> int | None:
        if key in self._by_key:
            return self._by_key[key]
        hierarchy, _, name = key.partition("/")
        rows = (row for row in self._named.rows(name) if self.hierarchies[self.owners[row]] == hierarchy)
        return next((row for row in rows if row not in self.renamed), None)

    def device(self, row: int) -> Device:
        """Return a row as a form; every value was checked when it was read."""
        fields = {name: column[row].as_py() for name, column in self.columns.items()}
        fields = {name: value for name, value in fields.items() if value is not None}
        if "scope_tags" in fields:
            fields["scope_tags"] = tuple(fields["scope_tags"])
        if self.told:
            numbers = self.inside[self.starts[row] : self.starts[row + 1]].tolist()
            fields["collections"] = tuple(dict.fromkeys(self.ids[number] for number in numbers))
        return Device.model_construct(set(fields), **fields)

    def directly_inside(self, row: int) -> list[Key]:
        """Return the collections that list a device."""
        return [self.collections[number] for number in self.inside[self.starts[row] : self.starts[row + 1]].tolist()]

    def with_devices(self, forms: Mapping[Key, Device]) -> Inventory | None:
        """Return the inventory with other facts of some of its devices; None where a column can't hold them."""
        import numpy as np
        import pyarrow as pa

        rows = [self.row(key) for key in forms]
        if None in rows:
            return None
        places, columns = np.arange(len(self)), dict(self.columns)
        places[np.asarray(rows, np.int64)] = len(self) + np.arange(len(rows))
        for name in Device.model_fields.keys() - {"hierarchy", "collections"}:
            values = [getattr(form, name) for form in forms.values()]
            before = self.columns.get(name)
            if before is None and all(value is None for value in values):
                continue
            try:
                before = pa.nulls(len(self), pa.array(values).type) if before is None else plain(before)
                columns[name] = pa.concat_arrays([before, pa.array(values, before.type)]).take(pa.array(places))
            except pa.ArrowException:
                return None
        return replace(self, columns=columns)

    def origin(self, _section: str, index: int, detail: str) -> Origin:
        """Return the row of a device, or of its membership in a collection by its id."""
        folded = fold_case(detail)
        if detail and detail not in self.columns and any(c.endswith(f"/{folded}") for c in self.directly_inside(index)):
            return Origin(self.files[1], f"{self.columns['name'][index].as_py()} in {detail}")
        return Origin(self.files[0], f"row {index + 1}" + (f", {detail}" if detail in self.columns else ""))


def plain(column: pa.Array) -> pa.Array:
    """Return a column whose values are not numbers of a dictionary."""
    import pyarrow as pa

    return column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column


class Devices(Mapping[Key, Device]):
    """The devices of an inventory as forms."""

    def __init__(self, inventory: Inventory) -> None:
        self.inventory = inventory
        self._forms: dict[int, Device] = {}

    def __getitem__(self, key: Key) -> Device:
        row = self.inventory.row(key)
        if row is None:
            raise KeyError(key)
        found = self._forms.get(row)
        if found is None:
            found = self._forms[row] = self.inventory.device(row)
        return found

    def __contains__(self, key: object) -> bool:
        return self.inventory.row(key) is not None

    def __iter__(self) -> Iterator[Key]:
        return iter(self.inventory.keys)

    def __len__(self) -> int:
        return len(self.inventory)


class DeviceCollections(Mapping[Key, frozenset[Key]]):
    """Device -> the collections of an inventory that contain it."""

    def __init__(self, inventory: Inventory) -> None:
        self.inventory = inventory

    def __getitem__(self, key: Key) -> frozenset[Key]:
        row = self.inventory.row(key)
        if row is None:
            raise KeyError(key)
        roots = self.inventory.roots.get(self.inventory.hierarchies[self.inventory.owners[row]], frozenset())
        return roots.union(self.inventory.directly_inside(row))

    def __iter__(self) -> Iterator[Key]:
        return iter(self.inventory.keys)

    def __len__(self) -> int:
        return len(self.inventory)


class MembershipOpen(AbstractSet[Key]):
    """The devices of an inventory that may be in further collections."""

    def __init__(self, inventory: Inventory) -> None:
        self.inventory = inventory

    @classmethod
    def _from_iterable(cls, it: Iterable[Any]) -> AbstractSet[Any]:
        """Return what set operations give: no longer the devices of an inventory."""
        return frozenset(it)

    def __contains__(self, key: object) -> bool:
        row = self.inventory.row(key)
        return row is not None and bool(self.inventory.open[row])

    def __iter__(self) -> Iterator[Key]:
        return (self.inventory.key(row) for row in self.inventory.open.nonzero()[0].tolist())

    def __len__(self) -> int:
        return int(self.inventory.open.sum())


def with_devices(tables: Tables, forms: Mapping[Key, Device]) -> Tables | None:
    """Return an estate with other facts of some devices of its inventory; None where it has none, or lacks a device."""
    inventory = tables.devices.inventory if isinstance(tables.devices, Devices) else None
    rest = (tables.device_collections, tables.membership_open)
    if inventory is None or any(getattr(one, "inventory", None) is not inventory for one in rest):
        return None
    changed = inventory.with_devices(forms)
    if changed is None:
        return None
    inside, open_ = DeviceCollections(changed), MembershipOpen(changed)
    return replace(tables, devices=Devices(changed), device_collections=inside, membership_open=open_)
