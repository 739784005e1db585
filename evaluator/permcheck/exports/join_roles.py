"""Join roles of Intune and Entra, app roles and their holders."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from permcheck.errors import UnknownNameError
from permcheck.exports.batch import text
from permcheck.exports.contradicted import conflict, place_of, whole_lists, written
from permcheck.exports.gathered import At, Conflict, Gathered, RoleHolding, Thing, Written
from permcheck.exports.join import People, Section, tag_text, tags_of
from permcheck.model.fold import GUID, fold_case, is_identity
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
        _compare_with_nobody(gathered, thing)
        section.add(thing, thing.fields)
    return section


def _entra_role(gathered: Gathered, said: str) -> str:
    """Return the name of a directory role, however it is written; itself where the policy does not know it."""
    try:
        return gathered.policy.roles[gathered.policy.find_role("entra", said)].name
    except UnknownNameError:
        return said


def _compare_with_nobody(gathered: Gathered, thing: Thing) -> None:
    """Tell holders whom people wrote of a directory role that nobody holds, as the whole list says."""
    role = _entra_role(gathered, str(thing.fields["role"]))
    if role in {_entra_role(gathered, holders.role) for holders in gathered.holders.values()}:
        return
    place = next((place_of(gathered, kind) for kind in whole_lists(gathered, "entra_roles")), None)
    if place is not None and thing.fields.get("members"):
        conflict(gathered.entra_by_hand, thing, "members", place)


def _compare_holders(people: People, role: str, holders: RoleHolding) -> None:
    """Tell a directory role that lists of two kinds, or people and a list, give to others."""
    gathered, told = people.gathered, dict[str, tuple[set[str], At]]()
    for who in holders.active:
        name = people.named(who)
        kind = gathered.batches[who.at[0]][1].kind.id
        if name is not None:
            told.setdefault(kind, (set(), who.at))[0].add(name.lower())
    for by_hand in gathered.entra_by_hand.things:
        same = _entra_role(gathered, str(by_hand.fields["role"])) == role
        if same and "members" in by_hand.fields and holders.stated:
            told["by hand"] = (set(written(people, by_hand, "members")), by_hand.where("members"))
    if ROLE_HOLDERS in gathered.read - gathered.partial and told:
        told.setdefault(ROLE_HOLDERS, (set(), place_of(gathered, ROLE_HOLDERS) or next(iter(told.values()))[1]))
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
        if gathered.is_gone(resource):
            continue
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
        _compare_assigned(people, thing, section)
        section.add(thing, thing.fields)
    return section


def _compare_assigned(people: People, thing: Thing, section: Section) -> None:
    """Tell holders of an app role whom people wrote, and of which the whole list has others."""
    gathered, (application, role) = people.gathered, (str(thing.fields["application"]), str(thing.fields["role"]))
    place = next((place_of(gathered, kind) for kind in whole_lists(gathered, "app_roles")), None)
    if place is None or "assigned_to" not in thing.fields or not _is_told(gathered, application):
        return
    same = (row for row in section.records if _same_app_role(gathered, row, application, role))
    told = {fold_case(name) for row in same for name in row["assigned_to"]}
    if written(people, thing, "assigned_to") != told:
        conflict(gathered.apps_by_hand, thing, "assigned_to", place)


def _same_app_role(gathered: Gathered, row: Mapping[str, Any], application: str, role: str) -> bool:
    try:
        said = gathered.policy.find_permission("entra", f"{application}\\{role}")
    except UnknownNameError:
        return False
    return said == gathered.policy.find_permission("entra", f"{row['application']}\\{row['role']}")


def _is_told(gathered: Gathered, application: str) -> bool:
    """Tell whether a list of holders of app roles is that of an application, or may be it, since nobody is in it."""
    wanted = gathered.policy.applications.get(application, "")
    lists = [(batch, found) for batch, found in gathered.batches if found.kind.id == APP_ROLES]
    owners = (found.owner or text(batch.head, "resourceId") for batch, found in lists)
    told = {_application(gathered, owner.casefold()) for owner in owners}
    held = {_application(gathered, resource) for resource, _, _ in gathered.app_assignments}
    return bool(wanted) and (wanted in told | held or not any(batch.head for batch, _ in lists))


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


class IntuneRoles:
    """Finds the role that an assignment means: by its id, or by a name that only one role has."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._listed: dict[str, str] = {}
        """Id (or name, of a role without one) -> name."""
        self.opaque: set[str] = set()
        """Ids and names of roles whose actions were not exported, folded."""

    def add(self, fields: Mapping[str, Any]) -> None:
        """Add a role that is listed."""
        self._listed[fold_case(str(fields.get("id") or fields["name"]))] = str(fields["name"])

    def add_opaque(self, fields: Mapping[str, Any]) -> None:
        """Add a role of which nothing is known."""
        self.opaque |= {fold_case(str(known)) for known in (fields.get("name"), fields.get("id")) if known}

    def meant(self, role: str) -> str | None:
        """Return how records refer to a role; None where nothing is called so, or where it may be any of several."""
        folded = fold_case(role)
        if is_identity(role):
            known = folded in self._listed or self._policy.role_planes.get(folded) == "intune"
            return self._text(folded) if known else None
        found = set() if folded in self.opaque else self._called(role)
        return self._text(found.pop()) if len(found) == 1 else None

    def _called(self, name: str) -> set[str]:
        """Return the roles that have a name: those that are listed, and built-in ones."""
        listed = {role for role, called in self._listed.items() if fold_case(called) == fold_case(name)}
        return listed | set(self._policy.role_names("intune").meant(name))

    def _text(self, role: str) -> str:
        """Return the name of a role if it has that alone, for whoever reads the estate; else its id."""
        name = self._listed.get(role) or self._policy.roles[role].name
        return name if self._called(name) == {role} else role


def intune_roles(gathered: Gathered) -> tuple[Section, IntuneRoles]:
    """Join custom roles, and built-in ones that are not as the policy has them."""
    section, roles = Section(), IntuneRoles(gathered.policy)
    for thing in gathered.intune_roles.things:
        fields = dict(thing.fields)
        built_in = _built_in(gathered.policy, fields)
        allowed, open_ = fields.get("permissions"), fields.get("undecided") or ()
        if built_in is None and fields.get("built_in"):
            _tell_pretender(gathered, thing)
        denied = fields.get("not_allowed") or ()
        if built_in is not None and not (
            allowed and (denied or _differs(gathered, built_in, allowed, open_, thing.at))
        ):
            continue
        if allowed is None:
            gathered.problem(
                thing.at,
                "no-permissions",
                f"the actions of the role `{fields['name']}` were not exported",
                "export `rolePermissions`; with PowerShell, use -Depth 10",
                "warning",
            )
            roles.add_opaque(fields)
            continue
        if not GUID.fullmatch(str(fields.get("id") or "")):
            fields["id"] = None
        section.add(thing, fields)
        roles.add(fields)
    return section, roles


def scope_tags(gathered: Gathered) -> Section:
    """Join the names of scope tags; the list lacks some if an assignment or a device has others."""
    section, known = Section(), tags_of(gathered).names
    things = (*gathered.assignments.things, *gathered.devices.things)
    named = (tag for thing in things for tag in thing.fields.get("scope_tags") or ())
    if not all(known.meant(tag) for tag in named if not isinstance(tag, Written)):
        gathered.open.add("scope_tags")
    for id_, (name, at) in gathered.scope_tags.told.items():
        section.add(Thing({}, at), {"id": id_, "name": name})
    return section


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


def _differs(gathered: Gathered, role: str, allowed: Iterable[str], open_: Iterable[str], at: At) -> bool:
    """Tell whether the tenant's built-in role is another than the policy's, as far as decisions may depend on it."""
    policy = gathered.policy
    mine, undecided = _known_actions(gathered, allowed, at), _known_actions(gathered, open_, at)
    known = {permission for grant in policy.roles[role].grants for permission in grant.permissions}
    differs = bool(mine != known or undecided)
    if differs:
        name = policy.roles[role].name
        gathered.note(f"the built-in role {name} of this tenant is not as documented; the tenant's is used", at)
    return differs


def _known_actions(gathered: Gathered, actions: Iterable[str], at: At) -> set[str]:
    """Return the permissions of a built-in role that the policy knows."""
    found = set()
    for action in actions:
        try:
            found.add(gathered.policy.find_permission("intune", action))
        except UnknownNameError:
            gathered.note("Intune actions that permcheck does not know were left out of built-in roles", at)
    return found


def assignments(people: People, roles: IntuneRoles) -> tuple[Section, bool]:
    """Join role assignments. Returns them, and whether some could not be used."""
    gathered, section, lost = people.gathered, Section(), False
    tags = tags_of(gathered)
    for thing in gathered.assignments.things:
        fields = dict(thing.fields)
        linked = fields.get("role") or fields.get("role_name") or ""
        if "role" in fields and gathered.is_gone(linked):
            continue
        role = roles.meant(linked) if linked else None
        if role is None and isinstance(linked, Written) and fold_case(linked) not in roles.opaque:
            role = str(linked)
        if role is None:
            lost = True
            if fold_case(linked) not in roles.opaque:
                _tell_lost(gathered, thing, linked)
            continue
        _compare_links(gathered, thing, role, roles)
        members = _member_groups(people, thing)
        fields |= {"role": role, "members": None if members is None else tuple(members)}
        fields["scope_groups"] = _scope_groups(people, thing)
        if fields.get("scope_tags") is not None:
            fields["scope_tags"] = tuple(map(tag_text(tags), fields["scope_tags"]))
        if not GUID.fullmatch(str(fields.get("id") or "")):
            fields["id"] = None
        section.add(thing, fields, (members or {}).items())
    return section, lost


def _compare_links(gathered: Gathered, thing: Thing, role: str, roles: IntuneRoles) -> None:
    """Tell an assignment of which one export names the id of its role, and another the name of another one."""
    named = str(thing.fields.get("role_name") or "")
    elsewhere = thing.where("role")[0] != thing.where("role_name")[0]
    if "role" not in thing.fields or not named or not elsewhere:
        return
    if roles.meant(named) not in {None, role}:
        at, name = thing.where("role_name"), str(thing.fields["name"])
        conflict = Conflict("intune_assignments", name, "role", thing.where("role"), at)
        gathered.assignments.conflicts.append(conflict)


def _member_groups(people: People, thing: Thing) -> dict[str, At] | None:
    """Return the member groups of an assignment; None where they were not exported, or one may be any of several."""
    if thing.fields.get("members") is None:
        return None
    found: dict[str, At] = {}
    for name in thing.fields["members"]:
        if isinstance(name, Written):
            found[str(name)] = thing.at
            continue
        if people.is_gone(name):
            continue
        group = people.group_or_stub(name, thing.at)
        if group is None:
            message = f"several groups are called `{name}`, so the members of this assignment are unknown"
            people.gathered.problem(thing.at, "ambiguous-name", message, "export the ids of its groups", "warning")
            return None
        found[people.group_name(group)] = thing.at
    return found


def _scope_groups(people: People, thing: Thing) -> tuple[str, ...] | None:
    """Return the scope groups of an assignment; what people wrote must be there, what exports name need not."""
    said = thing.fields.get("scope_groups") or ()
    found = {name: people.group_or_stub(name, thing.at) for name in said if not isinstance(name, Written)}
    names = (str(name) if isinstance(name, Written) else _group_text(people, found[name]) for name in said)
    return tuple(name for name in names if name) or None


def _group_text(people: People, group: Thing | None) -> str:
    return "" if group is None else people.group_name(group)


def _tell_lost(gathered: Gathered, thing: Thing, role: str) -> None:
    if role:
        message = f"the role `{role}` of the assignment `{thing.fields['name']}` is in no export"
        help_ = "export the role definitions of the same tenant"
    else:
        message = f"nothing tells which role the assignment `{thing.fields['name']}` assigns"
        help_ = "export roleDefinitions/ID/roleAssignments of every role"
    gathered.problem(thing.at, "no-role", message, help_, "warning")
