"""Defaults from permcheck.toml and pyproject.toml: which file counts, what beats it, what is wrong with it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from commands import Cli
from permcheck.cli.config import find_config
from permcheck.errors import LoadError

CONTOSO = Path(__file__).parent.parent / "examples" / "contoso"
HERE = CONTOSO.as_posix()
ALLOWED = ("helpdesk@contoso.com", "run-cmpivot", "PC-1042")
DENIED = ("helpdesk@contoso.com", "run-script", "PC-1042")


def write(folder: Path, text: str, name: str = "permcheck.toml") -> Path:
    """Write a configuration file."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(text, "utf-8")
    return path


def small(folder: Path, user: str) -> Path:
    """Write an estate of one user, in which nobody else is known."""
    folder.mkdir(parents=True, exist_ok=True)
    facts = {"complete": True, "users": [{"upn": user}], "hierarchies": [{"id": "P01"}], "devices": [{"name": "PC-1"}]}
    (folder / "estate.json").write_text(json.dumps(facts), "utf-8")
    return folder


# --- which file counts -----------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "text"),
    [("permcheck.toml", f'estate = "{HERE}"\n'), ("pyproject.toml", f'[tool.permcheck]\nestate = "{HERE}"\n')],
)
def test_the_estate_is_named_in_a_file(cli: Cli, tmp_path: Path, name: str, text: str) -> None:
    write(tmp_path, text, name)
    for command in ("check", "explain"):
        assert cli(command, *ALLOWED).code == 0


def test_a_file_counts_in_the_folders_below(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, f'estate = "{HERE}"\n')
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    monkeypatch.chdir(below)
    assert cli("check", *ALLOWED).code == 0


def test_a_relative_estate_is_beside_the_file(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, 'estate = "facts"\n')
    small(tmp_path / "facts", "anna@example.com")
    small(tmp_path / "a" / "facts", "other@example.com")
    monkeypatch.chdir(tmp_path / "a")
    assert cli("check", "anna@example.com", "run-cmpivot", "PC-1").code in {1, 4}


def test_the_nearest_file_counts_alone(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, f'estate = "{HERE}"\nformat = "json"\n')
    write(tmp_path / "a", f'estate = "{HERE}"\n')
    monkeypatch.chdir(tmp_path / "a")
    assert cli("check", *ALLOWED).out.startswith("allow: ")


def test_its_own_file_comes_before_pyproject(cli: Cli, tmp_path: Path) -> None:
    write(tmp_path, f'estate = "{HERE}"\n')
    write(tmp_path, '[tool.permcheck]\nestate = "nowhere"\n', "pyproject.toml")
    assert cli("check", *ALLOWED).code == 0


def test_a_pyproject_without_a_section_is_passed_by(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, f'estate = "{HERE}"\n')
    write(tmp_path / "a", '[project]\nname = "x"\n', "pyproject.toml")
    monkeypatch.chdir(tmp_path / "a")
    assert cli("check", *ALLOWED).code == 0


def test_no_file_is_no_option(tmp_path: Path) -> None:
    assert find_config(tmp_path) == {}


# --- every key, and what beats it ------------------------------------------------


@pytest.mark.parametrize(
    ("setting", "question", "code", "starts"),
    [
        ("", ALLOWED, 0, "allow: "),
        ("strict = false", ALLOWED, 0, "allow: "),
        ("strict = true", ALLOWED, 1, "deny: "),
        ('edition = "2020-07"', ALLOWED, 1, "deny: "),
        ('format = "json"', ALLOWED, 0, "{"),
        ('format = "markdown"', ALLOWED, 0, "# ALLOW"),
        ('format = "text"', ALLOWED, 0, "allow: "),
        ('readings = {all-scope-on-collections = "no-collections"}', ALLOWED, 0, "allow: "),
        ('[readings]\nall-scope-on-collections = "no-collections"', ALLOWED, 0, "allow: "),
    ],
)
def test_every_key_sets_its_option(
    cli: Cli, tmp_path: Path, setting: str, question: tuple[str, ...], code: int, starts: str
) -> None:
    write(tmp_path, f'estate = "{HERE}"\n{setting}\n')
    result = cli("check", *question)
    assert result.code == code, result.err
    assert result.out.startswith(starts)


def test_readings_reach_the_answer(cli: Cli, tmp_path: Path) -> None:
    write(tmp_path, f'estate = "{HERE}"\nformat = "json"\nreadings = {{all-scope-on-collections = "no-collections"}}\n')
    assert json.loads(cli("check", *ALLOWED).out)["readings"]["all-scope-on-collections"] == "no-collections"


def test_flags_beat_the_environment_beats_the_file(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("file", "environment", "flag"):
        small(tmp_path / name, f"{name}@example.com")
    write(tmp_path, 'estate = "file"\n')

    def knows(*options: str) -> list[str]:
        question = ("run-cmpivot", "PC-1", *options)
        return [n for n in ("file", "environment", "flag") if cli("check", f"{n}@example.com", *question).code != 2]

    assert knows() == ["file"]
    monkeypatch.setenv("PERMCHECK_ESTATE", str(tmp_path / "environment"))
    assert knows() == ["environment"]
    assert knows("-e", "flag") == ["flag"]
    monkeypatch.setenv("PERMCHECK_ESTATE", "")
    assert knows() == ["file"]


@pytest.mark.parametrize(
    ("setting", "flags", "starts"),
    [
        ('format = "json"', ("--format", "text"), "allow: "),
        ('edition = "2020-07"', ("--edition", "2022-08"), "allow: "),
        (
            'readings = {all-scope-on-collections = "no-such-alternative"}',
            ("--reading", "all-scope-on-collections=no-collections"),
            "allow: ",
        ),
    ],
)
def test_flags_beat_the_file(cli: Cli, tmp_path: Path, setting: str, flags: tuple[str, ...], starts: str) -> None:
    write(tmp_path, f'estate = "{HERE}"\n{setting}\n')
    assert cli("check", *ALLOWED, *flags).out.startswith(starts)


# --- what is wrong with a file ---------------------------------------------------


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("estat = 'x'\n", "unknown key `estat`"),
        ("x = 1\ny = 2\n", "unknown key `y`"),
        ("estate = 1\n", "`estate` has a value of the wrong type"),
        ("strict = 'yes'\n", "`strict` has a value of the wrong type"),
        ("strict = 1\n", "`strict`"),
        ("edition = 2022\n", "`edition`"),
        ("format = []\n", "`format`"),
        ("readings = 'x'\n", "`readings`"),
        ('estate = "a\\u0000b"\n', "`estate` holds the character U+0000"),
        ('edition = "\\u0000"\n', "`edition` holds the character U+0000"),
        ("[permcheck]\nestate = 'x'\n", "unknown key `permcheck`"),
    ],
)
@pytest.mark.parametrize("name", ["permcheck.toml", "pyproject.toml"])
def test_a_wrong_setting_is_3(cli: Cli, tmp_path: Path, name: str, text: str, says: str) -> None:
    if name == "pyproject.toml":
        text = "[tool.permcheck]\n" + text.replace("[permcheck]", "[tool.permcheck.permcheck]")
    path = write(tmp_path, text, name)
    result = cli("check", *ALLOWED, "-e", HERE)
    assert (result.code, result.out) == (3, "")
    assert result.err.startswith(f"error: {path}: ")
    assert says in result.err
    assert "Traceback" not in result.err


def test_a_name_that_is_too_long_for_a_file_may_be_a_revision(cli: Cli, tmp_path: Path) -> None:
    write(tmp_path, f'[lint]\nagainst = "{"a" * 300}:estate"\n')
    assert cli("check", *ALLOWED, "-e", HERE).code == 0
    lost = cli("lint", "-e", HERE, "--select", "PC901")
    assert (lost.code, "git finds no" in lost.err) == (3, True)


def test_an_unknown_key_says_which_are_known(cli: Cli, tmp_path: Path) -> None:
    write(tmp_path, "estat = 'x'\n")
    assert "help: known are estate, edition, format, strict, readings" in cli("check", *ALLOWED).err


@pytest.mark.parametrize("content", [b"x = [", b"\xff", b"a = 1\na = 2\n", b"\0"])
def test_a_broken_file_of_its_own_is_3(cli: Cli, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "permcheck.toml").write_bytes(content)
    result = cli("check", *ALLOWED, "-e", HERE)
    assert (result.code, result.out) == (3, "")
    assert "not TOML" in result.err


@pytest.mark.parametrize(
    "content", [b"x = [", b"\xff", b"tool = 'x'\n", b"tool = []\n", b"[[tool]]\nname = 'x'\n"], ids=repr
)
def test_a_pyproject_of_somebody_else_is_not_our_business(cli: Cli, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "pyproject.toml").write_bytes(content)
    result = cli("check", *ALLOWED, "-e", HERE)
    assert (result.code, result.err) == (0, "")


@pytest.mark.parametrize("text", ["[tool]\npermcheck = 5\n", "[[tool.permcheck]]\nestate = 'x'\n"])
def test_a_section_that_is_no_table_is_3(cli: Cli, tmp_path: Path, text: str) -> None:
    write(tmp_path, text, "pyproject.toml")
    assert cli("check", *ALLOWED, "-e", HERE).code == 3


@pytest.mark.parametrize(
    ("setting", "code"),
    [
        ('format = "yaml"', 2),
        ('edition = "1999"', 2),
        ('readings = {x = "y"}', 2),
        ('readings = {all-scope-on-collections = "y"}', 2),
    ],
)
def test_a_setting_with_an_unknown_name_is_like_an_option_with_one(
    cli: Cli, tmp_path: Path, setting: str, code: int
) -> None:
    write(tmp_path, f'estate = "{HERE}"\n{setting}\n')
    result = cli("check", *ALLOWED)
    assert (result.code, result.out) == (code, "")


def test_an_estate_that_is_not_there_is_named_in_full(cli: Cli, tmp_path: Path) -> None:
    write(tmp_path, 'estate = "nowhere"\n')
    result = cli("check", *ALLOWED)
    assert result.code == 3
    assert str(tmp_path / "nowhere") in result.err


def test_every_problem_is_in_the_error(tmp_path: Path) -> None:
    write(tmp_path, "x = 1\nestate = 2\nstrict = 3\n")
    with pytest.raises(LoadError) as caught:
        find_config(tmp_path)
    assert len(caught.value.problems) == 3
