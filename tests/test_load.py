"""An estate means the same however it is written: YAML 1.2 or JSON, one file or many, any encoding."""

from __future__ import annotations

import codecs
import gc
import json
from copy import deepcopy
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from permcheck import Estate, LoadError, Verdict, load
from permcheck.loading.text import parse_json, parse_yaml
from strategies import Data, estates, every_question, load_dict

SECTIONS = (
    "users", "groups", "entra_roles", "app_roles", "intune_roles", "intune_assignments", "hierarchies",
    "security_roles", "administrative_users", "collections", "scripts", "applications", "devices",
)  # fmt: skip
SMALL = "users:\n- upn: anna@contoso.com\n"


def put(folder: Path, text: str | bytes, name: str = "estate.yaml") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def facts(estate: Estate) -> dict[str, Any]:
    """Everything that an estate says, without the places where it says it."""
    tables = estate.tables
    return {f.name: getattr(tables, f.name) for f in fields(tables) if f.name != "places"}


def same(one: Estate, other: Estate) -> bool:
    mine, theirs = facts(one), facts(other)
    return mine == theirs and all(list(mine[key]) == list(theirs[key]) for key in mine if isinstance(mine[key], dict))


# --- YAML 1.2 ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("On", "On"),
        ("off", "off"),
        ("yes", "yes"),
        ("NO", "NO"),
        ("y", "y"),
        ("true", True),
        ("False", False),
        ("tRue", "tRue"),
        ("010", 10),
        ("0o10", "0o10"),
        ("0x1F", "0x1F"),
        ("12:30", "12:30"),
        ("1:30:45", "1:30:45"),
        ("1_000", "1_000"),
        ("2022-08-24", "2022-08-24"),
        ("2022-08-24T10:00:00Z", "2022-08-24T10:00:00Z"),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("5.00.9088", "5.00.9088"),
        ("5.10", 5.1),
        ("~", None),
        ("null", None),
        ("", None),
        ("=", "="),
        ("<<", "<<"),
        ("'2207'", "2207"),
        (".inf", ".inf"),
        (".nan", ".nan"),
        ("+7", 7),
    ],
)
def test_scalars_are_read_as_yaml_1_2(text: str, value: Any) -> None:
    """The core rules of YAML 1.2: Norway is no boolean, a clock no number, a leading zero not octal."""
    found = parse_yaml("x.yaml", f"key: {text}").data["key"]
    assert (type(found), found) == (type(value), value)


def test_keys_are_always_texts() -> None:
    """On, 1 and null are keys like any other; two ways to write one key are one key."""
    assert parse_yaml("x.yaml", "On: a\n1: b\nnull: c\n").data == {"On": "a", "1": "b", "null": "c"}
    with pytest.raises(LoadError):
        parse_yaml("x.yaml", "1: a\n'1': b\n")


def test_switches_take_the_words_of_the_products(tmp_path: Path) -> None:
    """The toggle says On and Off, the checkbox is checked or cleared; true and false do as well."""
    for on, checked in (("On", "checked"), ("ON", "Checked"), ("true", "true"), ("'on'", "on")):
        text = (
            f"{SMALL}tenant: {{use_intune_rbac: {on}}}\nhierarchies: [{{id: P, enforce_configmgr_rbac: {checked}}}]\n"
        )
        text += "devices: [{name: D}]\n"
        authority = load(put(tmp_path, text)).check("anna@contoso.com", "run-cmpivot", "D").authority
        assert authority is not None
        assert (authority.toggle, authority.checkbox) == (True, True)


def test_aliases_are_allowed(tmp_path: Path) -> None:
    text = SMALL + "groups:\n- {name: A, members: &m [anna@contoso.com]}\n- {name: B, members: *m}\n"
    tables = load(put(tmp_path, text)).tables
    assert tables.members["a"] == tables.members["b"]


# --- bytes ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mark", "encoding"),
    [
        (b"", "utf-8"),
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
        (codecs.BOM_UTF32_LE, "utf-32-le"),
        (codecs.BOM_UTF32_BE, "utf-32-be"),
    ],
)
@pytest.mark.parametrize("name", ["estate.yaml", "estate.json"])
def test_every_unicode_encoding_with_a_mark_is_read(mark: bytes, encoding: str, name: str, tmp_path: Path) -> None:
    """Windows tools write UTF-8 and UTF-16 with a byte order mark."""
    text = json.dumps({"users": [{"upn": "jürgen@contoso.com", "name": "Jürgen 🙂"}]}, ensure_ascii=False)
    estate = load(put(tmp_path, mark + text.encode(encoding), name))
    assert list(estate.tables.users) == ["jürgen@contoso.com"]
    assert estate.tables.users["jürgen@contoso.com"].name == "Jürgen 🙂"


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_line_endings_make_no_difference(ending: str, tmp_path: Path) -> None:
    path = put(tmp_path, (SMALL + "groups:\n- {name: G, members: [anna@contoso.com]}\n").replace("\n", ending))
    assert load(path).tables.members["g"].users == ("anna@contoso.com",)


# --- files ------------------------------------------------------------------------------------------------------------


def test_a_file_and_its_folder_are_one_estate(tmp_path: Path) -> None:
    path = put(tmp_path, SMALL)
    assert same(load(path), load(tmp_path))
    assert same(load(str(path)), load(path))


def test_subfolders_and_all_suffixes_are_read(tmp_path: Path) -> None:
    put(tmp_path, SMALL, "a/b/users.YAML")
    put(tmp_path, "groups: [{name: G}]\n", "groups.yml")
    put(tmp_path, '{"hierarchies": [{"id": "P"}]}', "h.json")
    put(tmp_path, "not: an estate", "notes.txt")
    put(tmp_path, "not: an estate", ".hidden/estate.yaml")
    tables = load(tmp_path).tables
    assert (list(tables.users), list(tables.groups), list(tables.hierarchies)) == (["anna@contoso.com"], ["g"], ["p"])


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(estates())
def test_json_and_yaml_are_one_estate(tmp_path: Path, data: Data) -> None:
    """JSON is a way to write the same values."""
    one = load(put(tmp_path, json.dumps(data), "json/estate.json"))
    other = load(put(tmp_path, yaml.safe_dump(data, sort_keys=False), "yaml/estate.yaml"))
    assert same(one, other)
    assert same(one, load_dict(data))


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(estates(), st.data())
def test_an_estate_split_over_files_is_one_estate(tmp_path: Path, data: Data, draw: st.DataObject) -> None:
    """An estate may be one file or many; lists of the same name are joined."""
    folder = tmp_path / "split"
    for old in folder.glob("*"):
        old.unlink()
    names = ["1.yaml", "2.json", "3.yaml"]
    parts: dict[str, Data] = {name: {} for name in names}
    for key, value in data.items():
        if isinstance(value, list):
            cut = draw.draw(st.integers(0, len(value)))
            parts["1.yaml"][key], parts["2.json"][key] = value[:cut], value[cut:]
        else:
            parts[draw.draw(st.sampled_from(names))][key] = value
    for name, part in parts.items():
        if part:
            put(folder, json.dumps(part), name)
    whole, split = load_dict(data), load(folder)
    mine, theirs = facts(whole), facts(split)
    assert mine == theirs
    for ask in every_question(data):
        verdict = split.verdict(ask.user, ask.action, ask.device, object=ask.object)
        assert verdict is whole.verdict(ask.user, ask.action, ask.device, object=ask.object)


@pytest.mark.parametrize("section", [s for s in SECTIONS if s != "users"])
def test_a_null_list_is_an_absent_list(section: str) -> None:
    """A key without a value says nothing: the list is unknown, not empty."""
    absent = load_dict({"users": [{"upn": "a"}]})
    null = load_dict({"users": [{"upn": "a"}], section: None})
    empty = load_dict({"users": [{"upn": "a"}], section: []})
    assert facts(absent) == facts(null)
    assert section in null.tables.unstated
    assert section not in empty.tables.unstated


def test_complete_says_that_absent_lists_are_empty() -> None:
    for complete, closed in ((True, set(SECTIONS)), (["groups", "devices"], {"groups", "devices"}), (False, set())):
        tables = load_dict({"users": [{"upn": "a"}], "complete": complete}).tables
        assert tables.unstated == set(SECTIONS) - closed - {"users"}


def test_null_facts_are_absent_facts() -> None:
    """A fact without a value is unknown."""
    one = load_dict({"users": [{"upn": "a", "enabled": None, "sid": None}], "tenant": {"cloud": None}})
    assert one.tables.users["a"].enabled is None
    assert one.tables.tenant.cloud is None


# --- warnings ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("more", "id_", "says"),
    [
        (
            {"intune_roles": [{"name": "R", "permissions": ["Microsoft.Intune_New_Thing"]}]},
            "unknown-permission",
            "New_Thing",
        ),
        ({"intune_roles": [{"name": "R", "permissions": ["Roles/Updat"]}]}, "unknown-permission", "Roles/Updat"),
        ({"entra_roles": [{"role": "Printer Administrator"}]}, "unknown-role", "Printer Administrator"),
        ({"app_roles": [{"application": "A", "role": "B", "assigned_to": []}]}, "unknown-role", "A"),
        (
            {
                "hierarchies": [{"id": "P"}],
                "security_roles": [{"name": "R", "permissions": {"Collection": ["Read Minds"]}}],
            },
            "unknown-permission",
            "Read Minds",
        ),
        (
            {"intune_roles": [{"name": "R", "permissions": [], "not_allowed": ["Roles/Update"]}]},
            "denied-actions",
            "denies",
        ),
    ],
)
def test_what_microsoft_may_have_added_is_a_warning(more: Data, id_: str, says: str, tmp_path: Path) -> None:
    """A permission or role that permcheck does not know may be new: the estate loads, and says so."""
    estate = load(put(tmp_path, yaml.safe_dump({"users": [{"upn": "a"}], **more})))
    assert [w.id for w in estate.warnings] == [id_]
    warning = estate.warnings[0]
    assert warning.severity == "warning"
    assert says in warning.message
    assert warning.line > 0
    assert warning.help


def test_a_sound_estate_has_no_warnings(tmp_path: Path) -> None:
    assert load(put(tmp_path, SMALL)).warnings == ()


# --- names ----------------------------------------------------------------------------------------------------------


def test_records_are_found_by_any_of_their_names(tmp_path: Path) -> None:
    """Case makes no difference; a user goes by UPN, id, SID or account, a device by name or number."""
    data = {
        "complete": True,
        "hierarchies": [{"id": "P01", "name": "Production"}],
        "users": [
            {
                "upn": "Anna@Contoso.com",
                "id": "0f9c5a4e-0c1e-4a8e-8e52-0f2f4f4d9b1a",
                "sid": "S-1-5-21-1",
                "account": "CONTOSO\\anna",
            }
        ],
        "collections": [{"id": "SMS00001", "name": "All Systems"}],
        "devices": [{"name": "PC-1", "resource_id": 16777220}],
    }
    estate = load(put(tmp_path, yaml.safe_dump(data)))
    decisions = {
        estate.check(user, action, device).verdict
        for user in ("anna@contoso.com", "0F9C5A4E-0C1E-4A8E-8E52-0F2F4F4D9B1A", "s-1-5-21-1", "contoso\\ANNA")
        for action in ("run-cmpivot", "Run CMPivot", "CMPIVOT")
        for device in ("pc-1", "16777220", "p01/PC-1")
    }
    assert decisions == {Verdict.DENY}


def test_groups_of_one_name_are_told_apart_by_id(tmp_path: Path) -> None:
    ids = ["0f9c5a4e-0c1e-4a8e-8e52-0f2f4f4d9b1a", "1f9c5a4e-0c1e-4a8e-8e52-0f2f4f4d9b1a"]
    data = {
        "users": [{"upn": "a"}],
        "groups": [{"name": "G", "id": ids[0], "members": ["a"]}, {"name": "G", "id": ids[1], "members": []}],
        "intune_assignments": [{"name": "X", "role": "Help Desk Operator", "members": [ids[1]]}],
    }
    tables = load(put(tmp_path, json.dumps(data), "e.json")).tables
    assert len(tables.groups) == 2
    assert tables.members[tables.intune_assignments["x"].members[0]].users == ()


# --- side effects ---------------------------------------------------------------------------------------------------


def test_loading_leaves_the_garbage_collector_as_it_was(tmp_path: Path) -> None:
    """Loading pauses the collector; a good and a bad file both put it back."""
    good, bad = put(tmp_path, SMALL, "good.yaml"), put(tmp_path, "users: [", "bad.yaml")
    for before in (True, False):
        (gc.enable if before else gc.disable)()
        try:
            load(good)
            assert gc.isenabled() is before
            with pytest.raises(LoadError):
                load(bad)
            assert gc.isenabled() is before
        finally:
            gc.enable()


@given(estates())
@settings(max_examples=10)
def test_loading_does_not_change_its_input(data: Data) -> None:
    before = deepcopy(data)
    load_dict(data)
    assert data == before


def test_json_positions_are_those_of_the_text() -> None:
    """A JSON file knows where its values stand as well as a YAML file."""
    text = '{\n  "users": [\n    {"upn": "a"},\n    {"upn": "b"}\n  ]\n}'
    assert parse_json("x.json", text).locate(("users", 1, "upn")) == (4, 6)
    assert parse_yaml("x.yaml", text).locate(("users", 1, "upn")) == (4, 6)


def test_days_of_collection_are_joined_and_have_to_exist(tmp_path: Path) -> None:
    put(tmp_path, SMALL + "  last_sign_in: 2026-10-30\ncollected: [{source: Graph, at: 2026-11-01}]\n")
    put(tmp_path, "collected: [{source: Console, at: 2026-11-02}]\n", "more.yaml")
    tables = load(tmp_path).tables
    assert [(one.source, one.at) for one in tables.collected] == [("Graph", "2026-11-01"), ("Console", "2026-11-02")]
    put(tmp_path, SMALL + "  last_sign_in: 2026-02-30\ncollected: [{source: Graph, at: 2026-13-01}]\n")
    with pytest.raises(LoadError) as error:
        load(tmp_path)
    assert [problem.id for problem in error.value.problems] == ["date", "date"]


USED = """usage:
- source: A log
  since: 2026-08-01
  until: 2026-10-31
  actions: [run-cmpivot, Run script]
  used:
  - {user: ANNA@contoso.com, action: run-cmpivot, at: 2026-09-01}
  - {user: anna@contoso.com, at: 2026-09-02}
"""


def test_what_was_used_is_resolved_and_joined(tmp_path: Path) -> None:
    put(tmp_path, SMALL + USED)
    put(tmp_path, USED.replace("A log", "Another"), "more.yaml")
    first, second = load(tmp_path).tables.usage
    assert (first.source, second.source) == ("A log", "Another")
    assert (first.since, first.until, first.actions) == ("2026-08-01", "2026-10-31", ("run-cmpivot", "run-script"))
    assert first.hierarchies == tuple(load(tmp_path).tables.hierarchies)
    assert first.used == {("anna@contoso.com", "run-cmpivot"), ("anna@contoso.com", "")}


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("2026-08-01", "2026-02-30", "`2026-02-30` is no day of the calendar"),
        ("2026-10-31", "2026-07-31", "`2026-07-31` is before `2026-08-01`"),
        ("2026-09-02", "2026-11-01", "`2026-11-01` is not in the days that the log covers"),
        ("anna@contoso.com, at", "ann@contoso.com, at", "no user is called `ann@contoso.com`"),
        ("action: run-cmpivot", "action: run-cmpivt", "run-cmpivt"),
        ("Run script", "Run scrpt", "Run scrpt"),
        ("until:", "hierarchy: P99\n  until:", "no hierarchy is called `P99`"),
    ],
)
def test_what_was_used_names_what_there_is(tmp_path: Path, old: str, new: str, says: str) -> None:
    put(tmp_path, SMALL + USED.replace(old, new))
    with pytest.raises(LoadError) as error:
        load(tmp_path)
    assert any(says in problem.message and problem.line for problem in error.value.problems), error.value.problems
