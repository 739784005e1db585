"""A policy is held together: what stands twice, and every name that leads nowhere, is told with its place."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import pytest
import strategies
from commands import Cli
from permcheck import dev
from permcheck.errors import PolicyError, Problem
from permcheck.loading.data import data_root
from permcheck.loading.forms import as_form
from permcheck.loading.policy import COMPILED, MOST, checked_policy, is_policy, kind_of, policy_from, read_files
from permcheck.loading.policy import whole_problems as problems_of
from permcheck.loading.policy_names import Read, Spot, spots
from permcheck.loading.text import parse_yaml
from permcheck.model.base import Form
from permcheck.model.policy_checks import CheckFacts
from permcheck.model.policy_forms import FORMS
from permcheck.model.policy_index import build_policy
from permcheck.model.policy_table import AROUND, DEFINED, NAMED, Chooses, Defines, Field, Names, lookup, texts
from test_knowledge import WHOLE

POLICY = data_root() / "policy"
DOCS = Path(__file__).parent.parent / "docs"
PAGES = "".join((DOCS / name).read_text("utf-8") for name in ("policy-format.md", "policy-exports.md"))
OFF = "nobody-knows-this"

TEXT = {
    "Document": "title date place",
    "Source": "heading says",
    "Gate": "name",
    "Permission": "name synonyms",
    "BuiltInRole": "confused_with unidentified",
    "RoleGrant": "note",
    "Requirement": "meaning fix",
    "FactTest": "equals one_of contains at_least",
    "Place": "path",
    "Wait": "time",
    "Need": "at_least updates value",
    "Action": "page free_variant not_modelled",
    "SwitchDefault": "name extent default",
    "AuthorityRow": "note",
    "Edition": "title",
    "Version": "early_build support_ends",
    "Feature": "says",
    "Reading": "question why",
    "Alternative": "says",
    "ErrorText": "text elsewhere causes",
    "GuestMark": "text",
    "OtherAction": "says",
    "Term": "also",
    "Export": "title rest powershell manual permission",
    "Signs": "contexts types keys without",
    "ServicePlan": "name",
    "Manager": "configmgr co_managed intune",
    "ScopeType": "groups all_devices all_users all_devices_and_users",
    "GroupType": "microsoft_365 dynamic",
    "PrincipalType": "user group",
    "Sign": "said",
    "CategoryType": "collection scope",
    "CollectionType": "user device other",
    "RelationshipType": "limiting include exclude",
    "ApprovalState": "approved not_approved",
    "AssignmentState": "active eligible ended",
    "CheckFacts": "summary why fix options maps",
    "Example": "file text",
}
"""Form -> its fields that neither define nor name anything: text for people, and what exports or estates say.

The category and name of a permission, and the words of values, are held together in loading/policy_shape.py.
"""


@cache
def shipped() -> dict[str, Read]:
    """Every file of the shipped policy, read from YAML."""
    return read_files(POLICY)


def forms() -> dict[str, type[Form]]:
    """Every form that a policy file can hold, by name."""
    found: dict[str, type[Form]] = {}

    def add(kind: type[Form]) -> None:
        if kind.__name__ not in found:
            kind.model_rebuild()  # names of forms that stand below it in the module are looked up
            found[kind.__name__] = kind
            for info in kind.model_fields.values():
                for leaf in leaves(info.annotation):
                    if isinstance(leaf, type) and issubclass(leaf, Form):
                        add(leaf)

    for kind in (*FORMS.values(), CheckFacts):
        add(kind)
    return found


def leaves(annotation: Any) -> Iterator[Any]:
    """The types of a field, without the words of a closed list."""
    if get_origin(annotation) is not Literal:
        inner = get_args(annotation)
        yield from (leaf for one in inner for leaf in leaves(one)) if inner else (annotation,)


# --- the table --------------------------------------------------------------------------------------------------------


def test_every_field_that_holds_text_is_in_the_table_or_is_known_to_name_nothing() -> None:
    """A new field of a policy form must say what it names."""
    held = {
        (name, field)
        for name, kind in forms().items()
        for field, info in kind.model_fields.items()
        if {str, Any} & set(leaves(info.annotation))
    }
    listed = {(name, field) for name, fields in TEXT.items() for field in fields.split()}
    told = {(name, f) for name, kind in forms().items() for f in kind.model_fields if is_in_table(kind, f)}
    assert listed & told == set()
    assert held - told == listed


def is_in_table(kind: type[Form], field: str) -> bool:
    return bool(lookup(DEFINED, kind, field) or lookup(NAMED, kind, field))


def test_the_table_speaks_of_fields_that_there_are() -> None:
    known = set(forms().values())
    for kind, field in (*DEFINED, *NAMED):
        assert kind is Form or (kind in known and field in kind.model_fields), (kind, field)
    for kind, pairs in AROUND.items():
        assert {field for _, field in pairs} <= set(kind.model_fields)


def test_the_shipped_policy_holds_together() -> None:
    assert problems_of(POLICY, shipped()) == ()


# --- one name is broken -----------------------------------------------------------------------------------------------


def changed(name: str, data: Any) -> dict[str, Read]:
    """The files of the policy, of which one says something else."""
    kind = kind_of(POLICY, POLICY / name)
    parsed = parse_yaml(str(POLICY / name), json.dumps(data, indent=1))
    form = as_form(parsed, FORMS.get(kind, CheckFacts), f"policy-{'check' if kind == 'checks' else kind}")
    return {**shipped(), name: Read(parsed, form)}


def name_of(spot: Spot) -> str:
    return Path(spot.parsed.file).relative_to(POLICY).as_posix()


def every(kind: type[Form]) -> list[Spot]:
    return [spot for read in shipped().values() for spot in spots(read) if isinstance(spot.form, kind)]


def at(data: Any, path: tuple[str | int, ...]) -> Any:
    for step in path:
        data = data[step]
    return data


def put(data: Any, path: tuple[str | int, ...], old: str, new: str) -> None:
    """Replace a text: a value, a part of one, or a key."""
    above = at(data, path[:-1])
    value = above[path[-1]]
    if isinstance(value, str) and old in value:
        above[path[-1]] = value.replace(old, new)
    else:
        kept = {str(key).replace(old, new) if key == path[-1] else key: item for key, item in above.items()}
        above.clear()
        above.update(kept)


def mentions(entry: Names | Chooses, value: Any, *, inner: bool) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """What a field names; where it maps readings, those or, `inner`, their alternatives."""
    if isinstance(entry, Names):
        yield from ((p, t) for p, t in entry.read(value) if t not in entry.besides)
    elif inner:
        for reading, chosen in value.items():
            yield from (((reading, *path), text) for path, text in texts(chosen))
    else:
        yield from texts(value)


def broken() -> Iterator[tuple[str, Field, int, bool]]:
    """Each entry of the table of names; where a field maps, its keys and its values."""
    for (kind, field), entries in NAMED.items():
        for index, entry in enumerate(entries):
            for inner in (False, True) if isinstance(entry, Chooses) else (False,):
                yield f"{kind.__name__}.{field}.{index}{'.values' if inner else ''}", (kind, field), index, inner


BROKEN = {id_: rest for id_, *rest in broken()}


@pytest.mark.parametrize("id_", BROKEN)
def test_a_name_that_leads_nowhere_is_told(id_: str) -> None:
    (kind, field), index, inner = BROKEN[id_]
    entry = NAMED[kind, field][index]
    for spot in every(kind):
        value = getattr(spot.form, field, None)
        found = list(mentions(entry, value, inner=inner)) if value else []
        if lookup(NAMED, type(spot.form), field)[index : index + 1] == (entry,) and found:
            break
    else:
        pytest.fail("the policy has no example")
    path, text = found[0]
    data = deepcopy(spot.parsed.data)
    new = f"{OFF}/{text.partition('/')[2]}" if "/" in text and field == "sources" else OFF
    old = f"{{{text}" if field in {"needs", "because"} else text
    put(data, (*spot.path, field, *path), old, f"{{{OFF}" if old.startswith("{") else new)
    (problem,) = [p for p in problems_of(POLICY, changed(name_of(spot), data)) if f"is called `{new}`" in p.message]
    assert (problem.file, problem.id) == (str(POLICY / name_of(spot)), "unknown-name")
    assert problem.line > 1


def test_what_was_meant_is_told() -> None:
    data = deepcopy(shipped()["authority.yaml"].parsed.data)
    data["table"][0]["before_edition"] += "0"
    (problem,) = problems_of(POLICY, changed("authority.yaml", data))
    assert problem.help.startswith("did you mean `20")


# --- one name stands for two ------------------------------------------------------------------------------------------


def alone() -> Iterator[tuple[str, Field, Defines]]:
    for (kind, field), entries in DEFINED.items():
        for entry in entries:
            if entry.alone:
                yield f"{kind.__name__}.{field}: {entry.kind}", (kind, field), entry


TWICE = {id_: rest for id_, *rest in alone()}


def pair(kind: type[Form], field: str, entry: Defines) -> tuple[Spot, Spot] | None:
    """Two forms that must not be called the same."""
    first: dict[str, Spot] = {}
    for spot in every(kind):
        value = getattr(spot.form, field)
        if value not in (None, ()) and not isinstance(value, dict):
            before = first.setdefault(spot.kind(entry.kind), spot)
            if before is not spot:
                return before, spot
    return None


@pytest.mark.parametrize("id_", TWICE)
def test_what_is_called_as_another_is_told(id_: str) -> None:
    (kind, field), entry = TWICE[id_]
    found = pair(kind, field, entry)
    if found is None:  # a mapping, or the only one: the whole file a second time
        name = next(name for name, read in shipped().items() if any(_has(spot, kind, field) for spot in spots(read)))
        copy = Read(parse_yaml(str(POLICY / f"copy-{name}"), shipped()[name].parsed.text), shipped()[name].form)
        files = {**shipped(), f"copy/{name}": copy}
    else:
        first, second = found
        name, data = name_of(second), deepcopy(second.parsed.data)
        copied = at(first.parsed.data, (*first.path, field))
        at(data, second.path)[field] = copied
        files = changed(name, data)
    told = [problem for problem in problems_of(POLICY, files) if problem.id == "name-twice"]
    assert told
    assert all(problem.line and "the other one is at " in problem.help for problem in told)


def _has(spot: Spot, kind: type[Form], field: str) -> bool:
    return isinstance(spot.form, kind) and getattr(spot.form, field) not in (None, (), {})


def test_a_copied_action_is_told_once_with_both_places() -> None:
    """A copy would replace the first one without a word, and turn a deny into an allow."""
    name = "actions/device-pages.yaml"
    data = deepcopy(shipped()[name].parsed.data)
    data["actions"].append({**deepcopy(data["actions"][0]), "documented_from": "2022-08"})
    (problem,) = problems_of(POLICY, changed(name, data))
    assert problem.message == f"another action is called `{data['actions'][0]['id']}`, too"
    assert re.search(rf"{re.escape(name)}:\d+:\d+; keep one", problem.help)


def test_a_key_that_stands_twice_in_a_mapping_is_told(tmp_path: Path) -> None:
    copy = tmp_path / "policy"
    shutil.copytree(POLICY, copy)
    file = copy / "readings.yaml"
    file.write_text(file.read_text("utf-8").replace("  default: ", "  default: x\n  default: ", 1), "utf-8")
    with pytest.raises(PolicyError, match="the key `default` stands twice"):
        checked_policy(copy)


# --- what a policy must be besides ------------------------------------------------------------------------------------

NEED = ("actions/bundles.yaml", ("bundles", "tenant-attach-device", 0))


def shape(name: str, path: tuple[str | int, ...], /, **keys: Any) -> list[Problem]:
    """What is told of a policy in which one mapping has other keys (None: without it)."""
    data = deepcopy(shipped()[name].parsed.data)
    here = at(data, path)
    here.update(keys)
    for key in [key for key, value in keys.items() if value is None]:
        del here[key]
    return list(problems_of(POLICY, changed(name, data)))


def test_a_need_is_one_thing() -> None:
    (problem,) = shape(*NEED, use="console")
    assert problem.message == "a need is one thing, and this is 2"
    (problem, *_) = shape(*NEED, id=None)
    assert problem.message == "a need is one thing, and this is 0"


def test_a_need_has_a_source() -> None:
    name, path = NEED
    assert shipped()[name].parsed.data["bundles"]["tenant-attach-device"][0]["sources"]
    (problem,) = shape(name, path, sources=None)
    assert problem.message.startswith("no passage is named that asks for `")
    assert problem.line > 1


def test_what_a_test_takes_from_the_need_is_stated() -> None:
    name = "actions/device-pages.yaml"
    needs = [
        (s, p) for s in every(FORMS["actions"]) if name_of(s) == name for p in asking(s.parsed.data, "INTUNE-PERM")
    ]
    (problem,) = shape(name, needs[0][1], permission=None)
    assert problem.message == "the key `permission` is missing: `INTUNE-PERM` is tested with it"


def asking(data: Any, requirement: str, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Where a requirement is asked for."""
    if isinstance(data, dict) and data.get("id") == requirement:
        yield path
    items = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, item in items:
        yield from asking(item, requirement, (*path, key))


def test_bundles_and_permissions_go_in_no_circle() -> None:
    name, (*bundles, _) = NEED
    data = deepcopy(shipped()[name].parsed.data)
    at(data, tuple(bundles)).append({"use": bundles[-1]})
    (problem,) = problems_of(POLICY, changed(name, data))
    assert problem.message == f"bundles use each other in a circle: `{bundles[-1]}`, `{bundles[-1]}`"
    data = deepcopy(shipped()["permissions/configmgr.yaml"].parsed.data)
    data["permissions"][0]["implies"] = [data["permissions"][0]["id"]]
    (problem,) = problems_of(POLICY, changed("permissions/configmgr.yaml", data))
    assert problem.message.startswith("permissions include each other in a circle: ")


def test_a_fact_is_compared_in_one_way() -> None:
    name = "requirements.yaml"
    path = next(spot.path for spot in every(FORMS["requirements"]) for spot in spots(shipped()[name]) if _fact(spot))
    (problem,) = shape(name, path, equals=True, contains="x")
    assert problem.message == "a fact is compared in one way, and here in 2"


def test_a_fact_is_compared_with_a_word_that_an_estate_may_state() -> None:
    name = "requirements.yaml"
    found = [spot for spot in spots(shipped()[name]) if getattr(spot.form, "fact", "") == "device.management"]
    (problem,) = shape(name, found[0].path, one_of=["intune", "configmanager"], equals=None)
    assert problem.message == "`device.management` is never `configmanager`"
    assert "`configmgr`" in problem.help


def _fact(spot: Spot) -> bool:
    return type(spot.form).__name__ == "FactTest" and getattr(spot.form, "equals", None) is not None


def test_a_permission_over_a_class_is_called_after_it() -> None:
    name = "permissions/configmgr.yaml"
    data = shipped()[name].parsed.data["permissions"]
    last = ("permissions", len(data) - 1)
    (problem,) = shape(name, last, category="Colection")
    assert problem.message == "no object class is called `Colection`"
    (problem,) = shape(name, last, name="Other")
    assert problem.message == f"`{data[-1]['id']}` must be called `{data[-1]['category']}/Other`"


def test_a_word_of_an_export_has_one_meaning() -> None:
    data = shipped()["values.yaml"].parsed.data["approval_state"]
    problems = shape("values.yaml", ("approval_state",), approved=[*data["approved"], *data["not_approved"]])
    assert len(problems) == len(data["not_approved"])
    assert all("means `approved`, too" in problem.message for problem in problems)


def test_a_check_is_in_the_file_of_its_name() -> None:
    problems = shape("checks/PC101.yaml", (), id="PC999")
    assert [problem.message for problem in problems] == ["the file of `PC999` must be called so"]


def test_a_file_that_is_missing_or_stands_twice_is_told() -> None:
    files = {name: read for name, read in shipped().items() if name != "readings.yaml"}
    assert "the policy has no file `readings.yaml`, nor a folder" in problems_of(POLICY, files)[0].message
    problems = problems_of(POLICY, {**shipped(), "authority/more.yaml": shipped()["authority.yaml"]})
    assert [problem.message for problem in problems] == ["the policy has another file of this kind"]


@pytest.mark.parametrize("holds", ["every-object", "new-objects"])
def test_the_scopes_that_the_code_asks_for_are_there(holds: str) -> None:
    builtins = shipped()["names.yaml"].parsed.data["builtins"]
    kept = [one for one in builtins if one.get("holds") != holds or one["kind"] != "scope"]
    (problem,) = shape("names.yaml", (), builtins=kept)
    assert problem.message == f"no built-in scope holds `{holds}`"


def test_somebody_decides_however_the_switches_stand() -> None:
    table = shipped()["authority.yaml"].parsed.data["table"]
    kept = [
        row for row in table if (row.get("toggle"), row.get("checkbox"), "reading" in row) != ("on", "checked", False)
    ]
    (problem,) = shape("authority.yaml", (), table=kept)
    assert problem.message == "no row says who decides where the toggle is `on` and the checkbox `checked`"
    assert problem.line > 1


def test_problems_are_bounded() -> None:
    files = {name: read for name, read in shipped().items() if not name.startswith("sources/")}
    problems = problems_of(POLICY, files)
    assert len(problems) == MOST + 1
    assert re.fullmatch(r"\d{3,} further problems were found in the policy", problems[-1].message)


# --- where it is told -------------------------------------------------------------------------------------------------


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The policy in a folder of another name, with an unknown permission."""
    folder = tmp_path / "facts"
    shutil.copytree(POLICY, folder)
    file = folder / "requirements.yaml"
    file.write_text(
        re.sub(r"permission: Collection/Read\b", "permission: Colection/Read", file.read_text("utf-8"), count=1),
        "utf-8",
    )
    return folder


def test_a_broken_policy_is_refused_where_it_is_loaded(copy: Path) -> None:
    with pytest.raises(
        PolicyError, match=r"requirements\.yaml:\d+:\d+: no permission of plane configmgr is called `Col"
    ):
        policy_from(copy)


def test_a_broken_policy_is_never_compiled(
    copy: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    copy.rename(copy.parent / "policy")
    shutil.copytree(data_root() / "schemas", copy.parent / "schemas")
    before = (copy.parent / "policy" / COMPILED).read_bytes()
    monkeypatch.setattr(dev, "data_root", lambda: copy.parent)
    for arguments in ([], ["--check"]):
        assert dev.main(arguments) == 3
        out, err = capsys.readouterr()
        assert out == ""
        assert "did you mean `Collection/Read`" in err
    assert (copy.parent / "policy" / COMPILED).read_bytes() == before


@pytest.mark.parametrize("command", ["lint", "validate"])
@pytest.mark.parametrize("named", ["facts", "facts/editions.yaml", "."])
def test_a_command_tells_what_does_not_hold_together(cli: Cli, copy: Path, command: str, named: str) -> None:
    result = cli(command, str(copy.parent / named))
    assert result.code == 1
    where = re.escape(str(copy / "requirements.yaml"))
    assert re.search(
        rf"^{where}:\d+:\d+: error: no permission of plane configmgr is called `Colection/Read`", result.out
    )
    assert "\n  help: did you mean `Collection/Read`" in result.out
    assert cli(command, str(copy.parent / named), "--exit-zero").code == 0


@pytest.mark.parametrize("command", ["lint", "validate"])
@pytest.mark.parametrize("format_", ["text", "json", "github", "sarif"])
def test_a_policy_by_which_nothing_can_be_checked_is_looked_at_all_the_same(
    cli: Cli, copy: Path, command: str, format_: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever changes a checkout breaks the policy that the commands themselves go by."""

    def load() -> None:
        policy_from(copy)

    monkeypatch.setattr("permcheck.loading.policy.load_policy", load)
    result = cli(command, str(copy), "--format", format_)
    assert (result.code, "Colection/Read" in result.out, result.err) == (1, True, "")


@pytest.mark.parametrize("command", ["lint", "validate"])
def test_the_shipped_policy_is_clean(cli: Cli, command: str) -> None:
    result = cli(command, str(POLICY), "--format", "json")
    assert (result.code, result.document["problems"], result.document["unknown_files"]) == (0, [], [])
    assert result.document["not_run"] == []
    assert bool(result.document["ran"]) == (command == "lint")


def test_a_policy_file_that_cant_be_read_is_3(cli: Cli, copy: Path) -> None:
    (copy / "editions.yaml").write_text("editions: [{id: x}]\n", "utf-8")
    assert cli("lint", str(copy)).code == 3


def test_the_checks_of_a_policy_look_at_the_one_that_was_named(cli: Cli, tmp_path: Path) -> None:
    """Nothing asks for a requirement that was added."""
    shutil.copytree(POLICY, tmp_path / "facts")
    more = PAGE_BLOCKS["policy/requirements/example.yaml"]
    (tmp_path / "facts" / "requirements").mkdir()
    (tmp_path / "facts" / "requirements" / "example.yaml").write_text(more, "utf-8")
    result = cli("lint", str(tmp_path / "facts"))
    assert result.code == 1
    assert f"{tmp_path / 'facts'}: warning: PC110 nothing asks for requirement `DEV-EXAMPLE`" in result.out


def test_a_folder_with_some_names_of_a_policy_is_none(tmp_path: Path) -> None:
    """People keep roles and permissions in folders that are called so."""
    for name in ("roles", "permissions", "sources", "actions"):
        (tmp_path / name).mkdir()
    assert not is_policy(tmp_path)
    assert is_policy(POLICY)


# --- the page about policy files --------------------------------------------------------------------------------------

PAGE_BLOCKS = {
    found[1]: found[2]
    for found in re.finditer(r"^```yaml\n# (policy/\S+)\n(.*?)^```$", PAGES, re.MULTILINE | re.DOTALL)
}
"""The examples of the page, by the file that they stand for."""


def test_the_examples_of_the_page_hold_together_with_the_policy(monkeypatch: pytest.MonkeyPatch) -> None:
    """All of them at once; and a question about the action of the page has an answer."""
    files = dict(shipped())
    for name, text in PAGE_BLOCKS.items():
        kind = kind_of(POLICY, POLICY / Path(name).relative_to("policy"))
        parsed = parse_yaml(name, text)
        files[name.removeprefix("policy/")] = Read(parsed, as_form(parsed, FORMS[kind], f"policy-{kind}"))
    assert len(PAGE_BLOCKS) == 4
    assert problems_of(POLICY, files) == ()
    policy = build_policy(tuple((name, read.form) for name, read in files.items()))
    monkeypatch.setattr(strategies, "load_policy", lambda: policy)
    data = deepcopy(WHOLE)
    data["devices"][0]["online"] = True
    data["assume"].remove("DEV-*")
    decision = strategies.load_dict({**data, "assume": [*data["assume"], "DEV-UPLOADED", "DEV-CLIENT"]}).check(
        "u@contoso.com", "example-action", "PC-1"
    )
    assert "DEV-EXAMPLE" in {one.id for one in decision.requirements}
