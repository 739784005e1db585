"""Read a review back that people have signed: what they decided, and what the sheet says of each row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple

from permcheck.errors import LoadError, Problem
from permcheck.exports.batch import fold
from permcheck.exports.csv_file import csv_batches, csv_columns
from permcheck.loading.files import file_problem
from permcheck.review.book import AGAIN, SHEET, Cell, book_lines, is_book
from permcheck.review.table import COLUMNS, SIGN_OFF, title
from permcheck.review.write.cells import original

KEEP, REMOVE = "keep", "remove"
NEEDED: Final = ("row_id", "decision")
NAMES: Final = tuple(column.name for column in COLUMNS)
READ: Final = (*SIGN_OFF, *NAMES)
SHEETS: Final = frozenset({".csv", ".xlsx"})
DAYS_IN: Final = frozenset({"decided_at", "last_sign_in"})


class Signed(NamedTuple):
    """One row of a signed sheet."""

    line: int
    row_id: str
    decision: str
    """`keep`, `remove`, or empty where nobody decided."""
    reviewer: str = ""
    decided_at: str = ""
    comment: str = ""
    users: str = ""
    cell: str = ""
    """That of the decision, in a workbook."""
    said: tuple[str, ...] = ()
    """What stands in the columns that permcheck wrote, in the order of NAMES; nothing where there is no such column."""

    @property
    def place(self) -> str:
        """Where it stands in the sheet."""
        return f"cell {self.cell}" if self.cell else f"line {self.line}"


class Sheet(NamedTuple):
    """A signed sheet."""

    path: Path
    rows: tuple[Signed, ...]
    lacks: tuple[str, ...]
    """Columns that permcheck wrote, and that are not there."""
    is_book: bool


def read_signed(path: Path) -> Sheet:
    """Read the rows of a signed CSV, whatever the delimiter, or workbook. Raises LoadError with every problem."""
    if not path.is_file():
        raise file_problem(path, "no-such-file", "there is no such file")
    reader = _Reader(path)
    book = is_book(path)
    rows = tuple(reader.of_book() if book else reader.of_csv())
    decided: dict[str, Signed] = {}
    for one in rows:
        if one.decision not in {"", KEEP, REMOVE}:
            reader.report(one, "decision", f"`{one.decision}` is no decision", f"write {KEEP} or {REMOVE}")
        before = decided.setdefault(one.row_id, one)
        if before.decision != one.decision:
            message = f"row `{one.row_id}` is decided otherwise in {before.place}"
            reader.report(one, "twice", message, "decide each row once")
    if reader.problems:
        raise LoadError(tuple(reader.problems))
    return Sheet(path, rows, tuple(name for name in NAMES if name in reader.lacks), book)


def refuse_decided(path: Path) -> None:
    """Refuse to write over a sheet in which people have decided something. Raises LoadError."""
    if path.is_file() and path.suffix.lower() in SHEETS:
        try:
            rows = read_signed(path).rows
        except LoadError:
            return  # no sheet of a review, or one that nobody can read
        decided = sum(bool(one.decision) for one in rows)
        if decided:
            message = f"the sheet holds {decided} decision{'s'[: decided > 1]}, which would be lost"
            raise file_problem(path, "decided", message, "write to another file, or move this one away")


class _Reader:
    """Reads a sheet, and collects what is wrong with it."""

    def __init__(self, path: Path) -> None:
        self.problems: list[Problem] = []
        self.lacks: set[str] = set()
        self._path = path
        self._texts: dict[str, str] = {}
        """Most texts stand in many rows: each is kept once."""

    def report(self, one: Signed, id_: str, message: str, help_: str) -> None:
        """Note a problem of a row."""
        if one.cell:
            self._in_cell(one.cell, id_, message, help_)
        else:
            self._in_line(one.line, id_, message, help_)

    def _in_line(self, line: int, id_: str, message: str, help_: str) -> None:
        self.problems.append(Problem(str(self._path), line, 1, id_, message, help_))

    def _in_cell(self, cell: str, id_: str, message: str, help_: str) -> None:
        self.problems.append(Problem(f"{self._path}, {SHEET}!{cell}", 0, 0, id_, message, help_))

    def _signed(self, line: int, said: Mapping[str, str], cell: str = "") -> Signed:
        known = {name: self._texts.setdefault(text, text) for name, text in said.items()}
        told = {name: known.get(name, "") for name in (*SIGN_OFF, "row_id", "users")}
        told["decision"] = told["decision"].casefold()
        return Signed(line, **told, cell=cell, said=tuple(known.get(name, "") for name in NAMES))

    def of_csv(self) -> Iterator[Signed]:
        """Return the rows of a CSV."""
        folded = {fold(name): name for name in READ}
        heads = dict(csv_columns(self._path))
        for batch in csv_batches(self._path, ""):
            line = max(batch.first_line - 1, 1)
            for key, count in Counter(heads.get(line, ())).items():
                if count > 1 and key in folded:
                    self._in_line(line, "twice", f"the column `{folded[key]}` stands twice", "keep one of them")
            lacking = [name for key, name in folded.items() if key not in batch.head]
            if set(lacking) & set(NEEDED):
                columns = " and no column ".join(f"`{name}`" for name in NEEDED if name in lacking)
                help_ = "sign a sheet that `permcheck review -o review.csv` wrote, and save it as CSV"
                self._in_line(line, "no-column", f"the sheet has no column {columns}", help_)
                continue
            self.lacks |= set(lacking)
            for number, row in enumerate(batch.rows()):
                said = {name: original(str(row.get(key) or "").strip()) for key, name in folded.items()}
                yield self._signed(batch.first_line + number, said)

    def of_book(self) -> Iterator[Signed]:
        """Return the rows of a workbook. A formula in them is told, and not worked out: it may show anything."""
        book = book_lines(self._path)
        head = next(book, None)
        there = head.cells if head else {}
        lacking = [name for name in NEEDED if name not in there]
        if lacking:
            columns = " and no column ".join(f"`{title(name)}`" for name in lacking)
            message = f"the sheet `{SHEET}` has no column {columns}"
            self._in_cell(f"A{head.number if head else 1}", "no-column", message, AGAIN)
            return
        for name in head.twice if head else ():
            if name in READ:
                self._in_cell(there[name].at, "twice", f"the column `{title(name)}` stands twice", "keep one of them")
        self.lacks |= set(READ) - there.keys()
        for line in book:
            one = self._of_line(line.number, {name: line.cells[name] for name in READ if name in line.cells})
            if one is not None:
                yield one

    def _of_line(self, number: int, cells: Mapping[str, Cell]) -> Signed | None:
        faulty = [cell for cell in cells.values() if cell.fault]
        for cell in faulty:
            message = f"the cell holds {cell.fault}, which is not worked out"
            self._in_cell(cell.at, "formula", message, "write what it is to say")
        said = {name: ((cell.day if name in DAYS_IN else "") or cell.text).strip() for name, cell in cells.items()}
        if faulty or not any(said.values()):
            return None
        at = cells.get("decision") or cells.get("row_id") or next(iter(cells.values()))
        if not said.get("row_id"):
            message = (
                "something is decided here, and the row has no id" if said.get("decision") else "the row has no id"
            )
            self._in_cell(at.at, "no-row", message, AGAIN)
            return None
        return self._signed(number, said, at.at)
