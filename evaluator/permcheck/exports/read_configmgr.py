"""Read the Configuration Manager side: what AdminService, WMI and the cmdlets export."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from permcheck.errors import UnknownNameError
from permcheck.exports.batch import Batch, Row, flag, fold, folded, has, parts, text, texts, value, whole
from permcheck.exports.gathered import At, Gathered, Principal
from permcheck.exports.masks import Masks, operations_of
from permcheck.exports.recognise import Found


def sites(into: Gathered, batch: Batch, _found: Found, number: int) -> None:
    """Read sites; those without a reporting site are hierarchies."""
    rows = {text(row, "SiteCode").upper(): (row, (number, entry)) for entry, row in batch.entries()}
    parents = {code: text(row, "ReportingSiteCode", "ParentSiteCode").upper() for code, (row, _) in rows.items()}
    for code, (row, at) in rows.items():
        top, passed = code, set()
        while parents.get(top) and top not in passed:
            passed.add(top)
            top = parents[top]
        into.top_site[code] = top
        into.by_folder.setdefault(batch.folder, set()).add(top)
        fields = _release(into, text(row, "Version"), at)
        if top == code:
            into.hierarchies.put((("id", top),), {"id": top, "name": text(row, "SiteName") or None, **fields}, at)
        else:
            into.hierarchies.put((("id", top),), {"id": top}, at)
        known = into.hierarchies.find("id", top)
        if known is not None and "version" in fields and isinstance(known.fields.setdefault("sites", {}), dict):
            known.fields["sites"][code] = fields["version"]


def _release(into: Gathered, build: str, at: At) -> dict[str, int]:
    """Return the release of a build such as 5.00.9106.1000, as far as it is known."""
    for version in into.policy.versions.values():
        if version.build and (build == version.build or build.startswith(f"{version.build}.")):
            return {"version": version.release}
    if build:
        message, help_ = f"no release of Configuration Manager is known for build `{build}`", "state it as `version:`"
        into.problem(at, "unknown-release", message, help_, "warning")
    return {}


def operations(into: Gathered, batch: Batch, _found: Found, _number: int) -> None:
    """Read the site's own list of operations and their bits."""
    for _, row in batch.entries():
        type_, bit, name = whole(row, "ObjectTypeID"), whole(row, "BitFlag"), text(row, "OperationName")
        if type_ is not None and bit is not None and name:
            owner = into.hierarchy(batch)
            into.operations.setdefault(owner, {}).setdefault(type_, {})[bit] = name


def security_scopes(into: Gathered, batch: Batch, _found: Found, _number: int) -> None:
    """Read names of security scopes."""
    for _, row in batch.entries():
        owner = into.hierarchy(batch, text(row, "SourceSite"))
        into.scopes[owner, text(row, "CategoryID").upper()] = text(row, "CategoryName")


def object_scopes(into: Gathered, batch: Batch, _found: Found, _number: int) -> None:
    """Read which security scopes objects are in."""
    for _, row in batch.entries():
        owner = into.hierarchy(batch)
        into.object_scopes.setdefault((owner, text(row, "ObjectKey").casefold()), []).append(text(row, "CategoryID"))


def collections(into: Gathered, batch: Batch, _found: Found, number: int) -> None:
    """Read collections."""
    for entry, row in batch.entries():
        kind = into.values.collection_type.says(text(row, "CollectionType"), whole(row, "CollectionType"))
        if kind == "other":
            continue
        id_ = text(row, "CollectionID").upper()
        fields: dict[str, Any] = {
            "id": id_,
            "name": text(row, "Name") or id_,
            "kind": "user" if kind == "user" else "device",
            "limited_to": text(row, "LimitToCollectionID").upper() or None,
        }
        owner = into.hierarchy(batch, _site_of(into, id_))
        into.collections.put((("id", f"{owner}/{id_}"),), {"hierarchy": owner, **fields}, (number, entry))


def _site_of(into: Gathered, collection: str) -> str:
    """Return the site in whose name a collection was made: the first three characters of its id."""
    return collection[:3] if collection[:3] in into.top_site else ""


def dependencies(into: Gathered, batch: Batch, _found: Found, number: int) -> None:
    """Read limiting, include and exclude rules."""
    for entry, row in batch.entries():
        child, source = text(row, "DependentCollectionID").upper(), text(row, "SourceCollectionID").upper()
        owner = into.hierarchy(batch, _site_of(into, child))
        thing = into.collections.put((("id", f"{owner}/{child}"),), {"hierarchy": owner, "id": child}, (number, entry))
        kind = into.values.relationship_type.says(whole(row, "RelationshipType"))
        if kind == "limiting":
            thing.fields.setdefault("limited_to", source)
        elif kind is not None:
            thing.fields[kind] = (*thing.fields.get(kind, ()), source)


def security_roles(into: Gathered, batch: Batch, _found: Found, number: int) -> None:
    """Read security roles. A list query leaves `Operations` empty, so an empty one tells nothing."""
    for entry, row in _joined(batch, "RoleName", "Operations", "ObjectTypeID"):
        at = (number, entry)
        owner = into.hierarchy(batch, text(row, "SourceSite"))
        masks = _masks(parts(row, "Operations") or ())
        put_role(into, owner, row, masks, at)


def _joined(batch: Batch, name: str, inner: str, sign: str) -> Iterator[tuple[int, Row]]:
    """Read entries; where each line is one part of a record, as a CSV file has to say it, join the parts."""
    apart: dict[str, tuple[int, dict[str, Any]]] = {}
    for entry, row in batch.entries():
        if has(row, inner) or not has(row, sign):
            yield entry, row
            continue
        _, whole_ = apart.setdefault(text(row, name).casefold(), (entry, {**row, fold(inner): []}))
        whole_[fold(inner)].append(row)
    yield from apart.values()


def _masks(operations: tuple[Row, ...]) -> Masks | None:
    """Return the masks of a role; None where there are none, or one can't be read. A signed mask is one of 32 bits."""
    found = [(whole(item, "ObjectTypeID"), whole(item, "GrantedOperations")) for item in operations]
    masks = {type_: mask % 2**32 for type_, mask in found if type_ is not None and mask is not None}
    return masks if masks and len(masks) == len(found) else None


def put_role(into: Gathered, owner: str, row: Row, masks: Masks | None, at: At) -> None:
    """Add a security role with what its masks say."""
    name = text(row, "RoleName")
    fields: dict[str, Any] = {
        "hierarchy": owner,
        "name": name,
        "id": text(row, "RoleID") or None,
        "copied_from": text(row, "CopiedFromID") or None,
        "built_in": flag(row, "IsBuiltIn"),
    }
    if not name:
        into.problem(at, "no-name", "the role has no RoleName", "export it", "warning")
        return
    if masks is not None:
        found = operations_of(into.policy, masks, into.operations.get(owner, {}))
        fields |= {"permissions": found.named, "undecided": found.undecided or None}
        for text_ in found.notes:
            into.note(text_, at)
    into.security_roles.put((("id", f"{owner}/{fields['id'] or name}"), ("name", f"{owner}/{name}")), fields, at)


def role_xml(into: Gathered, batch: Batch, _found: Found, number: int) -> None:
    """Read roles exported from the console."""
    for entry, row in batch.entries():
        operations = parts(row, "Operations") or ()
        masks = _masks(operations) if operations else {}
        if masks is None:
            into.problem(
                (number, entry), "value", "an operation of the role can't be read", "export it again", "warning"
            )
        put_role(into, into.hierarchy(batch), row, masks, (number, entry))


def role_permissions(into: Gathered, batch: Batch, found: Found, number: int) -> None:
    """Read permissions of roles by name: one entry an object type, or one an operation."""
    if found.owner:
        named_role(into, found.owner, batch.head, into.hierarchy(batch), (number, 0))
        return
    named: dict[str, tuple[At, dict[str, list[str]]]] = {}
    for entry, row in batch.entries():
        role = text(row, "RoleName", "SecurityRole", "role")
        if not role:
            help_ = "add the role's name: Select-Object @{n='RoleName';e={$role}}, *"
            into.problem((number, entry), "no-owner", "nothing tells whose permissions these are", help_)
            return
        inner = value(row, "RolePermission", "RolePermissions", "Permissions")
        if isinstance(inner, dict):
            named_role(into, role, folded(inner), into.hierarchy(batch), (number, entry))
            continue
        if has(row, "Allow") and not flag(row, "Allow"):
            continue
        class_ = _class(into, text(row, "ObjectTypeDisplayName", "ObjectTypeName", "ObjectType"))
        allowed = texts(row, "OperationName", "OperationNames", "Operations", "GrantedOperationNames") or ()
        named.setdefault(role, ((number, entry), {}))[1].setdefault(class_, []).extend(allowed)
    for role, (at, permissions) in named.items():
        put_named(into, into.hierarchy(batch), role, permissions, at)


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


def put_named(into: Gathered, owner: str, role: str, permissions: Mapping[str, list[str]], at: At) -> None:
    """Add a role whose permissions are listed by name; names that nobody knows are left out and noted."""
    known: dict[str, tuple[str, ...]] = {}
    for class_, names in permissions.items():
        found = []
        for name in names:
            try:
                found.append(into.policy.permissions[into.policy.find_permission("configmgr", f"{class_}\\{name}")])
            except UnknownNameError:
                into.note(f"no operation of `{class_}` is called `{name}`; it was left out", at)
        for permission in found:
            known[permission.category] = (*known.get(permission.category, ()), permission.name)
    fields: dict[str, Any] = {"hierarchy": owner, "name": role, "permissions": known}
    into.security_roles.put((("name", f"{owner}/{role}"),), fields, at)


def administrative_users(into: Gathered, batch: Batch, _found: Found, number: int) -> None:
    """Read administrative users; which role goes with which collection is in Permissions alone."""
    for entry, row in _joined(batch, "LogonName", "Permissions", "CategoryTypeID"):
        at = (number, entry)
        name = text(row, "LogonName", "name")
        if not name:
            into.problem(at, "no-name", "the administrative user has no LogonName", "export it", "warning")
            continue
        owner = into.hierarchy(batch, text(row, "SourceSite"))
        group = flag(row, "IsGroup")
        account, group_account = whole(row, "AccountType"), into.values.group_account
        fields: dict[str, Any] = {
            "hierarchy": owner,
            "name": name,
            "sid": text(row, "AdminSid", "SID").upper() or None,
            "assignments": _pairs(into, owner, row),
            "only_role": _single_role(row),
            "is_group": group if group is not None else (None if account is None else account in group_account),
            "roles": texts(row, "RoleNames"),
        }
        into.admins.put((("name", f"{owner}/{name}"),), fields, at)


def _pairs(into: Gathered, owner: str, row: Row) -> tuple[dict[str, object], ...] | None:
    """Return each role with its own scopes and collections; None where the pairs were not exported."""
    roles: dict[str, dict[str, object]] = {}
    for item in parts(row, "Permissions") or ():
        role = text(item, "RoleID") or text(item, "RoleName")
        found = roles.setdefault(role, {"role": role, "scopes": (), "collections": ()})
        kind = into.values.category_type.says(whole(item, "CategoryTypeID"))
        category = text(item, "CategoryID") or text(item, "CategoryName")
        if kind == "scope" and text(item, "CategoryName"):
            into.scopes.setdefault((owner, category.upper()), text(item, "CategoryName"))
        if kind is not None:
            found[f"{kind}s"] = (*found[f"{kind}s"], category)  # type: ignore[misc]
    return tuple(roles.values()) or None


def _single_role(row: Row) -> tuple[dict[str, object], ...] | None:
    """Return the pairs of somebody with one role: everything belongs to it. With several, nobody may guess."""
    roles = texts(row, "RoleNames", "roles")
    places = texts(row, "CollectionNames", "collections")
    if roles is None or places is None or len(set(roles)) != 1:
        return None
    return ({"role": roles[0], "scopes": texts(row, "CategoryNames"), "collections": places},)


def discovered_users(into: Gathered, batch: Batch, _found: Found, number: int) -> None:
    """Read users that Configuration Manager discovered."""
    for entry, row in batch.entries():
        at = (number, entry)
        account, sid, upn = text(row, "UniqueUserName"), text(row, "SID").upper(), text(row, "UserPrincipalName")
        entra_id = text(row, "AADUserID")
        fields: dict[str, Any] = {
            "account": account if sid else None,
            "sid": sid or None,
            "id": entra_id or None,
            **_discovered(into, row, entra_id, upn),
        }
        thing = into.users.put((("sid", sid), ("id", entra_id), ("upn", upn), ("account", account)), fields, at)
        methods = fields.get("discovered_by")
        if methods is not None:
            into.discovery.setdefault(id(thing), {})[into.hierarchy(batch)] = methods
        if "upn" not in thing.fields and (upn or account):
            thing.fields["upn"] = upn or account
            thing.details["upn"] = at
        for group in texts(row, "SecurityGroupName", "UserGroupName") or ():
            into.by_discovery.setdefault(group.casefold(), []).append(Principal(sid or account, "user", at))


def _discovered(into: Gathered, row: Row, entra_id: str, upn: str) -> dict[str, Any]:
    """Return the discovery methods that an entry proves, and the UPN if Active Directory gave it.

    Without its agents, Active Directory may be one of the methods; and where Entra is one, nothing tells whose the
    UPN is.
    """
    if not has(row, "AADUserID", "AgentName"):
        return {}
    agents = texts(row, "AgentName")
    entra = bool(entra_id and text(row, "AADTenantID")) if has(row, "AADUserID") else None
    local = None if not agents else any(into.values.ad_user_discovery.part_of(agent) for agent in agents)
    methods = (*(("entra",) if entra else ()), *(("ad",) if local else ()))
    theirs = has(row, "UserPrincipalName") and (local or (local is None and entra is False))
    return {
        "discovered_by": methods,
        "discovery_incomplete": True if entra is None or local is None else None,
        "discovered_upn": upn if theirs else None,
    }


def discovered_groups(into: Gathered, batch: Batch, _found: Found, number: int) -> None:
    """Read groups that Configuration Manager discovered: their accounts and SIDs."""
    for entry, row in batch.entries():
        account, sid = text(row, "UniqueUsergroupName"), text(row, "SID").upper()
        name = text(row, "UsergroupName") or account.rpartition("\\")[2] or account or sid
        if not name:
            into.problem((number, entry), "no-name", "the group has neither a name nor a SID", "export both", "warning")
            continue
        fields: dict[str, Any] = {"name": name or None, "account": account or None, "sid": sid or None}
        into.groups.put((("sid", sid), ("account", account), ("hand", name)), fields, (number, entry))


def scripts(into: Gathered, batch: Batch, _found: Found, number: int) -> None:
    """Read scripts."""
    for entry, row in batch.entries():
        id_, state = text(row, "ScriptGuid"), into.values.approval_state.says(whole(row, "ApprovalState"))
        owner = into.hierarchy(batch)
        fields: dict[str, Any] = {
            "hierarchy": owner,
            "name": text(row, "ScriptName") or id_,
            "id": id_.lower() or None,
            "approved": None if state is None else state == "approved",
            "author": text(row, "Author") or None,
        }
        into.scripts.put((("id", f"{owner}/{id_}"), ("hand", f"{owner}/{fields['name']}")), fields, (number, entry))


def applications(into: Gathered, batch: Batch, _found: Found, number: int) -> None:
    """Read applications: their names and security scopes."""
    for entry, row in batch.entries():
        name = text(row, "LocalizedDisplayName")
        if not name or flag(row, "IsLatest") is False:
            continue
        owner = into.hierarchy(batch, text(row, "SourceSite"))
        fields: dict[str, Any] = {"hierarchy": owner, "name": name, "scopes": texts(row, "SecuredScopeNames")}
        into.software.put((("name", f"{owner}/{name}"),), fields, (number, entry))


def security_assignments(into: Gathered, batch: Batch, _found: Found, number: int) -> None:
    """Read the report of administrative users: roles and their scopes; it has no collections."""
    roles: dict[str, dict[str, list[str]]] = {}
    first: dict[str, At] = {}
    for entry, row in batch.entries():
        name = text(row, "Administrative User", "LogonName", "UserName", "AdminName")
        role, scope = text(row, "Security Role", "RoleName"), text(row, "Security Scope", "ScopeName", "CategoryName")
        first.setdefault(name, (number, entry))
        roles.setdefault(name, {}).setdefault(role, []).append(scope)
    for name, found in roles.items():
        owner = into.hierarchy(batch)
        fields: dict[str, Any] = {"hierarchy": owner, "name": name, "roles": tuple(found)}
        into.admins.put((("name", f"{owner}/{name}"),), fields, first[name])
