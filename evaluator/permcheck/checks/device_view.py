"""Which devices collections reach: their own members, and those of the collections that are limited to them.

A set of devices is a whole number with one bit for each device: joining and counting 50,000 takes microseconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import TypeAlias

from permcheck.model.tables import Key, Tables

Devices: TypeAlias = int
"""Devices as bits, in the order of their keys."""


class DeviceView:
    """Collections and their devices, as far as the estate tells; made once for a run."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._reach: dict[Key, Devices] = {}
        self._keys = tuple(sorted(tables.devices))
        self._place = {key: number for number, key in enumerate(self._keys)}

    def these(self, keys: Iterable[Key]) -> Devices:
        """Return devices as a set."""
        found = bytearray(len(self._keys) // 8 + 1)
        for key in keys:
            place = self._place[key]
            found[place >> 3] |= 1 << (place & 7)
        return int.from_bytes(found, "little")

    def keys(self, devices: Devices) -> Iterator[Key]:
        """Return the keys of devices, in order."""
        while devices:
            lowest = devices & -devices
            yield self._keys[lowest.bit_length() - 1]
            devices ^= lowest

    def names(self, devices: Devices) -> Iterator[str]:
        """Return the names of devices."""
        return (self._tables.devices[key].name for key in self.keys(devices))

    @cached_property
    def members(self) -> Mapping[Key, Devices]:
        """Collection -> devices that it certainly contains."""
        found: dict[Key, list[Key]] = {}
        for device, collections in self._tables.device_collections.items():
            for collection in collections:
                found.setdefault(collection, []).append(device)
        return {collection: self.these(devices) for collection, devices in found.items()}

    @cached_property
    def limited(self) -> Mapping[Key, tuple[Key, ...]]:
        """Collection -> collections that are limited to it."""
        found: dict[Key, list[Key]] = {}
        for child, parent in self._tables.limited_to.items():
            if parent is not None:
                found.setdefault(parent, []).append(child)
        return {key: tuple(children) for key, children in found.items()}

    def below(self, collection: Key) -> tuple[Key, ...]:
        """Return a collection and all that are limited to it, directly or not."""
        found = {collection: None}
        queue = [collection]
        for one in queue:
            new = [child for child in self.limited.get(one, ()) if child not in found]
            found |= dict.fromkeys(new)
            queue += new
        return tuple(found)

    def reach(self, collection: Key) -> Devices:
        """Return the devices over which a permission on a collection holds."""
        found = self._reach.get(collection)
        if found is None:
            found = 0
            for one in self.below(collection):
                found |= self.members.get(one, 0)
            self._reach[collection] = found
        return found

    def reached(self, collections: Iterable[Key]) -> Devices:
        """Return the devices over which a permission on any of some collections holds."""
        found = 0
        for collection in collections:
            found |= self.reach(collection)
        return found
