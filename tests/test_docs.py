"""What the documentation shows is so: every fenced block is run or checked, every list in it is complete."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, get_args

import click
import pytest
from click.shell_completion import get_completion_class
from permcheck.api import load
from permcheck.cli.codes import Exit
from permcheck.cli.config import find_config
from permcheck.cli.config_file import KEYS
from permcheck.cli.main import COMMANDS, guarded, main
from permcheck.cli.reference import KINDS
from permcheck.evaluate import fixes, revocations
from permcheck.evaluate.leaf import TESTS
from permcheck.exports.csv_file import FIELD_LIMIT
from permcheck.exports.join import NO_HIERARCHY
from permcheck.exports.json_file import STREAMED
from permcheck.exports.xml_file import XML_LIMIT
from permcheck.loading.forms import as_form
from permcheck.loading.policy import COMPILED, kind_of, load_policy, policy_files
from permcheck.loading.text import parse_yaml
from permcheck.model import estate as estate_forms
from permcheck.model.base import Form
from permcheck.model.policy_forms import FORMS
from permcheck.render.outline import PATHS_SHOWN
from permcheck.what_if import GRANTS, RECORDS, SHORT

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
PAGES = [README, ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]
LANGUAGES = {"console", "python", "yaml", "toml", "sh", "powershell", "text"}
ENVIRONMENT = (
    "COLUMNS",
    "FORCE_COLOR",
    "NO_COLOR",
    "CLICOLOR_FORCE",
    "TTY_COMPATIBLE",
    "PERMCHECK_ESTATE",
    "PERMCHECK_DEBUG",
)
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"^\$ permcheck (.*?)(?:\s+# exit (\d+))?$")
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
CELL = re.compile(r"`([^`]+)`")


class Block(NamedTuple):
    """A fenced block of a page."""

    page: Path
    line: int
    language: str
    text: str


class Run(NamedTuple):
    """A command of a console block, and what is shown of its output."""

    arguments: list[str]
    code: int
    shown: list[str]


@cache
def text_of(page: Path) -> str:
    return page.read_text("utf-8")


def blocks(*languages: str) -> list[Block]:
    return [
        Block(page, text_of(page).count("\n", 0, found.start()) + 1, found[1], found[2])
        for page in PAGES
        for found in FENCE.finditer(text_of(page))
        if not languages or found[1] in languages
    ]


def block_id(block: Block | Path) -> str:
    return f"{block.page.name}:{block.line}" if isinstance(block, Block) else block.name


@pytest.fixture(name="folder")
def a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder to be in, with the examples in it and nothing of the environment that changes output."""
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    monkeypatch.chdir(tmp_path)
    for name in ENVIRONMENT:
        monkeypatch.delenv(name, raising=False)
    return tmp_path


# --- blocks ----------------------------------------------------------------
def test_pages_keep_short() -> None:
    assert len(text_of(README).splitlines()) < 150
    assert [page.name for page in PAGES if len(text_of(page).splitlines()) > 200] == []


def test_every_block_is_of_a_kind_that_is_checked() -> None:
    assert len(blocks()) > 25
    assert [block_id(b) for b in blocks() if b.language not in LANGUAGES] == []


def runs(block: Block) -> Iterator[Run]:
    """Return the commands of a console block. Other lines belong to the command above them."""
    lines = block.text.splitlines()
    starts = [i for i, line in enumerate(lines) if line.startswith("$ ")]
    assert starts
    assert starts[0] == 0
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        found = COMMAND.match(lines[start])
        assert found is not None, lines[start]
        yield Run(shlex.split(found[1]), int(found[2] or 0), lines[start + 1 : end])


def is_shown(shown: list[str], real: list[str]) -> bool:
    """Tell whether the shown lines are the real ones; `...` stands for any lines, or for the rest of one."""
    if not shown:
        return not real
    first, *rest = shown
    if first == "...":
        return any(is_shown(rest, real[skipped:]) for skipped in range(len(real) + 1))
    if not real:
        return False
    same = real[0].rstrip() == first or (first.endswith("...") and real[0].startswith(first.removesuffix("...")))
    return same and is_shown(rest, real[1:])


@pytest.mark.parametrize("block", blocks("console"), ids=block_id)
def test_console(block: Block, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert folder.is_dir()
    for run in runs(block):
        code = guarded(run.arguments)
        captured = capfd.readouterr()
        assert code == run.code, captured
        assert [line for line in captured.err.splitlines() if not line.startswith(("wrote ", "next: "))] == []
        assert is_shown(run.shown, captured.out.splitlines()), captured.out


@pytest.mark.parametrize("page", sorted({b.page for b in blocks("python")}), ids=block_id)
def test_python(page: Path, folder: Path) -> None:
    """The blocks of a page run one after the other and share their names."""
    assert folder.is_dir()
    names: dict[str, Any] = {}
    for block in (b for b in blocks("python") if b.page == page):
        source = "\n" * block.line + block.text
        exec(compile(source, str(page), "exec"), names)


@pytest.mark.parametrize("block", blocks("yaml"), ids=block_id)
def test_yaml(block: Block, folder: Path) -> None:
    """A block says in its first line what it is: an estate, or a file of the policy."""
    first = block.text.partition("\n")[0].removeprefix("# ")
    if first == "estate":
        file = folder / "estate.yaml"
        file.write_text(block.text, "utf-8")
        assert load(file).warnings == ()
        return
    kind = kind_of(Path("policy"), Path(first))
    as_form(parse_yaml(block_id(block), block.text), FORMS[kind], f"policy-{kind}")


@pytest.mark.parametrize("block", blocks("toml"), ids=block_id)
def test_toml(block: Block, folder: Path) -> None:
    (folder / "permcheck.toml").write_text(block.text, "utf-8")
    assert find_config(folder)
    assert set(tomllib.loads(block.text)) <= set(KEYS)


@pytest.mark.parametrize("block", blocks("sh", "powershell"), ids=block_id)
def test_shell(block: Block) -> None:
    """Targets of make exist, and completion is asked for in a shell that click knows."""
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    for line in block.text.splitlines():
        if line.startswith("make "):
            assert line.split()[1] in targets
        shell = re.search(r"(\w+)_source", line)
        if shell:
            assert "_PERMCHECK_COMPLETE" in line
            assert shell[1] == "powershell" or get_completion_class(shell[1])


# --- links -----------------------------------------------------------------
def anchors(page: Path) -> set[str]:
    """Return the anchors that GitHub gives to the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", text_of(page)), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=block_id)
def test_links(page: Path) -> None:
    for link in LINK.findall(FENCE.sub("", text_of(page))):
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def test_readme_links_every_page() -> None:
    linked = {(README.parent / link).resolve() for link in LINK.findall(text_of(README))}
    assert [page.name for page in PAGES if page not in linked and page != README] == []


# --- completeness ----------------------------------------------------------
def rows(page: str, heading: str) -> list[list[str]]:
    """Return the cells of the table rows under a heading, without the table's own head."""
    text = FENCE.sub("", text_of(ROOT / page))
    start = re.search(rf"^#+ {re.escape(heading)}$", text, re.MULTILINE)
    assert start is not None, heading
    section = re.split(r"^#", text[start.end() :], maxsplit=1, flags=re.MULTILINE)[0]
    lines = [line.removeprefix("|").removesuffix("|") for line in section.splitlines() if line.startswith("|")]
    table = [[cell.strip() for cell in line.split("|")] for line in lines]
    return [cells for cells in table[1:] if not set("".join(cells)) <= {"-"}]


def test_decisions_name_every_edition_with_its_default() -> None:
    told = {CELL.findall(cells[0])[0]: cells[1] for cells in rows("docs/decisions.md", "Editions")}
    editions = load_policy().editions
    assert list(told) == list(editions)
    for edition in editions.values():
        bounds = [f"from {edition.default_from}"] if edition.default_from else []
        bounds += [f"below {edition.default_below}"] if edition.default_below else []
        assert told[edition.id].startswith(", ".join(bounds) or "never"), edition.id


def test_decisions_name_every_reading_with_its_default() -> None:
    told = {
        CELL.findall(cells[0])[0]: (CELL.findall(cells[1]), CELL.findall(cells[2]))
        for cells in rows("docs/decisions.md", "Readings")
    }
    assert told == {
        r.id: ([r.default], [a.id for a in r.alternatives if a.id != r.default])
        for r in load_policy().readings.values()
    }


def test_decisions_have_a_row_for_each_row_of_the_authority_table() -> None:
    names = {"configmgr": "Configuration Manager", "both": "both", "intune": "Intune"}
    told = rows("docs/decisions.md", "Who decides")
    table = [row for row in load_policy().authority.table if not row.reading]
    assert len(told) == len(table)
    for cells, row in zip(told, table, strict=True):
        assert cells[3].startswith(names[row.authority])
        assert cells[1].lower() in {row.toggle or "", ""}
        assert cells[2] in {row.checkbox or "checked", ""}


def test_decisions_tell_the_limits() -> None:
    text = text_of(ROOT / "docs/decisions.md")
    assert f"most {fixes.SHOWN} are kept" in text.replace("\n", " ")
    assert f"most {revocations.SHOWN} sets" in text
    assert f"Up to {PATHS_SHOWN} ways" in text


def test_cli_names_every_command_argument_and_option() -> None:
    text = text_of(ROOT / "docs/cli.md")
    context = click.Context(main)
    for name in COMMANDS:
        command = main.get_command(context, name)
        assert command is not None
        usage = " ".join(p.make_metavar(context) for p in command.params if isinstance(p, click.Argument))
        usage = "KIND [NAME]" if command.name == "show" else usage  # else every kind stands there
        heading = f"permcheck {command.name} {usage}".rstrip()
        assert f"\n## `{heading}`\n" in text
        for option in (p for p in command.params if isinstance(p, click.Option)):
            for spelling in option.opts:
                assert re.search(rf"`{spelling}[ `]", text), (command.name, spelling)
    for option in main.params:
        assert all(f"`{spelling}`" in text or f"permcheck {spelling}" in text for spelling in option.opts)
    assert all(f"`{kind}`" in text for kind in KINDS)


def test_cli_names_every_key_of_what_if_and_of_the_file() -> None:
    text = text_of(ROOT / "docs/whole-estate.md")
    assert all(f"`{key}`" in text for key in SHORT)
    assert all(f"`{subject}:" in text for subject in (*RECORDS, *GRANTS))
    example = tomllib.loads(next(b.text for b in blocks("toml") if b.page.name == "cli.md"))
    assert set(example) == set(KEYS)


@pytest.mark.parametrize(("page", "heading"), [("README.md", "Exit codes"), ("docs/cli.md", "Exit codes")])
def test_exit_codes(page: str, heading: str) -> None:
    told = {int(cells[0]) for cells in rows(page, heading)}
    assert told == {*map(int, Exit), 130}


SECTION_FORMS = {
    "users": estate_forms.User,
    "groups": estate_forms.Group,
    "entra_roles": estate_forms.EntraRole,
    "app_roles": estate_forms.AppRole,
    "intune_roles": estate_forms.IntuneRole,
    "intune_assignments": estate_forms.IntuneAssignment,
    "hierarchies": estate_forms.Hierarchy,
    "security_roles": estate_forms.SecurityRole,
    "administrative_users": estate_forms.AdministrativeUser,
    "collections": estate_forms.Collection,
    "scripts": estate_forms.Script,
    "applications": estate_forms.Application,
    "devices": estate_forms.Device,
    "scope_tags": estate_forms.ScopeTag,
    "security_scopes": estate_forms.SecurityScope,
    "tenant": estate_forms.Tenant,
}


def fields(form: type[Form]) -> set[str]:
    return {field.alias or name for name, field in form.model_fields.items()}


def told_fields() -> dict[str, set[str]]:
    """Return the fields that the page names, by section; a section without a table of its own shares one."""
    page, told = "docs/estate-format.md", {}
    headings = re.findall(r"^## (`.+)$", text_of(ROOT / page), re.MULTILINE)
    for heading in headings:
        sections = CELL.findall(heading)
        section = sections[0]
        for cells in rows(page, heading):
            if len(sections) > 1:
                section = CELL.findall(cells[0])[0] if CELL.findall(cells[0]) else section
                cells = cells[1:]  # noqa: PLW2901 - the rest of the row
            told.setdefault(section, set()).update(CELL.findall(cells[0]))
    return told


def test_estate_format_names_every_field() -> None:
    told = told_fields()
    assert set(told) == set(SECTION_FORMS) == {*estate_forms.SECTIONS, "tenant"}
    for section, form in SECTION_FORMS.items():
        left_out = {"hierarchy"} if section == "devices" else set()  # it stands in the row of its key
        assert fields(form) - left_out == told[section], section


def test_estate_format_names_what_stands_beside_the_sections() -> None:
    told = {name for cells in rows("docs/estate-format.md", "The file itself") for name in CELL.findall(cells[0])}
    assert told == fields(estate_forms.EstateFile) - set(SECTION_FORMS)


def test_estate_format_names_every_field_of_what_was_used() -> None:
    cells = rows("docs/estate-format.md", "What was used")
    assert {name for row in cells for name in CELL.findall(row[0])} == fields(estate_forms.Usage)
    assert fields(estate_forms.Use) <= set(re.findall(r"\w+", cells[-1][1]))


def choices(annotation: Any) -> Iterator[str]:
    """Return the texts of every Literal inside an annotation."""
    for part in get_args(annotation):
        if isinstance(part, str):
            yield part
        else:
            yield from choices(part)


@pytest.mark.parametrize("form", SECTION_FORMS.values(), ids=lambda form: form.__name__)
def test_estate_format_names_every_value(form: type[Form]) -> None:
    text = text_of(ROOT / "docs/estate-format.md")
    for field in form.model_fields.values():
        for word in choices(field.annotation):
            assert f"`{word}`" in text, word


def test_policy_format_names_every_file() -> None:
    told = {tuple(CELL.findall(cells[0] + cells[1])) for cells in rows("docs/policy-format.md", "Policy files")}
    folder = ROOT / "policy"
    kinds = {kind_of(folder, path): path.parent != folder for path in policy_files(folder)}
    assert set(kinds) == set(FORMS)
    places = {kind: f"policy/{kind}/*.yaml" if nested else f"policy/{kind}.yaml" for kind, nested in kinds.items()}
    assert told == {*((place, f"policy-{kind}") for kind, place in places.items()), (f"policy/{COMPILED}",)}


def forms_in(annotation: Any) -> Iterator[type[Form]]:
    """Return the forms inside an annotation."""
    if isinstance(annotation, type) and issubclass(annotation, Form):
        yield annotation
    for part in get_args(annotation):
        yield from forms_in(part)


def test_policy_format_names_every_field() -> None:
    text = text_of(ROOT / "docs/policy-format.md") + text_of(ROOT / "docs/policy-exports.md")
    reached: list[type[Form]] = list(FORMS.values())
    for form in reached:
        form.model_rebuild()
        for name, field in form.model_fields.items():
            assert re.search(rf"`{name}[`:]", text), (form.__name__, name)
            reached += [inner for inner in forms_in(field.annotation) if inner not in reached]
    assert len(reached) > len(FORMS)


def test_policy_format_names_every_kind_of_test() -> None:
    told = [name for cells in rows("docs/policy-format.md", "Requirements") for name in CELL.findall(cells[0])]
    assert sorted(told) == sorted([*TESTS, "all", "any"])


def test_readme_names_the_specification() -> None:
    told = {(cells[0].removesuffix(" (Dutch)"), cells[1]) for cells in rows("README.md", "Where the facts come from")}
    assert told == {(d.title, d.date) for d in load_policy().documents.values() if d.specification}


def test_architecture_names_every_room() -> None:
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    layers = pyproject["tool"]["importlinter"]["contracts"][0]["layers"]
    told = [CELL.findall(cells[0])[0] for cells in rows("docs/architecture.md", "Rooms")]
    assert told == [room.strip().removeprefix("permcheck.") for layer in layers for room in layer.split("|")]


def test_architecture_names_files_that_are_there() -> None:
    text = text_of(ROOT / "docs/architecture.md")
    named = re.findall(r"`((?:model|graph|evaluate|render|exports|live|loading|cli)/\w*(?:\.py)?)`", text)
    assert named
    assert [path for path in named if not (ROOT / "evaluator" / "permcheck" / path).exists()] == []


# --- exports ---------------------------------------------------------------
def test_import_names_every_kind_of_export() -> None:
    told = [(CELL.findall(cells[0])[0], *cells[1:]) for cells in rows("docs/import.md", "What is recognised")]
    exports = load_policy().exports.values()
    assert told == [(kind.id, kind.title, "needed" if kind.needed else "") for kind in exports]


def test_import_tells_the_limits() -> None:
    text = text_of(ROOT / "docs/import.md").replace("\n", " ")
    assert f"from {STREAMED // 2**20} MiB are streamed" in text
    assert re.search(rf"XML files are read up to +{XML_LIMIT // 2**20} MiB", text)
    assert f"a field of a CSV file up to {FIELD_LIMIT // 2**20} MiB" in text
    assert f"`$expand=members` stops at {load_policy().values.expanded_members.most}" in text
    assert f"hierarchy, `{NO_HIERARCHY}`" in text


def test_collect_has_every_command() -> None:
    lines = set(text_of(ROOT / "docs/collect.md").splitlines())
    commands = {kind.id: kind.powershell for kind in load_policy().exports.values() if kind.powershell}
    assert len(commands) > 30
    assert [kind for kind, command in commands.items() if command not in lines] == []


def test_collect_has_every_needed_request_and_permission() -> None:
    text = text_of(ROOT / "docs/collect.md")
    for kind in load_policy().exports.values():
        assert not kind.needed or kind.powershell or kind.manual, kind.id
        assert kind.service != "graph" or not kind.powershell or f"| `{kind.permission}` |" in text, kind.id


# --- the editor ------------------------------------------------------------
def test_editor_settings_map_every_schema() -> None:
    settings = json.loads((ROOT / ".vscode" / "settings.json").read_text("utf-8"))
    mapped = {path.removeprefix("./"): globs for path, globs in settings["yaml.schemas"].items()}
    known = {f"schemas/policy-{kind}.schema.json" for kind in FORMS} | {"schemas/estate.schema.json"}
    assert set(mapped) == known
    for schema, globs in mapped.items():
        assert (ROOT / schema).is_file()
        assert any(list(ROOT.glob(one)) for one in ([globs] if isinstance(globs, str) else globs)), schema
