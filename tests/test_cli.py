"""The command line: exit codes, streams, messages, and the commands beside `explain`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import permcheck
import permcheck.api
import pytest
import user_code
from commands import VARIABLES, Cli
from jsonschema import Draft202012Validator
from permcheck.cli.codes import Exit
from permcheck.cli.reference import KINDS
from permcheck.loading.policy import load_policy
from yaml import safe_dump

CONTOSO = Path(__file__).parent.parent / "examples" / "contoso"
SCHEMAS = Path(__file__).parent.parent / "schemas"
ALLOWED = ("helpdesk@contoso.com", "run-cmpivot", "PC-1042")
DENIED = ("helpdesk@contoso.com", "run-script", "PC-1042")
OPEN = ("employee@contoso.com", "renew-app-secret", "PRD")
START = "from permcheck.cli.main import run; run()"


@pytest.fixture
def ask(cli: Cli) -> Cli:
    """Run `check` on the example tenant."""
    return lambda *arguments: cli("check", "-e", str(CONTOSO), *arguments)


def program(*arguments: str, **how: object) -> subprocess.CompletedProcess[str]:
    """Run a command in a process of its own."""
    environment = {key: value for key, value in os.environ.items() if key not in VARIABLES}
    command = [sys.executable, "-c", START, *arguments]
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "env": environment} | how
    return subprocess.run(command, check=False, timeout=60, encoding="utf-8", **options)


# --- 0, 1 and 4: an answer -------------------------------------------------------


@pytest.mark.parametrize("command", ["check", "explain"])
@pytest.mark.parametrize("format_", ["text", "json", "markdown"])
@pytest.mark.parametrize(("question", "code"), [(ALLOWED, 0), (DENIED, 1), (OPEN, 4)])
def test_the_code_is_the_answer(cli: Cli, command: str, format_: str, question: tuple[str, ...], code: int) -> None:
    result = cli(command, *question, "-e", str(CONTOSO), "--format", format_)
    assert result.code == code
    assert result.err == ""
    assert result.out.endswith("\n")


@pytest.mark.parametrize(("question", "verdict"), [(ALLOWED, "allow"), (DENIED, "deny"), (OPEN, "undetermined")])
def test_check_prints_one_line(ask: Cli, question: tuple[str, ...], verdict: str) -> None:
    assert ask(*question).out.startswith(f"{verdict}: ")
    assert ask(*question).out.count("\n") == 1


@pytest.mark.parametrize(("question", "code"), [(ALLOWED, 0), (DENIED, 1), (OPEN, 4)])
@pytest.mark.parametrize("flag", ["-q", "--quiet"])
def test_quiet_prints_nothing(ask: Cli, question: tuple[str, ...], code: int, flag: str) -> None:
    assert ask(*question, flag) == (code, "", "")


def test_a_line_says_what_decides(ask: Cli) -> None:
    assert "decided by Configuration Manager and Intune" in ask(*ALLOWED).out
    assert "lacks CM-COLL-RUNSCRIPT" in ask(*DENIED).out
    assert "not known: documents" in ask(*OPEN).out


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (("--strict",), 1),
        (("--edition", "2022-07"), 1),
        (("--object", "Clear print queue", "--what-if", "group:AD-CM-ScriptRunners.add=helpdesk@contoso.com"), 0),
    ],
)
def test_options_of_a_question(ask: Cli, options: tuple[str, ...], code: int) -> None:
    assert ask(*DENIED, *options).code == code


def test_a_fact_that_is_made_unknown_makes_the_answer_undetermined(ask: Cli) -> None:
    assert ask(*ALLOWED, "--what-if", "device:PC-1042.powershell=unknown").code == 4


def test_the_process_exits_with_the_same_codes() -> None:
    allowed, denied = (program("check", *question, "-e", str(CONTOSO)) for question in (ALLOWED, DENIED))
    assert (allowed.returncode, allowed.stderr) == (0, "")
    assert (denied.returncode, denied.stderr) == (1, "")


# --- 2: the command line is wrong ------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("helpdesk@contoso.con", *ALLOWED[1:]), "did you mean `helpdesk@contoso.com`"),
        (("helpdesk@contoso.com", "run-cmpivto", "PC-1042"), "did you mean `run-cmpivot`"),
        (("helpdesk@contoso.com", "run-cmpivot", "PC-1043"), "did you mean `PC-1042`"),
        (("helpdesk@contoso.com", "run-cmpivot"), "run-cmpivot DEVICE"),
        (("helpdesk@contoso.com", "renew-app-secret"), "name one of `TST`, `PRD`"),
        (("helpdesk@contoso.com", "view-timeline:x", "PC-1042"), "ask for `view-timeline`"),
        ((*ALLOWED, "--object", "Clear print queue"), "leave --object out"),
        ((*DENIED, "--object", "Clear print queu"), "did you mean `Clear print queue`"),
        ((*ALLOWED, "--edition", "2022-09"), "2022-08"),
        ((*ALLOWED, "--reading", "cloud-twin=x"), "`permcheck show policy` lists them"),
        ((*ALLOWED, "--reading", "all-scope-on-collection=x"), "did you mean `all-scope-on-collections`"),
        ((*ALLOWED, "--reading", "all-scope-on-collections=x"), "every-collection"),
        ((*ALLOWED, "--what-if", "use-intune-rbac"), "write KEY=VALUE"),
        ((*ALLOWED, "--what-if", "tenant.use_intune_rbca=on"), "use_intune_rbac"),
        ((*ALLOWED, "--what-if", "usr:helpdesk@contoso.com.synced=no"), "user"),
        ((*ALLOWED, "--what-if", "user:helpdesk@contoso.con.synced=no"), "did you mean `helpdesk@contoso.com`"),
    ],
)
def test_usage_is_2_and_says_what_was_meant(ask: Cli, arguments: tuple[str, ...], says: str) -> None:
    result = ask(*arguments)
    assert (result.code, result.out) == (2, "")
    error, help_ = result.err.splitlines()
    assert error.startswith("error: ")
    assert not error.endswith(".")
    assert help_.startswith("  help: ")
    assert says in help_


@pytest.mark.parametrize(
    "arguments",
    [
        ("chekc",),
        ("check",),
        ("check", "helpdesk@contoso.com"),
        ("check", *ALLOWED),
        ("check", *ALLOWED, "-e", str(CONTOSO), "--formt", "json"),
        ("check", *ALLOWED, "-e", str(CONTOSO), "--format", "yaml"),
        ("check", *ALLOWED, "-e", str(CONTOSO), "--reading", "x"),
        ("explain", *ALLOWED, "-e", str(CONTOSO), "--quiet"),
        ("show",),
        ("show", "rolle", "x"),
        ("show", "role"),
        ("show", "role", "Help Desk Operater"),
        ("schema", "estat"),
    ],
    ids=" ".join,
)
def test_usage_is_2_and_goes_to_stderr(cli: Cli, arguments: tuple[str, ...]) -> None:
    result = cli(*arguments)
    assert (result.code, result.out) == (2, "")
    assert result.err


def test_no_estate_says_how_to_name_one(cli: Cli) -> None:
    result = cli("check", *ALLOWED)
    assert "no estate was named" in result.err
    assert "-e PATH" in result.err


def estate_file(folder: Path, **facts: object) -> str:
    """Write a small estate and return its path."""
    data = {"complete": True, "users": [{"upn": "anna@example.com"}], **facts}
    path = folder / "estate.yaml"
    path.write_text(safe_dump(data, allow_unicode=True), "utf-8")
    return str(path)


def test_an_ambiguous_device_lists_candidates_that_can_be_asked_for(cli: Cli, tmp_path: Path) -> None:
    hierarchies = [{"id": "AAA"}, {"id": "BBB"}]
    devices = [{"name": "PC-1", "hierarchy": "AAA"}, {"name": "PC-1", "hierarchy": "BBB"}]
    path = estate_file(tmp_path, hierarchies=hierarchies, devices=devices)
    result = cli("check", "anna@example.com", "run-cmpivot", "PC-1", "-e", path)
    assert (result.code, result.out) == (2, "")
    assert "`PC-1` names 2 devices" in result.err
    candidates = result.err.splitlines()[1].split("`")[1::2]
    assert len(candidates) == 2
    for candidate in candidates:
        assert cli("check", "anna@example.com", "run-cmpivot", candidate, "-e", path).code in {1, 4}


# --- 3: the estate can't be used -------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.yaml", b"users: [\n", "a.yaml:2:1: "),
        ("a.yaml", b"users:\n\t- upn: x\n", "help: indent with spaces"),
        ("a.yaml", b"", "the file is empty"),
        ("a.yaml", b"# nothing\n", "only comments"),
        ("a.yaml", b"\0\0\0", "not a text file"),
        ("a.yaml", b"users: [{upn: \xff}]\n", "0xff is not UTF-8"),
        ("a.yaml", b"- 1\n", "a.yaml:1:1: "),
        ("a.yaml", b"usres: []\n", "a.yaml:1:1: "),
        ("a.yaml", b"users: []\n", "lists no users"),
        ("a.yaml", b"complete: true\n", "lists no users"),
        ("a.json", b"{", "cut"),
        ("a.json", b"<html>", "HTML"),
        ("a.yaml", b"users: [{upn: a@b.c}]\ngroups: [{name: G, members: [nobody]}]\n", "`nobody`"),
    ],
)
def test_an_unusable_file_is_3(cli: Cli, tmp_path: Path, name: str, content: bytes, says: str) -> None:
    (tmp_path / name).write_bytes(content)
    result = cli("check", *ALLOWED, "-e", name)
    assert (result.code, result.out) == (3, "")
    assert result.err.startswith("error: ")
    assert says in result.err
    assert "Traceback" not in result.err


def test_every_problem_is_reported(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("users: [\n")
    (tmp_path / "b.yaml").write_text("usres: []\n")
    result = cli("check", *ALLOWED, "-e", ".")
    assert [line.partition(":")[2].strip()[:6] for line in result.err.splitlines() if line.startswith("error")] == [
        "a.yaml",
        "b.yaml",
    ]


@pytest.mark.parametrize("path", ["no-such-file", "x" * 300, "", "empty", "empty/x.yaml"])
def test_an_estate_that_is_not_there_is_3(cli: Cli, tmp_path: Path, path: str) -> None:
    """The empty text is the working directory, as it is for every path, and it holds nothing."""
    (tmp_path / "empty").mkdir()
    result = cli("check", *ALLOWED, "-e", path)
    assert (result.code, result.out) == (3, "")
    assert result.err.startswith("error: ")


def test_a_file_that_may_not_be_read_is_3(ask: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path) -> bytes:
        if "contoso" in path.parts:
            raise PermissionError(13, "Permission denied")
        return original(path)

    original = Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", refuse)
    result = ask(*ALLOWED)
    assert (result.code, result.out) == (3, "")
    assert "can't read the file: permission denied" in result.err


def test_warnings_go_to_stderr_and_change_no_code(cli: Cli, tmp_path: Path) -> None:
    roles = [{"role": "Role of Nobody", "members": ["anna@example.com"]}]
    path = estate_file(tmp_path, entra_roles=roles, hierarchies=[{"id": "AAA"}], devices=[{"name": "PC-1"}])
    result = cli("check", "anna@example.com", "run-cmpivot", "PC-1", "-e", path)
    assert result.err.startswith("warning: ")
    assert result.out.count("\n") == 1
    assert result.code in {1, 4}


# --- 70 and 130: no answer, never 1 ----------------------------------------------


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a fault into the library."""

    def fail(*_: object, **__: object) -> None:
        message = "secret detail"
        raise RuntimeError(message)

    monkeypatch.setattr(permcheck.api, "load", fail)


@pytest.mark.usefixtures("broken")
def test_an_internal_error_is_70_without_a_traceback(ask: Cli) -> None:
    result = ask(*ALLOWED)
    assert (result.code, result.out) == (70, "")
    assert result.err.startswith("internal error: RuntimeError; no answer was given\n")
    assert "Traceback" not in result.err
    assert "PERMCHECK_DEBUG=1" in result.err


@pytest.mark.usefixtures("broken")
def test_debugging_shows_the_traceback(ask: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERMCHECK_DEBUG", "1")
    result = ask(*ALLOWED)
    assert result.code == 70
    assert "Traceback" in result.err
    assert "secret detail" in result.err


def test_an_interrupt_is_130(ask: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(permcheck.api, "load", interrupt)
    result = ask(*ALLOWED)
    assert (result.code, result.out) == (130, "")
    assert result.err.strip() == "aborted"


@pytest.mark.skipif(os.name == "nt", reason="pipes close in another way")
@pytest.mark.parametrize("command", [("check",), ("explain",), ("explain", "--format", "json")], ids=" ".join)
def test_a_reader_that_went_away_is_no_deny(command: tuple[str, ...]) -> None:
    """`permcheck explain ... | head` must not exit 1: that means denied."""
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as pipe:
        result = program(*command, *ALLOWED, "-e", str(CONTOSO), stdout=pipe)
    assert result.returncode != 1
    assert "Traceback" not in result.stderr


@pytest.mark.skipif(os.name == "nt", reason="a shell of POSIX closes the streams")
@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-"])
def test_closed_streams_change_no_answer(closed: str) -> None:
    """A job without a terminal may have no stdout at all; where nothing is printed, none is needed."""
    shell = ["sh", "-c", f'exec "$@" {closed}', "sh", sys.executable, "-c", START]
    command = [*shell, "check", *ALLOWED, "-e", str(CONTOSO), "--quiet"]
    result = subprocess.run(command, check=False, timeout=60, capture_output=True, text=True)
    assert "Traceback" not in result.stderr
    assert result.returncode == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
@pytest.mark.parametrize("command", ["check", "explain"])
def test_an_answer_that_could_not_be_written_is_no_answer(command: str) -> None:
    with Path("/dev/full").open("w") as full:
        result = program(command, *ALLOWED, "-e", str(CONTOSO), stdout=full)
    assert result.returncode == 70
    assert "Traceback" not in result.stderr


# --- nothing is written ----------------------------------------------------------


def listing(folder: Path) -> dict[str, bytes]:
    """Every file and what is in it."""
    return {str(p): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


@pytest.mark.parametrize("command", ["check", "explain"])
def test_asking_writes_nothing_anywhere(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    for variable in ("HOME", "USERPROFILE", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "TMPDIR"):
        monkeypatch.setenv(variable, str(home))
    before = listing(CONTOSO)
    opened = list(writes(lambda: cli(command, *DENIED, "-e", str(CONTOSO))))
    assert opened == []
    assert listing(CONTOSO) == before
    assert listing(tmp_path) == {}


class Watch:
    """An audit hook that notes what is opened for writing while it is on. A hook can't be taken away again."""

    def __init__(self) -> None:
        self.on = False
        self.written: list[str] = []
        sys.addaudithook(self)

    def __call__(self, event: str, arguments: tuple[object, ...]) -> None:
        if self.on and event in {"os.mkdir", "os.rename", "os.remove"}:
            self.written.append(f"{event} {arguments[0]}")
        if self.on and event == "open" and isinstance(arguments[2], int):
            path, flags = arguments[0], arguments[2]
            if flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT) and not str(path).endswith(".pyc"):
                self.written.append(str(path))


WATCH = Watch()


def writes(work: Callable[[], object]) -> Iterator[str]:
    """Do something and return what it wrote."""
    WATCH.written.clear()
    WATCH.on = True
    try:
        work()
    finally:
        WATCH.on = False
    # Importing a module writes its compiled form: a folder or file of Python's, not of permcheck's.
    yield from (path for path in WATCH.written if "__pycache__" not in path and ".pyc" not in path)


# --- help, version, actions ------------------------------------------------------


def test_version(cli: Cli) -> None:
    assert cli("--version") == (0, f"permcheck {permcheck.__version__}\n", "")


@pytest.mark.parametrize("command", ["", "check", "explain", "actions", "show", "schema", "init"])
@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_help_is_data(cli: Cli, command: str, flag: str) -> None:
    result = cli(*command.split(), flag)
    assert (result.code, result.err) == (0, "")
    assert result.out.startswith("Usage: permcheck")


def test_help_names_every_exit_code(cli: Cli) -> None:
    text = " ".join(cli("check", "--help").out.split())
    for code in Exit:
        assert f" {code:d} " in text


def test_no_command_is_help(cli: Cli) -> None:
    """Without a command click shows the help as a usage error."""
    result = cli()
    assert result.code == 2
    assert "Commands:" in result.out + result.err


def test_actions_lists_every_action(cli: Cli) -> None:
    result = cli("actions")
    assert (result.code, result.err) == (0, "")
    listed = {line.split()[0] for line in result.out.splitlines() if line[:1].strip()}
    assert set(load_policy().actions) <= listed


# --- show ------------------------------------------------------------------------


def names_of(kind: str) -> Iterator[str]:
    """Every name of one kind that the policy knows."""
    p = load_policy()
    match kind:
        case "permission":
            yield from dict.fromkeys(p.title(permission) for permission in p.permissions)
        case "role":
            yield from dict.fromkeys(role.name for role in p.roles.values())
        case "action":
            yield from p.actions
        case "requirement":
            yield from p.requirements
        case "reading":
            yield from p.readings
        case "error":
            yield from p.errors


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "policy"])
def test_everything_of_the_policy_can_be_shown(cli: Cli, kind: str) -> None:
    failed = [name for name in names_of(kind) if cli("show", kind, name).code != 0]
    assert failed == []


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("policy",), "What is in it"),
        (("action", "run-cmpivot"), "run-cmpivot: "),
        (("action", "Run CMPivot"), "run-cmpivot: "),
        (("permission", r"Cloud attached devices\Run script"), "Run script"),
        (("permission", "Cloud attached devices/Run script"), "Run script"),
        (("role", "help desk operator"), "Help Desk Operator  (intune"),
        (("requirement", "IDENT-SYNCED"), "Needed by"),
        (("reading", "all-scope-on-collections"), "default: "),
        (("error", next(iter(load_policy().errors))), "Causes"),
    ],
)
def test_show(cli: Cli, arguments: tuple[str, ...], says: str) -> None:
    result = cli("show", *arguments)
    assert (result.code, result.err) == (0, "")
    assert says in result.out
    assert "Sources" in result.out or arguments[0] in {"policy", "reading"}
    assert [line for line in result.out.splitlines() if line != line.rstrip()] == []


@pytest.mark.parametrize(
    ("kind", "name", "near"),
    [
        ("action", "run-cmpivto", "`run-cmpivot`"),
        ("permission", r"Cloud attached devices\Run scripts", r"`Cloud attached devices\Run script`"),
        ("role", "Help Desk Operater", "`Help Desk Operator`"),
        ("requirement", "IDENT-SINCED", "`IDENT-SYNCED`"),
        ("reading", "all-scope-on-collection", "all-scope-on-collections"),
        ("error", "e1h", "`e1`"),
    ],
)
def test_show_an_unknown_name(cli: Cli, kind: str, name: str, near: str) -> None:
    result = cli("show", kind, name)
    assert (result.code, result.out) == (2, "")
    assert f"`{name}`" in result.err
    assert "did you mean" in result.err
    assert near in result.err


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "policy"])
def test_show_without_a_name_says_what_to_write(cli: Cli, kind: str) -> None:
    result = cli("show", kind)
    assert (result.code, result.out) == (2, "")
    assert f"permcheck show {kind} NAME" in result.err


# --- schema ----------------------------------------------------------------------


def schema_names() -> list[str]:
    """Names of the schemas, as the files have them."""
    return sorted(path.name.removesuffix(".schema.json") for path in SCHEMAS.glob("*.schema.json"))


def test_schemas_are_listed(cli: Cli) -> None:
    result = cli("schema", "--list")
    assert (result.code, result.err) == (0, "")
    assert result.out.splitlines() == schema_names()


@pytest.mark.parametrize("name", schema_names())
def test_a_schema_is_one_and_names_itself(cli: Cli, name: str) -> None:
    result = cli("schema", name)
    assert (result.code, result.err) == (0, "")
    schema = json.loads(result.out)
    Draft202012Validator.check_schema(schema)
    assert schema["$id"] == f"urn:permcheck:{name}"


def test_the_schema_of_estates_is_the_default(cli: Cli) -> None:
    assert cli("schema") == cli("schema", "estate")


def test_an_unknown_schema_says_which_there_are(cli: Cli) -> None:
    result = cli("schema", "estates")
    assert (result.code, result.out) == (2, "")
    assert "`estates`" in result.err
    assert "policy-actions" in result.err


# --- init ------------------------------------------------------------------------


@pytest.mark.parametrize("folder", ["", "here", "a/b c/ü"])
def test_init_writes_an_estate_that_answers(cli: Cli, tmp_path: Path, folder: str) -> None:
    result = cli("init", *([folder] if folder else []))
    assert (result.code, result.err) == (0, "")
    written = tmp_path / (folder or "estate")
    assert sorted(path.name for path in written.iterdir()) == ["estate.schema.json", "estate.yaml"]
    assert permcheck.load(written).warnings == ()
    answer = cli("check", "anna@example.com", "run-cmpivot", "PC-0001", "-e", str(written))
    assert (answer.code, answer.err) == (0, "")
    assert "assuming" in answer.out


def test_init_says_what_to_do_next_and_it_works(cli: Cli) -> None:
    following = cli("init").out.splitlines()[-1].partition("permcheck ")[2].split()
    assert cli(*following).code == 0


@pytest.mark.parametrize("there", ["estate.yaml", "estate.schema.json"])
def test_init_overwrites_nothing(cli: Cli, tmp_path: Path, there: str) -> None:
    folder = tmp_path / "estate"
    folder.mkdir()
    (folder / there).write_text("mine")
    before = listing(tmp_path)
    result = cli("init")
    assert (result.code, result.out) == (3, "")
    assert there in result.err
    assert "already there" in result.err
    assert listing(tmp_path) == before


@pytest.mark.parametrize("folder", ["file", "file/sub", "x" * 300])
def test_init_where_nothing_can_be_written_is_3(cli: Cli, tmp_path: Path, folder: str) -> None:
    (tmp_path / "file").write_text("mine")
    before = listing(tmp_path)
    result = cli("init", folder)
    assert (result.code, result.out) == (3, "")
    assert listing(tmp_path) == before


# --- the library, as its users write it ------------------------------------------


def test_a_program_of_a_user_runs(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(CONTOSO.parent)
    assert user_code.main(Path("contoso")) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("helpdesk@contoso.com can't run-script: CM-COLL-RUNSCRIPT, ")
    least = "give helpdesk@contoso.com the security role Script Runners in hierarchy PRD, for collection Pilot Ring 1"
    assert lines[1] == f"after `{least} and security scope Default`: allow"
    assert lines[-5:] == [
        "as it is: helpdesk@contoso.com allow, cloud-helpdesk@contoso.com deny",
        "toggle off: helpdesk@contoso.com allow, cloud-helpdesk@contoso.com deny",
        "checkbox cleared: helpdesk@contoso.com allow, cloud-helpdesk@contoso.com allow",
        "every edition: helpdesk@contoso.com deny, cloud-helpdesk@contoso.com deny",
        "action run-cmpivto: did you mean `run-cmpivot`?",
    ]


def test_a_program_of_a_user_sees_every_problem(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("usres: []\nuser: 1\n")
    assert user_code.main(tmp_path) == 3
    assert capsys.readouterr().out.count("a.yaml:") >= 2


def test_an_unknown_command_says_which_was_meant(cli: Cli) -> None:
    result = cli("lnt")
    assert result.code == 2
    assert "Did you mean 'lint'?" in result.err
