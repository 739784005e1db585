"""All answers of one estate, or of several side by side, by classes of users, actions and devices."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from permcheck.bulk.act import Act
from permcheck.bulk.alike import seen_otherwise
from permcheck.bulk.ground import Ground, ground, itself, signers_of
from permcheck.bulk.people import Facets, People
from permcheck.bulk.reach import Terrain
from permcheck.bulk.regions import NOWHERE, RegionId, Regions
from permcheck.bulk.rows import Rows, by_hierarchy, inventories_of
from permcheck.bulk.shapes import Shapes
from permcheck.bulk.solve import Solver
from permcheck.bulk.strict import StrictSolver
from permcheck.evaluate.engine import Engine
from permcheck.evaluate.plan import Leaf, leaves, simple_tests
from permcheck.evaluate.question import Question
from permcheck.evaluate.security import withheld_under
from permcheck.model import policy as form
from permcheck.model.tables import Key, hierarchy_of


class View(NamedTuple):
    """An estate and how it is read."""

    engine: Engine
    strict: bool = False


class Selection(NamedTuple):
    """What is asked about: keys of users and devices, and actions. Devices None: all."""

    users: tuple[Key, ...]
    acts: tuple[Act, ...]
    devices: tuple[Key, ...] | None = None


class Person(NamedTuple):
    """A class of users, and what each view sees of them: None where it does not have them."""

    members: tuple[Key, ...]
    faces: tuple[Mapping[Key | None, Facets] | None, ...]


class Area(NamedTuple):
    """Where an action takes place: the devices of a hierarchy, or a hierarchy or the tenant itself."""

    ground: Ground
    regions: Regions
    on_devices: bool

    @property
    def hierarchy(self) -> Key | None:
        """The hierarchy; None for the tenant."""
        return self.ground.hierarchy


class Cell(NamedTuple):
    """The answer for a class of users, an action and an area: one region for each view."""

    person: Person
    act: Act
    area: Area
    regions: tuple[RegionId, ...]


class Answers:
    """Every answer of a selection, under each of some views. What nobody asks for is not worked out."""

    def __init__(self, views: Sequence[View], selection: Selection) -> None:
        self.views = tuple(views)
        self.selection = selection
        self._like = tuple(self._first_like(place) for place in range(len(views)))
        """By view: the first one that sees others at most of some users, and those users."""
        shapes: dict[int, Shapes] = {}
        people: dict[int, People] = {}
        for engine, (like, _) in zip((view.engine for view in views), self._like, strict=True):
            if like not in people:
                of_graph = shapes.setdefault(id(engine.graph), Shapes(engine.tables, engine.graph))
                people[like] = People(engine, of_graph)
        self._people = [people[like] for like, _ in self._like]
        self.persons = tuple(self._persons())
        self.areas = tuple(self._areas())
        self._columns: dict[tuple[int, int, Hashable], Sequence[RegionId]] = {}
        self._rows: dict[tuple[int, Key | None], list[Facets | None]] = {}
        self._others: dict[int, list[int]] = {}
        self._solvers: dict[tuple[int, int], Solver | StrictSolver] = {}
        """Those of views that have the hierarchy."""
        for index, area in enumerate(self.areas):
            for place, view in enumerate(views):
                if area.hierarchy is None or area.hierarchy in view.engine.tables.hierarchies:
                    known = self._solvers.get((self._like[place][0], index))
                    self._solvers[place, index] = known or self._solver(place, area)

    @property
    def people(self) -> People:
        """Everybody, as the first view sees them."""
        return self._people[0]

    def cells(self) -> Iterator[Cell]:
        """Every answer, by person, action and area, in the order of the selection."""
        wanted = [(act, index) for act in self.selection.acts for index in self.areas_of(act)]
        columns = [
            (act, self.areas[index], tuple(self.column(place, act, index) for place in range(len(self.views))))
            for act, index in wanted
        ]
        for row, person in enumerate(self.persons):
            for act, area, found in columns:
                yield Cell(person, act, area, tuple([column[row] for column in found]))

    def column(self, place: int, act: Act, area: int) -> Sequence[RegionId]:
        """Return the regions of one view for every person, in their order. Acts that need the same share one."""
        solver = self._solvers.get((place, area))
        if solver is None:
            return [NOWHERE] * len(self.persons)
        part = solver.part(act) if isinstance(solver, Solver) else (act.action.id, act.variant)
        found = self._columns.get((place, area, part))
        if found is None:
            found = self._columns[place, area, part] = self._column(place, act, area)
        return found

    def _column(self, place: int, act: Act, area: int) -> Sequence[RegionId]:
        like = self._like[place][0]
        if like != place:
            return self._like_another(place, like, act, area)
        solver, hierarchy = self._solvers[place, area], self.areas[area].hierarchy
        whole = self.areas[area].ground.there[place] == self.areas[area].regions.full
        rows = self._rows.get((place, hierarchy))
        if rows is None:
            faces = [person.faces[place] for person in self.persons]
            rows = self._rows[place, hierarchy] = [None if face is None else face.get(hierarchy) for face in faces]
        if isinstance(solver, Solver) and whole and None not in rows:
            return solver.column(act, [row for row in rows if row is not None])
        return [self.region(place, person, act, area) for person in self.persons]

    def _like_another(self, place: int, like: int, act: Act, area: int) -> Sequence[RegionId]:
        """Return the column of another view, with the answers of those who are seen otherwise."""
        rows = self._others.get(place)
        if rows is None:
            persons = enumerate(self.persons)
            rows = self._others[place] = [row for row, one in persons if one.faces[place] != one.faces[like]]
        column = self.column(like, act, area)
        if rows:
            column = list(column)
            for row in rows:
                column[row] = self.region(place, self.persons[row], act, area)
        return column

    def areas_of(self, act: Act) -> tuple[int, ...]:
        """Return the numbers of the areas in which an action takes place."""
        target = act.action.target
        return tuple(
            index
            for index, area in enumerate(self.areas)
            if area.on_devices is (target == "device") and (area.hierarchy is None) is (target == "tenant")
        )

    def region(self, place: int, person: Person, act: Act, area: int) -> RegionId:
        """Return the region of one view; what it does not have is nowhere."""
        faces, found = person.faces[place], self.areas[area]
        facets = faces.get(found.hierarchy) if faces is not None else None
        if facets is None:
            return NOWHERE
        region = self._solvers[place, area].region(act, facets, person.members[0])
        there = found.ground.there[place]
        if there == found.regions.full:
            return region
        certain, possible = found.regions[region]
        return found.regions.put(certain & there, possible & there)

    def _solver(self, place: int, area: Area) -> Solver | StrictSolver:
        view, terrain = self.views[place], Terrain(area.ground, place, area.regions)
        kind = StrictSolver if view.strict else Solver
        return kind(view.engine, self._people[place], terrain)

    def _areas(self) -> Iterator[Area]:
        targets = {act.action.target for act in self.selection.acts}
        engines = [view.engine for view in self.views]
        hierarchies = tuple(dict.fromkeys(key for engine in engines for key in engine.tables.hierarchies))
        if "device" in targets:
            for hierarchy, devices in self._devices(hierarchies).items():
                tables = [engine.tables for engine in engines]
                whole = any(self._needs_whole(view, hierarchy) for view in self._ways_to_read(hierarchy))
                assigned = [people.assigned(hierarchy) for people in self._people]
                found = ground(signers_of(tables, hierarchy, assigned, whole=whole), tables, hierarchy, devices)
                yield Area(found, Regions(found.sizes), on_devices=True)
        if self.selection.devices is None:
            top: tuple[Key | None, ...] = (*hierarchies, None)
            for key in top if targets != {"device"} else ():
                there = [int(key is None or key in engine.tables.hierarchies) for engine in engines]
                yield Area(itself(key, there), Regions([1]), on_devices=False)

    def _devices(self, hierarchies: Sequence[Key]) -> Mapping[Key, list[Key] | Rows]:
        tables = [view.engine.tables for view in self.views]
        inventories = inventories_of(tables)
        chosen = self.selection.devices
        if inventories is not None:
            return by_hierarchy(inventories, chosen, hierarchies)
        found: dict[Key, list[Key]] = {hierarchy: [] for hierarchy in hierarchies}
        if chosen is None:
            chosen = tuple(dict.fromkeys(key for one in tables for key in one.devices))
        for device in chosen:
            found[hierarchy_of(device)].append(device)
        return {hierarchy: devices for hierarchy, devices in found.items() if devices}

    def _ways_to_read(self, hierarchy: Key) -> Iterable[View]:
        """Return one of the views for each way to read the documents about a hierarchy."""
        found: dict[object, View] = {}
        for view in self.views:
            engine = view.engine
            if hierarchy in engine.tables.hierarchies:
                how = (view.strict, tuple(sorted(engine.readings.items())), engine.worlds(hierarchy))
                found.setdefault(how, view)
        return found.values()

    def _needs_whole(self, view: View, hierarchy: Key) -> bool:
        """Whether some test looks at more than which assigned collections cover a device."""
        if view.strict:
            return True
        engine = view.engine
        questions = [Question("", act.action, act.variant, hierarchy) for act in self.selection.acts]
        plans = (engine.plan(question, world) for question in questions for world in engine.worlds(hierarchy))
        return any(
            _wants_whole(engine, leaf) for plan in plans for tree in plan.sides.values() for leaf in leaves(tree)
        )

    def _first_like(self, place: int) -> tuple[int, frozenset[Key]]:
        view = self.views[place]
        for like, other in enumerate(self.views[:place]):
            others = seen_otherwise(other.engine, view.engine) if other.strict == view.strict else None
            if others is not None:
                return like, others
        return place, frozenset()

    def _persons(self) -> Iterator[Person]:
        known = [view.engine.tables.users for view in self.views]
        classes: dict[tuple[tuple[Facets, ...] | None, ...], list[Key]] = {}
        for user in self.selection.users:
            found: list[tuple[Facets, ...] | None] = []
            for place, (like, others) in enumerate(self._like):
                if user not in known[place]:
                    found.append(None)
                elif like == place:
                    found.append(self._people[place].face(user))
                else:
                    graph = self.views[place].engine.graph
                    found.append(self._people[place].face(user, graph) if user in others else found[like])
            classes.setdefault(tuple(found), []).append(user)
        for faces, members in classes.items():
            seen = tuple(
                None if face is None else people.by_hierarchy(face)
                for people, face in zip(self._people, faces, strict=True)
            )
            yield Person(tuple(members), seen)


def _wants_whole(engine: Engine, leaf: Leaf) -> bool:
    for test in simple_tests(leaf.test):
        match test:
            case form.SameCollectionTest():
                return True
            case form.RightTest(over="device") if withheld_under(engine.policy, engine.readings, test.permission):
                return True
    return False
