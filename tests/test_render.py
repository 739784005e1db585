"""Answers in print: JSON that fits its schema, Markdown and text that names from outside can't break.

The texts of `explain` are kept in tests/snapshots; PERMCHECK_SNAPSHOTS=write makes them anew.
"""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
import unicodedata
from collections.abc import Iterator
from contextlib import chdir
from functools import cache
from pathlib import Path
from typing import Any

import permcheck.api
import pytest
from commands import VARIABLES, Cli, Result
from jsonschema import Draft202012Validator
from markdown_it import MarkdownIt
from permcheck.api import Estate, load
from permcheck.loading.policy import load_policy
from permcheck.model.decision import Decision
from permcheck.printable import inert
from permcheck.render.document import decision_document
from permcheck.render.markdown import decision_markdown
from permcheck.render.outline import outline

ROOT = Path(__file__).parent.parent
SNAPSHOTS = Path(__file__).parent / "snapshots"
VALIDATOR = Draft202012Validator(json.loads((ROOT / "schemas" / "decision.schema.json").read_text("utf-8")))
TARGETS = {"device": "PC-1042", "hierarchy": "PRD", "tenant": None}
ESCAPE = "\x1b"

QUESTIONS = {
    "allow": ("helpdesk@contoso.com", "run-cmpivot", "PC-1042"),
    "deny": ("helpdesk@contoso.com", "run-script", "PC-1042", "--object", "Clear print queue"),
    "deny-cloud-only": ("cloud-helpdesk@contoso.com", "run-cmpivot", "PC-1042"),
    "undetermined": ("employee@contoso.com", "renew-app-secret", "PRD"),
}


@pytest.fixture
def cli(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """Run a command in the checkout."""
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(permcheck.api, "load", load_once)

    def run(*arguments: str, **environment: str) -> Result:
        with pytest.MonkeyPatch.context() as patch:
            for name, value in environment.items():
                patch.setenv(name, value)
            return cli(*arguments)

    return run


@pytest.fixture
def explain(cli: Cli) -> Cli:
    """Explain a question about the example tenant."""
    return lambda *arguments, **environment: cli("explain", "-e", "examples/contoso", *arguments, **environment)


@cache
def contoso() -> Estate:
    """The example tenant, loaded once, by the name that it has in the checkout."""
    with chdir(ROOT):
        return load(Path("examples/contoso"))


def load_once(path: Path, **how: Any) -> Estate:
    """Load an estate as the command line does, but the example tenant only once."""
    return contoso() if path == Path("examples/contoso") else load(path, **how)


# --- snapshots -------------------------------------------------------------------


@pytest.mark.parametrize("width", [80, 140])
@pytest.mark.parametrize("name", QUESTIONS)
def test_text_is_as_it_was(explain: Cli, name: str, width: int) -> None:
    text = explain(*QUESTIONS[name], COLUMNS=str(width), NO_COLOR="1").out.replace(
        "examples\\contoso\\", "examples/contoso/"
    )
    compare(f"explain-{name}-{width}.txt", text)


@pytest.mark.parametrize("name", QUESTIONS)
def test_markdown_is_as_it_was(explain: Cli, name: str) -> None:
    text = explain(*QUESTIONS[name], "--format", "markdown").out.replace("examples\\\\contoso\\\\", "examples/contoso/")
    compare(f"explain-{name}.md", text)


@pytest.mark.parametrize("command", ["", "check", "explain", "actions", "show", "schema", "init"])
def test_help_is_as_it_was(cli: Cli, command: str) -> None:
    compare(f"help{'-' if command else ''}{command}.txt", cli(*command.split(), "--help", COLUMNS="100").out)


def compare(name: str, text: str) -> None:
    """Compare a text with its snapshot, or write it if the environment says so."""
    path = SNAPSHOTS / name
    if os.environ.get("PERMCHECK_SNAPSHOTS") == "write":
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf-8", newline="\n")
    assert path.read_text("utf-8") == text


@pytest.mark.parametrize("name", ["allow", "deny-cloud-only"])
def test_text_depends_on_no_hash(name: str) -> None:
    """No order comes from a set: the same question, in new processes, gets the same text."""
    command = program("explain", *QUESTIONS[name])
    processes = [subprocess.Popen(command, cwd=ROOT, env=clean(), stdout=subprocess.PIPE) for _ in range(3)]
    assert len({process.communicate(timeout=60)[0] for process in processes}) == 1


def clean(**variables: str) -> dict[str, str]:
    """The environment without the user's wishes."""
    return {key: value for key, value in os.environ.items() if key not in VARIABLES} | variables


def test_every_snapshot_is_used() -> None:
    explained = [f"explain-{name}{end}" for name in QUESTIONS for end in ("-80.txt", "-140.txt", ".md")]
    helped = ["help.txt", *(f"help-{c}.txt" for c in ("check", "explain", "actions", "show", "schema", "init"))]
    kept = [*explained, *helped, "built-in-roles.txt"]  # that of the policy
    assert sorted(path.name for path in SNAPSHOTS.iterdir()) == sorted(kept)


# --- JSON ------------------------------------------------------------------------

QUESTIONS_IN_JSON = {
    **QUESTIONS,
    "strict": (*QUESTIONS["allow"], "--strict"),
    "tenant": ("cm-admin@contoso.com", "set-use-intune-rbac"),
    "edition": (*QUESTIONS["allow"], "--edition", "2020-07"),
    "variant": ("helpdesk@contoso.com", "run-cmpivot:administrators", "PC-1042"),
}


@pytest.mark.parametrize("command", ["check", "explain"])
@pytest.mark.parametrize("name", QUESTIONS_IN_JSON)
def test_json_fits_its_schema(cli: Cli, name: str, command: str) -> None:
    result = cli(command, *QUESTIONS_IN_JSON[name], "-e", "examples/contoso", "--format", "json")
    document = json.loads(result.out)
    assert list(VALIDATOR.iter_errors(document)) == []
    assert {"allow": 0, "deny": 1, "undetermined": 4}[document["verdict"]] == result.code


def test_json_is_the_same_from_both_commands(cli: Cli) -> None:
    question = (*QUESTIONS["deny"], "-e", "examples/contoso", "--format", "json")
    assert cli("check", *question) == cli("explain", *question)


def test_json_says_what_was_asked(explain: Cli) -> None:
    document = json.loads(explain(*QUESTIONS["deny"], "--format", "json", "--strict").out)
    wanted = {"user": "helpdesk@contoso.com", "action": "run-script", "device": "PC-1042", "hierarchy": "PRD"}
    assert {key: document[key] for key in wanted} == wanted
    assert document["object"] == "Clear print queue"
    assert document["strict"] is True
    assert document["format"] == "permcheck-decision/1"
    cited = {source for r in document["requirements"] if r["counts"] for source in r["sources"]}
    assert cited <= {source["id"] for source in document["sources"]}


def test_json_of_an_action_without_a_device(explain: Cli) -> None:
    document = json.loads(explain(*QUESTIONS_IN_JSON["tenant"], "--format", "json").out)
    assert (document["device"], document["hierarchy"], document["authority"]) == (None, None, None)


def test_json_says_what_was_assumed(cli: Cli, tmp_path: Path) -> None:
    assert cli("init", str(tmp_path / "estate")).code == 0
    path = str(tmp_path / "estate" / "estate.yaml")
    result = cli("check", "anna@example.com", "run-cmpivot", "PC-0001", "-e", path, "--format", "json")
    document = json.loads(result.out)
    assert list(VALIDATOR.iter_errors(document)) == []
    assumed = [r["id"] for r in document["requirements"] if r["assumed"]]
    assert "SITE-WMI" in assumed
    assert all(p["kind"] == "assumption" for r in document["requirements"] if r["assumed"] for p in r["proofs"])


# --- every action under every edition --------------------------------------------


def everything() -> Iterator[tuple[str, str | None, str]]:
    """Every edition, with every action and what it is about."""
    for edition in load_policy().editions:
        for action in load_policy().actions.values():
            yield action.id, TARGETS[action.target], edition


@cache
def under(edition: str) -> Estate:
    """The example tenant, judged by one edition."""
    return contoso().with_settings(edition=edition)


@pytest.mark.parametrize("user", ["helpdesk@contoso.com", "intune-admin@contoso.com", "cm-admin@contoso.com"])
def test_every_action_can_be_asked_about_under_every_edition(user: str) -> None:
    for action, target, edition in everything():
        decision = under(edition).check(user, action, target)
        assert decision.editions == (edition,)
        assert decision.requirements
        assert decision.verdict is under(edition).verdict(user, action, target)


SAMPLE = tuple(everything())[::6]


@pytest.mark.parametrize(("action", "target", "edition"), SAMPLE)
def test_a_sample_can_be_printed(action: str, target: str | None, edition: str) -> None:
    decision = under(edition).check("helpdesk@contoso.com", action, target)
    document = json.loads(json.dumps(decision_document(decision, load_policy())))
    assert list(VALIDATOR.iter_errors(document)) == []
    assert all(section.lines for section in outline(decision, load_policy()))


# --- Markdown --------------------------------------------------------------------


def markdown(decision: Decision) -> str:
    """A decision as Markdown."""
    return decision_markdown(decision, load_policy())


@pytest.mark.parametrize("name", QUESTIONS)
def test_markdown_is_stable(explain: Cli, name: str) -> None:
    first, second = (explain(*QUESTIONS[name], "--format", "markdown").out for _ in range(2))
    assert first == second
    assert first.startswith("# ")
    assert first.endswith("\n")
    assert not first.endswith("\n\n")


def test_markdown_is_headings_and_lists() -> None:
    text = markdown(contoso().check("cloud-helpdesk@contoso.com", "run-cmpivot", "PC-1042"))
    assert [line for line in text.splitlines() if line and not re.match(r"#{1,2} |(  )*- ", line)] == []
    assert tokens(text) <= PLAIN


PLAIN = {"heading", "bullet_list", "ordered_list", "list_item", "paragraph", "inline", "text", "softbreak"}
MARKUP = (
    "a|b",
    "*bold*",
    "_under_",
    "<img src=x>",
    "<b>",
    "`code`",
    "``co`de``",
    "[a](http://x)",
    "![a](http://x/y.png)",
    "[a][1]",
    "<http://x>",
    "&amp;",
    "# one",
    r"back\slash",
    r"\*bold\*",
    r"\[a](http://x)",
    "~~gone~~",
    "- a",
    "1. a",
    "---",
)


def tokens(text: str) -> set[str]:
    """Every kind of thing that a reader of Markdown sees in a text."""
    blocks = MarkdownIt("gfm-like", {"linkify": False}).parse(text)
    inside = [child for block in blocks for child in block.children or ()]
    return {token.type.removesuffix("_open").removesuffix("_close") for token in (*blocks, *inside)}


def words(text: str) -> str:
    """What a reader of Markdown reads."""
    blocks = MarkdownIt("gfm-like", {"linkify": False}).parse(text)
    return "\n".join("".join(child.content for child in block.children or ()) for block in blocks)


@pytest.mark.parametrize("hostile", MARKUP)
def test_markdown_takes_no_markup_from_names(cli: Cli, tmp_path: Path, hostile: str) -> None:
    path = tmp_path / "estate.json"
    path.write_text(json.dumps(tenant(user=hostile, device=hostile, group=hostile)), "utf-8")
    text = cli("explain", "-e", str(path), "--format", "markdown", "--", hostile, "run-cmpivot", hostile).out
    assert tokens(text) <= PLAIN
    assert hostile in words(text)


# --- names from outside ----------------------------------------------------------


ID = "00000000-0000-4000-8000-000000000001"
"""Of the user: the group may be called like it."""


def tenant(*, user: str = "anna@example.com", device: str = "PC-1", group: str = "Help desk") -> dict[str, Any]:
    """The facts of a small tenant."""
    return {
        "complete": True,
        "tenant": {"use_intune_rbac": "On", "cloud": "public"},
        "hierarchies": [{"id": "P01", "version": 2309, "enforce_configmgr_rbac": "cleared"}],
        "users": [{"upn": user, "id": ID, "enabled": True, "licensed": True}],
        "groups": [{"name": group, "type": "security", "members": [ID]}],
        "intune_assignments": [
            {"name": group, "role": "Help Desk Operator", "members": [group], "scope_tags": ["Default"]}
        ],
        "devices": [{"name": device, "collections": []}],
    }


HOSTILE = {
    "escape": f"{ESCAPE}[31mred{ESCAPE}[2J",
    "title": f"{ESCAPE}]0;title\a",
    "c1": "\x9b31m",
    "newline": "two\nlines",
    "return": "allow\rdeny",
    "backspace": "a\b\b\b",
    "rtl": "\u202egnp.exe",
    "isolate": "\u2067x\u2069",
    "separator": "a\u2028b\u2029c",
    "delete": "a\x7fb",
    "emoji": "👩‍💻🔥",
    "wide": "東京デバイス",
    "arabic": "حاسوب",
    "quotes": 'it\'s "quoted"',
    "markup": "[bold red]x[/bold red]:smile:",
    "combining": "e\u0301\u0301\u0301",
}


def unsafe(text: str) -> set[str]:
    """Characters that a terminal would obey, or that reorder text."""
    return {c for c in text if c != "\n" and (unicodedata.category(c) in {"Cc", "Zl", "Zp"} or c in BIDI)}


BIDI = set("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


@pytest.mark.parametrize("name", HOSTILE)
def test_names_print_safely(cli: Cli, tmp_path: Path, name: str) -> None:
    hostile = HOSTILE[name]
    facts = tenant(user=f"{hostile}@x", device=hostile, group=hostile)
    path = tmp_path / "estate.json"
    path.write_text(json.dumps(facts), "utf-8")
    question = (facts["users"][0]["upn"], "run-cmpivot", facts["devices"][0]["name"], "-e", str(path))
    line = cli("check", *question)
    assert (line.code, line.err) == (4, "")
    assert line.out.count("\n") == 1
    assert unsafe(line.out) == set()
    for width in ("20", "80"):
        text = cli("explain", *question, COLUMNS=width)
        assert text.code == 4
        assert unsafe(text.out) == set()
    printed = cli("explain", *question, "--format", "markdown").out
    assert unsafe(printed) == set()
    document = json.loads(cli("check", *question, "--format", "json").out)
    assert (document["user"], document["device"]) == (question[0], question[2])


@pytest.mark.parametrize("name", ["escape", "c1", "newline", "rtl"])
def test_messages_print_names_safely(cli: Cli, tmp_path: Path, name: str) -> None:
    hostile = HOSTILE[name]
    path = tmp_path / "estate.json"
    path.write_text(json.dumps(tenant(user=f"{hostile}@x")), "utf-8")
    near = cli("check", f"{hostile}@xx", "run-cmpivot", "PC-1", "-e", str(path))
    assert near.code == 2
    assert unsafe(near.err) == set()
    assert near.err.count("\n") == 2
    wrong = tenant()
    wrong["groups"][0]["members"] = [hostile]
    wrong["entra_roles"] = [{"role": hostile, "members": []}]
    path.write_text(json.dumps(wrong), "utf-8")
    problem = cli("check", "anna@example.com", "run-cmpivot", "PC-1", "-e", str(path))
    assert problem.code == 3
    assert unsafe(problem.err) == set()
    starts = ("error: ", "warning: ", "  help: ")
    assert [line for line in problem.err.splitlines() if not line.startswith(starts)] == []


@pytest.mark.parametrize("command", ["::error::pwned", "##[error]pwned", "##vso[task.complete result=Failed]"])
@pytest.mark.parametrize("width", ["20", "60", "80"])
def test_no_line_is_a_command_of_a_pipeline(cli: Cli, tmp_path: Path, command: str, width: str) -> None:
    """Wherever a name is wrapped: a log is read line by line, and blanks before a command don't hide it."""
    path, wrapped = tmp_path / "estate.json", 0
    for length in range(int(width) // 2, int(width), 3):
        facts = tenant(group=f"{'G' * length} {command}")
        path.write_text(json.dumps(facts), "utf-8")
        text = cli("explain", "anna@example.com", "run-cmpivot", "PC-1", "-e", str(path), COLUMNS=width).out
        assert [line for line in text.splitlines() if re.match(r"\s*(::|##\[)|.*##vso\[", line)] == []
        wrapped += len(re.findall(r"^\s*\\(?:::|##\[)|#\\#vso\[", text, re.MULTILINE))
    assert wrapped, "no line began with the command, so nothing was tried"


@pytest.mark.parametrize("line", ["::error::x", "  ::error::x", "##[group]x", "a ##vso[task.debug]x"])
def test_a_message_is_no_command_of_a_pipeline(line: str) -> None:
    assert not re.match(r"\s*(::|##\[)|.*##vso\[", inert(line))
    assert inert(line).replace("\\", "") == line


@pytest.mark.parametrize("arguments", [("schema",), ("show", "action"), ("show",), ("check", "a", "b", "--format")])
def test_messages_about_the_command_line_are_safe(cli: Cli, arguments: tuple[str, ...]) -> None:
    assert unsafe(cli(*arguments, HOSTILE["escape"]).err) == set()


# --- the terminal ----------------------------------------------------------------


def drawn(text: str) -> bool:
    """Tell whether a text holds terminal sequences."""
    return ESCAPE in text


@pytest.mark.parametrize("name", QUESTIONS)
@pytest.mark.parametrize("width", ["20", "60", "140"])
def test_no_line_ends_in_a_space(explain: Cli, name: str, width: str) -> None:
    text = explain(*QUESTIONS[name], COLUMNS=width).out
    assert [line for line in text.splitlines() if line != line.rstrip()] == []


@pytest.mark.parametrize("options", [("--strict",), ("--strict", "--object", "Clear print queue")])
def test_no_title_ends_in_a_space(explain: Cli, options: tuple[str, ...]) -> None:
    text = explain("helpdesk@contoso.com", "run-script", "PC-1042", *options, COLUMNS="60").out
    assert [line for line in text.splitlines() if line != line.rstrip()] == []


@pytest.mark.parametrize("width", [80, 140])
def test_lines_fit_the_width(explain: Cli, width: int) -> None:
    for question in QUESTIONS.values():
        text = explain(*question, COLUMNS=str(width)).out
        assert [line for line in text.splitlines() if len(line) > width] == []


@pytest.mark.parametrize("width", ["1", "20"])
def test_a_narrow_terminal_does_no_harm(explain: Cli, width: str) -> None:
    for question in QUESTIONS.values():
        result = explain(*question, COLUMNS=width)
        assert result.code in {0, 1, 4}
        assert result.err == ""


def test_words_survive_wrapping(explain: Cli) -> None:
    wide, narrow = (explain(*QUESTIONS["deny-cloud-only"], COLUMNS=width).out for width in ("1000", "60"))
    assert wide.split() == narrow.split()


def test_a_pipe_is_as_wide_as_ever(explain: Cli) -> None:
    text = explain(*QUESTIONS["deny"]).out
    assert 80 < max(map(len, text.splitlines())) <= 100
    assert not drawn(text)


@pytest.mark.parametrize(
    ("environment", "colour"),
    [
        ({}, False),
        ({"FORCE_COLOR": "1"}, True),
        ({"CLICOLOR_FORCE": "1"}, True),
        ({"CLICOLOR_FORCE": "0"}, False),
        ({"FORCE_COLOR": "1", "TERM": "dumb"}, False),
        ({"NO_COLOR": "1"}, False),
    ],
    ids=str,
)
def test_colour(explain: Cli, environment: dict[str, str], colour: bool) -> None:  # noqa: FBT001 - a parameter
    assert drawn(explain(*QUESTIONS["deny"], **environment).out) == colour


def test_no_colour_wins_over_forced_colour(explain: Cli) -> None:
    """Bold and dim are no colour; red and green are."""
    text = explain(*QUESTIONS["deny"], NO_COLOR="1", FORCE_COLOR="1").out
    assert re.search(rf"{ESCAPE}\[[0-9;]*3[0-7]", text) is None


def test_colour_changes_no_word(explain: Cli) -> None:
    plain, coloured = (explain(*QUESTIONS["deny"], COLUMNS="90", **e).out for e in ({}, {"FORCE_COLOR": "1"}))
    assert re.sub(rf"{ESCAPE}\[[0-9;]*m", "", coloured) == plain


@pytest.mark.skipif(os.name == "nt", reason="pseudo terminals are of POSIX")
def test_a_terminal_gets_colour() -> None:
    import pty

    leader, follower = pty.openpty()
    command = program("explain", *QUESTIONS["allow"])
    process = subprocess.Popen(command, cwd=ROOT, env=clean(TERM="xterm"), stdout=follower, stderr=follower)
    os.close(follower)
    text = b"".join(iter(lambda: read(leader), b"")).decode()
    os.close(leader)
    assert process.wait(60) == 0
    assert drawn(text)


def read(descriptor: int) -> bytes:
    """Read what is there; nothing when the other side has gone."""
    try:
        return os.read(descriptor, 65536)
    except OSError:
        return b""


# --- encodings -------------------------------------------------------------------


def program(*arguments: str) -> list[str]:
    """The command line of a process of its own."""
    return [sys.executable, "-c", "from permcheck.cli.main import run; run()", *arguments, "-e", "examples/contoso"]


@pytest.mark.parametrize("encoding", ["utf-16", "ascii", "latin-1", "cp1252", "cp850", "shift_jis"])
@pytest.mark.parametrize("arguments", [(), ("--format", "markdown"), ("--format", "json")], ids=" ".join)
def test_every_encoding_gets_an_answer(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, encoding: str, arguments: tuple[str, ...]
) -> None:
    """A console or a pipe of Windows is seldom UTF-8; what it can't show must not cost the answer."""
    stdout = io.TextIOWrapper(io.BytesIO(), encoding)
    monkeypatch.setattr(sys, "stdout", stdout)
    code = cli("explain", *QUESTIONS["deny-cloud-only"], *arguments, "-e", "examples/contoso").code
    stdout.flush()
    text = stdout.buffer.getvalue().decode(encoding, "replace")
    assert code == 1
    assert "IDENT-SYNCED" in text


@pytest.mark.parametrize(("encoding", "marks"), [("utf-8", ("✓", "✗")), ("cp1252", ("v ", "x "))])
def test_marks_fit_the_encoding(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, encoding: str, marks: tuple[str, str]
) -> None:
    stdout = io.TextIOWrapper(io.BytesIO(), encoding)
    monkeypatch.setattr(sys, "stdout", stdout)
    cli("explain", *QUESTIONS["deny-cloud-only"], "-e", "examples/contoso")
    stdout.flush()
    text = stdout.buffer.getvalue().decode(encoding)
    met, unmet = marks
    assert f"  {met.strip()} USER-ENABLED" in text
    assert f"  {unmet.strip()} IDENT-SYNCED" in text


def test_a_name_that_the_encoding_lacks_costs_no_answer(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "estate.json"
    path.write_text(json.dumps(tenant(user="東京@x")), "utf-8")
    for format_ in ("text", "json", "markdown"):
        monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), "cp1252"))
        assert cli("check", "東京@x", "run-cmpivot", "PC-1", "-e", str(path), "--format", format_).code == 4
