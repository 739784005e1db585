"""The rows of a review as they are written: each once, counted and hashed on the way."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import NamedTuple

from permcheck.bulk.act import Act
from permcheck.model.state import Verdict
from permcheck.review.review import VERDICTS, By, Review
from permcheck.review.row import Row
from permcheck.review.table import NameSet, Printer, Record, record


class What(NamedTuple):
    """Which answers are listed, and how."""

    verdicts: tuple[Verdict, ...] = VERDICTS
    by: By = "class"
    every_path: bool = False


class About(NamedTuple):
    """What a review can't know of itself. `at` has a time zone."""

    at: datetime
    version: str
    """That of permcheck."""
    estate: str
    """The path that was given."""
    filters: Mapping[str, tuple[str, ...]] = {}
    """What was asked for: selectors of users, actions and devices."""
    changes: tuple[str, ...] = ()
    """What was assumed to be changed in the estate."""


class Listed(NamedTuple):
    """A row, and what it is as a line of JSON."""

    record: Record
    line: str


class Found(NamedTuple):
    """What a fact or a reading is the matter of, in cells."""

    missing: Counter[str]
    readings: Counter[str]
    assumed: Counter[str]


class Listing:
    """The rows of a review, once. What is counted is whole when all of them were read."""

    def __init__(self, review: Review, what: What) -> None:
        self.review, self.what = review, what
        engine = review.view.engine
        self.tables, self.policy, self.engine = engine.tables, engine.policy, engine
        self.printer = Printer(engine.tables, engine.policy)
        self.rows = 0
        self.cells: Counter[tuple[Act, Verdict]] = Counter()
        self.found = Found(Counter(), Counter(), Counter())
        self._hash = hashlib.sha256()

    def __iter__(self) -> Iterator[Listed]:
        """Yield every row. Fails if they are not the answers that were counted beforehand."""
        return (one for _, one in self.pairs())

    def pairs(self) -> Iterator[tuple[Row, Listed]]:
        """Yield every row with what is written of it."""
        for row in self.review.rows(self.what.verdicts, by=self.what.by, every_path=self.what.every_path):
            told = record(self.printer, row)
            line = json.dumps(told, ensure_ascii=False, separators=(",", ":"))
            self._count(row, line)
            yield row, Listed(told, line)
        for act, counted in self.review.totals.items():
            for verdict in self.what.verdicts:
                if self.cells[act, verdict] != getattr(counted, verdict.value):
                    raise AssertionError(f"{act}: the rows are not the answers that were counted")

    def _count(self, row: Row, line: str) -> None:
        self.rows += 1
        self.cells[row.act, row.verdict] += row.cells
        self._hash.update(line.encode() + b"\n")
        why = row.evidence
        told = (why.missing, why.contested, why.assumed)
        for counter, names in zip(self.found, told, strict=True):
            for name in names:
                counter[name] += row.cells

    def reading(self, name: str) -> str:
        """Say in words how a contested passage is read."""
        chosen, form = self.engine.readings[name], self.policy.readings[name]
        says = next((one.says for one in form.alternatives if one.id == chosen), chosen)
        return f"{form.question} {says} ({name}={chosen})"

    @property
    def sha256(self) -> str:
        """The hash of the rows as lines of JSON, the same in every format."""
        return self._hash.hexdigest()

    @property
    def listed(self) -> int:
        """How many cells the rows stand for."""
        return self.cells.total()

    @property
    def sets(self) -> tuple[NameSet, ...]:
        """The sets that rows refer to, by name."""
        return tuple(self.printer.sets[key] for key in sorted(self.printer.sets))
