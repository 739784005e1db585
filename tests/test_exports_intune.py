"""Intune roles and assignments as the wire has them: cut rows, twins, links of every kind, eligibilities that ended."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path
from typing import Any

import permcheck
import pytest
import yaml
from exported import ids, imported, put, records
from permcheck.loading.policy import load_policy
from test_exports_shapes import (
    ANNA,
    BERT,
    CMPIVOT,
    GIVEN,
    GROUP,
    GROUPS,
    INTUNE_ADMIN,
    OTHER,
    PEOPLE,
    ROLE,
    SCRIPTS,
    answer,
    assigned,
    role,
    save,
)  # fmt: skip

ROWS = "deviceManagement/roleAssignments"
UNDER = f"deviceManagement/roleDefinitions('{ROLE}')/roleAssignments"
LISTED = {"id": GIVEN, "displayName": "Ops", "description": "", "roleDefinition": None}
CUT = {"id": GIVEN, "displayName": "Ops", "members": [], "resourceScopes": []}
ALONE = assigned(roleDefinition=None, roleScopeTagIds=["0"])
FACTS = """
tenant: {cloud: public, use_intune_rbac: true, unlicensed_admins: true, geography: EU, multi_geo: false}
hierarchies:
- {id: P01, version: 2303, enforce_configmgr_rbac: cleared, tenant_attached: true, upload: all, administration_service: true}
devices:
- {name: PC-1, hierarchy: P01, online: true, management: configmgr}
entra_roles: []
assume: [SITE-*, DEV-*, IDENT-*]
"""


def tenant(folder: Path, **lists: Any) -> Path:
    """People and a group, the facts that no tool exports, and what differs."""
    save(folder, "facts.yaml", FACTS)
    put(folder, users=answer("users", *PEOPLE), groups=answer("groups", *GROUPS))
    put(folder, members={"@odata.context": "#groups/members", "value": [{"groupId": GROUP, "members": [{"id": ANNA}]}]})
    roles = lists.pop("roles", answer("deviceManagement/roleDefinitions", role("Pivot", CMPIVOT, id=ROLE)))
    return put(folder, roles=roles, **lists)


def given(folder: Path) -> dict[str, Any]:
    """The one assignment."""
    (row,) = records(imported(folder), "intune_assignments")
    return row


# --- one assignment in several answers ---------------------------------------------------------

ANSWERS = {"list": answer(ROWS, LISTED), "alone": answer(f"{ROWS}/$entity") | ALONE, "under": answer(UNDER, CUT)}
ANSWERS["alone"].pop("value")


@pytest.mark.parametrize("order", list(permutations(ANSWERS)), ids=" ".join)
def test_the_answers_about_an_assignment_are_one(order: tuple[str, ...], tmp_path: Path) -> None:
    """Each has what the others lack: the list an id, the assignment its groups, the way from the role the role."""
    tenant(tmp_path, **{f"{number}-{name}": ANSWERS[name] for number, name in enumerate(order)})
    found = given(tmp_path)
    assert ids(imported(tmp_path)) == []
    assert (found["role"], found["members"], found["scope_tags"]) == ("Pivot", ("SG-Ops",), ("Default",))
    assert permcheck.load(tmp_path).verdict("anna@contoso.com", "run-cmpivot", "PC-1").value == "allow"


@pytest.mark.parametrize("lost", ANSWERS)
def test_what_an_answer_would_have_told_is_unknown_without_it(lost: str, tmp_path: Path) -> None:
    tenant(tmp_path, **{name: said for name, said in ANSWERS.items() if name != lost})
    verdict = permcheck.load(tmp_path).verdict("anna@contoso.com", "run-cmpivot", "PC-1").value
    assert verdict == ("allow" if lost == "list" else "undetermined")


@pytest.mark.parametrize("key", ["members", "resourceScopes", "roleScopeTagIds", "roleScopeTags"])
def test_an_empty_list_of_a_cut_row_says_nothing(key: str, tmp_path: Path) -> None:
    """What says that a row is whole is its scopeType."""
    field = {"members": "members", "resourceScopes": "scope_groups"}.get(key, "scope_tags")
    row = {"id": GIVEN, "displayName": "Ops", "members": [GROUP], "roleDefinition": {"id": ROLE}} | {key: []}
    assert field not in given(tenant(tmp_path / "cut", rows=answer(ROWS, row)))
    whole = given(tenant(tmp_path / "whole", rows=answer(ROWS, row | {"scopeType": "allDevices"})))
    assert not whole.get(field)
    assert field == "scope_groups" or field in whole


def test_an_assignment_that_is_only_cut_has_unknown_members(tmp_path: Path) -> None:
    nested = role("Pivot", CMPIVOT, id=ROLE, roleAssignments=[CUT])
    tenant(tmp_path, roles=answer("deviceManagement/roleDefinitions", nested))
    assert given(tmp_path) == {"name": "Ops", "id": GIVEN, "role": "Pivot"}
    assert permcheck.load(tmp_path).verdict("anna@contoso.com", "run-cmpivot", "PC-1").value == "undetermined"


@pytest.mark.parametrize(
    "link",
    [
        {"roleDefinition": {"id": ROLE}},
        {"roleDefinition": {"displayName": "Pivot"}},
        {"roleDefinition": ROLE},
        {"roleDefinitionId": ROLE.upper()},
        {"RoleDefinition": ROLE, "RoleDefinitionDisplayName": "renamed since"},
        {"RoleDefinitionDisplayName": "Pivot"},
        {"roleDefinition@odata.bind": f"https://graph.microsoft.com/beta/deviceManagement/roleDefinitions('{ROLE}')"},
        {"roleDefinition@odata.bind": f"https://graph.microsoft.com/beta/deviceManagement/roleDefinitions/{ROLE}"},
    ],
)
def test_a_link_to_the_role_counts_however_it_is_written(link: dict[str, Any], tmp_path: Path) -> None:
    row = {key: item for key, item in assigned().items() if key != "roleDefinition"} | link
    assert given(tenant(tmp_path, rows=answer(ROWS, row)))["role"] == "Pivot"


@pytest.mark.parametrize(
    "context", [f"{ROWS}('{GIVEN}')/$entity", f"{ROWS}/$entity", f"{ROWS}(roleScopeTags())/$entity"]
)
def test_the_id_of_an_assignment_in_its_context_is_no_role(context: str, tmp_path: Path) -> None:
    alone = {"@odata.context": f"https://graph.microsoft.com/beta/$metadata#{context}", **assigned()}
    assert given(tenant(tmp_path, alone=alone))["role"] == "Pivot"


@pytest.mark.parametrize("name", [f"roleDefinitions/{ROLE}/roleAssignments", "any"])
def test_the_place_of_a_file_tells_the_role_too(name: str, tmp_path: Path) -> None:
    tenant(tmp_path, **{name: {"value": [CUT]}})
    lost = any("nothing tells which role" in problem.message for problem in imported(tmp_path).joined.problems)
    assert lost is (name == "any")


# --- what a role allows ---------------------------------------------------------------------------

BOTH = [{"allowedResourceActions": [CMPIVOT, SCRIPTS], "notAllowedResourceActions": []}]


@pytest.mark.parametrize(
    "shape",
    [
        {"rolePermissions": [{"resourceActions": BOTH}]},
        {"rolePermissions": [{"actions": [CMPIVOT, SCRIPTS]}]},
        {"permissions": [{"actions": [CMPIVOT, SCRIPTS]}]},
        {"permissions": [{"resourceActions": BOTH}]},
        {"rolePermissions": [{"actions": [], "resourceActions": BOTH}], "permissions": None},
        {"rolePermissions": [{"actions": [SCRIPTS, CMPIVOT], "resourceActions": BOTH}]},
        {"allowedResourceActions": [CMPIVOT, SCRIPTS]},
        {"rolePermissions": [], "permissions": [{"actions": [CMPIVOT, SCRIPTS]}]},
    ],
)
def test_actions_are_read_wherever_they_stand(shape: dict[str, Any], tmp_path: Path) -> None:
    rows = answer("deviceManagement/roleDefinitions", {"id": ROLE, "displayName": "Pivot", **shape})
    found = imported(put(tmp_path, users=PEOPLE, roles=rows))
    (row,) = records(found, "intune_roles")
    assert (set(row["permissions"]), ids(found)) == ({CMPIVOT, SCRIPTS}, [])


@pytest.mark.parametrize(
    ("shape", "sure"),
    [
        ({"rolePermissions": [{"resourceActions": BOTH}], "permissions": [{"actions": [CMPIVOT]}]}, {CMPIVOT}),
        ({"rolePermissions": [{"actions": [CMPIVOT], "resourceActions": BOTH}]}, {CMPIVOT}),
        ({"rolePermissions": [{"resourceActions": BOTH}], "permissions": [{"resourceActions": [{"allowedResourceActions": []}]}]}, set()),
        ({"rolePermissions": [{"resourceActions": BOTH}], "allowedResourceActions": [CMPIVOT]}, {CMPIVOT}),
        ({"rolePermissions": [{"resourceActions": BOTH}], "allowedResourceActions": [CMPIVOT, SCRIPTS], "notAllowedResourceActions": [SCRIPTS]}, {CMPIVOT}),
    ],
)  # fmt: skip
def test_twins_that_differ_are_told_and_what_one_has_alone_is_undecided(
    shape: dict[str, Any], sure: set[str], tmp_path: Path
) -> None:
    rows = answer("deviceManagement/roleDefinitions", {"id": ROLE, "displayName": "Pivot", **shape})
    tenant(tmp_path, roles=rows, given=answer(ROWS, assigned(roleScopeTagIds=["0"])))
    found = imported(tmp_path)
    (row,) = records(found, "intune_roles")
    assert (set(row["permissions"]), set(row["undecided"])) == (sure, {CMPIVOT, SCRIPTS} - sure)
    assert "twins" in ids(found)
    said = permcheck.load(tmp_path).check("anna@contoso.com", "run-cmpivot", "PC-1")
    missing = {one.fact for one in said.missing}
    assert ("intune_roles[Pivot].permissions" in missing) is (CMPIVOT not in sure)


@pytest.mark.parametrize(
    "shape",
    [
        {},
        {"rolePermissions": []},
        {"rolePermissions": None},
        {"rolePermissions": [{}]},
        {"rolePermissions": [{"resourceActions": []}]},
        {"permissions": [{"actions": []}]},
        {"permissions": [{"somethingNew": [CMPIVOT]}]},
    ],
)
def test_a_role_of_which_nothing_can_be_read_is_unknown(shape: dict[str, Any], tmp_path: Path) -> None:
    """And never one without actions: who holds it may do anything."""
    rows = answer("deviceManagement/roleDefinitions", {"id": ROLE, "displayName": "Pivot", **shape})
    tenant(tmp_path, roles=rows, given=answer(ROWS, assigned(roleScopeTagIds=["0"])))
    found = imported(tmp_path)
    assert records(found, "intune_roles") == []
    assert "no-permissions" in ids(found)
    assert permcheck.load(tmp_path).verdict("anna@contoso.com", "run-cmpivot", "PC-1").value == "undetermined"


def test_a_role_without_actions_is_one_where_its_list_is_there_and_empty(tmp_path: Path) -> None:
    rows = answer("deviceManagement/roleDefinitions", role("Pivot", id=ROLE))
    tenant(tmp_path, roles=rows, given=answer(ROWS, assigned(roleScopeTagIds=["0"])))
    assert records(imported(tmp_path), "intune_roles")[0]["permissions"] == ()
    assert permcheck.load(tmp_path).verdict("anna@contoso.com", "run-cmpivot", "PC-1").value == "deny"


@pytest.mark.parametrize("id_", [OTHER, None])
def test_that_a_role_says_so_makes_it_no_built_in_one(id_: str | None, tmp_path: Path) -> None:
    rows = answer("deviceManagement/roleDefinitions", role("My role", CMPIVOT, id=id_, isBuiltIn=True))
    found = imported(put(tmp_path, users=PEOPLE, roles=rows))
    assert [row["permissions"] for row in records(found, "intune_roles")] == [(CMPIVOT,)]
    assert ids(found) == ["no-such-built-in"]


def test_a_built_in_role_is_known_by_its_id_or_without_one_by_its_name(tmp_path: Path) -> None:
    policy = load_policy()
    id_ = policy.find_role("intune", "Help Desk Operator")
    actions = sorted({p for grant in policy.roles[id_].grants for p in grant.permissions})
    for number, known in enumerate(({"id": id_}, {})):
        rows = answer("deviceManagement/roleDefinitions", role("Help Desk Operator", *actions, isBuiltIn=True, **known))
        found = imported(put(tmp_path / str(number), users=PEOPLE, roles=rows))
        assert (records(found, "intune_roles"), ids(found)) == ([], [])


# --- other tools -------------------------------------------------------------------------------------

DSC = [
    {"ResourceName": "IntuneRoleDefinition", "DisplayName": "Pivot", "allowedResourceActions": [CMPIVOT], "IsBuiltIn": False, "Id": ROLE},
    {"ResourceName": "IntuneRoleAssignment", "DisplayName": "Ops", "Members": [GROUP], "ResourceScopes": [], "ScopeType": "AllDevices", "RoleDefinition": ROLE, "RoleDefinitionDisplayName": "Pivot", "Id": GIVEN},
    {"ResourceName": "AADRoleSetting", "DisplayName": "x", "Id": OTHER},
]  # fmt: skip


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_entries_of_several_kinds_in_one_list_are_told_apart(order: tuple[int, ...], tmp_path: Path) -> None:
    """Whichever comes first; what nobody knows is left out aloud."""
    found = imported(put(tmp_path, users=PEOPLE, groups=GROUPS, dsc=[DSC[number] for number in order]))
    assert [row["name"] for row in records(found, "intune_roles")] == ["Pivot"]
    assert [(row["name"], row["role"]) for row in records(found, "intune_assignments")] == [("Ops", "Pivot")]
    assert ids(found) == ["unknown-export"]


def test_an_assignment_among_roles_is_one_without_a_word_for_it(tmp_path: Path) -> None:
    rows = [{key: item for key, item in row.items() if key != "ResourceName"} for row in DSC[:2]]
    found = imported(put(tmp_path, users=PEOPLE, groups=GROUPS, dsc=rows))
    assert [row["role"] for row in records(found, "intune_assignments")] == ["Pivot"]


def test_yaml_of_a_backup_is_read_as_its_json(tmp_path: Path) -> None:
    inner = {"displayName": "Ops", "members": ["SG-Ops"], "scopeMembers": ["SG-EU"], "scopeType": "resourceScope"}
    backup = {
        "@odata.type": "#microsoft.graph.deviceAndAppManagementRoleDefinition",
        **role("Pivot", CMPIVOT, roleAssignments=[inner]),
        "roleScopeTagIds": ["0"],
    }
    put(tmp_path / "json", users=PEOPLE, groups=GROUPS, **{"Roles/Pivot": backup})
    put(tmp_path / "yaml", users=PEOPLE, groups=GROUPS)
    save(tmp_path / "yaml", "Roles/Pivot.yaml", yaml.safe_dump(backup))
    one, two = imported(tmp_path / "json"), imported(tmp_path / "yaml")
    assert ids(one) == ids(two) == []
    for section in ("intune_roles", "intune_assignments", "groups"):
        assert records(one, section) == records(two, section) != []


# --- eligibility ----------------------------------------------------------------------------------------

TIMES: dict[str, tuple[dict[str, Any], bool]] = {
    "no end": ({}, True),
    "a schedule that goes on": (
        {"scheduleInfo": {"startDateTime": "2026-01-01T00:00:00Z", "expiration": {"type": "noExpiration"}}},
        True,
    ),
    "a schedule that ended": (
        {"scheduleInfo": {"startDateTime": "2025-01-01T00:00:00Z", "expiration": {"endDateTime": "2026-05-31T00:00:00Z"}}},
        False,
    ),
    "a schedule to come": ({"scheduleInfo": {"startDateTime": "2026-06-02T00:00:00Z"}}, False),
    "PowerShell": ({"ScheduleInfo": {"Expiration": {"EndDateTime": "2026-05-31T00:00:00Z"}}}, False),
    "an instance that ended": ({"startDateTime": "2025-01-01T00:00:00Z", "endDateTime": "2026-05-31T23:59:59Z"}, False),
    "an instance that ends today": ({"endDateTime": "2026-06-01T00:00:00Z"}, True),
    "an instance to come": ({"startDateTime": "2026-06-02T00:00:00Z"}, False),
    "nobody can read it": ({"endDateTime": "/Date(1)/"}, True),
}  # fmt: skip


@pytest.mark.parametrize("time", TIMES)
@pytest.mark.parametrize("day", ["as_of: 2026-06-01", "collected: [{source: graph, at: 2026-06-01}]", "estate: x"])
def test_an_eligibility_counts_on_the_day_of_the_estate(time: str, day: str, tmp_path: Path) -> None:
    """Where nobody tells the day, whoever was eligible may be so still."""
    more, current = TIMES[time]
    current = current or day == "estate: x"
    put(tmp_path, users=answer("users", *PEOPLE), groups=answer("groups", *GROUPS))
    save(tmp_path, "facts.yaml", day)
    row = {"groupId": GROUP, "principalId": BERT, "accessId": "member", **more}
    held = {
        "roleDefinitionId": INTUNE_ADMIN,
        "principalId": BERT,
        "directoryScopeId": "/",
        "memberType": "Direct",
        **more,
    }
    put(tmp_path, e=answer("identityGovernance/privilegedAccess/group/eligibilitySchedules", row))
    put(tmp_path, r=answer("roleManagement/directory/roleEligibilitySchedules", held))
    found = imported(tmp_path)
    group = next(row for row in records(found, "groups") if row["name"] == "SG-Ops")
    roles = [row.get("eligible") for row in records(found, "entra_roles")]
    assert group.get("eligible") == (("bert@contoso.com",) if current else None)
    assert roles == ([("bert@contoso.com",)] if current else [])
