"""Divide the devices of an answer into pieces that have it for the same reasons."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from permcheck.bulk.act import Act
from permcheck.bulk.answers import Area, Cell, View
from permcheck.bulk.reach import Terrain
from permcheck.bulk.regions import Bits
from permcheck.evaluate.engine import Engine
from permcheck.evaluate.plan import Plan, simple_tests
from permcheck.evaluate.question import Question
from permcheck.evaluate.security import row_of, with_permission, withheld_under
from permcheck.model import policy as form
from permcheck.model.tables import Key


def pieces(view: View, place: int, cell: Cell, user: Key, bits: Bits) -> Iterator[Bits]:
    """Return parts of `bits` in each of which one device explains all, for one of the users."""
    if not cell.area.on_devices:
        yield bits
        return
    terrain = Terrain(cell.area.ground, place, cell.area.regions)
    parts = [bits]
    for cut in _cuts(view, terrain, cell.act, user):
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


def _cuts(view: View, terrain: Terrain, act: Act, user: Key) -> Iterator[Sequence[Bits]]:
    """Return sets of devices that differ in facts, and those that one collection after the other reaches."""
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
            rows = [row_of(context, one) for one in with_permission(context, permission)]
            key = tuple(collection for row in rows for collection in row.collections)
            if (kind, key) not in done:
                done.add((kind, key))
                yield [terrain.where(kind, [collection]) for collection in key]


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
