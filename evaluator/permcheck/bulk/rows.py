"""The devices of one inventory, or of several, as rows: what several have under one key is one row."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from permcheck.model.inventory import Devices, Inventory
from permcheck.model.tables import Key, Tables, hierarchy_of

if TYPE_CHECKING:
    import numpy as np

NOT_THERE = -1
"""The place of a device that an inventory does not have."""


class Rows:
    """Devices of a hierarchy, in order, each with its row in every inventory."""

    def __init__(self, inventories: Sequence[Inventory], places: Sequence[np.ndarray]) -> None:
        self._inventories, self._places = tuple(inventories), tuple(places)

    def __len__(self) -> int:
        return len(self._places[0])

    def of(self, inventory: Inventory) -> np.ndarray:
        """Return the rows of an inventory; NOT_THERE for what it does not have."""
        return next(rows for one, rows in zip(self._inventories, self._places, strict=True) if one is inventory)

    def key(self, number: int) -> Key:
        """Return the key of a device."""
        for inventory, rows in zip(self._inventories, self._places, strict=True):
            if rows[number] != NOT_THERE:
                return inventory.key(int(rows[number]))
        raise IndexError(number)

    @cached_property
    def keys(self) -> Sequence[Key]:
        """The key of every device."""
        first = self._inventories[0]
        if len(self._inventories) == 1:
            known = first.keys
            return [known[row] for row in self._places[0].tolist()]
        return [self.key(number) for number in range(len(self))]


def inventories_of(tables: Sequence[Tables]) -> tuple[Inventory, ...] | None:
    """Return the inventories that some estates take their devices from; None where one has none."""
    found: dict[int, Inventory] = {}
    for one in tables:
        inventory = one.devices.inventory if isinstance(one.devices, Devices) else None
        parts = (one.device_collections, one.membership_open)
        if inventory is None or any(getattr(part, "inventory", None) is not inventory for part in parts):
            return None
        found[id(inventory)] = inventory
    return tuple(found.values()) if _has_numpy() else None


def _has_numpy() -> bool:
    try:
        import numpy  # noqa: F401, ICN001 - only whether it is there
    except ImportError:
        return False
    return True


def by_hierarchy(
    inventories: Sequence[Inventory], chosen: Sequence[Key] | None, hierarchies: Sequence[Key]
) -> dict[Key, Rows]:
    """Return the devices of some inventories, or those with some keys, by hierarchy."""
    keys = None if chosen is None else tuple(dict.fromkeys(chosen))
    found = {}
    for hierarchy in hierarchies:
        rows = _all(inventories, hierarchy) if keys is None else _chosen(inventories, hierarchy, keys)
        if len(rows):
            found[hierarchy] = rows
    return found


def _all(inventories: Sequence[Inventory], hierarchy: Key) -> Rows:
    import numpy as np
    import pyarrow as pa

    owned = [_owned(inventory, hierarchy) for inventory in inventories]
    if len(inventories) == 1:
        return Rows(inventories, owned)
    names = [inventory.key_column.take(pa.array(rows)) for inventory, rows in zip(inventories, owned, strict=True)]
    encoded = pa.concat_arrays(names).dictionary_encode()
    numbers = np.split(np.asarray(encoded.indices), np.cumsum([len(rows) for rows in owned])[:-1])
    places = [np.full(len(encoded.dictionary), NOT_THERE, np.int64) for _ in inventories]
    for place, number, rows in zip(places, numbers, owned, strict=True):
        place[number] = rows
    return Rows(inventories, places)


def _owned(inventory: Inventory, hierarchy: Key) -> np.ndarray:
    import numpy as np

    if hierarchy not in inventory.hierarchies:
        return np.zeros(0, np.int64)
    found: np.ndarray = (inventory.owners == inventory.hierarchies.index(hierarchy)).nonzero()[0]
    return found


def _chosen(inventories: Sequence[Inventory], hierarchy: Key, keys: Sequence[Key]) -> Rows:
    import numpy as np

    mine = [key for key in keys if hierarchy_of(key) == hierarchy]
    listed = [[NOT_THERE if (row := one.row(key)) is None else row for key in mine] for one in inventories]
    places = np.asarray(listed, np.int64).reshape(len(inventories), len(mine))
    return Rows(inventories, list(places[:, (places != NOT_THERE).any(0)]))
