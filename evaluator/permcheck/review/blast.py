"""The blast radius of a fix: what else it would allow, to anybody, anywhere."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

from permcheck.bulk.act import Act
from permcheck.bulk.answers import Answers, Selection, View
from permcheck.bulk.regions import RegionId
from permcheck.evaluate.change import changed
from permcheck.evaluate.engine import Engine
from permcheck.evaluate.question import Question
from permcheck.evaluate.slice import engine_of, of_user
from permcheck.model import change as c
from permcheck.model.decision import Opened
from permcheck.model.state import Verdict
from permcheck.model.tables import Key, hierarchy_of

Changes: TypeAlias = tuple[c.Change, ...]

PERSONAL = (
    c.AddMember,
    c.Activate,
    c.AssignIntuneRole,
    c.CreateIntuneRole,
    c.AssignAppRole,
    c.AssignEntraRole,
    c.AssignSecurityRole,
)
"""Changes that allow nothing to anybody but the user whom they name."""


class Reach(NamedTuple):
    """Whose answers some changes can touch, and where."""

    users: tuple[Key, ...] | None = None
    """None: everybody's."""
    hierarchy: Key | None = None
    """Those in one hierarchy alone; None: everywhere."""
    devices: tuple[Key, ...] | None = None
    """Those on some devices alone; None: on all, and those on no device."""


EVERYWHERE = Reach()


def radius(now: Engine, tried: Sequence[Changes], asked: Question) -> tuple[Opened, ...]:
    """Return what each of some changes opens: further answers that become allow or possible, and for how many people.

    An answer is that of one user and one action on one device, or on a hierarchy or the tenant;
    the one that was asked for does not count. Everybody whom a change may help is looked at, with
    every action wherever it may help. Changes that reach the same are looked at together.
    """
    found = [Opened()] * len(tried)
    alike: dict[Reach, list[int]] = {}
    for index, changes in enumerate(tried):
        alike.setdefault(_reach(now, changes), []).append(index)
    for reach, indices in alike.items():
        users = reach.users or ()
        if not users:
            continue
        start = engine_of(now, of_user(now.tables, users[0])) if len(users) == 1 else now
        after = [engine_of(start, changed(start.tables, now.policy, tried[index])) for index in indices]
        for index, engine, count in zip(indices, after, _opened(start, after, reach), strict=True):
            found[index] = count._replace(answers=count.answers - _opens(start, engine, asked))
    return tuple(found)


def _reach(now: Engine, changes: Changes) -> Reach:
    """Return whose answers may become allow, and where."""
    each = {_reach_of(change) for change in changes}
    [one] = each if len(each) == 1 else [EVERYWHERE]
    return one if one.users is not None else one._replace(users=tuple(now.tables.users))


def _reach_of(change: c.Change) -> Reach:
    """Return what one change can reach: facts are looked at where a question is about what they are facts of."""
    match change:
        case c.SetFact(subject="user", key=key):
            return Reach((key,))
        case c.SetFact(subject="device", key=key):
            return Reach(None, hierarchy_of(key), (key,))
        case c.AddCollection(row=key) | c.AddScope(row=key) | c.AddPermissions(section="security_roles", role=key):
            return Reach(None, hierarchy_of(key))
        case c.SetFact(subject="hierarchy", key=key) | c.CreateSecurityRole(hierarchy=key):
            return Reach(None, key)
        case c.SetFact(subject="script" | "application"):  # the answers that are counted are about none
            return Reach(())
    return Reach((change.user,)) if isinstance(change, PERSONAL) else EVERYWHERE


def _opened(start: Engine, after: Sequence[Engine], reach: Reach) -> list[Opened]:
    """Return what becomes allow or possible under each of some engines."""
    acts = tuple(Act(action) for action in start.policy.actions.values())
    views, selection = [View(engine) for engine in (start, *after)], Selection(reach.users or (), acts, reach.devices)
    answers = Answers(views, selection)
    found = [_Tally() for _ in after]
    for act, area in ((one, area) for one in acts for area in answers.areas_of(one)):
        if reach.hierarchy in {None, answers.areas[area].hierarchy}:
            before = answers.column(0, act, area)
            for place in range(len(after)):
                found[place].add(answers, area, before, answers.column(place + 1, act, area))
    return [tally.opened() for tally in found]


class _Tally:
    """Counts what opens, over actions and areas."""

    def __init__(self) -> None:
        self._answers = self._possible = 0
        self._people: dict[int, int] = {}

    def add(self, answers: Answers, area: int, before: Sequence[RegionId], after: Sequence[RegionId]) -> None:
        """Count the answers in an area that become allow, or possible, where they were neither."""
        if before == after:
            return
        regions = answers.areas[area].regions
        counted: dict[tuple[RegionId, RegionId], tuple[int, int]] = {}
        for place, (one, two, person) in enumerate(zip(before, after, answers.persons, strict=True)):
            if one == two:
                continue
            if (one, two) not in counted:
                old, new = regions[one], regions[two]
                certain = regions.count(new.certain & ~old.certain)
                counted[one, two] = certain, regions.count(new.possible & ~old.possible & ~new.certain)
            certain, possible = counted[one, two]
            self._answers += certain * len(person.members)
            self._possible += possible * len(person.members)
            if certain or possible:
                self._people[place] = len(person.members)

    def opened(self) -> Opened:
        """Return the sums."""
        return Opened(self._answers, self._possible, sum(self._people.values()))


def _opens(start: Engine, after: Engine, asked: Question) -> bool:
    """Tell whether the answer that was asked for, in general, is among those that become allow."""
    question = asked._replace(variant=None, object=None)
    return after.verdict(question) is Verdict.ALLOW and start.verdict(question) is not Verdict.ALLOW
