"""What the fake tenant says is what Microsoft's own metadata of Graph allows."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import fake_tenant as tenant
import pytest
from jsonschema import Draft202012Validator
from permcheck.live import asks_graph as ask
from permcheck.loading.policy import load_policy

SCHEMA = json.loads((Path(__file__).parent.parent / "graph_metadata" / "graph.schema.json").read_text())
RBAC = "/beta/deviceManagement"
APPLICATION = f"/v1.0/servicePrincipals(appId='{tenant.APPLICATION}')"
TYPES = {
    "/v1.0/organization": "organization",
    "/v1.0/users": "user",
    "/v1.0/groups": "group",
    f"{RBAC}/roleDefinitions": "deviceAndAppManagementRoleDefinition",
    f"{RBAC}/roleAssignments": "deviceAndAppManagementRoleAssignment",
    f"{RBAC}/roleDefinitions/{tenant.helpdesk_role()['id']}/roleAssignments": "deviceAndAppManagementRoleAssignment",
    f"{RBAC}/roleScopeTags": "roleScopeTag",
    f"{RBAC}/managedDevices": "managedDevice",
    f"{APPLICATION}/appRoleAssignedTo": "appRoleAssignment",
    "/v1.0/roleManagement/directory/roleAssignments": "unifiedRoleAssignment",
    "/v1.0/roleManagement/directory/roleDefinitions": "unifiedRoleDefinition",
    "/v1.0/roleManagement/directory/roleEligibilitySchedules": "unifiedRoleEligibilitySchedule",
    "/v1.0/identityGovernance/privilegedAccess/group/eligibilitySchedules": "privilegedAccessGroupEligibilitySchedule",
    "/v1.0/subscribedSkus": "subscribedSku",
}
OBJECTS = {
    f"{RBAC}/roleAssignments/{tenant.ASSIGNMENT}": "deviceAndAppManagementRoleAssignment",
    APPLICATION: "servicePrincipal",
}
SELECTING = {"/v1.0/organization", "/v1.0/users", "/v1.0/groups", f"{RBAC}/managedDevices"}


def faults(kind, row):
    whole = {"$ref": f"#/$defs/{kind}", "unevaluatedProperties": False, "$defs": SCHEMA["$defs"]}
    return [f"{error.json_path}: {error.message}" for error in Draft202012Validator(whole).iter_errors(row)]


def shown(path, row):
    """A row without what is there only to see that it is not asked for."""
    return {k: v for k, v in row.items() if v != "never asked for"} if path in SELECTING else row


@pytest.mark.parametrize("path", TYPES)
def test_lists_fit_the_metadata(path):
    rows = tenant.lists()[path]
    assert rows
    assert [fault for row in rows for fault in faults(TYPES[path], shown(path, row))] == []


@pytest.mark.parametrize("path", OBJECTS)
def test_objects_fit_the_metadata(path):
    assert faults(OBJECTS[path], tenant.objects()[path]) == []


def test_the_toggle_fits_the_metadata():
    value = tenant.objects()[f"{RBAC}/tenantAttachRBAC/getState"]["value"]
    assert faults("tenantAttachRBACState", value) == []


def test_every_list_of_the_fake_is_looked_at():
    lists = tenant.lists()
    assert {path for path, rows in lists.items() if rows and not path.endswith("/members")} == set(TYPES)


def test_the_built_in_roles_of_the_policy_fit_the_metadata():
    policy = load_policy()
    intune = [role.id for role in policy.roles.values() if policy.role_planes[role.id] == "intune"]
    roles = tenant.intune_roles()
    assert [role["id"] for role in roles] == intune
    assert len(roles) >= 9
    assert [fault for role in roles for fault in faults("roleDefinition", role)] == []


def names(kind):
    """Properties of a type and its bases."""
    found = SCHEMA["$defs"][kind]
    bases = [part["$ref"].rpartition("/")[2] for part in found.get("allOf", ())]
    return set(found["properties"]).union(*(names(base) for base in bases))


def broken(path, *steps):
    """A row with one thing changed."""
    row = copy.deepcopy(tenant.lists().get(path, [None])[0] or tenant.objects().get(path))
    *way, last, value = steps
    place = row
    for step in way:
        place = place[step]
    place[last] = value
    return shown(path, row)


@pytest.mark.parametrize(
    ("path", "steps"),
    [
        ("/v1.0/users", ("accountEnabled", "yes")),
        ("/v1.0/users", ("userPrincipalname", "x")),
        ("/v1.0/users", ("assignedPlans", 0, "servicePlan", "x")),
        ("/v1.0/groups", ("groupTypes", None)),
        ("/v1.0/groups", ("groupTypes", "Unified")),
        (f"{RBAC}/roleDefinitions", ("isBuiltIn", None)),
        (f"{RBAC}/roleDefinitions", ("rolePermissions", 0, "resourceActions", 0, "allowedActions", [])),
        (f"{RBAC}/roleDefinitions", ("rolePermissions", 0, "resourceActions", 0, "allowedResourceActions", [1])),
        (f"{RBAC}/roleAssignments/{tenant.ASSIGNMENT}", ("scopeType", "everything")),
        (f"{RBAC}/roleAssignments/{tenant.ASSIGNMENT}", ("members", "x")),
        (f"{RBAC}/roleAssignments/{tenant.ASSIGNMENT}", ("roleDefinition", 1)),
        (f"{RBAC}/managedDevices", ("managementAgent", "ConfigMgr")),
        (f"{RBAC}/roleScopeTags", ("isBuiltIn", "true")),
        (f"{APPLICATION}/appRoleAssignedTo", ("principalType", 1)),
        (APPLICATION, ("appRoles", 0, "isEnabled", "yes")),
        ("/v1.0/subscribedSkus", ("prepaidUnits", "enabled", "25")),
        ("/v1.0/roleManagement/directory/roleAssignments", ("roleId", "x")),
        ("/v1.0/organization", ("tenantId", "x")),
    ],
)
def test_the_check_can_fail(path, steps):
    kind = TYPES.get(path) or OBJECTS[path]
    assert faults(kind, broken(path, *steps))


@pytest.mark.parametrize(
    ("request_", "kind"),
    [
        (ask.ORGANIZATION, "organization"),
        (ask.USERS, "user"),
        (ask.SIGN_INS, "user"),
        (ask.GROUPS, "group"),
        (ask.APPLICATION, "servicePrincipal"),
        (ask.DEVICES, "managedDevice"),
    ],
)
def test_every_selected_property_exists(request_, kind):
    selected = parse_qs(urlsplit(request_.path).query)["$select"][0].split(",")
    assert set(selected) <= names(kind)
