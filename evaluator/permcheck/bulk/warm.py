"""Ask answers that were worked out: a cell, a column or a row of them in microseconds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from permcheck.bulk.answers import Answers
from permcheck.bulk.partition import Members
from permcheck.bulk.regions import RegionId
from permcheck.model.state import Verdict
from permcheck.model.tables import Key

if TYPE_CHECKING:
    import numpy as np

Spot: TypeAlias = tuple[int, int]
"""Number of an area, and of a class of devices in it."""


class Who(NamedTuple):
    """Classes of users by number: those who certainly can, and those of whom it is not known."""

    allowed: Sequence[int]
    undetermined: Sequence[int]


class Can(NamedTuple):
    """How many devices, hierarchies or tenants: certainly, and not known."""

    allowed: int
    undetermined: int


class Warm:
    """One view of some answers, every cell of it worked out. Actions are called by the text of their act."""

    def __init__(self, answers: Answers, place: int = 0) -> None:
        self._answers, self._place = answers, place
        self._rows = {user: row for row, person in enumerate(answers.persons) for user in person.members}
        self._spots = dict(spots(answers))
        self._columns: dict[str, dict[int, Sequence[RegionId]]] = {
            str(act): {area: answers.column(place, act, area) for area in answers.areas_of(act)}
            for act in answers.selection.acts
        }
        self._bytes: dict[Spot, tuple[bytes, bytes]] = {}
        self._counts = {act: self._counted(columns) for act, columns in self._columns.items()}
        self._tables: dict[int, _Table] = {}
        self._asked: dict[tuple[str, int], np.ndarray] = {}

    def check(self, user: Key, act: str, device: Key) -> Verdict:
        """Return a verdict. Raises KeyError for what was not selected."""
        area, index = self._spots[device]
        region = area, self._columns[act][area][self._rows[user]]
        found = self._bytes.get(region)
        if found is None:
            found = self._bytes[region] = self._in_bytes(*region)
        place, bit = index >> 3, 1 << (index & 7)
        if found[0][place] & bit:
            return Verdict.ALLOW
        return Verdict.UNDETERMINED if found[1][place] & bit else Verdict.DENY

    def who_can(self, act: str, device: Key) -> Who:
        """Return who can do something on a device. Raises KeyError for what was not selected."""
        area, index = self._spots[device]
        column = self._columns[act][area]
        table = self._tables.get(area)
        if table is None:
            table = self._tables[area] = self._table(area)
        return table.who(column, self._asked, (act, area), index)

    def users(self, persons: Sequence[int]) -> list[Key]:
        """Return everybody in some classes of users."""
        known = self._answers.persons
        return [user for person in persons for user in known[person].members]

    def what_can(self, user: Key) -> dict[str, Can]:
        """Return how much a user can do of everything. Raises KeyError for somebody who was not selected."""
        row = self._rows[user]
        return {act: counted[row] for act, counted in self._counts.items()}

    def _counted(self, columns: dict[int, Sequence[RegionId]]) -> list[Can]:
        found = []
        for area, column in columns.items():
            counts = self._answers.areas[area].regions.counts
            known = {region: counts(region) for region in set(column)}
            found.append([known[region] for region in column])
        totals: dict[tuple[tuple[int, int], ...], Can] = {}
        result = []
        for parts in zip(*found, strict=True):
            total = totals.get(parts)
            if total is None:
                certain = sum(part[0] for part in parts)
                total = totals[parts] = Can(certain, sum(part[1] for part in parts) - certain)
            result.append(total)
        return result or [Can(0, 0)] * len(self._answers.persons)

    def _in_bytes(self, area: int, region: RegionId) -> tuple[bytes, bytes]:
        regions = self._answers.areas[area].regions
        size = (len(regions.sizes) + 7) >> 3
        certain, possible = regions[region]
        packed = certain.to_bytes(size, "little")
        return packed, packed if certain is possible else possible.to_bytes(size, "little")

    def _table(self, area: int) -> _Table:
        columns = (found[area] for found in self._columns.values() if area in found)
        used = list(dict.fromkeys(region for column in {id(c): c for c in columns}.values() for region in column))
        try:
            import numpy  # noqa: F401, ICN001 - only whether it is there
        except ImportError:
            return _Table(used, lambda region: self._in_bytes(area, region))
        return _Matrix(used, lambda region: self._in_bytes(area, region))


class _Table:
    """The regions of an area, to be asked of one class of devices."""

    def __init__(self, used: list[RegionId], in_bytes: Callable[[RegionId], tuple[bytes, bytes]]) -> None:
        self._regions = {region: in_bytes(region) for region in used}

    def who(
        self, column: Sequence[RegionId], _asked: dict[tuple[str, int], np.ndarray], _key: tuple[str, int], index: int
    ) -> Who:
        place, bit = index >> 3, 1 << (index & 7)
        certain = {region for region in set(column) if self._regions[region][0][place] & bit}
        possible = {region for region in set(column) if self._regions[region][1][place] & bit} - certain
        allowed = [row for row, region in enumerate(column) if region in certain]
        return Who(allowed, [row for row, region in enumerate(column) if region in possible] if possible else [])


class _Matrix(_Table):
    """The same with numpy: a row for each eight classes of devices, in which each region has a byte."""

    def __init__(self, used: list[RegionId], in_bytes: Callable[[RegionId], tuple[bytes, bytes]]) -> None:
        import numpy as np

        self._places = np.zeros(max(used, default=0) + 1, np.int32)
        self._places[used] = np.arange(len(used))
        rows = [in_bytes(region) for region in used]
        self._certain = _standing([certain for certain, _ in rows])
        unsure = [place for place, (certain, possible) in enumerate(rows) if certain is not possible]
        self._unsure = np.asarray(unsure, np.int64)
        self._possible = _standing([rows[place][1] for place in unsure])

    def who(
        self, column: Sequence[RegionId], asked: dict[tuple[str, int], np.ndarray], key: tuple[str, int], index: int
    ) -> Who:
        import numpy as np

        places = asked.get(key)
        if places is None:
            places = asked[key] = self._places[np.asarray(column)]
        place, bit = index >> 3, np.uint8(1 << (index & 7))
        certain = self._certain[place] & bit
        allowed = certain.take(places).nonzero()[0]
        if not len(self._unsure):
            return Who(allowed, ())
        open_ = np.zeros_like(certain)
        open_[self._unsure] = self._possible[place] & bit
        open_[certain.nonzero()[0]] = 0
        return Who(allowed, open_.take(places).nonzero()[0])


def _standing(rows: list[bytes]) -> np.ndarray:
    import numpy as np

    if not rows:
        return np.zeros((0, 0), np.uint8)
    return np.ascontiguousarray(np.frombuffer(b"".join(rows), np.uint8).reshape(len(rows), -1).T)


def spots(answers: Answers) -> Iterator[tuple[Key, Spot]]:
    """Return where each device is; a hierarchy is called by its key, the tenant by nothing."""
    for number, area in enumerate(answers.areas):
        members = area.ground.members
        if not area.on_devices:
            yield area.hierarchy or "", (number, 0)
        elif isinstance(members, Members):
            yield from ((key, (number, index)) for key, index in members.each())
        else:
            yield from ((key, (number, index)) for index, keys in enumerate(members) for key in keys)
