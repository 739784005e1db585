"""Join roles of Intune and Entra, app roles and their holders."""

from __future__ import annotations

from typing import Any

from permcheck.errors import UnknownNameError
from permcheck.exports.batch import text
from permcheck.exports.gathered import At, Conflict, Gathered, Principal, RoleHolding, Thing
from permcheck.exports.join import GUID, People, Section, unique
from permcheck.model.policy_index import Policy

APP_ROLES = "graph.app-role-assignments"
ROLE_HOLDERS = "graph.directory-role-assignments"


def entra_roles(people: People) -> Section:
    """Join holders of directory roles; a role of which the policy knows nothing gives nothing here."""
    gathered, section = people.gathered, Section()
    for holders in gathered.holders.values():
        try:
            role = gathered.policy.roles[gathered.policy.find_role("entra", holders.role)].name
        except UnknownNameError:
            continue
        active, unknown = people.names(holders.active)
        eligible, _ = people.names(holders.eligible)
        if unknown and holders.stated:
            gathered.open.add("entra_roles")
        at = next(iter((*active.values(), *eligible.values())), (-1, 0))
        _compare_holders(people, role, holders)
        fields = {
            "role": role,
            "members": tuple(active) if holders.stated else None,
            "eligible": tuple(eligible) or None,
        }
        section.add(Thing({}, at), fields, (active | eligible).items())
    for thing in gathered.entra_by_hand.things:
        section.add(thing, thing.fields)
    return section


def _compare_holders(people: People, role: str, holders: RoleHolding) -> None:
    """Tell a directory role that lists of two kinds, or people and a list, give to others."""
    gathered, told = people.gathered, dict[str, tuple[set[str], At]]()
    for who in holders.active:
        name = people.named(who)
        kind = gathered.batches[who.at[0]][1].kind.id
        if name is not None:
            told.setdefault(kind, (set(), who.at))[0].add(name.lower())
    by_hand = gathered.entra_by_hand.find("role", role)
    if by_hand is not None and "members" in by_hand.fields and holders.stated:
        written = [(people.named(Principal(name, "", by_hand.at)), name) for name in by_hand.fields["members"]]
        told["by hand"] = ({(found or name).lower() for found, name in written}, by_hand.where("members"))
    if ROLE_HOLDERS in gathered.read - gathered.partial and told:
        told.setdefault(ROLE_HOLDERS, (set(), next(iter(told.values()))[1]))
    (first, at), *others = told.values() if told else [(set[str](), (-1, 0))]
    for names, where in others:
        if names != first:
            gathered.entra_by_hand.conflicts.append(Conflict("entra_roles", role, "members", at, where))


def app_roles(people: People) -> Section:
    """Join holders of app roles of the applications that the policy knows, each role by id, value or name."""
    gathered, section = people.gathered, Section()
    if not _told_of_known_applications(gathered):
        gathered.partial.add(APP_ROLES)
    held: dict[str, list[Any]] = {}
    for resource, role, who in gathered.app_assignments:
        if role in gathered.values.no_app_role:
            gathered.note(
                "assignments to an application without an app role give no app role, and were left out", who.at
            )
            continue
        found = _app_role(gathered, resource, role)
        if found is not None:
            held.setdefault(found, []).append(who)
    for id_, holders in held.items():
        permission = gathered.policy.permissions[id_]
        names, unknown = people.names(holders)
        if unknown:
            gathered.open.add("app_roles")
        fields = {"application": permission.category, "role": permission.name, "assigned_to": tuple(names)}
        section.add(Thing({}, holders[0].at), fields, names.items())
    for thing in gathered.apps_by_hand.things:
        section.add(thing, thing.fields)
    return section


def _told_of_known_applications(gathered: Gathered) -> bool:
    """Tell whether a list of holders may be that of an application that decides something, rather than of others."""
    known = set(gathered.policy.applications.values())
    for batch, found in gathered.batches:
        if found.kind.id == APP_ROLES:
            resource = found.owner or text(batch.head, "resourceId")
            application = _application(gathered, resource.casefold())
            if application in known or not (batch.head or application):
                return True
    return any(_application(gathered, resource) in known for resource, _, _ in gathered.app_assignments)


def _application(gathered: Gathered, resource: str) -> str:
    """Return the appId of a service principal; empty where nothing tells it."""
    return gathered.applications.get(resource) or gathered.named_applications.get(resource, "")


def _app_role(gathered: Gathered, resource: str, role: str) -> str | None:
    policy = gathered.policy
    application = _application(gathered, resource)
    told = gathered.app_roles.find("id", f"{resource}/{role}")
    names = {role, *(str(name).casefold() for name in (told.fields.values() if told is not None else ()))}
    for permission in policy.permissions.values():
        if policy.applications.get(permission.category, "") != application:
            continue
        known = {permission.guid, permission.name.casefold(), *(s.casefold() for s in permission.synonyms)}
        if names & known:
            return permission.id
    return None


def intune_roles(gathered: Gathered) -> tuple[Section, dict[str, str], set[str]]:
    """Join custom roles, and built-in ones that are not as the policy has them.

    Returns them with the name that assignments use for each id or name, and names of roles of unknown content.
    """
    section = Section()
    names: dict[str, str] = {}
    opaque: set[str] = set()
    kept: list[tuple[Thing, dict[str, Any]]] = []
    for thing in gathered.intune_roles.things:
        fields = dict(thing.fields)
        built_in = _built_in(gathered.policy, fields)
        allowed = fields.get("permissions")
        if built_in is None and fields.get("built_in"):
            _tell_pretender(gathered, thing)
        if built_in is not None and (allowed is None or not _differs(gathered, built_in, allowed, thing.at)):
            names |= _both(fields, gathered.policy.roles[built_in].name)
            continue
        if allowed is None:
            gathered.problem(
                thing.at,
                "no-permissions",
                f"the actions of the role `{fields['name']}` were not exported",
                "export `rolePermissions`; with PowerShell, use -Depth 10",
                "warning",
            )
            opaque |= {key.casefold() for key in _both(fields, "")}
            continue
        kept.append((thing, fields))
    unique([fields for _, fields in kept], lambda fields: str(fields["name"]))
    for thing, fields in kept:
        if not GUID.match(str(fields.get("id") or "")):
            fields["id"] = None
        section.add(thing, fields)
        names |= _both(thing.fields, str(fields["name"]))
    return section, names, opaque


def _both(fields: dict[str, Any], name: str) -> dict[str, str]:
    return {str(known).casefold(): name for known in (fields.get("name"), fields.get("id")) if known}


def _built_in(policy: Policy, fields: dict[str, Any]) -> str | None:
    id_ = str(fields.get("id") or "").lower()
    if policy.role_planes.get(id_) == "intune":
        return id_
    found = policy.role_names("intune").get(str(fields["name"]))
    return found if found is not None and not id_ and fields.get("built_in") is not False else None


def _tell_pretender(gathered: Gathered, thing: Thing) -> None:
    message = f"the role `{thing.fields['name']}` says that it is built in, but no built-in role has its id or name"
    help_ = "it is taken for a custom role; an export with another isBuiltIn, or a newer permcheck, settles it"
    gathered.problem(thing.at, "no-such-built-in", message, help_, "warning")


def _differs(gathered: Gathered, role: str, allowed: tuple[str, ...], at: At) -> bool:
    """Tell whether the tenant's built-in role is another than the policy's, as far as decisions may depend on it."""
    policy = gathered.policy
    mine = set()
    for action in allowed:
        try:
            mine.add(policy.find_permission("intune", action))
        except UnknownNameError:
            gathered.note("Intune actions that permcheck does not know were left out of built-in roles", at)
    known = {permission for grant in policy.roles[role].grants for permission in grant.permissions}
    if mine != known:
        name = policy.roles[role].name
        gathered.note(f"the built-in role {name} of this tenant is not as documented; the tenant's is used", at)
    return mine != known


def assignments(people: People, names: dict[str, str], opaque: set[str]) -> tuple[Section, bool]:
    """Join role assignments. Returns them, and whether some could not be used."""
    gathered, section, lost = people.gathered, Section(), False
    kept: list[tuple[Thing, dict[str, Any], dict[str, At]]] = []
    for thing in gathered.assignments.things:
        fields = dict(thing.fields)
        linked = str(fields.get("role") or fields.get("role_name") or "")
        role = _role_of(gathered, linked, names)
        if role is None:
            lost = True
            if linked.casefold() not in opaque:
                _tell_lost(gathered, thing, linked)
            continue
        _compare_links(gathered, thing, role, names)
        members = (
            None
            if fields.get("members") is None
            else {people.group_name(people.group_or_stub(name, thing.at)): thing.at for name in fields["members"]}
        )
        fields |= {"role": role, "members": None if members is None else tuple(members)}
        fields["scope_groups"] = tuple(_group_or_id(people, name) for name in fields.get("scope_groups") or ()) or None
        tags = fields.get("scope_tags")
        fields["scope_tags"] = None if tags is None else tuple(gathered.scope_tags.get(tag) or tag for tag in tags)
        if not GUID.match(str(fields.get("id") or "")):
            fields["id"] = None
        kept.append((thing, fields, members or {}))
    unique([fields for _, fields, _ in kept], lambda fields: str(fields["name"]))
    for thing, fields, found in kept:
        section.add(thing, fields, found.items())
    return section, lost


def _compare_links(gathered: Gathered, thing: Thing, role: str, names: dict[str, str]) -> None:
    """Tell an assignment of which one export names the id of its role, and another the name of another one."""
    named = str(thing.fields.get("role_name") or "")
    same_name = [one for one in gathered.intune_roles.things if str(one.fields.get("name")).lower() == named.lower()]
    elsewhere = thing.where("role")[0] != thing.where("role_name")[0]
    if "role" not in thing.fields or not named or not elsewhere or len(same_name) > 1:
        return
    if _role_of(gathered, named, names) not in {None, role}:
        at, name = thing.where("role_name"), str(thing.fields["name"])
        conflict = Conflict("intune_assignments", name, "role", thing.where("role"), at)
        gathered.assignments.conflicts.append(conflict)


def _group_or_id(people: People, name: str) -> str:
    found = people.group(name)
    return name if found is None else people.group_name(found)


def _role_of(gathered: Gathered, role: str, names: dict[str, str]) -> str | None:
    if role.casefold() in names:
        return names[role.casefold()]
    try:
        return gathered.policy.roles[gathered.policy.find_role("intune", role)].name if role else None
    except UnknownNameError:
        return None


def _tell_lost(gathered: Gathered, thing: Thing, role: str) -> None:
    if role:
        message = f"the role `{role}` of the assignment `{thing.fields['name']}` is in no export"
        help_ = "export the role definitions of the same tenant"
    else:
        message = f"nothing tells which role the assignment `{thing.fields['name']}` assigns"
        help_ = "export roleDefinitions/ID/roleAssignments of every role"
    gathered.problem(thing.at, "no-role", message, help_, "warning")
