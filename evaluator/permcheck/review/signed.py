"""Read a review back that people have signed: which rows stay, and which are to be removed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from permcheck.errors import LoadError, Problem
from permcheck.exports.batch import fold
from permcheck.exports.csv_file import csv_batches
from permcheck.loading.files import file_problem
from permcheck.review.book import AGAIN, SHEET, book_lines, is_book
from permcheck.review.table import title
from permcheck.review.write.cells import original

KEEP, REMOVE = "keep", "remove"
NEEDED = ("row_id", "decision")
READ = (*NEEDED, "reviewer", "decided_at", "comment", "users")


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

    @property
    def place(self) -> str:
        """Where it stands in the sheet."""
        return f"cell {self.cell}" if self.cell else f"line {self.line}"


def read_signed(path: Path) -> tuple[Signed, ...]:
    """Read the rows of a signed CSV, whatever the delimiter, or workbook. Raises LoadError with every problem."""
    problems: list[Problem] = []
    found: dict[str, Signed] = {}
    if not path.is_file():
        raise file_problem(path, "no-such-file", "there is no such file")
    for one in _of_book(path, problems) if is_book(path) else _of_csv(path, problems):
        if one.decision not in {"", KEEP, REMOVE}:
            problems.append(
                _problem(path, one, "decision", f"`{one.decision}` is no decision", f"write {KEEP} or {REMOVE}")
            )
        before = found.setdefault(one.row_id, one)
        if before is not one and before.decision != one.decision:
            message = f"row `{one.row_id}` is decided otherwise in {before.place}"
            problems.append(_problem(path, one, "twice", message, "decide each row once"))
    if problems:
        raise LoadError(tuple(problems))
    return tuple(found.values())


def _problem(path: Path, one: Signed, id_: str, message: str, help_: str) -> Problem:
    if one.cell:
        return _in_cell(path, one.cell, id_, message, help_)
    return Problem(str(path), one.line, 1, id_, message, help_)


def _in_cell(path: Path, cell: str, id_: str, message: str, help_: str) -> Problem:
    return Problem(f"{path}, {SHEET}!{cell}", 0, 0, id_, message, help_)


def _of_csv(path: Path, problems: list[Problem]) -> Iterator[Signed]:
    for batch in csv_batches(path, ""):
        lacking = [name for name in NEEDED if fold(name) not in batch.head]
        if lacking:
            message = f"the sheet has no column {' and no column '.join(f'`{name}`' for name in lacking)}"
            help_ = "sign a sheet that `permcheck review -o review.csv` wrote, and save it as CSV"
            problems.append(Problem(str(path), max(batch.first_line - 1, 1), 1, "no-column", message, help_))
            continue
        for number, row in enumerate(batch.rows()):
            yield _signed(row, batch.first_line + number)


def _signed(row: Mapping[str, object], line: int) -> Signed:
    said = {name: original(str(row.get(fold(name)) or "").strip()) for name in READ}
    return Signed(line, **said | {"decision": said["decision"].casefold()})


def _of_book(path: Path, problems: list[Problem]) -> Iterator[Signed]:
    """Return the rows of a workbook. A formula in them is told, and not worked out: it may show anything."""
    book = book_lines(path)
    head = next(book, None)
    lacking = [name for name in NEEDED if head is None or name not in head.cells]
    if lacking:
        columns = " and no column ".join(f"`{title(name)}`" for name in lacking)
        message = f"the sheet `{SHEET}` has no column {columns}"
        problems.append(_in_cell(path, f"A{head.number if head else 1}", "no-column", message, AGAIN))
        return
    for line in book:
        cells = {name: line.cells[name] for name in READ if name in line.cells}
        faulty = [cell for cell in cells.values() if cell.fault]
        for cell in faulty:
            message = f"the cell holds {cell.fault}, which is not worked out"
            problems.append(_in_cell(path, cell.at, "formula", message, "write what it is to say"))
        said = {name: cell.text.strip() for name, cell in cells.items()}
        if faulty or not (said.get("row_id") or said.get("decision")):
            continue
        at = cells["decision"].at if "decision" in cells else cells["row_id"].at
        if not said.get("row_id"):
            message = "something is decided here, and the row has no id"
            problems.append(_in_cell(path, at, "no-row", message, AGAIN))
            continue
        said["decision"] = said.get("decision", "").casefold()
        yield Signed(line.number, **said, cell=at)
