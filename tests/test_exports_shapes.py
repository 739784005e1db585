"""Every kind of export in small, and every way in which tools wrap, spell and cut it."""

from __future__ import annotations

import json
from itertools import permutations
from pathlib import Path
from typing import Any

import permcheck
import pytest
from exported import ESTATES, EXAMPLES, FORMATS, export, ids, imported, put, records, written
from permcheck.exports.readers import READERS
from permcheck.loading.policy import load_policy

GRAPH = "https://graph.microsoft.com/beta/$metadata#"
ANNA, BERT = "00000000-0000-4000-8000-00000000000a", "00000000-0000-4000-8000-00000000000b"
GROUP, OTHER = "00000000-0000-4000-8000-0000000000c1", "00000000-0000-4000-8000-0000000000c2"
ROLE, GIVEN = "00000000-0000-4000-8000-0000000000d1", "00000000-0000-4000-8000-0000000000e1"
SERVICE, DEVICE = "00000000-0000-4000-8000-0000000000f1", "00000000-0000-4000-8000-000000000099"
APP_ID, ADMIN_USER = "557c67cf-c916-4293-8373-d584996f60ae", "c22b119a-bb68-45ab-8a0a-ef26bc7a66e7"
INTUNE_ADMIN = "3a2c62db-5318-420d-8d74-23affee5d9d5"
PLAN = "c1ec4a95-1f05-45b3-a911-aa3fa01094f5"
CMPIVOT, SCRIPTS = "Microsoft.Intune_CloudAttach_CMPivot", "Microsoft.Intune_CloudAttach_ScriptActions"
PEOPLE = [
    {"id": ANNA, "userPrincipalName": "anna@contoso.com", "accountEnabled": True, "onPremisesSyncEnabled": True},
    {"id": BERT, "userPrincipalName": "bert@contoso.com", "accountEnabled": False, "onPremisesSyncEnabled": None},
]
GROUPS = [
    {"id": GROUP, "displayName": "SG-Ops", "securityEnabled": True, "mailEnabled": False, "groupTypes": []},
    {"id": OTHER, "displayName": "SG-EU", "securityEnabled": True, "mailEnabled": False, "groupTypes": []},
]
SITE = {"SiteCode": "P01", "SiteName": "Primary", "ReportingSiteCode": "", "Type": 2, "Version": "5.00.9122.1000"}
COLLECTIONS = [
    {"CollectionID": "SMS00001", "Name": "All Systems", "CollectionType": 2, "LimitToCollectionID": ""},
    {"CollectionID": "P0100010", "Name": "Workstations", "CollectionType": 2, "LimitToCollectionID": "SMS00001"},
]
ROLES = {"RoleID": "P0100001", "RoleName": "Pivot", "CopiedFromID": "SMS0001R", "IsBuiltIn": False, "SourceSite": "P01"}
ADMIN = {
    "AdminID": 16777217,
    "LogonName": "CONTOSO\\ops",
    "IsGroup": True,
    "AdminSid": "S-1-5-21-1-2",
    "SourceSite": "P01",
}
PAIR = {"RoleID": "P0100001", "RoleName": "Pivot"}
PAIRS = [
    PAIR | {"CategoryID": "SMS00UNA", "CategoryName": "Default", "CategoryTypeID": 29},
    PAIR | {"CategoryID": "P0100010", "CategoryName": "Workstations", "CategoryTypeID": 1},
]
MACHINE = {
    "ResourceID": 16777219,
    "Name": "PC-1",
    "SiteCode": "P01",
    "ClientVersion": "5.00.9122.1000",
    "CoManaged": False,
}


def answer(context: str, *rows: Any, **more: Any) -> dict[str, Any]:
    """An answer of a service."""
    return {
        "@odata.context": GRAPH + context,
        **{f"@odata.{key}": value for key, value in more.items()},
        "value": list(rows),
    }


def pascal(value: Any) -> Any:
    """As PowerShell spells it."""
    if isinstance(value, dict):
        return {key[:1].upper() + key[1:]: pascal(inner) for key, inner in value.items()}
    return [pascal(inner) for inner in value] if isinstance(value, list) else value


def role(name: str, *allowed: str, **more: Any) -> dict[str, Any]:
    """An Intune role as Graph answers it."""
    actions = {"allowedResourceActions": list(allowed), "notAllowedResourceActions": []}
    return {"displayName": name, "isBuiltIn": False, "rolePermissions": [{"resourceActions": [actions]}], **more}


def assigned(**more: Any) -> dict[str, Any]:
    """An assignment of the role with ROLE as its id."""
    row = {"id": GIVEN, "displayName": "Ops", "members": [GROUP], "resourceScopes": [], "scopeType": "resourceScope"}
    return row | {"roleDefinition": {"id": ROLE, "displayName": "Pivot"}} | more


# --- each kind, in its smallest form -----------------------------------------------

KINDS: dict[str, tuple[str, str | Any]] = {
    "configmgr.sites": ("SMS_Site.json", [SITE]),
    "configmgr.operations": ("ops.json", [{"ObjectTypeID": 1, "OperationName": "Read", "BitFlag": 1}]),
    "configmgr.security-scopes": ("scopes.json", [{"CategoryID": "SMS00UNA", "CategoryName": "Default"}]),
    "configmgr.object-scopes": ("members.json", [{"CategoryID": "SMS00UNA", "ObjectKey": "x", "ObjectTypeID": 213}]),
    "graph.organization": ("o.json", [{"id": "t", "displayName": "Contoso", "verifiedDomains": []}]),
    "graph.subscriptions": ("s.json", [{"skuId": "1", "servicePlans": [], "capabilityStatus": "Enabled"}]),
    "graph.users": ("u.json", PEOPLE),
    "graph.sign-ins": ("si.json", [{"id": ANNA, "signInActivity": {"lastSignInDateTime": "2026-10-30T07:00:00Z"}}]),
    "graph.groups": ("g.json", GROUPS),
    "graph.group-members": (
        "m.json",
        [{"groupId": GROUP, "members": [{"id": ANNA, "@odata.type": "#microsoft.graph.user"}]}],
    ),
    "graph.group-transitive-members": ("t.json", [{"groupId": GROUP, "transitiveMembers": [{"id": ANNA}]}]),
    "graph.group-eligibility": ("e.json", [{"groupId": GROUP, "principalId": ANNA, "accessId": "member"}]),
    "graph.directory-role-definitions": ("rd.json", [{"templateId": INTUNE_ADMIN, "rolePermissions": []}]),
    "graph.directory-role-assignments": (
        "ra.json",
        [{"roleDefinitionId": INTUNE_ADMIN, "principalId": ANNA, "directoryScopeId": "/"}],
    ),
    "graph.directory-role-eligibility": (
        "re.json",
        [{"roleDefinitionId": INTUNE_ADMIN, "principalId": ANNA, "memberType": "Direct", "directoryScopeId": "/"}],
    ),
    "graph.directory-roles": (
        "dr.json",
        [{"id": ROLE, "roleTemplateId": INTUNE_ADMIN, "displayName": "Intune Administrator"}],
    ),
    "graph.service-principals": ("sp.json", [{"id": SERVICE, "appId": APP_ID, "appRoles": []}]),
    "graph.app-role-assignments": ("aa.json", [{"appRoleId": ADMIN_USER, "principalId": ANNA, "resourceId": SERVICE}]),
    "graph.toggle": ("getState.json", {"enabled": True}),
    "graph.scope-tags": ("tags.json", [{"id": "0", "displayName": "Default", "isBuiltIn": True}]),
    "graph.role-definitions": ("roles.json", [role("Pivot", CMPIVOT, id=ROLE)]),
    "graph.role-assignments": ("given.json", [assigned()]),
    "graph.managed-devices": ("md.json", [{"id": DEVICE, "deviceName": "PC-1", "managementAgent": "mdm"}]),
    "configmgr.collections": ("c.json", COLLECTIONS),
    "configmgr.collection-dependencies": (
        "d.json",
        [{"DependentCollectionID": "P0100010", "SourceCollectionID": "SMS00001", "RelationshipType": 1}],
    ),
    "configmgr.security-roles": ("r.json", [ROLES]),
    "configmgr.role-permissions": (
        "p.json",
        [{"RoleName": "Pivot", "ObjectTypeDisplayName": "Collection", "OperationName": "Read"}],
    ),
    "configmgr.administrative-users": ("a.json", [ADMIN | {"RoleNames": ["Pivot"]}]),
    "configmgr.discovered-users": ("ru.json", [{"UniqueUserName": "CONTOSO\\anna", "SID": "S-1-5-21-1-3"}]),
    "configmgr.discovered-groups": ("rg.json", [{"UniqueUsergroupName": "CONTOSO\\ops", "SID": "S-1-5-21-1-2"}]),
    "configmgr.scripts": ("sc.json", [{"ScriptGuid": "1", "ScriptName": "Clean", "ApprovalState": 3}]),
    "configmgr.applications": ("ap.json", [{"LocalizedDisplayName": "7-Zip", "ModelName": "x", "IsLatest": True}]),
    "configmgr.systems": ("sys.json", [{"ResourceId": 1, "NetbiosName": "PC-1"}]),
    "configmgr.devices": ("cdr.json", [MACHINE]),
    "configmgr.collection-members": ("fcm.json", [{"CollectionID": "SMS00001", "ResourceID": 1}]),
    "file.role-xml": ("role.xml", '<SMS_Roles><SMS_Role RoleName="Pivot"><Operations/></SMS_Role></SMS_Roles>'),
    "file.all-devices": ("DevicesWithInventory.csv", "Device ID,Device name,Managed by\n1,PC-1,ConfigMgr\n"),
    "file.entra-members": (
        f"groups/{GROUP}/exportGroupMembers.csv",
        f"Object ID,User principal name,Display name,Member type\n{ANNA},anna@contoso.com,Anna,User\n",
    ),
    "file.entra-role-assignments": ("ra.csv", "Role name,User principal name\nIntune Administrator,anna@contoso.com\n"),
    "file.security-assignments": ("report.csv", "UserName,RoleName,ScopeName\nCONTOSO\\ops,Pivot,Default\n"),
    "file.role-table": (
        "table.csv",
        "RoleName,CopiedFrom,ObjectTypeName,OperationName,Allow\nPivot,,Collection,Read,Yes\n",
    ),
    "file.lab": ("lab.json", {"sites": [], "roles": [], "admins": [], "collections": [], "devices": []}),
}


def save(folder: Path, name: str, content: Any) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")
    return folder


def test_every_kind_has_a_reader_and_every_reader_a_kind() -> None:
    assert set(READERS) == set(load_policy().exports)


def test_every_kind_is_tested_below() -> None:
    assert set(KINDS) == set(load_policy().exports)


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_is_known_by_what_its_entries_have(kind: str, tmp_path: Path) -> None:
    found = imported(save(tmp_path, *KINDS[kind]))
    assert found.gathered.read == {kind}
    assert found.unknown == []


@pytest.mark.parametrize("kind", [kind for kind, export in load_policy().exports.items() if export.signs.contexts])
def test_a_kind_is_known_by_each_of_its_contexts(kind: str, tmp_path: Path) -> None:
    """Also where nobody is in the list, and with keys and selected properties in brackets."""
    for number, context in enumerate(load_policy().exports[kind].signs.contexts):
        head, slash, tail = context.rpartition("/")
        spelled = f"{head}('{GROUP}'){slash}{tail}(id,name)" if slash else f"{tail}(id,name)"
        name = f"members-{GROUP}" if kind == "graph.group-members" else f"x{number}"
        for text in (context, spelled, f"{context}/$entity"):
            folder = put(tmp_path / str(number), **{name: answer(text)})
            assert imported(folder).gathered.read == {kind}, text


@pytest.mark.parametrize(
    ("spelled", "kind"),
    [
        ("users/microsoft.graph.user", "graph.users"),
        ("Collection(microsoft.graph.user)", "graph.users"),
        ("microsoft.graph.user", "graph.users"),
        ("groups(id,members(id,displayName))", "graph.groups"),
        ("deviceManagement/managedDevices(id,deviceName)/$entity", "graph.managed-devices"),
        ("Collection(microsoft.graph.deletedThing)", None),
        ("roleManagement/directory/roleEligibilityScheduleRequests", None),
        ("users/$delta", None),
        ("Collection($ref)", None),
    ],
)
def test_a_context_is_known_or_the_list_is_left_out(spelled: str, kind: str | None, tmp_path: Path) -> None:
    """Whatever its entries look like: a list that says what it is, is that and nothing else."""
    row = {**PEOPLE[0], "displayName": "Anna", "securityEnabled": True, "deviceName": "x", "managementAgent": "mdm"}
    found = imported(put(tmp_path, x=answer(spelled, row)))
    assert found.gathered.read == ({kind} if kind else set())
    if kind is None:
        assert [p.id for p in found.gathered.problems] == ["unknown-export"]
        assert f"it says that it is `{spelled}`" in found.gathered.problems[0].message


@pytest.mark.parametrize(
    "named",
    [
        {"@odata.type": "#microsoft.graph.somethingElse"},
        {"odata.type": "microsoft.graph.somethingElse"},
        {"OdataType": "#microsoft.graph.somethingElse"},
        {"AdditionalProperties": {"@odata.type": "#microsoft.graph.somethingElse"}},
        {"AdditionalProperties": {"@odata.context": GRAPH + "somethingElse/$entity"}},
        {"SmsProviderObjectPath": "SMS_SomethingElse.ID=1"},
    ],
)
def test_an_entry_that_names_an_unknown_type_is_not_guessed_by_its_keys(named: dict[str, Any], tmp_path: Path) -> None:
    found = imported(put(tmp_path, x=[PEOPLE[0], named | PEOPLE[1]], state=named | {"enabled": True}))
    assert [row["upn"] for row in records(found, "users")] == ["anna@contoso.com"]
    assert "use_intune_rbac" not in found.gathered.tenant.fields
    (problem,) = [p for p in found.gathered.problems if p.id == "unknown-export"]
    assert "somethingelse" in problem.message.casefold()


def test_a_member_of_an_unknown_type_is_in_the_list_that_says_so(tmp_path: Path) -> None:
    """A device is no user and no group; a list of members holds it all the same."""
    rows = [{"@odata.type": "#microsoft.graph.device", "id": DEVICE}, {"id": ANNA}]
    save(tmp_path, f"groups/{GROUP}/members.json", json.dumps(rows))
    put(tmp_path, users=answer("users", *PEOPLE), groups=answer("groups", {"id": GROUP, "displayName": "G"}))
    assert records(imported(tmp_path), "groups")[0]["members"] == ("anna@contoso.com",)


@pytest.mark.parametrize(
    "kind", [k for k, export in load_policy().exports.items() if any(t.startswith("SMS_") for t in export.signs.types)]
)
def test_wmi_classes_are_known_by_every_tag_that_tools_leave(kind: str, tmp_path: Path) -> None:
    for type_ in load_policy().exports[kind].signs.types:
        row = dict(KINDS[kind][1][0])
        for tag in (
            {"__CLASS": type_},
            {"SmsProviderObjectPath": f'{type_}.X="1"'},
            {"__PATH": f"\\\\CM\\root\\sms:{type_}.X=1"},
        ):
            assert imported(put(tmp_path, rows=[tag | {"X": 1, **row}])).gathered.read == {kind}, tag


# --- wrapping and spelling -----------------------------------------------------------


def people(folder: Path) -> list[tuple[Any, ...]]:
    rows = records(imported(folder), "users")
    return sorted((row["upn"], row.get("id"), row.get("enabled"), row.get("synced")) for row in rows)


BOTH = [("anna@contoso.com", ANNA, True, True), ("bert@contoso.com", BERT, False, False)]


@pytest.mark.parametrize(
    "content",
    [
        answer("users", *PEOPLE),
        PEOPLE,
        pascal(PEOPLE),
        {"value": PEOPLE},
        {"value": PEOPLE, "Count": 2},
        [answer("users", PEOPLE[0]), answer("users", PEOPLE[1])],
        {"responses": [{"id": "1", "status": 200, "body": answer("users", row)} for row in PEOPLE]},
        {"responses": [{"id": "1", "status": 200, "body": answer("users", *PEOPLE)}]},
        [{k.upper(): v for k, v in row.items()} for row in PEOPLE],
        [{"@odata.type": "#microsoft.graph.user", **row} for row in PEOPLE],
    ],
    ids=[
        "answer",
        "list",
        "PascalCase",
        "bare value",
        "Invoke-RestMethod",
        "pages in a list",
        "batch of two",
        "batch",
        "capitals",
        "types",
    ],
)
def test_users_are_the_same_however_they_are_wrapped(content: Any, tmp_path: Path) -> None:
    assert people(put(tmp_path, users=content)) == BOTH


@pytest.mark.parametrize("wrap", [lambda row: row, lambda row: {"value": row}, lambda row: [row], pascal])
def test_a_single_object_stands_for_a_list_of_one(wrap: Any, tmp_path: Path) -> None:
    assert people(put(tmp_path, user=wrap(PEOPLE[0]))) == BOTH[:1]


@pytest.mark.parametrize(
    "content",
    [
        {"value": {"@odata.type": "microsoft.graph.tenantAttachRBACState", "enabled": True}},
        {"enabled": True},
        {"Enabled": True},
        {"@odata.context": GRAPH + "microsoft.graph.tenantAttachRBACState", "enabled": True},
        {"@odata.context": GRAPH + "microsoft.graph.tenantAttachRBACState", "value": {"enabled": True}},
        {"responses": [{"id": "s", "status": 200, "body": {"value": {"enabled": True}}}]},
        [{"enabled": True}],
    ],
)
def test_the_toggle_is_read_wrapped_and_bare(content: Any, tmp_path: Path) -> None:
    found = imported(put(tmp_path, getState=content))
    assert found.joined.scalars["tenant"].use_intune_rbac == "On"


def test_a_bundle_of_classes_is_several_lists(tmp_path: Path) -> None:
    bundle = {
        "SMS_Site": [SITE],
        "SMS_Collection": COLLECTIONS,
        "SMS_Role": [ROLES],
        "SMS_CombinedDeviceResources": [MACHINE],
    }
    found = imported(put(tmp_path, site=bundle))
    assert found.gathered.read == {
        "configmgr.sites",
        "configmgr.collections",
        "configmgr.security-roles",
        "configmgr.devices",
    }
    assert [row["name"] for row in records(found, "collections")] == ["All Systems", "Workstations"]


def test_additional_properties_are_properties(tmp_path: Path) -> None:
    member = {
        "Id": ANNA,
        "DeletedDateTime": None,
        "AdditionalProperties": {"@odata.type": "#microsoft.graph.user", "userPrincipalName": "anna@contoso.com"},
    }
    put(tmp_path, users=PEOPLE, groups=GROUPS)
    put(tmp_path / "groups" / GROUP, members=[member])
    assert groups(tmp_path)["SG-Ops"]["members"] == ("anna@contoso.com",)


def test_what_powershell_did_not_ask_for_is_unknown(tmp_path: Path) -> None:
    """Get-MgUser without -Property leaves OnPremisesSyncEnabled null for everybody: that is no cloud-only tenant."""
    rows = pascal([{**row, "onPremisesSyncEnabled": None, "accountEnabled": None} for row in PEOPLE])
    assert people(put(tmp_path, users=rows)) == [
        ("anna@contoso.com", ANNA, None, None),
        ("bert@contoso.com", BERT, None, None),
    ]


def test_an_absent_sync_flag_is_unknown_and_null_is_cloud_only(tmp_path: Path) -> None:
    rows = [
        {"id": ANNA, "userPrincipalName": "a@c.com"},
        {"id": BERT, "userPrincipalName": "b@c.com", "onPremisesSyncEnabled": None},
    ]
    assert [row[3] for row in people(put(tmp_path, users=answer("users", *rows)))] == [None, False]


@pytest.mark.parametrize(
    ("type_", "says"),
    [
        ("alldevices", "all-devices"),
        ("AllDevices", "all-devices"),
        ("ALLLICENSEDUSERS", "all-users"),
        ("ResourceScope", "groups"),
    ],
)
def test_the_case_of_an_enum_means_nothing(type_: str, says: str, tmp_path: Path) -> None:
    put(tmp_path, roles=answer("deviceManagement/roleDefinitions", role("Pivot", CMPIVOT, id=ROLE)))
    put(tmp_path, given=answer("deviceManagement/roleAssignments", assigned(scopeType=type_)))
    assert records(imported(tmp_path), "intune_assignments")[0]["scope_type"] == says


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_json_of_any_encoding(encoding: str, newline: str, tmp_path: Path) -> None:
    text = json.dumps(answer("users", *PEOPLE), indent=1).replace("\n", newline)
    (tmp_path / "users.json").write_bytes(text.encode(encoding))
    assert people(tmp_path) == BOTH


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize(
    "first", ["", "#TYPE Selected.Microsoft.Graph.PowerShell.Models.MicrosoftGraphUser\n", "sep=X\n"]
)
def test_csv_of_any_encoding_delimiter_and_first_line(
    encoding: str, newline: str, delimiter: str, first: str, tmp_path: Path
) -> None:
    lines = [
        "USERPRINCIPALNAME,Id,account enabled,OnPremisesSyncEnabled",
        f'"anna@contoso.com",{ANNA},True,TRUE',
        f"bert@contoso.com,{BERT},false,False",
    ]
    text = first.replace("X", delimiter) + "\n".join(lines).replace(",", delimiter) + "\n"
    (tmp_path / "users.csv").write_bytes(text.replace("\n", newline).encode(encoding))
    assert people(tmp_path) == BOTH


def test_a_report_with_several_tables_is_several_lists(tmp_path: Path) -> None:
    """Reporting Services writes a header block, an empty line and the next table into one CSV file."""
    text = "Title,Printed\nAdministrative users,2026\n\nUserName,RoleName,ScopeName\nCONTOSO\\ops,Pivot,Default\n"
    found = imported(save(tmp_path, "report.csv", text))
    assert found.gathered.read == {"file.security-assignments"}
    assert len(found.unknown) == 1


# --- pages -----------------------------------------------------------------------------


def test_pages_may_come_in_any_order(tmp_path: Path) -> None:
    pages = [
        answer("users", PEOPLE[0], nextLink="https://graph.microsoft.com/v1.0/users?$skiptoken=2"),
        answer("users", nextLink="https://graph.microsoft.com/v1.0/users?$skiptoken=3"),
        answer("users", PEOPLE[1]),
    ]
    for number, order in enumerate(permutations(pages)):
        folder = put(tmp_path / str(number), **{f"page-{i}": page for i, page in enumerate(order)})
        found = imported(folder)
        assert people(folder) == BOTH
        assert ids(found) == []
        assert "users" not in found.joined.scalars["incomplete"]


@pytest.mark.parametrize("more", [{"nextLink": "https://graph.microsoft.com/v1.0/users?$skiptoken=2"}, {"count": 3}])
def test_a_list_that_lacks_pages_is_incomplete(more: dict[str, Any], tmp_path: Path) -> None:
    found = imported(put(tmp_path, users=answer("users", *PEOPLE, **more)))
    assert ids(found) == ["missing-pages"]
    assert "users" in found.joined.scalars["incomplete"]


def test_a_count_that_fits_is_no_problem(tmp_path: Path) -> None:
    assert ids(imported(put(tmp_path, users=answer("users", *PEOPLE, count=2)))) == []


def test_members_that_lack_pages_are_some_of_the_members(tmp_path: Path) -> None:
    put(tmp_path, users=answer("users", *PEOPLE), groups=answer("groups", *GROUPS))
    link = f"https://graph.microsoft.com/v1.0/groups/{GROUP}/members?$skiptoken=2"
    put(
        tmp_path / "groups" / GROUP,
        members=answer("directoryObjects", {"@odata.type": "#microsoft.graph.user", "id": ANNA}, nextLink=link),
    )
    put(tmp_path / "groups" / OTHER, members=answer("directoryObjects"))
    found = groups(tmp_path)
    assert found["SG-Ops"]["members_incomplete"] is True
    assert "members_incomplete" not in found["SG-EU"]
    assert found["SG-EU"]["members"] == ()


# --- groups ------------------------------------------------------------------------------


def groups(folder: Path) -> dict[str, dict[str, Any]]:
    return {row["name"]: row for row in records(imported(folder), "groups")}


MEMBERS = answer("directoryObjects", {"@odata.type": "#microsoft.graph.user", "id": ANNA})


@pytest.mark.parametrize(
    "name",
    [
        "groups/{id}/members",
        "groups/SG-Ops/members",
        "{id}/members-2",
        "members-{id}",
        "members of SG-Ops",
        "members_{id}",
        "members-SG-Ops",
        "Members-SG-Ops-1",
    ],
)
def test_a_place_tells_whose_members_a_file_holds(name: str, tmp_path: Path) -> None:
    put(tmp_path, users=answer("users", *PEOPLE), groups=answer("groups", *GROUPS))
    put(tmp_path, **{name.format(id=GROUP): MEMBERS})
    assert groups(tmp_path)["SG-Ops"]["members"] == ("anna@contoso.com",)


def test_the_manifest_of_a_collection_tells_it_too(tmp_path: Path) -> None:
    put(
        tmp_path,
        users=answer("users", *PEOPLE),
        groups=answer("groups", *GROUPS),
        f1=MEMBERS,
        f2=answer("directoryObjects"),
    )
    url = "https://graph.microsoft.com/v1.0/groups/{}/members?$top=999"
    pairs = [{"file": "f1.json", "url": url.format(GROUP)}, {"file": "f2.json", "url": url.format(OTHER)}]
    put(tmp_path, collected={"permcheck": "collection/1", "responses": pairs})
    found = groups(tmp_path)
    assert (found["SG-Ops"]["members"], found["SG-EU"]["members"]) == (("anna@contoso.com",), ())


def test_a_next_link_tells_it_too(tmp_path: Path) -> None:
    link = f"https://graph.microsoft.com/v1.0/groups/{GROUP}/members?$skiptoken=2"
    put(tmp_path, users=answer("users", *PEOPLE), groups=answer("groups", *GROUPS))
    put(tmp_path, page=MEMBERS | {"@odata.nextLink": link})
    assert groups(tmp_path)["SG-Ops"]["members"] == ("anna@contoso.com",)


def test_members_of_nobody_are_an_error(tmp_path: Path) -> None:
    found = imported(put(tmp_path, whatever=MEMBERS))
    assert ids(found) == ["no-owner"]


def test_devices_and_services_in_a_group_are_no_people(tmp_path: Path) -> None:
    rows = [
        {"@odata.type": f"#microsoft.graph.{kind}", "id": DEVICE}
        for kind in ("device", "servicePrincipal", "orgContact")
    ]
    put(tmp_path, users=answer("users", *PEOPLE), groups=answer("groups", *GROUPS))
    put(tmp_path / "groups" / GROUP, members=answer("directoryObjects", *rows))
    assert groups(tmp_path)["SG-Ops"]["members"] == ()


def test_a_download_of_members_is_read_as_members(tmp_path: Path) -> None:
    put(tmp_path, users=answer("users", *PEOPLE), groups=answer("groups", *GROUPS))
    save(tmp_path, *KINDS["file.entra-members"])
    assert groups(tmp_path)["SG-Ops"]["members"] == ("anna@contoso.com",)


def test_transitive_members_are_members_by_some_way(tmp_path: Path) -> None:
    put(tmp_path, users=answer("users", *PEOPLE), groups=answer("groups", *GROUPS))
    put(tmp_path / "groups" / GROUP, transitiveMembers=MEMBERS)
    found = groups(tmp_path)["SG-Ops"]
    assert found["all_members"] == ("anna@contoso.com",)
    assert "members" not in found


def test_whoever_must_activate_a_membership_is_no_member(tmp_path: Path) -> None:
    """PIM for groups: eligible is not active. Owners are no members either."""
    put(tmp_path, users=answer("users", *PEOPLE), groups=answer("groups", *GROUPS))
    put(tmp_path / "groups" / GROUP, members=answer("directoryObjects"))
    rows = [
        {"groupId": GROUP, "principalId": id_, "accessId": access}
        for id_, access in ((ANNA, "member"), (BERT, "owner"))
    ]
    put(tmp_path, eligible=answer("identityGovernance/privilegedAccess/group/eligibilitySchedules", *rows))
    found = groups(tmp_path)["SG-Ops"]
    assert (found["members"], found["eligible"]) == ((), ("anna@contoso.com",))


@pytest.mark.parametrize("key", ["groupId", "GroupId"])
def test_groups_that_name_their_members(key: str, tmp_path: Path) -> None:
    """The command of docs/collect.md: one entry to a group."""
    member = {"Id": ANNA, "AdditionalProperties": {"@odata.type": "#microsoft.graph.user"}}
    put(tmp_path, users=answer("users", *PEOPLE), groups=answer("groups", *GROUPS))
    rows = [{key: GROUP, "members": [member]}, {key: OTHER, "members": []}]
    put(tmp_path, members={"@odata.context": "#groups/members", "value": rows})
    found = groups(tmp_path)
    assert (found["SG-Ops"]["members"], found["SG-EU"]["members"]) == (("anna@contoso.com",), ())


# --- roles of Intune -----------------------------------------------------------------------


def test_both_lists_of_scope_groups_count(tmp_path: Path) -> None:
    """resourceScopes and its twin scopeMembers are united."""
    put(
        tmp_path,
        groups=answer("groups", *GROUPS),
        roles=answer("deviceManagement/roleDefinitions", role("Pivot", CMPIVOT, id=ROLE)),
    )
    put(
        tmp_path,
        given=answer("deviceManagement/roleAssignments", assigned(resourceScopes=[GROUP], scopeMembers=[OTHER, GROUP])),
    )
    assert records(imported(tmp_path), "intune_assignments")[0]["scope_groups"] == ("SG-Ops", "SG-EU")


def test_the_nine_built_in_roles_of_a_real_tenant_add_no_role(tmp_path: Path) -> None:
    """Source: ugurkocde/IntuneRBAC @ b7a9323 (MIT), as policy/roles restates it: nothing differs, so nothing is said."""
    policy = load_policy()
    rows = [
        role(
            policy.roles[id_].name,
            *sorted({p for grant in policy.roles[id_].grants for p in grant.permissions}),
            id=id_,
            isBuiltIn=True,
        )
        for id_, plane in policy.role_planes.items()
        if plane == "intune"
    ]
    assert len(rows) >= 9
    found = imported(put(tmp_path, roles=answer("deviceManagement/roleDefinitions", *rows)))
    assert records(found, "intune_roles") == []
    assert ids(found) == []
    assert found.gathered.notes == {}


def test_a_built_in_role_that_the_tenant_has_otherwise_is_the_tenants(tmp_path: Path) -> None:
    id_ = load_policy().find_role("intune", "Help Desk Operator")
    put(
        tmp_path,
        roles=answer("deviceManagement/roleDefinitions", role("Help Desk Operator", CMPIVOT, id=id_, isBuiltIn=True)),
    )
    found = imported(tmp_path)
    assert [row["permissions"] for row in records(found, "intune_roles")] == [(CMPIVOT,)]
    assert any("not as documented" in note for note in found.gathered.notes)


def test_the_flat_roles_of_microsoft365dsc(tmp_path: Path) -> None:
    rows = {
        "roles": [{"ResourceName": "IntuneRoleDefinition", "Id": ROLE, "DisplayName": "Pivot", "IsBuiltIn": False, "allowedResourceActions": [CMPIVOT, SCRIPTS], "notAllowedResourceActions": [""], "Ensure": "Present"}],
        "given": [{"ResourceName": "IntuneRoleAssignment", "DisplayName": "Ops", "Members": [""], "MembersDisplayNames": ["SG-Ops"], "ResourceScopes": [OTHER], "ScopeType": "resourceScope", "RoleDefinition": ROLE, "RoleDefinitionDisplayName": "Pivot", "Ensure": "Present"}],
    }  # fmt: skip
    found = imported(put(tmp_path, groups=answer("groups", *GROUPS), **rows))
    assert [(row["name"], row["permissions"]) for row in records(found, "intune_roles")] == [
        ("Pivot", (CMPIVOT, SCRIPTS))
    ]
    assert [(row["role"], row["members"], row["scope_groups"]) for row in records(found, "intune_assignments")] == [
        ("Pivot", ("SG-Ops",), ("SG-EU",))
    ]


def test_the_backup_of_intunecd_has_assignments_in_its_roles(tmp_path: Path) -> None:
    inner = {
        "description": "",
        "displayName": "Ops EU",
        "members": ["SG-Ops"],
        "scopeMembers": ["SG-EU"],
        "scopeType": "resourceScope",
    }
    put(tmp_path, groups=answer("groups", *GROUPS))
    put(
        tmp_path / "Roles",
        Pivot=role("Pivot", CMPIVOT, roleAssignments=[inner, inner | {"displayName": "Lost", "members": ""}]),
    )
    rows = records(imported(tmp_path), "intune_assignments")
    assert [(row["name"], row["role"], row.get("members")) for row in rows] == [
        ("Ops EU", "Pivot", ("SG-Ops",)),
        ("Lost", "Pivot", None),
    ]


def test_denied_actions_are_kept_apart(tmp_path: Path) -> None:
    row = role("Pivot", CMPIVOT, id=ROLE)
    row["rolePermissions"][0]["resourceActions"][0]["notAllowedResourceActions"] = [SCRIPTS]
    assert records(imported(put(tmp_path, roles=answer("deviceManagement/roleDefinitions", row))), "intune_roles")[0][
        "not_allowed"
    ] == (SCRIPTS,)


# --- Entra ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "principals",
    [
        None,
        [
            {
                "id": SERVICE,
                "appId": APP_ID,
                "appRoles": [{"id": ADMIN_USER, "value": "AdminUser.ReadWrite", "displayName": "Admin User"}],
            }
        ],
        [
            {
                "id": SERVICE,
                "appId": APP_ID,
                "appRoles": [{"id": OTHER, "value": "AdminUser.ReadWrite", "displayName": "x"}],
            }
        ],
        [{"id": SERVICE, "appId": APP_ID, "appRoles": [{"id": OTHER, "value": "x", "displayName": "Admin User"}]}],
    ],
    ids=["id alone", "id", "value", "name"],
)
def test_admin_user_is_known_by_id_value_or_name(principals: Any, tmp_path: Path) -> None:
    role_id = ADMIN_USER if principals is None else principals[0]["appRoles"][0]["id"]
    row = {
        "appRoleId": role_id,
        "principalId": ANNA,
        "principalType": "User",
        "resourceId": SERVICE,
        "resourceDisplayName": "Configuration Manager Microservice",
    }
    put(tmp_path, users=answer("users", *PEOPLE), held=answer("appRoleAssignments", row))
    if principals:
        put(tmp_path, sp=answer("servicePrincipals", *principals))
    rows = records(imported(tmp_path), "app_roles")
    assert [(row["role"], row["assigned_to"]) for row in rows] == [("Admin User", ("anna@contoso.com",))]


@pytest.mark.parametrize(
    ("role_id", "kind", "resource"),
    [
        ("00000000-0000-0000-0000-000000000000", "User", SERVICE),
        ("1ce9e34f-35e8-4af8-b172-09e4dd00453d", "User", SERVICE),
        (ADMIN_USER, "ServicePrincipal", SERVICE),
    ],
    ids=["default access", "another role", "an application"],
)
def test_other_assignments_are_not_admin_user(role_id: str, kind: str, resource: str, tmp_path: Path) -> None:
    row = {"appRoleId": role_id, "principalId": ANNA, "principalType": kind, "resourceId": resource}
    put(tmp_path, users=answer("users", *PEOPLE), held=answer("appRoleAssignments", row))
    put(tmp_path, sp=answer("servicePrincipals", {"id": SERVICE, "appId": APP_ID, "appRoles": []}))
    assert [row["role"] for row in records(imported(tmp_path), "app_roles") if row["role"] == "Admin User"] == []


@pytest.mark.parametrize("context", [f"servicePrincipals('{SERVICE}')/appRoleAssignedTo", "appRoleAssignments"])
def test_both_contexts_of_app_role_assignments(context: str, tmp_path: Path) -> None:
    row = {"appRoleId": ADMIN_USER, "principalId": ANNA, "principalType": "User", "resourceId": SERVICE}
    put(
        tmp_path,
        users=answer("users", *PEOPLE),
        held=answer(context, row),
        sp=answer("servicePrincipals", {"id": SERVICE, "appId": APP_ID, "appRoles": []}),
    )
    assert len(records(imported(tmp_path), "app_roles")) == 1


def test_holders_of_the_roles_of_another_application_say_nothing_of_admin_user(tmp_path: Path) -> None:
    """Source: graphdocs_appRoleAssignedTo.json. Whoever exported the wrong application knows nothing about this one."""
    row = {
        "appRoleId": OTHER,
        "principalId": ANNA,
        "principalType": "User",
        "resourceId": GROUP,
        "resourceDisplayName": "dxprovisioning-graphapi-client",
    }
    put(tmp_path, users=answer("users", *PEOPLE), held=answer(f"servicePrincipals('{GROUP}')/appRoleAssignedTo", row))
    found = imported(tmp_path)
    assert "app_roles" not in found.joined.sections or "app_roles" in found.joined.scalars["incomplete"]


def test_a_list_in_which_applications_hold_roles_is_a_list(tmp_path: Path) -> None:
    """Whoever is a service principal is nobody who signs in; the list is whole all the same."""
    row = {
        "appRoleId": ADMIN_USER,
        "principalId": ANNA,
        "principalType": "ServicePrincipal",
        "resourceId": SERVICE,
        "resourceDisplayName": "Configuration Manager Microservice",
    }
    put(tmp_path, users=answer("users", *PEOPLE), held=answer(f"servicePrincipals('{SERVICE}')/appRoleAssignedTo", row))
    found = imported(tmp_path)
    assert records(found, "app_roles") == []
    assert "app_roles" in found.joined.sections
    assert "app_roles" not in found.joined.scalars["incomplete"]


def test_an_application_is_known_by_its_name_where_only_its_context_is_there(tmp_path: Path) -> None:
    row = {
        "appRoleId": ADMIN_USER,
        "principalId": ANNA,
        "principalType": "User",
        "resourceId": SERVICE,
        "resourceDisplayName": "Configuration Manager Microservice",
    }
    put(tmp_path, users=answer("users", *PEOPLE), held=answer(f"servicePrincipals('{SERVICE}')/appRoleAssignedTo", row))
    assert [row["assigned_to"] for row in records(imported(tmp_path), "app_roles")] == [("anna@contoso.com",)]


def entra(folder: Path) -> dict[str, Any]:
    return {row["role"]: (row.get("members"), row.get("eligible")) for row in records(imported(folder), "entra_roles")}


def test_eligible_holders_of_a_directory_role_are_not_active(tmp_path: Path) -> None:
    row = {"roleDefinitionId": INTUNE_ADMIN, "principalId": ANNA, "directoryScopeId": "/"}
    put(tmp_path, users=answer("users", *PEOPLE))
    put(tmp_path, active=answer("roleManagement/directory/roleAssignments", row | {"principalId": BERT}))
    put(tmp_path, eligible=answer("roleManagement/directory/roleEligibilitySchedules", row | {"memberType": "Direct"}))
    assert entra(tmp_path) == {"Intune Administrator": (("bert@contoso.com",), ("anna@contoso.com",))}


def test_a_directory_role_in_an_administrative_unit_is_left_out(tmp_path: Path) -> None:
    row = {"roleDefinitionId": INTUNE_ADMIN, "principalId": ANNA, "directoryScopeId": f"/administrativeUnits/{GROUP}"}
    put(tmp_path, users=answer("users", *PEOPLE), active=answer("roleManagement/directory/roleAssignments", row))
    found = imported(tmp_path)
    assert records(found, "entra_roles") == []
    assert any("part of the tenant" in note for note in found.gathered.notes)


@pytest.mark.parametrize(
    ("scope", "members"), [("Directory", ("anna@contoso.com",)), ("/", ("anna@contoso.com",)), ("Branch office", None)]
)
def test_a_download_of_role_assignments_tells_its_scope(scope: str, members: Any, tmp_path: Path) -> None:
    put(tmp_path, users=answer("users", *PEOPLE))
    save(
        tmp_path,
        "roles.csv",
        f"Role,User principal name,Scope,State\nIntune Administrator,anna@contoso.com,{scope},Active\n",
    )
    assert entra(tmp_path) == {"Intune Administrator": (members, None)}


def test_a_download_of_role_assignments_tells_who_must_activate(tmp_path: Path) -> None:
    put(tmp_path, users=answer("users", *PEOPLE))
    save(
        tmp_path,
        "roles.csv",
        "Role name,User principal name,Assignment state\nIntune Administrator,anna@contoso.com,Eligible\n",
    )
    assert entra(tmp_path) == {"Intune Administrator": ((), ("anna@contoso.com",))}


@pytest.mark.parametrize(
    ("columns", "cells", "expected"),
    [
        ("Role,Role template ID", f"Rolle,{INTUNE_ADMIN}", {"Intune Administrator": (("anna@contoso.com",), None)}),
        ("Role,Role template ID", f"Intune Administrator,{GROUP}", {}),
        ("Role,Object ID", f"Intune Administrator,{BERT}", {"Intune Administrator": (("bert@contoso.com",), None)}),
        ("Role,Principal type", "Intune Administrator,ServicePrincipal", {}),
        ("Role,Member type", "Intune Administrator,Service principal", {}),
        ("Role,Member type", "Intune Administrator,Direct", {"Intune Administrator": (("anna@contoso.com",), None)}),
        ("Role,State", "Intune Administrator,Activated", {"Intune Administrator": (("anna@contoso.com",), None)}),
        ("Role,State", "Intune Administrator,expired", {}),
    ],
)
def test_a_download_of_role_assignments_is_read_by_ids_and_types_first(
    columns: str, cells: str, expected: Any, tmp_path: Path
) -> None:
    put(tmp_path, users=answer("users", *PEOPLE))
    save(tmp_path, "roles.csv", f"User principal name,{columns}\nanna@contoso.com,{cells}\n")
    found = entra(tmp_path)
    assert {role: held for role, held in found.items() if any(held)} == expected


@pytest.mark.parametrize(
    ("columns", "cells"),
    [
        ("Role", "Rolle"),
        ("Role,Role template ID", "Intune Administrator,none"),
        ("Role,State", "Intune Administrator,Berechtigt"),
        ("Role,Principal type", "Intune Administrator,Benutzer"),
    ],
)
def test_a_download_of_role_assignments_with_words_that_nobody_knows_is_open(
    columns: str, cells: str, tmp_path: Path
) -> None:
    put(tmp_path, users=answer("users", *PEOPLE))
    save(tmp_path, "roles.csv", f"User principal name,{columns}\nanna@contoso.com,{cells}\n")
    assert "entra_roles" in imported(tmp_path).gathered.open


def test_directory_roles_are_joined_by_their_template(tmp_path: Path) -> None:
    put(
        tmp_path,
        users=answer("users", *PEOPLE),
        roles=answer("directoryRoles", {"id": ROLE, "displayName": "Rolle", "roleTemplateId": INTUNE_ADMIN}),
    )
    put(tmp_path / "directoryRoles" / ROLE, members=MEMBERS)
    assert entra(tmp_path) == {"Intune Administrator": (("anna@contoso.com",), None)}


@pytest.mark.parametrize(
    ("rows", "licensed"),
    [
        ({"assignedPlans": [{"servicePlanId": PLAN, "capabilityStatus": "Enabled"}]}, True),
        ({"assignedPlans": [{"servicePlanId": PLAN, "capabilityStatus": "Suspended"}]}, False),
        (
            {
                "assignedPlans": [
                    {"servicePlanId": "113feb6c-3fe4-4440-bddc-54d774bf0318", "capabilityStatus": "Enabled"}
                ]
            },
            False,
        ),
        ({"assignedPlans": []}, False),
        ({}, None),
    ],
    ids=["Intune", "suspended", "another plan", "none", "not exported"],
)
def test_a_licence_is_a_service_plan_of_intune(rows: dict[str, Any], licensed: bool | None, tmp_path: Path) -> None:  # noqa: FBT001
    put(tmp_path, users=answer("users", PEOPLE[0] | rows))
    assert records(imported(tmp_path), "users")[0].get("licensed") is licensed


@pytest.mark.parametrize(("off", "licensed"), [([], True), ([PLAN], False)])
def test_a_licence_is_joined_with_what_the_tenant_subscribed(off: list[str], licensed: bool, tmp_path: Path) -> None:  # noqa: FBT001
    sku = {
        "skuId": OTHER,
        "capabilityStatus": "Enabled",
        "servicePlans": [{"servicePlanId": PLAN, "provisioningStatus": "Success"}],
    }
    put(
        tmp_path,
        skus=answer("subscribedSkus", sku),
        users=answer("users", PEOPLE[0] | {"assignedLicenses": [{"skuId": OTHER, "disabledPlans": off}]}),
    )
    assert records(imported(tmp_path), "users")[0]["licensed"] is licensed


# --- Configuration Manager -------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["rest", "pascal", "csv"])
def test_pairs_are_read_from_permissions(form: str, tmp_path: Path) -> None:
    put(tmp_path, SMS_Site=[SITE], SMS_Collection=COLLECTIONS, SMS_Role=[ROLES | {"Operations": []}])
    if form == "csv":
        lines = [ADMIN | pair for pair in PAIRS]
        save(
            tmp_path,
            "admins.csv",
            "\n".join([",".join(lines[0]), *(",".join(map(str, line.values())) for line in lines)]) + "\n",
        )
    else:
        rows = [ADMIN | {"RoleNames": ["Pivot"], "Permissions": PAIRS}]
        put(tmp_path, admins=answer("SMS_Admin", *rows) if form == "rest" else rows)
    assert records(imported(tmp_path), "administrative_users")[0]["assignments"] == (
        {"role": "Pivot", "scopes": ("Default",), "collections": ("P0100010",)},
    )


def test_an_empty_array_of_a_list_says_nothing(tmp_path: Path) -> None:
    """Lazy properties are empty in a list; the same role asked for alone has them."""
    lists = {"SMS_Site": [SITE], "SMS_AvailableOperation": [{"ObjectTypeID": 1, "OperationName": "Read", "BitFlag": 1}]}
    put(tmp_path, **lists, SMS_Role=answer("SMS_Role", ROLES | {"Operations": []}))
    assert "permissions" not in records(imported(tmp_path), "security_roles")[0]
    put(
        tmp_path,
        one={
            "@odata.context": "#SMS_Role/$entity",
            **ROLES,
            "Operations": [{"ObjectTypeID": 1, "GrantedOperations": 1}],
        },
    )
    assert records(imported(tmp_path), "security_roles")[0]["permissions"] == {"Collection": ("Read",)}


def test_operations_of_a_role_laid_out_flat(tmp_path: Path) -> None:
    put(tmp_path, SMS_Site=[SITE])
    lines = [
        "RoleID,RoleName,CopiedFromID,IsBuiltIn,SourceSite,ObjectTypeID,GrantedOperations",
        "P0100001,Pivot,SMS0001R,False,P01,1,4097",
        "P0100001,Pivot,SMS0001R,False,P01,6,1",
    ]
    save(tmp_path, "roles.csv", "\n".join(lines) + "\n")
    assert records(imported(tmp_path), "security_roles")[0]["permissions"] == {
        "Collection": ("Read", "Read Resource"),
        "Site": ("Read",),
    }


def test_a_grid_of_operations_is_read_as_a_role(tmp_path: Path) -> None:
    save(
        tmp_path,
        "grid.csv",
        "RoleName,CopiedFrom,ObjectTypeIsPartOfRole,ObjectTypeName,OperationName,Allow\nPivot,x,Yes,Collection,Read,Yes\nPivot,x,Yes,Collection,Delete,\nPivot,x,Yes,Site,Read,Yes\n",
    )
    assert records(imported(tmp_path), "security_roles")[0]["permissions"] == {
        "Collection": ("Read",),
        "Site": ("Read",),
    }


def test_the_form_that_set_cmsecurityrolepermission_takes(tmp_path: Path) -> None:
    put(tmp_path, Pivot={"Collection": "Read,Read Resource", "Site": "Read"})
    rows = records(imported(tmp_path), "security_roles")
    assert [(row["name"], row["permissions"]) for row in rows] == [
        ("Pivot", {"Collection": ("Read", "Read Resource"), "Site": ("Read",)})
    ]


@pytest.mark.parametrize("order", [("RoleName", "CopiedFromID"), ("CopiedFromID", "RoleName")])
def test_a_role_export_of_the_console(order: tuple[str, ...], tmp_path: Path) -> None:
    """Source: dsccommunity/ConfigMgrCBDsc @ 28f681d (MIT), whose attributes stand in another order."""
    names = {"RoleName": "Test Role", "CopiedFromID": "SMS0001R"}
    head = " ".join(f'{key}="{names[key]}"' for key in order)
    masks = '<Operation ObjectTypeID="1" GrantedOperations="3"/><Operation GrantedOperations="1" ObjectTypeID="6"/>'
    save(
        tmp_path,
        "role.xml",
        f'<SMS_Roles>\n <SMS_Role {head} RoleDescription="">\n<Operations>{masks}</Operations></SMS_Role></SMS_Roles>',
    )
    (row,) = records(imported(tmp_path), "security_roles")
    assert (row["name"], row["permissions"]) == ("Test Role", {"Collection": ("Read", "Modify"), "Site": ("Read",)})


def test_a_bit_that_no_document_explains_leaves_newer_operations_open(tmp_path: Path) -> None:
    save(
        tmp_path,
        "role.xml",
        '<SMS_Roles><SMS_Role RoleName="R"><Operations><Operation ObjectTypeID="1" GrantedOperations="65"/></Operations></SMS_Role></SMS_Roles>',
    )
    found = imported(tmp_path)
    (row,) = records(found, "security_roles")
    assert row["permissions"] == {"Collection": ("Read",)}
    assert "Run CMPivot" in row["undecided"]["Collection"]
    assert any("bits 64 of Collection" in note for note in found.gathered.notes)


def test_scopes_have_the_names_that_permissions_give_them(tmp_path: Path) -> None:
    """Scripts tell ids of scopes, applications names: without SMS_SecuredCategory, SMS_APermission tells both."""
    europe = PAIR | {"CategoryID": "P01000AA", "CategoryName": "Europe", "CategoryTypeID": 29}
    put(tmp_path, SMS_Site=[SITE], SMS_Collection=COLLECTIONS, SMS_Admin=[ADMIN | {"Permissions": [*PAIRS, europe]}])
    put(
        tmp_path,
        scripts=[{"ScriptGuid": OTHER, "ScriptName": "Clean", "ApprovalState": 3}],
        inside=[{"CategoryID": "P01000AA", "ObjectKey": OTHER, "ObjectTypeID": 213}],
    )
    found = imported(tmp_path)
    assert records(found, "administrative_users")[0]["assignments"][0]["scopes"] == ("Default", "Europe")
    assert records(found, "scripts")[0]["scopes"] == ("Europe",)


def test_a_script_whose_scope_has_no_name_is_in_unknown_scopes(tmp_path: Path) -> None:
    put(tmp_path, SMS_Site=[SITE], scripts=[{"ScriptGuid": OTHER, "ScriptName": "Clean", "ApprovalState": 3}])
    assert "scopes" not in records(imported(tmp_path), "scripts")[0]
    put(tmp_path, inside=[{"CategoryID": "P01000AA", "ObjectKey": OTHER, "ObjectTypeID": 213}])
    assert "scopes" not in records(imported(tmp_path), "scripts")[0]
    put(tmp_path, inside=[{"CategoryID": "SMS00UNA", "ObjectKey": OTHER, "ObjectTypeID": 213}])
    assert records(imported(tmp_path), "scripts")[0]["scopes"] == ("Default",)


def test_two_hierarchies_in_subfolders_keep_apart(tmp_path: Path) -> None:
    for code in ("P01", "T01"):
        collection = {"CollectionID": "SMS00001", "Name": "All Systems", "CollectionType": 2, "LimitToCollectionID": ""}
        put(
            tmp_path / code,
            SMS_Site=[SITE | {"SiteCode": code}],
            SMS_Collection=[collection],
            devices=[MACHINE | {"SiteCode": code}],
        )
        put(tmp_path / code / "deeper", SMS_Role=[ROLES | {"SourceSite": ""}])
    found = imported(tmp_path)
    assert ids(found) == []
    for section in ("collections", "devices", "security_roles"):
        assert sorted(row["hierarchy"] for row in records(found, section)) == ["P01", "T01"], section


def test_lists_of_several_hierarchies_in_one_folder_are_told_apart_or_refused(tmp_path: Path) -> None:
    put(
        tmp_path,
        SMS_Site=[SITE, SITE | {"SiteCode": "T01"}],
        SMS_Admin=[ADMIN, ADMIN | {"SourceSite": "T01", "AdminID": 2}],
    )
    assert ids(imported(tmp_path)) == []
    put(tmp_path, SMS_Scripts=[{"ScriptGuid": "1", "ScriptName": "Clean", "ApprovalState": 3}])
    assert "no-hierarchy" in ids(imported(tmp_path))


ELSEWHERE: dict[str, tuple[str, dict[str, Any]]] = {
    "administrative_users": ("SMS_Admin", ADMIN),
    "security_roles": ("SMS_Role", ROLES),
    "security_scopes": ("SMS_SecuredCategory", {"CategoryID": "T0100001", "CategoryName": "Test", "SourceSite": "P01"}),
    "devices": ("SMS_CombinedDeviceResources", MACHINE),
}


@pytest.mark.parametrize("section", ELSEWHERE)
def test_what_states_a_site_that_is_in_no_list_of_sites_is_left_out(section: str, tmp_path: Path) -> None:
    """It may be of another hierarchy, or of a former site: so the list may lack it, and nobody gets it."""
    name, row = ELSEWHERE[section]
    field = "SiteCode" if section == "devices" else "SourceSite"
    for site, there, told in (("P01", 1, []), ("T01", 0, ["other-site"]), ("CAS", 1, [])):
        put(tmp_path, SMS_Site=[SITE | {"ReportingSiteCode": "CAS"}], **{name: answer(name, row | {field: site})})
        found = imported(tmp_path)
        assert (len(records(found, section)), ids(found)) == (there, told)
        assert (section in found.joined.scalars["incomplete"]) or not told
    save(tmp_path, "facts.yaml", "hierarchies: [{id: LAB, sites: [{code: T01, version: 2309}]}]")
    put(tmp_path, **{name: answer(name, row | {field: "T01"})})
    assert [row["hierarchy"] for row in records(imported(tmp_path), section)] == ["LAB"]


def test_a_member_of_a_site_that_is_in_no_list_leaves_open_where_the_device_is(tmp_path: Path) -> None:
    inside = {"CollectionID": "SMS00001", "ResourceID": MACHINE["ResourceID"], "SiteCode": "P01"}
    rows = [inside, inside | {"CollectionID": "P0100010", "SiteCode": "T01"}]
    put(tmp_path, SMS_Site=[SITE], devices=[MACHINE], members=answer("SMS_FullCollectionMembership", *rows))
    found = imported(tmp_path)
    assert ids(found) == ["other-site"]
    assert "collections" not in records(found, "devices")[0]


def test_sites_below_the_top_one_belong_to_its_hierarchy(tmp_path: Path) -> None:
    below = SITE | {"SiteCode": "S01", "ReportingSiteCode": "P01", "Type": 1, "Version": "5.00.9088.1000"}
    found = imported(put(tmp_path, SMS_Site=[below, SITE]))
    (row,) = records(found, "hierarchies")
    assert (row["id"], {site["code"]: site["version"] for site in row["sites"]}) == ("P01", {"P01": 2309, "S01": 2207})


@pytest.mark.parametrize("entra_id", [DEVICE, None], ids=["by Entra id", "by name"])
def test_cloud_devices_are_joined(entra_id: str | None, tmp_path: Path) -> None:
    put(tmp_path, SMS_Site=[SITE], devices=[MACHINE | {"AADDeviceID": entra_id, "CoManaged": None}])
    cloud = {
        "id": OTHER,
        "deviceName": "renamed" if entra_id else "pc-1",
        "managementAgent": "ConfigurationManagerClientMdm",
        "azureADDeviceId": entra_id,
    }
    put(tmp_path, managed=answer("deviceManagement/managedDevices", cloud))
    (row,) = records(imported(tmp_path), "devices")
    assert (row["name"], row["intune_id"], row["management"]) == ("PC-1", OTHER, "co-managed")


def test_a_name_that_several_devices_have_joins_nothing(tmp_path: Path) -> None:
    put(tmp_path, SMS_Site=[SITE], devices=[MACHINE, MACHINE | {"ResourceID": 2}])
    save(tmp_path, "all.csv", f"Device ID,Device name,Managed by,Azure AD Device ID\n{OTHER},PC-1,ConfigMgr,\n")
    assert not any("intune_id" in row for row in records(imported(tmp_path), "devices")[:2])


@pytest.mark.parametrize("column", ["Azure AD Device ID", "Microsoft Entra Device ID", "AZURE AD DEVICE ID"])
def test_the_list_of_all_devices_tells_who_was_uploaded(column: str, tmp_path: Path) -> None:
    put(tmp_path, SMS_Site=[SITE], devices=[MACHINE | {"AADDeviceID": DEVICE, "CoManaged": None}])
    save(tmp_path, "all.csv", f"Device ID,Device name,Managed by,{column}\n{OTHER},other,ConfigMgr,{DEVICE}\n")
    (row,) = records(imported(tmp_path), "devices")
    assert (row["uploaded"], row["management"], row["intune_id"]) == (True, "configmgr", OTHER)


def test_a_label_that_nobody_knows_says_nothing(tmp_path: Path) -> None:
    put(tmp_path, SMS_Site=[SITE], devices=[{key: value for key, value in MACHINE.items() if key != "CoManaged"}])
    save(tmp_path, "all.csv", f"Device ID,Device name,Managed by\n{OTHER},PC-1,MDE\n")
    (row,) = records(imported(tmp_path), "devices")
    assert "management" not in row
    assert "uploaded" not in row


@pytest.mark.parametrize(
    ("row", "methods", "incomplete"),
    [
        (
            {"AADUserID": ANNA, "AADTenantID": OTHER, "AgentName": ["SMS_AD_USER_DISCOVERY_AGENT"]},
            ("entra", "ad"),
            None,
        ),
        ({"AADUserID": None, "AADTenantID": None, "AgentName": ["SMS_AD_USER_DISCOVERY_AGENT"]}, ("ad",), None),
        ({"AADUserID": ANNA, "AADTenantID": OTHER, "AgentName": ["x"]}, ("entra",), None),
        ({"AADUserID": ANNA, "AADTenantID": OTHER}, ("entra",), True),
        ({"AgentName": "SMS_AD_USER_DISCOVERY_AGENT"}, ("ad",), True),
    ],
    ids=["both", "Active Directory", "Entra", "no agents", "no Entra columns"],
)
def test_a_discovered_user_shows_by_what_it_was_discovered(
    row: dict[str, Any], methods: tuple[str, ...], incomplete: Any, tmp_path: Path
) -> None:
    """A UPN alone proves nothing: Active Directory discovery fills it, too. Nor does a tenant that may be any."""
    found = {"UniqueUserName": "CONTOSO\\anna", "SID": "S-1-5-21-1-3", "UserPrincipalName": "anna@contoso.com", **row}
    put(tmp_path, SMS_R_User=[found], organization=answer("organization", {"id": OTHER, "displayName": "C"}))
    (user,) = records(imported(tmp_path), "users")
    assert (user["discovered_by"], user.get("discovery_incomplete")) == (methods, incomplete)
    (tmp_path / "organization.json").unlink()
    (user,) = records(imported(tmp_path), "users")
    here = tuple(method for method in methods if method != "entra")
    assert (user["discovered_by"], user.get("discovery_incomplete")) == (here, incomplete or here != methods or None)


def test_a_upn_finds_nobody_where_nothing_tells_its_tenant(tmp_path: Path) -> None:
    """It may be that of somebody else in another tenant; then the one who has it here may be discovered, or not."""
    row = {"UniqueUserName": "C\\anna", "SID": "S-1-5-21-1-3", "UserPrincipalName": "anna@contoso.com"}
    agents = {"AADUserID": None, "AADTenantID": OTHER, "AgentName": ["SMS_AD_USER_DISCOVERY_AGENT"]}
    person = PEOPLE[0] | {"onPremisesSecurityIdentifier": "S-1-5-21-1-4"}
    put(tmp_path, SMS_Site=[SITE], users=[person], SMS_R_User=[row | agents])
    anna, other = records(imported(tmp_path), "users")
    assert (anna["upn"], other["upn"]) == ("anna@contoso.com", "C\\anna")
    assert "discovered_by" not in anna


def test_entries_of_several_sites_need_a_list_of_sites(tmp_path: Path) -> None:
    machines = [MACHINE | {"ResourceID": number, "Name": f"PC-{number}"} for number in (1, 2)]
    put(tmp_path, SMS_CombinedDeviceResources=[machines[0] | {"SiteCode": "P01"}, machines[1] | {"SiteCode": "T01"}])
    assert ids(imported(tmp_path)) == ["no-hierarchy"]
    save(tmp_path, "facts.yaml", "hierarchies: [{id: P01, sites: [{code: T01, version: 2309}]}]")
    assert ids(imported(tmp_path)) == []
    save(tmp_path, "facts.yaml", "hierarchies: [{id: P01}]")
    assert ids(imported(tmp_path)) == ["no-hierarchy"]
    put(tmp_path, SMS_Site=[SITE | {"SiteCode": "P01"}, SITE | {"SiteCode": "T01", "ReportingSiteCode": "P01"}])
    assert ids(imported(tmp_path)) == []


@pytest.mark.parametrize("key", ["ResourceId", "ResourceID", "resourceid"])
def test_keys_are_compared_without_case(key: str, tmp_path: Path) -> None:
    put(tmp_path, SMS_Site=[SITE], SMS_R_System=[{key: 7, "Name": "PC-7", "SMSUniqueIdentifier": "GUID:1"}])
    members = {"CollectionID": "SMS00001", "ResourceID": 7, "SiteCode": "P01"}
    put(tmp_path, members=answer("SMS_FullCollectionMembership", members))
    (row,) = records(imported(tmp_path), "devices")
    assert (row["name"], row["collections"]) == ("PC-7", ("SMS00001",))


def test_a_sync_state_that_is_no_yes_or_no_is_unknown(tmp_path: Path) -> None:
    """Null says cloud-only; something unreadable must not."""
    put(tmp_path, users=[{"id": GROUP, "userPrincipalName": "a@contoso.com", "onPremisesSyncEnabled": "perhaps"}])
    (user,) = records(imported(tmp_path), "users")
    assert "synced" not in user


def test_members_of_one_collection_say_nothing_of_the_others(tmp_path: Path) -> None:
    """`Get-CMCollectionMember` lists one collection: a device that is not in it may be in another."""
    put(tmp_path, SMS_Site=[SITE], devices=[MACHINE, {**MACHINE, "ResourceID": 16777220, "Name": "PC-8"}])
    put(tmp_path, members=[{"CollectionID": "P0100010", "ResourceID": 16777219, "Name": "PC-7"}])
    rows = records(imported(tmp_path), "devices")
    assert not any("collections" in row for row in rows)
    (collection,) = (row for row in records(imported(tmp_path), "collections") if row["id"] == "P0100010")
    assert collection["members"] == ("16777219",)


def test_only_devices_are_members_of_device_collections(tmp_path: Path) -> None:
    members = [
        {"CollectionID": "SMS00001", "ResourceID": 16777219, "ResourceType": 5},
        {"CollectionID": "SMS00004", "ResourceID": 2063597568, "ResourceType": 4},
    ]
    put(tmp_path, SMS_Site=[SITE], devices=[MACHINE], members=answer("SMS_FullCollectionMembership", *members))
    (row,) = records(imported(tmp_path), "devices")
    assert row["collections"] == ("SMS00001",)


def test_user_collections_and_limits(tmp_path: Path) -> None:
    rules = [
        {"DependentCollectionID": "P0100010", "SourceCollectionID": source, "RelationshipType": kind}
        for source, kind in (("SMS00001", 1), ("P0100011", 2), ("P0100012", 3))
    ]
    more = [
        {"CollectionID": f"P010001{n}", "Name": f"C{n}", "CollectionType": kind}
        for n, kind in ((1, 2), (2, "1"), (3, 0))
    ]
    put(tmp_path, SMS_Site=[SITE], SMS_Collection=[*COLLECTIONS, *more], rules=rules)
    rows = {row["id"]: row for row in records(imported(tmp_path), "collections")}
    assert (rows["P0100010"]["limited_to"], rows["P0100010"]["include"], rows["P0100010"]["exclude"]) == (
        "SMS00001",
        ("P0100011",),
        ("P0100012",),
    )
    assert (rows["P0100012"]["kind"], "P0100013" in rows) == ("user", False)


@pytest.mark.parametrize(
    ("state", "approved"), [(3, True), (0, False), (1, False), (2, None), (None, None), ("3", True)]
)
def test_the_state_of_a_script(state: Any, approved: bool | None, tmp_path: Path) -> None:  # noqa: FBT001
    put(tmp_path, SMS_Site=[SITE], SMS_Scripts=[{"ScriptGuid": OTHER, "ScriptName": "Clean", "ApprovalState": state}])
    put(
        tmp_path,
        scopes=[{"CategoryID": "P01000AA", "CategoryName": "Europe"}],
        inside=[{"CategoryID": "P01000AA", "ObjectKey": OTHER.upper(), "ObjectTypeID": 213}],
    )
    (row,) = records(imported(tmp_path), "scripts")
    assert (row.get("approved"), row["scopes"]) == (approved, ("Europe",))


def test_applications_are_the_latest_revisions(tmp_path: Path) -> None:
    rows = [
        {"LocalizedDisplayName": "7-Zip", "ModelName": "x", "IsLatest": latest, "SecuredScopeNames": [scope]}
        for latest, scope in ((False, "Old"), (True, "Default"))
    ]
    found = imported(put(tmp_path, SMS_Site=[SITE], SMS_Application=rows))
    assert [(row["name"], row["scopes"]) for row in records(found, "applications")] == [("7-Zip", ("Default",))]


def test_members_that_discovery_saw_are_some_of_a_group(tmp_path: Path) -> None:
    anna = {"UniqueUserName": "CONTOSO\\anna", "SID": "S-1-5-21-1-3", "SecurityGroupName": ["contoso\\OPS"]}
    put(
        tmp_path,
        SMS_Site=[SITE],
        SMS_R_User=[anna],
        SMS_R_UserGroup=[{"UniqueUsergroupName": "CONTOSO\\ops", "UsergroupName": "ops", "SID": "S-1-5-21-1-2"}],
    )
    found = groups(tmp_path)["ops"]
    assert (found["members"], found["members_incomplete"]) == (("CONTOSO\\anna",), True)


# --- a lab in one file --------------------------------------------------------------------------------

LAB = {
    "_source": "SpecterOps/ConfigManBearPig@aeba245 (Apache-2.0), reduced to a few records and renamed",
    "sites": [
        {"code": "PS1", "siteType": "Primary Site", "version": "5.00.9106.1000", "parentSiteCode": "CAS"},
        {"code": "CAS", "siteType": "Central Administration Site", "version": "5.00.9106.1000", "parentSiteCode": ""},
    ],
    "roles": [
        {"roleID": "SMS0001R", "roleName": "Full Administrator", "isBuiltIn": True, "copiedFromID": "", "numberOfAdmins": 2},
        {"roleID": "PS100001", "roleName": "Custom Role", "isBuiltIn": False, "copiedFromID": "SMS0002R", "numberOfAdmins": 1},
    ],
    "admins": [
        {"name": "MAYYHEM\\one", "adminSid": "S-1-5-21-1-1", "roles": ["SMS0001R"], "collections": ["SMS00001"], "isGroup": False},
        {"name": "MAYYHEM\\two", "adminSid": "S-1-5-21-1-2", "roles": ["SMS0001R", "PS100001"], "collections": ["SMS00001"], "isGroup": False},
    ],
    "collections": [
        {"collectionID": "SMS00001", "name": "All Systems", "collectionType": "Device", "members": ["GUID:1"]},
        {"collectionID": "SMS00003", "name": "All User Groups", "collectionType": "User", "members": []},
        {"collectionID": "SMS000X", "name": "Root", "collectionType": "Other", "members": []},
    ],
    "devices": [{"name": "PC1@PS1", "resourceID": "16777219@PS1", "smsid": "GUID:1", "coManaged": True}],
    "directory": [
        {"kind": "User", "sid": "S-1-5-21-1-1", "name": "one@mayyhem.com"},
        {"kind": "Group", "sid": "S-1-5-21-1-9", "name": "OPS@MAYYHEM.COM"},
    ],
    "member_of": [["S-1-5-21-1-1", "S-1-5-21-1-9"]],
}  # fmt: skip


def test_a_lab_in_one_file(tmp_path: Path) -> None:
    """It has no pairs of roles and collections and no operations: both stay unknown where that matters."""
    found = imported(put(tmp_path, lab=LAB))
    assert ids(found) == []
    assert [row["id"] for row in records(found, "hierarchies")] == ["CAS"]
    admins = {row["name"]: row.get("assignments") for row in records(found, "administrative_users")}
    assert [pair["role"] for pair in admins["MAYYHEM\\one"]] == ["Full Administrator"]
    assert admins["MAYYHEM\\two"] is None
    assert [(row["name"], row["collections"], row["management"]) for row in records(found, "devices")] == [
        ("PC1", ("SMS00001",), "co-managed")
    ]
    assert [(row["name"], "permissions" in row) for row in records(found, "security_roles")] == [("Custom Role", False)]
    assert [row["id"] for row in records(found, "collections")] == ["SMS00001", "SMS00003"]
    assert groups(tmp_path)["OPS"]["members"] == ("one@mayyhem.com",)


def test_the_estate_of_a_lab_can_be_asked(tmp_path: Path) -> None:
    estate = permcheck.load(put(tmp_path, lab=LAB))
    assert estate.check("one@mayyhem.com", "run-cmpivot", "PC1").verdict.value == "undetermined"


# --- where a fact stands -------------------------------------------------------------------------------


def test_an_answer_names_the_entry_that_it_rests_on(tmp_path: Path) -> None:
    folder = export(written("contoso")[0], tmp_path, FORMATS["ConvertTo-Json"])
    decision = permcheck.load(folder).check("cloud-helpdesk@contoso.com", "run-cmpivot", "PC-0042")
    text = repr(decision)
    assert str(folder / "graph" / "users.json") in text or "graph/users.json" in text


def test_an_estate_is_no_export() -> None:
    for name in ESTATES:
        assert imported(EXAMPLES / name).gathered.read == set()
