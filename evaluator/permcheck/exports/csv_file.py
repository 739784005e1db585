"""Read a CSV export: what `Export-Csv`, the admin centers and Reporting Services write."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from permcheck.errors import LoadError, Problem
from permcheck.exports.batch import Batch, Row, fold, once
from permcheck.loading.files import BOMS, file_problem

FIELD_LIMIT: Final = 2**20
DELIMITERS: Final = ",;\t"


def csv_batches(path: Path, folder: str) -> Iterator[Batch]:
    """Return the tables of a CSV file; a report holds several, with an empty line between. Raises LoadError."""
    delimiter, start = _opening(path)
    for first, header in tuple(_headers(path, delimiter, start)):  # a broken file has no tables at all

        def rows(first: int = first, header: tuple[str, ...] = header) -> Iterator[Row]:
            return _rows(path, delimiter, first, header)

        head = next(rows(), {})
        yield Batch(str(path), folder, "", head or dict.fromkeys(header), rows, first_line=first + 1, format="csv")


def csv_columns(path: Path) -> tuple[tuple[int, tuple[str, ...]], ...]:
    """Return the columns of every table of a CSV file, folded, each with its line. Raises LoadError."""
    return tuple(_headers(path, *_opening(path)))


def _encoding(path: Path) -> str:
    with path.open("rb") as stream:
        start = stream.read(4096)
    encoding = next((name for bom, name in BOMS if start.startswith(bom)), "utf-8")
    if encoding == "utf-8" and b"\0" in start:
        raise file_problem(path, "binary", "this is not a text file", "export it as CSV")
    return encoding


def _lines(path: Path) -> Iterator[str]:
    encoding = _encoding(path)
    try:
        with path.open(encoding=encoding, newline="") as stream:
            yield from stream
    except UnicodeDecodeError as error:
        message = f"byte 0x{error.object[error.start]:02x} is not {encoding.removesuffix('-sig').upper()}"
        raise file_problem(path, "encoding", message, "save the file as UTF-8") from None


def _opening(path: Path) -> tuple[str, int]:
    """Return the delimiter, and how many lines stand before the first header."""
    skipped = 0
    for line in _lines(path):
        if line.startswith("#TYPE") or not line.strip():
            skipped += 1
        elif line.lower().startswith("sep="):
            return line.rstrip("\r\n")[4:5] or ",", skipped + 1
        else:
            return max(DELIMITERS, key=line.count), skipped
    raise file_problem(path, "empty-file", "the file is empty", "export it again")


def _table(path: Path, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Read lines as fields, with the number of the line each begins at."""
    csv.field_size_limit(FIELD_LIMIT)
    reader = csv.reader(_lines(path), delimiter=delimiter, strict=True)
    line = 1
    try:
        for fields in reader:
            yield line, fields
            line = reader.line_num + 1
    except csv.Error:
        message = "the row that begins here can't be read: a quote is not closed, or a field is longer than 1 MiB"
        raise LoadError((Problem(str(path), max(line, 1), 1, "syntax", message, "export it again"),)) from None


def _headers(path: Path, delimiter: str, skipped: int) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Return the line and the folded columns of every table of a file."""
    new = True
    for line, fields in _table(path, delimiter):
        if line <= skipped:
            continue
        if not any(field.strip() for field in fields):
            new = True
        elif new:
            new = False
            yield line, tuple(fold(field.strip().lstrip("\ufeff")) for field in fields)


def _rows(path: Path, delimiter: str, first: int, header: tuple[str, ...]) -> Iterator[Row]:
    made = dict if len(set(header)) == len(header) else once
    for line, fields in _table(path, delimiter):
        if line <= first:
            continue
        if not any(field.strip() for field in fields):
            return
        if len(fields) != len(header):  # a shorter line was cut
            message = f"the line has {len(fields)} fields, but there are {len(header)} columns"
            raise LoadError((Problem(str(path), line, 1, "syntax", message, "export it again"),))
        yield made(zip(header, (field or None for field in fields), strict=True))
