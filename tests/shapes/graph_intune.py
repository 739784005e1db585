"""What Microsoft Graph knows of Intune: roles, their assignments, scope tags, managed devices."""

from __future__ import annotations

from collections.abc import Iterator

from permcheck.errors import UnknownNameError
from permcheck.loading.policy import load_policy
from shapes.estate_data import Book, Data, known, made_id
from shapes.graph_people import Answer

SCOPE_TYPES = {
    "groups": "resourceScope",
    "all-devices": "allDevices",
    "all-users": "allLicensedUsers",
    "all-devices-and-users": "allDevicesAndLicensedUsers",
}

AGENTS = {"co-managed": "configurationManagerClientMdm", "intune": "mdm"}


def intune_answers(book: Book) -> Iterator[Answer]:
    root = "deviceManagement"
    yield Answer(
        f"{root}/roleDefinitions", f"{root}/roleDefinitions", [*_built_in_roles(), *custom_roles(book)], "beta"
    )
    yield Answer(
        f"{root}/roleScopeTags",
        f"{root}/roleScopeTags",
        book.tag_rows() or [{"id": "0", "displayName": "Default", "isBuiltIn": True}],
        "beta",
    )
    if "intune_assignments" in book.data:
        yield Answer(
            f"{root}/roleAssignments",
            f"{root}/roleAssignments(roleDefinition(),roleScopeTags())",
            list(assignments_of(book)),
            "beta",
        )


def _role(id_: str, name: str, allowed: list[str], denied: list[str], description: str, *, built_in: bool) -> Data:
    actions = {"allowedResourceActions": allowed, "notAllowedResourceActions": denied}
    return {
        "@odata.type": "#microsoft.graph.deviceAndAppManagementRoleDefinition",
        "id": id_,
        "displayName": name,
        "description": description,
        "isBuiltIn": built_in,
        "isBuiltInRoleDefinition": built_in,
        "roleScopeTagIds": [] if built_in else ["0"],
        "rolePermissions": [{"resourceActions": [actions]}],
    }


def _built_in_roles() -> Iterator[Data]:
    policy = load_policy()
    for id_, plane in policy.role_planes.items():
        if plane == "intune":
            allowed = sorted({p for grant in policy.roles[id_].grants for p in grant.permissions})
            yield _role(id_, policy.roles[id_].name, allowed, [], "", built_in=True)


def custom_roles(book: Book) -> Iterator[Data]:
    for role in book.all("intune_roles"):
        allowed, denied = ([_graph_id(p) for p in role.get(key) or ()] for key in ("permissions", "not_allowed"))
        yield _role(_role_id(role), role["name"], allowed, denied, role.get("description") or "", built_in=False)


def _role_id(role: Data) -> str:
    return str(role.get("id") or made_id("intune role", role["name"]))


def _graph_id(permission: str) -> str:
    try:
        return load_policy().find_permission("intune", permission)
    except UnknownNameError:
        return permission


def assignments_of(book: Book) -> Iterator[Data]:
    custom = {
        str(name).casefold(): role
        for role in book.all("intune_roles")
        for name in (role.get("id"), role["name"])
        if name
    }
    for assignment in book.all("intune_assignments"):
        role = custom.get(assignment["role"].casefold())
        id_ = _role_id(role) if role else load_policy().find_role("intune", assignment["role"])
        name = role["name"] if role else load_policy().roles[id_].name
        ids = [p.id for p in book.find(assignment.get("scope_groups") or ())]
        row = {
            "@odata.type": "#microsoft.graph.deviceAndAppManagementRoleAssignment",
            "id": assignment.get("id") or made_id("assignment", assignment["name"]),
            "displayName": assignment["name"],
            "description": "",
            "scopeMembers": ids,
            "resourceScopes": ids,
            "roleDefinition": {
                "id": id_,
                "displayName": name,
                "isBuiltIn": role is None,
                "isBuiltInRoleDefinition": role is None,
            },
        }
        if assignment.get("members") is not None:
            row["members"] = [p.id for p in book.find(assignment["members"])]
        if assignment.get("scope_tags") is not None:
            tags = {tag["id"]: tag for tag in book.tag_rows()}
            row["roleScopeTags"] = [tags[book.tags[str(tag).casefold()]] for tag in assignment["scope_tags"]]
        yield row | known(scopeType=SCOPE_TYPES.get(assignment.get("scope_type") or ""))


def device_row(book: Book, device: Data) -> Data:
    tags = device.get("scope_tags")
    return {
        "id": device.get("intune_id") or made_id("intune device", device.get("hierarchy"), device["name"]),
        "deviceName": device["name"],
        "azureADDeviceId": book.entra_id(device),
        "operatingSystem": "Windows",
        "managementAgent": AGENTS[device["management"]],
        "deviceEnrollmentType": "windowsCoManagement" if device["management"] == "co-managed" else "windowsAzureADJoin",
    } | known(roleScopeTagIds=None if tags is None else [book.tags[str(tag).casefold()] for tag in tags])
