"""The users of an estate as classes: what they are, what they hold in the cloud, what they hold on premises."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from operator import attrgetter, itemgetter
from typing import Any, TypeAlias

from permcheck.bulk.regions import Bits, few
from permcheck.bulk.shapes import Shapes, ShortGraph
from permcheck.evaluate.engine import Engine
from permcheck.evaluate.facts import DERIVED, FROM_ROLES
from permcheck.evaluate.outcome import Context
from permcheck.evaluate.plan import simple_tests
from permcheck.evaluate.question import Question
from permcheck.evaluate.security import doubts
from permcheck.evaluate.simple import OPEN_LISTS
from permcheck.graph.rights import GrantGraph
from permcheck.model import policy as form
from permcheck.model.policy_index import Policy
from permcheck.model.tables import Key

Facets: TypeAlias = tuple[int, int, int]
"""A user as three numbers: of the person's facts, of the cloud roles, of the security roles in one hierarchy."""
PERSON, CLOUD, SECURITY = 1, 2, 4
"""What a test reads of a user, to be added up."""
SEEN: dict[int, Any] = {
    0: lambda _: None,
    PERSON: itemgetter(0),
    CLOUD: itemgetter(1),
    SECURITY: itemgetter(2),
    PERSON | CLOUD: itemgetter(0, 1),
    PERSON | SECURITY: itemgetter(0, 2),
    CLOUD | SECURITY: itemgetter(1, 2),
    PERSON | CLOUD | SECURITY: lambda facets: facets,
}
"""Of facets, what a test reads."""


class Faces:
    """Numbers for things that are alike, each with the first user who showed it."""

    def __init__(self) -> None:
        self._numbers: dict[Hashable, int] = {}
        self.first: list[Key] = []
        self.shapes: list[Bits] = []
        """What is held, of faces that are about that."""
        self.doubt: list[bool] = []
        """Whether more may be held."""

    def number(self, face: Hashable, user: Key, shapes: Bits = 0, *, doubt: bool = False) -> int:
        """Return the number of a face."""
        found = self._numbers.get(face)
        if found is None:
            found = self._numbers[face] = len(self.first)
            self.first.append(user)
            self.shapes.append(shapes)
            self.doubt.append(doubt)
        return found


class People:
    """Divides users into classes, as one engine sees them; `shapes` of its graph may be shared with others."""

    def __init__(self, engine: Engine, shapes: Shapes) -> None:
        self._engine = engine
        facts = user_facts(engine.policy)
        self._derived = [DERIVED[name] for name in facts if name in DERIVED]
        stated = [name.partition(".")[2] for name in facts if name not in DERIVED]
        self._stated = attrgetter("synced", *OPEN_LISTS.values(), *stated)
        self.shapes = shapes
        self.graph = ShortGraph(engine.graph, self.shapes)
        self.persons, self.clouds = Faces(), Faces()
        self.securities: dict[Key | None, Faces] = {key: Faces() for key in (*engine.tables.hierarchies, None)}
        self._doubts: dict[tuple[Key, bool, Bits], bool] = {}
        self._crowds: dict[Key | None, Crowd] = {key: Crowd() for key in self.securities}
        action = next(iter(engine.policy.actions.values()))
        world = engine.worlds(None)[0]
        question = Question("", action)
        context = engine.context(question, world, engine.plan(question, world))
        self._context = context._replace(graph=self.graph, memo={})

    def face(self, user: Key, graph: GrantGraph | None = None) -> tuple[Facets, ...]:
        """Return what can be seen of a user: in each hierarchy, in the order of the estate, and in none.

        `graph` is that of an estate in which the user is in other groups.
        """
        held, parts = self.shapes.of(user, graph), self.shapes.parts
        person = self.persons.number(self._person(user), user)
        in_cloud = held & self.shapes.in_cloud
        cloud = self.clouds.number(in_cloud, user, in_cloud)
        found = []
        for hierarchy, crowd in self._crowds.items():
            if hierarchy is None:
                facets = person, cloud, self.securities[None].number(0, user)
            else:
                facets = person, cloud, self._security(user, held & parts[hierarchy], hierarchy)
            crowd.add(facets)
            found.append(facets)
        return tuple(found)

    def by_hierarchy(self, face: tuple[Facets, ...]) -> dict[Key | None, Facets]:
        """Return a face by hierarchy."""
        return dict(zip(self._crowds, face, strict=True))

    def assigned(self, hierarchy: Key) -> frozenset[Key]:
        """Return the collections of a hierarchy on which somebody who was looked at holds or may hold a role."""
        held: Bits = 0
        for shapes in self.securities[hierarchy].shapes if hierarchy in self.securities else ():
            held |= shapes
        ends = (self.shapes.ways[shape].end for shape in few(held & ~self.shapes.silent))
        rows = self._engine.tables.rows
        return frozenset(collection for end in ends for collection in rows[end.key].collections)

    def crowd(self, hierarchy: Key | None) -> Crowd:
        """Return everybody as they are seen in a hierarchy."""
        return self._crowds[hierarchy]

    def _person(self, user: Key) -> Hashable:
        record = self._engine.tables.users[user]
        if not self._derived:
            return self._stated(record)
        context = self._asking(user)
        return (self._stated(record), *[derived(context, record) for derived in self._derived])

    def _asking(self, user: Key, hierarchy: Key | None = None) -> Context:
        question = self._context.question._replace(user=user, hierarchy=hierarchy)
        return self._context._replace(question=question)

    def _security(self, user: Key, held: Bits, hierarchy: Key) -> int:
        alike = hierarchy, self._engine.tables.users[user].synced is False, held & self.shapes.silent
        doubt = self._doubts.get(alike)
        if doubt is None:
            asked = self._asking(user, hierarchy)._replace(graph=self.graph.showing(held))
            doubt = self._doubts[alike] = bool(doubts(asked))
        return self.securities[hierarchy].number((held, doubt), user, held, doubt=doubt)

    def first(self, reads: int, seen: int | None, hierarchy: Key | None) -> Key:
        """Return a user who shows what a test reads."""
        if reads == CLOUD:
            return self.clouds.first[seen or 0]
        if reads == SECURITY:
            return self.securities[hierarchy].first[seen or 0]
        return self.persons.first[seen or 0]

    def faces(self, reads: int, hierarchy: Key | None) -> Faces:
        """Return the faces that a test which looks at what is held reads."""
        return self.clouds if reads == CLOUD else self.securities[hierarchy]


class Crowd:
    """Everybody as they are seen in one hierarchy: a row of different facets, and what of them is different."""

    def __init__(self) -> None:
        self._rows: dict[Facets, int] = {}
        self._seen: dict[int, dict[Any, int]] = {}
        self._onto: dict[tuple[int, int], list[int]] = {}

    def add(self, facets: Facets) -> None:
        """Add somebody; what was worked out for fewer is forgotten."""
        if facets not in self._rows:
            self._rows[facets] = len(self._rows)
            self._seen.clear()
            self._onto.clear()

    def seen(self, reads: int) -> dict[Any, int]:
        """Return everything different that a test sees, each with its place."""
        found = self._seen.get(reads)
        if found is None:
            different = dict.fromkeys(map(SEEN[reads], self._rows))
            found = self._seen[reads] = dict(zip(different, range(len(different)), strict=True))
        return found

    def spread(self, column: list[int], narrow: int, wide: int) -> Iterable[int]:
        """Repeat a column over what one test sees, so that it fits what another one sees, which is more."""
        if narrow == wide:
            return column
        return map(column.__getitem__, self._places(narrow, wide))

    def _places(self, narrow: int, wide: int) -> list[int]:
        found = self._onto.get((narrow, wide))
        if found is None:
            of, rest = self.seen(narrow), SEEN[narrow]
            rows = dict(zip(map(SEEN[wide], self._rows), self._rows, strict=True))
            found = self._onto[narrow, wide] = [of[rest(rows[seen])] for seen in self.seen(wide)]
        return found


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
    for requirement in policy.requirements.values():
        for test in (one for case in requirement.tests for one in simple_tests(case.test)):
            if isinstance(test, form.FactTest):
                found.add(test.fact)
            elif isinstance(test, form.SameTest):
                found |= set(test.facts)
    return tuple(sorted(name for name in found if name.startswith("user.") and name not in FROM_ROLES))
