"""Resolve an inventory: owners, keys and memberships of all devices, column by column."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from permcheck.loading.inventory import DEVICES, MEMBERSHIPS, Columns
from permcheck.loading.inventory_names import DeviceNames
from permcheck.model.inventory import DeviceCollections, Devices, Inventory, MembershipOpen
from permcheck.model.tables import Key, hierarchy_of

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    from permcheck.loading.resolve import Resolver

NOBODY = -1
"""The number of something that could not be resolved."""
SHOWN = 20
BLOCK = 2**17
"""So many memberships are looked at together."""


class Coded(NamedTuple):
    """A value for each row, as places in a short list of values."""

    values: np.ndarray
    places: np.ndarray

    def of(self, rows: Any) -> Any:
        """Return the values of some rows, or of one."""
        return self.values[self.places[rows]]


def run(resolver: Resolver, columns: Columns) -> None:
    """Fill the fields of the tables that are about devices."""
    made = _Inventory(resolver, columns)
    inventory = made.make()
    resolver.fields |= {
        "devices": Devices(inventory),
        "device_collections": DeviceCollections(inventory),
        "membership_open": MembershipOpen(inventory),
    }


class _Inventory:
    """Makes the inventory; reports what can't be resolved."""

    def __init__(self, resolver: Resolver, columns: Columns) -> None:
        self._resolver, self._columns = resolver, columns
        self._hierarchies = tuple(resolver.fields["hierarchies"])
        self._collections = tuple(resolver.fields["collections"])
        self._number = {key: number for number, key in enumerate(self._collections)}

    def make(self) -> Inventory:
        import numpy as np

        devices = self._columns.devices
        count = len(devices["name"])
        owners = self._owners(devices.get("hierarchy"), count, "devices").of(slice(None))
        folded = self._columns.prepared.folded
        renamed = self._renamed(owners, folded)
        empty = np.zeros(0, np.int32)
        rows, inside = self._memberships(owners) if self._columns.memberships is not None else (empty, empty)
        bare = self._inventory(owners, folded, renamed, rows, inside)
        self._resolver.names["device"] = DeviceNames(bare)
        listed_rows, listed, listing = self._listed(bare)
        open_ = np.zeros(count, bool)
        if self._columns.memberships is None:
            for number, hierarchy in enumerate(self._hierarchies):
                open_[owners == number] = not listing.get(hierarchy, False)
        if listed_rows or self._columns.memberships is None:
            rows = np.concatenate([rows, np.asarray(listed_rows, np.int32)])
            inside = np.concatenate([inside, np.asarray(listed, np.int32)])
            bare = self._inventory(owners, folded, renamed, rows, inside)
        made = Inventory(**{**vars(bare), "open": open_})
        self._resolver.names["device"] = DeviceNames(made)
        return made

    def _inventory(
        self, owners: np.ndarray, folded: pa.Array, renamed: Mapping[int, Key], rows: np.ndarray, inside: np.ndarray
    ) -> Inventory:
        import numpy as np

        count = len(owners)
        if len(rows) and np.any(rows[1:] < rows[:-1]):
            order = np.argsort(rows, kind="stable")
            rows, inside = rows[order], inside[order]
        starts = np.concatenate([[0], np.cumsum(_counted(rows, count))])
        return Inventory(
            columns=self._columns.devices,
            hierarchies=self._hierarchies,
            owners=owners,
            folded=folded,
            renamed=renamed,
            collections=self._collections,
            ids=tuple(form.id for form in self._resolver.fields["collections"].values()),
            starts=starts,
            inside=inside.astype(np.int32, copy=False),
            roots=self._roots(),
            open=np.zeros(count, bool),
            told=self._columns.memberships is not None,
            files=(self._columns.file, str(self._columns.folder / MEMBERSHIPS)),
        )

    def _roots(self) -> dict[Key, frozenset[Key]]:
        """Return the collections that contain every device by definition."""
        forms, ids = self._resolver.fields["collections"], self._resolver.policy.all_devices
        found: dict[Key, frozenset[Key]] = {}
        for key in (key for key, form in forms.items() if form.id.upper() in ids):
            found[hierarchy_of(key)] = found.get(hierarchy_of(key), frozenset()) | {key}
        return found

    def _owners(self, column: pa.Array | None, count: int, file: str) -> Coded:
        """Return the number of the hierarchy of each row."""
        import numpy as np

        only = 0 if len(self._hierarchies) == 1 else NOBODY
        if column is None:
            found, missing = Coded(np.asarray([only], np.int16), np.zeros(count, np.int8)), count
        else:
            encoded = column if hasattr(column, "dictionary") else column.dictionary_encode()
            names, missing = encoded.dictionary.to_pylist(), encoded.indices.null_count
            known = [self._hierarchy(name) for name in names]
            places = (encoded.indices.fill_null(len(known)) if missing else encoded.indices).to_numpy()
            found = Coded(np.asarray([*known, only], np.int16), places)
            for number, name in enumerate(names):
                if known[number] == NOBODY and (places == number).any():
                    row = int((places == number).argmax()) + 1
                    self._report(file, "unknown-name", f"row {row}: no hierarchy is called `{name}`")
        if only == NOBODY and missing:
            row = int((found.places == len(found.values) - 1).argmax()) + 1
            message = f"row {row}: this could be of several hierarchies, or none"
            self._report(file, "no-hierarchy", message, "name it in the column `hierarchy`")
        return found

    def _hierarchy(self, name: str) -> int:
        found = self._resolver.names["hierarchy"].get(name)
        return NOBODY if found is None else self._hierarchies.index(found)

    def _renamed(self, owners: np.ndarray, folded: pa.Array) -> dict[int, Key]:
        """Give devices of one name in one hierarchy different keys; report those that have nothing to tell them by."""
        import pyarrow as pa

        if self._columns.prepared.distinct:
            return {}
        pairs = pa.table({"owner": owners, "name": folded})
        counted = pairs.group_by(["owner", "name"]).aggregate([([], "count_all")])
        if counted.num_rows == len(owners):
            return {}
        several = {row["name"] for row in counted.to_pylist() if row["count_all"] > 1}
        columns = [self._columns.devices.get(name) for name in ("resource_id", "intune_id", "entra_id")]
        renamed: dict[int, Key] = {}
        taken: set[Key] = set()
        for row in _rows_of(folded, several):
            key = f"{self._hierarchies[owners[row]]}/{folded[row].as_py()}"
            extra = next((value for c in columns if c is not None and (value := c[row].as_py())), None)
            if key in taken and extra is not None:
                key = renamed[row] = f"{key} ({extra})"
            if key in taken:
                message = f"row {row + 1}: there is already one called `{key}` in `devices`"
                self._report("devices", "duplicate", message, "keep one of them, or give them different ids")
            taken.add(key)
        return renamed

    def _memberships(self, owners: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the row of the device and the number of the collection of every membership.

        Some rows after the other: every array of millions is memory that the computer has to find.
        """
        import numpy as np

        columns = self._columns.memberships
        assert columns is not None
        count, width = len(columns["resource_id"]), len(self._hierarchies)
        mine = self._owners(columns.get("hierarchy"), count, "memberships")
        known, asked = self._columns.prepared.numbers
        find = self._devices_by(known, owners)
        names, places, table = self._collections_of(columns["collection"])
        rows, inside = np.full(count, NOBODY, np.int32), np.empty(count, np.int32)
        for start in range(0, count, BLOCK):
            part = slice(start, start + BLOCK)
            owned = mine.of(part)
            if find is not None:
                rows[part] = find(_together(asked[part], owned, width or 1))
            inside[part] = table.take(owned.astype(np.int32) * (len(names) + 1) + places[part], mode="wrap")
        if rows.min(initial=0) >= 0 and inside.min(initial=0) >= 0:
            return rows, inside
        if find is not None:
            self._report_devices((rows < 0).nonzero()[0], mine, columns["resource_id"])
        self._report_collections((inside < 0).nonzero()[0], mine, names, places)
        right = (rows >= 0) & (inside >= 0)
        return rows[right], inside[right]

    def _devices_by(self, ids: np.ndarray, owners: np.ndarray) -> Callable[[np.ndarray], np.ndarray] | None:
        """Return what finds the rows of devices by the numbers of their resource ids; None where they have none."""
        devices = self._columns.devices.get("resource_id")
        if devices is None:
            self._report("devices", "missing-key", f"{MEMBERSHIPS} needs the column `resource_id` in {DEVICES}")
            return None
        known = _together(ids, owners, len(self._hierarchies) or 1)
        self._report_ambiguous(known, devices)
        return _finder(known)

    def _report_devices(self, lost: np.ndarray, mine: Coded, ids: pa.Array) -> None:
        for row in lost[mine.of(lost) >= 0][:SHOWN].tolist():
            owner = self._hierarchies[mine.of(row)]
            message = f"row {row + 1}: hierarchy `{owner}` has no device with the resource id `{ids[row].as_py()}`"
            self._report("memberships", "unknown-name", message, f"list it in {DEVICES}")

    def _report_ambiguous(self, known: np.ndarray, devices: pa.Array) -> None:
        import numpy as np

        different, first, counts = np.unique(known, return_index=True, return_counts=True)
        for place in ((counts > 1) & (different >= 0)).nonzero()[0][:SHOWN].tolist():
            row = int(first[place])
            message = f"row {row + 1}: several devices have the resource id `{devices[row].as_py()}`"
            self._report("devices", "duplicate", message, f"{MEMBERSHIPS} can't tell them apart")

    def _collections_of(self, column: pa.Array) -> tuple[list[str], np.ndarray, np.ndarray]:
        """Return different names, the number of each row's, and the collections by hierarchy and name."""
        import numpy as np

        encoded = column if hasattr(column, "dictionary") else column.dictionary_encode()
        names = encoded.dictionary.to_pylist()
        find = self._resolver.names["collection"].get
        width = len(names) + 1
        table = np.full((len(self._hierarchies) + 1) * width, NOBODY, np.int32)  # the last part is of no hierarchy
        for owner, hierarchy in enumerate(self._hierarchies):
            for place, name in enumerate(names):
                key = find(f"{hierarchy}/{name}")
                table[owner * width + place] = NOBODY if key is None else self._number[key]
        return names, encoded.indices.to_numpy(), table

    def _report_collections(self, lost: np.ndarray, mine: Coded, names: list[str], places: np.ndarray) -> None:
        import numpy as np

        lost = lost[mine.of(lost) >= 0]
        told = set()
        for row in lost.tolist() if len(lost) < SHOWN else lost[np.unique(places[lost], return_index=True)[1]].tolist():
            message = f"hierarchy `{self._hierarchies[mine.of(row)]}` has no collection called `{names[places[row]]}`"
            if message not in told:
                told.add(message)
                near = self._resolver.names["collection"].near(
                    f"{self._hierarchies[mine.of(row)]}/{names[places[row]]}"
                )
                help_ = f"did you mean `{near[0].partition('/')[2]}`?" if near else "list it under `collections:`"
                self._report("memberships", "unknown-name", f"row {row + 1}: {message}", help_)

    def _listed(self, inventory: Inventory) -> tuple[list[int], list[int], dict[Key, bool]]:
        """Return the members that collections list, and the hierarchies where every device collection lists them."""
        resolver, names = self._resolver, self._resolver.names["device"]
        rows, inside, listing = [], [], dict[Key, bool]()
        for key, record in resolver.placed["collections"]:
            hierarchy = hierarchy_of(key)
            kind = resolver.fields["collections"][key].kind
            if kind != "user" and record.value.id.upper() not in resolver.policy.all_devices:
                listing[hierarchy] = listing.get(hierarchy, True) and record.value.members is not None
            for index, name in enumerate(record.value.members or ()):
                device = names.get(f"{hierarchy}/{name}")
                row = None if device is None else inventory.row(device)
                if row is None:
                    resolver.owned("device", record, "collections", ("members", index), hierarchy, name)
                else:
                    rows.append(row)
                    inside.append(self._number[key])
        return rows, inside, listing

    def _report(self, file: str, id_: str, message: str, help_: str = "") -> None:
        at = self._resolver.joined.parsed.index(self._columns)
        self._resolver.joined.report(at, (file,), id_, message, help_)


def _rows_of(folded: pa.Array, names: set[str]) -> list[int]:
    import pyarrow as pa
    import pyarrow.compute as pc

    found: list[int] = pc.indices_nonzero(pc.is_in(folded, pa.array(sorted(names), pa.string()))).to_pylist()
    return found


def _together(numbers: np.ndarray, owners: np.ndarray, width: int) -> np.ndarray:
    """Join numbers that are told apart within a hierarchy with that of the hierarchy."""
    import numpy as np

    if int(numbers.max(initial=0)) >= 2**30 // width:
        numbers = numbers.astype(np.int64)
    joined: np.ndarray = numbers * numbers.dtype.type(width)
    joined += owners
    if numbers.min(initial=0) < 0 or owners.min(initial=0) < 0:
        joined[(numbers < 0) | (owners < 0)] = NOBODY
    return joined


def _finder(known: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """Return what tells the first place of each of some numbers among those that are known; -1 where there is none."""
    import numpy as np

    most = int(known.max(initial=0))
    if most < 16 * len(known) + 1024:
        table = np.full(most + 2, NOBODY, np.int32)
        right = (known >= 0).nonzero()[0][::-1]
        table[known[right]] = right
        return lambda asked: table.take(np.where((asked >= 0) & (asked <= most), asked, most + 1))
    order = np.argsort(known, kind="stable")
    ordered = known[order]

    def find(asked: np.ndarray) -> np.ndarray:
        at = np.minimum(np.searchsorted(ordered, asked), len(known) - 1)
        return np.where((ordered[at] == asked) & (asked >= 0), order[at], NOBODY)

    return find


def _counted(rows: np.ndarray, count: int) -> np.ndarray:
    """Return how often each number below `count` stands among some."""
    import numpy as np

    found = np.zeros(count, np.int64)
    for start in range(0, len(rows), BLOCK):
        part = rows[start : start + BLOCK]
        least = int(part.min())
        numbers = np.bincount(part - least)
        found[least : least + len(numbers)] += numbers
    return found
