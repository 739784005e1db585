"""A signed sheet is the review that was written: whatever was done to it is found, and what a spreadsheet does is not."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import openpyxl
import pytest
from commands import Cli
from hypothesis import given
from hypothesis import strategies as st
from permcheck.api import load
from permcheck.errors import LoadError
from permcheck.model.state import Verdict
from permcheck.review.as_written import Compared, compared
from permcheck.review.beside import ALONE, look_beside
from permcheck.review.review import Review
from permcheck.review.row import Row
from permcheck.review.signed import READ, read_signed
from permcheck.review.table import COLUMNS, SIGN_OFF, NameSet, Record, title
from permcheck.review.write import sheets
from permcheck.review.write.formats import write_review
from permcheck.review.write.listing import Listing, What
from permcheck.review.write.population import population
from reviewed import ABOUT, ROOT, crowd
from strategies import load_dict

Rows = list[dict[str, str]]
SAID = tuple(column.name for column in COLUMNS)
CONTOSO = str(ROOT / "examples" / "contoso")


class Made(NamedTuple):
    """A review that was written, and what the command works out of it again."""

    path: Path
    pairs: list[tuple[Row, Record]]
    now: dict[str, Any]
    sets: tuple[NameSet, ...]

    def examined(self, path: Path | None = None) -> Compared:
        """Compare a sheet with the review, as the command does."""
        sheet = read_signed(path or self.path)
        return compared(self.pairs, sheet)._replace(beside=look_beside(sheet, self.now, self.sets))


def make(folder: Path, name: str, review: Review, what: What) -> Made:
    write_review(review, folder / name, ABOUT, what)
    listing = Listing(review, what)
    pairs = [(row, one.record) for row, one in listing.pairs()]
    return Made(folder / name, pairs, population(listing, ABOUT), listing.sets)


OPEN = What((Verdict.ALLOW, Verdict.UNDETERMINED), by="user")


@pytest.fixture(name="made", scope="module")
def a_review(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Rows about one user each, and what spreadsheets may take for formulas and dates."""
    review = load(CONTOSO).review(actions=["run-script", "view-scripts", "run-cmpivot"], devices=["PC-0042", "PC-1042"])
    return make(tmp_path_factory.mktemp("made"), "r.csv", review, OPEN)


@pytest.fixture(name="crowded")
def a_review_with_sets(tmp_path: Path) -> Made:
    return make(tmp_path, "r.csv", crowd().review(actions=["view-scripts", "run-script"]), What())


@pytest.fixture(name="book")
def a_workbook(tmp_path: Path) -> Made:
    folder = tmp_path / "book"
    folder.mkdir()
    return make(folder, "r.xlsx", crowd(3, 3).review(actions=["view-scripts", "run-script"]), What(by="user"))


def rows_of(path: Path) -> Rows:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def save(path: Path, rows: Rows, names: list[str] | None = None, delimiter: str = ",", encoding: str = "utf-8") -> Path:
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.DictWriter(file, names or list(rows[0]), delimiter=delimiter)
        writer.writeheader()
        writer.writerows(rows)
    return path


def names_of(found: Compared) -> set[str]:
    """The ids of all rows that are told."""
    rows = (*found.foreign, *found.repeated, *(one.signed for one in found.altered))
    return {one.row_id for one in found.lacking} | {one.row_id for one in rows}


def test_what_was_written_is_as_it_was_written(made: Made, crowded: Made, book: Made) -> None:
    for one in (made, crowded, book):
        found = one.examined()
        assert found.is_as_written
        assert len(found.pairs) == len(found.signed) > 1
        assert not any(ALONE in text for text in found.beside.sources)


# --- what people and spreadsheets may do ----------------------------------------------


@given(st.randoms(), st.sampled_from(",;\t"), st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]))
def test_rows_and_columns_in_any_order_with_columns_of_ones_own(
    made: Made, chance: Random, delimiter: str, encoding: str
) -> None:
    rows = rows_of(made.path)
    chance.shuffle(rows)
    for number, row in enumerate(rows):
        row |= {"Our ticket": f"T-{number}", "decision": chance.choice(["keep", "remove", ""]), "comment": "=A1"}
    names = list(rows[0])
    chance.shuffle(names)
    found = made.examined(save(made.path.with_name("signed.csv"), rows, names, delimiter, encoding))
    assert found.is_as_written, names_of(found)
    assert [one.decision for one in found.signed] == [row["decision"] for row in rows]
    assert any(ALONE in text for text in found.beside.sources)


def test_what_a_spreadsheet_makes_of_values_is_no_edit(tmp_path: Path) -> None:
    folder = tmp_path / "estate"
    shutil.copytree(CONTOSO, folder)
    people = folder / "people.yaml"
    text = people.read_text("utf-8")
    people.write_text(text.replace("  enabled: true", "  enabled: true\n  last_sign_in: 2026-03-05", 1), "utf-8")
    made = make(tmp_path, "r.csv", load(folder).review(actions=["run-script"]), OPEN)
    rows = rows_of(made.path)
    ways: dict[str, Callable[[str], str]] = {
        "user_count": lambda text: f"{text}.0",
        "enabled": str.upper,
        "synced": str.upper,
        "editions": lambda text: "Aug 22" if text == "2022-08" else text,
        "last_sign_in": lambda text: "05.03.2026" if text else "",
        "path": lambda text: f" {text}\r\n",
    }
    assert all(any(change(row[name]) != row[name] for row in rows) for name, change in ways.items())
    changed = [{**row, **{name: change(row[name]) for name, change in ways.items()}} for row in rows]
    assert made.examined(save(tmp_path / "signed.csv", changed)).is_as_written
    for name, other in (("editions", "Aug 23"), ("last_sign_in", "06.03.2026"), ("last_sign_in", "2026-03-06")):
        place = next(number for number, row in enumerate(rows) if row[name] and ";" not in row[name])
        assert not made.examined(save(tmp_path / "signed.csv", [
            {**row, name: other} if number == place else row for number, row in enumerate(rows)
        ])).is_as_written  # fmt: skip


# --- what nobody may do ---------------------------------------------------------------


def dropped(rows: Rows, chance: Random) -> set[str]:
    gone = [rows.pop(chance.randrange(len(rows))) for _ in range(chance.randint(1, 3))]
    return {row["row_id"] for row in gone}


def repeated(rows: Rows, chance: Random) -> set[str]:
    row = chance.choice(rows)
    rows.insert(chance.randrange(len(rows)), dict(row))
    return {row["row_id"]}


def other_text(rows: Rows, name: str, old: str, chance: Random) -> str:
    others = sorted({row[name] for row in rows} - {old})
    return chance.choice([f"{old}x", f"x{old}", "" if old else "x", *others, *others])


def altered(rows: Rows, chance: Random) -> set[str]:
    row, name = chance.choice(rows), chance.choice([name for name in SAID if name != "row_id"])
    row[name] = other_text(rows, name, row[name], chance)
    return {row["row_id"]}


def moved_ids(rows: Rows, chance: Random) -> set[str]:
    one, two = chance.sample(rows, 2)
    one["row_id"], two["row_id"] = two["row_id"], one["row_id"]
    return {one["row_id"], two["row_id"]}


def copied_id(rows: Rows, chance: Random) -> set[str]:
    one, two = chance.sample(rows, 2)
    gone, two["row_id"] = two["row_id"], one["row_id"]
    return {gone, one["row_id"]}


def forged(rows: Rows, chance: Random) -> set[str]:
    row = {**chance.choice(rows), "row_id": "0b7d8d4e-6a34-5b1f-9a0a-000000000000", "users": "mallory@contoso.com"}
    rows.insert(chance.randrange(len(rows)), row)
    return {row["row_id"]}


def replaced(rows: Rows, chance: Random) -> set[str]:
    """One row instead of another: their number stays, and with it every total."""
    place = chance.randrange(len(rows))
    gone = rows.pop(place)
    rows.insert(place, {**gone, "row_id": "0b7d8d4e-6a34-5b1f-9a0a-000000000001", "verdict": "deny"})
    return {gone["row_id"], rows[place]["row_id"]}


ATTACKS = (dropped, repeated, altered, moved_ids, copied_id, forged, replaced)


@pytest.mark.parametrize("attack", ATTACKS)
@given(st.randoms())
def test_whatever_was_done_to_rows_is_found(
    made: Made, attack: Callable[[Rows, Random], set[str]], chance: Random
) -> None:
    rows = rows_of(made.path)
    told = attack(rows, chance)
    chance.shuffle(rows)
    found = made.examined(save(made.path.with_name("signed.csv"), rows))
    assert not found.is_as_written
    assert told <= names_of(found)


@given(st.randoms())
def test_an_altered_cell_is_named_with_what_stood_there(made: Made, chance: Random) -> None:
    rows = rows_of(made.path)
    row, name = chance.choice(rows), chance.choice(["verdict", "users", "action", "devices", "path"])
    before, row[name] = row[name], other_text(rows, name, row[name], chance)
    (one,) = made.examined(save(made.path.with_name("signed.csv"), rows)).altered
    assert one.signed.row_id == row["row_id"]
    assert [(change.column, change.written, change.found) for change in one.changes] == [(name, before, row[name])]


@pytest.mark.parametrize("name", [name for name in SAID if name != "row_id"])
def test_a_column_that_was_taken_out_is_told(made: Made, name: str) -> None:
    names = [one for one in rows_of(made.path)[0] if one != name]
    rows = [{key: row[key] for key in names} for row in rows_of(made.path)]
    found = made.examined(save(made.path.with_name("signed.csv"), rows))
    assert (found.lacks, found.is_as_written, found.altered) == ((name,), False, ())


def test_a_column_that_stands_twice_is_refused(made: Made) -> None:
    """Which of the two people saw is not known."""
    path = made.path.with_name("signed.csv")
    for name in ("decision", "Decision", "users", "row_id"):
        first, *rest = made.path.read_text("utf-8-sig").splitlines()
        path.write_text("\n".join((f"{first},{name}", *(f"{line},keep" for line in rest))), "utf-8")
        with pytest.raises(LoadError, match=f"the column `{name.lower()}` stands twice"):
            read_signed(path)


def test_a_row_that_is_decided_twice_is_refused(made: Made) -> None:
    rows = rows_of(made.path)
    rows += [{**rows[0], "decision": "remove"}]
    rows[0]["decision"] = "keep"
    with pytest.raises(LoadError, match="is decided otherwise in line 2"):
        read_signed(save(made.path.with_name("signed.csv"), rows))


# --- workbooks ------------------------------------------------------------------------


def edit(made: Made, change: Callable[[Any], object]) -> Compared:
    book = openpyxl.load_workbook(made.path)
    change(book)
    book.save(made.path)
    return made.examined()


def column(sheet: Any, name: str) -> int:
    return next(int(cell.column) for cell in sheet[1] if cell.value == title(name))


def put(name: str, value: object, row: int = 2) -> Callable[[Any], object]:
    return lambda book: setattr(book["Review"].cell(row, column(book["Review"], name)), "value", value)


def reordered(book: Any) -> None:
    sheet = book["Review"]
    rows = [list(row) for row in sheet.iter_rows(min_row=2, values_only=True)]
    for number, row in enumerate(reversed(rows), 2):
        for index, value in enumerate(row, 1):
            sheet.cell(number, index).value = value
            if isinstance(value, str):  # and no formula
                sheet.cell(number, index).data_type = "s"


def hidden(book: Any) -> None:
    book["Review"].row_dimensions[3].hidden = True
    book["Review"].auto_filter.add_filter_column(0, ["deny"])


def own_column(book: Any) -> None:
    sheet = book["Review"]
    sheet.insert_cols(2)
    sheet.cell(1, 2).value = "Our notes"
    sheet.cell(2, 2).value = "=1+1"


@pytest.mark.parametrize(
    "change",
    [
        lambda _: None,
        reordered,
        hidden,
        own_column,
        put("user_count", "1"),
        put("synced", True),  # noqa: FBT003 - the value of a cell
        put("comment", "because"),
        lambda book: book.move_sheet("Review", 2),
        lambda book: book.create_sheet("Mine"),
    ],
)
def test_a_workbook_may_be_used(book: Made, change: Callable[[Any], object]) -> None:
    found = edit(book, change)
    assert found.is_as_written, (found.altered, found.beside)


@pytest.mark.parametrize(
    ("change", "part"),
    [
        (lambda book: book["Review"].delete_rows(3), "lacking"),
        (lambda book: book["Review"].delete_cols(column(book["Review"], "path")), "lacks"),
        (put("users", "mallory@contoso.com"), "altered"),
        (put("verdict", "deny"), "altered"),
        (put("device_count", 7), "altered"),
        (put("synced", None), "altered"),
        (put("row_id", "0b7d8d4e-6a34-5b1f-9a0a-000000000000"), "foreign"),
        (lambda book: put("users", "x", book["Review"].max_row + 1)(book) or put("row_id", "y", book["Review"].max_row)(book), "foreign"),
    ],
)  # fmt: skip
def test_whatever_was_done_to_a_workbook_is_found(book: Made, change: Callable[[Any], object], part: str) -> None:
    found = edit(book, change)
    assert not found.is_as_written
    assert getattr(found, part)


def second_sheet(book: Any) -> None:
    """What people see is another sheet."""
    copy = book.copy_worksheet(book["Review"])
    copy.title = "Review (signed)"
    book["Review"].sheet_state = "hidden"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (second_sheet, "the sheet `Review` is hidden"),
        (put("users", '="a" & "b"'), "the cell holds a formula"),
        (put("verdict", "#N/A"), "the cell holds the error"),
        (lambda book: setattr(book["Review"].cell(1, 60), "value", "Decision"), "the column `Decision` stands twice"),
        (put("row_id", None), "the row has no id"),
    ],
)
def test_a_workbook_that_does_not_show_what_it_holds_is_refused(
    book: Made, change: Callable[[Any], object], says: str
) -> None:
    with pytest.raises(LoadError, match=says):
        edit(book, change)


def cell_of(sheet: Any, label: str) -> Any:
    return next(row[1] for row in sheet.iter_rows() if row[0].value == label)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda s: setattr(cell_of(s, "Rows"), "value", "1, which stand for 1 cells"), "Summary: Rows is"),
        (lambda s: setattr(cell_of(s, "Rows as JSON lines (SHA-256)"), "value", "0" * 64), "Summary: Rows as JSON"),
        (lambda s: setattr(cell_of(s, "Verdicts listed"), "value", "allow"), 'Summary: Verdicts listed is `"allow"`'),
        (lambda s: setattr(next(r for r in s.iter_rows() if r[1].value == "act")[3], "value", 77), "the totals of"),
        (lambda s: s.append(["Asked for users", "group:Few"]), "Summary: Asked for users is"),
    ],
)
def test_an_edited_summary_is_found(book: Made, change: Callable[[Any], object], says: str) -> None:
    found = edit(book, lambda one: change(one["Summary"]))
    assert not found.is_as_written
    assert any(says in text for text in found.beside.edited), found.beside.edited


def test_a_workbook_without_a_summary_is_compared_with_the_estate_alone(book: Made) -> None:
    found = edit(book, lambda one: one.remove(one["Summary"]))
    assert found.is_as_written
    assert any(ALONE in text for text in found.beside.sources)


def test_control_characters_of_a_name_are_read_as_they_were_written(tmp_path: Path) -> None:
    name = "bell \x07 and _x0041_"
    estate = load_dict(
        {
            "tenant": {"use_intune_rbac": "Off"},
            "hierarchies": [{"id": "P01", "version": 2211}],
            "users": [{"upn": "a@x.example", "name": name, "synced": True}],
            "devices": [{"name": "PC-1"}],
        }
    )
    found = make(tmp_path, "r.xlsx", estate.review(actions=["view-scripts"]), What(by="user")).examined()
    assert {dict(zip(SAID, one.said, strict=True))["name"] for one in found.signed} == {name}
    assert found.is_as_written


# --- beside the sheet -----------------------------------------------------------------


def leaves(told: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if isinstance(told, dict | list) and told:
        for key, value in told.items() if isinstance(told, dict) else enumerate(told):
            yield from leaves(value, (*path, key))
    else:
        yield path


OF_ITSELF = {("review_id",), ("made_at",), ("tool", "policy_sha256"), ("table", "rows_sha256")}
NOT_HELD = {("tool", "name"), ("tool", "version"), ("estate", "path"), ("table", "file"), ("table", "sha256")}


def test_every_edit_of_the_population_is_found(made: Made) -> None:
    path = made.path.with_name("r.population.json")
    told = json.loads(path.read_text("utf-8"))
    kept = path.read_text("utf-8")
    try:
        for leaf in list(leaves(told)):
            if leaf in NOT_HELD or leaf[:2] == ("estate", "collected"):
                continue
            edited = json.loads(kept)
            place = edited
            for key in leaf[:-1]:
                place = place[key]
            place[leaf[-1]] = "edited"
            path.write_text(json.dumps(edited), "utf-8")
            if leaf == ("permcheck",):
                with pytest.raises(LoadError, match="this is no population of a review"):
                    made.examined()
                continue
            found = made.examined().beside.edited
            assert found, leaf
            assert len(found) == 1 or leaf in OF_ITSELF
    finally:
        path.write_text(kept, "utf-8")


@pytest.mark.parametrize("text", ["", "[]", "{}", "{", "[" * 100_000, '{"permcheck": "permcheck-population/1"}'])
def test_a_population_that_is_none(crowded: Made, text: str) -> None:
    crowded.path.with_name("r.population.json").write_text(text, "utf-8")
    if "population/1" in text:
        assert not crowded.examined().is_as_written
    else:
        with pytest.raises(LoadError, match="this is no population of a review"):
            crowded.examined()


def test_an_estate_that_changed_since_is_told(cli: Cli, tmp_path: Path) -> None:
    estate, sheet = tmp_path / "estate", tmp_path / "r.csv"
    shutil.copytree(CONTOSO, estate)
    same = ("review", "-e", str(estate), "-a", "run-script", "--by", "user", "--verdict", "allow")
    assert cli(*same, "-o", str(sheet)).code == 0
    people = estate / "people.yaml"
    people.write_text(people.read_text("utf-8").replace("SG-Intune-HelpDesk", "SG-Other"), "utf-8")
    intune = estate / "intune.yaml"
    intune.write_text(intune.read_text("utf-8").replace("SG-Intune-HelpDesk", "SG-Other"), "utf-8")
    result = cli(*same, "--decisions", str(sheet))
    assert result.code == 1
    said = " ".join(result.out.split())
    assert "files changed since the review was made: " in said
    assert "write the review again, and sign that" in said


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda lines: lines[:1] + lines[2:], "lacks"),
        (lambda lines: [*lines, lines[1]], "was added"),
        (lambda lines: [lines[0], lines[1].replace("user", "mallory").replace("PC-", "XX-"), *lines[2:]], "was added"),
        (lambda lines: [*lines, "users-1,users,mallory@contoso.com"], "no row of the review has this set"),
        (lambda lines: lines[:1], "lacks"),
    ],
)
def test_members_of_sets_are_compared(crowded: Made, change: Callable[[list[str]], list[str]], says: str) -> None:
    path = crowded.path.with_name("r.sets.csv")
    path.write_text("\n".join(change(path.read_text("utf-8-sig").splitlines())), "utf-8")
    found = crowded.examined()
    assert not found.is_as_written
    assert any(says in text for text in found.beside.edited)


def test_members_of_sets_that_are_nowhere_are_told(crowded: Made) -> None:
    crowded.path.with_name("r.sets.csv").unlink()
    found = crowded.examined()
    assert found.is_as_written  # the name of a set is made of its members
    assert any("long sets were not compared: there is no r.sets.csv" in text for text in found.beside.sources)


def test_members_on_the_sheet_of_sets_are_compared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    review = crowd().review(actions=["view-scripts"])
    made = make(tmp_path, "r.xlsx", review, What())
    assert made.examined().is_as_written
    assert not edit(made, lambda book: book["Sets"].delete_rows(5)).is_as_written
    made = make(tmp_path, "r.xlsx", review, What())
    see = "30 members: see elsewhere.csv"  # all sets have room
    assert not edit(made, lambda book: setattr(book["Sets"]["C2"], "value", see)).is_as_written
    for module in ("permcheck.review.write.sheets", "permcheck.review.beside"):
        monkeypatch.setattr(f"{module}.LIMIT", 35)
    made = make(tmp_path, "r.xlsx", review, What())
    assert (made.examined().is_as_written, sheets.LIMIT) == (True, 35)
    beside = tmp_path / "r.sets.csv"
    beside.write_text(beside.read_text("utf-8-sig").replace("user0", "mallory").replace("PC-0", "XX-"), "utf-8")
    assert not made.examined().is_as_written
    beside.unlink()
    assert any("1 long sets were not compared" in text for text in made.examined().beside.sources)


# --- the command ----------------------------------------------------------------------


@pytest.mark.parametrize("name", ["r.csv", "r.xlsx"])
def test_what_was_slipped_in_is_said_and_exits_1(cli: Cli, tmp_path: Path, name: str) -> None:
    same = ("review", "-e", CONTOSO, "-a", "run-script", "--by", "user", "--verdict", "allow")
    path = tmp_path / name
    assert cli(*same, "-o", str(path)).code == 0
    result = cli(*same, "--decisions", str(path))
    assert (result.code, "9 rows, as they were written" in result.out) == (0, True), result.out
    if name == "r.csv":
        rows = rows_of(path)
        rows[0]["users"] = "mallory@contoso.com"
        save(path, rows[:-1])
    else:
        book = openpyxl.load_workbook(path)
        put("users", "mallory@contoso.com")(book)
        book["Review"].delete_rows(book["Review"].max_row)
        book.save(path)
    result = cli(*same, "--decisions", str(path))
    assert result.code == 1
    assert "8 rows, not as they were written" in result.out
    assert "Rows that lack" in result.out
    assert "users was `helpdesk@contoso.com`, is `mallory@contoso.com`" in " ".join(result.out.split())
    document = cli(*same, "--decisions", str(path), "--format", "json").document
    assert (document["clean"], document["as_written"], document["rows"]) == (False, False, 8)
    assert (len(document["lacking"]), len(document["altered"])) == (1, 1)
    assert document["altered"][0]["changes"] == [
        {"column": "users", "written": "helpdesk@contoso.com", "found": "mallory@contoso.com"}
    ]


@pytest.mark.parametrize("other", [("--by", "class"), ("--verdict", "deny"), ("-a", "run-cmpivot"), ("-u", "on-call@contoso.com")])  # fmt: skip
def test_another_review_is_not_this_one(cli: Cli, tmp_path: Path, other: tuple[str, str]) -> None:
    """What a sheet must hold is said by the options, not by the sheet, nor by what lies beside it."""
    how = {"-a": "run-script", "--by": "user", "--verdict": "allow"}
    path = tmp_path / "r.csv"

    def command(options: dict[str, str]) -> list[str]:
        return ["review", "-e", CONTOSO, *(word for pair in options.items() for word in pair)]

    assert cli(*command(how | dict([other])), "-o", str(path)).code == 0
    result = cli(*command(how), "--decisions", str(path))
    assert result.code == 1
    assert "the options must be those of the review" in result.out
    assert "r.population.json: asked." in result.out


def test_every_column_is_read() -> None:
    assert set(READ) == {*SAID, *SIGN_OFF}
