"""Read the sheet of a workbook that people have signed. It comes from outside: nothing in it is worked out."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple
from xml.etree.ElementTree import ParseError
from zipfile import BadZipFile, ZipFile
from zlib import error as ZlibError  # noqa: N812 - it is an error

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import iterparse

from permcheck.loading.files import file_problem
from permcheck.review.table import name_of

SHEET: Final = "Review"
ZIP, OLD = b"PK", b"\xd0\xcf\x11\xe0"
"""How a workbook begins; and one of an old Excel, or with a password."""
LARGEST: Final = {"sheet": 2**29, "shared strings": 2**28, "workbook": 2**24, "relationships": 2**24}
"""Bytes of each part, unpacked."""
WIDEST: Final = 16_384
"""So many columns has a sheet."""
MOST: Final = 8 * WIDEST
"""So many parts has a row, or a string, at most."""
FIRST: Final = {False: datetime(1899, 12, 30), True: datetime(1904, 1, 1)}  # noqa: DTZ001 - a sheet has no time zone
FORMULA: Final = "a formula"
AGAIN: Final = "sign the workbook that `permcheck review -o review.xlsx` wrote, and save it as XLSX"
REFERENCE: Final = re.compile("([A-Z]{1,3})([0-9]{1,7})")
ESCAPED: Final = re.compile("_x([0-9A-Fa-f]{4})_")
"""How a workbook writes a character that XML has no room for; and `_x005F_` before what only looks like that."""


class Cell(NamedTuple):
    """What stands in a cell, and where."""

    at: str
    text: str
    fault: str = ""
    """Why it can't be taken for what it shows: a formula, or an error."""
    day: str = ""
    """The day that it shows if it is formatted so."""


class Line(NamedTuple):
    """A row of the sheet: its cells by the name of the column."""

    number: int
    cells: Mapping[str, Cell]
    twice: tuple[str, ...] = ()
    """Columns that stand in the header more than once."""


def is_book(path: Path) -> bool:
    """Tell whether a file is a workbook, by how it begins, or is called one."""
    with path.open("rb") as file:
        start = file.read(len(OLD))
    if start == OLD:
        message = "the workbook is protected by a password, or of an old Excel"
        raise file_problem(path, "workbook", message, "save it as XLSX, without a password")
    return start.startswith(ZIP) or path.suffix.casefold() in {".xlsx", ".xlsm"}


def book_lines(path: Path) -> Iterator[Line]:
    """Return the rows of the sheet with the review; the first has the names of the columns. Raises LoadError."""
    header: dict[int, str] = {}
    for number, cells in book_rows(path, SHEET):
        if header:
            named = {name: cells[index] for index, name in header.items() if index in cells}
            yield Line(number, named)
            continue
        header = {index: name_of(cell.text.strip()) for index, cell in cells.items() if cell.text.strip()}
        yield Line(number, {name: cells[index] for index, name in header.items()}, _twice(header.values()))


def _twice(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(name for name, count in Counter(names).items() if count > 1)


def book_rows(path: Path, sheet: str) -> Iterator[tuple[int, dict[int, Cell]]]:
    """Return the rows of a sheet with their numbers, cells by column; none where there is no such sheet.

    Raises LoadError, also where SHEET is not there.
    """
    try:
        with ZipFile(path) as archive:
            yield from Book(path, archive).rows(sheet)
    except (BadZipFile, ZlibError, EOFError, NotImplementedError, RuntimeError):
        raise file_problem(path, "workbook", "the file is not a workbook, or was cut", AGAIN) from None
    except DefusedXmlException:
        raise file_problem(path, "doctype", "the workbook has a DOCTYPE or entities, and is refused", AGAIN) from None
    except (ParseError, ValueError, LookupError):
        raise file_problem(path, "workbook", "the workbook is broken", AGAIN) from None


class Book:
    """A workbook."""

    def __init__(self, path: Path, archive: ZipFile) -> None:
        self._path, self._archive = path, archive
        self._from_1904 = False

    def rows(self, name: str) -> Iterator[tuple[int, dict[int, Cell]]]:
        """Return the rows of a sheet."""
        part = self._sheet(name)
        if part is None:
            return
        strings, last = self._strings(), 0
        for number, cells in enumerate(_rows(self._elements(part, "sheet", "row")), 1):
            found = {index: self._cell(cell, (number, index), strings) for index, cell in cells}
            line = min((_row_of(cell.at) for cell in found.values()), default=0) or max(number, last + 1)
            if len(found) != len(cells) or line <= last:  # one place, two contents: what people saw is not known
                raise ValueError(line)
            last = line
            yield line, found

    def _sheet(self, wanted: str) -> str | None:
        """Return the part with a sheet. That with the review must be there, for people as well."""
        names: list[dict[str, str]] = []
        for element in self._elements("xl/workbook.xml", "workbook", "sheet", "workbookPr"):
            if _name(element) == "workbookPr":
                self._from_1904 = element.get("date1904") in {"1", "true"}
            else:
                names.append({_local(key): value for key, value in element.attrib.items()})
        found = [one for one in names if one["name"].casefold() == wanted.casefold()]
        if len(found) > 1:
            raise ValueError(wanted)
        if wanted == SHEET and (not found or found[0].get("state", "visible") != "visible"):
            has = ", ".join(f"`{one['name'][:31]}`" for one in names)
            message = (
                f"the sheet `{SHEET}` is hidden" if found else f"the workbook has no sheet `{SHEET}`; it has {has}"
            )
            raise file_problem(self._path, "no-sheet", message, AGAIN)
        return self._part(found[0]["id"]) if found else None

    def _part(self, id_: str) -> str:
        for element in self._elements("xl/_rels/workbook.xml.rels", "relationships", "Relationship"):
            if element.get("Id") == id_:
                target = str(element.get("Target"))
                return target.lstrip("/") if target.startswith("/") else f"xl/{target}"
        raise ValueError(id_)

    def _strings(self) -> list[str]:
        part = "xl/sharedStrings.xml"
        if part not in self._archive.namelist():
            return []
        return [_text(one) for one in self._elements(part, "shared strings", "si")]

    def _elements(self, part: str, kind: str, *names: str) -> Iterator[Any]:
        """Return elements of a part as they are read; what was read is let go."""
        if part not in self._archive.namelist():
            raise ValueError(part)
        if self._archive.getinfo(part).file_size > LARGEST[kind]:
            message = f"the {kind} of the workbook has more than {LARGEST[kind] // 2**20} MiB"
            raise file_problem(self._path, "too-large", message, "sign the CSV of the review instead")
        with self._archive.open(part) as file:
            above: list[Any] = []
            wanted, size = 0, 0
            for event, element in iterparse(file, ("start", "end"), forbid_dtd=True):
                mine = _name(element) in names
                if event == "start":
                    above.append(element)
                    wanted, size = wanted + mine, size + 1 if wanted else 0
                    if size > MOST:
                        raise ValueError(size)
                    continue
                above.pop()
                wanted -= mine
                if mine and not wanted:
                    yield element
                if above and not wanted:
                    above[-1].clear()

    def _cell(self, cell: Any, place: tuple[int, int], strings: list[str]) -> Cell:
        at = str(cell.get("r") or f"{_letters(place[1])}{place[0]}")
        kind, parts = cell.get("t", "n"), {_name(part): part for part in cell}
        value = str(parts["v"].text or "") if "v" in parts else ""
        if "f" in parts:
            return Cell(at, value, FORMULA)
        if kind == "e":
            return Cell(at, value, f"the error `{value[:20]}`")
        if kind == "s":
            return Cell(at, strings[int(value)])
        if kind == "inlineStr":
            return Cell(at, _text(parts["is"]) if "is" in parts else "")
        return Cell(at, value, day=self._day(value) if kind == "n" else "")

    def _day(self, text: str) -> str:
        """Return the day that a number shows: sheets count days."""
        try:
            day = FIRST[self._from_1904] + timedelta(seconds=round(float(text) * 86_400))
        except (OverflowError, ValueError):
            return ""
        return day.date().isoformat() if day.time() == day.min.time() else day.isoformat(" ", "minutes")


def _rows(rows: Iterator[Any]) -> Iterator[list[tuple[int, Any]]]:
    """Return the cells of rows, each with the number of its column."""
    for row in rows:
        found, index = [], -1
        for cell in row:
            if _name(cell) == "c":
                told = REFERENCE.fullmatch(str(cell.get("r", "")))
                index = _index(told[1]) if told else index + 1
                if index >= WIDEST:
                    raise ValueError(index)
                found.append((index, cell))
        yield found


def _text(element: Any) -> str:
    """Return the text of a string with its runs, without how it is spoken."""
    parts = []
    for part in element:
        if _name(part) == "t":
            parts.append(part.text or "")
        elif _name(part) == "r":
            parts += [one.text or "" for one in part if _name(one) == "t"]
    return ESCAPED.sub(lambda found: chr(int(found[1], 16)), "".join(parts))


def _index(letters: str) -> int:
    found = 0
    for letter in letters:
        found = found * 26 + ord(letter) - ord("A") + 1
    return found - 1


def _letters(index: int) -> str:
    found, rest = "", index + 1
    while rest:
        rest, letter = divmod(rest - 1, 26)
        found = chr(ord("A") + letter) + found
    return found


def _row_of(at: str) -> int:
    told = REFERENCE.fullmatch(at)
    return int(told[2]) if told else 0


def _name(element: Any) -> str:
    return _local(str(element.tag))


def _local(name: str) -> str:
    return name.rpartition("}")[2]
