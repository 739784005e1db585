"""Find the smallest changes that turn a deny into an allow; every one is tried before it is proposed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TypeAlias

from permcheck.errors import QuestionError
from permcheck.evaluate.advice import KINDS, SWITCHES, administering, done_in, kind_of_all, known_in_part, remarks
from permcheck.evaluate.change import changed
from permcheck.evaluate.describe import describe, label_of
from permcheck.evaluate.engine import Engine
from permcheck.evaluate.leaf import run_leaf
from permcheck.evaluate.outcome import Context
from permcheck.evaluate.plan import Branch, Leaf, Plan, Tree, leaves
from permcheck.evaluate.question import Question, World
from permcheck.evaluate.remedies import Remedy, joined_facts, remedies
from permcheck.evaluate.sets import NOTHING_TO_DO, Family, absorbed, satisfy
from permcheck.evaluate.slice import engine_of, sliced
from permcheck.model import policy as form
from permcheck.model.change import AddPermissions, Change, CreateIntuneRole, CreateSecurityRole, SetFact
from permcheck.model.decision import Console, Fix, Side, places
from permcheck.model.state import MET, UNMET, State, Verdict
from permcheck.model.tables import Tables

ToRole: TypeAlias = CreateIntuneRole | CreateSecurityRole | AddPermissions
"""Changes that give a role permissions."""
TRIES = 400
SHOWN = 8
"""Fixes that are returned, the best first."""


@dataclass(frozen=True)
class Tried:
    """What a remedy does by itself: requirements that it meets."""

    remedy: Remedy
    meets: frozenset[Leaf]


@dataclass(frozen=True)
class FixFinder:
    """Looks for fixes of one denied question."""

    engine: Engine
    question: Question
    _tried: dict[tuple[Change, ...], Engine | None] = field(default_factory=dict)
    _met_by: dict[Change, tuple[Leaf, ...]] = field(default_factory=dict)
    """What a change meets by itself."""

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
        """Return fixes in the order of KINDS, the least privileged of a kind first; or none and the reason why."""
        failing, tried = self._failing, self._candidates()
        found: dict[frozenset[Change], Fix] = {}
        for goal in self._goals():
            for needed in self._needed(goal, failing):
                for combination in covers(needed, tried):
                    changes = self._least(_joined(combination))
                    if changes and frozenset(changes) not in found:
                        found[frozenset(changes)] = self._fix(changes, combination)
        fixes = sorted((found[key] for key in absorbed(found) if self._modest(found[key])), key=self._rank)
        return tuple(fixes[:SHOWN]), "" if fixes else self._why_not(failing, tried)

    def _modest(self, fix: Fix) -> bool:
        """Whether a fix gives no right over rights, besides those that the action itself asks for."""
        engine = self._changed(fix.changes)
        return engine is not None and not administering(self.engine.policy, self._gained(engine) - self._asked_for)

    @cached_property
    def _asked_for(self) -> frozenset[str]:
        """Permissions that the action asks for."""
        tests = (leaf.test for leaf in self.plan.leaves())
        rights = {test.permission for test in tests if isinstance(test, form.RightTest | form.GrantTest)}
        return frozenset(rights | {leaf.need.permission or "" for leaf in self.plan.leaves()})

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
        found = [remedy for remedy in dict.fromkeys(every) if remedy]
        alone = [tried for remedy in found if (tried := self._try(remedy)) is not None]
        for one in alone:
            if len(one.remedy) == 1:
                self._met_by[one.remedy[0]] = tuple(leaf for leaf in self._failing_leaves if leaf in one.meets)
        return [*alone, *self._with_facts(found, alone)]

    def _with_facts(self, found: list[Remedy], alone: list[Tried]) -> Iterator[Tried]:
        """Return what remedies do once the facts of the account are mended, where alone they do nothing."""
        facts = [one.remedy for one in alone if all(_of_account(change) for change in one.remedy)]
        before = joined_facts(tuple(change for remedy in facts for change in remedy))
        start = self._tries(before) if before else None
        if start is None:
            return
        useful = {one.remedy for one in alone}
        for remedy in (one for one in found if one not in useful):
            after = self._tries(joined_facts((*before, *remedy)))
            if after is not None and after.meets - start.meets:
                yield after

    def _new_role(self, proposed: Iterable[Iterable[Remedy]]) -> Iterator[Remedy]:
        """One custom Intune role, new or the user's own, with everything that is lacking, where several things are."""
        changes = [change for found in proposed for remedy in found for change in remedy]
        new = [change for change in changes if isinstance(change, CreateIntuneRole)]
        permissions = tuple(dict.fromkeys(change.permissions[0] for change in new))
        if len(permissions) > 1:
            yield (CreateIntuneRole(permissions, self.question.user, new[0].tags),)
            added = (one for one in changes if isinstance(one, AddPermissions) and one.section == "intune_roles")
            for role in dict.fromkeys(one.role for one in added):
                yield (AddPermissions("intune_roles", role, permissions),)

    def _try(self, remedy: Remedy) -> Tried | None:
        """Return what a remedy does alone; None if it can't be made or does nothing."""
        tried = self._tries(remedy)
        return tried if tried is not None and tried.meets else None

    def _tries(self, remedy: Remedy) -> Tried | None:
        engine = self._changed(remedy)
        if engine is None:
            return None
        context = engine.context(self.question, self.world, self.plan)
        return Tried(remedy, frozenset(leaf for leaf in self._failing_leaves if self._meets(engine, context, leaf)))

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
        return self._smallest_roles(changes)

    def _smallest_roles(self, changes: tuple[Change, ...]) -> tuple[Change, ...]:
        """Return the changes with no permission in a role that is not needed."""
        for place, change in enumerate(changes):
            if isinstance(change, ToRole):
                smaller = self._smallest(change, changes[:place], changes[place + 1 :])
                changes = (*changes[:place], smaller, *changes[place + 1 :])
        return changes

    def _smallest(self, role: ToRole, before: tuple[Change, ...], after: tuple[Change, ...]) -> ToRole:
        for permission in role.permissions if len(role.permissions) > 1 else ():
            smaller = replace(role, permissions=tuple(one for one in role.permissions if one != permission))
            if smaller.permissions and self._allows((*before, smaller, *after)):
                role = smaller
        return role

    def _allows(self, changes: tuple[Change, ...]) -> bool:
        engine = self._changed(changes)
        return engine is not None and engine.verdict(self.question) is Verdict.ALLOW

    def _fix(self, changes: tuple[Change, ...], combination: tuple[Tried, ...]) -> Fix:
        order = {leaf: index for index, leaf in enumerate(self._failing_leaves)}
        met = sorted({leaf for tried in combination for leaf in tried.meets}, key=order.__getitem__)
        takes = tuple(dict.fromkeys(leaf.requirement.takes.time for leaf in met if leaf.requirement.takes))
        engine, tables = self._changed(changes), self.engine.tables
        gained = len(self._gained(engine)) if engine else 0
        version = self.question.release((engine or self.engine).tables)  # that on which the fix is made
        where = tuple(dict.fromkeys(place for leaf in met for place in places(leaf.requirement.where, version)))
        told = [self._told(change, version) for change in changes]
        return Fix(
            changes,
            tuple(text for text, _ in told),
            gained,
            tuple(dict.fromkeys(leaf.id for leaf in met)),
            where,
            takes,
            kind_of_all(changes, tables),
            tuple(dict.fromkeys(console for _, consoles in told for console in consoles)),
            tuple(dict.fromkeys(remarks(self.engine, changes))),
        )

    def _told(self, change: Change, version: int | None) -> tuple[str, tuple[Console, ...]]:
        """Return a change as an instruction, and where it is made: of a fact, the requirement that it meets says so."""
        text = describe(self.engine.tables, self.engine.policy, change)
        console = done_in(self.engine.tables, change)
        if console is not None or not isinstance(change, SetFact):
            return text, (console,) if console else ()
        met = [leaf.requirement for leaf in self._met_by.get(change, ())]
        consoles = tuple(dict.fromkeys(place.console for one in met for place in places(one.where, version)))
        if change.fact in SWITCHES or not met or not met[0].fix:
            return text, consoles
        return f"{met[0].fix.rstrip('.')} ({label_of(self.engine.tables, change)})", consoles

    def _gained(self, engine: Engine) -> frozenset[str]:
        """Permissions that the user gains."""
        return held_permissions(engine, self.question.user) - held_permissions(self.start, self.question.user)

    def _rank(self, fix: Fix) -> tuple[object, ...]:
        engine, policy = self._changed(fix.changes), self.engine.policy
        known = policy.permissions
        new = self._gained(engine) if engine else frozenset()
        acts = sum(known[p].effect != "view" for p in new if p in known)
        in_part = any(known_in_part(policy, self.engine.tables, change) for change in fix.changes)
        kind = KINDS.index(fix.kind)
        return (kind, in_part, acts, fix.gained, len(fix.changes), repr(fix.changes))

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


def _of_account(change: Change) -> bool:
    return isinstance(change, SetFact) and change.subject == "user"


def _joined(combination: tuple[Tried, ...]) -> tuple[Change, ...]:
    """Return the changes of several remedies; lists that two of them extend are joined."""
    return joined_facts(tuple(change for one in combination for change in one.remedy))
