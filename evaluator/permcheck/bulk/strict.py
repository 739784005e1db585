"""The strict answer for classes: allow only where every edition and every reading allows."""

from __future__ import annotations

from collections.abc import Mapping

from permcheck.bulk.act import Act
from permcheck.bulk.people import Facets, People
from permcheck.bulk.reach import Terrain
from permcheck.bulk.regions import EVERYWHERE, NOWHERE, RegionId
from permcheck.bulk.solve import Solver
from permcheck.evaluate.engine import Engine
from permcheck.evaluate.question import Question
from permcheck.evaluate.turns import every_way, reread
from permcheck.model.tables import Key


class StrictSolver:
    """Solves actions under every way to read the documents, and takes the least favourable."""

    def __init__(self, engine: Engine, people: People, terrain: Terrain) -> None:
        self._engine, self._people, self._terrain = engine, people, terrain
        self._plain = Solver(engine, people, terrain)
        self._read: dict[tuple[str | None, tuple[tuple[str, str], ...]], Solver] = {}

    def region(self, act: Act, facets: Facets, user: Key) -> RegionId:
        """Return where an action is allowed to users like this one, and where it may be."""
        question = Question(user, act.action, act.variant, self._terrain.ground.hierarchy)
        regions, result = self._terrain.regions, EVERYWHERE
        for edition, readings in every_way(self._engine, question):
            region = self._solver(edition, readings).region(act, facets, user)
            result = regions.all_of(result, region)
            if result == NOWHERE:
                break
        return regions.where_certain(result, self._plain.region(act, facets, user))

    def _solver(self, edition: str | None, readings: Mapping[str, str]) -> Solver:
        key = (edition, tuple(sorted(readings.items())))
        found = self._read.get(key)
        if found is None:
            engine = reread(self._engine, edition=edition, readings=readings)
            found = self._read[key] = Solver(engine, self._people, self._terrain)
        return found
