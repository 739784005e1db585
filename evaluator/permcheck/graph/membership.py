"""Which collections contain a device, and which collections lie above those: held beside the graph."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from permcheck.model.tables import Key, Tables


class Coverage(NamedTuple):
    """Collections whose permissions reach a device.

    `above` maps each covering collection to the chain down to one that contains the device;
    `strict` are those that cover it through a collection limited to them; `open` names facts
    without which further collections may cover it.
    """

    above: Mapping[Key, tuple[Key, ...]]
    strict: frozenset[Key]
    open: tuple[str, ...]


def climb(tables: Tables, collection: Key) -> tuple[list[Key], bool]:
    """Return a collection with those that it is limited to, upwards, and whether the estate tells them all."""
    path = [collection]
    while True:
        if path[-1] not in tables.limited_to:
            return path, False
        parent = tables.limited_to[path[-1]]
        if parent is None or parent in path:
            return path, True
        path.append(parent)


class Membership:
    """Answers which collections cover a device, one cached answer for each set of collections."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._by_device: dict[Key, Coverage] = {}
        self._cache: dict[tuple[frozenset[Key], bool], Coverage] = {}

    def coverage(self, device: Key) -> Coverage:
        """Return collections that cover a device."""
        known = self._by_device.get(device)
        if known is None:
            known = self._by_device[device] = self._coverage(device)
        return known

    def _coverage(self, device: Key) -> Coverage:
        inside = self._tables.device_collections.get(device, frozenset())
        is_open = device in self._tables.membership_open
        found = self._cache.get((inside, is_open))
        if found is None:
            found = self._cache[inside, is_open] = self._climb(inside, is_open=is_open)
        return found

    def _climb(self, inside: frozenset[Key], *, is_open: bool) -> Coverage:
        limited = self._tables.limited_to
        above: dict[Key, tuple[Key, ...]] = {}
        strict: set[Key] = set()
        open_: list[str] = ["devices[].collections"] if is_open else []
        for start in sorted(inside):
            chain: tuple[Key, ...] = (start,)
            while True:
                top = chain[0]
                if top not in above or len(chain) < len(above[top]):
                    above[top] = chain
                if len(chain) > 1:
                    strict.add(top)
                if top not in limited:
                    open_.append(f"collections[{self._tables.collections[top].name}].limited_to")
                    break
                parent = limited[top]
                if parent is None or parent in chain:
                    break
                chain = (parent, *chain)
        return Coverage(above, frozenset(strict), tuple(dict.fromkeys(open_)))
