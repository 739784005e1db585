"""XLSX: a workbook that people filter, fill in and sign. Rows are streamed to the disk, not held."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC
from pathlib import Path
from textwrap import wrap
from typing import Final, NamedTuple

from permcheck.errors import WriteError
from permcheck.model.state import Verdict
from permcheck.review.table import DETAILS, SAID, SIGN_OFF, NameSet, Record, Value, title
from permcheck.review.write.cells import text_of
from permcheck.review.write.frames import needed
from permcheck.review.write.listing import About, Listing
from permcheck.review.write.population import population
from permcheck.review.write.sheets import LIMIT, Book, Sheet, columns_sheet, sets_sheet, sign_off_sheet
from permcheck.review.write.summary_sheet import summary_sheet

LONGEST: Final = 32_767
KEPT: Final = ("row_info", "set_rows", "row_sizes")
"""Where releases of XlsxWriter keep what they know of a row; nothing but memory hangs on it."""
"""So many characters of UTF-16 fit into a cell."""
CUT: Final = " … (cut: a cell holds 32,767 characters; CSV and JSONL hold all)"
DECISIONS: Final = ("keep", "remove")
PRIVILEGED: Final = ("act", "administer")
WIDTHS: Final = {
    "verdict": 13,
    "users": 32,
    "user_count": 7,
    "name": 24,
    "action_title": 28,
    "hierarchy": 10,
    "devices": 26,
    "device_count": 8,
    "path": 50,
    "reason": 42,
    "authority": 10,
    "enabled": 9,
    "used": 7,
    "advice": 24,
    "reviewer": 22,
    "comment": 32,
    "missing": 36,
    "row_id": 38,
    "object_id": 38,
    "sid": 38,
    "action": 26,
    "account": 26,
    "error": 40,
    "sources": 40,
}
STACKED: Final = frozenset({"path", "reason"})
NARROW: Final = 12
FROZEN: Final = 3
"""Columns that stay in view, and are printed on each page: the verdict, who, and what."""
LINE_HEIGHT, MOST_LINES = 15, 20
WRAPPED: Final = frozenset({"users", "name", "action_title", "devices", "path", "reason", "advice"})


class Layout(NamedTuple):
    """The columns of a sheet in order: what permcheck says, the sign-off, the details."""

    said: tuple[str, ...]
    sign_off: tuple[str, ...]
    details: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """All of them."""
        return self.said + self.sign_off + self.details


REVIEW: Final = Layout(tuple(c.name for c in SAID), tuple(SIGN_OFF), tuple(c.name for c in DETAILS))
RIGHTS: Final = REVIEW._replace(sign_off=())


def write_book(path: Path, scratch: Path, listing: Listing, about: About, beside: str) -> tuple[NameSet, ...]:
    """Write a workbook. Returns the sets that it has no room for: they belong into the file `beside`."""
    _check_room(path, listing)
    with _book(path, scratch, about) as book:
        summary = book.sheet("Summary")
        hidden = _needless(listing)
        review = Rows(book, "Review", REVIEW, path, hidden)
        rights = Rows(book, "Privileged", RIGHTS, path, hidden)
        for one in listing:
            review.add(one.record)
            if one.record["effect"] in PRIVILEGED and one.record["verdict"] != Verdict.DENY.value:
                rights.add(one.record)
        review.finish()
        rights.finish()
        left = sets_sheet(book, listing.sets, beside)
        columns_sheet(book)
        cut = {"Review": review.cut, "Privileged": rights.cut}
        told = population(listing, about)
        summary_sheet(summary, book, listing, told, {name: count for name, count in cut.items() if count})
        column = REVIEW.names.index("decision")
        sign_off_sheet(book, told, review.count, column)
    return left


def _check_room(path: Path, listing: Listing) -> None:
    """Refuse at once what is known not to fit."""
    if listing.what.by == "cell":
        cells = sum(getattr(listing.review.total, verdict.value) for verdict in listing.what.verdicts)
        if cells >= LIMIT:
            raise _no_room(path)


def _no_room(path: Path) -> WriteError:
    help_ = "write CSV, JSONL or Parquet, or select fewer users, actions or devices; nothing was changed"
    return WriteError(path.name, f"a sheet holds {LIMIT:,} rows, and the review has more", help_)


@contextmanager
def _book(path: Path, scratch: Path, about: About) -> Iterator[Book]:
    """Open a workbook; what can't be written is an OSError, as elsewhere."""
    writer = needed("xlsxwriter")
    options = {
        "constant_memory": True,
        "tmpdir": str(scratch),
        "strings_to_formulas": False,
        "strings_to_numbers": False,
        "strings_to_urls": False,
    }
    book = writer.Workbook(str(path), options)
    book.use_zip64()
    created = about.at.astimezone(UTC).replace(tzinfo=None)
    book.set_properties({"title": "Access review", "author": "permcheck", "created": created})
    try:
        yield Book(book)
        book.close()
    except writer.exceptions.FileCreateError as error:
        raise error.args[0] from None
    finally:
        for sheet in book.worksheets():  # where files that are open can't be removed
            with suppress(Exception):
                sheet._opt_close()  # noqa: SLF001 - nothing else closes them after a failure


class Rows:
    """A sheet of rows, written one after another."""

    def __init__(self, book: Book, name: str, layout: Layout, path: Path, hidden: frozenset[str]) -> None:
        self._book, self._layout, self._path, self._hidden = book, layout, path, hidden
        self.count = 0
        self.cut = 0
        self.sheet: Sheet = book.sheet(name)
        self._prepare()

    def _prepare(self) -> None:
        layout, sheet = self._layout, self.sheet
        for index, name in enumerate(layout.names):
            how = {"level": 1, "hidden": True} if name in layout.details else {"hidden": name in self._hidden}
            sheet.set_column(index, index, WIDTHS.get(name, NARROW), None, how)
            kind = "sign-off header" if name in layout.sign_off else "header"
            sheet.write_string(0, index, title(name), self._book.format(kind))
        sheet.set_column(len(layout.names), len(layout.names), None, None, {"collapsed": True})
        sheet.set_row(0, 2 * LINE_HEIGHT)
        sheet.freeze_panes(1, FROZEN)
        sheet.set_landscape()
        sheet.set_paper(9)
        sheet.fit_to_pages(2, 0)
        sheet.repeat_rows(0)
        sheet.repeat_columns(0, FROZEN - 1)
        sheet.set_footer("&L&F, &A&RPage &P of &N")

    def add(self, record: Record) -> None:
        """Write a row. Raises WriteError if the sheet is full."""
        self.count += 1
        if self.count >= LIMIT:
            raise _no_room(self._path)
        self.sheet.set_row(self.count, LINE_HEIGHT * _lines(record))
        for index, name in enumerate(self._layout.names):
            if name in self._layout.sign_off:
                kind = "sign-off date" if name == "decided_at" else "sign-off"
                self.sheet.write_blank(self.count, index, None, self._book.format(kind))
            else:
                self._write(index, name, record[name])
        for name in KEPT:  # the row before is on the disk
            getattr(self.sheet, name, {}).pop(self.count - 1, None)

    def _write(self, index: int, name: str, value: Value) -> None:
        if isinstance(value, bool):
            self.sheet.write_string(self.count, index, "yes" if value else "no", self._book.format("cell"))
        elif isinstance(value, int):
            self.sheet.write_number(self.count, index, value, self._book.format("count"))
        elif value:
            text = shown(name, value)
            kept = shortened(text)
            self.cut += kept != text
            kind = text if name == "verdict" else "wrapped" if name in WRAPPED else "cell"
            self.sheet.write_string(self.count, index, kept, self._book.format(kind))
        else:
            self.sheet.write_blank(self.count, index, None, self._book.format("cell"))

    def finish(self) -> None:
        """Add what depends on the number of rows: the filter, and the drop-down of the decision."""
        names = self._layout.names
        self.sheet.autofilter(0, 0, self.count, len(names) - 1)
        if self.count:
            self.sheet.print_area(0, 0, self.count, len(self._layout.said + self._layout.sign_off) - 1)
        if self.count and self._layout.sign_off:
            column = names.index("decision")
            choices = {
                "validate": "list",
                "source": list(DECISIONS),
                "error_title": "Decision",
                "error_message": "keep or remove; leave it empty while it is open",
            }
            self.sheet.data_validation(1, column, self.count, column, choices)


def _needless(listing: Listing) -> frozenset[str]:
    """Return columns that would be empty, or the same in each row: they are there, and hidden."""
    tables = listing.tables
    found = {"user_count"} if listing.what.by != "class" else set()
    found |= set() if tables.usage else {"used"}
    found |= set() if any(user.last_sign_in for user in tables.users.values()) else {"last_sign_in"}
    return frozenset(found | ({"reason"} if listing.what.verdicts == (Verdict.ALLOW,) else set()))


def shown(name: str, value: Value) -> str:
    """Return a value as text; of paths and reasons, each on a line of its own."""
    return "\n".join(value) if isinstance(value, tuple) and name in STACKED else text_of(value)


def _lines(record: Record) -> int:
    """Return how many lines the longest cell of a row takes: not every program finds that out by itself."""
    most = 1
    for name in WRAPPED:
        text, width = shown(name, record[name]), WIDTHS[name]
        if len(text) >= width or "\n" in text:
            most = max(most, sum(len(wrap(line, width)) or 1 for line in text[: width * MOST_LINES].split("\n")))
    return min(most, MOST_LINES)


def shortened(text: str) -> str:
    """Return what fits into a cell; what is cut says so."""
    if 2 * len(text) <= LONGEST:
        return text
    wide = text.encode("utf-16-le")
    if len(wide) <= 2 * LONGEST:
        return text
    return wide[: 2 * (LONGEST - len(CUT))].decode("utf-16-le", "ignore") + CUT
