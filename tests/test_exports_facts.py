"""One fact, stated in two exports: the same, or refused with both places. Nobody tells which of two is newer."""

from __future__ import annotations

import shutil
from copy import deepcopy
from pathlib import Path
from typing import Any

import permcheck
import pytest
from exported import EXAMPLES, ids, imported, put, records
from permcheck import LoadError
from test_exports_shapes import (
    ADMIN,
    ANNA,
    APP_ID,
    BERT,
    CMPIVOT,
    COLLECTIONS,
    GIVEN,
    GROUP,
    GROUPS,
    INTUNE_ADMIN,
    MACHINE,
    OTHER,
    PAIR,
    PAIRS,
    PEOPLE,
    ROLE,
    ROLES,
    SCRIPTS,
    SERVICE,
    SITE,
    answer,
    assigned,
    role,
    save,
)  # fmt: skip

PLAN = {"servicePlanId": "41781fb2-bc02-4b7c-bd55-b576c07bb09d", "provisioningStatus": "Success"}
SKU = {"skuId": "sku", "capabilityStatus": "Enabled", "servicePlans": [PLAN]}
SCRIPT = {"ScriptGuid": OTHER, "ScriptName": "Clean", "ApprovalState": 3}
BASE: dict[str, Any] = {"SMS_Site": [SITE], "users": PEOPLE[1:]}
LISTS: dict[str, tuple[Any, Any]] = {
    "the toggle": ({"enabled": False}, {"enabled": True}),
    "a property of the tenant": tuple(
        answer("organization", {"id": "t", "displayName": "x", "isMultipleDataLocationsForServicesEnabled": several})
        for several in (True, False)
    ),
    "a licence": ([SKU], [SKU | {"servicePlans": []}]),
    "a user": (PEOPLE[:1], [PEOPLE[0] | {"onPremisesSyncEnabled": None}]),
    "a user's licence": tuple(
        [PEOPLE[0] | {"assignedPlans": plans}]
        for plans in ([], [{"servicePlanId": "c1ec4a95-1f05-45b3-a911-aa3fa01094f5", "capabilityStatus": "Enabled"}])
    ),
    "a group": (GROUPS[:1], [GROUPS[0] | {"securityEnabled": False}]),
    "a site's version": ([SITE], [SITE | {"Version": "5.00.9088.1000"}]),
    "a site's place": ([SITE | {"ReportingSiteCode": "CAS"}], [SITE | {"ReportingSiteCode": "C02"}]),
    "the name of a scope": tuple([{"CategoryID": "P01000AA", "CategoryName": name}] for name in ("Europe", "Asia")),
    "the name of a tag": tuple(
        answer("deviceManagement/roleScopeTags", {"id": "7", "displayName": name}) for name in ("Europe", "Asia")
    ),
    "an operation": tuple(
        [{"ObjectTypeID": 1, "BitFlag": 4096, "OperationName": name}] for name in ("Run CMPivot", "Read")
    ),
    "the limit of a collection": (COLLECTIONS[1:], [COLLECTIONS[1] | {"LimitToCollectionID": "P0100011"}]),
    "an app role": tuple(
        answer(
            "servicePrincipals",
            {"id": SERVICE, "appId": APP_ID, "appRoles": [{"id": ROLE, "value": value, "displayName": "x"}]},
        )
        for value in ("AdminUser.ReadWrite", "Other.Read")
    ),
    "an application": tuple(answer("servicePrincipals", {"id": SERVICE, "appId": app}) for app in (APP_ID, OTHER)),
    "a directory role": tuple(
        answer("directoryRoles", {"id": ROLE, "roleTemplateId": template}) for template in (INTUNE_ADMIN, OTHER)
    ),
    "an Intune role": ([role("Pivot", CMPIVOT, id=ROLE)], [role("Pivot", CMPIVOT, SCRIPTS, id=ROLE)]),
    "members of an assignment": ([assigned()], [assigned(members=[OTHER])]),
    "tags of an assignment": ([assigned(roleScopeTagIds=["0"])], [assigned(roleScopeTagIds=["7"])]),
    "the role of an assignment": ([assigned()], [assigned(roleDefinition={"id": OTHER})]),
    "an administrative user": ([ADMIN | {"Permissions": PAIRS}], [ADMIN | {"Permissions": PAIRS[:1]}]),
    "a security role": tuple(
        [ROLES | {"Operations": [{"ObjectTypeID": 1, "GrantedOperations": mask}]}] for mask in (1, 3)
    ),
    "a script": ([SCRIPT], [SCRIPT | {"ApprovalState": 0}]),
    "a device": ([MACHINE], [MACHINE | {"CoManaged": True}]),
    "members of a group": tuple(
        {"@odata.context": "#groups/members", "value": [{"groupId": GROUP, "members": members}]}
        for members in ([{"id": ANNA}], [{"id": ANNA}, {"id": BERT}])
    ),
    "an emptied group": tuple(
        {"@odata.context": "#groups/members", "value": [{"groupId": GROUP, "members": members}]}
        for members in ([{"id": ANNA}], [])
    ),
    "the list of assignments": (
        [assigned(), assigned(id=OTHER, displayName="More")],
        [assigned(), assigned(id=ROLE, displayName="Others")],
    ),
    "members of collections": tuple(
        answer("SMS_FullCollectionMembership", *({"CollectionID": "P0100010", "ResourceID": n} for n in numbers))
        for numbers in ((1, 2), (2, 3))
    ),
    "holders of a directory role": tuple(
        answer(
            "roleManagement/directory/roleAssignments",
            *({"roleDefinitionId": INTUNE_ADMIN, "principalId": id_, "directoryScopeId": "/"} for id_ in held),
        )
        for held in ((ANNA, BERT), (BERT,))
    ),
}


@pytest.mark.parametrize("fact", LISTS)
@pytest.mark.parametrize("swapped", [False, True], ids=["a-b", "b-a"])
@pytest.mark.parametrize("folders", [("", ""), ("monday", "friday")], ids=["one folder", "two folders"])
def test_a_fact_that_two_exports_state_differently_is_refused(
    fact: str,
    swapped: bool,  # noqa: FBT001
    folders: tuple[str, str],
    tmp_path: Path,
) -> None:
    """Whatever the file is called: neither the first nor the last of them is believed."""
    one, two = LISTS[fact][::-1] if swapped else LISTS[fact]
    kept = {name: rows for name, rows in BASE.items() if not fact.startswith("a site")}
    put(tmp_path, **kept)
    put(tmp_path / folders[0], aa=deepcopy(one))
    put(tmp_path / folders[1], zz=deepcopy(two))
    problems = [problem for problem in imported(tmp_path).joined.problems if problem.id == "conflict"]
    assert problems
    assert "aa.json" in str(problems[0])
    assert "zz.json" in str(problems[0])


@pytest.mark.parametrize("fact", LISTS)
def test_a_fact_that_is_stated_twice_alike_is_a_fact(fact: str, tmp_path: Path) -> None:
    one, _ = LISTS[fact]
    kept = {name: rows for name, rows in BASE.items() if not fact.startswith("a site")}
    put(tmp_path, **kept, aa=deepcopy(one), zz=deepcopy(one))
    assert "conflict" not in ids(imported(tmp_path))


def test_the_toggle_of_an_export_must_be_what_people_wrote(tmp_path: Path) -> None:
    put(tmp_path, users=PEOPLE, getState={"enabled": True})
    for written, refused in (("On", False), ("true", False), ("Off", True)):
        save(tmp_path, "facts.yaml", f"tenant: {{use_intune_rbac: {written}}}\n")
        assert ("conflict" in ids(imported(tmp_path))) is refused


def test_the_version_of_a_site_must_be_what_people_wrote(tmp_path: Path) -> None:
    save(tmp_path, "facts.yaml", "hierarchies:\n- {id: P01, sites: [{code: P01, version: 2207}]}\n")
    assert "conflict" in ids(imported(put(tmp_path, users=PEOPLE, SMS_Site=[SITE])))


@pytest.mark.parametrize(
    "name", ["getState.json", "organization.json", "users.json", "SMS_Admin.json", "SMS_Role.json"]
)
def test_a_copy_of_an_export_beside_it_changes_nothing(name: str, tmp_path: Path) -> None:
    folder = tmp_path / "exports"
    shutil.copytree(EXAMPLES / "exports", folder)
    shutil.copy(folder / name, folder / f"zz-{name}")
    ask = ("helpdesk@contoso.com", "run-cmpivot", "PC-1042")
    before = permcheck.load(EXAMPLES / "exports").verdict(*ask)
    assert permcheck.load(folder).verdict(*ask) == before


def test_the_last_export_of_the_toggle_does_not_win(tmp_path: Path) -> None:
    folder = tmp_path / "exports"
    shutil.copytree(EXAMPLES / "exports", folder)
    text = (folder / "getState.json").read_text("utf-8")
    changed = text.replace("true", "false") if "true" in text else text.replace("false", "true")
    (folder / "zz-getState.json").write_text(changed, "utf-8")
    with pytest.raises(LoadError, match="use_intune_rbac"):
        permcheck.load(folder)


def held(*ids_: str) -> dict[str, Any]:
    """Who holds a directory role."""
    rows = ({"roleDefinitionId": INTUNE_ADMIN, "principalId": id_, "directoryScopeId": "/"} for id_ in ids_)
    return answer("roleManagement/directory/roleAssignments", *rows)


@pytest.mark.parametrize("members", [[ANNA], [ANNA, BERT], []])
def test_holders_of_a_role_are_the_same_in_lists_of_two_kinds(members: list[str], tmp_path: Path) -> None:
    row = {"id": ROLE, "roleTemplateId": INTUNE_ADMIN, "displayName": "x", "members": [{"id": id_} for id_ in members]}
    put(tmp_path, users=answer("users", *PEOPLE), one=held(ANNA), two=answer("directoryRoles", row))
    assert ("conflict" in ids(imported(tmp_path))) is (members == [ANNA, BERT])


@pytest.mark.parametrize("members", [["anna@contoso.com"], ["bert@contoso.com"], []])
def test_holders_of_a_role_are_those_that_people_wrote(members: list[str], tmp_path: Path) -> None:
    put(tmp_path, users=answer("users", *PEOPLE), one=held(ANNA))
    save(tmp_path, "facts.yaml", f"entra_roles:\n- {{role: Intune Administrator, members: {members}}}\n")
    assert ("conflict" in ids(imported(tmp_path))) is (members != ["anna@contoso.com"])


# --- what knows less states nothing ---------------------------------------------------------


def test_a_mask_and_the_names_of_operations_are_one_fact(tmp_path: Path) -> None:
    """A bit that nobody explains may be the operation that the other list names; it can't take one away."""
    put(tmp_path, users=PEOPLE, SMS_Site=[SITE])
    put(tmp_path, SMS_Role=[ROLES | {"Operations": [{"ObjectTypeID": 1, "GrantedOperations": 65}]}])
    named = [{"RoleName": "Pivot", "ObjectTypeDisplayName": "Collection", "OperationName": "Read,Run CMPivot"}]
    found = imported(put(tmp_path, p=named))
    (row,) = records(found, "security_roles")
    assert (ids(found), row["permissions"], row.get("undecided")) == ([], {"Collection": ("Read", "Run CMPivot")}, None)
    put(tmp_path, p=[named[0] | {"OperationName": "Run CMPivot"}])
    assert "conflict" in ids(imported(tmp_path))


def test_what_discovery_could_not_see_contradicts_nobody(tmp_path: Path) -> None:
    """Without AgentName, Active Directory may have found the account as well."""
    row = {"UniqueUserName": "C\\anna", "SID": "S-1-5-21-1-3", "AADUserID": ANNA, "AADTenantID": OTHER}
    agents = {"AgentName": ["SMS_AD_USER_DISCOVERY_AGENT"]}
    tenant = answer("organization", {"id": OTHER, "displayName": "C"})
    put(tmp_path, SMS_Site=[SITE], users=PEOPLE, one=[row], two=[row | agents], organization=tenant)
    found = imported(tmp_path)
    (anna,) = [user for user in records(found, "users") if user.get("id") == ANNA]
    assert (ids(found), set(anna["discovered_by"])) == ([], {"entra", "ad"})
    assert "discovery_incomplete" not in anna
    put(tmp_path, two=[row | agents | {"AADUserID": None, "AADTenantID": None}])
    assert "conflict" in ids(imported(tmp_path))


@pytest.mark.parametrize("called", ["anna@contoso.com", "C\\anna"])
def test_what_a_group_is_called_changes_no_upn(called: str, tmp_path: Path) -> None:
    """And a member whom people wrote by a name that both have is refused, as in an estate file."""
    rows = [{"UniqueUserName": "C\\anna", "SID": "S-1-5-21-1-3", "UserPrincipalName": "anna@contoso.com"}]
    put(tmp_path, SMS_Site=[SITE], groups=[GROUPS[0] | {"displayName": called}, GROUPS[1]], found=rows)
    put(tmp_path, **{f"groups/{OTHER}/members": [{"id": ANNA, "@odata.type": "#microsoft.graph.user"}]})
    for people in ([], PEOPLE):
        put(tmp_path, **({"users": people} if people else {}))
        assert [row["upn"] for row in records(imported(tmp_path), "users")][:1] == ["anna@contoso.com"]
    (tmp_path / "facts.yaml").write_text(f"groups: [{{name: AD, type: security, members: ['{called}']}}]\n")
    with pytest.raises(LoadError, match="could be any of 2"):
        permcheck.load(tmp_path)


def test_whoever_bore_a_upn_before_has_another_name(tmp_path: Path) -> None:
    """An account that was deleted and made again is discovered under its old SID for a while."""
    rows = [
        {
            "UniqueUserName": "C\\anna",
            "SID": "S-1-5-21-1-3",
            "AADUserID": OTHER,
            "UserPrincipalName": "anna@contoso.com",
        }
    ]
    found = imported(put(tmp_path, SMS_Site=[SITE], users=PEOPLE[:1], found=rows))
    assert [(row["id"], row["upn"]) for row in records(found, "users")] == [
        (ANNA, "anna@contoso.com"),
        (OTHER, "C\\anna"),
    ]


@pytest.mark.parametrize(
    ("tenant", "methods"), [(OTHER, ("entra", "ad")), ("{" + OTHER.upper() + "}", ("entra", "ad")), (GROUP, ("ad",))]
)
def test_discovery_in_another_tenant_is_none_in_this_one(tenant: str, methods: tuple[str, ...], tmp_path: Path) -> None:
    """What it tells of Active Directory stands; an account that it alone tells is nobody here."""
    row = {"AADTenantID": tenant, "AgentName": ["SMS_AD_USER_DISCOVERY_AGENT"]}
    rows = [
        {"UniqueUserName": "C\\anna", "SID": "S-1-5-21-1-3", "AADUserID": ANNA} | row,
        {"UniqueUserName": "AzureAD\\bert", "AADUserID": BERT, "UserPrincipalName": "bert@contoso.com"} | row,
    ]
    people = [PEOPLE[0] | {"onPremisesSecurityIdentifier": "S-1-5-21-1-3"}, PEOPLE[1]]
    found = imported(
        put(
            tmp_path,
            SMS_Site=[SITE],
            users=people,
            SMS_R_User=rows,
            organization=answer("organization", {"id": OTHER, "displayName": "C"}),
        )
    )
    anna, bert = records(found, "users")
    assert (ids(found), anna["discovered_by"], anna["id"], anna["account"]) == ([], methods, ANNA, "C\\anna")
    assert ("discovered_by" in bert) is (tenant != GROUP)


SLIPS: dict[str, tuple[str, bool]] = {
    "a scope group": ("intune_assignments: [{name: Mine, role: Help Desk Operator, scope_groups: [SG-Nowhere]}]", True),
    "a member": ("intune_assignments: [{name: Mine, role: Help Desk Operator, members: [SG-Nowhere]}]", True),
    "a role": ("intune_assignments: [{name: Mine, role: Help Desk Operater}]", True),
    "a tag": ("intune_assignments: [{name: Mine, role: Help Desk Operator, scope_tags: [Defualt]}]", True),
    "a limiting collection": (
        "collections: [{hierarchy: P01, id: P0100099, name: Mine, limited_to: Worksations}]",
        True,
    ),
    "a limiting collection by its name": (
        "collections: [{hierarchy: P01, id: P0100099, name: Mine, limited_to: Workstations}]",
        False,
    ),
    "an author": ("scripts: [{name: Mine, author: nobody@contoso.com}]", True),
}


@pytest.mark.parametrize("slip", SLIPS)
def test_what_people_refer_to_beside_exports_must_be_there(slip: str, tmp_path: Path) -> None:
    text, refused = SLIPS[slip]
    mine = {"CollectionID": "P0100099", "Name": "Mine", "CollectionType": 2}
    put(tmp_path, users=PEOPLE, groups=GROUPS, SMS_Site=[SITE], SMS_Collection=[*COLLECTIONS, mine])
    save(tmp_path, "facts.yaml", text)
    if not refused:
        collection = permcheck.load(tmp_path).tables.limited_to["p01/p0100099"]
        assert collection == "p01/p0100010"
        return
    with pytest.raises(LoadError) as caught:
        permcheck.load(tmp_path)
    (problem,) = (one for one in caught.value.problems if one.severity == "error")
    assert (problem.id, Path(problem.file).name, problem.line) == ("unknown-name", "facts.yaml", 1)


def test_parts_of_a_list_that_people_saved_are_one_list(tmp_path: Path) -> None:
    put(tmp_path, one=PEOPLE[:1], two=PEOPLE[1:])
    assert ids(imported(tmp_path)) == []


def test_several_records_in_intune_of_one_device_state_what_they_agree_on(tmp_path: Path) -> None:
    """A device that was enrolled again leaves its old record behind."""
    put(tmp_path, users=PEOPLE, SMS_Site=[SITE], devices=[MACHINE | {"AADDeviceID": OTHER, "CoManaged": None}])
    row = {"deviceName": "PC-1", "azureADDeviceId": OTHER, "managementAgent": "configurationManagerClientMdm"}
    rows = [row | {"id": ROLE}, row | {"id": GIVEN}]
    found = imported(put(tmp_path, md=answer("deviceManagement/managedDevices", *rows)))
    (device,) = records(found, "devices")
    assert ids(found) == []
    assert (device["management"], device.get("intune_id")) == ("co-managed", None)


def test_a_device_of_another_id_is_another_device(tmp_path: Path) -> None:
    put(tmp_path, users=PEOPLE, SMS_Site=[SITE], devices=[MACHINE | {"AADDeviceID": OTHER, "CoManaged": None}])
    row = {"id": ROLE, "deviceName": "PC-1", "azureADDeviceId": GIVEN, "managementAgent": "configurationManagerClient"}
    found = imported(put(tmp_path, md=answer("deviceManagement/managedDevices", row)))
    assert sorted(str(device.get("intune_id")) for device in records(found, "devices")) == [ROLE, "None"]


def test_a_device_without_a_client_is_not_managed_because_it_is_not_co_managed(tmp_path: Path) -> None:
    put(tmp_path, SMS_Site=[SITE], devices=[MACHINE | {"ClientVersion": ""}])
    (device,) = records(imported(tmp_path), "devices")
    assert "management" not in device


def test_a_group_that_gets_mail_is_unknown_without_its_types(tmp_path: Path) -> None:
    rows = [
        {"id": GROUP, "displayName": "A", "securityEnabled": True, "mailEnabled": True},
        {"id": OTHER, "displayName": "B", "securityEnabled": True, "mailEnabled": False},
    ]
    found = {row["name"]: row.get("type") for row in records(imported(put(tmp_path, groups=rows)), "groups")}
    assert found == {"A": None, "B": "security"}


def test_a_property_that_stands_twice_in_an_entry_tells_nothing(tmp_path: Path) -> None:
    row = {"id": ANNA, "userPrincipalName": "a@c.com", "accountEnabled": True, "AccountEnabled": False}
    (user,) = records(imported(put(tmp_path, users=[row])), "users")
    assert "enabled" not in user


def test_the_name_of_a_scope_in_a_pair_must_be_that_of_the_list(tmp_path: Path) -> None:
    pair = PAIR | {"CategoryID": "P01000AA", "CategoryName": "Europe", "CategoryTypeID": 29}
    put(tmp_path, **BASE, SMS_Admin=[ADMIN | {"Permissions": [*PAIRS, pair]}])
    put(tmp_path, scopes=[{"CategoryID": "P01000AA", "CategoryName": "Asia"}])
    assert "conflict" in ids(imported(tmp_path))


# --- lists in one text ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cell", "known", "places"),
    [
        ("Workstations", (), ("P0100010",)),
        ("Workstations; All Systems", (), ("P0100010", "SMS00001")),
        ("Servers, EU", ("Servers, EU",), ("P0100011",)),
        ("Servers; EU", ("Servers; EU",), None),
        ("Workstations;Servers; EU", ("Servers; EU",), None),
    ],
)
def test_a_cell_is_split_where_no_name_has_the_separator(
    cell: str, known: tuple[str, ...], places: tuple[str, ...] | None, tmp_path: Path
) -> None:
    """A comma never separates names, and a text that may be one name or two is none of them."""
    more = [{"CollectionID": "P0100011", "Name": name, "CollectionType": 2} for name in known]
    put(tmp_path, users=PEOPLE, SMS_Site=[SITE], SMS_Collection=[*COLLECTIONS, *more], SMS_Role=[ROLES])
    save(tmp_path, "admins.csv", f'LogonName,RoleNames,CollectionNames\nCONTOSO\\ops,Pivot,"{cell}"\n')
    (row,) = records(imported(tmp_path), "administrative_users")
    assert (None if row.get("assignments") is None else row["assignments"][0]["collections"]) == places


def test_a_text_in_json_is_one_name(tmp_path: Path) -> None:
    more = {"CollectionID": "P0100011", "Name": "A; B", "CollectionType": 2}
    put(tmp_path, users=PEOPLE, SMS_Site=[SITE], SMS_Collection=[*COLLECTIONS, more], SMS_Role=[ROLES])
    put(tmp_path, SMS_Admin=[ADMIN | {"RoleNames": "Pivot", "CollectionNames": "A; B"}])
    (row,) = records(imported(tmp_path), "administrative_users")
    assert row["assignments"][0]["collections"] == ("P0100011",)
