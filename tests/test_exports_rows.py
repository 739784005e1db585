"""An entry that can't be read is told at its own place, and leaves open what it belongs to. It removes nothing."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import permcheck
import pytest
from exported import EXAMPLES, ids, imported, put, records
from hypothesis import given, settings
from hypothesis import strategies as st
from permcheck.loading.policy import load_policy
from permcheck.loading.resolve import resolve
from test_exports_shapes import (
    ADMIN,
    ADMIN_USER,
    ANNA,
    BERT,
    COLLECTIONS,
    GROUP,
    GROUPS,
    INTUNE_ADMIN,
    MACHINE,
    OTHER,
    PAIRS,
    PEOPLE,
    ROLES,
    SERVICE,
    SITE,
    answer,
    assigned,
    save,
)  # fmt: skip

SECOND = MACHINE | {"ResourceID": 16777220, "Name": "PC-2"}
INSIDE = {"CollectionID": "P0100010", "ResourceID": 16777219, "ResourceType": 5, "SiteCode": "P01"}
HELD = {"appRoleId": ADMIN_USER, "principalId": ANNA, "principalType": "User", "resourceId": SERVICE}
HELD["resourceDisplayName"] = "Configuration Manager Microservice"
HOLDER = {"roleDefinitionId": INTUNE_ADMIN, "principalId": ANNA, "directoryScopeId": "/"}


BUILT_IN = {"id": load_policy().find_role("intune", "Help Desk Operator")}
GIVEN_ROW = assigned(roleDefinition=BUILT_IN)


def without(row: dict[str, Any], *keys: str) -> dict[str, Any]:
    return {key: item for key, item in row.items() if key not in keys}


ROWS: dict[str, tuple[str, str, dict[str, Any], tuple[str, ...]]] = {
    "a user": ("users", "users", PEOPLE[0], ("id", "userPrincipalName")),
    "a group": ("groups", "groups", GROUPS[0], ("id", "displayName")),
    "an assignment": ("intune_assignments", "deviceManagement/roleAssignments", GIVEN_ROW, ("id", "displayName")),
    "a role": (
        "intune_roles",
        "deviceManagement/roleDefinitions",
        {"id": OTHER, "displayName": "R", "rolePermissions": []},
        ("id", "displayName"),
    ),
    "a holder": ("entra_roles", "roleManagement/directory/roleAssignments", HOLDER, ("principalId",)),
    "the role of a holder": ("entra_roles", "roleManagement/directory/roleAssignments", HOLDER, ("roleDefinitionId",)),
    "who has an app role": ("app_roles", "appRoleAssignments", HELD, ("principalId",)),
    "which app role": ("app_roles", "appRoleAssignments", HELD, ("appRoleId",)),
    "a security role": ("security_roles", "SMS_Role", ROLES, ("RoleName",)),
    "an administrative user": ("administrative_users", "SMS_Admin", ADMIN, ("LogonName",)),
    "a collection": ("collections", "SMS_Collection", COLLECTIONS[1], ("CollectionID",)),
    "a device": ("devices", "SMS_CombinedDeviceResources", MACHINE, ("ResourceID", "Name")),
    "a script": (
        "scripts",
        "SMS_Scripts",
        {"ScriptGuid": OTHER, "ScriptName": "Clean", "ApprovalState": 3},
        ("ScriptGuid", "ScriptName"),
    ),
    "an application": (
        "applications",
        "SMS_ApplicationLatest",
        {"LocalizedDisplayName": "7-Zip", "IsLatest": True},
        ("LocalizedDisplayName",),
    ),
}


@pytest.mark.parametrize("what", ROWS)
def test_an_entry_without_its_name_leaves_its_list_open(what: str, tmp_path: Path) -> None:
    section, context, row, keys = ROWS[what]
    put(tmp_path, SMS_Site=[SITE], people=answer("users", *PEOPLE))
    found = imported(put(tmp_path, rows=answer(context, row, without(row, *keys))))
    told = [problem for problem in found.joined.problems if problem.id == "no-name"]
    assert [problem.file for problem in told] == [f"{tmp_path / 'rows.json'}, $.value[1]"]
    assert {problem.severity for problem in told} == {"warning"}
    assert section in found.joined.scalars["incomplete"]
    whole = imported(put(tmp_path, rows=answer(context, row)))
    assert section not in whole.joined.scalars["incomplete"]
    assert len(records(found, section)) == len(records(whole, section))


def test_a_role_without_a_name_still_says_whose_assignments_are_under_it(tmp_path: Path) -> None:
    inner = without(assigned(), "roleDefinition")
    rows = answer("deviceManagement/roleDefinitions", {"rolePermissions": [], "roleAssignments": [inner]})
    found = imported(put(tmp_path, users=PEOPLE, groups=GROUPS, roles=rows))
    assert {"intune_roles", "intune_assignments"} <= set(found.joined.scalars["incomplete"]) | {"intune_assignments"}
    assert any("nothing tells which role" in problem.message for problem in found.joined.problems)


def test_a_member_that_cant_be_read_is_one_that_nobody_knows(tmp_path: Path) -> None:
    members = [{"@odata.type": "#microsoft.graph.user", "id": ANNA}, {"@odata.type": "#microsoft.graph.user"}]
    put(tmp_path, users=answer("users", *PEOPLE), groups=answer("groups", *GROUPS))
    put(tmp_path / "groups" / GROUP, members=answer("directoryObjects", *members))
    group = next(row for row in records(imported(tmp_path), "groups") if row["name"] == "SG-Ops")
    assert (group["members"], group["members_incomplete"]) == (("anna@contoso.com",), True)


@pytest.mark.parametrize("lost", ["RoleID RoleName", "CategoryID CategoryName", "CategoryTypeID"])
def test_a_permission_that_cant_be_read_makes_all_of_them_unknown(lost: str, tmp_path: Path) -> None:
    """Which scope or collection it would have added nobody knows."""
    broken = without(PAIRS[1], *lost.split())
    put(tmp_path, users=PEOPLE, SMS_Site=[SITE], SMS_Collection=COLLECTIONS)
    found = imported(put(tmp_path, SMS_Admin=[ADMIN | {"Permissions": [PAIRS[0], broken]}]))
    (row,) = records(found, "administrative_users")
    assert "assignments" not in row
    assert "value" in ids(found)


@pytest.mark.parametrize(
    ("row", "open_"),
    [
        (without(INSIDE, "CollectionID"), {"PC-1"}),
        (without(INSIDE, "ResourceID") | {"CollectionID": "SMS00001"}, set()),
        (without(INSIDE, "ResourceID"), {"PC-2"}),
        (without(INSIDE, "ResourceID", "CollectionID"), {"PC-1", "PC-2"}),
        (INSIDE | {"CollectionID": None}, {"PC-1"}),
        (INSIDE | {"ResourceID": ""}, {"PC-2"}),
    ],
    ids=["no collection", "no device", "no device, and one is in it", "neither", "null", "empty"],
)
def test_a_membership_that_lacks_something_leaves_devices_where_they_may_be(
    row: dict[str, Any], open_: set[str], tmp_path: Path
) -> None:
    """The device stays in the estate, and so do its other collections; it may be in further ones."""
    put(tmp_path, users=PEOPLE, SMS_Site=[SITE], SMS_Collection=COLLECTIONS, devices=[MACHINE, SECOND])
    every = [INSIDE | {"ResourceID": number, "CollectionID": "SMS00001"} for number in (16777219, 16777220)]
    found = imported(put(tmp_path, inside=answer("SMS_FullCollectionMembership", INSIDE, *every, row)))
    assert [problem.file for problem in found.joined.problems] == [f"{tmp_path / 'inside.json'}, $.value[3]"]
    devices = {device["name"]: device.get("collections") for device in records(found, "devices")}
    assert {name for name, collections in devices.items() if collections is None} == open_
    tables, _ = resolve(found.joined, load_policy())
    assert {tables.devices[key].name for key in tables.membership_open} == open_


def test_a_device_that_may_be_elsewhere_keeps_what_is_known(tmp_path: Path) -> None:
    more = {"CollectionID": "P0100011", "Name": "Servers", "CollectionType": 2, "LimitToCollectionID": "SMS00001"}
    put(tmp_path, users=PEOPLE, SMS_Site=[SITE], SMS_Collection=[*COLLECTIONS, more], devices=[MACHINE, SECOND])
    every = [INSIDE | {"ResourceID": number, "CollectionID": "SMS00001"} for number in (16777219, 16777220)]
    rows = answer("SMS_FullCollectionMembership", INSIDE, *every, without(INSIDE, "CollectionID"))
    tables, _ = resolve(imported(put(tmp_path, inside=rows)).joined, load_policy())
    (key,) = tables.membership_open
    assert "p01/p0100010" in tables.device_collections[key]


@pytest.mark.parametrize("lost", ["ObjectKey", "CategoryID"])
def test_a_scope_of_an_object_that_cant_be_read_leaves_its_scopes_unknown(lost: str, tmp_path: Path) -> None:
    scripts = [{"ScriptGuid": OTHER, "ScriptName": "Clean", "ApprovalState": 3}]
    row = {"CategoryID": "SMS00UNA", "ObjectKey": OTHER, "ObjectTypeID": 213}
    put(tmp_path, users=PEOPLE, SMS_Site=[SITE], scripts=scripts)
    put(tmp_path, inside=answer("SMS_SecuredCategoryMembership", row, without(row, lost)))
    assert "scopes" not in records(imported(tmp_path), "scripts")[0]


def test_a_licence_that_cant_be_read_may_be_the_one(tmp_path: Path) -> None:
    sku = {"skuId": "1", "capabilityStatus": "Enabled", "servicePlans": []}
    put(tmp_path, users=PEOPLE, s=answer("subscribedSkus", sku))
    assert imported(tmp_path).joined.scalars["tenant"].entra_premium is False
    put(tmp_path, s=answer("subscribedSkus", sku, without(sku, "servicePlans")))
    assert "tenant" not in imported(tmp_path).joined.scalars


def test_an_account_that_cant_be_read_may_be_any_of_them(tmp_path: Path) -> None:
    """Who is in no list of discovered users was not discovered, as long as every entry can be read."""
    rows = [{"UniqueUserName": "C\\x", "SID": "S-1-5-21-1-9", "AADUserID": None, "AgentName": []}]
    people = [PEOPLE[0] | {"onPremisesSecurityIdentifier": "S-1-5-21-1-1"}]
    put(tmp_path, users=people, SMS_Site=[SITE], SMS_R_User=rows)
    assert records(imported(tmp_path), "users")[0]["discovered_by"] == ()
    put(tmp_path, SMS_R_User=[*rows, {"UniqueUserName": "", "SID": None}])
    assert "discovered_by" not in records(imported(tmp_path), "users")[0]


def test_an_operation_that_cant_be_read_leaves_the_role_unknown(tmp_path: Path) -> None:
    rows = [
        {"RoleName": "Pivot", "ObjectTypeName": "Collection", "OperationName": "Read", "Allow": allow}
        for allow in ("Yes", "perhaps")
    ]
    found = imported(put(tmp_path, users=PEOPLE, SMS_Site=[SITE], p=rows))
    (row,) = records(found, "security_roles")
    assert "permissions" not in row
    assert "value" in ids(found)


def test_a_role_without_a_list_of_operations_is_not_one_without_operations(tmp_path: Path) -> None:
    put(tmp_path, users=PEOPLE, SMS_Site=[SITE])
    role = '<SMS_Roles><SMS_Role RoleName="Pivot">{}</SMS_Role></SMS_Roles>'
    save(tmp_path, "r.xml", role.format(""))
    assert "permissions" not in records(imported(tmp_path), "security_roles")[0]
    save(tmp_path, "r.xml", role.format("<Operations/>"))
    assert records(imported(tmp_path), "security_roles")[0]["permissions"] == {}


def test_a_bit_that_the_sites_list_lacks_is_not_a_bit_without_meaning(tmp_path: Path) -> None:
    """The list of operations may have lost a page."""
    put(tmp_path, users=PEOPLE, SMS_Site=[SITE])
    put(tmp_path, ops=[{"ObjectTypeID": 1, "OperationName": "Read", "BitFlag": 1}])
    put(tmp_path, SMS_Role=[ROLES | {"Operations": [{"ObjectTypeID": 1, "GrantedOperations": 65}]}])
    (row,) = records(imported(tmp_path), "security_roles")
    assert row["permissions"] == {"Collection": ("Read",)}
    assert "Run CMPivot" in row["undecided"]["Collection"]


def test_a_field_that_cant_be_used_takes_nobody_out_of_the_estate(tmp_path: Path) -> None:
    put(tmp_path, users=PEOPLE, SMS_Site=[SITE], SMS_R_System=[{"ResourceId": 1, "NetbiosName": "PC-1"}])
    row = {"id": OTHER, "deviceName": "PC-1", "managementAgent": "mdm", "roleScopeTagIds": ["", 7]}
    put(tmp_path, md=answer("deviceManagement/managedDevices", row))
    assert [device["name"] for device in records(imported(tmp_path), "devices")] == ["PC-1"]


@pytest.mark.parametrize("members", [[{"id": GROUP}], [{"a": 1}], {"id": GROUP}, {}, [["x"]]])
def test_a_list_that_is_none_is_an_error_and_not_an_empty_one(members: Any, tmp_path: Path) -> None:
    put(tmp_path, users=PEOPLE, groups=GROUPS, given=[assigned(), assigned(id=OTHER, members=members)])
    (problem,) = [problem for problem in imported(tmp_path).joined.problems if problem.id == "export-cut"]
    assert problem.file == f"{tmp_path / 'given.json'}, $[1]"


@pytest.mark.parametrize(
    "line", ["CONTOSO\\two,Pivot", "CONTOSO\\two,Pivot,Default,x"], ids=["cut", "one field too many"]
)
def test_a_line_of_another_length_is_an_error(line: str, tmp_path: Path) -> None:
    put(tmp_path, users=PEOPLE, SMS_Site=[SITE])
    save(tmp_path, "report.csv", f"UserName,RoleName,ScopeName\nCONTOSO\\ops,Pivot,Default\n{line}\n")
    (problem,) = [problem for problem in imported(tmp_path).joined.problems if problem.severity == "error"]
    assert (problem.id, problem.line) == ("syntax", 3)


# --- numbers ------------------------------------------------------------------------------------

NUMBERS = ("1e999", "-1e999", "1.5", "true", '"1_0"', '"²"', str(2**70), str(-(2**40)), '"1e3"', "null", '"x"', "[1]")


@pytest.mark.parametrize("number", NUMBERS)
def test_a_mask_that_is_none_is_refused(number: str, tmp_path: Path) -> None:
    put(tmp_path, users=PEOPLE, SMS_Site=[SITE])
    role = ROLES | {"Operations": [{"ObjectTypeID": 1, "GrantedOperations": "MASK"}]}
    (tmp_path / "r.json").write_text(json.dumps([role]).replace('"MASK"', number), "utf-8")
    found = imported(tmp_path)
    (problem,) = [problem for problem in found.joined.problems if problem.severity == "error"]
    assert problem.file == f"{tmp_path / 'r.json'}, $[0]"
    assert "permissions" not in records(found, "security_roles")[0]


@pytest.mark.parametrize("number", [*NUMBERS, "1" * 400, '"' + "9" * 6000 + '"'])
@pytest.mark.parametrize("key", ["ResourceID", "ObjectTypeID", "BitFlag", "CategoryTypeID", "@odata.count"])
def test_a_number_that_is_none_stops_nothing_else(key: str, number: str, tmp_path: Path) -> None:
    rows: dict[str, Any] = {
        "d": [MACHINE],
        "o": [{"ObjectTypeID": 1, "OperationName": "Read", "BitFlag": 1}],
        "a": [ADMIN | {"Permissions": PAIRS}],
        "u": answer("users", *PEOPLE, count=2),
    }
    put(tmp_path, SMS_Site=[SITE], SMS_Collection=COLLECTIONS)
    for name, content in rows.items():
        text = json.dumps(content)
        for known in ("16777219", "29", "1", "2"):
            text = text.replace(f'"{key}": {known}', f'"{key}": {number}')
        (tmp_path / f"{name}.json").write_text(text, "utf-8")
    try:
        permcheck.load(tmp_path)
    except permcheck.LoadError as error:
        assert all(problem.message for problem in error.problems)


def test_a_number_is_the_same_however_it_is_written(tmp_path: Path) -> None:
    put(
        tmp_path,
        users=PEOPLE,
        SMS_Site=[SITE],
        SMS_Collection=COLLECTIONS,
        devices=[MACHINE | {"ResourceID": "16777219"}],
    )
    every = INSIDE | {"ResourceID": "16777219", "CollectionID": "SMS00001"}
    put(tmp_path, inside=answer("SMS_FullCollectionMembership", INSIDE | {"ResourceID": 16777219.0}, every))
    assert records(imported(tmp_path), "devices")[0]["collections"] == ("P0100010", "SMS00001")


def test_a_list_without_what_holds_every_device_is_not_the_whole_list(tmp_path: Path) -> None:
    """It has the members of one collection: who is in no other one it does not tell."""
    put(tmp_path, users=PEOPLE, SMS_Site=[SITE], SMS_Collection=COLLECTIONS, devices=[MACHINE, SECOND])
    found = imported(put(tmp_path, inside=answer("SMS_FullCollectionMembership", INSIDE)))
    assert all("collections" not in device for device in records(found, "devices"))
    (one,) = (row for row in records(found, "collections") if row["id"] == INSIDE["CollectionID"])
    assert one["members"] == ("16777219",)


def test_somebody_whom_no_list_has_is_a_service_where_the_lists_are_whole(tmp_path: Path) -> None:
    """Most holders that nobody knows are applications; without every user and group they may be a group."""
    rows = answer("roleManagement/directory/roleAssignments", HOLDER, HOLDER | {"principalId": SERVICE})
    put(tmp_path, users=answer("users", *PEOPLE), held=rows)
    assert "entra_roles" in imported(tmp_path).joined.scalars["incomplete"]
    put(tmp_path, groups=answer("groups", *GROUPS))
    found = imported(tmp_path)
    assert "entra_roles" not in found.joined.scalars["incomplete"]
    assert records(found, "entra_roles")[0]["members"] == ("anna@contoso.com",)
    assert BERT not in str(records(found, "entra_roles"))


# --- a law ----------------------------------------------------------------------------------------

EXAMPLE = EXAMPLES / "exports"
ASKS = (
    ("helpdesk@contoso.com", "run-cmpivot", "PC-1042"),
    ("field-service@contoso.com", "run-cmpivot", "PC-1042"),
    ("cm-admin@contoso.com", "run-cmpivot", "SRV-0007"),
    ("intune-admin@contoso.com", "view-timeline", "PC-1042"),
    ("helpdesk@contoso.com", "view-timeline", "SRV-0007"),
    ("field-service@contoso.com", "sync-machine-policy", "PC-1042"),
)


def properties(value: Any, here: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every property of the entries of an export."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in inner:
        if isinstance(key, str) and len(here) > 1:
            yield (*here, key)
        yield from properties(item, (*here, key))


EVERY = [
    (path, where)
    for path in sorted(EXAMPLE.glob("*.json"))
    for where in properties(json.loads(path.read_text("utf-8")))
]


@cache
def answers(folder: Path) -> list[str]:
    estate = permcheck.load(folder)
    return [estate.verdict(*ask).value for ask in ASKS]


@settings(max_examples=40)
@given(st.lists(st.sampled_from(EVERY), min_size=1, max_size=2, unique=True))
def test_a_property_that_is_taken_out_never_turns_an_answer(lost: list[tuple[Path, tuple[Any, ...]]]) -> None:
    """It leaves it as it is or open, or the exports are refused."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "exports"
        shutil.copytree(EXAMPLE, folder)
        for path, (*way, last) in lost:
            data = json.loads((folder / path.name).read_text("utf-8"))
            place = data
            for step in way:
                place = place.get(step) if isinstance(place, dict) else place[step]
                if place is None:
                    break
            if isinstance(place, dict):
                place.pop(last, None)
            (folder / path.name).write_text(json.dumps(data), "utf-8")
        try:
            estate = permcheck.load(folder)
            after = [estate.verdict(*ask).value for ask in ASKS]
        except (
            permcheck.LoadError,
            permcheck.UnknownNameError,
        ):  # refused aloud, or it was the name that was asked for
            return
    turned = [pair for pair in zip(answers(EXAMPLE), after, strict=True) if pair[1] not in {pair[0], "undetermined"}]
    assert turned == []
