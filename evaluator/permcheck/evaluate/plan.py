"""Make, of an action's rules, the tree of requirements that holds in one world."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from permcheck.evaluate.question import Question, World
from permcheck.model import policy as form
from permcheck.model.decision import Side
from permcheck.model.policy_index import Policy
from permcheck.model.state import State


@dataclass(frozen=True, slots=True, eq=False)
class Leaf:
    """One requirement of the plan: its id as printed, and the test that decides in this world."""

    id: str
    requirement: form.Requirement
    test: form.Test
    need: form.Need
    sources: tuple[str, ...]
    on_device: bool
    contested: tuple[str, ...]
    """Readings that decide whether it is needed, or how it is tested."""


@dataclass(frozen=True, slots=True, eq=False)
class Branch:
    """Requirements of which all, or any, are needed."""

    kind: Literal["all", "any"]
    children: tuple[Tree, ...]


Tree: TypeAlias = Leaf | Branch | State
"""A state stands for a part that is settled already; a plan has none."""


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """What an action needs in one world, by side; `documented` tells whether its edition describes it."""

    sides: Mapping[Side, Branch]
    deciding: tuple[Side, ...]
    documented: bool
    collection_permissions: tuple[str, ...]
    """Configmgr permissions over the device that are all needed."""
    asked_permission: str | None
    """The Intune permission that the sides which decide ask for first."""

    def leaves(self) -> Iterator[Leaf]:
        """Every requirement of every side."""
        for tree in self.sides.values():
            yield from leaves(tree)


ORDER: tuple[Side, ...] = ("intune", "common", "configmgr")
DEVICE_TESTS = {"scope-tag", "same-collection"}
SHOWN_BY_DEVICES = frozenset({"hierarchy.tenant_attached"})
"""Facts of something else that a device shows."""
DECIDING: Mapping[str, tuple[Side, ...]] = {
    "configmgr": ("common", "configmgr"),
    "intune": ("common", "intune"),
    "both": ("common", "configmgr", "intune"),
}


def applies(when: form.When | None, question: Question, world: World, readings: Mapping[str, str]) -> bool:
    """Whether a condition of the policy holds in a world."""
    if when is None:
        return True
    return (
        when.covers(world.edition)
        and when.holds_for(world.version)
        and (when.variants is None or question.variant in when.variants)
        and (when.not_variants is None or question.variant not in when.not_variants)
        and (when.object_named is None or (question.object is not None) is when.object_named)
        and all(readings[name] in alternatives for name, alternatives in when.readings.items())
    )


def make_plan(policy: Policy, question: Question, world: World, readings: Mapping[str, str]) -> Plan:
    """Choose the needs and tests that apply in a world."""
    planner = _Planner(policy, question, world, readings)
    rules = question.action.requires
    sides: dict[Side, Branch] = {
        "common": planner.branch(rules.common),
        "configmgr": planner.branch(rules.configmgr),
        "intune": planner.branch(rules.intune),
    }
    deciding: tuple[Side, ...] = ("common",)
    if question.action.authority and world.row is not None:
        sides["switch"] = planner.branch(policy.authority.switch_requirements)
        deciding = DECIDING[world.row.authority]
    rights = tuple(dict.fromkeys(_collection_permissions(sides["configmgr"])))
    asked = (_intune_permission(policy, leaf) for side in ORDER if side in deciding for leaf in leaves(sides[side]))
    first = next((permission for permission in asked if permission), None)
    return Plan(sides, deciding, world.edition >= question.action.documented_from, rights, first)


def _intune_permission(policy: Policy, leaf: Leaf) -> str | None:
    if not isinstance(leaf.test, form.GrantTest):
        return None
    permission = leaf.need.permission if leaf.test.permission == "$permission" else leaf.test.permission
    return permission if permission and policy.planes[permission] == "intune" else None


def _collection_permissions(tree: Tree) -> Iterator[str]:
    if isinstance(tree, Leaf):
        if isinstance(tree.test, form.RightTest) and tree.test.over == "device" and tree.test.permission != "any":
            yield tree.test.permission
    elif isinstance(tree, Branch) and tree.kind == "all":
        for child in tree.children:
            yield from _collection_permissions(child)


@dataclass(frozen=True, slots=True)
class _Planner:
    policy: Policy
    question: Question
    world: World
    readings: Mapping[str, str]

    def branch(self, needs: tuple[form.Need, ...], kind: Literal["all", "any"] = "all") -> Branch:
        return Branch(kind, tuple(tree for need in needs for tree in self.trees(need, (), ())))

    def trees(self, need: form.Need, sources: tuple[str, ...], contested: tuple[str, ...]) -> Iterator[Tree]:
        if not applies(need.when, self.question, self.world, self.readings):
            return
        sources = need.sources or sources
        contested = (*contested, *(need.when.readings if need.when else ()))
        if need.id is not None:
            yield from self.leaf(need, sources, contested)
        elif need.use is not None:
            for inner in self.policy.bundles[need.use]:
                yield from self.trees(inner, sources, contested)
        else:
            kind: Literal["all", "any"] = "all" if need.all else "any"
            children = tuple(t for inner in need.all or need.any for t in self.trees(inner, sources, contested))
            if children:
                yield Branch(kind, children)

    def leaf(self, need: form.Need, sources: tuple[str, ...], contested: tuple[str, ...]) -> Iterator[Leaf]:
        requirement = self.policy.requirements[need.id or ""]
        test = self.chosen(requirement.tests)
        if test is not None:
            id_ = f"{requirement.id}:{self.policy.title(need.permission)}" if need.permission else requirement.id
            all_sources = tuple(dict.fromkeys((*sources, *requirement.sources)))
            disputed = tuple(dict.fromkeys((*contested, *self.disputed(requirement.tests))))
            yield Leaf(id_, requirement, test, need, all_sources, device_test(test), disputed)

    def disputed(self, cases: tuple[form.TestCase, ...]) -> Iterator[str]:
        """Name the readings that choose between cases which apply to this version."""
        for case in cases:
            if case.when is not None and case.when.readings:
                here = case.when.model_copy(update={"readings": {}})
                if applies(here, self.question, self.world, self.readings):
                    yield from case.when.readings
            if isinstance(case.test, form.Combined):
                yield from self.disputed(case.test.of)

    def chosen(self, cases: tuple[form.TestCase, ...]) -> form.Test | None:
        """Return the test of the first case that applies, with the cases inside it chosen as well."""
        for case in cases:
            if applies(case.when, self.question, self.world, self.readings):
                return self.narrowed(case.test)
        return None

    def narrowed(self, test: form.Test) -> form.Test | None:
        if not isinstance(test, form.Combined):
            return test
        inner = [self.narrowed(c.test) for c in test.of if applies(c.when, self.question, self.world, self.readings)]
        kept = tuple(form.TestCase(test=t) for t in inner if t is not None)
        return form.Combined(kind=test.kind, of=kept) if kept else None


def device_test(test: form.Test) -> bool:
    """Whether a test looks at the device."""
    if isinstance(test, form.Combined):
        return any(device_test(case.test) for case in test.of)
    if isinstance(test, form.FactTest):
        return test.fact.startswith("device.") or test.fact in SHOWN_BY_DEVICES
    return test.kind in DEVICE_TESTS or (isinstance(test, form.RightTest) and test.over == "device")


def leaves(tree: Tree) -> Iterator[Leaf]:
    """Every requirement of a tree."""
    if isinstance(tree, Leaf):
        yield tree
    elif isinstance(tree, Branch):
        for child in tree.children:
            yield from leaves(child)


def simple_tests(test: form.Test) -> Iterator[form.LeafTest]:
    """Every test that a test is made of."""
    if isinstance(test, form.Combined):
        for case in test.of:
            yield from simple_tests(case.test)
    else:
        yield test
