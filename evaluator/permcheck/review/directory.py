"""The names of the devices of an area in order: a long set of them is sorted as numbers."""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from itertools import accumulate, chain

from permcheck.bulk.regions import Bits, indices
from permcheck.model.tables import Key


class Directory:
    """Names by class of devices."""

    def __init__(self, members: Sequence[Sequence[Key]], written: Mapping[Key, str]) -> None:
        classes = list(members)
        names = [written.get(key, key) for key in chain.from_iterable(classes)]
        order = sorted(range(len(names)), key=names.__getitem__)
        self._sorted = [names[number] for number in order]
        self._ranks = array("I", bytes(4 * len(names)))
        """Device, class by class -> the place of its name among all."""
        for rank, number in enumerate(order):
            self._ranks[number] = rank
        self._starts = [0, *accumulate(map(len, classes))]

    def of(self, bits: Bits) -> list[str]:
        """Return the names of the devices of some classes, sorted."""
        found = array("I")
        for index in indices(bits):
            found += self._ranks[self._starts[index] : self._starts[index + 1]]
        return [self._sorted[rank] for rank in sorted(found)]
