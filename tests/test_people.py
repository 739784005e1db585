"""who-can, what-can, review, diff and what-if, as people use them."""

from __future__ import annotations

import csv
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Any

import pytest
import yaml
from commands import Cli
from hypothesis import given, settings
from hypothesis import strategies as st
from permcheck.api import Estate, load
from permcheck.bulk.answers import Answers, Selection, View
from permcheck.cli.diff import _watched
from permcheck.errors import LoadError, NothingSelectedError, SelfCheckError, UnknownNameError
from permcheck.evaluate.advice import KINDS
from permcheck.loading.revision import checked_out
from permcheck.model import change
from permcheck.model.decision import Opened
from permcheck.model.state import Verdict
from permcheck.review import blast
from permcheck.review.as_written import Compared
from permcheck.review.diff import Unit
from permcheck.review.evidence import evidence
from permcheck.review.removals import work_out
from permcheck.review.signed import Signed
from permcheck.review.table import Printer, record
from permcheck.review.verify import verify
from strategies import ACTIONS, Data, crowds, every_question, load_dict

CONTOSO = str(Path(__file__).parent.parent / "examples" / "contoso")


def asked(estate: Estate) -> dict[tuple[str, str, str], Verdict]:
    """Every single answer about devices, by names."""
    tables = estate.tables
    return {
        (user.upn, action.id, device.name): estate.verdict(user.upn, action.id, device.name)
        for user in tables.users.values()
        for action in estate.policy.actions.values() if action.target == "device"
        for device in tables.devices.values()
    }  # fmt: skip


# --- who can, what can ------------------------------------------------------------------------------------------------
def test_who_can_lists_everybody_who_can_and_nobody_else(cli: Cli) -> None:
    estate = load(CONTOSO)
    found = cli("who-can", "run-script", "--any", "-e", CONTOSO, "--format", "json").document
    told = {
        (user, row["action"], device): row["verdict"]
        for row in found["rows"] for user in row["users"] for device in row["devices"]
    }  # fmt: skip
    expected = {k: v.value for k, v in asked(estate).items() if k[1] == "run-script" and v is not Verdict.DENY}
    assert told == expected


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["who-can", "run-script", "SRV-0007"], 0),
        (["who-can", "import-azure-app"], 1),
        (["who-can", "set-enforce-cm-rbac"], 4),
        (["who-can", "run-script"], 2),
        (["who-can", "run-script", "SRV-0007", "--any"], 2),
        (["who-can", "run-scrip", "SRV-0007"], 2),
        (["who-can", "run-script", "X-*"], 3),
        (["who-can", "run-script", "collection:All Workstations"], 0),
        (["what-can", "field-service@contoso.com"], 0),
        (["what-can", "field-service@contoso.com", "SRV-0007"], 0),
        (["what-can", "field-service@contoso.co"], 2),
        (["what-if", "--set", "use-intune-rbac=off"], 0),
        (["what-if", "--set", "use-intune-rbac=on", "--fail-on", "any"], 0),
        (["what-if", "--set", "use-intune-rbac=off", "--fail-on", "lost"], 1),
        (["what-if", "--set", "use-intune-rbac"], 2),
        (["review", "--verify", "20"], 0),
        (["review", "-u", "nobody*"], 3),
        (["review", "-a", "effect:fly"], 3),
    ],
)
def test_exit_codes(cli: Cli, words: list[str], code: int) -> None:
    result = cli(*words, "-e", CONTOSO)
    assert result.code == code, result.err
    assert "Traceback" not in result.err


def test_every_path_is_shown_on_request(cli: Cli) -> None:
    twice = ("what-can", "helpdesk@contoso.com", "-e", CONTOSO, "--format", "json",
             "--what-if", "intune-role:Help Desk Operator.add=helpdesk@contoso.com")  # fmt: skip
    short = cli(*twice).document["rows"]
    long = cli(*twice, "--explain").document["rows"]
    assert sum(len(row["paths"]) for row in long) > sum(len(row["paths"]) for row in short)


def test_markdown_and_text_name_the_same_people(cli: Cli) -> None:
    text = cli("who-can", "run-script", "--any", "-e", CONTOSO).out
    markdown = cli("who-can", "run-script", "--any", "-e", CONTOSO, "--format", "markdown").out
    for user in load(CONTOSO).tables.users.values():
        assert (user.upn in text) is (user.upn in markdown)


def test_selectors() -> None:
    estate = load(CONTOSO)

    def keys(**how: Any) -> tuple[Any, ...]:
        return tuple(estate.review(**how).selection)

    assert keys(users=["group:SG-Servicedesk-NL"])[0] == ("helpdesk-utrecht@contoso.com",)
    assert set(keys(users=["*@contoso.com"])[0]) == set(estate.tables.users)
    assert set(keys(devices=["hierarchy:TST"])[2]) == {"tst/pc-0042"}
    assert set(keys(devices=["SRV-*"])[2]) == {"prd/srv-0007"}
    assert {act.action.target for act in keys(devices=["SRV-*"])[1]} == {"device"}
    assert {act.action.effect for act in keys(actions=["effect:administer"])[1]} == {"administer"}
    with pytest.raises(UnknownNameError, match="no device is called"):
        estate.review(devices=["SRV-7"])
    with pytest.raises(NothingSelectedError, match=r"no device is selected by `Q\*`"):
        estate.review(devices=["Q*"])


# --- the review itself ------------------------------------------------------------------------------------------------
@settings(max_examples=25)
@given(crowds())
def test_rows_are_every_single_answer_once(drawn: tuple[Data, Data]) -> None:
    estate = load_dict(drawn[0])
    told: dict[tuple[str, str, str], Verdict] = {}
    for row in estate.review(actions=ACTIONS).rows():
        for user in row.users:
            for device in row.devices.each():
                key = (user, str(row.act), device)
                assert key not in told
                told[key] = row.verdict
    tables = estate.tables
    for ask in every_question(drawn[0]):
        if ask.object is None:
            action, variant = estate.find_action(ask.action)
            key = (ask.user, action.id + (f":{variant}" if variant else ""), estate.names["device"].find(ask.device))
            assert told.pop(key) is estate.verdict(ask.user, ask.action, ask.device)
    assert not told, tables.name


@settings(max_examples=25)
@given(crowds(), st.sampled_from(["shortest", "every"]))
def test_the_reasons_of_a_row_are_those_of_each_of_its_cells(drawn: tuple[Data, Data], paths: str) -> None:
    every = paths == "every"
    estate = load_dict(drawn[0])
    review = estate.review(actions=ACTIONS)
    engine = review.view.engine
    for row in review.rows(every_path=every):
        for user in row.users:
            for device in row.devices.each():
                decision = review.decision(user, row.act, row.hierarchy, device)
                assert evidence(decision, engine.tables, engine.policy, every=every) == row.evidence


@settings(max_examples=15)
@given(crowds())
def test_totals_and_rows_agree_however_they_are_cut(drawn: tuple[Data, Data]) -> None:
    review = load_dict(drawn[0]).review(actions=ACTIONS)
    for by in ("class", "user", "cell"):
        cells = dict.fromkeys(Verdict, 0)
        for row in review.rows(by=by):
            cells[row.verdict] += row.cells
        assert cells == {Verdict(name): count for name, count in review.total._asdict().items()}


def test_the_self_check_finds_a_wrong_answer(monkeypatch: pytest.MonkeyPatch, cli: Cli) -> None:
    review = load(CONTOSO).review()
    assert verify(review, 50, Random(1)) == 50
    monkeypatch.setattr(Answers, "region", lambda *_: 1)  # everything is allowed
    with pytest.raises(SelfCheckError, match="allow at once, deny alone"):
        verify(load(CONTOSO).review(), 50, Random(1))
    result = cli("review", "-e", CONTOSO, "--verify", "50")
    assert (result.code, "trust none of the answers" in result.err) == (70, True)


# --- fixes ------------------------------------------------------------------------------------------------------------
@settings(max_examples=6)
@given(crowds())
def test_a_fix_says_how_many_other_answers_it_opens(drawn: tuple[Data, Data]) -> None:
    estate = load_dict(drawn[0])
    denied = [
        a for a in every_question(drawn[0], ACTIONS[:1]) if a.object is None and estate.verdict(*a[:3]) is Verdict.DENY
    ]
    for ask in denied[:1]:
        fixes = estate.check(*ask[:3]).fixes
        order = [(KINDS.index(fix.kind), fix.opens) for fix in fixes]
        assert order == sorted(order)
        for fix in (*fixes[:2], *fixes[-2:]):
            found = estate.diff_of(*fix.changes)
            gained = sum(change.cells for change in found.changes if change.after is Verdict.ALLOW)
            assert fix.opens.answers == gained - 1
            perhaps = [one for one in found.changes if (one.before, one.after) == (Verdict.DENY, Verdict.UNDETERMINED)]
            assert fix.opens.possible == sum(change.cells for change in perhaps)
            opened = [*perhaps, *(change for change in found.changes if change.after is Verdict.ALLOW)]
            assert fix.opens.people == len({user for change in opened for user in change.users})


def test_a_fix_is_counted_where_it_reaches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody but the user is looked at for a right of the user's own; fixes that reach the same are counted at once."""
    asked: list[tuple[int, int]] = []

    class Watched(Answers):
        def __init__(self, views: Sequence[View], selection: Selection) -> None:
            asked.append((len(views), len(selection.users)))
            super().__init__(views, selection)

    monkeypatch.setattr(blast, "Answers", Watched)
    estate = load(CONTOSO)
    fixes = estate.check("helpdesk@contoso.com", "run-script", "PC-1042").fixes
    personal = [fix for fix in fixes if all(isinstance(change, blast.PERSONAL) for change in fix.changes)]
    everybody = len(estate.tables.users)
    assert set(asked) == {(1 + len(personal), 1), (1 + len(fixes) - len(personal), everybody)}
    assert len(asked) == len(set(asked))
    assert 1 < len(personal) < len(fixes) - 1


def test_a_fix_of_a_script_opens_nothing_about_devices_in_general() -> None:
    """A fact of a script is looked at where a question is about that script, and counted answers are about none."""
    estate = load(CONTOSO)
    question = estate._asker.question("helpdesk@contoso.com", "run-script", "PC-0042", None)
    approve = change.SetFact("script", next(iter(estate.tables.scripts)), "approved", value=True)
    assert blast.radius(estate._engine, [(approve,)], question) == (Opened(),)
    assert estate.diff_of(approve).changes == ()


# --- signed reviews ---------------------------------------------------------------------------------------------------
def sign(path: Path, decide: dict[int, str], delimiter: str = ",", **more: str) -> None:
    """Write decisions into a sheet, as a spreadsheet would save it."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    for number, row in enumerate(rows):
        row |= {"decision": decide.get(number, ""), **more}
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys(), delimiter=delimiter)
        writer.writeheader()
        writer.writerows(rows)


@pytest.fixture(name="sheet")
def a_sheet(cli: Cli, tmp_path: Path) -> Path:
    path = tmp_path / "signed.csv"
    assert (
        cli("review", "-e", CONTOSO, "-a", "run-script", "--by", "user", "--verdict", "allow", "-o", str(path)).code
        == 0
    )
    return path


SAME = ("review", "-e", CONTOSO, "-a", "run-script", "--by", "user", "--verdict", "allow", "--format", "json")


def test_removals_are_tried_and_say_what_else_goes(cli: Cli, sheet: Path) -> None:
    sign(sheet, {0: "remove"}, ";")
    result = cli(*SAME, "--decisions", str(sheet))
    assert result.code == 0, result.err
    (removal,) = result.document["removals"]
    assert removal["ends"]
    assert removal["grants"]
    assert removal["other_answers"] > 0
    assert result.document["undecided"] > 0


def test_a_removal_after_which_it_is_open_does_not_end_it() -> None:
    """Somebody else may still give the right: the members of a second assignment are not told."""
    known = yaml.safe_load((Path(CONTOSO) / "intune.yaml").read_text("utf-8"))["intune_assignments"][0]
    estate = load(CONTOSO)
    tables = estate.tables
    told = next(one for one in tables.intune_assignments.values() if one.name == known["name"])
    other = told._replace(key="other", name="other", members=(), members_known=False)
    doubtful = Estate(tables.having("intune_assignments", {**tables.intune_assignments, "other": other}), estate.policy)
    review = doubtful.review(["helpdesk@contoso.com"], ["run-script"], ["PC-0042"])
    (row,) = review.rows([Verdict.ALLOW])
    row_id = str(record(Printer(doubtful.tables, doubtful.policy), row)["row_id"])
    signed = Signed(2, row_id, "remove")
    outcome = work_out(review, Compared((signed,), ((signed, row),)))
    assert [(one.ends, one.open) for one in outcome.removals] == [(False, 1)]
    assert not outcome.clean


def test_a_removal_that_ends_what_is_kept_is_said(cli: Cli, sheet: Path) -> None:
    with sheet.open(encoding="utf-8-sig", newline="") as file:
        users = [row["users"] for row in csv.DictReader(file)]
    twice = next(user for user in users if users.count(user) > 1)
    first, second = (number for number, user in enumerate(users) if user == twice)
    sign(sheet, {first: "remove", second: "keep"})
    result = cli(*SAME, "--decisions", str(sheet))
    assert (result.code, [row["users"] for row in result.document["broken"]]) == (1, [[twice]])


def test_a_row_that_is_not_there_any_more_is_said(cli: Cli, sheet: Path) -> None:
    sign(sheet, {0: "remove"})
    with sheet.open(encoding="utf-8-sig", newline="") as file:
        first = next(csv.DictReader(file))["row_id"]
    sheet.write_text(sheet.read_text("utf-8").replace(first, "00000000-0000-0000-0000-000000000000"), "utf-8")
    result = cli(*SAME, "--decisions", str(sheet))
    assert (result.code, len(result.document["foreign"]), len(result.document["lacking"])) == (1, 1, 1)
    text = cli(*(word for word in SAME if word not in {"--format", "json"}), "--decisions", str(sheet)).out
    assert "Rows that this review does not have" in text


def test_who_decides_about_oneself_is_said(cli: Cli, sheet: Path) -> None:
    sign(sheet, {0: "keep"}, reviewer="helpdesk@contoso.com")
    assert len(cli(*SAME, "--decisions", str(sheet)).document["own"]) == 1


def test_what_is_kept_without_a_comment_is_said(cli: Cli, sheet: Path) -> None:
    sign(sheet, {0: "keep", 1: "remove"})
    found = cli(*SAME, "--decisions", str(sheet)).document["unexplained"]
    assert len(found) == 1
    text = cli(*(word for word in SAME if word not in {"--format", "json"}), "--decisions", str(sheet)).out
    assert "no comment says why" in text
    sign(sheet, {0: "keep"}, comment="CHG-1")
    assert cli(*SAME, "--decisions", str(sheet)).document["unexplained"] == []


@pytest.mark.parametrize(
    ("times", "hasty"),
    [
        (["2026-11-21 10:05"] * 21, [("anna", "2026-11-21 10:05", 21)]),
        (["2026-11-21T10:05:59Z"] * 21, [("anna", "2026-11-21 10:05", 21)]),
        (["2026-11-21 10:05"] * 20 + ["2026-11-21 10:06"] * 20, []),
        (["2026-11-21"] * 50, []),
        ([""] * 50, []),
    ],
)
def test_who_decides_faster_than_anybody_reads_is_said(times: list[str], hasty: list[tuple[str, str, int]]) -> None:
    signed = [Signed(number, str(number), "keep", "anna", time) for number, time in enumerate(times)]
    review = load(CONTOSO).review(["helpdesk@contoso.com"], ["run-script"], ["PC-0042"])
    assert list(work_out(review, Compared(tuple(signed))).hasty) == hasty


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "the file is empty"),
        ("row_id,users\n1,a\n", "the sheet has no column `decision`"),
        ("row_id,decision\n1,maybe\n", "2:1: `maybe` is no decision"),
        ("row_id,decision\n1,keep\n1,remove\n", "3:1: row `1` is decided otherwise in line 2"),
        ('row_id,decision\n1,"keep\n', "2:1: the row that begins here can't be read"),
        (None, "there is no such file"),
    ],
)
def test_a_sheet_that_can_not_be_read(cli: Cli, tmp_path: Path, text: str | None, says: str) -> None:
    path = tmp_path / "signed.csv"
    if text is not None:
        path.write_text(text, "utf-8")
    result = cli(*SAME, "--decisions", str(path))
    assert (result.code, says in result.err) == (3, True), result.err


# --- git revisions ----------------------------------------------------------------------------------------------------
@pytest.fixture(name="repository")
def a_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "repository"
    (folder / "estate").mkdir(parents=True)
    (folder / "estate" / "a.yaml").write_text("users: [{upn: anna@contoso.com, synced: true}]\n", "utf-8")
    (folder / "estate" / "b.yaml").write_text("complete: true\nhierarchies: [{id: P01}]\n", "utf-8")
    monkeypatch.chdir(folder)
    for words in (
        ["init", "-q", "-b", "main"],
        ["add", "."],
        ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "x"],
    ):
        subprocess.run(["git", *words], check=True)
    return folder


def test_a_revision_is_read_as_it_was_committed(cli: Cli, repository: Path) -> None:
    (repository / "estate" / "a.yaml").write_text(
        "# a comment\nusers:\n- synced: true\n  upn: Anna@contoso.com\n", "utf-8"
    )
    (repository / "estate" / "b.yaml").rename(repository / "estate" / "c.yaml")
    result = cli("diff", "main:estate", "estate")
    assert (result.code, "equivalent" in result.out) == (0, True), result.err


CLEARED = ("what-if", "--set", "hierarchy:PRD.enforce-cm-rbac=off", "-a", "run-script", "-e", CONTOSO)


@pytest.mark.parametrize("format_", ["text", "json", "markdown"])
def test_a_difference_is_written_to_a_file_as_it_is_printed(cli: Cli, tmp_path: Path, format_: str) -> None:
    target = tmp_path / "what.txt"
    printed = cli(*CLEARED, "--format", format_)
    written = cli(*CLEARED, "--format", format_, "-o", str(target))
    assert (written.code, written.out) == (printed.code, "")
    assert f"wrote {target}" in written.err
    assert target.read_text("utf-8").rstrip("\n") == printed.out.rstrip("\n")


def test_a_difference_that_is_broken_off_leaves_the_file_as_it_was(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "what.json"
    target.write_text("before", "utf-8")

    def interrupted(*_: object) -> Iterator[str]:
        yield "{"
        raise KeyboardInterrupt

    monkeypatch.setattr("permcheck.review.stream.difference_json", interrupted)
    result = cli(*CLEARED, "--format", "json", "-o", str(target))
    assert (result.code, "aborted" in result.err) == (130, True)
    assert (target.read_text("utf-8"), list(tmp_path.iterdir())) == ("before", [target])


def test_a_difference_that_can_not_be_written_says_why(cli: Cli, tmp_path: Path) -> None:
    result = cli(*CLEARED, "-o", str(tmp_path / "nowhere" / "what.txt"))
    assert (result.code, "nowhere" in result.err, "make the folder first" in result.err) == (3, True, True)


def test_a_terminal_is_shown_how_far_a_difference_is(capsys: pytest.CaptureFixture[str]) -> None:
    difference = load(CONTOSO).diff_of(*load(CONTOSO).changes("use-intune-rbac=off"), actions=["effect:act"])
    asked = [(act, area) for act in difference.selection.acts for area in difference._plain.areas_of(act)]
    seen: list[tuple[int, int]] = []

    def watch(units: Iterator[Unit], size: int) -> Iterator[Unit]:
        found = tuple(units)
        seen.append((len(found), size))
        return _watched(iter(found), size)

    plain, watched = (
        [(one.users, str(one.act), one.kind, one.cells) for one in each.changes]
        for each in (difference, difference.watched(watch))
    )
    assert watched == plain
    assert seen == [(len(asked), len(asked))]
    assert capsys.readouterr().out == ""


def test_a_revision_is_found_from_a_folder_below(
    repository: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(repository / "estate")
    assert (checked_out("HEAD:.", tmp_path / "one") / "a.yaml").is_file()
    assert checked_out("HEAD:a.yaml", tmp_path / "two").is_file()
    assert (checked_out("HEAD:../estate", tmp_path / "three") / "b.yaml").is_file()


@pytest.mark.parametrize("text", ["nowhere:estate", "main:nothing", "--output=x:estate", ":"])
def test_a_revision_that_is_not_there(repository: Path, tmp_path: Path, text: str) -> None:
    with pytest.raises(LoadError):
        checked_out(text, tmp_path / "out")
    assert repository.is_dir()


def test_outside_of_a_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cli: Cli) -> None:
    monkeypatch.chdir(tmp_path)
    result = cli("diff", "main:estate", CONTOSO)
    assert (result.code, "git finds no repository here" in result.err) == (3, True)
