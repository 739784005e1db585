"""A review: the answers of a selection with their reasons, row by row, and how many there are of each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

from permcheck.bulk.act import Act
from permcheck.bulk.answers import Answers, Cell, Selection, View
from permcheck.bulk.regions import Bits
from permcheck.errors import UnknownNameError
from permcheck.evaluate.question import Question
from permcheck.model.decision import Decision
from permcheck.model.state import Verdict
from permcheck.model.tables import Key
from permcheck.review.evidence import Evidence, decided, evidence
from permcheck.review.pieces import alike, first_device, pieces
from permcheck.review.row import Devices, Row
from permcheck.review.table import Printer, Record, record

if TYPE_CHECKING:
    import polars as pl
    import pyarrow as pa

By: TypeAlias = Literal["class", "user", "cell"]
VERDICTS = (Verdict.ALLOW, Verdict.UNDETERMINED, Verdict.DENY)


class Total(NamedTuple):
    """How many cells (one user, one action, one device) have each verdict."""

    allow: int = 0
    undetermined: int = 0
    deny: int = 0

    def __add__(self, other: object) -> Total:
        assert isinstance(other, Total)
        return Total(*(a + b for a, b in zip(self, other, strict=True)))

    @property
    def cells(self) -> int:
        """All of them."""
        return self.allow + self.undetermined + self.deny


@dataclass(frozen=True)
class Review:
    """Every answer of a selection. Rows are worked out as they are read."""

    view: View
    selection: Selection
    watch: Callable[[Iterator[Cell]], Iterator[Cell]] = iter
    """Passes the answers on while rows are made of them, and may count them."""

    def watched(self, watch: Callable[[Iterator[Cell]], Iterator[Cell]]) -> Review:
        """Return the same review, watched by something that shows how far it is."""
        return replace(self, watch=watch)

    @cached_property
    def answers(self) -> Answers:
        """The answers by classes, without reasons."""
        return Answers((self.view,), self.selection)

    @cached_property
    def totals(self) -> Mapping[Act, Total]:
        """How many cells of each action have which verdict."""
        found: dict[Act, Total] = dict.fromkeys(self.selection.acts, Total())
        for cell in self.answers.cells():
            found[cell.act] += total(cell, 0)
        return found

    @property
    def total(self) -> Total:
        """How many cells there are in all."""
        return sum(self.totals.values(), Total())

    def rows(
        self, verdicts: Sequence[Verdict] = VERDICTS, *, by: By = "class", every_path: bool = False
    ) -> Iterator[Row]:
        """Every answer with one of some verdicts, by classes, by users, or cell by cell."""
        for cell in self.watch(self.answers.cells()):
            for users in self._alike(cell):
                for verdict in verdicts:
                    for row in self._explained(cell, users, verdict, every_path=every_path):
                        yield from _expanded(row, by)

    def records(self, verdicts: Sequence[Verdict] = VERDICTS, *, by: By = "class") -> Iterator[Record]:
        """Every answer as its columns by name. Of a long set there is a name: `members` has them."""
        return (record(self._printer, row) for row in self.rows(verdicts, by=by))

    def members(self, name: str) -> tuple[str, ...]:
        """Names in a long set that a record named. Raises UnknownNameError."""
        found = self._printer.sets.get(name)
        if found is None:
            raise UnknownNameError("set", name, hint="records and frames name sets as they are made")
        return tuple(found.members())

    def to_arrow(self, verdicts: Sequence[Verdict] = VERDICTS, *, by: By = "class") -> pa.Table:
        """Return the records as a table of Arrow. Raises QuestionError where pyarrow is not installed."""
        from permcheck.review.write.frames import to_arrow

        return to_arrow(self.records(verdicts, by=by))

    def to_polars(self, verdicts: Sequence[Verdict] = VERDICTS, *, by: By = "class") -> pl.DataFrame:
        """Return the records as a frame of Polars. Raises QuestionError where it is not installed."""
        from permcheck.review.write.frames import to_polars

        return to_polars(self.records(verdicts, by=by))

    def to_pandas(self, verdicts: Sequence[Verdict] = VERDICTS, *, by: By = "class") -> Any:
        """Return the records as a frame of pandas. Raises QuestionError where it or pyarrow is not installed."""
        from permcheck.review.write.frames import to_pandas

        return to_pandas(self.records(verdicts, by=by))

    @cached_property
    def _printer(self) -> Printer:
        return Printer(self.view.engine.tables, self.view.engine.policy)

    def _alike(self, cell: Cell) -> tuple[tuple[Key, ...], ...]:
        found = self._ways.get(cell.person.members)
        if found is None:
            found = self._ways[cell.person.members] = alike((self.view.engine,), cell.person.members)
        return found

    @cached_property
    def _ways(self) -> dict[tuple[Key, ...], tuple[tuple[Key, ...], ...]]:
        return {}

    def _explained(self, cell: Cell, users: tuple[Key, ...], verdict: Verdict, *, every_path: bool) -> Iterator[Row]:
        regions, there = cell.area.regions, cell.area.ground.there[0]
        bits = regions.bits(cell.regions[0], verdict) & there
        if not bits:
            return
        merged: dict[Evidence, Bits] = {}
        for part in pieces(self.view, 0, cell, users[0], bits, every=every_path):
            decision = self.decision(users[0], cell.act, cell.area.hierarchy, first_device(cell.area, part))
            assert decision.verdict is verdict
            why = evidence(decision, self.view.engine.tables, self.view.engine.policy, every=every_path)
            merged[why] = merged.get(why, 0) | part
        for why, part in merged.items():
            yield Row(users, cell.act, Devices(cell.area, part), verdict, why)

    def decision(self, user: Key, act: Act, hierarchy: Key | None, device: Key | None) -> Decision:
        """Decide one cell in full."""
        return decided(self.view, Question(user, act.action, act.variant, hierarchy, device))


def total(cell: Cell, place: int) -> Total:
    """Return how many cells a cell of classes stands for, by verdict."""
    regions, there = cell.area.regions, cell.area.ground.there[place]
    certain, possible = regions[cell.regions[place]]
    allow, may = regions.count(certain), regions.count(possible)
    people = len(cell.person.members)
    return Total(allow * people, (may - allow) * people, (regions.count(there) - may) * people)


def _expanded(row: Row, by: By) -> Iterator[Row]:
    if by == "class":
        yield row
        return
    for user in row.users:
        if by == "user" or not row.devices.area.on_devices:
            yield row._replace(users=(user,))
        else:
            for device in row.devices.each():
                yield row._replace(users=(user,), devices=replace(row.devices, only=device))
