"""CSV for spreadsheets: UTF-8 with BOM, CRLF, cells that no spreadsheet takes for a formula."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from permcheck.review.table import DETAILS, SAID, SIGN_OFF, NameSet, Value
from permcheck.review.write.cells import neutral, text_of
from permcheck.review.write.listing import Listing

BOM: Final = "\ufeff"
HEADER: Final = (*(one.name for one in SAID), *SIGN_OFF, *(one.name for one in DETAILS))
SETS: Final = ("set", "kind", "member")


def csv_lines(listing: Listing) -> Iterator[str]:
    """Yield the lines of a review, the header first. The sign-off is empty."""
    return _lines(HEADER, ([one.record.get(name) for name in HEADER] for one in listing))


def csv_sets(sets: Iterable[NameSet]) -> Iterator[str]:
    """Yield the lines of the second table: a member in each."""
    return _lines(SETS, ((one.id, one.kind, name) for one in sets for name in one.members()))


def _lines(header: Sequence[str], rows: Iterable[Sequence[Value]]) -> Iterator[str]:
    line = _Line()
    writer = csv.writer(line)
    yield BOM
    writer.writerow(header)
    yield line.text
    for row in rows:
        writer.writerow([neutral(text_of(value)) for value in row])
        yield line.text


class _Line:
    """What csv.writer writes to: it keeps the last line."""

    text = ""

    def write(self, text: str) -> None:
        self.text = text
