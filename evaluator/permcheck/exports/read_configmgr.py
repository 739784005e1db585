"""Read the Configuration Manager side: what AdminService, WMI and the cmdlets export."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from permcheck.errors import UnknownNameError
from permcheck.exports.batch import Batch, Row, flag, fold, folded, has, names, parts, text, texts, value, whole
from permcheck.exports.gathered import (
    At,
    Called,
    Conflict,
    Discovered,
    Gathered,
    Principal,
    Register,
    RoleOperations,
    Thing,
)
from permcheck.exports.masks import Masks, operations_of
from permcheck.exports.recognise import Found

BITS: Final = 2**32
"""Masks have 32 bits."""
AGAIN: Final = "export it again"
OPERATION: Final = ("GrantedOperations", "ObjectTypeID")
PERMISSION: Final = ("RoleID", "RoleName", "CategoryID", "CategoryName", "CategoryTypeID")
"""What an operation of a role, or a permission of an administrative user, consists of; the last is in no record."""


def sites(into: Gathered, batch: Batch, _found: Found, number: int) -> None:
    """Read sites; `settle_sites` finds out which of them are hierarchies."""
    for entry, row in batch.entries():
        at, code = (number, entry), text(row, "SiteCode").upper()
        if not code:
            into.left_open(at, "hierarchies", "the site has no SiteCode", "export it")
            continue
        above = text(row, "ReportingSiteCode", "ParentSiteCode").upper()
        fields = {"above": above or None, "name": text(row, "SiteName") or None, **_release(into, row, at)}
        into.sites.put((("code", code),), {"id": code, **fields}, at)
        into.site_folders.setdefault(code, set()).add(batch.folder)


def settle_sites(into: Gathered) -> None:
    """Find the top site of every site, once all are read; those without a reporting site are hierarchies."""
    above = {str(thing.fields["id"]): str(thing.fields.get("above", "")) for thing in into.sites.things}
    for thing in into.sites.things:
        code = top = str(thing.fields["id"])
        passed: set[str] = set()
        while above.get(top) and top not in passed:
            passed.add(top)
            top = above[top]
        into.top_site[code] = top
        for folder in into.site_folders[code]:
            into.by_folder.setdefault(folder, set()).add(top)
        release = {"version": thing.fields.get("version"), "name": thing.fields.get("name")} if top == code else {}
        known = into.hierarchies.put((("id", top),), {"id": top, **release}, thing.at)
        if "version" in thing.fields:
            _state_version(into, known, code, thing)


def _state_version(into: Gathered, hierarchy: Thing, code: str, site: Thing) -> None:
    """Add the version of a site to its hierarchy; where people listed the sites, it must be what they say."""
    stated = hierarchy.fields.setdefault("sites", {})
    if isinstance(stated, dict):
        stated[code] = site.fields["version"]
        return
    for one in stated:
        if str(one["code"]).upper() == code and one["version"] != site.fields["version"]:
            conflict = Conflict("sites", code, "version", hierarchy.where("sites"), site.where("version"))
            into.sites.conflicts.append(conflict)


def _release(into: Gathered, row: Row, at: At) -> dict[str, int]:
    """Return the release of a build such as 5.00.9106.1000, as far as it is known."""
    build = text(row, "Version")
    for version in into.policy.versions.values():
        if version.build and (build == version.build or build.startswith(f"{version.build}.")):
            return {"version": version.release}
    if build:
        message, help_ = f"no release of Configuration Manager is known for build `{build}`", "state it as `version:`"
        into.problem(at, "unknown-release", message, help_, "warning")
    return {}


def operations(into: Gathered, batch: Batch, _found: Found, number: int) -> None:
    """Read the site's own list of operations and their bits. A bit that it lacks has no meaning that is known."""
    for entry, row in batch.entries():
        type_, bit, name = whole(row, "ObjectTypeID"), whole(row, "BitFlag"), text(row, "OperationName")
        if type_ is not None and bit is not None and name:
            into.operations.put((into.hierarchy(batch), type_, bit % BITS), name, (number, entry))
        else:
            into.problem((number, entry), "value", "the operation can't be read, and was left out", AGAIN, "warning")


def security_scopes(into: Gathered, batch: Batch, _found: Found, number: int) -> None:
    """Read names of security scopes."""
    for entry, row in batch.entries():
        id_, name = text(row, "CategoryID").upper(), text(row, "CategoryName")
        if id_ and name:
            into.scopes.put((into.hierarchy(batch, text(row, "SourceSite")), id_), name, (number, entry))
        else:
            message = "the security scope lacks its CategoryID or its CategoryName"
            into.problem((number, entry), "no-name", message, "export both", "warning")


def object_scopes(into: Gathered, batch: Batch, _found: Found, number: int) -> None:
    """Read which security scopes objects are in. An entry without its object may be about any of them."""
    for entry, row in batch.entries():
        key, id_ = (into.hierarchy(batch), text(row, "ObjectKey").casefold()), text(row, "CategoryID")
        if key[1] and id_:
            into.object_scopes.setdefault(key, []).append(id_)
        else:
            into.open_objects.add(key)
            message = "the entry lacks its ObjectKey or its CategoryID"
            into.problem((number, entry), "no-name", message, "export both", "warning")


def collections(into: Gathered, batch: Batch, _found: Found, number: int) -> None:
    """Read collections."""
    for entry, row in batch.entries():
        at, id_ = (number, entry), text(row, "CollectionID").upper()
        kind = into.values.collection_type.says(text(row, "CollectionType"), whole(row, "CollectionType"))
        if kind == "other":
            continue
        if not id_:
            into.left_open(at, "collections", "the collection has no CollectionID", "export it")
            continue
        owner = into.hierarchy(batch, _site_of(into, id_))
        fields: dict[str, Any] = {
            "hierarchy": owner,
            "id": id_,
            "name": text(row, "Name") or None,
            "kind": kind,
            "limited_to": text(row, "LimitToCollectionID").upper() or None,
        }
        into.collections.put((("id", f"{owner}/{id_}"),), fields, at, {"name": id_, "kind": "device"})


def _site_of(into: Gathered, collection: str) -> str:
    """Return the site in whose name a collection was made: the first three characters of its id."""
    return collection[:3] if collection[:3] in into.top_site else ""


def dependencies(into: Gathered, batch: Batch, _found: Found, number: int) -> None:
    """Read limiting, include and exclude rules."""
    for entry, row in batch.entries():
        at = (number, entry)
        child, source = text(row, "DependentCollectionID").upper(), text(row, "SourceCollectionID").upper()
        type_ = whole(row, "RelationshipType")
        if not (child and source and type_ is not None):
            into.problem(at, "no-name", "the rule lacks one of its collections, or its type", AGAIN, "warning")
            continue
        kind = into.values.relationship_type.says(type_)
        owner = into.hierarchy(batch, _site_of(into, child))
        thing = into.collections.put((("id", f"{owner}/{child}"),), {"hierarchy": owner, "id": child}, at)
        if kind == "limiting":
            into.collections.state(thing, {"limited_to": source}, at)
        elif kind is not None:
            thing.fields[kind] = (*thing.fields.get(kind, ()), source)


def security_roles(into: Gathered, batch: Batch, _found: Found, number: int) -> None:
    """Read security roles. A list query leaves `Operations` empty, so an empty one tells nothing."""
    for entry, row in _joined(batch, "RoleName", "Operations", OPERATION):
        owner, operations = into.hierarchy(batch, text(row, "SourceSite")), parts(row, "Operations")
        put_role(into, owner, row, _masks(into, operations, (number, entry)) if operations else None, (number, entry))


def _joined(batch: Batch, name: str, inner: str, signs: tuple[str, ...]) -> Iterator[tuple[int, Row]]:
    """Read entries; where each line is one part of a record, as a CSV file has to say it, join the parts.

    What the further lines say of the record itself is read, too.
    """
    apart: dict[tuple[str, str], tuple[int, dict[str, Any]]] = {}
    further: list[tuple[int, Row]] = []
    for entry, row in batch.entries():
        if has(row, inner) or not has(row, signs[-1]):
            yield entry, row
            continue
        key = text(row, name).casefold(), text(row, "SourceSite").casefold()
        if key in apart:
            further.append((entry, row))
        _, whole_ = apart.setdefault(key, (entry, {**row, fold(inner): []}))
        if any(text(row, sign) for sign in signs):
            whole_[fold(inner)].append(row)
    yield from apart.values()
    yield from further


def _masks(into: Gathered, operations: tuple[Row, ...], at: At) -> Masks | None:
    """Return the masks of a role; None where one can't be read. A signed mask is one of 32 bits."""
    masks: dict[int, int] = {}
    for item in operations:
        type_, mask = whole(item, "ObjectTypeID"), whole(item, "GrantedOperations")
        if type_ is None or mask is None or not -BITS // 2 <= mask < BITS:
            into.problem(at, "value", "an operation of the role can't be read, so all of them are unknown", AGAIN)
            return None
        if masks.setdefault(type_, mask % BITS) != mask % BITS:
            message = f"the role has two masks for the object type {type_}, so its operations are unknown"
            into.problem(at, "value", message, AGAIN)
            return None
    return masks


def put_role(into: Gathered, owner: str, row: Row, masks: Masks | None, at: At) -> None:
    """Add a security role with what its masks say."""
    name = text(row, "RoleName")
    fields: dict[str, Any] = {
        "hierarchy": owner,
        "name": name,
        "id": text(row, "RoleID") or None,
        "copied_from": text(row, "CopiedFromID") or None,
    }
    if not name:
        into.left_open(at, "security_roles", "the role has no RoleName", "export it")
        return
    id_ = f"{owner}/{fields['id']}" if fields["id"] else ""
    thing = into.security_roles.put((("id", id_), ("name", f"{owner}/{name}")), fields, at)
    if masks is not None:
        found = operations_of(into.policy, masks, into.bits_of(owner))
        into.operations_of.setdefault(id(thing), []).append(RoleOperations(found.named, found.undecided, at))
        for text_ in found.notes:
            into.note(text_, at)


def role_xml(into: Gathered, batch: Batch, _found: Found, number: int) -> None:
    """Read roles exported from the console: without operations only where their list is there and empty."""
    for entry, row in batch.entries():
        operations = parts(row, "Operations")
        if operations is None and text(row, "RoleName"):
            message = "the role has no list of operations, so they are unknown"
            into.problem((number, entry), "value", message, AGAIN, "warning")
        masks = None if operations is None else _masks(into, operations, (number, entry))
        put_role(into, into.hierarchy(batch), row, masks, (number, entry))


def role_permissions(into: Gathered, batch: Batch, found: Found, number: int) -> None:
    """Read permissions of roles by name: one entry an object type, or one an operation."""
    if found.owner:
        named_role(into, found.owner, batch.head, into.hierarchy(batch), (number, 0))
        return
    named: dict[str, tuple[At, dict[str, list[str]]]] = {}
    unreadable: set[str] = set()
    for entry, row in batch.entries():
        at, role = (number, entry), text(row, "RoleName", "SecurityRole", "role")
        if not role:
            help_ = "add the role's name: Select-Object @{n='RoleName';e={$role}}, *"
            into.problem(at, "no-owner", "nothing tells whose permissions these are", help_)
            return
        inner = value(row, "RolePermission", "RolePermissions", "Permissions")
        if isinstance(inner, dict):
            named_role(into, role, folded(inner), into.hierarchy(batch), at)
            continue
        class_ = _class(into, text(row, "ObjectTypeDisplayName", "ObjectTypeName", "ObjectType"))
        allowed = texts(row, "OperationName", "OperationNames", "Operations", "GrantedOperationNames")
        counts = flag(row, "Allow") if text(row, "Allow") else not has(row, "Allow")
        permissions = named.setdefault(role, (at, {}))[1]
        if counts is None or not class_ or allowed is None:
            unreadable.add(role)
            message = f"an entry of the role `{role}` can't be read, so its permissions are unknown"
            into.problem(at, "value", message, AGAIN, "warning")
        elif counts:
            permissions.setdefault(class_, []).extend(allowed)
    for role, (at, permissions) in named.items():
        put_named(into, into.hierarchy(batch), role, None if role in unreadable else permissions, at)


def named_role(into: Gathered, role: str, row: Row, owner: str, at: At) -> None:
    """Add a role of the form that Set-CMSecurityRolePermission takes: object class, then operations with commas."""
    classes = {fold(name): c.name for c in into.policy.classes.values() for name in (c.name, *c.synonyms)}
    found = {classes.get(key, key): list(texts(row, key) or ()) for key in row if not key.startswith("@")}
    put_named(into, owner, role, found, at)


def _class(into: Gathered, name: str) -> str:
    """Return the policy's name of an object class that may be called by its WMI name."""
    for known in into.policy.classes.values():
        if known.wmi_class and name.casefold() in {known.wmi_class.casefold(), known.wmi_class[4:].casefold()}:
            return known.name
    return name


def put_named(into: Gathered, owner: str, role: str, permissions: Mapping[str, list[str]] | None, at: At) -> None:
    """Add a role whose permissions are listed by name; names that nobody knows are left out and noted."""
    thing = into.security_roles.put((("name", f"{owner}/{role}"),), {"hierarchy": owner, "name": role}, at)
    if permissions is None:
        return
    known: dict[str, tuple[str, ...]] = {}
    for class_, named in permissions.items():
        for name in named:
            try:
                found = into.policy.permissions[into.policy.find_permission("configmgr", f"{class_}\\{name}")]
            except UnknownNameError:
                into.note(f"no operation of `{class_}` is called `{name}`; it was left out", at)
                continue
            known[found.category] = (*known.get(found.category, ()), found.name)
    into.operations_of.setdefault(id(thing), []).append(RoleOperations(known, {}, at))


def administrative_users(into: Gathered, batch: Batch, _found: Found, number: int) -> None:
    """Read administrative users; which role goes with which collection is in Permissions alone."""
    for entry, row in _joined(batch, "LogonName", "Permissions", PERMISSION):
        at = (number, entry)
        name = text(row, "LogonName", "name")
        if not name:
            into.left_open(at, "administrative_users", "the administrative user has no LogonName", "export it")
            continue
        owner = into.hierarchy(batch, text(row, "SourceSite"))
        group = flag(row, "IsGroup")
        account, group_account = whole(row, "AccountType"), into.values.group_account
        fields: dict[str, Any] = {
            "hierarchy": owner,
            "name": name,
            "sid": text(row, "AdminSid", "SID").upper() or None,
            "assignments": _pairs(into, owner, row, at),
            "only_role": _single_role(into, batch, row),
            "is_group": group if group is not None else (None if account is None else account in group_account),
        }
        if flag(row, "IsDeleted"):
            into.note("administrative users that were deleted give nothing, and were left out", at)
            continue
        sid = ("sid", f"{owner}/{fields['sid']}") if fields["sid"] else ("sid", "")
        into.admins.put((sid, ("name", f"{owner}/{name}")), fields, at)


def _pairs(into: Gathered, owner: str, row: Row, at: At) -> tuple[dict[str, object], ...] | None:
    """Return each role with its own scopes and collections; None where the pairs were not exported, or one is broken."""
    roles: dict[str, dict[str, object]] = {}
    for item in parts(row, "Permissions") or ():
        role = text(item, "RoleID").upper() or Called(text(item, "RoleName"))
        kind = into.values.category_type.says(whole(item, "CategoryTypeID"))
        category = text(item, "CategoryID").upper() or Called(text(item, "CategoryName"))
        if not (role and category and kind):
            message = "an entry of Permissions lacks its role, its category or the type of it, so all are unknown"
            into.problem(at, "value", message, AGAIN, "warning")
            return None
        found = roles.setdefault(role, {"role": role, "scopes": (), "collections": ()})
        if kind == "scope" and text(item, "CategoryID") and text(item, "CategoryName"):
            into.scopes.put((owner, category), text(item, "CategoryName"), at)
        found[f"{kind}s"] = (*found[f"{kind}s"], category)  # type: ignore[misc]
    return tuple(roles.values()) or None


def _single_role(into: Gathered, batch: Batch, row: Row) -> tuple[dict[str, object], ...] | None:
    """Return the pairs of somebody with one role: everything belongs to it. With several, nobody may guess."""

    def called(register: Register) -> Iterator[str]:
        return (str(thing.fields.get("name", "")) for thing in register.things)

    roles = names(batch, lambda: called(into.security_roles), row, "RoleNames", "roles")
    places = names(batch, lambda: called(into.collections), row, "CollectionNames", "collections")
    if roles is None or places is None or len(set(roles)) != 1:
        return None
    scopes = names(batch, lambda: (said for said, _ in into.scopes.told.values()), row, "CategoryNames")
    return ({"role": Called(roles[0]), "scopes": _called(scopes), "collections": _called(places)},)


def _called(names_: tuple[str, ...] | None) -> tuple[Called, ...] | None:
    return None if names_ is None else tuple(map(Called, names_))


def discovered_users(into: Gathered, batch: Batch, found: Found, number: int) -> None:
    """Read users that Configuration Manager discovered."""
    for entry, row in batch.entries():
        at = (number, entry)
        account, sid, upn = text(row, "UniqueUserName"), text(row, "SID").upper(), text(row, "UserPrincipalName")
        entra_id = text(row, "AADUserID")
        if not (account or sid or upn or entra_id):
            into.partial.add(found.kind.id)
            into.problem(at, "no-name", "the user has neither an account nor a SID, a UPN or an id", AGAIN, "warning")
            continue
        fields = {"account": account if sid else None, "sid": sid or None, "id": entra_id or None}
        known = (("sid", sid), ("id", entra_id), ("upn", upn), ("account", account))
        thing = into.users.put(known, fields, at, {"upn": upn or account or None})
        told = _discovered(into, row, entra_id, upn, at)
        if told is not None:
            into.discovery.setdefault(id(thing), {}).setdefault(into.hierarchy(batch), []).append(told)
        for group in texts(row, "SecurityGroupName", "UserGroupName") or ():
            into.by_discovery.setdefault(group.casefold(), []).append(Principal(sid or account, "user", at))


def _discovered(into: Gathered, row: Row, entra_id: str, upn: str, at: At) -> Discovered | None:
    """Return the discovery methods that an entry proves, and the UPN if Active Directory gave it.

    Without its agents, Active Directory may be one of the methods; and where Entra is one, nothing tells whose the
    UPN is.
    """
    if not has(row, "AADUserID", "AgentName"):
        return None
    agents = texts(row, "AgentName")
    entra = bool(entra_id and text(row, "AADTenantID")) if has(row, "AADUserID") else None
    local = None if not agents else any(into.values.ad_user_discovery.part_of(agent) for agent in agents)
    methods = (*(("entra",) if entra else ()), *(("ad",) if local else ()))
    theirs = has(row, "UserPrincipalName") and (local or (local is None and entra is False))
    return Discovered(methods, entra is None or local is None, upn if theirs else None, at)


def discovered_groups(into: Gathered, batch: Batch, _found: Found, number: int) -> None:
    """Read groups that Configuration Manager discovered: their accounts and SIDs. Their name in Entra is surer."""
    for entry, row in batch.entries():
        account, sid = text(row, "UniqueUsergroupName"), text(row, "SID").upper()
        name = text(row, "UsergroupName") or account.rpartition("\\")[2] or account or sid
        if not name:
            into.problem((number, entry), "no-name", "the group has neither a name nor a SID", "export both", "warning")
            continue
        fields: dict[str, Any] = {"account": account or None, "sid": sid or None}
        known = (("sid", sid), ("account", account), ("hand", name))
        into.groups.put(known, fields, (number, entry), {"name": name})


def scripts(into: Gathered, batch: Batch, _found: Found, number: int) -> None:
    """Read scripts."""
    for entry, row in batch.entries():
        id_, state = text(row, "ScriptGuid"), into.values.approval_state.says(whole(row, "ApprovalState"))
        owner, name = into.hierarchy(batch), text(row, "ScriptName")
        if not (id_ or name):
            into.left_open((number, entry), "scripts", "the script has neither a ScriptGuid nor a name", "export both")
            continue
        fields: dict[str, Any] = {
            "hierarchy": owner,
            "name": name or None,
            "id": id_.lower() or None,
            "approved": None if state is None else state == "approved",
            "author": text(row, "Author") or None,
        }
        known = (("id", f"{owner}/{id_ or name}"), ("hand", f"{owner}/{name or id_}"))
        into.scripts.put(known, fields, (number, entry), {"name": id_})


def applications(into: Gathered, batch: Batch, _found: Found, number: int) -> None:
    """Read applications: their names and security scopes."""
    for entry, row in batch.entries():
        name = text(row, "LocalizedDisplayName")
        if flag(row, "IsLatest") is False:
            continue
        if not name:
            into.left_open((number, entry), "applications", "the application has no LocalizedDisplayName", "export it")
            continue
        owner = into.hierarchy(batch, text(row, "SourceSite"))
        scopes = names(batch, lambda: (said for said, _ in into.scopes.told.values()), row, "SecuredScopeNames")
        fields: dict[str, Any] = {"hierarchy": owner, "name": name, "scopes": _called(scopes)}
        into.software.put((("name", f"{owner}/{name}"),), fields, (number, entry))


def security_assignments(into: Gathered, batch: Batch, _found: Found, number: int) -> None:
    """Read the report of administrative users. It has no collections, so it tells only that they are there."""
    for entry, row in batch.entries():
        at, name = (number, entry), text(row, "Administrative User", "LogonName", "UserName", "AdminName")
        if not name:
            into.left_open(at, "administrative_users", "nothing tells whose role this is", "export the report again")
            continue
        owner = into.hierarchy(batch)
        into.admins.put((("name", f"{owner}/{name}"),), {"hierarchy": owner, "name": name}, at)
