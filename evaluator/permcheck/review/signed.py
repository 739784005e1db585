"""Read a review back that people have signed: which rows stay, and which are to be removed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from permcheck.errors import LoadError, Problem
from permcheck.exports.batch import fold
from permcheck.exports.csv_file import csv_batches
from permcheck.review.write.cells import original

KEEP, REMOVE = "keep", "remove"
NEEDED = ("row_id", "decision")


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


def read_signed(path: Path) -> tuple[Signed, ...]:
    """Read the rows of a signed CSV, whatever the delimiter. Raises LoadError with every problem."""
    problems: list[Problem] = []
    found: dict[str, Signed] = {}
    for one in _rows(path, problems):
        if one.decision not in {"", KEEP, REMOVE}:
            message = f"`{one.decision}` is no decision"
            problems.append(Problem(str(path), one.line, 1, "decision", message, f"write {KEEP} or {REMOVE}"))
        before = found.setdefault(one.row_id, one)
        if before is not one and before.decision != one.decision:
            message = f"row `{one.row_id}` is decided otherwise in line {before.line}"
            problems.append(Problem(str(path), one.line, 1, "twice", message, "decide each row once"))
    if problems:
        raise LoadError(tuple(problems))
    return tuple(found.values())


def _rows(path: Path, problems: list[Problem]) -> Iterator[Signed]:
    if not path.is_file():
        raise LoadError((Problem(str(path), 0, 0, "no-such-file", "there is no such file"),))
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
    def text(name: str) -> str:
        return original(str(row.get(fold(name)) or "").strip())

    return Signed(
        line,
        text("row_id"),
        text("decision").casefold(),
        text("reviewer"),
        text("decided_at"),
        text("comment"),
        text("users"),
    )
