"""Read roles and their holders, as Microsoft Graph, its backups and the admin centers export them."""

from __future__ import annotations

from permcheck.errors import UnknownNameError
from permcheck.exports.batch import Batch, Row, flag, fold, folded, has_more, parts, text, value
from permcheck.exports.gathered import At, Gathered, Principal, RoleHolding
from permcheck.exports.read_people import is_current, principal
from permcheck.exports.recognise import Found
from permcheck.model.fold import GUID


def holding(into: Gathered, role: str) -> RoleHolding:
    """Return the holders of a directory role, by its template id."""
    return into.holders.setdefault(role.casefold(), RoleHolding(role))


def directory_roles(into: Gathered, batch: Batch, _found: Found, number: int) -> None:
    """Read directory roles that are in use, with holders where they were expanded."""
    for entry, row in batch.entries():
        at, id_, template = (number, entry), text(row, "id").casefold(), text(row, "roleTemplateId")
        if not (id_ and template):
            into.left_open(at, "entra_roles", "the directory role lacks its id or its roleTemplateId", "export both")
            continue
        into.directory_roles.put(id_, template, at)
        holders = holding(into, template)
        inner = parts(row, "members")
        holders.stated = holders.stated if holders.active else inner is not None
        if inner is not None and (len(inner) == into.values.expanded_members.most or has_more(row, "members")):
            into.open.add("entra_roles")
        found = (principal(into, item, at, batch) for item in inner or ())
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
    if not scope:
        into.note("directory roles of which nothing tells whether they hold in the whole tenant are unknown", at)
        holding(into, text(row, "roleDefinitionId")).stated = False
        return
    if scope not in into.values.whole_tenant:
        into.note("directory roles that hold in a part of the tenant only were left out", at)
        return
    inner = value(row, "principal")
    who = principal(into, folded(inner), at, batch) if isinstance(inner, dict) else None
    if who is None and isinstance(inner, dict) and (text(folded(inner), "@odata.type") or into.marks.of(folded(inner))):
        return
    who = who or Principal(text(row, "principalId"), "", at)
    role = text(row, "roleDefinitionId")
    if not (role and who.name):
        message = "the holder of a directory role lacks its roleDefinitionId or its principalId"
        into.left_open(at, "entra_roles", message, "export both")
    elif not eligible or is_current(into, row):
        holders = holding(into, role)
        (holders.eligible if eligible else holders.active).append(who)


def entra_role_assignments(into: Gathered, batch: Batch, _found: Found, number: int) -> None:
    """Read the Entra admin center's download of role assignments: ids and types first, then names."""
    for entry, row in batch.entries():
        at, role = (number, entry), _downloaded_role(into, row)
        state = text(row, "assignmentState", "state", "assignmentType")
        means = into.values.assignment_state.says(state or None)
        if role is None or (state and means is None):
            message = "nothing tells which role the entry is about, or whether somebody has it or could"
            into.left_open(at, "entra_roles", message, "download it in English, or export the assignments")
        elif role and means != "ended":
            _hold(into, row, at, role, eligible=means == "eligible")


def _downloaded_role(into: Gathered, row: Row) -> str | None:
    """Return the role of an entry: by its template, else by a name that is known.

    Empty for a role of which the policy knows nothing, and None where nothing tells which role it is.
    """
    id_ = text(row, "roleTemplateId", "templateId", "roleDefinitionId").casefold()
    if id_:
        known = into.policy.role_planes.get(id_) == "entra"
        return id_ if known else "" if GUID.fullmatch(id_) else None
    try:
        return into.policy.find_role("entra", text(row, "roleName", "roleDisplayName", "role"))
    except UnknownNameError:
        return None


def _hold(into: Gathered, row: Row, at: At, role: str, *, eligible: bool) -> None:
    """Add who holds a directory role by an entry of the download."""
    scope, holders = text(row, "scope", "directoryScopeId"), holding(into, role)
    type_ = text(row, "principalType", "objectType")
    others = {fold(str(word)) for word in into.values.other_principal.said}
    if others & {fold(type_), fold(text(row, "memberType"))}:  # a member type may be that of the assignment
        return
    if scope and scope not in into.values.whole_tenant_download:
        into.note("directory roles that may hold in a part of the tenant only are unknown", at)
        holders.stated = False
        return
    kind = into.values.principal_type.says(fold(type_)) or ""
    id_ = text(row, "principalId", "objectId")
    name = text(row, "userPrincipalName", "principalName") or text(row, "id")
    if not (id_ or (name and (kind or not type_))):
        message = "the entry lacks who holds the role, or what that is"
        into.left_open(at, "entra_roles", message, "download it again")
        return
    (holders.eligible if eligible else holders.active).append(Principal(id_ or name, kind, at))


def service_principals(into: Gathered, batch: Batch, _found: Found, number: int) -> None:
    """Read applications with their app roles."""
    for entry, row in batch.entries():
        at, id_, app = (number, entry), text(row, "id").casefold(), text(row, "appId").casefold()
        if not (id_ and app):
            into.left_open(at, "app_roles", "the application lacks its id or its appId", "export both")
            continue
        into.applications.put(id_, app, at)
        for role in parts(row, "appRoles") or ():
            fields = {"value": text(role, "value") or None, "name": text(role, "displayName") or None}
            into.app_roles.put((("id", f"{id_}/{text(role, 'id')}"),), fields, at)


def app_role_assignments(into: Gathered, batch: Batch, _found: Found, number: int) -> None:
    """Read who app roles are assigned to."""
    for entry, row in batch.entries():
        at = (number, entry)
        resource, role = text(row, "resourceId").casefold(), text(row, "appRoleId").casefold()
        named = _application_by_name(into, row)
        if named:
            into.named_applications.setdefault(resource, named)
        type_ = text(row, "principalType")
        kind = into.values.principal_type.says(type_) or ""
        if type_ and not kind:
            continue
        who = Principal(text(row, "principalId"), kind, at)
        if not (resource and role and who.name):
            message = "the entry lacks its resourceId, its appRoleId or its principalId"
            into.left_open(at, "app_roles", message, "export all three")
            continue
        into.app_assignments.append((resource, role, who))


def _application_by_name(into: Gathered, row: Row) -> str:
    """Return the appId of an application that has the name of one the policy knows; its id is surer."""
    name = text(row, "resourceDisplayName").casefold()
    return next((id_ for known, id_ in into.policy.applications.items() if known.casefold() == name), "")


def toggle(into: Gathered, batch: Batch, _found: Found, number: int) -> None:
    """Read the tenant-wide toggle."""
    for entry, row in batch.entries():
        state = flag(row, "enabled")
        if state is None:
            message = "the state of the toggle can't be read, and is unknown"
            into.problem((number, entry), "value", message, "export it again", "warning")
        else:
            into.state_tenant((number, entry), use_intune_rbac="On" if state else "Off")


def scope_tags(into: Gathered, batch: Batch, _found: Found, number: int) -> None:
    """Read names of scope tags."""
    for entry, row in batch.entries():
        id_, name = text(row, "id"), text(row, "displayName")
        if id_ and name:
            into.scope_tags.put(id_, name, (number, entry))
        else:
            message = "the scope tag lacks its id or its displayName"
            into.problem((number, entry), "no-name", message, "export both", "warning")
