"""The users of an estate as classes: what they are, what they hold in the cloud, what they hold on premises."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TypeAlias

from permcheck.evaluate.engine import Engine
from permcheck.evaluate.facts import FROM_ROLES, fact_value
from permcheck.evaluate.outcome import Context
from permcheck.evaluate.question import Question
from permcheck.evaluate.security import doubts
from permcheck.evaluate.simple import OPEN_LISTS
from permcheck.graph.rights import Rights, Way, is_nested
from permcheck.model import policy as form
from permcheck.model.policy_index import Policy
from permcheck.model.tables import Key

Facets: TypeAlias = tuple[int, int, int]
"""A user as three numbers: of the person's facts, of the cloud roles, of the security roles in one hierarchy."""
PERSON, CLOUD, SECURITY = 1, 2, 4
"""What a test reads of a user, to be added up."""


class Faces:
    """Numbers for things that are alike, each with the first user who showed it."""

    def __init__(self) -> None:
        self._numbers: dict[Hashable, int] = {}
        self.first: list[Key] = []

    def number(self, face: Hashable, user: Key) -> int:
        """Return the number of a face."""
        found = self._numbers.get(face)
        if found is None:
            found = self._numbers[face] = len(self.first)
            self.first.append(user)
        return found


class People:
    """Divides users into classes, as one engine sees them."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._facts = user_facts(engine.policy)
        self.persons, self.clouds = Faces(), Faces()
        self.securities: dict[Key | None, Faces] = {key: Faces() for key in (None, *engine.tables.hierarchies)}
        action = next(iter(engine.policy.actions.values()))
        world = engine.worlds(None)[0]
        question = Question("", action)
        self._context = engine.context(question, world, engine.plan(question, world))

    def face(self, user: Key) -> tuple[Facets, ...]:
        """Return what can be seen of a user: in each hierarchy, in the order of the estate, and in none."""
        rights = self._engine.graph.rights(user)
        context = self._context._replace(question=self._context.question._replace(user=user))
        person = self.persons.number(self._person(context), user)
        cloud = self.clouds.number(_cloud(rights), user)
        found = [(person, cloud, self._security(context, rights, h)) for h in self._engine.tables.hierarchies]
        return (*found, (person, cloud, self.securities[None].number((), user)))

    def by_hierarchy(self, face: tuple[Facets, ...]) -> dict[Key | None, Facets]:
        """Return a face by hierarchy."""
        return dict(zip((*self._engine.tables.hierarchies, None), face, strict=True))

    def _person(self, context: Context) -> Hashable:
        record = context.tables.users[context.question.user]
        opened = tuple(bool(getattr(record, name)) for name in OPEN_LISTS.values())
        return (*(fact_value(context, name) for name in self._facts), record.synced, opened)

    def _security(self, context: Context, rights: Rights, hierarchy: Key) -> int:
        asked = context._replace(question=context.question._replace(hierarchy=hierarchy))
        ways = frozenset((way.end, way.role, way.state) for way in rights.security.get(hierarchy, ()))
        return self.securities[hierarchy].number((ways, bool(doubts(asked))), rights.user)

    def first(self, reads: int, facets: Facets, hierarchy: Key | None) -> Key:
        """Return a user who shows what a test reads."""
        if reads == PERSON:
            return self.persons.first[facets[0]]
        if reads == CLOUD:
            return self.clouds.first[facets[1]]
        if reads == SECURITY:
            return self.securities[hierarchy].first[facets[2]]
        return self.persons.first[0]


def _cloud(rights: Rights) -> Hashable:
    return frozenset(map(_shown, rights.cloud()))


def _shown(way: Way) -> Hashable:
    """Return what a test of the cloud can see of a way."""
    return way.end, way.role, way.state, way.fault, is_nested(way.grants)


def reads_of(test: form.Test) -> int:
    """Tell what a test reads of a user. Several parts are looked at one by one, so they are none here."""
    match test:
        case form.FactTest():
            return _reads(test.fact)
        case form.SameTest():
            return _reads(test.facts[0]) | _reads(test.facts[1])
        case form.GrantTest() | form.AnyRoleTest() | form.GroupTypeTest() | form.AppRoleGroupTest():
            return CLOUD
        case form.ScopeTagTest():
            return CLOUD
        case form.RightTest() | form.SameCollectionTest():
            return SECURITY
    return 0


def _reads(fact: str) -> int:
    if fact in FROM_ROLES:
        return CLOUD
    return PERSON if fact.startswith("user.") else 0


def user_facts(policy: Policy) -> tuple[str, ...]:
    """Return the facts of a user that some test of the policy compares."""
    found: set[str] = set()
    cases = [case for requirement in policy.requirements.values() for case in requirement.tests]
    while cases:
        test = cases.pop().test
        if isinstance(test, form.Combined):
            cases += test.of
        elif isinstance(test, form.FactTest):
            found.add(test.fact)
        elif isinstance(test, form.SameTest):
            found |= set(test.facts)
    return tuple(sorted(name for name in found if name.startswith("user.") and name not in FROM_ROLES))
