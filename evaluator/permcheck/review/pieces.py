"""Divide the devices of an answer into pieces that have it for the same reasons."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from permcheck.bulk.act import Act
from permcheck.bulk.answers import Area, Cell, View
from permcheck.bulk.reach import Terrain
from permcheck.bulk.regions import Bits
from permcheck.evaluate.engine import Engine
from permcheck.evaluate.outcome import Context
from permcheck.evaluate.plan import Plan, simple_tests
from permcheck.evaluate.question import Question
from permcheck.evaluate.security import row_of, with_permission, withheld_under
from permcheck.model import policy as form
from permcheck.model.state import MET
from permcheck.model.tables import Key


def pieces(view: View, place: int, cell: Cell, user: Key, bits: Bits, *, every: bool = False) -> Iterator[Bits]:
    """Return parts of `bits` in each of which one device explains all, for one of the users.

    `every`: also if all paths are told, not the shortest alone.
    """
    if not cell.area.on_devices:
        yield bits
        return
    terrain = Terrain(cell.area.ground, place, cell.area.regions)
    parts = [bits]
    for cut in _cuts(view, terrain, cell.act, user, every=every):
        parts = [one for part in parts for one in _divided(part, cut)]
    yield from parts


def _divided(part: Bits, cut: Sequence[Bits]) -> Iterator[Bits]:
    for one in cut:
        if part & one:
            yield part & one
            part &= ~one
        if not part:
            return
    yield part


def _cuts(view: View, terrain: Terrain, act: Act, user: Key, *, every: bool) -> Iterator[Sequence[Bits]]:
    """Return sets of devices that differ in facts, and those that different rows of the user reach."""
    yield [bits for _, bits in terrain.alike]
    yield [terrain.open]
    engine, hierarchy = view.engine, terrain.ground.hierarchy
    question = Question(user, act.action, act.variant, hierarchy)
    done = set()
    for world in engine.worlds(hierarchy):
        plan = engine.plan(question, world)
        context = engine.context(question, world, plan)
        for permission in _over_devices(plan):
            kind = "strictly" if withheld_under(engine.policy, engine.readings, permission) else "under"
            for cut in _reached(context, permission, every=every):
                if (kind, cut) not in done:
                    done.add((kind, cut))
                    yield [terrain.where(kind, [collection]) for collection in cut]


def _reached(context: Context, permission: str, *, every: bool) -> Iterator[tuple[Key, ...]]:
    """Return collections that are looked at one after the other: the first that covers a device is told.

    Certain rows stand in one line, those with the shortest path in front; a row that is not certain, or each
    of them where every path is told, has a line of its own, because it is told besides the others.
    """
    held = sorted(with_permission(context, permission), key=lambda one: len(one.way.grants) + len(one.tail))
    rows = [(row_of(context, one).collections, one.state is MET and not every) for one in held]
    yield tuple(collection for collections, joined in rows if joined for collection in collections)
    yield from (collections for collections, joined in rows if not joined)


def _over_devices(plan: Plan) -> Iterator[str]:
    for leaf in plan.leaves():
        for test in simple_tests(leaf.test):
            if isinstance(test, form.RightTest) and test.over == "device":
                yield test.permission


def first_device(area: Area, bits: Bits) -> Key | None:
    """Return a device of a set of classes; None where the area has no devices."""
    index = (bits & -bits).bit_length() - 1
    return area.ground.members[index][0] or None


def alike(engines: Sequence[Engine], members: tuple[Key, ...]) -> tuple[tuple[Key, ...], ...]:
    """Divide users with equal rights into those who have them in the same ways."""
    if len(members) == 1:
        return (members,)
    found: dict[object, list[Key]] = {}
    for user in members:
        ways = tuple(_ways(engine, user) for engine in engines)
        found.setdefault(ways, []).append(user)
    return tuple(map(tuple, found.values()))


def _ways(engine: Engine, user: Key) -> frozenset[object]:
    rights = engine.graph.rights(user)
    ways = (*rights.cloud(), *(way for rows in rights.security.values() for way in rows))
    return frozenset((tuple(grant.end for grant in way.grants), way.end) for way in ways)
