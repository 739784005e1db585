"""Find a device of an inventory by any of its names, without a form for every device."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property

from permcheck.loading.resolve_configmgr import device_ids, device_names
from permcheck.model.estate import Device
from permcheck.model.fold import fold_case
from permcheck.model.inventory import Devices, Finder, Inventory
from permcheck.model.names import POOL, Names
from permcheck.model.tables import Key

NAMES_OF_EACH = 7
SURE = 4
"""Letters at the end of a long name that may be wrong, where there are too many names to compare each."""


def names_of_devices(devices: Mapping[Key, Device]) -> Names:
    """Return the names of devices."""
    return DeviceNames(devices.inventory) if isinstance(devices, Devices) else all_device_names(devices)


def all_device_names(devices: Mapping[Key, Device]) -> Names:
    """Return names and ids of every device, held in dictionaries."""
    return Names("device", device_names(devices), device_ids(devices))


def written_names(devices: Mapping[Key, Device]) -> Iterator[tuple[Key, str]]:
    """Return every device with its name as the estate writes it."""
    if isinstance(devices, Devices):
        inventory = devices.inventory
        yield from zip(inventory.keys, inventory.columns["name"].to_pylist(), strict=True)
    else:
        yield from ((key, device.name) for key, device in devices.items())


class DeviceNames(Names):
    """The names of an inventory's devices, looked up in its columns."""

    def __init__(self, inventory: Inventory) -> None:
        super().__init__("device", ())
        self._inventory = inventory

    def keys_of(self, folded: str) -> tuple[str, ...]:
        """Keys of everything with a name, which is folded."""
        inventory, rows = self._inventory, {row for finder in self._finders for row in finder.rows(folded)}
        hierarchy, slash, rest = folded.partition("/")
        if slash and hierarchy in inventory.hierarchies:
            number = inventory.hierarchies.index(hierarchy)
            owned = {row for finder in self._finders[:2] for row in finder.rows(rest)}
            rows |= {row for row in owned if inventory.owners[row] == number}
            named = inventory.row(folded)
            rows |= set() if named is None else {named}
        return tuple(inventory.key(row) for row in sorted(rows))

    def with_id(self, name: str) -> tuple[str, ...]:
        """Keys of what has an id."""
        inventory, folded = self._inventory, fold_case(name)
        hierarchy, slash, rest = folded.partition("/")
        if slash and hierarchy in inventory.hierarchies:
            number = inventory.hierarchies.index(hierarchy)
            rows = {row for row in self._finders[1].rows(rest) if inventory.owners[row] == number}
        else:
            rows = {row for finder in self._finders[1:] for row in finder.rows(folded)}
        return tuple(inventory.key(row) for row in sorted(rows))

    def single(self) -> Iterator[tuple[str, str]]:
        """Return names alone, without ids, that stand for one device, each with its key."""
        import pyarrow.compute as pc

        names = self._inventory.folded
        counted = pc.value_counts(names)
        taken = pc.greater(counted.field("counts"), 1)
        values = counted.field("values")
        for ids in (finder.column for finder in self._finders[1:]):
            taken = pc.or_(taken, pc.is_in(values, value_set=ids))
        more = pc.is_in(names, value_set=values.filter(taken)).to_pylist()
        listed = zip(names.to_pylist(), self._inventory.keys, more, strict=True)
        return ((name, key) for name, key, ambiguous in listed if not ambiguous and not self._has_hierarchy(name))

    def _has_hierarchy(self, folded: str) -> bool:
        return folded.partition("/")[0] in self._inventory.hierarchies if "/" in folded else False

    def near(self, folded: str) -> tuple[str, ...]:
        """Return names that look like `folded`, at most three, one for each thing."""
        if len(self._inventory) * NAMES_OF_EACH <= POOL:
            return self._all.near(folded)
        hierarchy, slash, rest = folded.partition("/")
        prefix = hierarchy + slash if slash and hierarchy in self._inventory.hierarchies else ""
        return tuple(prefix + name for name in self._written_like(rest if prefix else folded))

    def all(self) -> tuple[str, ...]:
        """Every name, sorted, folded."""
        return self._all.all()

    @cached_property
    def _all(self) -> Names:
        return all_device_names(Devices(self._inventory))

    @cached_property
    def _finders(self) -> tuple[Finder, ...]:
        """By name, resource id, and the ids of Entra and Intune."""
        import pyarrow as pa
        import pyarrow.compute as pc

        inventory, columns = self._inventory, self._inventory.columns
        others = (columns[name] for name in ("resource_id", "entra_id", "intune_id") if name in columns)
        ids = tuple(Finder(pc.utf8_lower(column.cast(pa.string()))) for column in others)
        first = ids if "resource_id" in columns else (Finder(pa.array([], pa.string())), *ids)
        return (Finder(inventory.folded), *first)

    def _written_like(self, folded: str) -> tuple[str, ...]:
        from difflib import get_close_matches

        import pyarrow.compute as pc

        inventory = self._inventory
        begin = folded[: max(2, len(folded) - SURE)]
        rows = pc.indices_nonzero(pc.starts_with(inventory.folded, pattern=begin)).to_pylist()[:POOL]
        written = {inventory.folded[row].as_py(): inventory.columns["name"][row].as_py() for row in rows}
        return tuple(written[name] for name in get_close_matches(folded, written, n=3, cutoff=0.7))
