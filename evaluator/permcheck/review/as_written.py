"""Hold a signed sheet against the review that was written: which rows lack, were altered, or come from elsewhere.

What a sheet says is worked out from the estate again. A file beside the sheet may have been edited as well as the
sheet: it is compared, and never believed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, NamedTuple

from permcheck.model.fold import fold_case
from permcheck.review.row import Row
from permcheck.review.signed import Sheet, Signed
from permcheck.review.table import COLUMNS, Column, Record, Value
from permcheck.review.write.cells import text_of
from permcheck.review.write.xlsx import shortened, shown

FLAGS: Final = {True: frozenset({"true", "yes", "1"}), False: frozenset({"false", "no", "0"})}
DATE: Final = re.compile("([0-9]{4})-([0-9]{2})(-[0-9]{2})?")
DATES: Final = frozenset({"last_sign_in", "editions"})
LETTER: Final = re.compile(r"[^\W\d_]")


class Change(NamedTuple):
    """A cell that does not say what was written there."""

    column: str
    written: str
    found: str


class Altered(NamedTuple):
    """A row with other contents than those of its id."""

    signed: Signed
    changes: tuple[Change, ...]


class Lacking(NamedTuple):
    """A row that is not in the sheet."""

    row_id: str
    row: Row


class Beside(NamedTuple):
    """What the sheet was compared with besides its rows, and what differs."""

    sources: tuple[str, ...] = ()
    """What was looked at, as sentences; and what could not be."""
    edited: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    """Files of the estate that are not those of which the review was made."""


class Compared(NamedTuple):
    """A sheet, row by row, against the review that it should be."""

    signed: tuple[Signed, ...] = ()
    pairs: tuple[tuple[Signed, Row], ...] = ()
    lacking: tuple[Lacking, ...] = ()
    altered: tuple[Altered, ...] = ()
    foreign: tuple[Signed, ...] = ()
    """Rows that this review does not have."""
    repeated: tuple[Signed, ...] = ()
    lacks: tuple[str, ...] = ()
    """Columns that are not there."""
    beside: Beside = Beside()

    @property
    def is_as_written(self) -> bool:
        """Whether nothing of what permcheck wrote was changed."""
        rows = self.lacking or self.altered or self.foreign or self.repeated
        return not (rows or self.lacks or self.beside.edited)


def compared(rows: Iterable[tuple[Row, Record]], sheet: Sheet) -> Compared:
    """Compare a sheet with the rows of its review, made again. Rows and columns may stand in any order."""
    waiting: dict[str, list[Signed]] = {}
    for one in sheet.rows:
        waiting.setdefault(one.row_id, []).append(one)
    known, pairs, lacking, altered = set[str](), list[tuple[Signed, Row]](), list[Lacking](), list[Altered]()
    for row, record in rows:
        row_id = str(record["row_id"])
        known.add(row_id)
        found = [(one, _changes(record, one, sheet)) for one in waiting.get(row_id, ())]
        if not found:
            lacking.append(Lacking(row_id, row))
            continue
        signed, changes = next((pair for pair in found if not pair[1]), found[0])
        waiting[row_id].remove(signed)
        pairs.append((signed, row))
        if changes:
            altered.append(Altered(signed, changes))
    left = sorted((one for some in waiting.values() for one in some), key=lambda one: one.line)
    return Compared(
        sheet.rows,
        tuple(pairs),
        tuple(lacking),
        tuple(sorted(altered, key=lambda one: one.signed.line)),
        tuple(one for one in left if one.row_id not in known),
        tuple(one for one in left if one.row_id in known),
        sheet.lacks,
    )


def _changes(record: Record, one: Signed, sheet: Sheet) -> tuple[Change, ...]:
    cells = zip(COLUMNS, one.said, strict=True)
    return tuple(
        Change(column.name, written(column.name, record[column.name], is_book=sheet.is_book), found)
        for column, found in cells
        if column.name not in sheet.lacks and not _same(column, record[column.name], found, is_book=sheet.is_book)
    )


def written(name: str, value: Value, *, is_book: bool) -> str:
    """Return what was written into a cell."""
    return shortened(shown(name, value)) if is_book else text_of(value)


def _same(column: Column, value: Value, found: str, *, is_book: bool) -> bool:
    """Tell whether a cell says what was written there, however a spreadsheet writes it."""
    if isinstance(value, bool):
        return fold_case(found) in FLAGS[value]
    if isinstance(value, int):
        return is_number(found, value)
    text = _plain(written(column.name, value, is_book=is_book))
    return text == _plain(found) or (not is_book and column.name in DATES and _is_same_day(text, found))


def is_number(found: str, value: int) -> bool:
    """Tell whether a text is a number."""
    try:
        return float(found) == value
    except ValueError:
        return False


def _plain(text: str) -> str:
    """Return a text without what a spreadsheet does to its lines."""
    return text.replace("\r\n", "\n").replace("\r", "\n").strip()


def _is_same_day(text: str, found: str) -> bool:
    """Tell whether a spreadsheet may have made this of a day, or of a month, when it opened a CSV."""
    date = DATE.fullmatch(text)
    if date is None or DATE.fullmatch(found):
        return False
    year, *rest = (int(part) for part in text.split("-"))
    numbers = sorted(map(int, re.findall("[0-9]+", found)))
    if date[3] is None and LETTER.search(found):  # `Aug 22`
        rest = []
    return numbers in (sorted((year, *rest)), sorted((year % 100, *rest)))
