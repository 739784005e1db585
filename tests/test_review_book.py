"""Reviews as workbooks: what an auditor opens, filters, fills in and signs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from permcheck.errors import WriteError
from permcheck.model.state import Verdict
from permcheck.review.table import COLUMNS, DETAILS, FEW, SAID, SIGN_OFF, name_of, title
from permcheck.review.write import sheets, xlsx
from permcheck.review.write.csv_file import HEADER
from permcheck.review.write.listing import Listed, Listing, What
from permcheck.review.write.xlsx import CUT, LONGEST, shortened
from reviewed import ABOUT, ALL, HOSTILE, ROOT, as_text, contoso, crowd, csv_rows, json_rows, written

SHEETS = ["Summary", "Review", "Privileged", "Sets", "Columns", "Sign-off"]
OPEN = What((Verdict.ALLOW, Verdict.UNDETERMINED), by="user")


def opened(path: Path) -> Any:
    return openpyxl.load_workbook(path)


def rows_of(book: Any, name: str) -> list[dict[str, Any]]:
    header, *rows = book[name].iter_rows(values_only=True)
    names = [name_of(text) for text in header]
    return [dict(zip(names, row, strict=True)) for row in rows]


def texts_of(book: Any, name: str) -> Iterator[str]:
    for row in book[name].iter_rows(values_only=True):
        yield from (value for value in row if isinstance(value, str))


@pytest.fixture(name="book", scope="module")
def a_book(tmp_path_factory: pytest.TempPathFactory) -> Any:
    target = tmp_path_factory.mktemp("book") / "review.xlsx"
    assert written(contoso(), target, OPEN) == ["review.xlsx"]
    return opened(target)


def test_the_sheets(book: Any) -> None:
    assert book.sheetnames == SHEETS
    assert [cell.value for cell in book["Review"][1]] == [title(name) for name in HEADER]
    assert [cell.value for cell in book["Privileged"][1]] == [title(column.name) for column in COLUMNS]


def test_the_rows_are_those_of_the_other_formats(book: Any, tmp_path: Path) -> None:
    written(contoso(), tmp_path / "r.jsonl", OPEN)
    lines, _ = json_rows(tmp_path / "r.jsonl")
    rows = rows_of(book, "Review")
    assert len(rows) == len(lines)
    for row, line in zip(rows, lines, strict=True):
        for column in COLUMNS:
            said = as_text(line[column.name])
            shown = {"true": "yes", "false": "no"}.get(said, said) if column.kind == "flag" else said
            shown = shown if column.name not in {"path", "reason"} else "\n".join(line[column.name])
            assert str(row[column.name] if row[column.name] is not None else "") == shown, column.name
        assert {row[name] for name in SIGN_OFF} == {None}


def test_privileged_are_the_rights_to_act_and_administer(book: Any) -> None:
    ids = [
        row["row_id"]
        for row in rows_of(book, "Review")
        if row["effect"] in {"act", "administer"} and row["verdict"] != "deny"
    ]
    assert ids
    assert [row["row_id"] for row in rows_of(book, "Privileged")] == ids


def test_a_denied_right_is_no_privilege(tmp_path: Path) -> None:
    written(contoso(), tmp_path / "r.xlsx", ALL)
    rows = rows_of(opened(tmp_path / "r.xlsx"), "Privileged")
    assert {row["verdict"] for row in rows} == {"allow", "undetermined"}


def test_it_can_be_filtered_and_filled_in(book: Any) -> None:
    sheet = book["Review"]
    assert sheet.freeze_panes == "D2"
    assert sheet.auto_filter.ref == sheet.dimensions
    [choice] = sheet.data_validations.dataValidation
    column = sheet.cell(1, HEADER.index("decision") + 1).column_letter
    assert (choice.type, choice.formula1) == ("list", '"keep,remove"')
    assert str(choice.sqref) == f"{column}2:{column}{sheet.max_row}"
    assert {sheet.cell(2, HEADER.index(name) + 1).fill.start_color.rgb for name in SIGN_OFF} == {"FFFFF9E5"}
    assert sheet.print_title_rows == "$1:$1"
    assert sheet.cell(2, HEADER.index("path") + 1).alignment.wrap_text


def test_details_are_folded_away_and_what_is_needless_is_hidden(book: Any) -> None:
    sheet = book["Review"]

    def hidden(name: str) -> bool:
        column = HEADER.index(name) + 1
        groups = [d for d in sheet.column_dimensions.values() if d.min <= column <= d.max]
        return any(group.hidden for group in groups)

    assert all(hidden(column.name) for column in DETAILS)
    assert [c.name for c in SAID if hidden(c.name)] == ["user_count", "last_sign_in", "used"]
    assert not any(hidden(name) for name in SIGN_OFF)


def test_the_summary_adds_up(book: Any) -> None:
    review, sheet = contoso(), book["Summary"]
    lines = [list(row) for row in sheet.iter_rows(values_only=True)]
    start = next(i for i, line in enumerate(lines) if line[0] == "Action")
    assert [name for name in lines[start] if name] == [
        "Action", "Effect", "Allow", "Undetermined", "Deny", "Cells", "Listed",
    ]  # fmt: skip
    found = lines[start + 1 : start + 1 + len(review.totals)]
    for line, (act, total) in zip(found, review.totals.items(), strict=True):
        listed = total.allow + total.undetermined
        assert line == [act.action.title, act.action.effect, *total, total.cells, listed]
        assert line[2] + line[3] + line[4] == line[5]
    last = lines[start + 1 + len(found)]
    assert last[0] == "All"
    first, end = start + 2, start + 1 + len(found)
    assert last[2:7] == [f"=SUM({letter}{first}:{letter}{end})" for letter in "CDEFG"]
    facts = {str(line[0]): line[1] for line in lines if line[0]}
    assert facts["Made at (UTC)"] == "2026-11-21T18:00:00Z"
    assert facts["Estate"] == "examples/contoso"
    assert f"{review.total.deny:,} answers deny: not asked for; the totals count them" in facts
    assert len(facts["examples/contoso/people.yaml".replace("examples", str(ROOT / "examples"))]) == 64


def test_formulas_are_ours_and_have_their_values(tmp_path: Path) -> None:
    written(contoso(), tmp_path / "r.xlsx", OPEN)
    shown = openpyxl.load_workbook(tmp_path / "r.xlsx", data_only=True)
    total = contoso().total
    line = next(row for row in shown["Summary"].iter_rows(values_only=True) if row[0] == "All")
    assert line[2:7] == (total.allow, total.undetermined, total.deny, total.cells, total.allow + total.undetermined)
    decisions = [row[1] for row in shown["Sign-off"].iter_rows(min_row=6, max_row=9, values_only=True)]
    count = shown["Review"].max_row - 1
    assert decisions == [count, 0, 0, count]
    formulas = [cell.value for cell in opened(tmp_path / "r.xlsx")["Sign-off"]["B"] if cell.data_type == "f"]
    column = opened(tmp_path / "r.xlsx")["Review"].cell(1, HEADER.index("decision") + 1).column_letter
    cells = f"Review!${column}$2:${column}${count + 1}"
    assert formulas == [f'=COUNTIF({cells},"keep")', f'=COUNTIF({cells},"remove")', "=B6-B7-B8"]


def test_no_name_is_a_formula_or_a_link(tmp_path: Path) -> None:
    written(crowd().review(actions=["view-scripts"]), tmp_path / "r.xlsx", What(by="user"))
    book = opened(tmp_path / "r.xlsx")
    rows = rows_of(book, "Review")
    assert {row["name"] for row in rows} == set(HOSTILE)
    assert {row["groups"] for row in rows if row["verdict"] == "allow"} == {HOSTILE[1]}
    for name in ("Review", "Privileged", "Sets"):
        assert [cell for row in book[name].iter_rows() for cell in row if cell.data_type == "f" or cell.hyperlink] == []
    assert book["Summary"]["A1"].value == f"Access review: {HOSTILE[0]}"
    with ZipFile(tmp_path / "r.xlsx") as parts:
        assert not any("externalLink" in name or "vbaProject" in name for name in parts.namelist())
        assert b"<hyperlink" not in b"".join(parts.read(name) for name in parts.namelist())


def test_a_book_without_rows(tmp_path: Path) -> None:
    review = crowd(users=1, devices=1).review(actions=["import-azure-app"])
    written(review, tmp_path / "r.xlsx", What((Verdict.ALLOW,)))
    book = opened(tmp_path / "r.xlsx")
    assert [book[name].max_row for name in ("Review", "Privileged", "Sets")] == [1, 1, 1]
    assert book["Review"].data_validations.dataValidation == []


def test_sets_are_listed(tmp_path: Path) -> None:
    assert written(crowd().review(actions=["view-scripts"]), tmp_path / "r.xlsx") == ["r.xlsx"]
    book = opened(tmp_path / "r.xlsx")
    members = rows_of(book, "Sets")
    assert len(members) == 60
    named = {row["users"] for row in rows_of(book, "Review") if row["user_count"] > FEW}
    assert named <= {row["set"] for row in members}


def test_a_set_that_does_not_fit_is_in_a_file_beside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheets, "LIMIT", 35)
    review = crowd().review(actions=["view-scripts"])
    assert written(review, tmp_path / "r.xlsx") == ["r.xlsx", "r.sets.csv"]
    members = rows_of(opened(tmp_path / "r.xlsx"), "Sets")
    assert len(members) == 31
    assert members[-1]["member"] == "30 members: see r.sets.csv"
    beside = csv_rows(tmp_path / "r.sets.csv")
    assert {row["set"] for row in beside} == {members[-1]["set"]}
    assert len(beside) == 30


def test_more_rows_than_a_sheet_holds_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xlsx, "LIMIT", 100)
    (tmp_path / "r.xlsx").write_text("old")
    for what in (ALL, What(by="cell")):
        with pytest.raises(WriteError, match="a sheet holds 100 rows, and the review has more") as caught:
            written(contoso(), tmp_path / "r.xlsx", what)
        assert "write CSV" in caught.value.help
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("r.xlsx", "old")]


@given(st.sampled_from("a🦊é"), st.integers(0, 2), st.integers(-70, 70))
def test_a_cell_is_never_cut_silently(letter: str, half: int, more: int) -> None:
    text = letter * (LONGEST // (half or 1) + more)
    kept = shortened(text)
    assert len(kept.encode("utf-16-le")) // 2 <= LONGEST
    assert kept == text or kept == kept.removesuffix(CUT) + CUT
    assert (kept == text) == (len(text.encode("utf-16-le")) // 2 <= LONGEST)


def test_cells_that_are_cut_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Listing.__iter__

    def longer(self: Listing) -> Iterator[Listed]:
        for one in real(self):
            yield Listed({**one.record, "sources": ("x" * 40_000,)}, one.line)

    monkeypatch.setattr(Listing, "__iter__", longer)
    written(contoso(), tmp_path / "r.xlsx", OPEN)
    book = opened(tmp_path / "r.xlsx")
    count = book["Review"].max_row - 1
    assert all(row["sources"].endswith(CUT) for row in rows_of(book, "Review"))
    expected = f"{count:,} cells of the sheet Review end in “cut”: a cell holds 32,767 characters"
    assert expected in list(texts_of(book, "Summary"))


def test_it_says_when_it_was_made_and_by_what(book: Any) -> None:
    assert book.properties.creator == "permcheck"
    assert book.properties.created == ABOUT.at.replace(tzinfo=None)


def test_rows_are_as_high_as_their_texts(book: Any) -> None:
    sheet = book["Review"]
    column = HEADER.index("path") + 1
    for number in range(2, sheet.max_row + 1):
        lines = (sheet.cell(number, column).value or "").count("\n") + 1
        assert (sheet.row_dimensions[number].height or 15) >= 15 * lines
