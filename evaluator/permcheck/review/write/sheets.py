"""The sheets of a workbook beside the rows: sets, columns, sign-off."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, TypeAlias

from permcheck.review.table import COLUMNS, DETAILS, SAID, SIGN_OFF, NameSet, title
from permcheck.review.write.csv_file import SETS
from permcheck.review.write.population import Plain

Sheet: TypeAlias = Any
"""A worksheet; xlsxwriter has no types."""
LIMIT: Final = 1_048_576
"""So many rows has a sheet."""
DARK, SIGN, FILL, LINE = "#1F3864", "#C55A11", "#FFF9E5", "#D9D9D9"
CELL: Final = {"valign": "top", "border": 1, "border_color": LINE}
HEADER: Final = {"bold": True, "font_color": "white", "valign": "vcenter", "text_wrap": True, "border": 1}
FORMATS: Final = {
    "cell": CELL,
    "wrapped": CELL | {"text_wrap": True},
    "count": CELL | {"num_format": "#,##0"},
    "allow": CELL | {"bg_color": "#E2EFDA"},
    "undetermined": CELL | {"bg_color": "#FFE699"},
    "deny": CELL | {"bg_color": "#EDEDED"},
    "header": HEADER | {"bg_color": DARK},
    "sign-off header": HEADER | {"bg_color": SIGN},
    "sign-off": CELL | {"bg_color": FILL, "text_wrap": True},
    "sign-off date": CELL | {"bg_color": FILL, "num_format": "yyyy-mm-dd"},
    "title": {"bold": True, "font_size": 16, "font_color": DARK},
    "heading": {"bold": True, "font_size": 12, "font_color": DARK, "bottom": 1},
    "name": {"bold": True, "valign": "top"},
    "plain": {"valign": "top"},
    "note": {"italic": True, "font_color": "#595959"},
    "sum": CELL | {"bold": True, "num_format": "#,##0", "top": 2},
    "sum name": CELL | {"bold": True, "top": 2},
}
BLANK_LINES: Final = 10


class Book:
    """A workbook with its formats by name."""

    def __init__(self, book: Any) -> None:
        self._book = book
        self._formats = {name: book.add_format(told) for name, told in FORMATS.items()}

    def sheet(self, name: str) -> Sheet:
        """Add a sheet."""
        return self._book.add_worksheet(name)

    def format(self, name: str) -> Any:
        """Return a format."""
        return self._formats[name]

    def header(self, sheet: Sheet, row: int, names: Sequence[str]) -> None:
        """Write a line of headers."""
        for index, name in enumerate(names):
            sheet.write_string(row, index, name, self.format("header"))


def sets_sheet(book: Book, sets: Sequence[NameSet], beside: str) -> tuple[NameSet, ...]:
    """List the members of long sets. Returns those that there is no room for; the sheet says where they are."""
    sheet, left, row = book.sheet("Sets"), [], 1
    for index, width in enumerate((48, 12, 60)):
        sheet.set_column(index, index, width)
    book.header(sheet, 0, [name.capitalize() for name in SETS])
    sheet.freeze_panes(1, 0)
    for number, one in enumerate(sets):
        fits = row + one.size + len(sets) - number <= LIMIT
        if not fits:
            left.append(one)
        for name in one.members() if fits else [f"{one.size:,} members: see {beside}"] if row < LIMIT else []:
            for index, text in enumerate((one.id, one.kind, name)):
                sheet.write_string(row, index, text)
            row += 1
    sheet.autofilter(0, 0, row - 1, len(SETS) - 1)
    return tuple(left)


def columns_sheet(book: Book) -> None:
    """Say what each column means."""
    sheet = book.sheet("Columns")
    for index, width in enumerate((20, 24, 12, 90)):
        sheet.set_column(index, index, width)
    book.header(sheet, 0, ("Column", "Name in other formats", "Who says it", "What it says"))
    sheet.freeze_panes(1, 0)
    said = [(one.name, "permcheck", one.says) for one in SAID]
    signed = [(name, "the reviewer", says) for name, says in SIGN_OFF.items()]
    details = [(one.name, "permcheck", one.says) for one in DETAILS]
    assert len(said) + len(details) == len(COLUMNS)
    for row, (name, who, says) in enumerate(said + signed + details, 1):
        for index, text in enumerate((title(name), name, who, says.replace("`", ""))):
            sheet.write_string(row, index, text, book.format("wrapped"))


def sign_off_sheet(book: Book, told: Plain, rows: int, column: int) -> None:
    """Make a form for those who sign. What is decided is counted as it is filled in."""
    sheet = book.sheet("Sign-off")
    for index, width in enumerate((26, 34, 26, 16, 34)):
        sheet.set_column(index, index, width)
    sheet.write_string(0, 0, "Sign-off", book.format("title"))
    sheet.write_string(1, 0, f"Review {told['review_id']}, made {told['made_at']}", book.format("note"))
    sheet.write_string(
        2, 0, "Decisions are made on the sheet Review; people fill in what is yellow.", book.format("note")
    )
    row = _decisions(book, sheet, 4, rows, column)
    row = _form(book, sheet, row, "Attested by", ("Role", "Name", "Position", "Date", "Signature"), _SIGNERS)
    fields = ("Row id", "What", "Owner", "Until", "Ticket")
    _form(book, sheet, row, "Exceptions and deferrals", fields, [""] * BLANK_LINES)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)


_SIGNERS: Final = ("Reviewer", "System owner", "Second reviewer")


def _decisions(book: Book, sheet: Sheet, row: int, rows: int, column: int) -> int:
    """Count decisions by formulas of our own."""
    sheet.write_string(row, 0, "Decisions", book.format("heading"))
    cells = _range(column, rows)
    counted = (
        ("Rows", f"={rows}", rows),
        ("Keep", f'=COUNTIF({cells},"keep")', 0),
        ("Remove", f'=COUNTIF({cells},"remove")', 0),
        ("Open", f"=B{row + 2}-B{row + 3}-B{row + 4}", rows),
    )
    for name, formula, value in counted:
        row += 1
        sheet.write_string(row, 0, name, book.format("cell"))
        if rows and name != "Rows":
            sheet.write_formula(row, 1, formula, book.format("count"), value)
        else:
            sheet.write_number(row, 1, value, book.format("count"))
    return row + 2


def _range(column: int, rows: int) -> str:
    letter = chr(ord("A") + column)
    assert letter <= "Z"
    return f"Review!${letter}$2:${letter}${rows + 1}"


def _form(book: Book, sheet: Sheet, row: int, heading: str, fields: Sequence[str], lines: Sequence[str]) -> int:
    sheet.write_string(row, 0, heading, book.format("heading"))
    book.header(sheet, row + 1, fields)
    row += 2
    for name in lines:
        if name:
            sheet.write_string(row, 0, name, book.format("cell"))
        for index in range(1 if name else 0, len(fields)):
            kind = "sign-off date" if fields[index] in {"Date", "Until"} else "sign-off"
            sheet.write_blank(row, index, None, book.format(kind))
        row += 1
    return row + 1
