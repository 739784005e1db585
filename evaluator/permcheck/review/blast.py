"""The blast radius of a fix: what else it would allow, to anybody, anywhere."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from permcheck.bulk.act import Act
from permcheck.bulk.answers import Answers, Cell, Selection, View
from permcheck.evaluate.question import Question
from permcheck.model import change as c
from permcheck.model.tables import Key

PERSONAL = (
    c.AddMember,
    c.AssignIntuneRole,
    c.CreateIntuneRole,
    c.AssignAppRole,
    c.AssignEntraRole,
    c.AssignSecurityRole,
)
"""Changes that allow nothing to anybody but the user whom they name."""


class Tried(NamedTuple):
    """Some changes, and the estate after them."""

    changes: tuple[c.Change, ...]
    view: View


def radius(now: View, tried: Sequence[Tried], asked: Question) -> tuple[int, ...]:
    """Return how many further answers become allow after each of some changes.

    An answer is that of one user and one action on one device, or on a hierarchy or the tenant;
    the one that was asked for does not count. Every user whom a change may help is looked at, with
    every action and every device.
    """
    found = [0] * len(tried)
    by_users: dict[tuple[Key, ...], list[int]] = {}
    for index, one in enumerate(tried):
        by_users.setdefault(_helped(now, one.changes), []).append(index)
    acts = tuple(Act(action) for action in now.engine.policy.actions.values())
    for users, indices in by_users.items():
        answers = Answers((now, *(tried[index].view for index in indices)), Selection(users, acts))
        for cell in answers.cells():
            for place, index in enumerate(indices, start=1):
                if cell.regions[place] != cell.regions[0]:
                    found[index] += _opened(cell, place) - _is_asked(cell, place, asked)
    return tuple(found)


def _helped(now: View, changes: Sequence[c.Change]) -> tuple[Key, ...]:
    """Return the users to whom some changes may allow something."""
    named: dict[Key, None] = {}
    for change in changes:
        if isinstance(change, PERSONAL):
            named[change.user] = None
        elif isinstance(change, c.SetFact) and change.subject == "user":
            named[change.key] = None
        else:
            return tuple(now.engine.tables.users)
    return tuple(named)


def _opened(cell: Cell, place: int) -> int:
    regions = cell.area.regions
    return regions.count(_new(cell, place)) * len(cell.person.members)


def _new(cell: Cell, place: int) -> int:
    """Return the device classes on which an action becomes allowed."""
    regions = cell.area.regions
    return regions[cell.regions[place]].certain & ~regions[cell.regions[0]].certain


def _is_asked(cell: Cell, place: int, asked: Question) -> int:
    """Return 1 if the answer that was asked for is among those that became allow."""
    if cell.act.action.id != asked.action.id or asked.user not in cell.person.members:
        return 0
    bits = _new(cell, place)
    if cell.area.hierarchy != asked.hierarchy or not bits:
        return 0
    where = asked.device or ""
    return int(any(bits >> index & 1 and where in members for index, members in enumerate(cell.area.ground.members)))
