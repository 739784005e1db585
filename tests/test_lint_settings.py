"""The table [lint]: what it sets, what beats it, what is wrong with it; suppressions, and a baseline."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from commands import Cli, Result
from permcheck.checks.facts import load_checks
from permcheck.checks.finding import Finding, Place
from permcheck.checks.settings import Looked, Settings, Suppression, judge, read_settings
from permcheck.errors import LoadError

DAY = date(2026, 11, 21)
TYPO = "Microsoft.Intune_CloudAttach_RunCMPivot"
TUNED = next(facts for facts in load_checks().values() if any(type(v) is int for v in facts.options.values()))
OPTION = next(name for name, value in TUNED.options.items() if type(value) is int)


def role(name: str, *actions: str) -> str:
    return json.dumps(
        {"displayName": name, "rolePermissions": [{"resourceActions": [{"allowedResourceActions": list(actions)}]}]}
    )


@pytest.fixture(name="cli")
def a_cli(cli: Cli) -> Cli:
    """Run a command in a folder with two roles, each of which has one unknown permission."""
    Path("roles").mkdir()
    for name in ("desk", "field"):
        Path(f"roles/{name}.json").write_text(role(name, TYPO), "utf-8")
    return cli


def configured(text: str, name: str = "permcheck.toml") -> Path:
    path = Path(name)
    path.write_text(text, "utf-8")
    return path


def checks_in(result: Result) -> list[str]:
    return [one["check"] for one in json.loads(result.out)["findings"]]


# --- select, ignore, fail-on ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["validate", "lint"])
@pytest.mark.parametrize(
    ("setting", "code"),
    [
        ("", 1),
        ('select = ["PC101"]', 1),
        ('select = ["unknown-permission"]', 1),
        ('select = ["PC104"]', 0),
        ('ignore = ["PC1"]\nselect = ["PC104", "PC301"]', None),
        ('ignore = ["PC101"]\nselect = ["PC101", "PC104"]', 0),
        ('fail-on = "error"', 1),
    ],
)
def test_the_table_chooses(cli: Cli, command: str, setting: str, code: int | None) -> None:
    configured(f"[lint]\n{setting}\n")
    expected = {"validate": 0, "lint": 3}[command] if code is None else code
    assert cli(command, "roles").code == expected


def test_pyproject_has_the_same_table(cli: Cli) -> None:
    configured('[tool.permcheck.lint]\nselect = ["PC104"]\n', "pyproject.toml")
    assert cli("lint", "roles").code == 0


def test_flags_beat_the_environment_beats_the_file(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    configured('[lint]\nselect = ["PC104"]\nfail-on = "error"\n')
    assert cli("lint", "roles").code == 0
    monkeypatch.setenv("PERMCHECK_SELECT", "PC101")
    assert cli("lint", "roles").code == 1
    assert cli("lint", "roles", "--select", "PC104").code == 0
    monkeypatch.setenv("PERMCHECK_FAIL_ON", "nonsense")
    assert cli("lint", "roles").code == 2


def test_exit_zero_is_0_whatever_is_found(cli: Cli) -> None:
    result = cli("lint", "roles", "--exit-zero", "--select", "PC101")
    assert result.code == 0
    assert "PC101" in result.out


def test_other_commands_do_not_mind_the_table(cli: Cli) -> None:
    configured('[lint]\nselect = ["PC104"]\n[[lint.suppress]]\ncheck = "PC999"\n')
    assert cli("actions").code == 0


# --- what is wrong with it --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("lint = 5\n", "`lint` has a value of the wrong type"),
        ("[lint]\nselct = []\n", "unknown key `lint.selct`"),
        ("[lint]\nselect = 'PC1'\n", "`lint.select` has a value of the wrong type"),
        ("[lint]\nselect = [1]\n", "`lint.select` is not a list of names"),
        ("[lint]\nfail-on = 1\n", "`lint.fail-on`"),
        ("[lint.suppress]\ncheck = 'PC101'\n", "`lint.suppress`"),
        ("[lint]\nsuppress = [5]\n", "a suppression names no check"),
        ("[[lint.suppress]]\nreason = 'x'\n", "a suppression names no check"),
        ("[[lint.suppress]]\ncheck = 'PC1o1'\nreason = 'x'\n", "no check is called `PC1o1`"),
        ("[[lint.suppress]]\ncheck = 'PC101'\nreson = 'x'\n", "no key is called `reson`"),
        ("[[lint.suppress]]\ncheck = 'PC101'\nreason = 5\n", "`reason` of a suppression"),
        ("[[lint.suppress]]\ncheck = 'PC101'\nreason = 'x'\nexpires = 'soon'\n", "`soon` is not a day"),
        ("[lint.options]\nPC999 = {}\n", "no check is called `PC999`"),
        ("[lint.options]\nPC101 = 5\n", "`lint.options.PC101` is not a table"),
        (f"[lint.options.{TUNED.id}]\n{OPTION}x = 1\n", f"no option is called `{OPTION}x`"),
        (
            f"[lint.options.{TUNED.id}]\n{OPTION} = '1'\n",
            f"`lint.options.{TUNED.id}.{OPTION}` has a value of the wrong type",
        ),
        (f"[lint.options.{TUNED.id}]\n{OPTION} = true\n", "of the wrong type"),
    ],
)
def test_a_wrong_table_is_3(cli: Cli, text: str, says: str) -> None:
    configured(text)
    result = cli("lint", "roles")
    assert (result.code, result.out) == (3, "")
    assert says in result.err
    assert "permcheck.toml" in result.err


def test_a_near_name_is_offered(cli: Cli) -> None:
    configured(f"[lint.options.{TUNED.id}]\n{OPTION}x = 1\n[lint.options.{TUNED.id[:-1]}]\n")
    result = cli("lint", "roles")
    assert f"did you mean `{OPTION}`?" in result.err
    assert "did you mean `PC" in result.err


def test_every_problem_is_told_at_once(cli: Cli) -> None:
    configured("[lint.options]\nPC998 = {}\nPC999 = {}\n[[lint.suppress]]\ncheck = 'PC997'\n")
    assert cli("lint", "roles").err.count("no check is called") == 3


@pytest.mark.parametrize("setting", ['select = ["PC999"]', 'ignore = ["unknown-permision"]', 'fail-on = "never"'])
def test_a_setting_with_an_unknown_name_is_like_an_option_with_one(cli: Cli, setting: str) -> None:
    configured(f"[lint]\n{setting}\n")
    assert cli("lint", "roles").code == 2


def test_an_option_reaches_its_check(tmp_path: Path) -> None:
    file = tmp_path / "permcheck.toml"
    file.write_text(f"[lint.options.{TUNED.name}]\n{OPTION} = 17\n", "utf-8")
    assert read_settings(file, {"options": {TUNED.name: {OPTION: 17}}}).options == {TUNED.id: {OPTION: 17}}


# --- suppressions -----------------------------------------------------------------------------------------------------


def found(subject: str = "Desk/x", file: str = "roles/desk.json") -> Finding:
    return Finding(Place(file, 3, 5), "PC101", "unknown-permission", "error", "confirmed", "no", subject)


def judged(*suppressions: Suppression, looked: Looked | None = None, **other: Any) -> tuple[list[str], int]:
    findings = (found(), found("Field/y", "roles/field.json"))
    looked = looked or Looked(frozenset({"PC101"}), frozenset({"roles/desk.json", "roles/field.json"}))
    kept, hidden = judge(findings, Settings(suppressions=suppressions, today=DAY, **other), looked)
    return [f"{one.check} {one.message if one.check == 'PC112' else one.subject}" for one in kept], hidden


BOTH = ["PC101 Desk/x", "PC101 Field/y"]


def test_without_suppressions_everything_counts() -> None:
    assert judged() == (BOTH, 0)


@pytest.mark.parametrize(
    ("how", "kept"),
    [
        ({}, []),
        ({"subject": "Desk/*"}, BOTH[1:]),
        ({"subject": "Desk/x"}, BOTH[1:]),
        ({"file": "roles/field.json"}, BOTH[:1]),
        ({"file": "roles/*"}, []),
        ({"expires": DAY}, []),
        ({"expires": date(2027, 1, 31)}, []),
    ],
)
def test_a_suppression_keeps_back_what_it_fits(how: dict[str, Any], kept: list[str]) -> None:
    for check in ("PC101", "pc101", "unknown-permission"):
        assert [one for one in judged(Suppression(check, "agreed", **how))[0] if "PC101 " in one[:6]] == kept


def test_what_is_kept_back_is_counted() -> None:
    assert judged(Suppression("PC101", "agreed")) == ([], 2)


@pytest.mark.parametrize(
    ("one", "says"),
    [
        (Suppression("PC101", " ", subject="Desk/*"), "gives no reason"),
        (Suppression("PC101", "agreed", subject="Desk/*", expires=date(2026, 11, 20)), "expired on 2026-11-20"),
        (Suppression("PC101", "agreed", subject="Nobody/*"), "fits no finding"),
    ],
)
def test_a_suppression_that_does_not_count_is_a_finding(one: Suppression, says: str) -> None:
    kept, hidden = judged(one)
    assert kept == [*BOTH, f"PC112 the suppression of `PC101` for `{one.subject}` {says}"]
    assert hidden == 0


@pytest.mark.parametrize(
    ("one", "looked"),
    [
        (Suppression("PC104", "agreed"), Looked(frozenset({"PC101"}), frozenset({"a"}))),
        (Suppression("PC101", "agreed", subject="n"), Looked(frozenset({"PC101"}), frozenset({"a"}), whole=False)),
        (Suppression("PC101", "agreed", file="other/*"), Looked(frozenset({"PC101"}), frozenset({"roles/desk.json"}))),
        (
            Suppression("PC101", "agreed", subject="n", file="roles/*"),
            Looked(frozenset({"PC101"}), frozenset({"roles/desk.json"}), whole=False),
        ),
    ],
)
def test_one_about_what_was_not_looked_at_is_not_unused(one: Suppression, looked: Looked) -> None:
    assert judged(one, looked=looked) == (BOTH, 0)


def test_the_check_of_suppressions_can_be_left_out() -> None:
    assert judged(Suppression("PC101", "", subject="n"), ignore=("PC112",)) == (BOTH, 0)


def test_suppressions_from_the_command_line(cli: Cli) -> None:
    configured(
        '[lint]\nselect = ["PC101"]\n\n[[lint.suppress]]\ncheck = "PC101"\nreason = "agreed"\nfile = "roles/desk.json"\n'
        '[[lint.suppress]]\ncheck = "unknown-permission"\nreason = "once"\nsubject = "field/*"\nexpires = 2020-01-31\n'
        '[[lint.suppress]]\ncheck = "PC101"\nreason = "never"\nsubject = "nobody"\n'
    )
    result = cli("lint", "roles", "--format", "json")
    assert checks_in(result) == ["PC112", "PC112", "PC101"]
    assert [one["line"] for one in json.loads(result.out)["findings"][:2]] == [8, 13]
    assert json.loads(result.out)["suppressed"] == 1
    assert checks_in(cli("lint", "roles/desk.json", "--format", "json")) == ["PC112"]


def test_a_file_is_named_from_the_settings_wherever_one_is(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    configured(
        '[lint]\nselect = ["PC101"]\n[[lint.suppress]]\ncheck = "PC101"\nreason = "agreed"\nfile = "roles/*.json"\n'
    )
    for folder, path in (("roles", "."), ("roles", "../roles/desk.json"), (".", str(tmp_path / "roles"))):
        monkeypatch.chdir(tmp_path / folder)
        assert cli("lint", path).code == 0, path


# --- a baseline -------------------------------------------------------------------------------------------------------


def test_a_baseline_keeps_back_what_is_old(cli: Cli) -> None:
    wrote = cli("lint", "roles", "--write-baseline", "known.json", "--select", "PC101")
    assert wrote.code == 0
    assert "2 findings" in wrote.err
    document = json.loads(Path("known.json").read_text("utf-8"))
    assert document["findings"] == sorted(document["findings"])
    assert cli("lint", "roles", "--baseline", "known.json", "--select", "PC101").code == 0
    Path("roles/new.json").write_text(role("new", TYPO), "utf-8")
    new = cli("lint", "roles", "--baseline", "known.json", "--select", "PC101", "--format", "json")
    assert [Path(one["file"]).name for one in json.loads(new.out)["findings"]] == ["new.json"]
    assert json.loads(new.out)["suppressed"] == 2


def test_a_baseline_is_the_same_each_time_and_when_lines_move(cli: Cli) -> None:
    cli("lint", "roles", "--write-baseline", "a.json")
    Path("roles/desk.json").write_text("\n\n" + Path("roles/desk.json").read_text("utf-8"), "utf-8")
    cli("lint", "./roles", "--write-baseline", "b.json")
    assert Path("a.json").read_bytes() == Path("b.json").read_bytes()


def test_the_table_names_a_baseline(cli: Cli) -> None:
    cli("lint", "roles", "--write-baseline", "known.json", "--select", "PC101")
    configured('[lint]\nselect = ["PC101"]\nbaseline = "known.json"\n')
    assert cli("lint", "roles").code == 0
    assert cli("lint", "roles", "--write-baseline", "again.json").code == 0
    assert Path("again.json").read_bytes() == Path("known.json").read_bytes()


@pytest.mark.parametrize(
    "text", [None, "", "{", "[]", "{}", '{"format": "permcheck-baseline/1", "findings": [1]}', "\x00"]
)
def test_a_baseline_that_is_none_is_3(cli: Cli, text: str | None) -> None:
    if text is not None:
        Path("known.json").write_text(text, "utf-8")
    result = cli("lint", "roles", "--baseline", "known.json")
    assert (result.code, result.out) == (3, "")
    assert "known.json" in result.err


def test_no_baseline_is_written_of_files_that_cant_be_read(cli: Cli) -> None:
    Path("roles/broken.json").write_text("{", "utf-8")
    assert cli("lint", "roles", "--write-baseline", "known.json").code == 3
    assert not Path("known.json").exists()


def test_a_baseline_that_cant_be_written_is_3(cli: Cli) -> None:
    assert cli("lint", "roles", "--write-baseline", "no/such/folder.json").code == 3


def test_settings_of_the_library_are_read_with_their_day(tmp_path: Path) -> None:
    file = tmp_path / "permcheck.toml"
    file.write_text("", "utf-8")
    with pytest.raises(LoadError):
        read_settings(file, {"suppress": [{"check": "PC000"}]})
    assert read_settings(file, {}, DAY).today == DAY
