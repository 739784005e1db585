"""Sets of device classes as whole numbers, each kept once: an operation on the same sets is done once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import count, repeat
from operator import and_, lshift
from typing import NamedTuple, TypeAlias

from permcheck.model.state import MET, UNKNOWN, UNMET, State, Verdict

Bits: TypeAlias = int
"""A set of device classes: bit `i` stands for class `i`."""
RegionId: TypeAlias = int


class Region(NamedTuple):
    """Where something holds: certainly, and at least possibly. What is certain is possible."""

    certain: Bits
    possible: Bits


NOWHERE: RegionId = 0
EVERYWHERE: RegionId = 1
OPEN: RegionId = 2
"""It may hold everywhere, and holds nowhere for certain."""
CONSTANT = {UNMET: NOWHERE, MET: EVERYWHERE, UNKNOWN: OPEN}


class Regions:
    """The regions over one set of device classes, by number."""

    def __init__(self, sizes: Sequence[int]) -> None:
        self.sizes = sizes
        """How many devices each class has."""
        self.full: Bits = (1 << len(sizes)) - 1
        self._found: list[Region] = []
        self._ids: dict[Bits | Region, RegionId] = {}
        self._both: dict[tuple[RegionId, RegionId], RegionId] = {}
        self._either: dict[tuple[RegionId, RegionId], RegionId] = {}
        self._counts: dict[Bits, int] = {}
        self._both_counts: dict[RegionId, tuple[int, int]] = {}
        self._digits: list[Bits] | None = None
        for region in (Region(0, 0), Region(self.full, self.full), Region(0, self.full)):
            self._ids.setdefault(region.certain if region.certain == region.possible else region, len(self._found))
            self._found.append(region)

    def __getitem__(self, region: RegionId) -> Region:
        return self._found[region]

    def put(self, certain: Bits, possible: Bits) -> RegionId:
        """Return the number of a region."""
        same = certain is possible or certain == possible
        number = len(self._found)  # one look-up: to hash a number of a hundred thousand bits takes its time
        found = self._ids.setdefault(certain if same else Region(certain, possible), number)
        if found == number:
            self._found.append(Region(certain, certain if same else possible))
        return found

    def __len__(self) -> int:
        return len(self._found)

    def all_of(self, one: RegionId, two: RegionId) -> RegionId:
        """Where both hold."""
        if one == two or two == EVERYWHERE or one == NOWHERE:  # noqa: PLR1714, SIM109 - called so often
            return one
        if one == EVERYWHERE or two == NOWHERE:
            return two
        key = (one, two) if one < two else (two, one)
        found = self._both.get(key)
        if found is None:
            a, b = self._found[one], self._found[two]
            certain = a.certain & b.certain
            sure = a.certain is a.possible and b.certain is b.possible
            found = self._both[key] = self.put(certain, certain if sure else a.possible & b.possible)
        return found

    def any_of(self, one: RegionId, two: RegionId) -> RegionId:
        """Where at least one holds."""
        if one == two or two == NOWHERE or one == EVERYWHERE:  # noqa: PLR1714, SIM109 - called so often
            return one
        if one == NOWHERE or two == EVERYWHERE:
            return two
        key = (one, two) if one < two else (two, one)
        found = self._either.get(key)
        if found is None:
            a, b = self._found[one], self._found[two]
            certain = a.certain | b.certain
            sure = a.certain is a.possible and b.certain is b.possible
            found = self._either[key] = self.put(certain, certain if sure else a.possible | b.possible)
        return found

    def union(self, regions: Sequence[RegionId]) -> RegionId:
        """Where at least one of any number holds."""
        if len(regions) == 1:
            return regions[0]
        certain, possible, differ = 0, 0, False
        for one in {*regions}:
            region = self._found[one]
            certain |= region.certain
            if region.certain is not region.possible:
                differ = True
                possible |= region.possible
        return self.put(certain, certain | possible if differ else certain)

    def agreed(self, regions: Sequence[RegionId]) -> RegionId:
        """Join the branches of an unknown: certain only where they agree."""
        first = regions[0]
        if all(region == first for region in regions):
            return first
        certain, possible = self.full, 0
        for region in regions:
            certain &= self._found[region].certain
            possible |= self._found[region].possible
        return self.put(certain, possible)

    def where_certain(self, one: RegionId, two: RegionId) -> RegionId:
        """Return the second where the first certainly holds, and the first elsewhere."""
        a, b = self._found[one], self._found[two]
        return self.put(a.certain & b.certain, (a.possible & ~a.certain) | (a.certain & b.possible))

    def assumed(self, region: RegionId) -> RegionId:
        """Return a region where what is possible counts as certain."""
        possible = self._found[region].possible
        return self.put(possible, possible)

    def state(self, region: RegionId, index: int) -> State:
        """Whether it holds for one class."""
        found = self._found[region]
        if found.certain >> index & 1:
            return MET
        return UNKNOWN if found.possible >> index & 1 else UNMET

    def bits(self, region: RegionId, verdict: Verdict) -> Bits:
        """Return the classes that get a verdict."""
        found = self._found[region]
        if verdict is Verdict.ALLOW:
            return found.certain
        return found.possible & ~found.certain if verdict is Verdict.UNDETERMINED else self.full & ~found.possible

    def counts(self, region: RegionId) -> tuple[int, int]:
        """How many devices certainly, and possibly, lie in a region."""
        found = self._both_counts.get(region)
        if found is None:
            certain, possible = self._found[region]
            sure = self._count(certain)
            found = self._both_counts[region] = sure, sure if certain is possible else self._count(possible)
        return found

    def count(self, bits: Bits) -> int:
        """How many devices a set of classes holds."""
        if len(self.sizes) == 1:
            return self.sizes[0] if bits else 0
        found = self._counts.get(bits)
        if found is None:
            found = self._counts[bits] = self._count(bits)
        return found

    def _count(self, bits: Bits) -> int:
        if self._digits is None:
            self._digits = _digits(self.sizes)
        return sum(map(lshift, map(int.bit_count, map(and_, repeat(bits), self._digits)), count()))


def _digits(sizes: Sequence[int]) -> list[Bits]:
    """For each binary place, the classes whose size has a one there: counting is a few intersections then."""
    found: list[Bits] = []
    left = [(index, size) for index, size in enumerate(sizes) if size]
    while left:  # most classes are small: few are left for the higher places
        found.append(bits_of((index for index, size in left if size & 1), len(sizes)))
        left = [(index, size >> 1) for index, size in left if size > 1]
    return found


def bits_of(indices: Iterable[int], size: int) -> Bits:
    """Make a set of class numbers below `size`."""
    found = bytearray((size + 7) >> 3)
    for index in indices:
        found[index >> 3] |= 1 << (index & 7)
    return int.from_bytes(found, "little")


def few(bits: Bits) -> Iterator[int]:
    """Return the numbers of a set of which little is there, in order."""
    while bits:
        lowest = bits & -bits
        yield lowest.bit_length() - 1
        bits ^= lowest


def indices(bits: Bits) -> list[int]:
    """Return the class numbers of a set, in order."""
    found, base = [], 0
    for byte in bits.to_bytes((bits.bit_length() + 7) >> 3, "little"):
        if byte:
            found += [base + place for place in _PLACES[byte]]
        base += 8
    return found


_PLACES = [[place for place in range(8) if byte >> place & 1] for byte in range(256)]
