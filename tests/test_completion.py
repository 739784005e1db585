"""Completion in four shells: what is offered, where the estate comes from, and that it never makes noise."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.shell_completion import get_completion_class
from permcheck.cli.main import guarded
from permcheck.loading.policy import load_policy

CONTOSO = (Path(__file__).parent.parent / "examples" / "contoso").as_posix()
VARIABLE = "_PERMCHECK_COMPLETE"
SHELLS = ("bash", "zsh", "fish", "powershell")
HELPDESKS = ["helpdesk-utrecht@contoso.com", "helpdesk@contoso.com"]
PCS = ["PC-0042", "PC-1042", "PC-2107", "PC-3001", "PC-3099"]

Complete = Callable[[str], list[str]]


@pytest.fixture(autouse=True)
def empty_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Every test is in an empty folder, without an estate in the environment."""
    monkeypatch.delenv("PERMCHECK_ESTATE", raising=False)
    monkeypatch.chdir(tmp_path)


def run(capsys: pytest.CaptureFixture[str]) -> str:
    """Run permcheck as a shell does for completion; nothing may be on stderr."""
    code = guarded([])
    out, err = capsys.readouterr()
    assert (code, err) == (0, "")
    return out


@pytest.fixture
def complete(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Complete:
    """What bash is offered for the last word of a line."""
    monkeypatch.setenv(VARIABLE, "bash_complete")

    def offered(line: str) -> list[str]:
        monkeypatch.setenv("COMP_WORDS", line)
        monkeypatch.setenv("COMP_CWORD", str(len(line.split(" ")) - 1))
        return [item.partition(",")[2] for item in run(capsys).splitlines() if item]

    return offered


# --- the four shells -------------------------------------------------------------


@pytest.mark.parametrize("shell", SHELLS)
def test_a_script_comes_out(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], shell: str) -> None:
    if get_completion_class(shell) is None:
        pytest.skip(f"this click has no completion for {shell}")
    if shell == "bash":  # click asks bash for its version, and says so where it is old or not there
        monkeypatch.setattr("click.shell_completion.BashComplete._check_version", lambda *_: None)
    monkeypatch.setenv(VARIABLE, f"{shell}_source")
    script = run(capsys)
    assert "_PERMCHECK_COMPLETE" in script
    assert f"{shell}_complete" in script
    assert "permcheck" in script


@pytest.mark.parametrize(
    ("shell", "words", "word", "offered"),
    [
        ("bash", f"permcheck check -e {CONTOSO} helpd", "4", "plain,helpdesk@contoso.com"),
        ("zsh", f"permcheck check -e {CONTOSO} helpd", "4", "plain\nhelpdesk@contoso.com\n_"),
        ("fish", f"permcheck check -e {CONTOSO} helpd", "helpd", "plain,helpdesk@contoso.com"),
        ("fish", f"permcheck check -e {CONTOSO} x run-cm", "run-cm", "plain,run-cmpivot\t"),
        ("zsh", f"permcheck check -e {CONTOSO} x run-cm", "5", "plain\nrun-cmpivot\n"),
        ("powershell", f"permcheck check -e {CONTOSO} helpd", "4", "plain\nhelpdesk@contoso.com\n_"),
    ],
)
def test_every_shell_is_answered(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    shell: str,
    words: str,
    word: str,
    offered: str,
) -> None:
    if get_completion_class(shell) is None:
        pytest.skip(f"this click has no completion for {shell}")
    monkeypatch.setenv(VARIABLE, f"{shell}_complete")
    monkeypatch.setenv("COMP_WORDS", words)
    monkeypatch.setenv("COMP_CWORD", word)
    assert offered.partition("\t")[0] in run(capsys)


def test_a_shell_that_asks_gets_an_answer_from_a_process() -> None:
    """The program that a shell starts: it must not load what it does not need, nor exit with an error."""
    environment = os.environ | {VARIABLE: "bash_complete", "COMP_WORDS": "permcheck che", "COMP_CWORD": "1"}
    program = "import sys; sys.argv[0] = 'permcheck'; from permcheck.cli.main import run; run()"
    command = [sys.executable, "-c", program]
    result = subprocess.run(command, env=environment, check=False, capture_output=True, text=True, timeout=60)
    assert (result.returncode, result.stdout, result.stderr) == (0, "plain,check\n", "")


# --- what is offered -------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("permcheck ", ["actions", "anonymise", "check", "diff", "explain", "import", "init", "lint", "review", "rule", "schema", "show", "test", "validate", "what-can", "what-if", "who-can"]),
        ("permcheck ex", ["explain"]),
        (f"permcheck check -e {CONTOSO} helpd", HELPDESKS),
        (f"permcheck check -e {CONTOSO} HELPD", HELPDESKS),
        (f"permcheck explain --estate {CONTOSO} helpd", HELPDESKS),
        (f"permcheck explain --estate={CONTOSO} helpd", HELPDESKS),
        (f"permcheck check -e {CONTOSO} nobody", []),
        ("permcheck check x run-c", ["run-cmpivot"]),
        ("permcheck check x run-cmpivot:adm", ["run-cmpivot:administrators"]),
        ("permcheck check x no-such-action:a", []),
        (f"permcheck check -e {CONTOSO} x run-cmpivot PC", PCS),
        (f"permcheck check -e {CONTOSO} x run-cmpivot pc-1", ["PC-1042"]),
        ("permcheck check --edition 2022", ["2022-07", "2022-08"]),
        ("permcheck check --reading all-scope-on-collections", [
            "all-scope-on-collections=every-collection",
            "all-scope-on-collections=no-collections",
        ]),
        ("permcheck check --format ", ["text", "json", "markdown"]),
        ("permcheck show r", ["role", "requirement", "reading"]),
    ],
)  # fmt: skip
def test_what_is_offered(complete: Complete, line: str, offered: list[str]) -> None:
    assert sorted(complete(line)) == sorted(offered)


def test_every_action_is_offered(complete: Complete) -> None:
    assert sorted(complete("permcheck check x ")) == sorted(load_policy().actions)


# --- where the estate comes from -------------------------------------------------


def test_the_estate_of_the_environment(complete: Complete, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERMCHECK_ESTATE", CONTOSO)
    assert complete("permcheck check helpd") == HELPDESKS
    assert complete("permcheck check x run-cmpivot PC") == PCS


@pytest.mark.parametrize(
    ("name", "text"),
    [("permcheck.toml", f'estate = "{CONTOSO}"\n'), ("pyproject.toml", f'[tool.permcheck]\nestate = "{CONTOSO}"\n')],
)
def test_the_estate_of_a_file(complete: Complete, tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text, "utf-8")
    assert complete("permcheck check helpd") == HELPDESKS
    assert complete("permcheck explain x run-cmpivot PC") == PCS


def test_a_flag_beats_the_environment(complete: Complete, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PERMCHECK_ESTATE", str(tmp_path / "nowhere"))
    assert complete(f"permcheck check -e {CONTOSO} helpd") == HELPDESKS


# --- never any noise -------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("estate.yaml", b"users: [\n"),
        ("estate.yaml", b""),
        ("estate.yaml", b"\0\xff"),
        ("estate.yaml", b"usres: []\n"),
        ("estate.yaml", b"users: [{upn: helpdesk@contoso.com}]\ngroups: [{name: G, members: [nobody]}]\n"),
        ("other.txt", b""),
    ],
)
def test_a_broken_estate_offers_nothing(complete: Complete, tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    for path in (".", "estate.yaml", "nowhere", "x" * 300):
        assert complete(f"permcheck check -e {path} h") == []
        assert complete(f"permcheck check -e {path} x run-cmpivot P") == []


@pytest.mark.parametrize("content", [b"x = [", b"unknown = 1\n", b"estate = 1\n", b"\xff"])
def test_a_broken_configuration_offers_nothing(complete: Complete, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "permcheck.toml").write_bytes(content)
    assert complete("permcheck check h") == []
    assert complete("permcheck check x run-c") == ["run-cmpivot"]


def test_without_an_estate_nothing_is_offered(complete: Complete) -> None:
    assert complete("permcheck check h") == []
    assert complete("permcheck check x run-cmpivot P") == []


@pytest.mark.parametrize("name", ["a\nplain,rm", "a\x1b[31m", "a\r", "a\u202eb"])
def test_a_name_that_would_break_the_shell_is_not_offered(complete: Complete, tmp_path: Path, name: str) -> None:
    """Shells read one offer a line, and print it."""
    facts = {"complete": True, "users": [{"upn": name}, {"upn": "anna@example.com"}]}
    (tmp_path / "estate.json").write_text(json.dumps(facts), "utf-8")
    assert complete("permcheck check -e estate.json a") == ["anna@example.com"]
