"""Tests that look at the device, answered for every device class at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from permcheck.bulk.ground import OPEN as OPEN_ATOM
from permcheck.bulk.ground import Atom, Ground
from permcheck.bulk.regions import CONSTANT, EVERYWHERE, Bits, RegionId, Regions
from permcheck.bulk.shapes import Shapes
from permcheck.evaluate.cloud import Held
from permcheck.evaluate.engine import Engine
from permcheck.evaluate.leaf import run_test
from permcheck.evaluate.outcome import Context
from permcheck.evaluate.security import EXTENTS, covers_all, doubts, giving, row_of, with_permission, withheld_under
from permcheck.graph.membership import climb
from permcheck.graph.rights import Way
from permcheck.model import policy as form
from permcheck.model.state import MET, UNKNOWN, UNMET, any_of
from permcheck.model.tables import Key, Tables


class Terrain(NamedTuple):
    """Device classes as one of the estates sees them."""

    ground: Ground
    place: int
    """Which of the estates of the ground."""
    regions: Regions

    def where(self, kind: str, keys: Iterable[Key]) -> Bits:
        """Return the classes of which one of some atoms is said."""
        said, found = self.ground.atoms[self.place], 0
        for key in keys:
            found |= said.get((kind, key), 0)
        return found

    @property
    def alike(self) -> Sequence[tuple[Key, Bits]]:
        """Classes with equal facts, and a device of them."""
        return self.ground.alike[self.place]

    @property
    def open(self) -> Bits:
        """Classes whose devices may be in further collections."""
        atom: Atom = OPEN_ATOM
        return self.ground.atoms[self.place].get(atom, 0)


def fact_region(_engine: Engine, terrain: Terrain, context: Context, test: form.Test, need: form.Need) -> RegionId:
    """Test a fact of the device on one device of all that have the same facts."""
    certain, possible = 0, 0
    for device, bits in terrain.alike:
        asked = context._replace(question=context.question._replace(device=device or None))
        state = run_test(asked, test, need).state
        certain |= bits if state is MET else 0
        possible |= bits if state is not UNMET else 0
    return terrain.regions.put(certain, possible)


def way_regions(
    terrain: Terrain, context: Context, test: form.RightTest, shapes: Shapes, hierarchy: Key
) -> dict[int, RegionId]:
    """Return where shapes of ways to rows give a permission: over devices, or over what else a test says."""
    regions, found = terrain.regions, {}
    kind = "strictly" if withheld_under(context.policy, context.readings, test.permission) else "under"
    for alike in shapes.rows(hierarchy).values():
        given = giving(context, (shapes.ways[alike[0]],), test.permission)
        states = [one.state for one in given if one.state is not UNMET]
        if states:
            sure = CONSTANT[any_of(states)]
            for shape in alike:
                found[shape] = regions.all_of(sure, _reached(terrain, context, shapes.ways[shape], test, kind))
    return found


def _reached(terrain: Terrain, context: Context, way: Way, test: form.RightTest, kind: str) -> RegionId:
    """Return what the row at the end of a way reaches, worked out once for all tests over devices."""
    one = Held(way, (), way.state)
    if test.over != "device":
        return _beyond(context, one, test)
    key = "reached", kind, way.end
    found: RegionId | None = context.memo.get(key)
    if found is None:
        found = context.memo[key] = _over(terrain, context, one, kind)
    return found


def _beyond(context: Context, one: Held, test: form.RightTest) -> RegionId:
    return CONSTANT[EXTENTS[test.over](context, one, test.permission).state]


def _over(terrain: Terrain, context: Context, one: Held, kind: str) -> RegionId:
    """Devices that one row reaches."""
    row = row_of(context, one)
    covered = terrain.where(kind, row.collections)
    everything = any_of((covers_all(context, row), UNMET if row.collections_known else UNKNOWN))
    if everything is not UNMET:
        return terrain.regions.any_of(terrain.regions.put(covered, covered), CONSTANT[everything])
    return terrain.regions.put(covered, covered | terrain.open if row.collections else covered)


def same_region(
    engine: Engine, terrain: Terrain, context: Context, _test: form.SameCollectionTest, _need: form.Need
) -> RegionId:
    """Devices in one collection over which the user holds every permission that the action needs."""
    permissions = context.plan.collection_permissions
    if len(permissions) < 2:  # noqa: PLR2004 - one permission is always on one collection
        return EVERYWHERE
    tables, regions = engine.tables, terrain.regions
    held = [with_permission(context, permission) for permission in permissions]
    certain, possible = (
        _inside_all(tables, terrain, [_collections(context, h, certain=sure) for h in held], certain=sure)
        for sure in (True, False)
    )
    if doubts(context):
        return regions.put(certain, regions.full)
    return regions.put(certain, possible | terrain.open)


def _collections(context: Context, held: Iterable[Held], *, certain: bool) -> frozenset[Key] | None:
    """Return what rows are for; None where one is, or may be, for every collection."""
    rows = [row_of(context, one) for one in held if one.state is MET or (one.state is UNKNOWN and not certain)]
    for row in rows:
        everything = any_of((covers_all(context, row), UNMET if row.collections_known else UNKNOWN))
        if everything is MET or (everything is UNKNOWN and not certain):
            return None
    return frozenset(key for row in rows for key in row.collections)


def _inside_all(tables: Tables, terrain: Terrain, assigned: list[frozenset[Key] | None], *, certain: bool) -> Bits:
    """Return the classes directly inside a collection that each of some sets of collections lies above, or may."""

    def below(key: Key, one: frozenset[Key] | None) -> bool:
        if one is None:
            return True
        path, told = climb(tables, key)
        return not one.isdisjoint(path) or not (certain or told or not one)

    if all(one is None for one in assigned):
        return terrain.regions.full
    inside = (key for kind, key in terrain.ground.atoms[terrain.place] if kind == "in")
    return terrain.where("in", [key for key in inside if all(below(key, one) for one in assigned)])


REACH: dict[str, Callable[[Engine, Terrain, Context, form.Test, form.Need], RegionId]] = {
    "same-collection": same_region,  # type: ignore[dict-item]
}
"""Tests that need more than one look at each device class."""
