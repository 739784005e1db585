"""Find the smallest changes that turn a deny into an allow; every one is tried before it is proposed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

from permcheck.errors import QuestionError
from permcheck.evaluate.change import changed
from permcheck.evaluate.describe import describe
from permcheck.evaluate.engine import Engine
from permcheck.evaluate.leaf import run_leaf
from permcheck.evaluate.outcome import Context
from permcheck.evaluate.plan import Branch, Leaf, Plan, Tree, leaves
from permcheck.evaluate.question import Question, World
from permcheck.evaluate.remedies import Remedy, joined_facts, remedies
from permcheck.evaluate.sets import NOTHING_TO_DO, Family, absorbed, satisfy
from permcheck.evaluate.slice import engine_of, sliced
from permcheck.model.change import Change, CreateIntuneRole, CreateSecurityRole, SetFact
from permcheck.model.decision import Fix, Side
from permcheck.model.state import MET, UNMET, State, Verdict
from permcheck.model.tables import Tables

TRIES = 400
SHOWN = 8
POWERFUL = 200
"""Changes that give more permissions than this (everything, in short) are proposed only where nothing else helps."""


@dataclass(frozen=True)
class Tried:
    """What a remedy does by itself: requirements that it meets, permissions that the user gains."""

    remedy: Remedy
    meets: frozenset[Leaf]
    acts: int
    gained: int


@dataclass(frozen=True)
class FixFinder:
    """Looks for fixes of one denied question."""

    engine: Engine
    question: Question
    _tried: dict[tuple[Change, ...], Engine | None] = field(default_factory=dict)

    @cached_property
    def base(self) -> Tables:
        """The part of the estate that is changed and asked again."""
        return sliced(self.engine.tables, self.question)

    @cached_property
    def start(self) -> Engine:
        """An engine for that part, unchanged."""
        return engine_of(self.engine, self.base)

    @cached_property
    def world(self) -> World:
        """The first of the worlds; a fix must hold in all of them."""
        return self.start.worlds(self.question.hierarchy)[0]

    @cached_property
    def plan(self) -> Plan:
        """What the action needs in that world."""
        return self.start.plan(self.question, self.world)

    def find(self) -> tuple[tuple[Fix, ...], str]:
        """Return fixes, the least privileged first; or none and the reason why."""
        failing, tried = self._failing, self._candidates()
        found: dict[frozenset[Change], Fix] = {}
        for goal in self._goals():
            for needed in self._needed(goal, failing):
                for combination in covers(needed, tried):
                    changes = self._least(_joined(combination))
                    if changes and frozenset(changes) not in found:
                        found[frozenset(changes)] = self._fix(changes, combination)
        minimal = absorbed(found)
        ranked = sorted(((self._rank(found[key]), found[key]) for key in minimal), key=lambda one: one[0])
        modest = [fix for rank, fix in ranked if not rank[0]]
        fixes = modest or [fix for _, fix in ranked]
        return tuple(fixes[:SHOWN]), "" if fixes else self._why_not(failing, tried)

    @cached_property
    def _failing(self) -> dict[Leaf, State]:
        context = self.start.context(self.question, self.world, self.plan)
        states = {leaf: self.start.settled(leaf, run_leaf(context, leaf)) for leaf in self.plan.leaves()}
        return {leaf: state for leaf, state in states.items() if state is not MET}

    def _goals(self) -> Iterator[Tree]:
        """Return what would be enough: the sides that decide now; or Intune alone, with the switches set for it."""
        now = self.plan.deciding
        yield Branch("all", tuple(self.plan.sides[side] for side in now))
        if "switch" in self.plan.sides and "configmgr" in now:
            other: tuple[Side, ...] = ("common", "intune", "switch")
            yield Branch("all", tuple(self.plan.sides[side] for side in other))

    def _needed(self, goal: Tree, failing: dict[Leaf, State]) -> Family[Leaf]:
        def leaf(one: Leaf) -> Family[Leaf]:
            return frozenset({frozenset({one})}) if one in failing else NOTHING_TO_DO

        return satisfy(goal, leaf)

    def _candidates(self) -> list[Tried]:
        context = self.start.context(self.question, self.world, self.plan)
        wanted = [leaf for goal in self._goals() for leaf in leaves(goal) if leaf in self._failing]
        proposed = [tuple(remedies(context, leaf)) for leaf in wanted]
        first, *rest = proposed or [()]
        every = [*first, *self._new_role(proposed), *(remedy for found in rest for remedy in found)]
        found = dict.fromkeys(remedy for remedy in every if remedy)
        return [tried for remedy in found if (tried := self._try(remedy)) is not None]

    def _new_role(self, proposed: Iterable[Iterable[Remedy]]) -> Iterator[Remedy]:
        """One custom Intune role with everything that is lacking, where several permissions are."""
        changes = (change for found in proposed for remedy in found for change in remedy)
        permissions = dict.fromkeys(c.permissions[0] for c in changes if isinstance(c, CreateIntuneRole))
        if len(permissions) > 1:
            yield (CreateIntuneRole(tuple(permissions), self.question.user),)

    def _try(self, remedy: Remedy) -> Tried | None:
        """Return what a remedy does alone; None if it can't be made or does nothing."""
        engine = self._changed(remedy)
        if engine is None:
            return None
        context = engine.context(self.question, self.world, self.plan)
        meets = frozenset(leaf for leaf in self._failing_leaves if self._meets(engine, context, leaf))
        if not meets:
            return None
        acts, gained = self._gain(engine)
        return Tried(remedy, meets, acts, gained)

    def _meets(self, engine: Engine, context: Context, leaf: Leaf) -> bool:
        """Whether a changed estate meets a requirement; switches and versions are read in its own world."""
        if leaf.test.kind in {"switch", "version", "fact"}:
            context = context._replace(world=engine.worlds(self.question.hierarchy)[0])
        return engine.settled(leaf, run_leaf(context, leaf)) is MET

    @cached_property
    def _failing_leaves(self) -> tuple[Leaf, ...]:
        return tuple(self._failing)

    def _changed(self, changes: tuple[Change, ...]) -> Engine | None:
        if changes not in self._tried:
            if len(self._tried) >= TRIES:
                return None
            try:
                self._tried[changes] = engine_of(self.engine, changed(self.base, self.engine.policy, changes))
            except (QuestionError, KeyError):
                self._tried[changes] = None
        return self._tried[changes]

    def _least(self, changes: tuple[Change, ...]) -> tuple[Change, ...]:
        """Return the changes without those that are not needed beside the others; nothing if all don't allow."""
        if not self._allows(changes):
            return ()
        for change in changes if len(changes) > 1 else ():
            fewer = tuple(other for other in changes if other != change)
            if fewer and self._allows(fewer):
                changes = fewer
        return changes

    def _allows(self, changes: tuple[Change, ...]) -> bool:
        engine = self._changed(changes)
        return engine is not None and engine.verdict(self.question) is Verdict.ALLOW

    def _fix(self, changes: tuple[Change, ...], combination: tuple[Tried, ...]) -> Fix:
        order = {leaf: index for index, leaf in enumerate(self._failing_leaves)}
        met = sorted({leaf for tried in combination for leaf in tried.meets}, key=order.__getitem__)
        takes = tuple(dict.fromkeys(leaf.requirement.takes for leaf in met if leaf.requirement.takes))
        engine = self._changed(changes)
        gained = self._gain(engine)[1] if engine else 0
        where = tuple(dict.fromkeys(place for leaf in met for place in leaf.requirement.where))
        texts = tuple(describe(self.engine.tables, self.engine.policy, change) for change in changes)
        return Fix(changes, texts, gained, tuple(dict.fromkeys(leaf.id for leaf in met)), where, takes)

    def _gain(self, engine: Engine) -> tuple[int, int]:
        """Permissions that the user gains: those that act or administer, and all."""
        new = held_permissions(engine, self.question.user) - held_permissions(self.start, self.question.user)
        known = self.engine.policy.permissions
        return sum(known[p].effect != "view" for p in new if p in known), len(new)

    def _rank(self, fix: Fix) -> tuple[object, ...]:
        engine = self._changed(fix.changes)
        acts = self._gain(engine)[0] if engine else 0
        switches = sum(isinstance(c, SetFact) and c.subject in {"tenant", "hierarchy"} for c in fix.changes)
        new = sum(isinstance(c, CreateIntuneRole | CreateSecurityRole) for c in fix.changes)
        return (fix.gained > POWERFUL, switches, acts, new, fix.gained, len(fix.changes), repr(fix.changes))

    def _why_not(self, failing: dict[Leaf, State], tried: list[Tried]) -> str:
        met = {leaf for one in tried for leaf in one.meets}
        unmet = [leaf for leaf in leaves(next(self._goals())) if leaf in failing and leaf not in met]
        certain = [leaf.id for leaf in unmet if failing[leaf] is UNMET]
        stuck = certain or [leaf.id for leaf in unmet]
        if stuck:
            return "no change of rights or settings meets " + ", ".join(dict.fromkeys(stuck))
        return "no combination of known changes was found that certainly allows it"


def held_permissions(engine: Engine, user: str) -> frozenset[str]:
    """Every permission that a user may hold, over whatever."""
    rights = engine.graph.rights(user)
    ways = (*rights.cloud(), *(way for found in rights.security.values() for way in found))
    return frozenset(p for way in ways if way.state is not UNMET for p in engine.graph.gives(way.role))


def covers(needed: frozenset[Leaf], tried: list[Tried]) -> Iterator[tuple[Tried, ...]]:
    """Combine remedies that together meet every needed requirement, none of them idle."""
    if not needed:
        return
    stack: list[tuple[frozenset[Leaf], tuple[int, ...]]] = [(needed, ())]
    while stack:
        left, chosen = stack.pop()
        if not left:
            yield tuple(tried[index] for index in sorted(chosen))
            continue
        ways = {leaf: tuple(i for i, one in enumerate(tried) if leaf in one.meets) for leaf in left}
        first = min(ways.values(), key=lambda indices: (len(indices), indices))
        stack += [(left - tried[index].meets, (*chosen, index)) for index in reversed(first)]


def _joined(combination: tuple[Tried, ...]) -> tuple[Change, ...]:
    """Return the changes of several remedies; lists that two of them extend are joined."""
    return joined_facts(tuple(change for one in combination for change in one.remedy))
