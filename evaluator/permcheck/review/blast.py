"""The blast radius of a fix: what else it would allow, to anybody, anywhere."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from permcheck.bulk.act import Act
from permcheck.bulk.answers import Answers, Cell, Selection, View
from permcheck.evaluate.question import Question


def radius(now: View, after: Sequence[View], asked: Question) -> tuple[int, ...]:
    """Return how many further answers become allow in each of some changed estates.

    An answer is that of one user and one action on one device, or on a hierarchy or the tenant;
    the one that was asked for does not count. Every user, action and device of the estate is looked at.
    """
    engine = now.engine
    acts = tuple(Act(action) for action in engine.policy.actions.values())
    answers = Answers((now, *after), Selection(tuple(engine.tables.users), acts))
    found = [0] * len(after)
    for cell in answers.cells():
        for place, opened in _opened(cell, len(after)):
            found[place] += opened - _is_asked(cell, place + 1, asked)
    return tuple(found)


def _opened(cell: Cell, places: int) -> Iterator[tuple[int, int]]:
    regions, people = cell.area.regions, len(cell.person.members)
    before = regions[cell.regions[0]].certain
    for place in range(places):
        region = cell.regions[place + 1]
        if region != cell.regions[0]:
            yield place, regions.count(regions[region].certain & ~before) * people


def _is_asked(cell: Cell, place: int, asked: Question) -> int:
    """Return 1 if the answer that was asked for is among those that became allow."""
    if cell.act.action.id != asked.action.id or asked.user not in cell.person.members:
        return 0
    if cell.area.hierarchy != asked.hierarchy:
        return 0
    regions = cell.area.regions
    bits = regions[cell.regions[place]].certain & ~regions[cell.regions[0]].certain
    where = asked.device or ""
    return int(any(bits >> index & 1 and where in members for index, members in enumerate(cell.area.ground.members)))
