"""Answer questions: the verdict alone, quickly; or the whole decision."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from permcheck.evaluate.leaf import run_leaf
from permcheck.evaluate.outcome import Context, Outcome
from permcheck.evaluate.plan import Branch, Leaf, Plan, Tree, make_plan
from permcheck.evaluate.question import Question, World
from permcheck.evaluate.worlds import worlds
from permcheck.graph.membership import Membership
from permcheck.graph.rights import GrantGraph
from permcheck.model.policy_index import Policy
from permcheck.model.state import MET, UNKNOWN, UNMET, VERDICT_OF, State, Verdict, agreed, all_of, any_of
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
    _plans: dict[PlanKey, Plan] = field(default_factory=dict)
    _static: dict[tuple[object, ...], tuple[tuple[Plan, World, Tree], ...]] = field(default_factory=dict)

    def worlds(self, hierarchy: Key | None) -> tuple[World, ...]:
        """Every way in which the switches and the version of a hierarchy may stand."""
        found = self._worlds.get(hierarchy)
        if found is None:
            found = worlds(self.tables, self.policy, self.readings, hierarchy, self.edition)
            self._worlds[hierarchy] = found
        return found

    def plan(self, question: Question, world: World) -> Plan:
        """What the action needs in a world."""
        key = (question.action.id, question.variant, question.object is not None, world)
        found = self._plans.get(key)
        if found is None:
            found = self._plans[key] = make_plan(self.policy, question, world, self.readings)
        return found

    def context(self, question: Question, world: World, plan: Plan) -> Context:
        """What the tests of a question may look at."""
        return Context(self.tables, self.policy, self.graph, self.membership, self.readings, question, world, plan)

    def verdict(self, question: Question) -> Verdict:
        """The verdict alone. What does not depend on the device is worked out once."""
        key = (question.user, question.action.id, question.variant, question.hierarchy, question.object)
        parts = self._static.get(key)
        if parts is None:
            parts = self._static[key] = tuple(self._reduced(question, world) for world in self.worlds(question.hierarchy))
        return VERDICT_OF[agreed(self._finish(question, *part) for part in parts)]

    def _reduced(self, question: Question, world: World) -> tuple[Plan, World, Tree]:
        plan = self.plan(question, world)
        context = self.context(question, world, plan)
        trees: list[Tree] = [self._fold(context, plan.sides[side]) for side in plan.deciding]
        if not plan.documented:
            trees.append(UNKNOWN)
        return plan, world, _joined("all", trees)

    def _fold(self, context: Context, tree: Tree) -> Tree:
        """Replace what does not depend on the device by its state."""
        if isinstance(tree, State):
            return tree
        if isinstance(tree, Leaf):
            return tree if tree.on_device else self.settled(tree, run_leaf(context, tree))
        return _joined(tree.kind, [self._fold(context, child) for child in tree.children])

    def _finish(self, question: Question, plan: Plan, world: World, tree: Tree) -> State:
        return self._state(self.context(question, world, plan), tree)

    def _state(self, context: Context, tree: Tree) -> State:
        if isinstance(tree, State):
            return tree
        if isinstance(tree, Leaf):
            return self.settled(tree, run_leaf(context, tree))
        if tree.kind == "all":
            return all_of(self._state(context, child) for child in tree.children)
        return any_of(self._state(context, child) for child in tree.children)

    def settled(self, leaf: Leaf, outcome: Outcome) -> State:
        """The state of a requirement, where unknown counts as met if the estate says to assume it."""
        if outcome.state is UNKNOWN and self.assumes(leaf.requirement.id):
            return MET
        return outcome.state

    def assumes(self, requirement: str) -> bool:
        """Whether the estate says to take a requirement as met where facts are missing."""
        return any(
            requirement.startswith(pattern[:-1]) if pattern.endswith("*") else requirement == pattern
            for pattern in self.tables.assume
        )


def _joined(kind: Literal["all", "any"], parts: Iterable[Tree]) -> Tree:
    """Join parts of which some are settled already: a certain part may settle the whole."""
    decisive, neutral = (UNMET, MET) if kind == "all" else (MET, UNMET)
    open_: list[Tree] = []
    result = neutral
    for part in parts:
        if not isinstance(part, State):
            open_.append(part)
        elif part is decisive:
            return decisive
        elif part is UNKNOWN:
            result = UNKNOWN
    if not open_:
        return result
    if result is UNKNOWN:
        open_.append(UNKNOWN)
    return open_[0] if len(open_) == 1 else Branch(kind, tuple(open_))
