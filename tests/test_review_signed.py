"""Workbooks that people have signed: read back as they were meant, and nothing in them is worked out."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import openpyxl
import pytest
from commands import Cli
from permcheck.errors import LoadError
from permcheck.review import book as book_module
from permcheck.review.signed import Signed, read_signed

CONTOSO = str(Path(__file__).parent.parent / "examples" / "contoso")
SAME = ("review", "-e", CONTOSO, "-a", "run-script", "--by", "user", "--verdict", "allow")
Change = Callable[[Any], object]
Cells = dict[str, str]
ROW_ID, DECISION, REVIEWER, DECIDED_AT, COMMENT = "Row id", "Decision", "Reviewer", "Decided at", "Comment"


@pytest.fixture(name="book")
def a_book(cli: Cli, tmp_path: Path) -> Path:
    path = tmp_path / "review.xlsx"
    result = cli(*SAME, "-o", str(path))
    assert result.code == 0, result.err
    return path


def csv_of(path: Path) -> list[Cells]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def save_csv(path: Path, rows: list[Cells], delimiter: str = ",", encoding: str = "utf-8-sig") -> None:
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys(), delimiter=delimiter)
        writer.writeheader()
        writer.writerows(rows)


def column(sheet: Any, title: str) -> int:
    return next(int(cell.column) for cell in sheet[1] if cell.value == title)


def sign(path: Path, row: int, **said: object) -> None:
    """Fill a row in, and save it as a spreadsheet does."""
    names = {"decision": DECISION, "reviewer": REVIEWER, "decided_at": DECIDED_AT, "comment": COMMENT}
    book = openpyxl.load_workbook(path)
    for name, value in said.items():
        book["Review"].cell(row, column(book["Review"], names[name])).value = value
    book.save(path)


def changed(path: Path, change: Change) -> None:
    book = openpyxl.load_workbook(path)
    change(book)
    book.save(path)


def rewritten(path: Path, part: str, change: Callable[[bytes], bytes]) -> None:
    """Change a part of the file itself."""
    with ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    with ZipFile(path, "w", ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name, change(data) if name == part else data)


def decided(path: Path) -> list[Signed]:
    return [one for one in read_signed(path).rows if one.decision]


def test_an_unsigned_workbook_has_every_row_undecided(book: Path) -> None:
    sheet = openpyxl.load_workbook(book)["Review"]
    ids = [sheet.cell(row, column(sheet, ROW_ID)).value for row in range(2, sheet.max_row + 1)]
    assert [(one.row_id, one.decision) for one in read_signed(book).rows] == [(one, "") for one in ids]


def test_what_was_signed_is_read(book: Path) -> None:
    sign(book, 2, decision=" Remove ", reviewer="boss@contoso.com", decided_at=datetime(2026, 3, 31), comment="=no")  # noqa: DTZ001
    changed(book, lambda one: setattr(one["Review"].cell(2, column(one["Review"], COMMENT)), "data_type", "s"))
    sign(book, 3, decision="keep", decided_at=datetime(2026, 3, 31, 14, 30), comment=7)  # noqa: DTZ001
    sign(book, 4, decision="keep", decided_at="last Tuesday")
    first, second, third = decided(book)
    assert first[2:6] == ("remove", "boss@contoso.com", "2026-03-31", "=no")
    assert (second.decision, second.decided_at, second.comment) == ("keep", "2026-03-31 14:30", "7")
    assert third.decided_at == "last Tuesday"
    assert (first.line, first.cell[-1], first.place) == (2, "2", f"cell {first.cell}")


def test_days_are_counted_from_where_the_workbook_says(book: Path) -> None:
    def since_1904(one: Any) -> None:
        one.epoch = openpyxl.utils.datetime.CALENDAR_MAC_1904

    changed(book, since_1904)
    sign(book, 2, decision="keep", decided_at=datetime(2026, 3, 31))  # noqa: DTZ001
    assert decided(book)[0].decided_at == "2026-03-31"


def test_a_signed_workbook_comes_to_the_same_as_a_signed_csv(cli: Cli, book: Path, tmp_path: Path) -> None:
    sign(book, 2, decision="remove")
    sheet = tmp_path / "signed.csv"
    assert cli(*SAME, "-o", str(sheet)).code == 0
    rows = csv_of(sheet)
    next(row for row in rows if row["row_id"] == decided(book)[0].row_id)["decision"] = "remove"
    save_csv(sheet, rows)
    ways = [cli(*SAME, "--format", "json", "--decisions", str(path)) for path in (book, sheet)]
    assert [way.code for way in ways] == [0, 0], ways[0].out
    assert ways[0].document["removals"] == ways[1].document["removals"] != []


def test_a_row_that_is_gone_is_told_by_its_cell(cli: Cli, book: Path) -> None:
    sign(book, 2, decision="remove")
    changed(book, lambda one: setattr(one["Review"].cell(2, column(one["Review"], ROW_ID)), "value", "gone"))
    result = cli(*SAME, "--decisions", str(book))
    assert (result.code, re.search(r"cell [A-Z]+2: ", result.out) is not None) == (1, True), result.out


def without(title: str) -> Change:
    return lambda book: book["Review"].delete_cols(column(book["Review"], title))


def put(title: str, value: object, row: int = 2) -> Change:
    return lambda book: setattr(book["Review"].cell(row, column(book["Review"], title)), "value", value)


def twice(book: Any) -> None:
    sheet = book["Review"]
    same = sheet.cell(2, column(sheet, ROW_ID)).value
    sheet.cell(3, column(sheet, ROW_ID)).value = same
    sheet.cell(2, column(sheet, DECISION)).value = "keep"
    sheet.cell(3, column(sheet, DECISION)).value = "remove"


def orphan(book: Any) -> None:
    put(DECISION, "keep")(book)
    put(ROW_ID, None)(book)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda book: setattr(book["Review"], "title", "Mine"), "the workbook has no sheet `Review`; it has `Summary`"),
        (without(DECISION), "Review!A1: the sheet `Review` has no column `Decision`"),
        (without(ROW_ID), "Review!A1: the sheet `Review` has no column `Row id`"),
        (lambda book: book["Review"].delete_rows(1, 9999), "has no column `Row id` and no column `Decision`"),
        (put(DECISION, "maybe"), r"Review![A-Z]+2: `maybe` is no decision"),
        (put(DECISION, '=IF(1=1,"keep","remove")'), r"Review![A-Z]+2: the cell holds a formula, which is not worked out"),
        (put(COMMENT, '=WEBSERVICE("https://x")', 3), r"Review![A-Z]+3: the cell holds a formula"),
        (put(DECISION, "#REF!"), r"Review![A-Z]+2: the cell holds the error `#REF!`"),
        (twice, r"Review![A-Z]+3: row `[^`]+` is decided otherwise in cell [A-Z]+2"),
        (orphan, r"Review![A-Z]+2: something is decided here, and the row has no id"),
    ],
)  # fmt: skip
def test_a_workbook_that_can_not_be_taken_so(cli: Cli, book: Path, change: Change, says: str) -> None:
    changed(book, change)
    result = cli(*SAME, "--decisions", str(book))
    assert (result.code, result.out) == (3, ""), result.out
    assert re.search(says if "[A-Z]" in says else re.escape(says), result.err), result.err
    assert "help: " in result.err


def test_every_fault_is_told_at_once(book: Path) -> None:
    for row in (2, 3, 4):
        sign(book, row, decision="perhaps")
    with pytest.raises(LoadError) as caught:
        read_signed(book)
    assert [problem.place[-1] for problem in caught.value.problems] == ["2", "3", "4"]


BOMB = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
SHEET = "xl/worksheets/sheet2.xml"


@pytest.mark.parametrize(
    ("part", "change", "says"),
    [
        (SHEET, lambda data: data.replace(b"<worksheet", BOMB + b"<worksheet", 1), "has a DOCTYPE or entities"),
        ("xl/workbook.xml", lambda data: data.replace(b"<workbook", BOMB + b"<workbook", 1), "has a DOCTYPE"),
        (SHEET, lambda data: data[: len(data) // 2], "the workbook is broken"),
        (SHEET, lambda data: data.replace(b"<row ", b'<row a="&#0;" ', 1), "the workbook is broken"),
        ("xl/workbook.xml", lambda _: b"", "the workbook is broken"),
        ("xl/_rels/workbook.xml.rels", lambda data: data.replace(b"sheet2.xml", b"none.xml"), "the workbook is broken"),
        (SHEET, lambda data: re.sub(rb"(<row .*?>)", rb"\1" + b"<c/>" * 140_000, data, count=1), "workbook is broken"),
        (SHEET, lambda data: re.sub(rb'r="A1"', rb'r="ZZZ1"', data, count=1), "the workbook is broken"),
    ],
)
def test_a_hostile_workbook(cli: Cli, book: Path, part: str, change: Callable[[bytes], bytes], says: str) -> None:
    rewritten(book, part, change)
    result = cli(*SAME, "--decisions", str(book))
    assert (result.code, says in result.err, str(book) in result.err) == (3, True, True), result.err


def test_a_workbook_is_read_up_to_a_size(book: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(book_module.LARGEST, "sheet", 2**10)  # type: ignore[misc]
    result = cli(*SAME, "--decisions", str(book))
    assert (result.code, "the sheet of the workbook has more than 0 MiB" in result.err) == (3, True), result.err


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "the workbook is protected by a password, or of an old Excel"),
        (b"PK\x03\x04nothing", "the file is not a workbook, or was cut"),
        (b"", "the file is not a workbook, or was cut"),
    ],
)
def test_what_is_no_workbook(cli: Cli, tmp_path: Path, data: bytes, says: str) -> None:
    path = tmp_path / "signed.xlsx"
    path.write_bytes(data)
    result = cli(*SAME, "--decisions", str(path))
    assert (result.code, says in result.err) == (3, True), result.err


def test_a_cell_without_a_place_follows_the_one_before(book: Path) -> None:
    """A place may be left out; runs of a text are one text, and how it is spoken is none of it."""
    sign(book, 2, decision="keep")
    before = read_signed(book)
    rewritten(book, SHEET, lambda data: re.sub(rb' r="[A-Z]+1"', b"", data))
    rewritten(
        book,
        "xl/sharedStrings.xml",
        lambda data: data.replace(b"<t>keep</t>", b"<r><t>ke</t></r><r><t>ep</t></r><rPh><t>x</t></rPh>"),
    )
    assert read_signed(book) == before


@pytest.mark.parametrize("name", ["review.csv", "review.xlsx"])
def test_a_sheet_that_somebody_decided_in_is_not_written_over(cli: Cli, tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    assert cli(*SAME, "-o", str(path)).code == 0
    assert cli(*SAME, "-o", str(path)).code == 0, "nobody has decided anything yet"
    if name.endswith("csv"):
        rows = csv_of(path)
        rows[0]["decision"] = "keep"
        save_csv(path, rows)
    else:
        sign(path, 2, decision="keep")
    before = path.read_bytes()
    result = cli(*SAME, "-o", str(path))
    assert (result.code, path.read_bytes()) == (3, before)
    assert "the sheet holds 1 decision, which would be lost" in result.err
    assert "help: write to another file" in result.err
