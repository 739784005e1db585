"""Answer questions: the verdict alone, quickly; or the whole decision."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from permcheck.evaluate.checks import Check, as_check, device_check, joined
from permcheck.evaluate.leaf import run_leaf
from permcheck.evaluate.outcome import Context, Outcome
from permcheck.evaluate.plan import Leaf, Plan, Tree, make_plan
from permcheck.evaluate.question import Question, World
from permcheck.evaluate.worlds import worlds
from permcheck.graph.membership import Membership
from permcheck.graph.rights import GrantGraph
from permcheck.model.decision import Requirement
from permcheck.model.policy import FactTest
from permcheck.model.policy_index import Policy
from permcheck.model.state import (
    MET,
    UNKNOWN,
    VERDICT_OF,
    State,
    Verdict,
    agreed,
)
from permcheck.model.tables import Key, Tables

PlanKey: TypeAlias = tuple[str, str | None, bool, World]


@dataclass(frozen=True)
class Engine:
    """An estate, ready to answer under fixed readings and at most one fixed edition."""

    tables: Tables
    policy: Policy
    graph: GrantGraph
    membership: Membership
    readings: Mapping[str, str]
    edition: str | None = None
    _worlds: dict[Key | None, tuple[World, ...]] = field(default_factory=dict)
    _device_facts: dict[Leaf, dict[Key, State]] = field(default_factory=dict)
    _plans: dict[PlanKey, Plan] = field(default_factory=dict)
    _static: dict[tuple[object, ...], tuple[Check, ...]] = field(default_factory=dict)
    _memo: dict[tuple[object, ...], Any] = field(default_factory=dict)
    told: dict[tuple[object, ...], Requirement] = field(default_factory=dict)
    """Requirements that don't depend on the device, worked out for explanations."""

    def over(self, tables: Tables, graph: GrantGraph, membership: Membership) -> Engine:
        """Return an engine for another estate that reads the documents in the same way: plans are shared."""
        how = self.readings, self.edition
        return Engine(tables, self.policy, graph, membership, *how, _plans=self._plans)

    def worlds(self, hierarchy: Key | None) -> tuple[World, ...]:
        """Every way in which the switches and the version of a hierarchy may stand."""
        found = self._worlds.get(hierarchy)
        if found is None:
            found = worlds(self.tables, self.policy, self.readings, hierarchy, self.edition)
            self._worlds[hierarchy] = found
        return found

    def plan(self, question: Question, world: World) -> Plan:
        """Return what the action needs in a world."""
        key = (question.action.id, question.variant, question.object is not None, world)
        found = self._plans.get(key)
        if found is None:
            found = self._plans[key] = make_plan(self.policy, question, world, self.readings)
        return found

    def context(self, question: Question, world: World, plan: Plan) -> Context:
        """Return what the tests of a question may look at."""
        shared = self.tables, self.policy, self.graph, self.membership, self.readings
        return Context(*shared, question, world, plan, self._memo)

    def verdict(self, question: Question) -> Verdict:
        """Return the verdict alone. What does not depend on the device is worked out once."""
        key = (question.user, question.action.id, question.variant, question.hierarchy, question.object)
        checks = self._static.get(key)
        if checks is None:
            checks = self._static[key] = tuple(
                self._reduced(question, world) for world in self.worlds(question.hierarchy)
            )
        device = question.device or ""
        if len(checks) == 1:
            return VERDICT_OF[checks[0](device)]
        return VERDICT_OF[agreed(check(device) for check in checks)]

    def _reduced(self, question: Question, world: World) -> Check:
        """Return what is left to look at in a world once a device is known."""
        plan = self.plan(question, world)
        context = self.context(question, world, plan)
        parts = [self._fold(context, plan.sides[side]) for side in plan.deciding]
        if not plan.documented:
            parts.append(UNKNOWN)
        return as_check(joined("all", parts))

    def _fold(self, context: Context, tree: Tree) -> State | Check:
        """Replace what does not depend on the device by its state."""
        if isinstance(tree, State):
            return tree
        if isinstance(tree, Leaf):
            looks = tree.on_device and context.question.action.target == "device"
            return self._device_check(context, tree) if looks else self.settled(tree, run_leaf(context, tree))
        return joined(tree.kind, [self._fold(context, child) for child in tree.children])

    def _device_check(self, context: Context, leaf: Leaf) -> Check:
        """Return a requirement as a function of the device; facts of a device are looked at once for all users."""
        special = device_check(context, leaf.test)
        if special is not None and not self.assumes(leaf.requirement.id):
            return special
        question = context.question
        shared = isinstance(leaf.test, FactTest)
        known = self._device_facts.setdefault(leaf, {}) if shared else {}

        def check(device: Key) -> State:
            state = known.get(device)
            if state is None:
                asked = context._replace(question=question._replace(device=device))
                state = known[device] = self.settled(leaf, run_leaf(asked, leaf))
            return state

        return check

    def settled(self, leaf: Leaf, outcome: Outcome) -> State:
        """Return the state of a requirement, where unknown counts as met if the estate says to assume it."""
        if outcome.state is UNKNOWN and self.assumes(leaf.requirement.id):
            return MET
        return outcome.state

    def assumes(self, requirement: str) -> bool:
        """Whether the estate says to take a requirement as met where facts are missing."""
        return any(
            requirement.startswith(pattern[:-1]) if pattern.endswith("*") else requirement == pattern
            for pattern in self.tables.assume
        )
