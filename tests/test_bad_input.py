"""Every unusable input gives one LoadError with every problem: where it is, what it is, what to do."""

from __future__ import annotations

import json
import os
import re
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from permcheck import LoadError, Problem, load
from permcheck.loading import files
from permcheck.loading.data import data_root
from permcheck.loading.schemas import schema_text
from permcheck.model.estate import EstateFile
from pydantic import ValidationError
from strategies import Data, estates

MACHINE_WORDS = re.compile(
    r"\b(NoneType|dict|str|int|tuple|bool|float|Traceback|pydantic|ValidationError|jsonschema|sys\.set)\b|<class|0x[0-9a-f]{6}"
)
BASE = """\
estate: small
hierarchies:
- {id: P01, version: 2211}
users:
- upn: anna@contoso.com
groups:
- {name: SG-Ops, type: security, members: [anna@contoso.com]}
collections:
- {id: SMS00001, name: All Systems}
- {id: C1, name: Workstations, limited_to: All Systems}
devices:
- {name: PC-1, collections: [Workstations]}
"""


def problems_of(path: Path) -> tuple[Problem, ...]:
    """Load what can't be loaded; every message keeps the rules of the house."""
    with pytest.raises(LoadError) as caught:
        load(path)
    found = caught.value.problems
    assert found == tuple(sorted(found))
    for problem in found:
        assert_plain(problem)
    return found


def assert_plain(problem: Problem) -> None:
    """A message is one line for people: lower-case start, no final period, no names of Python's types."""
    for text in (problem.message, problem.help):
        assert not MACHINE_WORDS.search(text), text
        assert "\n" not in text
        assert not text.endswith(".")
        assert len(text) < 500
    assert problem.message
    assert not problem.message[0].isupper() or re.match(r"[A-Z]{2}", problem.message)
    assert problem.id
    assert str(problem).encode()


def write(folder: Path, text: str | bytes, name: str = "estate.yaml") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@dataclass(frozen=True)
class Bad:
    """A file that can't be used, and what is said about it."""

    name: str
    text: str | bytes
    id: str
    says: str
    line: int | None = None
    help: str = ""
    file: str = "estate.yaml"


def after(text: str) -> str:
    """The base estate with more lines; the first of them is line 13."""
    return BASE + text


def instead(old: str, new: str) -> str:
    assert old in BASE
    return BASE.replace(old, new)


SYNTAX = (
    Bad("a tab", BASE.replace("- upn", "\t- upn"), "syntax", "tab", 5, "spaces"),
    Bad("an open bracket", after("entra_roles: [{role: x"), "syntax", "ends too early", 14, "line 13"),
    Bad("a value that begins with @", after("scripts:\n- name: @x\n"), "syntax", "`@`", 14, "quotes"),
    Bad("an unknown alias", after("scripts: *nowhere\n"), "syntax", "alias", 13),
    Bad("two documents", after("---\nestate: second\n"), "syntax", "more than one YAML document", 13, "---"),
    Bad("invalid UTF-8", BASE.encode() + b"# caf\xe9\n", "encoding", "0xe9", 13, "UTF-8"),
    Bad("invalid UTF-16", b"\xff\xfe" + "estate: x".encode("utf-16-le") + b"\x00", "encoding", "UTF-16"),
    Bad("a binary file", b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(50), "binary", "not a text file"),
    Bad("a zero byte", BASE.encode() + b"\x00", "binary", "not a text file"),
    Bad("a late zero byte", BASE.encode() + b"#" * 5000 + b"\x00", "syntax", ""),
    Bad("a control character", BASE.encode() + b"# \x01\n", "syntax", "character"),
    Bad("an empty file", "", "empty-file", "empty"),
    Bad("blank lines", "\n\n  \n", "empty-file", "empty"),
    Bad("only comments", "# nothing yet\n# more nothing\n", "empty-file", "only comments"),
    Bad("a key that stands twice", after("estate: again\n"), "duplicate-key", "`estate`", 13),
    Bad("a key twice in a record", instead("{id: P01,", "{id: P01, id: P02,"), "duplicate-key", "`id`", 3),
    Bad("a list as a key", after("? [a, b]\n: x\n"), "key", "plain text", 13),
    Bad("a Python object", after("scripts: !!python/object/apply:os.system [id]\n"), "tag", "python/object", 13),
    Bad("a tagged text", instead("version: 2211", "version: !!python/name:os.system x"), "tag", "python/name", 3),
    Bad("a tagged list", instead("users:", "users: !!java/list"), "tag", "java/list", 4),
    Bad("a timestamp by tag", instead("estate: small", "estate: !!timestamp 2022-08-24"), "tag", "timestamp", 1),
    Bad("a merge key", after("scripts:\n- &a {name: x}\n- {<<: *a}\n"), "unknown-key", "`<<`", 15),
    Bad("deep nesting", "estate: " + "[" * 5000, "too-deep", "nested", 1),
    Bad("a recursive alias", after("scripts: &a [*a]\n"), "recursive-alias", "itself", 13),
    Bad("JSON cut short", '{"estate": "x", "users": [', "syntax", "cut", 1, file="estate.json"),
    Bad("a comma too many", '{"estate": "x",\n}', "syntax", "comma", 1, file="estate.json"),
    Bad("an error page", "<!DOCTYPE html><html></html>", "not-json", "HTML", 1, file="estate.json"),
    Bad("JSON with NaN", '{"estate": NaN}', "syntax", "`NaN`", file="estate.json"),
    Bad("JSON key twice", '{"users": [],\n "users": []}', "duplicate-key", "`users`", 2, file="estate.json"),
    Bad("deep JSON", '{"estate": ' + "[" * 200_000, "too-deep", "nested", file="estate.json"),
    Bad("an endless number", '{"estate": 1' + "0" * 5000 + "}", "syntax", "", file="estate.json"),
    Bad("an endless YAML number", instead("2211", "1" + "0" * 5000), "scalar", "number", 3),
    Bad("half of a character", '{"estate": "\\ud800", "users": [{"upn": "a"}]}', "", "", file="estate.json"),
)
SHAPE = (
    Bad("a list", "- estate\n- users\n", "type", "a mapping", 1),
    Bad("a text", "just words\n", "type", "a mapping", 1),
    Bad("a number", "42\n", "type", "a mapping", 1),
    Bad("nothing", "~\n", "type", "a mapping", 1),
    Bad("JSON list", "[]", "type", "a mapping", 1, file="estate.json"),
    Bad("an unknown key", after("hierarchy: []\n"), "unknown-key", "`hierarchy`", 13, "did you mean `hierarchies`?"),
    Bad("an unknown key in a record", instead("type: security", "typ: security"), "unknown-key", "`typ`", 7, "`type`"),
    Bad("a missing key", instead("- upn: anna@contoso.com", "- name: Anna"), "missing-key", "`upn`", 5),
    Bad("a text for a list", instead("members: [anna@contoso.com]", "members: SG"), "", "not a list", 7),
    Bad("a list for a text", instead("name: SG-Ops", "name: [SG-Ops]"), "type", "a text", 7),
    Bad("a number for a text", instead("name: PC-1", "name: 17"), "type", "a text", 12, "quotes"),
    Bad("a text for a number", instead("2211", '"2211"'), "", "a whole number", 3),
    Bad("a fraction", instead("2211", "2211.5"), "", "a whole number", 3),
    Bad("a whole number with a point", instead("2211", "2211.0"), "", "", 3),
    Bad("a release out of range", instead("2211", "7"), "minimum", "out of range", 3),
    Bad("YAML 1.1 yes", after("tenant: {multi_geo: yes}\n"), "", "true or false", 13),
    Bad("YAML 1.1 NO", after("tenant: {multi_geo: NO}\n"), "", "true or false", 13),
    Bad("a switch that is neither", after("tenant: {use_intune_rbac: maybe}\n"), "pattern", "`maybe`", 13, "On"),
    Bad("a wrong word", instead("type: security", "type: secruity"), "enum", "`secruity`", 7, "`security`"),
    Bad("a wrong cloud", after("tenant: {cloud: moon}\n"), "enum", "`public`", 13),
    Bad("an empty name", instead("name: SG-Ops", 'name: ""'), "minLength", "empty", 7),
    Bad("a blank name", instead("name: SG-Ops", 'name: "  "'), "pattern", "", 7),
    Bad("a bad date", after("as_of: 24.08.2022\n"), "pattern", "`24.08.2022`", 13, "year"),
    Bad("a bad SID", instead("- upn: anna@contoso.com", "- {upn: a, sid: S-1-x}"), "pattern", "`S-1-x`", 5),
)
REFERENCES = (
    Bad("a member", instead("[anna@", "[ana@"), "unknown-name", "`ana@contoso.com`", 7, "`anna@contoso.com`"),
    Bad(
        "a group",
        after("intune_assignments:\n- {name: A, role: Help Desk Operator, members: [SG-Op]}\n"),
        "unknown-name",
        "`SG-Op`",
        14,
        "did you mean",
    ),
    Bad(
        "an Intune role",
        after("intune_assignments:\n- {name: A, role: Help Desk Opperator, members: [SG-Ops]}\n"),
        "unknown-name",
        "`Help Desk Opperator`",
        14,
        "did you mean",
    ),
    Bad(
        "an Entra role for an Intune role",
        after("intune_assignments:\n- {name: A, role: Helpdesk Administrator, members: [SG-Ops]}\n"),
        "unknown-name",
        "`Helpdesk Administrator`",
        14,
        "Entra role",
    ),
    Bad(
        "a security role",
        after("administrative_users:\n- {name: X, assignments: [{role: Full Admin, scopes: [All]}]}\n"),
        "unknown-name",
        "`Full Admin`",
        14,
    ),
    Bad(
        "a role that is not built in",
        after("administrative_users:\n- {name: X, assignments: [{role: Script Runners}]}\n"),
        "unknown-name",
        "`Script Runners`",
        14,
        "not built in",
    ),
    Bad(
        "a collection of an administrative user",
        after("administrative_users:\n- {name: X, assignments: [{role: Asset Manager, collections: [Workstation]}]}\n"),
        "unknown-name",
        "`Workstation`",
        14,
        "did you mean `Workstations`?",
    ),
    Bad("a device's collection", instead("[Workstations]}", "[Servers]}"), "unknown-name", "`Servers`", 12, "list it"),
    Bad("a limiting collection", instead("limited_to: All Systems", "limited_to: All"), "unknown-name", "`All`", 10),
    Bad("a hierarchy", after("scripts:\n- {name: S, hierarchy: P1}\n"), "unknown-name", "`P1`", 14, "`P01`"),
    Bad(
        "a sign-in account",
        instead("anna@contoso.com\n", "anna@contoso.com\n  signs_in_with: x\n"),
        "unknown-name",
        "`x`",
        6,
    ),
    Bad("a script's author", after("scripts:\n- {name: S, author: bob}\n"), "unknown-name", "`bob`", 14),
    Bad("an upload collection", instead("version: 2211", "upload: {collection: X}"), "unknown-name", "`X`", 3),
    Bad("a deployment", after("applications:\n- {name: A, deployed_to: [X]}\n"), "unknown-name", "`X`", 14),
    Bad("a collection's member", instead("id: C1,", "id: C1, members: [PC-2],"), "unknown-name", "`PC-2`", 10),
    Bad("an include rule", instead("id: C1,", "id: C1, include: [X],"), "unknown-name", "`X`", 10),
    Bad("a reading", after("readings: {discovery: either}\n"), "unknown-name", "`discovery`", 13),
    Bad("an alternative", after("readings: {discovery-from-2103: any}\n"), "unknown-name", "`any`", 13, "`either`"),
    Bad(
        "no hierarchy",
        instead("- {id: P01, version: 2211}", "- {id: P01}\n- {id: P02}"),
        "no-hierarchy",
        "hierarch",
        10,
    ),
)
CONTRADICTIONS = (
    Bad(
        "no users",
        instead("users:\n- upn: anna@contoso.com\n", "").replace("anna@contoso.com", ""),
        "no-users",
        "users",
    ),
    Bad("a null list of users", "users:\n", "no-users", "lists no users"),
    Bad("an empty list of users", "users: []\n", "no-users", "lists no users"),
    Bad(
        "a user twice",
        instead("- upn: anna@contoso.com", "- upn: anna@contoso.com\n- upn: ANNA@contoso.com"),
        "duplicate",
        "",
        6,
    ),
    Bad("a device twice", after("- {name: pc-1}\n"), "duplicate", "pc-1", 13, "ids"),
    Bad("a hierarchy twice", instead("users:", "- {id: p01}\nusers:"), "duplicate", "p01", 4),
    Bad("a collection twice", instead("id: C1,", "id: SMS00001,"), "duplicate", "sms00001", 10),
    Bad("a collection limited to itself", instead("limited_to: All Systems", "limited_to: C1"), "circle", "`c1`", 10),
    Bad(
        "a circle of collections",
        instead("limited_to: All Systems}", "limited_to: C2}\n- {id: C2, name: C2, limited_to: C1}"),
        "circle",
        "`c2`",
        10,
    ),
)


@pytest.mark.parametrize("bad", [*SYNTAX, *SHAPE, *REFERENCES, *CONTRADICTIONS], ids=lambda bad: bad.name)
def test_a_bad_file_is_explained(bad: Bad, tmp_path: Path) -> None:
    path = write(tmp_path, bad.text, bad.file)
    found = problems_of(path)
    fitting = [p for p in found if (not bad.id or p.id == bad.id) and bad.says in p.message]
    assert fitting, [str(p) for p in found]
    problem = fitting[0]
    assert problem.file == str(path) or problem.id == "no-users"
    assert bad.help in problem.help
    if bad.line is not None:
        assert problem.line == bad.line
        assert problem.column >= 1


def test_columns_point_at_the_value(tmp_path: Path) -> None:
    """Editors jump to `file:line:column`."""
    problem = problems_of(write(tmp_path, instead("type: security", "typ: security")))[0]
    line = instead("type: security", "typ: security").splitlines()[problem.line - 1]
    assert line[problem.column - 1 :].startswith("typ")
    assert str(problem).startswith(f"{problem.file}:{problem.line}:{problem.column}: unknown key `typ`")


def test_every_problem_comes_at_once(tmp_path: Path) -> None:
    """Files are mended in one go: problems of every kind and file come together, in order."""
    write(tmp_path, instead("type: security", "typ: security"), "a.yaml")
    write(tmp_path, "users: [", "b.yaml")
    write(tmp_path, "users:\n- {upn: bob@contoso.com}\ngroups:\n- {name: G, members: [nobody, no-one]}\n", "c.yaml")
    found = problems_of(tmp_path)
    assert [Path(p.file).name for p in found] == ["a.yaml", "b.yaml", "c.yaml", "c.yaml"]
    assert [p.id for p in found] == ["unknown-key", "syntax", "unknown-name", "unknown-name"]


def test_several_problems_of_one_file_come_at_once(tmp_path: Path) -> None:
    text = instead("type: security", "typ: x").replace("2211", "x").replace("- upn", "- upm")
    found = problems_of(write(tmp_path, text))
    assert [p.line for p in found] == [3, 5, 5, 7]


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    found = problems_of(tmp_path / "missing.yaml")
    assert found[0].id == "no-such-file"
    assert problems_of(tmp_path / ("x" * 5000))[0].id in {"no-such-file", "unreadable"}
    assert problems_of(tmp_path / "zero\0byte")[0].id in {"no-such-file", "unreadable"}


def test_a_folder_without_files(tmp_path: Path) -> None:
    write(tmp_path, "notes", "readme.txt")
    write(tmp_path, BASE, ".hidden.yaml")
    (tmp_path / ".git").mkdir()
    write(tmp_path / ".git", BASE)
    assert problems_of(tmp_path)[0].id == "empty-folder"


def test_a_folder_named_like_a_file(tmp_path: Path) -> None:
    (tmp_path / "estate.yaml").mkdir()
    assert problems_of(tmp_path)[0].id == "empty-folder"
    write(tmp_path / "estate.yaml", BASE)
    assert load(tmp_path).name == "small"


def test_a_link_that_leads_out_is_not_followed(tmp_path: Path) -> None:
    """An estate is a folder: nothing outside of it is read."""
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    inside.mkdir()
    outside.mkdir()
    secret = write(outside, BASE)
    (inside / "estate.yaml").symlink_to(secret)
    (inside / "folder").symlink_to(outside, target_is_directory=True)
    (inside / "dangling.yaml").symlink_to(tmp_path / "nowhere")
    (inside / "loop.yaml").symlink_to(inside / "loop.yaml")
    assert problems_of(inside)[0].id == "empty-folder"


def test_a_link_inside_the_folder_is_followed(tmp_path: Path) -> None:
    real = write(tmp_path, BASE, "real.txt")
    (tmp_path / "estate.yaml").symlink_to(real)
    assert load(tmp_path).name == "small"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no pipes in folders")
def test_a_pipe_is_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "estate.yaml")
    assert problems_of(tmp_path)[0].id == "empty-folder"


@pytest.mark.parametrize(
    "error", [PermissionError(13, "Permission denied"), OSError(5, "Input/output error"), OSError()]
)
def test_an_unreadable_file(error: OSError, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path, BASE)

    def refuse(_: Path) -> bytes:
        raise error

    monkeypatch.setattr(Path, "read_bytes", refuse)
    found = problems_of(path)
    assert found[0].id == "unreadable"
    assert "can't" in found[0].message


def test_a_file_that_is_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "YAML_LIMIT", 100)
    monkeypatch.setattr(files, "JSON_LIMIT", 100)
    for name in ("estate.yaml", "estate.json"):
        found = problems_of(write(tmp_path, BASE, name))
        assert found[0].id == "too-large"
        assert "JSON" in found[0].help


def test_an_alias_bomb(tmp_path: Path) -> None:
    """Nine lines that stand for a billion values are refused before they are built."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    assert problems_of(write(tmp_path, "\n".join(lines)))[0].id == "alias-bomb"


def test_a_ladder_of_aliases(tmp_path: Path) -> None:
    """Aliases nest deeper than brackets do: each line adds one level."""
    lines = ["a0: &a0 [x]", *(f"a{n}: &a{n} [*a{n - 1}]" for n in range(1, 3000)), "users: *a2999"]
    assert problems_of(write(tmp_path, "\n".join(lines)))


def test_a_scalar_stated_twice(tmp_path: Path) -> None:
    write(tmp_path, BASE, "a.yaml")
    write(tmp_path, "estate: other\n", "b.yaml")
    problem = problems_of(tmp_path)[0]
    assert (Path(problem.file).name, problem.line, problem.id) == ("b.yaml", 1, "stated-twice")


def test_a_tenant_stated_twice(tmp_path: Path) -> None:
    write(tmp_path, BASE + "tenant: {use_intune_rbac: On}\n", "a.yaml")
    write(tmp_path, "tenant: {use_intune_rbac: Off}\n", "b.yaml")
    assert [p.id for p in problems_of(tmp_path)] == ["stated-twice"]


def test_a_reading_chosen_twice(tmp_path: Path) -> None:
    write(tmp_path, BASE + "readings: {discovery-from-2103: both}\n", "a.yaml")
    write(tmp_path, "readings: {discovery-from-2103: either}\n", "b.yaml")
    problem = problems_of(tmp_path)[0]
    assert (problem.id, problem.line) == ("stated-twice", 1)


def test_a_user_in_two_files(tmp_path: Path) -> None:
    write(tmp_path, BASE, "a.yaml")
    write(tmp_path, "users:\n- {upn: Anna@contoso.com}\n", "b.yaml")
    problem = problems_of(tmp_path)[0]
    assert (Path(problem.file).name, problem.line, problem.id) == ("b.yaml", 2, "duplicate")


@pytest.mark.parametrize("name", ["a\nb", "x" * 100_000, "\u202egnirts", "\x1b[31mred", "it's `quoted`", "🙂" * 300])
def test_an_odd_name_that_is_nowhere_defined(name: str, tmp_path: Path) -> None:
    """The user's text is quoted in one line of bearable length, whatever it is."""
    data = {"users": [{"upn": "a@contoso.com"}], "groups": [{"name": "G", "members": [name]}]}
    assert problems_of(write(tmp_path, json.dumps(data), "estate.json"))[0].id == "unknown-name"


@pytest.mark.parametrize(
    "name", ["a\nb", "x" * 100_000, "🙂", "it's", '"', "{}", "%s", "{user}", "*", "../..", "a.b[0]"]
)
def test_an_odd_name_that_is_defined_is_a_name(name: str, tmp_path: Path) -> None:
    data = {
        "users": [{"upn": name}],
        "groups": [{"name": f"G {name}", "type": "security", "members": [name]}],
        "hierarchies": [{"id": f"H {name}"}],
        "collections": [{"id": f"C {name}", "name": name}],
        "devices": [{"name": f"D {name}", "collections": [name]}],
        "scripts": [{"name": name}],
        "intune_assignments": [{"name": name, "role": "Help Desk Operator", "members": [f"G {name}"]}],
    }
    estate = load(write(tmp_path, json.dumps(data), "estate.json"))
    decision = estate.check(name, "run-script", f"D {name}", object=name)
    assert decision.user == name


# --- the model and the schema ---------------------------------------------------------------------------------------

SCHEMA = Draft202012Validator(json.loads(schema_text("estate")))
ODD: tuple[Any, ...] = (
    None, True, False, 0, 7, 2207, 99999, -1, 1.5, "", " ", "\u00a0", "x", "On", "checked", "all", "2207", "S-1-5-21-7",
    "5.1", "5.", "2022-08-24", "2022-8-24", "anna@contoso.com", "0f9c5a4e-0c1e-4a8e-8e52-0f2f4f4d9b1a", "a-b", "A B",
    "entra", "device", "user", "groups", [], [None], ["x"], [1], ["entra"], {}, {"x": 1}, {"collection": "C1"}, {"name": "x"},
)  # fmt: skip
KEYS = (
    "estate", "as_of", "readings", "assume", "complete", "incomplete", "name", "id", "upn", "members", "dynamic", "type",
    "kind", "limited_to", "resource_id", "upload", "sites", "permissions", "scope_type", "unknown", "", "tenant",
)  # fmt: skip


def places(data: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every path into plain values."""
    items = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    return [path, *(place for key, value in items for place in places(value, (*path, key)))]


@settings(max_examples=200)
@given(st.data(), estates())
def test_the_model_and_the_schema_accept_the_same(draw: st.DataObject, data: Data) -> None:
    """The schema is generated from the models: an editor and permcheck never disagree about a file.

    Known exceptions: a trailing newline in a text with a pattern, and a whole number written with a point.
    """
    data = deepcopy(data)
    for _ in range(draw.draw(st.integers(0, 3))):
        spots = [place for place in places(data) if place]
        path = draw.draw(st.sampled_from(spots))
        kind, value = draw.draw(st.sampled_from(["set", "set", "delete", "add"])), draw.draw(st.sampled_from(ODD))
        owner = data
        for step in path[:-1]:
            owner = owner[step]
        if kind == "set":
            owner[path[-1]] = deepcopy(value)
        elif kind == "delete":
            del owner[path[-1]]
        elif isinstance(owner, dict):
            owner[draw.draw(st.sampled_from(KEYS))] = deepcopy(value)
    try:
        EstateFile.model_validate(data)
        accepted = True
    except ValidationError:
        accepted = False
    assert SCHEMA.is_valid(data) is accepted, list(SCHEMA.iter_errors(data))


def test_the_committed_schema_is_that_of_the_model() -> None:
    assert (data_root() / "schemas" / "estate.schema.json").read_text("utf-8") == schema_text("estate")
