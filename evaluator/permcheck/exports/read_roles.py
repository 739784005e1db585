"""Read roles and their holders, as Microsoft Graph, its backups and the admin centers export them."""

from __future__ import annotations

from typing import Any

from permcheck.errors import UnknownNameError
from permcheck.exports.batch import CUT, Batch, CutError, Row, flag, fold, folded, parts, text, texts, value
from permcheck.exports.gathered import At, Gathered, Principal, RoleHolding
from permcheck.exports.read_people import principal
from permcheck.exports.recognise import Found


def holding(into: Gathered, role: str) -> RoleHolding:
    """Return the holders of a directory role, by its template id."""
    return into.holders.setdefault(role.casefold(), RoleHolding(role))


def directory_roles(into: Gathered, batch: Batch, _found: Found, number: int) -> None:
    """Read directory roles that are in use, with holders where they were expanded."""
    for entry, row in batch.entries():
        template = text(row, "roleTemplateId")
        into.directory_roles[text(row, "id").casefold()] = template
        holders = holding(into, template)
        inner = parts(row, "members")
        holders.stated = holders.stated if holders.active else inner is not None
        found = (principal(into, item, (number, entry), batch) for item in inner or ())
        holders.active += [somebody for somebody in found if somebody]


def directory_role_assignments(into: Gathered, batch: Batch, _found: Found, number: int) -> None:
    """Read active holders of directory roles."""
    for entry, row in batch.entries():
        _directory_role(into, row, (number, entry), batch, eligible=False)


def directory_role_eligibility(into: Gathered, batch: Batch, _found: Found, number: int) -> None:
    """Read who may activate a directory role."""
    for entry, row in batch.entries():
        _directory_role(into, row, (number, entry), batch, eligible=True)


def _directory_role(into: Gathered, row: Row, at: At, batch: Batch, *, eligible: bool) -> None:
    scope = text(row, "directoryScopeId")
    if scope and scope not in into.values.whole_tenant:
        into.note("directory roles that hold in a part of the tenant only were left out", at)
        return
    inner = value(row, "principal")
    who = principal(into, folded(inner), at, batch) if isinstance(inner, dict) else None
    if who is None and isinstance(inner, dict) and text(folded(inner), "@odata.type"):
        return
    who = who or Principal(text(row, "principalId"), "", at)
    holders = holding(into, text(row, "roleDefinitionId"))
    (holders.eligible if eligible else holders.active).append(who)


def entra_role_assignments(into: Gathered, batch: Batch, _found: Found, number: int) -> None:
    """Read the Entra admin center's download of role assignments."""
    for entry, row in batch.entries():
        name = text(row, "roleName", "roleDisplayName", "role")
        try:
            role = into.policy.find_role("entra", name)
        except UnknownNameError:
            continue
        upn = text(row, "userPrincipalName", "principalName")
        who = upn or text(row, "principalId", "objectId", "id")
        state = text(row, "assignmentState", "state", "assignmentType", "memberType")
        scope = text(row, "scope", "directoryScopeId")
        holders = holding(into, role)
        at = (number, entry)
        if scope and scope not in into.values.whole_tenant_download:
            into.note("directory roles that may hold in a part of the tenant only are unknown", at)
            holders.stated = False
        elif who:
            eligible = into.values.eligible_state.part_of(state)
            (holders.eligible if eligible else holders.active).append(Principal(who, "", at))


def service_principals(into: Gathered, batch: Batch, _found: Found, _number: int) -> None:
    """Read applications with their app roles."""
    for _, row in batch.entries():
        id_ = text(row, "id").casefold()
        into.applications[id_] = text(row, "appId").casefold()
        for role in parts(row, "appRoles") or ():
            into.app_roles[id_, text(role, "id").casefold()] = text(role, "value"), text(role, "displayName")


def app_role_assignments(into: Gathered, batch: Batch, found: Found, number: int) -> None:
    """Read who app roles are assigned to."""
    if found.owner:
        into.applications.setdefault(found.owner.casefold(), "")
    for entry, row in batch.entries():
        resource = text(row, "resourceId").casefold()
        into.applications[resource] = into.applications.get(resource) or _application_by_name(into, row)
        type_ = text(row, "principalType")
        kind = into.values.principal_type.says(type_) or ""
        if type_ and not kind:
            continue
        at = (number, entry)
        who = Principal(text(row, "principalId"), kind, at)
        into.app_assignments.append((resource, text(row, "appRoleId").casefold(), who))


def _application_by_name(into: Gathered, row: Row) -> str:
    """Return the appId of an application that has the name of one the policy knows; its id is surer."""
    name = text(row, "resourceDisplayName").casefold()
    return next((id_ for known, id_ in into.policy.applications.items() if known.casefold() == name), "")


def toggle(into: Gathered, batch: Batch, _found: Found, number: int) -> None:
    """Read the tenant-wide toggle."""
    for entry, row in batch.entries():
        state = flag(row, "enabled")
        if state is not None:
            into.tenant.fields["use_intune_rbac"] = "On" if state else "Off"
            into.tenant.details["use_intune_rbac"] = (number, entry)


def scope_tags(into: Gathered, batch: Batch, _found: Found, _number: int) -> None:
    """Read names of scope tags."""
    for _, row in batch.entries():
        into.scope_tags[text(row, "id")] = text(row, "displayName")


def role_definitions(into: Gathered, batch: Batch, _found: Found, number: int) -> None:
    """Read Intune roles, with the assignments that a backup puts into them."""
    for entry, row in batch.entries():
        at = (number, entry)
        id_, name = text(row, "id"), text(row, "displayName")
        if not name:
            into.problem(at, "no-name", "the role has no displayName", "export it", "warning")
            continue
        allowed, denied = actions(row)
        fields: dict[str, Any] = {
            "name": name,
            "id": id_.lower() or None,
            "description": text(row, "description") or None,
            "permissions": allowed,
            "not_allowed": denied or None,
            "built_in": flag(row, "isBuiltIn", "isBuiltInRoleDefinition"),
        }
        names = (("id", id_) if id_ else ("name", name), ("hand", name))
        into.intune_roles.put(names, fields, at)
        for inner in parts(row, "roleAssignments") or ():
            _assignment(into, inner, at, id_ or name)


def actions(row: Row) -> tuple[tuple[str, ...] | None, tuple[str, ...]]:
    """Return the actions that a role allows (None where they were not exported), and those that it denies."""
    permissions = parts(row, "rolePermissions")
    permissions = permissions or parts(row, "permissions")
    if permissions is None:
        flat = texts(row, "allowedResourceActions")
        return flat, texts(row, "notAllowedResourceActions") or ()
    allowed: list[str] = []
    denied: list[str] = []
    for permission in permissions:
        resources = parts(permission, "resourceActions")
        for resource in resources if resources is not None else (permission,):
            allowed += texts(resource, "allowedResourceActions") or ()
            denied += texts(resource, "notAllowedResourceActions") or ()
    return tuple(dict.fromkeys(allowed)), tuple(dict.fromkeys(denied))


def role_assignments(into: Gathered, batch: Batch, found: Found, number: int) -> None:
    """Read assignments of Intune roles."""
    for entry, row in batch.entries():
        _assignment(into, row, (number, entry), found.owner)


def _assignment(into: Gathered, row: Row, at: At, role: str) -> None:
    definition = value(row, "roleDefinition")
    if isinstance(definition, dict):
        inner = folded(definition)
        role = text(inner, "id") or text(inner, "displayName") or role
    elif isinstance(definition, str) and CUT.match(definition):
        raise CutError(definition)
    elif isinstance(definition, str) and definition.strip():
        role = definition.strip()
    role = text(row, "roleDefinitionId", "roleDefinitionDisplayName") or role
    id_, name = text(row, "id"), text(row, "displayName")
    scopes = dict.fromkeys((*(texts(row, "resourceScopes") or ()), *(texts(row, "scopeMembers") or ())))
    fields: dict[str, Any] = {
        "name": name or id_ or None,
        "id": id_.lower() or None,
        "role": role or None,
        "members": _member_groups(row),
        "scope_groups": tuple(scopes) or None,
        "scope_type": into.values.scope_type.says(fold(text(row, "scopeType"))),
        "scope_tags": _tags(row),
    }
    if not fields["name"]:
        into.problem(at, "no-name", "the assignment has neither displayName nor id", "export both", "warning")
        return
    into.assignments.put((("id", id_) if id_ else ("name", f"{role}/{name}"), ("hand", name)), fields, at)


def _member_groups(row: Row) -> tuple[str, ...] | None:
    """Return groups by id or name; None where a backup tool wrote an empty text, which may mean that it failed."""
    if value(row, "members") == "":
        return None
    return texts(row, "members") or texts(row, "membersDisplayNames") or texts(row, "members")


def _tags(row: Row) -> tuple[str, ...] | None:
    expanded = parts(row, "roleScopeTags")
    if expanded is not None:
        return tuple(text(tag, "id") for tag in expanded)
    return texts(row, "roleScopeTagIds")
