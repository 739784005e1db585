"""Solve an action for classes of users: the same tests as for one question, each run once for what it reads."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from operator import itemgetter
from typing import Any, Literal, NamedTuple, TypeAlias

from permcheck.bulk.people import CLOUD, PERSON, SECURITY, Facets, People, reads_of
from permcheck.bulk.reach import REACH, Terrain, fact_region
from permcheck.bulk.regions import CONSTANT, EVERYWHERE, NOWHERE, OPEN, RegionId, Regions
from permcheck.evaluate.engine import Engine
from permcheck.evaluate.leaf import run_test
from permcheck.evaluate.outcome import Context
from permcheck.evaluate.plan import Branch, Leaf, Tree, device_test
from permcheck.evaluate.question import Question, World
from permcheck.model import policy as form
from permcheck.model.policy import Action
from permcheck.model.state import State
from permcheck.model.tables import Key

Solve: TypeAlias = Callable[[Facets], RegionId]

_KEY: dict[int, Callable[[Facets], Any]] = {
    0: lambda _: None,
    PERSON: itemgetter(0),
    CLOUD: itemgetter(1),
    SECURITY: itemgetter(2),
    PERSON | CLOUD: itemgetter(0, 1),
    PERSON | SECURITY: itemgetter(0, 2),
    CLOUD | SECURITY: itemgetter(1, 2),
    PERSON | CLOUD | SECURITY: lambda facets: facets,
}


class Part(NamedTuple):
    """A part of what an action needs: what it reads of a user, and how to solve it."""

    reads: int
    solve: Solve


class Act(NamedTuple):
    """An action, or a variant of it."""

    action: Action
    variant: str | None = None

    def __hash__(self) -> int:
        return hash((self.action.id, self.variant))

    def __str__(self) -> str:
        return self.action.id + (f":{self.variant}" if self.variant else "")


class Solver:
    """Solves actions over one terrain, as one engine sees it."""

    def __init__(self, engine: Engine, people: People, terrain: Terrain) -> None:
        self._engine = engine
        self._people = people
        self._terrain = terrain
        self._regions: Regions = terrain.regions
        self._acts: dict[tuple[str, str | None], Solve] = {}
        self._tests: dict[tuple[Hashable, ...], Part] = {}

    def region(self, act: Act, facets: Facets, _user: Key = "") -> RegionId:
        """Return where an action is allowed, and where it may be."""
        key = (act.action.id, act.variant)
        solve = self._acts.get(key)
        if solve is None:
            solve = self._acts[key] = self._prepared(act)
        return solve(facets)

    def _prepared(self, act: Act) -> Solve:
        hierarchy = self._terrain.ground.hierarchy
        question = Question("", act.action, act.variant, hierarchy)
        branches = [self._world(question, world).solve for world in self._engine.worlds(hierarchy)]
        if len(branches) == 1:
            return branches[0]
        return lambda facets: self._regions.agreed([solve(facets) for solve in branches])

    def _world(self, question: Question, world: World) -> Part:
        plan = self._engine.plan(question, world)
        context = self._engine.context(question, world, plan)
        parts = [self._tree(context, plan.sides[side]) for side in plan.deciding]
        if not plan.documented:
            parts.append(Part(0, lambda _: OPEN))
        return self._joined("all", parts)

    def _tree(self, context: Context, tree: Tree) -> Part:
        if isinstance(tree, State):
            region = CONSTANT[tree]
            return Part(0, lambda _: region)
        if isinstance(tree, Leaf):
            part = self._test(context, tree.test, tree.need)
            return self._assumed(part) if self._engine.assumes(tree.requirement.id) else part
        assert isinstance(tree, Branch)
        return self._joined(tree.kind, [self._tree(context, child) for child in tree.children])

    def _assumed(self, part: Part) -> Part:
        solve, assumed = part.solve, self._regions.assumed
        return _remembered(Part(part.reads, lambda facets: assumed(solve(facets))))

    def _joined(self, kind: Literal["all", "any"], parts: list[Part]) -> Part:
        """Join parts; those that read the same of a user are joined first, and remembered."""
        by_reads: dict[int, list[Part]] = {}
        for part in parts:
            by_reads.setdefault(part.reads, []).append(part)
        groups = [
            same[0] if len(same) == 1 else _remembered(Part(reads, self._fold(kind, same)))
            for reads, same in sorted(by_reads.items(), key=lambda item: item[0].bit_count())
        ]
        if len(groups) == 1:
            return groups[0]
        reads = 0
        for group in groups:
            reads |= group.reads
        return Part(reads, self._fold(kind, groups))

    def _fold(self, kind: Literal["all", "any"], parts: list[Part]) -> Solve:
        solves = [part.solve for part in parts]
        join = self._regions.all_of if kind == "all" else self._regions.any_of
        neutral, decisive = (EVERYWHERE, NOWHERE) if kind == "all" else (NOWHERE, EVERYWHERE)

        def solve(facets: Facets) -> RegionId:
            result = neutral
            for one in solves:
                result = join(result, one(facets))
                if result == decisive:
                    break
            return result

        return solve

    def _test(self, context: Context, test: form.Test, need: form.Need) -> Part:
        if isinstance(test, form.Combined):
            return self._joined(test.kind, [self._test(context, case.test, need) for case in test.of])
        rights = context.plan.collection_permissions if isinstance(test, form.SameCollectionTest) else ()
        asked = context.plan.asked_permission if isinstance(test, form.ScopeTagTest) else None
        told = (need.permission, need.value, need.at_least, tuple(need.updates or ()))
        key = (test, told, context.world, _of_action(context, test), rights, asked)
        found = self._tests.get(key)
        if found is None:
            found = self._tests[key] = _remembered(self._leaf(context, test, need))
        return found

    def _leaf(self, context: Context, test: form.LeafTest, need: form.Need) -> Part:
        reads, hierarchy = reads_of(test), context.question.hierarchy
        people, engine, terrain = self._people, self._engine, self._terrain

        def of(facets: Facets) -> Context:
            user = people.first(reads, facets, hierarchy)
            return context._replace(question=context.question._replace(user=user))

        if not device_test(test):
            return Part(reads, lambda facets: CONSTANT[run_test(of(facets), test, need).state])
        reach = REACH.get(test.kind, fact_region)
        return Part(reads, lambda facets: reach(engine, terrain, of(facets), test, need))


def _of_action(context: Context, test: form.Test) -> object:
    """Return what a test reads of the action."""
    if isinstance(test, form.FactTest) and test.fact.startswith("action."):
        return context.question.action.id, context.question.variant
    return None


def _remembered(part: Part) -> Part:
    """Return a part that is solved once for everything that it reads."""
    key, solve = _KEY[part.reads], part.solve
    known: dict[Any, RegionId] = {}

    def ask(facets: Facets) -> RegionId:
        seen = key(facets)
        found = known.get(seen)
        if found is None:
            found = known[seen] = solve(facets)
        return found

    return Part(part.reads, ask)
