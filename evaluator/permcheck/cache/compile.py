"""Compile an estate to pages: what every test says of everybody, without the reasons."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, TypeAlias

from permcheck.ask import variant_names
from permcheck.bulk.act import Act
from permcheck.bulk.answers import Answers, Area, Selection
from permcheck.bulk.ground import Ground
from permcheck.bulk.people import SEEN, Facets, People
from permcheck.bulk.reach import Terrain
from permcheck.bulk.regions import Regions, indices
from permcheck.bulk.solve import Part, Solver
from permcheck.bulk.warm import spots
from permcheck.cache.layout import (
    ACTS,
    ALL,
    ANY,
    CLASSES,
    DEVICES,
    ESTATE,
    FACT,
    NAMED,
    NEED,
    OPEN,
    PLACE,
    PLANS,
    REGIONS,
    ROWS,
    USERS,
    numbered,
    plan_name,
)
from permcheck.cache.pages import FIRST, Page
from permcheck.evaluate.merge import SIDES
from permcheck.evaluate.outcome import Context
from permcheck.evaluate.plan import Branch, Leaf, Tree, device_test
from permcheck.evaluate.question import Question
from permcheck.loading.inventory_names import written_names
from permcheck.model import policy as form

if TYPE_CHECKING:
    from permcheck.api import Estate

Json: TypeAlias = Any
OVER_PLACES = (form.RightTest, form.SameCollectionTest)
"""Tests of the device that look at its collections: for each of them alone, and one is enough."""


def compiled(estate: Estate) -> Iterator[Page]:
    """Return the pages of an estate."""
    acts = tuple(_acts(estate))
    users = tuple(estate.tables.users)
    answers = Answers([estate.view], Selection(users, tuple(acts)))
    compilers = [_Compiler(estate, answers.people, area) for area in answers.areas]
    for number, compiler in enumerate(compilers):
        for act, one in enumerate(acts):
            if number in answers.areas_of(one):
                yield Page(PLANS, plan_name(number, act), {plan_name(number, act): compiler.plan(one)})
    rows = [compiler.rows(answers) for compiler in compilers]
    for number, compiler in enumerate(compilers):
        yield from _some(ROWS, number, compiler.found_rows())
        yield from _some(REGIONS, number, compiler.found_regions())
        yield from _some(CLASSES, number, compiler.classes())
    yield from _named(USERS, _users(estate, answers, rows))
    yield from _named(DEVICES, _devices(estate, answers))
    yield from _named(ACTS, _named_acts(estate, acts))
    yield Page(ESTATE, FIRST, _estate(estate, answers))


def _acts(estate: Estate) -> Iterator[Act]:
    for action in estate.policy.actions.values():
        yield Act(action)
        yield from (Act(action, variant.id) for variant in action.variants)


def _estate(estate: Estate, answers: Answers) -> Json:
    areas = {area.hierarchy: number for number, area in enumerate(answers.areas) if not area.on_devices}
    only = next(iter(estate.tables.hierarchies)) if len(estate.tables.hierarchies) == 1 else None
    return {
        "warnings": [["warning", f"{one.place}: {one.message}", one.help] for one in estate.warnings],
        "hierarchies": {folded: areas[key] for folded, key in estate.names["hierarchy"].single() if key in areas},
        "only": areas.get(only) if only else None,
        "tenant": areas.get(None),
    }


def _named_acts(estate: Estate, acts: tuple[Act, ...]) -> Iterator[tuple[str, Json]]:
    known = {(act.action.id, act.variant): number for number, act in enumerate(acts)}
    for folded, key in estate.policy.action_names.single():
        action = estate.policy.actions[key]
        for variant, id_ in (("", None), *variant_names(action).single()):
            yield f"{folded}:{variant}", [known[key, id_], action.target]


def _users(estate: Estate, answers: Answers, rows: list[list[int]]) -> Iterator[tuple[str, Json]]:
    of_user = {user: row for row, person in enumerate(answers.persons) for user in person.members}
    for folded, key in estate.names["user"].single():
        yield folded, [estate.tables.users[key].upn, [area[of_user[key]] for area in rows]]


def _devices(estate: Estate, answers: Answers) -> Iterator[tuple[str, Json]]:
    where, written = dict(spots(answers)), dict(written_names(estate.tables.devices))
    for folded, key in estate.names["device"].single():
        yield folded, [written[key], *where[key]]


def _named(kind: str, entries: Iterable[tuple[str, Json]]) -> Iterator[Page]:
    """Put named things in pages, in the order of the names; a page is called after the first of its own."""
    ordered = sorted(entries)
    for start in range(0, len(ordered), NAMED):
        part = ordered[start : start + NAMED]
        yield Page(kind, part[0][0], dict(part))


def _some(kind: str, area: int, values: Iterable[tuple[int, Json]]) -> Iterator[Page]:
    """Put numbered things in pages; the numbers ascend."""
    page: dict[str, Json] = {}
    name = ""
    for number, value in values:
        if numbered(area, number) != name:
            if page:
                yield Page(kind, name, page)
            name, page = numbered(area, number), {}
        page[str(number)] = value
    if page:
        yield Page(kind, name, page)


class _Compiler:
    """Compiles one area.

    Tests run as they do for everybody at once, over other classes of devices: one for each thing that
    collections say, one of which nothing is said, and one for each kind of device by its facts. A real
    device is a few of those. Whatever looks at collections holds for it where it holds for one of them.
    """

    def __init__(self, estate: Estate, people: People, area: Area) -> None:
        self._estate, self._people, self._area = estate, people, area
        ground = area.ground
        self._said, self._alike = list(ground.atoms[0].items()), ground.alike[0]
        self._nothing = len(self._said)
        size = self._nothing + 1 + len(self._alike)
        atoms = {atom: 1 << mark for mark, (atom, _) in enumerate(self._said)}
        alike = [(device, 1 << self._kind(number)) for number, (device, _) in enumerate(self._alike)]
        self._regions = Regions([1] * size)
        marks = Ground(area.hierarchy, (("",),), [atoms], [alike], [self._regions.full])
        self._solver = Solver(estate.view.engine, people, Terrain(marks, 0, self._regions))
        self._tests: dict[Part, int] = {}
        self._rows: dict[tuple[int, ...], int] = {}

    def _kind(self, number: int) -> int:
        """Return the mark of a kind of device."""
        return self._nothing + 1 + number

    def plan(self, act: Act) -> Json:
        """Return what an act needs in every world."""
        engine, hierarchy = self._estate.view.engine, self._area.hierarchy
        question = Question("", act.action, act.variant, hierarchy)
        worlds = engine.worlds(hierarchy)
        plans = [engine.plan(question, world) for world in worlds]
        order = self._estate.policy.requirement_order
        decides = act.action.authority and hierarchy is not None
        return {
            "what": str(act),
            "hierarchy": self._estate.tables.hierarchies[hierarchy].id if hierarchy is not None else None,
            "authority": list(dict.fromkeys(w.row.authority for w in worlds if w.row)) if decides else [],
            "order": {leaf.requirement.id: order[leaf.requirement.id] for plan in plans for leaf in plan.leaves()},
            "worlds": [self._world(self._solver.context(question, world)) for world in worlds],
        }

    def _world(self, context: Context) -> Json:
        plan = context.plan
        sides = [(s, s in plan.deciding, self._tree(context, plan.sides[s])) for s in SIDES if s in plan.sides]
        return {"documented": plan.documented, "sides": sides}

    def _tree(self, context: Context, tree: Tree) -> Json:
        if isinstance(tree, Leaf):
            need = (tree.requirement.needs, tree.need.permission, tree.need.value, tree.need.at_least)
            assumes = self._estate.view.engine.assumes(tree.requirement.id)
            return [NEED, tree.id, repr(need), assumes, self._test(context, tree.test, tree.need)]
        assert isinstance(tree, Branch)
        return [ALL if tree.kind == "all" else ANY, *(self._tree(context, child) for child in tree.children)]

    def _test(self, context: Context, test: form.Test, need: form.Need) -> Json:
        if isinstance(test, form.Combined):
            kind = ALL if test.kind == "all" else ANY
            return [kind, *(self._test(context, case.test, need) for case in test.of)]
        number = self._tests.setdefault(self._solver.test(context, test, need), len(self._tests))
        return [PLACE if isinstance(test, OVER_PLACES) and device_test(test) else FACT, number]

    def rows(self, answers: Answers) -> list[int]:
        """Return for every person of some answers the number of the row of everything that tests say of them."""
        crowd, hierarchy = self._people.crowd(self._area.hierarchy), self._area.hierarchy
        looks = [(part.column, crowd.seen(part.reads), SEEN[part.reads]) for part in self._tests]
        found: dict[Facets, int] = {}
        numbers = []
        for person in answers.persons:
            face = person.faces[0]
            assert face is not None
            facets = face[hierarchy]
            if facets not in found:
                row = tuple([column[seen[reads(facets)]] for column, seen, reads in looks])
                found[facets] = self._rows.setdefault(row, len(self._rows))
            numbers.append(found[facets])
        return numbers

    def found_rows(self) -> Iterator[tuple[int, Json]]:
        """Return the rows that there are."""
        return ((number, row) for row, number in self._rows.items())

    def found_regions(self) -> Iterator[tuple[int, Json]]:
        """Return the regions of which the rows speak, as marks."""
        for number in sorted({region for row in self._rows for region in row if region > OPEN}):
            certain, possible = self._regions[number]
            yield number, [indices(certain), indices(possible)]

    def classes(self) -> Iterator[tuple[int, Json]]:
        """Return the marks of every class of devices: first what kind it is, then what its collections say."""
        marks: list[list[int]] = [[0, self._nothing] for _ in range(self._area.ground.size)]
        for number, (_, bits) in enumerate(self._alike):
            for index in indices(bits):
                marks[index][0] = self._kind(number)
        for mark, (_, bits) in enumerate(self._said):
            for index in indices(bits):
                marks[index].append(mark)
        return enumerate(marks)
