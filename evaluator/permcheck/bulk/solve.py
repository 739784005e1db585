"""Solve an action for everybody at once: the same tests as for one question, each run once for what it reads."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Literal, TypeAlias

from permcheck.bulk.act import Act
from permcheck.bulk.people import CLOUD, SECURITY, SEEN, Crowd, Facets, People, reads_of
from permcheck.bulk.reach import REACH, Terrain, fact_region, way_regions
from permcheck.bulk.regions import CONSTANT, EVERYWHERE, NOWHERE, OPEN, Bits, RegionId, Regions, few
from permcheck.evaluate.cloud import doubtful, held, holds, wanted
from permcheck.evaluate.engine import Engine
from permcheck.evaluate.leaf import run_test
from permcheck.evaluate.outcome import Context
from permcheck.evaluate.plan import Branch, Leaf, Tree, device_test
from permcheck.evaluate.question import Question, World
from permcheck.evaluate.tags import asked, lending
from permcheck.graph.rights import Way, is_nested
from permcheck.model import policy as form
from permcheck.model.state import State, any_of
from permcheck.model.tables import Key

Column: TypeAlias = list[RegionId]
"""A region for everything different that a part sees of users."""
Kind: TypeAlias = Literal["all", "any"]


class Part:
    """A part of what an action needs: what it reads of a user, and a region for everything that it may see.

    Where the region is the same for everybody, it reads nothing: what it is joined with stays small.
    """

    __slots__ = ("column", "reads")

    def __init__(self, reads: int, column: Column) -> None:
        same = column[0] if column.count(column[0]) == len(column) else None
        self.reads = reads if same is None else 0
        self.column = column if same is None else [same]


class Solver:
    """Solves actions over one terrain, as one engine sees it. Parts that are alike are one."""

    def __init__(self, engine: Engine, people: People, terrain: Terrain) -> None:
        self._engine = engine
        self._people = people
        self._terrain = terrain
        self._regions: Regions = terrain.regions
        self._crowd: Crowd = people.crowd(terrain.ground.hierarchy)
        self._acts: dict[tuple[str, str | None], Part] = {}
        self._known: dict[Hashable, Part] = {}
        self._memo: dict[tuple[object, ...], object] = {}
        self._places: dict[int, list[int]] = {}
        self._of_shape: dict[int, RegionId] = {}
        self._unions: dict[Bits, RegionId] = {}
        self._looks: dict[Hashable, list[Bits]] = {}

    def region(self, act: Act, facets: Facets, _user: Key = "") -> RegionId:
        """Return where an action is allowed, and where it may be."""
        part = self.part(act)
        return part.column[self._crowd.seen(part.reads)[SEEN[part.reads](facets)]]

    def column(self, act: Act, rows: Sequence[Facets]) -> Column:
        """Return the same for everybody who is asked about: the same users every time."""
        part = self.part(act)
        places = self._places.get(part.reads)
        if places is None:
            known, seen = self._crowd.seen(part.reads), SEEN[part.reads]
            places = self._places[part.reads] = [known[seen(facets)] for facets in rows]
        return list(map(part.column.__getitem__, places))

    def part(self, act: Act) -> Part:
        """Return what an action needs: acts that need the same have the same."""
        key = (act.action.id, act.variant)
        found = self._acts.get(key)
        if found is None:
            found = self._acts[key] = self._prepared(act)
        return found

    def _prepared(self, act: Act) -> Part:
        hierarchy = self._terrain.ground.hierarchy
        if not self._crowd.seen(0):
            return self._constant(NOWHERE)  # there is nobody
        question = Question("", act.action, act.variant, hierarchy)
        branches = [self._world(question, world) for world in self._engine.worlds(hierarchy)]
        if len(branches) == 1:
            return branches[0]
        return self._of("agreed", branches, lambda: self._agreed(branches))

    def context(self, question: Question, world: World) -> Context:
        """Return what the tests of a question may look at."""
        plan = self._engine.plan(question, world)
        return self._engine.context(question, world, plan)._replace(graph=self._people.graph, memo=self._memo)

    def _world(self, question: Question, world: World) -> Part:
        context = self.context(question, world)
        plan = context.plan
        parts = [self._tree(context, plan.sides[side]) for side in plan.deciding]
        if not plan.documented:
            parts.append(self._constant(OPEN))
        return self._joined("all", parts)

    def _tree(self, context: Context, tree: Tree) -> Part:
        if isinstance(tree, State):
            return self._constant(CONSTANT[tree])
        if isinstance(tree, Leaf):
            part = self.test(context, tree.test, tree.need)
            return self._assumed(part) if self._engine.assumes(tree.requirement.id) else part
        assert isinstance(tree, Branch)
        return self._joined(tree.kind, [self._tree(context, child) for child in tree.children])

    def _constant(self, region: RegionId) -> Part:
        return self._once(("constant", region), 0, lambda: [region])

    def _assumed(self, part: Part) -> Part:
        assumed = self._regions.assumed
        return self._of("assumed", [part], lambda: _mapped(assumed, part.column))

    def _of(self, what: str, parts: Sequence[Part], make: Callable[[], Column]) -> Part:
        """Make a part of others, once."""
        reads = 0
        for part in parts:
            reads |= part.reads
        return self._once((what, *parts), reads, make)

    def _once(self, key: Hashable, reads: int, make: Callable[[], Column]) -> Part:
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = Part(reads, make())
        return found

    def _joined(self, kind: Kind, parts: Iterable[Part]) -> Part:
        """Join parts; those that read the same of a user are joined first."""
        by_reads: dict[int, dict[Part, None]] = {}
        for part in parts:
            by_reads.setdefault(part.reads, {})[part] = None
        neutral = EVERYWHERE if kind == "all" else NOWHERE
        result: Part | None = None
        for _, same in sorted(by_reads.items(), key=lambda item: (item[0].bit_count(), item[0])):
            group: Part | None = None
            for part in same:
                group = part if group is None else self._pair(kind, group, part)
            assert group is not None
            result = group if result is None else self._pair(kind, result, group)
        return self._constant(neutral) if result is None else result

    def _pair(self, kind: Kind, one: Part, two: Part) -> Part:
        join = self._regions.all_of if kind == "all" else self._regions.any_of
        neutral, absorbing = (EVERYWHERE, NOWHERE) if kind == "all" else (NOWHERE, EVERYWHERE)
        for part, other in ((one, two), (two, one)):
            if part.column == [absorbing]:
                return part
            if part.column == [neutral]:
                return other

        def make() -> Column:
            reads = one.reads | two.reads
            spread = self._crowd.spread
            pairs = list(zip(spread(one.column, one.reads, reads), spread(two.column, two.reads, reads), strict=True))
            known = {pair: join(*pair) for pair in set(pairs)}
            return list(map(known.__getitem__, pairs))

        return self._of(kind, [one, two], make)

    def _agreed(self, branches: Sequence[Part]) -> Column:
        reads = 0
        for part in branches:
            reads |= part.reads
        columns = (self._crowd.spread(part.column, part.reads, reads) for part in branches)
        return _mapped(self._regions.agreed, list(zip(*columns, strict=True)))

    def test(self, context: Context, test: form.Test, need: form.Need) -> Part:
        """Return what a test says of everybody; tests that are alike are one part."""
        if isinstance(test, form.Combined):
            return self._joined(test.kind, [self.test(context, case.test, need) for case in test.of])
        rights = context.plan.collection_permissions if isinstance(test, form.SameCollectionTest) else ()
        asked = context.plan.asked_permission if isinstance(test, form.ScopeTagTest) else None
        told = (need.permission, need.value, need.at_least, tuple(need.updates or ()))
        key = (test, told, context.world, _of_action(context, test), rights, asked)
        return self._once(key, reads_of(test), lambda: self._leaf(context, test, need))

    def _leaf(self, context: Context, test: form.LeafTest, need: form.Need) -> Column:
        reads = reads_of(test)
        if isinstance(test, form.GrantTest | form.AnyRoleTest):
            return self._through_cloud(context, test, need)
        if isinstance(test, form.RightTest):
            return self._through_rows(context, test)
        if reads == CLOUD:
            return self._looking_at_roles(context, test, need)
        return [self._run(self._seeing(context, reads, seen), test, need) for seen in self._crowd.seen(reads)]

    def _seeing(self, context: Context, reads: int, seen: int | None) -> Context:
        """Return a context with somebody of whom a test sees this."""
        people, hierarchy = self._people, context.question.hierarchy
        asked = context._replace(question=context.question._replace(user=people.first(reads, seen, hierarchy)))
        if reads != SECURITY:
            return asked
        held = people.securities[hierarchy].shapes[seen or 0]
        return asked._replace(graph=people.graph.showing(held), memo={})

    def _run(self, context: Context, test: form.LeafTest, need: form.Need) -> RegionId:
        if not device_test(test):
            return CONSTANT[run_test(context, test, need).state]
        return REACH.get(test.kind, fact_region)(self._engine, self._terrain, context, test, need)

    def _looking_at_roles(self, context: Context, test: form.LeafTest, need: form.Need) -> Column:
        """Run a test once for all whose roles in the cloud look the same to it."""
        people = self._people
        marks = people.shapes.alike(seen_of(context))
        looks = self._looks.get(marks)
        if looks is None:
            faces = (people.clouds.shapes[face] for face in self._crowd.seen(CLOUD))
            looks = self._looks[marks] = [sum(one for shapes, one in marks if shapes & held) for held in faces]
        somebody = context._replace(question=context.question._replace(user=people.persons.first[0]))
        known = {
            held: self._run(somebody._replace(graph=people.graph.showing(held), memo={}), test, need)
            for held in dict.fromkeys(looks)
        }
        return list(map(known.__getitem__, looks))

    def _through_cloud(self, context: Context, test: form.GrantTest | form.AnyRoleTest, need: form.Need) -> Column:
        """One way to a permission of the cloud is enough."""
        permission, plane = wanted(context, test, need)
        doubt = bool(doubtful(context, permission, plane))
        ways = self._people.shapes.ways
        regions = {
            shape: CONSTANT[any_of(one.state for one in held(context, (ways[shape],), permission))]
            for shape in few(self._people.shapes.in_cloud)
        }
        return self._any_way(CLOUD, regions, lambda _: doubt)

    def _through_rows(self, context: Context, test: form.RightTest) -> Column:
        """One row that gives a permission and reaches the device is enough."""
        hierarchy = context.question.hierarchy
        assert hierarchy is not None
        regions = way_regions(self._terrain, context, test, self._people.shapes, hierarchy)
        doubt = self._people.securities[hierarchy].doubt
        return self._any_way(SECURITY, regions, doubt.__getitem__)

    def _any_way(self, reads: int, regions: dict[int, RegionId], doubt: Callable[[int], bool]) -> Column:
        """Join what each way gives, for every face; ways by shape."""
        hierarchy = self._terrain.ground.hierarchy
        everywhere = sum(1 << shape for shape, region in regions.items() if region == EVERYWHERE)
        somewhere = sum(1 << shape for shape, region in regions.items() if region not in {EVERYWHERE, NOWHERE})
        known, faces = self._known_unions(reads, regions), self._crowd.seen(reads)
        known.setdefault(0, NOWHERE)
        column = []
        for mine in map(self._people.faces(reads, hierarchy).shapes.__getitem__, faces):
            if mine & everywhere:
                column.append(EVERYWHERE)
                continue
            some = mine & somewhere
            region = known.get(some)
            if region is None:
                region = known[some] = self._regions.union([regions[shape] for shape in few(some)])
            column.append(region)
        if any(map(doubt, faces)):
            open_ = self._regions.any_of
            return [open_(one, OPEN) if doubt(face) else one for face, one in zip(faces, column, strict=True)]
        return column

    def _known_unions(self, reads: int, regions: dict[int, RegionId]) -> dict[Bits, RegionId]:
        """Return what is known of joined shapes: permissions on the same collections join to the same."""
        some = {shape: region for shape, region in regions.items() if region not in {EVERYWHERE, NOWHERE}}
        if reads != SECURITY or any(self._of_shape.setdefault(*item) != item[1] for item in some.items()):
            return {}
        return self._unions


def seen_of(context: Context) -> Callable[[Way], Hashable]:
    """Return what tests that are not about a permission can see of a way in the cloud."""
    some, gate = (asked(context), lending(context)), context.policy.gates["intune"].id

    def seen(way: Way) -> Hashable:
        kind = way.end.kind
        if kind == "intune-assignment":
            tags = context.tables.intune_assignments[way.end.key].tags
            gives = tuple(any_of(holds(context, way.role, each) for each in one) for one in some)
            known = bool(way.missing), is_nested(way.grants)
            return kind, way.state, way.fault, tags and frozenset(tags), gives, known
        return kind, way.state, any_of(one.state for one in held(context, (way,), gate))

    return seen


def _of_action(context: Context, test: form.Test) -> object:
    """Return what a test reads of the action."""
    if isinstance(test, form.FactTest) and test.fact.startswith("action."):
        return context.question.action.id, context.question.variant
    return None


def _mapped(change: Callable[..., RegionId], values: Sequence[object]) -> Column:
    """Return what becomes of each of some values; equal ones are changed once."""
    known = {value: change(value) for value in set(values)}
    return [known[value] for value in values]
