"""The estate, as permcheck has it and as plain values for others; the questions; and permcheck's ways to answer them.

The question is whether a user holds a permission on a collection that contains a device, or on one above it. For
permcheck that is an action that needs this and nothing else, so that its ordinary calls answer it.
"""

from __future__ import annotations

import random
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from permcheck.api import Estate, load
from permcheck.bulk.act import Act
from permcheck.bulk.answers import Answers, Selection
from permcheck.bulk.warm import Warm
from permcheck.evaluate.outcome import Context
from permcheck.evaluate.plan import leaves
from permcheck.evaluate.question import Question
from permcheck.evaluate.security import right_test
from permcheck.graph.backend import digraph
from permcheck.graph.node import Node
from permcheck.model import policy as form
from permcheck.model.state import MET, Verdict
from permcheck.model.tables import Key, hierarchy_of
from whole import SIZES, write_whole

REQUIREMENTS = {
    "Collection/Read": "CM-COLL-READ",
    "Collection/Run CMPivot": "CM-COLL-CMPIVOT",
    "Collection/Run Script": "CM-COLL-RUNSCRIPT",
    "Collection/Notify Resource": "CM-COLL-NOTIFY",
}
"""Permission -> the requirement that tests it."""
USERS, EACH = 100, 20
"""Who is asked about, and how many questions about each: half of them are allowed."""


class Asked(NamedTuple):
    """One question, by keys."""

    user: Key
    permission: str
    device: Key


AskMany = Callable[[Sequence[Asked]], list[bool]]
"""Asks some questions about one user."""


@dataclass(frozen=True)
class Ask:
    """A way to ask, one question at a time or several about one user; what it started is closed."""

    many: AskMany
    at_once: bool = False
    close: Callable[[], object] = bool


def one_by_one(ask: Callable[[Asked], bool]) -> Ask:
    """Ask several questions one after the other."""
    return Ask(lambda questions: [ask(asked) for asked in questions])


class Grant(NamedTuple):
    """A role that a user or group has on some collections."""

    holder: Node
    role: Key
    collections: tuple[Key, ...]


@dataclass(frozen=True)
class Facts:
    """What an engine needs to know, without anything that can't matter to the questions."""

    member_of: dict[Node, tuple[Node, ...]]
    """User or group -> groups that it is in directly."""
    grants: tuple[Grant, ...]
    permissions: dict[Key, tuple[str, ...]]
    """Role -> permissions, those that others include among them."""
    inside: dict[Key, tuple[Key, ...]]
    """Device -> collections that contain it directly."""
    limited_to: dict[Key, Key]
    """Collection -> the one above."""

    def holders(self, user: Key) -> tuple[Node, ...]:
        """Return a user with every group that it is in."""
        found = [Node("user", user)]
        for node in found:
            found += [group for group in self.member_of.get(node, ()) if group not in found]
        return tuple(found)

    def grants_of(self, user: Key) -> list[Grant]:
        """Return the grants of a user and of its groups."""
        return [grant for holder in self.holders(user) for grant in self.by_holder.get(holder, ())]

    def above(self, device: Key) -> tuple[Key, ...]:
        """Return the collections that contain a device, and those above them."""
        found = dict.fromkeys(self.inside[device])
        for collection in tuple(found):
            top: Key | None = collection
            while (top := self.limited_to.get(top or "")) is not None:
                found[top] = None
        return tuple(found)

    @cached_property
    def by_holder(self) -> dict[Node, list[Grant]]:
        """Grants by who has them."""
        found: dict[Node, list[Grant]] = {}
        for grant in self.grants:
            found.setdefault(grant.holder, []).append(grant)
        return found


def whole_estate(size: str) -> Estate:
    """Make an estate in which collections decide, and load it."""
    with tempfile.TemporaryDirectory() as folder:
        write_whole(Path(folder), SIZES[size], "hard")
        return load(folder)


def asking_permissions(estate: Estate) -> Estate:
    """Return an estate with one action for each permission that needs this permission over the device alone."""
    like = estate.policy.actions["run-cmpivot"]
    actions = {
        permission: like.model_copy(
            update={
                "id": permission,
                "title": permission,
                "synonyms": (),
                "variants": (),
                "authority": False,
                "requires": form.Rules(common=(form.Need(id=requirement),)),
            }
        )
        for permission, requirement in REQUIREMENTS.items()
    }
    return Estate(estate.tables, replace(estate.policy, actions=actions), container=digraph)


def facts_of(estate: Estate) -> Facts:
    """Return what others need to know of an estate."""
    tables, graph = estate.tables, estate.grants
    nodes = [*(Node("user", key) for key in tables.users), *(Node("group", key) for key in tables.groups)]
    member_of = {node: tuple(one.end for one in graph.out(node) if one.kind == "member") for node in nodes}
    grants = []
    for node in nodes:
        for way in graph.ends(node, ()):
            if way.end.kind == "admin":
                ends = (tables.rows[row.end.key] for row in graph.rows(way))
                grants += [Grant(node, end.role, end.collections) for end in ends]
    permissions = {
        role: tuple(one for one in graph.gives(Node("security-role", role)) if one in REQUIREMENTS)
        for role in tables.security_roles
    }
    assigned = {collection for grant in grants for collection in grant.collections}
    limited = {key: parent for key, parent in tables.limited_to.items() if parent is not None}
    matters: set[Key] = set()
    for collection in limited:
        path = [collection]
        while path[-1] in limited:
            path.append(limited[path[-1]])
        last = max((place for place, one in enumerate(path) if one in assigned), default=-1)
        matters |= set(path[: last + 1])
    return Facts(
        member_of,
        tuple(grants),
        permissions,
        {key: tuple(sorted(matters & tables.device_collections[key])) for key in tables.devices},
        {key: parent for key, parent in limited.items() if key in matters and parent in matters},
    )


def draw_questions(estate: Estate, facts: Facts) -> dict[Asked, bool]:
    """Draw questions, and answer them with the evaluator that explains: the same number of each answer."""
    chance = random.Random(7)
    holders = [user for user in estate.tables.users if any(map(facts.by_holder.get, facts.holders(user)))]
    devices, permissions = list(estate.tables.devices), list(REQUIREMENTS)
    found: dict[Asked, bool] = {}
    for user in chance.choices(holders, k=USERS):
        left = {True: EACH // 2, False: EACH // 2}
        for _ in range(20_000):
            asked = Asked(user, chance.choice(permissions), chance.choice(devices))
            allowed = verdict(estate, asked) is Verdict.ALLOW
            if left[allowed] and asked not in found:
                left[allowed] -= 1
                found[asked] = allowed
            if not any(left.values()):
                break
    for asked, allowed in found.items():
        decision = decided(estate, asked)
        assert (decision is Verdict.ALLOW) is allowed, asked
        assert decision is not Verdict.UNDETERMINED, asked
    items = list(found.items())
    chance.shuffle(items)
    return dict(items)


def question(estate: Estate, asked: Asked) -> Question:
    """Return a question with its names resolved."""
    action, hierarchy = estate.policy.actions[asked.permission], hierarchy_of(asked.device)
    return Question(asked.user, action, None, hierarchy, asked.device)


def verdict(estate: Estate, asked: Asked) -> Verdict:
    """Ask for the verdict alone."""
    return estate._engine.verdict(question(estate, asked))  # noqa: SLF001 - inside the house


def decided(estate: Estate, asked: Asked) -> Verdict:
    """Ask for the whole decision, as `permcheck explain` does."""
    tables = estate.tables
    return estate.check(tables.users[asked.user].upn, asked.permission, tables.devices[asked.device].name).verdict


def ways_to_ask(estate: Estate) -> dict[str, Callable[[], Callable[[Asked], bool]]]:
    """Return the ways in which permcheck answers: each is made ready by a call, and then asked."""
    return {
        "permcheck, grant graph": lambda: _through_graph(estate),
        "permcheck, classes": lambda: _by_classes(estate),
        "permcheck, `Estate.verdict`": lambda: _by_name(estate),
        "permcheck, nothing remembered": lambda: _walking(estate),
        "permcheck, with reasons": lambda: lambda asked: decided(estate, asked) is Verdict.ALLOW,
    }


def _through_graph(estate: Estate) -> Callable[[Asked], bool]:
    """Run the test of the requirement: along the ways of the user to the collections above the device."""
    engine = estate._engine  # noqa: SLF001 - inside the house
    tests: dict[tuple[str, Key], tuple[Context, form.RightTest, form.Need]] = {}
    for permission in estate.policy.actions:
        for hierarchy in estate.tables.hierarchies:
            like = Question("", estate.policy.actions[permission], None, hierarchy)
            (world,) = engine.worlds(hierarchy)
            plan = engine.plan(like, world)
            (leaf,) = leaves(plan.sides["common"])
            assert isinstance(leaf.test, form.RightTest)
            tests[permission, hierarchy] = engine.context(like, world, plan), leaf.test, leaf.need

    def ask(asked: Asked) -> bool:
        context, test, need = tests[asked.permission, hierarchy_of(asked.device)]
        whole = context.question._replace(user=asked.user, device=asked.device)
        return right_test(context._replace(question=whole), test, need).state is MET

    return ask


def _walking(estate: Estate) -> Callable[[Asked], bool]:
    """Walk from the user to the collections for every question: nothing of users and devices is remembered."""
    engine = estate._engine  # noqa: SLF001 - to forget what is remembered
    remembered = (
        engine._static,  # noqa: SLF001 - likewise
        engine._memo,  # noqa: SLF001 - likewise
        engine._device_facts,  # noqa: SLF001 - likewise
        engine.graph._rights,  # noqa: SLF001 - likewise
        engine.membership._by_device,  # noqa: SLF001 - likewise
        engine.membership._cache,  # noqa: SLF001 - likewise
    )
    prepared: dict[Asked, Question] = {}

    def ask(asked: Asked) -> bool:
        for one in remembered:
            one.clear()
        whole = prepared.get(asked)
        if whole is None:
            whole = prepared[asked] = question(estate, asked)
        return engine.verdict(whole) is Verdict.ALLOW

    return ask


def _by_name(estate: Estate) -> Callable[[Asked], bool]:
    users = {key: user.upn for key, user in estate.tables.users.items()}
    devices = estate.tables.devices

    names: dict[Key, str] = {}

    def ask(asked: Asked) -> bool:
        name = names.get(asked.device)
        if name is None:
            name = names[asked.device] = devices[asked.device].name
        return estate.verdict(users[asked.user], asked.permission, name) is Verdict.ALLOW

    return ask


def _by_classes(estate: Estate) -> Callable[[Asked], bool]:
    acts = tuple(Act(action) for action in estate.policy.actions.values())
    ready = Warm(Answers([estate.view], Selection(tuple(estate.tables.users), acts)))
    return lambda asked: ready.check(asked.user, asked.permission, asked.device) is Verdict.ALLOW
