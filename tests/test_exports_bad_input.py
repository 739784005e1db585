"""Exports that can't be used, or only in part: what is said of them, and that nothing else comes of it."""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any, NamedTuple

import permcheck
import pytest
from exported import FORMATS, expected, export, ids, imported, put, records, verdict, written
from hypothesis import given, settings
from hypothesis import strategies as st
from permcheck import LoadError, Problem
from permcheck.cli.main import guarded
from permcheck.exports import json_file, long_json
from permcheck.loading.syntax import DEPTH_LIMIT
from test_bad_input import assert_plain
from test_exports_shapes import (
    ADMIN,
    ANNA,
    APP_ID,
    COLLECTIONS,
    GROUP,
    GROUPS,
    INTUNE_ADMIN,
    KINDS,
    MACHINE,
    PEOPLE,
    ROLE,
    ROLES,
    SERVICE,
    SITE,
    answer,
    assigned,
    role,
    save,
)  # fmt: skip

USERS = json.dumps(answer("users", *PEOPLE))
MASK = '<SMS_Roles><SMS_Role RoleName="R"><Operations><Operation ObjectTypeID="{}" GrantedOperations="{}"/></Operations></SMS_Role></SMS_Roles>'
CUT = (
    "System.Object[]", "@{id=1; displayName=x}", "Microsoft.Graph.PowerShell.Models.MicrosoftGraphRolePermission",
    "Microsoft.Graph.Beta.PowerShell.Models.MicrosoftGraphRoleDefinition", "IResultObject#SMS_APermission",
    "@{RoleID=1} @{RoleID=2}",
)  # fmt: skip


class Bad(NamedTuple):
    """A file beside a good list of users, and what is said about it."""

    name: str
    content: str | bytes
    id: str
    says: str = ""
    line: int | None = None


BROKEN = (
    Bad("x.json", USERS[:-30], "syntax", line=1),
    Bad("x.json", "<!DOCTYPE html><html><body>Sign in to your account</body></html>", "not-json", "HTML", 1),
    Bad("x.json", "", "empty-file", "empty"),
    Bad("x.json", " \n", "empty-file", "empty"),
    Bad("x.json", USERS.encode().replace(b"anna", b"\xe9nna"), "encoding", "0xe9", 1),
    Bad("x.json", b"\x89PNG\r\n\x1a\n\x00\x00abc", "binary", "not a text file"),
    Bad("x.json", "\ufeff" + USERS[:40], "syntax", line=1),
    Bad("x.json", "[" * 50_000 + "]" * 50_000, "too-deep", "deep"),
    Bad("x.json", '{"value": NaN}', "syntax", "NaN"),
    Bad("x.json", '[{"id": "1", "id": "2", "userPrincipalName": "a@b.c"}]', "duplicate-key", "`id`", 1),
    Bad("x.json", "42", "shape", "no list"),
    Bad("x.json", "null", "shape", "no list"),
    Bad("x.json", '"text"', "shape", "no list"),
    Bad("x.json", '["a", "b"]', "shape", "no list"),
    Bad("x.json", "[null, null]", "shape", "no list"),
    Bad("x.json", '{"responses": [{"id": "1", "status": 429}]}', "shape", "no list"),
    Bad("x.xml", '<!DOCTYPE x [<!ENTITY a "b">]><SMS_Roles/>', "doctype", "DOCTYPE"),
    Bad("x.xml", '<!DOCTYPE x SYSTEM "file:///etc/passwd"><SMS_Roles/>', "doctype", "DOCTYPE"),
    Bad("x.xml", '<SMS_Roles><SMS_Role RoleName="&x;"/></SMS_Roles>', "syntax", line=1),
    Bad("x.xml", '<SMS_Roles>\n<SMS_Role RoleName="a">', "syntax", "cut", 2),
    Bad("x.xml", "<Objs><Obj/></Objs>", "shape", "`Objs`"),
    Bad("x.xml", "", "syntax", "empty", 1),
    Bad("x.xml", b"\x00\x01\x02", "syntax", line=1),
    Bad("x.xml", '<?xml version="1.0" encoding="klingon"?><SMS_Roles/>', "encoding", "encoding"),
    Bad("x.xml", '<SMS_Roles><SMS_Role RoleDescription="x"/></SMS_Roles>', "no-name", "RoleName"),
    Bad("x.xml", MASK.format("x", 1), "value", "can't be read"),
    Bad("x.xml", MASK.format(1, "9" * 6000), "value", "can't be read"),
    Bad("x.csv", 'userPrincipalName,id\nc@b.c,3\n"a@b.c,1\n', "syntax", "row that begins here", 3),
    Bad("x.csv", "userPrincipalName,id\nc@b.c,3\na@b.c,1,2,3\n", "syntax", "4 fields", 3),
    Bad("x.csv", b"userPrincipalName,id\n\xe9@b.c,1\n", "encoding", "0xe9"),
    Bad("x.csv", "userPrincipalName,id\na@b.c,1\n".encode("utf-16-le"), "binary", "not a text file"),
    Bad("x.csv", "", "empty-file", "empty"),
    Bad("x.csv", 'userPrincipalName,id\n"' + "a" * 2_000_000 + '",1\n', "syntax", "longer than 1 MiB", 2),
)


def said(folder: Path) -> tuple[Problem, ...]:
    """Everything that is said about a folder: errors, or warnings of an estate that can be asked."""
    try:
        found = permcheck.load(folder).warnings
    except LoadError as error:
        found = error.problems
    for problem in found:
        assert_plain(problem)
    return found


@pytest.mark.parametrize("bad", BROKEN, ids=lambda bad: f"{bad.name} {bad.content[:24]!r}")
def test_a_file_that_cant_be_used_is_named(bad: Bad, tmp_path: Path) -> None:
    """With its cause and a way out; the good list beside it is read all the same."""
    put(tmp_path, users=json.loads(USERS))
    path = tmp_path / bad.name
    path.write_bytes(bad.content if isinstance(bad.content, bytes) else bad.content.encode())
    found = [problem for problem in said(tmp_path) if problem.file.startswith(str(path))]
    assert {problem.id for problem in found} == {bad.id}
    assert bad.says in found[0].message
    assert bad.line in {None, found[0].line}
    assert found[0].help or "``" not in found[0].message
    assert len(records(imported(tmp_path), "users")) >= len(PEOPLE)


@pytest.mark.parametrize("bad", BROKEN, ids=lambda bad: f"{bad.name} {bad.content[:24]!r}")
def test_the_command_line_says_it_without_a_traceback(
    bad: Bad, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    put(tmp_path, users=json.loads(USERS))
    (tmp_path / bad.name).write_bytes(bad.content if isinstance(bad.content, bytes) else bad.content.encode())
    code = guarded(["check", "anna@contoso.com", "run-cmpivot", "PC-1", "-e", str(tmp_path)])
    captured = capsys.readouterr()
    assert int(code) == 3 or (int(code) == 2 and "PC-1" in captured.err)
    assert "Traceback" not in captured.err
    assert bad.name in captured.err
    assert captured.out == ""


def test_several_problems_are_said_at_once(tmp_path: Path) -> None:
    for number, bad in enumerate(BROKEN):
        path = tmp_path / str(number) / bad.name
        path.parent.mkdir()
        path.write_bytes(bad.content if isinstance(bad.content, bytes) else bad.content.encode())
    put(tmp_path, users=json.loads(USERS))
    found = said(tmp_path)
    errors = {Path(problem.file.partition(",")[0]).parent.name for problem in found}
    warned = {str(n) for n, bad in enumerate(BROKEN) if bad.id in {"no-name", "value"}}
    assert errors >= {str(number) for number in range(len(BROKEN))} - warned


def test_the_same_problem_is_said_once(tmp_path: Path) -> None:
    save(tmp_path, "users.csv", 'userPrincipalName,id\na@b.c,1\n"b"c,2\n')
    found = imported(tmp_path).joined.problems
    assert len(found) == len(set(found))


# --- values that were cut ---------------------------------------------------------------


def places(cut: str) -> Iterator[tuple[str, Any]]:
    """Lists in which one nested value was cut off."""
    yield "a", [ADMIN | {"Permissions": cut}]
    yield "a", [ADMIN | {"Permissions": [cut]}]
    yield "a", [ADMIN | {"RoleNames": cut}]
    yield "r", [ROLES | {"Operations": [cut]}]
    yield "r", [{"id": ROLE, "displayName": "P", "isBuiltIn": False, "rolePermissions": [cut]}]
    yield "r", [{"id": ROLE, "displayName": "P", "isBuiltIn": False, "rolePermissions": [{"resourceActions": cut}]}]
    yield (
        "r",
        [
            {
                "id": ROLE,
                "displayName": "P",
                "isBuiltIn": False,
                "rolePermissions": [{"resourceActions": [{"allowedResourceActions": cut}]}],
            }
        ],
    )
    yield "g", [assigned(members=cut)]
    yield "g", [assigned(roleDefinition=cut)]
    yield "g", [assigned(roleScopeTags=[cut])]
    yield "u", [PEOPLE[0] | {"assignedPlans": [cut]}]
    yield "g", [GROUPS[0] | {"groupTypes": cut}]
    yield "m", [{"groupId": GROUP, "members": cut}]
    yield "m", [{"groupId": GROUP, "members": [cut]}]
    yield "d", [{"id": ROLE, "roleTemplateId": INTUNE_ADMIN, "displayName": "x", "members": [cut]}]
    yield "s", [{"id": SERVICE, "appId": APP_ID, "appRoles": [cut]}]


@pytest.mark.parametrize("cut", CUT)
def test_a_value_that_was_cut_is_an_error(cut: str, tmp_path: Path) -> None:
    """ConvertTo-Json -Depth 2 and Export-Csv write the name of a type where a list should be: that is no empty list."""
    for number, (name, content) in enumerate(places(cut)):
        folder = put(tmp_path / str(number), SMS_Site=[SITE], people=json.loads(USERS), **{name: content})
        found = [problem for problem in said(folder) if problem.id == "export-cut"]
        assert [problem.file for problem in found] == [f"{folder / name}.json, $[0]"], content
        assert "-Depth" in found[0].help


@pytest.mark.parametrize("members", [None, ""])
def test_members_that_are_null_are_unknown(members: Any, tmp_path: Path) -> None:
    """A command that failed leaves null; that a group is empty, an empty list says."""
    put(tmp_path, users=json.loads(USERS), groups=answer("groups", *GROUPS), m=[{"groupId": GROUP, "members": members}])
    row = next(row for row in records(imported(tmp_path), "groups") if row["name"] == "SG-Ops")
    assert "members" not in row


# --- contradictions ---------------------------------------------------------------------


def test_two_entries_of_one_id_are_an_error_that_names_both(tmp_path: Path) -> None:
    put(tmp_path, one=[PEOPLE[0]], two=[PEOPLE[0] | {"userPrincipalName": "other@contoso.com"}])
    (problem,) = said(tmp_path)
    assert problem.id == "conflict"
    assert "two.json, $[0]" in problem.file
    assert "one.json, $[0]" in problem.message


def test_two_lines_of_one_id_are_an_error_that_names_both(tmp_path: Path) -> None:
    save(tmp_path, "users.csv", f"userPrincipalName,id,accountEnabled\na@c.com,{ANNA},True\na@c.com,{ANNA},False\n")
    (problem,) = said(tmp_path)
    assert (problem.id, problem.line) == ("conflict", 3)
    assert "users.csv:2" in problem.message


def test_the_same_entry_twice_is_no_contradiction(tmp_path: Path) -> None:
    put(tmp_path, one=PEOPLE, two=PEOPLE, three=answer("users", *(row | {"displayName": "shown"} for row in PEOPLE)))
    assert said(tmp_path) == ()


def test_a_hierarchy_may_differ_from_another(tmp_path: Path) -> None:
    """The same name and id in two hierarchies are two things."""
    for code in ("P01", "T01"):
        rows = [
            {
                "UniqueUserName": "C\\anna",
                "SID": "S-1-5-21-1-3",
                "AADUserID": ANNA if code == "P01" else None,
                "AADTenantID": GROUP,
                "AgentName": ["SMS_AD_USER_DISCOVERY_AGENT"],
            }
        ]
        put(
            tmp_path / code,
            SMS_Site=[SITE | {"SiteCode": code}],
            SMS_Collection=[COLLECTIONS[0] | {"Name": code}],
            SMS_R_User=rows,
        )
    put(tmp_path, users=json.loads(USERS))
    assert "conflict" not in {problem.id for problem in said(tmp_path)}
    (anna,) = [row for row in records(imported(tmp_path), "users") if row.get("id") == ANNA]
    assert (anna["discovered_by"], anna["discovery_incomplete"]) == (("ad",), True)


def test_tenants_are_not_mixed(tmp_path: Path) -> None:
    rows = [{"id": f"tenant-{n}", "displayName": n, "verifiedDomains": []} for n in "ab"]
    put(tmp_path, users=json.loads(USERS), one=answer("organization", rows[0]), two=answer("organization", rows[1]))
    (problem,) = said(tmp_path)
    assert problem.id == "mixed-tenants"
    assert "one.json" in problem.message
    assert "two.json" in problem.message


# --- what nobody knows --------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [
        [{"colour": 1, "size": 2}],
        {"error": {"code": "Forbidden"}},
        answer("somethingNew", {"a": 1}),
        {"responses": [{"body": {"error": {"code": "429"}}}]},
    ],
)
def test_a_list_that_nobody_knows_is_a_warning(content: Any, tmp_path: Path) -> None:
    put(tmp_path, users=json.loads(USERS), strange=content)
    (problem,) = said(tmp_path)
    assert (problem.id, problem.severity) == ("unknown-export", "warning")
    assert problem.file.startswith(str(tmp_path / "strange.json"))
    assert problem.help
    assert len(imported(tmp_path).unknown) == 1


@pytest.mark.parametrize("name", ["exports.zip", "All devices.xlsx", "users.json.gz", "console.ps1"])
def test_a_file_of_another_format_is_not_opened_and_reported(name: str, tmp_path: Path) -> None:
    put(tmp_path, users=json.loads(USERS))
    (tmp_path / name).write_bytes(b"PK\x03\x04")
    (tmp_path / name).chmod(0)
    assert [path.name for path in imported(tmp_path).ignored] == [name]
    assert any(name in problem.file for problem in said(tmp_path))


def test_a_link_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    outside = put(tmp_path / "outside", users=[{"id": GROUP, "userPrincipalName": "secret@contoso.com"}])
    inside = put(tmp_path / "inside", users=json.loads(USERS))
    (inside / "more.json").symlink_to(outside / "users.json")
    (inside / "folder").symlink_to(outside, target_is_directory=True)
    (inside / "dangling.json").symlink_to(tmp_path / "nowhere")
    assert len(records(imported(inside), "users")) == len(PEOPLE)
    assert said(inside) == ()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_cant_be_read_is_an_error(tmp_path: Path) -> None:
    put(tmp_path, users=json.loads(USERS), more=[SITE])
    (tmp_path / "more.json").chmod(0)
    assert "unreadable" in {problem.id for problem in said(tmp_path)}


def test_types_and_bits_that_nobody_knows_are_noted(tmp_path: Path) -> None:
    masks = [{"ObjectTypeID": 9999, "GrantedOperations": 1}, {"ObjectTypeID": 1, "GrantedOperations": 2**31 + 1}]
    found = imported(put(tmp_path, SMS_Site=[SITE], SMS_Role=[ROLES | {"Operations": masks}], users=json.loads(USERS)))
    (row,) = records(found, "security_roles")
    assert row["permissions"] == {"Collection": ("Read",)}
    assert any("9999" in note for note in found.gathered.notes)
    assert any("2147483648" in note for note in found.gathered.notes)


def test_a_signed_mask_is_a_mask_of_32_bits(tmp_path: Path) -> None:
    save(tmp_path, "r.xml", MASK.format(1, -(2**31) + 1))
    (row,) = records(imported(tmp_path), "security_roles")
    assert row["permissions"] == {"Collection": ("Read",)}
    assert row["undecided"]


def test_actions_that_nobody_knows_are_said(tmp_path: Path) -> None:
    put(
        tmp_path,
        users=json.loads(USERS),
        roles=answer("deviceManagement/roleDefinitions", role("R", "Microsoft.Intune_New_Thing", id=ROLE)),
    )
    assert any("Microsoft.Intune_New_Thing" in problem.message for problem in said(tmp_path))


# --- hostile values ---------------------------------------------------------------------------

NAMES = (
    "a\nb",
    "\x1b[31mred\x1b[0m\x07",
    "\u202eevil",
    "🙂" * 20,
    "x" * 10_000,
    "../../etc/passwd",
    "'; DROP TABLE users",
    "%s{0}${x}",
    "\u0000",
    "None",
    "null",
    "true",
    "1e999",
    "-",
    ".",
    "*",
    "",
)


@pytest.mark.parametrize("name", NAMES, ids=[ascii(name)[:20] for name in NAMES])
def test_names_are_only_names(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put(
        tmp_path,
        users=[PEOPLE[0] | {"displayName": name}, PEOPLE[1] | {"userPrincipalName": name or None}],
        SMS_Site=[SITE],
    )
    put(
        tmp_path,
        groups=[GROUPS[0] | {"displayName": name}],
        devices=[MACHINE | {"Name": name}],
        SMS_Collection=[row | {"Name": name} for row in COLLECTIONS],
    )
    put(
        tmp_path,
        roles=answer("deviceManagement/roleDefinitions", role(name, id=ROLE)),
        given=answer("deviceManagement/roleAssignments", assigned(displayName=name)),
    )
    put(tmp_path, SMS_Role=[ROLES | {"RoleName": name}], SMS_Admin=[ADMIN | {"LogonName": name, "RoleNames": [name]}])
    for problem in said(tmp_path):
        text = str(problem)
        assert "\x1b" not in text
        assert "\u202e" not in text
        assert len(text) < 1000
    code = guarded(["explain", "anna@contoso.com", "run-cmpivot", name or "PC-1", "-e", str(tmp_path)])
    captured = capsys.readouterr()
    assert int(code) != 70
    assert "Traceback" not in captured.err
    assert "\x1b[31m" not in captured.out + captured.err


@pytest.mark.parametrize(
    "row",
    [
        {"__proto__": {"admin": True}},
        {"constructor": 1},
        {"__class__": "x"},
        {"": 1},
        {"@odata.type": 7},
        {"AdditionalProperties": {"id": "other"}},
        {"members": {}},
        {"$ref": "#"},
    ],
)
def test_strange_keys_are_only_keys(row: dict[str, Any], tmp_path: Path) -> None:
    put(tmp_path, users=[row | person for person in PEOPLE])
    assert sorted(found["upn"] for found in records(imported(tmp_path), "users")) == [
        "anna@contoso.com",
        "bert@contoso.com",
    ]


def test_numbers_as_ids_are_texts(tmp_path: Path) -> None:
    put(
        tmp_path,
        users=[{"id": 7, "userPrincipalName": 8, "accountEnabled": 1}],
        groups=[{"id": 1, "displayName": 2, "securityEnabled": 1, "groupTypes": 4}],
    )
    put(tmp_path, m=[{"groupId": 1, "members": [{"id": 7}]}])
    found = imported(tmp_path)
    assert [row["upn"] for row in records(found, "users")] == ["8"]
    assert [(row["name"], row["members"]) for row in records(found, "groups")] == [("2", ("8",))]


@pytest.mark.parametrize("kind", [kind for kind, (_, content) in KINDS.items() if isinstance(content, list)])
@pytest.mark.parametrize("value", [None, "", [], {}, 0, False])
def test_an_entry_of_nothing_decides_nothing(kind: str, value: Any, tmp_path: Path) -> None:
    name, content = KINDS[kind]
    emptied = [dict.fromkeys(row, value) for row in content]
    context = next(iter(permcheck.load(permcheck_example()).policy.exports[kind].signs.contexts), "")
    put(tmp_path, users=json.loads(USERS), SMS_Site=[SITE])
    folder = put(
        tmp_path,
        **{
            f"groups/{GROUP}/members" if "members" in kind else f"x-{name[:-5]}": answer(context, *emptied)
            if context
            else emptied
        },
    )
    for problem in said(folder):
        assert problem.id not in {"internal", "crash"}


def permcheck_example() -> Path:
    return Path(__file__).parent.parent / "examples" / "preview-2006"


def test_a_deep_value_inside_an_entry_is_nobodys_business(tmp_path: Path) -> None:
    """Up to the one limit that every file has: how deep a parser gets depends on its release."""
    head = '[{"id":"1","userPrincipalName":"a@c.com","x":'
    save(tmp_path, "u.json", head + "[" * (DEPTH_LIMIT - 2) + "]" * (DEPTH_LIMIT - 2) + "}]")
    assert len(records(imported(tmp_path), "users")) == 1
    save(tmp_path, "u.json", head + "[" * 900 + "]" * 900 + "}]")
    (problem,) = (problem for problem in said(tmp_path) if problem.id == "too-deep")
    assert (problem.line, problem.column) == (1, len(head) + DEPTH_LIMIT - 1)


def test_an_export_of_one_user_is_an_estate(tmp_path: Path) -> None:
    estate = permcheck.load(put(tmp_path, user=PEOPLE[0]))
    assert [user.upn for user in estate.tables.users.values()] == ["anna@contoso.com"]
    assert estate.warnings == ()


def test_an_export_without_users_says_what_to_export(tmp_path: Path) -> None:
    (problem,) = said(put(tmp_path, SMS_Site=[SITE]))
    assert problem.id == "no-users"
    assert problem.help


def test_an_unknown_list_alone_is_said_to_be_unknown(tmp_path: Path) -> None:
    """Not that it is no mapping: nobody meant an estate file."""
    assert "unknown-export" in {problem.id for problem in said(put(tmp_path, strange=[{"colour": 1}]))}


# --- long files are streamed -----------------------------------------------------------------


@pytest.mark.parametrize("how", ["role XML", "ConvertTo-Json"])
def test_a_streamed_file_says_the_same(how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = export(written("contoso")[0], tmp_path, FORMATS[how])
    size = 3000
    monkeypatch.setattr(json_file, "STREAMED", size)
    long = [path for path in folder.rglob("*.json") if path.stat().st_size >= size]
    assert len(long) > 3
    estate = permcheck.load(folder)
    assert {ask: said for ask, said in expected("contoso").items() if verdict(estate, ask) != said} == {}


@pytest.mark.parametrize(
    ("text", "id_"),
    [
        (USERS[:-30], "syntax"),
        ('{"a": {"b": 1}}', "shape"),
        ("<html></html>", "syntax"),
        ("{", "syntax"),
        ("[[1]]", "shape"),
        ("[1, 2]", "shape"),
        ('{"value": [1]}', "shape"),
        ('{"value": [{"id": "1", "userPrincipalName": "a@c.com"}, 7]}', "shape"),
    ],
)
def test_a_streamed_file_that_cant_be_used_is_named(
    text: str, id_: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(json_file, "STREAMED", 1)
    save(tmp_path, "long.json", text)
    assert id_ in ids(imported(tmp_path))


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_streamed_file_of_another_encoding(encoding: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_file, "STREAMED", 1)
    (tmp_path / "users.json").write_bytes(USERS.encode(encoding))
    assert len(records(imported(tmp_path), "users")) == 2


ROW = '{"id": "1", "userPrincipalName": "a@c.com"}'
FRIEND = '{"id": "2", "userPrincipalName": "b@c.com"}'
REFUSED: dict[str, tuple[str, str]] = {
    "a key twice in an entry": (f'[{ROW}, {{"id": "2", "id": "3"}}]', "duplicate-key"),
    "a key twice, as an escape": (f'[{ROW}, {{"id": "2", "\\u0069d": "3"}}]', "duplicate-key"),
    "a key twice, deep in an entry": (f'[{ROW}, {{"id": "2", "x": [{{"a": {{"b": 1, "b": 2}}}}]}}]', "duplicate-key"),
    "the list twice": (f'{{"value": [{ROW}], "value": [{FRIEND}]}}', "duplicate-key"),
    "the list twice, as an escape": (f'{{"value": [{ROW}], "\\u0076alue": [{FRIEND}]}}', "duplicate-key"),
    "the list in two spellings": (f'{{"value": [{ROW}], "Value": [{FRIEND}]}}', "duplicate-key"),
    "the link twice": (f'{{"@odata.nextLink": "a", "value": [{ROW}], "@odata.nextLink": null}}', "duplicate-key"),
    "a second list behind the first": (f"[{ROW}] [{FRIEND}]", "syntax"),
    "a comma too many": (f"[{ROW},]", "syntax"),
    "no comma": (f"[{ROW} {FRIEND}]", "syntax"),
    "no number": (f'[{ROW}, {{"id": NaN}}]', "syntax"),
    "half of a character": (f'[{ROW}, {{"id": "\\uD800"}}]', "encoding"),
    "no end": (f'{{"value": [{ROW}]', "syntax"),
}


@pytest.mark.parametrize("size", [1, 2**20])
@pytest.mark.parametrize("what", REFUSED)
def test_a_long_file_is_refused_as_a_short_one_is(
    what: str, size: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text, id_ = REFUSED[what]
    monkeypatch.setattr(json_file, "STREAMED", size)
    save(tmp_path, "users.json", text)
    assert id_ in ids(imported(tmp_path))


@pytest.mark.parametrize("size", [1, 2**20])
@pytest.mark.parametrize("chunk", [1, 7, 2**20])
@pytest.mark.parametrize(
    ("text", "partial"),
    [
        (f"[{ROW},\n {FRIEND} ]\n", False),
        (f'{{"value": [{ROW}, {FRIEND}], "@odata.nextLink": "https://x/users?a=[1]"}}', True),
        (f'{{"@odata.count": 2, "value": [{ROW}, null, {FRIEND}]}}', False),
        (f'{{"value": [{ROW}, {FRIEND}], "@odata.count": 3}}', True),
        (f'{{"value": [{ROW}, {FRIEND}], "@odata.nextLink": "{"x" * 5000}"}}', True),
    ],
)
def test_a_long_file_says_what_a_short_one_does(
    text: str, *, partial: bool, chunk: int, size: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(json_file, "STREAMED", size)
    monkeypatch.setattr(long_json, "CHUNK", chunk)
    save(tmp_path, "users.json", text)
    found = imported(tmp_path)
    assert [record["upn"] for record in records(found, "users")] == ["a@c.com", "b@c.com"]
    assert ("missing-pages" in ids(found)) is partial


def test_what_a_long_file_is_must_be_seen_from_its_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_file, "STREAMED", 1)
    save(tmp_path, "x.json", f'{{"value": [{ROW}], "@odata.context": "#users", "@odata.etag": "{"x" * 5000}"}}')
    assert ids(imported(tmp_path)) == ["shape"]


def test_null_in_a_long_list_of_powershell_tells_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_file, "STREAMED", 1)
    save(tmp_path, "x.json", '[{"Id": "1", "UserPrincipalName": "a@c.com", "OnPremisesSyncEnabled": null}]')
    assert "synced" not in records(imported(tmp_path), "users")[0]


# --- anything at all ----------------------------------------------------------------------------

SMALL: dict[str, Any] = {
    kind: deepcopy(content) for kind, (_, content) in KINDS.items() if not isinstance(content, str)
}
JUNK = st.sampled_from(
    [
        None,
        [],
        {},
        "",
        "x",
        0,
        -1,
        2**70,
        1.5,
        True,
        [None],
        [[]],
        [{}],
        {"value": []},
        {"a": None},
        ["x"],
        "S-1-5-21-1-2",
        ANNA,
    ]
)


def paths(value: Any, here: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place inside a value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in inner:
        yield (*here, key)
        yield from paths(item, (*here, key))


EVERY = list(paths(SMALL))


@settings(max_examples=200)
@given(
    st.lists(st.tuples(st.sampled_from(EVERY), st.one_of(st.just(KeyError), JUNK)), min_size=1, max_size=6),
    st.booleans(),
)
def test_whatever_an_export_holds_it_loads_or_is_refused(
    changes: list[tuple[tuple[Any, ...], Any]], wrapped: Any
) -> None:
    """Values are taken away or replaced: LoadError, or an estate that can be asked, and nothing else."""
    data = deepcopy(SMALL)
    for path, junk in changes:
        owner: Any = data
        try:
            for step in path[:-1]:
                owner = owner[step]
            owner[path[-1]]
        except (KeyError, IndexError, TypeError):
            continue
        if junk is KeyError and isinstance(owner, dict):
            del owner[path[-1]]
        elif isinstance(owner, dict | list):
            owner[path[-1]] = deepcopy(None if junk is KeyError else junk)
    with tempfile.TemporaryDirectory() as folder:
        for kind, content in data.items():
            name = f"groups/{GROUP}/members" if "group-members" in kind and wrapped else kind
            put(Path(folder), **{name: {"value": content} if wrapped else content})
        try:
            estate = permcheck.load(folder)
        except LoadError as error:
            assert all(problem.message for problem in error.problems)
            assert not re.search(r"Traceback|pydantic", str(error))
            return
        for user in estate.tables.users.values():
            for device in list(estate.tables.devices.values())[:1]:
                try:
                    estate.check(user.upn, "run-cmpivot", device.name)
                except permcheck.PermcheckError:
                    continue
