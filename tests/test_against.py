"""`permcheck lint --against`: what a change opens, by the edit that is responsible; estates of git revisions."""

from __future__ import annotations

import os
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import permcheck
import pytest
from commands import Cli
from hypothesis import given, settings
from permcheck.api import Estate
from permcheck.checks.facts import load_checks
from permcheck.checks.lint import Report, lint
from permcheck.checks.settings import Settings
from permcheck.loading.policy import load_policy
from permcheck.review.graft import grafted
from permcheck.review.outline_diff import difference_outline
from strategies import Data, load_dict, partial_estates

GIT = {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b", "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@b"}
FACTS = load_checks()["PC901"]
OLD, NEW = (example.text for example in FACTS.bad)
CONTOSO = Path(__file__).parent.parent / "examples" / "contoso"
MORE = "group:SG-Intune-HelpDesk.add=field-service@contoso.com"


def write(path: str, text: str) -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(text, "utf-8")


def git(*arguments: str) -> None:
    subprocess.run(("git", *arguments), env=os.environ | GIT, check=True, capture_output=True, timeout=30)


def commit() -> None:
    git("init", "--quiet", "--initial-branch=main")
    git("add", "--all")
    git("-c", "commit.gpgsign=false", "commit", "--quiet", "--no-verify", "-m", "x")


def compared(before: Estate, after: Estate, check: str = "PC901", **options: Any) -> Report:
    named = {name.replace("_", "-"): value for name, value in options.items()}
    how = Settings(select=(check,), options={check: named})
    return lint([], load_policy(), how, after, before)


# --- the command ------------------------------------------------------------------------------------------------------


def test_without_an_estate_to_compare_with_it_is_not_evaluated(cli: Cli) -> None:
    write("new.yaml", NEW)
    result = cli("lint", "-e", "new.yaml", "--select", "PC901")
    assert result.code == 3
    assert "not evaluated: PC901: no estate to compare with was named: use --against\n" in result.out
    result = cli("lint", "new.yaml", "--against", "new.yaml", "--select", "PC901")
    assert "not evaluated: PC901: no estate was named: use -e\n" in result.out


def test_a_folder_is_compared(cli: Cli) -> None:
    write("before/estate.yaml", OLD)
    write("after/estate.yaml", NEW)
    result = cli("lint", "-e", "after", "--against", "before", "--select", "PC901", "--format", "json")
    assert result.code == 1
    (found,) = result.document["findings"]
    text = f"{NEW}\n".splitlines()[found["line"] - 1]
    assert (found["file"], text.startswith("- {name: Desk,")) == ("after/estate.yaml", True)
    assert found["message"] == (
        "by `group Desk: + bo@contoso.com`, 1 user (`bo@contoso.com`) can now use 5 actions (5 answers),"
        " and 1 user (`bo@contoso.com`) may now be able to use 4 actions (4 answers)"
    )
    assert found["key"] == "PC901|after/estate.yaml|group Desk: + bo@contoso.com"
    assert "`sync-machine-policy`" in found["help"]
    assert cli("lint", "-e", "before", "--against", "after", "--select", "PC901").code == 0, "less is no finding"
    assert cli("lint", "-e", "after", "--against", "after", "--select", "PC901").code == 0


@pytest.mark.parametrize("against", ["HEAD:estate", "main:estate/", "main:estate/estate.yaml", "main:./estate"])
def test_a_revision_is_compared(cli: Cli, against: str) -> None:
    write("estate/estate.yaml", OLD)
    commit()
    write("estate/estate.yaml", NEW)
    result = cli("lint", "-e", "estate", "--against", against, "--select", "PC901")
    assert result.code == 1, result
    assert "by `group Desk: + bo@contoso.com`" in result.out
    git("commit", "--quiet", "--all", "--no-verify", "-m", "y")
    assert cli("lint", "-e", "estate", "--against", against, "--select", "PC901").code == 0


@pytest.mark.parametrize(
    ("against", "says"),
    [
        ("nowhere:estate", "nowhere"),
        ("main:elsewhere", "revision `main` has nothing called `elsewhere`"),
        ("--output=x:estate", "--output=x"),
        ("elsewhere", "elsewhere"),
    ],
)
def test_what_can_not_be_read_is_3(cli: Cli, against: str, says: str) -> None:
    write("estate/estate.yaml", NEW)
    commit()
    result = cli("lint", "-e", "estate", f"--against={against}", "--select", "PC901", "--exit-zero")
    assert (result.code, result.out) == (3, "")
    assert says in result.err
    assert not Path("x").exists()


def test_a_revision_that_is_no_estate_is_3_and_named(cli: Cli) -> None:
    write("estate/estate.yaml", "users: [{upn: 5}]\n")
    commit()
    write("estate/estate.yaml", NEW)
    result = cli("lint", "-e", "estate", "--against", "main:estate")
    assert (result.code, result.out) == (3, "")
    assert "estate.yaml:1" in result.err


@pytest.mark.parametrize("against", ["before", "main:estate"])
def test_the_configuration_names_it_from_its_own_folder(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, against: str
) -> None:
    write("estate/estate.yaml", OLD)
    write("before/estate.yaml", OLD)
    write("permcheck.toml", f'estate = "estate"\n[lint]\nselect = ["PC901"]\nagainst = "{against}"\n')
    commit()
    write("estate/estate.yaml", NEW)
    write("deep/down/x.txt", "")
    for folder in (".", "deep/down"):
        monkeypatch.chdir(folder)
        result = cli("lint")
        assert (result.code, "group Desk: + bo@contoso.com" in result.out) == (1, True), result
    assert cli("lint", "--against", "../../estate").code == 0, "an option of the command line comes first"


def test_a_meant_change_is_suppressed_by_its_edit(cli: Cli) -> None:
    write("before/estate.yaml", OLD)
    write("after/estate.yaml", NEW)
    write(
        "permcheck.toml",
        '[[lint.suppress]]\ncheck = "PC901"\nreason = "bo joined the desk"\nsubject = "group Desk: + bo@*"\n',
    )
    result = cli("lint", "-e", "after", "--against", "before", "--select", "PC901")
    assert (result.code, "1 kept back" in result.out or "0 warnings" in result.out) == (0, True)


# --- what counts ------------------------------------------------------------------------------------------------------


def test_the_change_as_a_whole_is_held_against_the_threshold() -> None:
    before = permcheck.load(CONTOSO)
    after = before.what_if(MORE)
    difference = before.diff(after, actions=["effect:act", "effect:administer"])
    answers = difference.counts["gained"] + difference.counts["opened"]
    assert answers > 1
    assert len(compared(before, after, answers=answers - 1).findings) == 1
    report = compared(before, after, answers=answers)
    assert (report.findings, report.ran) == ((), ("PC901",))


def test_effects_are_chosen() -> None:
    before = permcheck.load(CONTOSO)
    after = before.what_if(MORE)
    (all_,) = compared(before, after, effects="view, act, administer").findings
    (some,) = compared(before, after).findings
    assert "`view-applications`" in compared(before, after, effects="view").findings[0].help
    assert "view" not in some.help
    assert all_.message != some.message
    assert compared(before, after, effects="administer").findings == ()
    for effects, what in (("act, acts", "names `acts`"), (" ", "names no effect")):
        (why,) = compared(before, after, effects=effects).not_run
        assert why.why == f"option `effects` {what}; there are act, administer, view"


def test_every_edit_that_is_enough_alone_is_named() -> None:
    before = permcheck.load(CONTOSO)
    other = "intune-role:Help Desk Operator.add=field-service@contoso.com"
    after = before.what_if(MORE, other)
    subjects = {one.subject for one in compared(before, after).findings}
    assert len(subjects) >= 2
    assert "group SG-Intune-HelpDesk: + field-service@contoso.com" in subjects


def test_a_switch_stands_at_its_hierarchy() -> None:
    before = permcheck.load(CONTOSO)
    after = before.what_if("hierarchy:PRD.enforce-cm-rbac=cleared")
    (found,) = compared(before, after).findings
    assert found.subject.startswith("hierarchy PRD: enforce configmgr rbac")
    assert found.place == found.place._replace(line=found.place.line or -1), "a line is known"


@pytest.mark.parametrize("lacking", ["users", "devices"])
def test_what_is_on_no_list_is_not_taken_for_new(lacking: str) -> None:
    data = {"complete": True, "users": [{"upn": "a@example.com"}], "hierarchies": [{"id": "P01"}]}
    whole, partial = load_dict(data), load_dict(data | {"incomplete": [lacking]})
    for before, after, which in ((partial, whole, "the estate to compare with"), (whole, partial, "the estate")):
        report = compared(before, after)
        assert (report.findings, report.ran) == ((), ())
        assert report.not_run[0].why == f"{which} does not have the whole list of {lacking}"
    assert compared(whole, whole).ran == ("PC901",)


@settings(max_examples=10)
@given(partial_estates())
def test_findings_are_the_differences(drawn: tuple[Data, Data]) -> None:
    before, after = load_dict(drawn[0]), load_dict(drawn[1])
    report = compared(before, after)
    if report.ran:
        counts = before.diff(after, actions=["effect:act", "effect:administer"]).counts
        assert bool(report.findings) == bool(counts["gained"] + counts["opened"])
    assert compared(after, after).findings == ()


# --- tier 0 -----------------------------------------------------------------------------------------------------------


def test_tier_0_devices_are_watched() -> None:
    before = permcheck.load(CONTOSO)
    after = before.what_if(MORE)
    gained = [
        change for change in before.diff(after, actions=["effect:act"]).changes if change.kind in {"gained", "opened"}
    ]
    there = {after.tables.devices[key].name for change in gained for key in change.devices.each()}
    other = {form.name for form in after.tables.devices.values()} - there
    name = min(there)
    (found,) = compared(before, after, "PC902", devices=name).findings
    assert found.severity == "error"
    assert found.message.endswith(f", on 1 tier-0 device (`{name}`)")
    assert compared(before, after, "PC902", devices=name, people="FIELD-SERVICE@contoso.com").findings == ()
    if other:
        assert compared(before, after, "PC902", devices=min(other)).findings == ()
    assert "name no tier-0 devices" in compared(before, after, "PC902").not_run[0].why


def test_with_very_many_edits_none_is_asked_about_alone() -> None:
    """The finding says what `permcheck diff` says: that nobody asked, not that it takes several."""
    before = permcheck.load(CONTOSO)
    tables = before.tables
    groups = {
        f"g{number}": tables.groups["sg-intune-helpdesk"].model_copy(update={"name": f"g{number}"})
        for number in range(70)
    }
    members = {key: tables.members["sg-intune-helpdesk"]._replace(users=(), groups=()) for key in groups}
    more = replace(tables, groups={**tables.groups, **groups}, members={**tables.members, **members})
    after = Estate(more, before.policy).what_if(MORE)
    (found,) = compared(before, after, answers=0).findings
    assert found.message.startswith("by edits, too many to ask about each alone, 1 user (`field-service@contoso.com`)")
    assert found.subject == "edits, too many to ask about each alone"
    titles = [section.heading for section in difference_outline(before.diff(after))]
    assert titles[-1] == "Edits, too many to ask about each alone"


def test_the_two_checks_share_one_comparison(monkeypatch: pytest.MonkeyPatch) -> None:
    before = permcheck.load(CONTOSO)
    after = before.what_if(MORE, "group:SG-Intune-HelpDesk.add=employee@contoso.com", "use-intune-rbac=on")
    made: list[str] = []
    monkeypatch.setattr(Estate, "diff", counting(Estate.diff, made, "diff"))
    monkeypatch.setattr("permcheck.review.graft.grafted", counting(grafted, made, "edit"))
    tier = {"devices": "PC-0042"}
    how = Settings(select=("PC901", "PC902"), options={"PC901": {"answers": 0}, "PC902": tier})
    both = lint([], load_policy(), how, after, before)
    assert {finding.check for finding in both.findings} == {"PC901", "PC902"}
    assert made.count("diff") == 1
    assert made.count("edit") <= len(before.diff(after).edits)
    monkeypatch.undo()
    alone = [*compared(before, after, answers=0).findings, *compared(before, after, "PC902", **tier).findings]
    assert sorted(map(str, both.findings)) == sorted(map(str, alone))


def counting(function: Any, made: list[str], word: str) -> Any:
    """Return a function that also notes that it was called."""

    def counted(*arguments: Any, **named: Any) -> Any:
        made.append(word)
        return function(*arguments, **named)

    return counted
