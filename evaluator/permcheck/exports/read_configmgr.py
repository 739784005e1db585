"""Read the Configuration Manager side: what AdminService, WMI and the cmdlets export."""

from __future__ import annotations

from typing import Any, Final

from permcheck.exports.batch import Batch, Row, flag, has, names, text, texts, whole
from permcheck.exports.gathered import At, Conflict, Discovered, Gathered, Principal, Thing, called
from permcheck.exports.recognise import Found
from permcheck.model.builds import release_of

BITS: Final = 2**32
"""Masks have 32 bits."""
AGAIN: Final = "export it again"


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
        into.top_site |= dict.fromkeys((*passed, top), top)  # a site that others report to need not be listed itself
        for folder in into.site_folders[code]:
            into.by_folder.setdefault(folder, set()).add(top)
        release = {"version": thing.fields.get("version"), "name": thing.fields.get("name")} if top == code else {}
        known = into.hierarchies.put((("id", top),), {"id": top, **release}, thing.at)
        if "version" in thing.fields:
            _state_version(into, known, code, thing)
    if into.top_site:
        _add_written_sites(into)


def _add_written_sites(into: Gathered) -> None:
    """Add the sites that people wrote to those that were exported."""
    for thing in into.hierarchies.things:
        id_, sites = str(thing.fields["id"]), thing.fields.get("sites") or {}
        codes = sites if isinstance(sites, dict) else (one["code"] for one in sites)
        for code in (id_, *codes):
            into.top_site.setdefault(str(code).upper(), id_)


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
    """Return the release of a build such as 5.00.9106.1000; a build that is not known is at least the one before it."""
    build = text(row, "Version")
    if not build:
        return {}
    found = release_of(into.policy.versions.values(), build)
    if found is None:
        message, help_ = f"no release of Configuration Manager is known for build `{build}`", "state it as `version:`"
        into.problem(at, "unknown-release", message, help_, "warning")
        return {}
    if found.fit == "at-least":
        into.note(f"build {build} is newer than any that is known; it is taken for release {found.release}", at)
    elif found.fit == "before":
        into.note(f"build {build} is not known; it is taken for release {found.release}, the one before it", at)
    return {"version": found.release}


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
        site = text(row, "SourceSite")
        if into.left_out((number, entry), "security_scopes", site):
            continue
        if id_ and name:
            into.scopes.put((into.hierarchy(batch, site), id_), name, (number, entry))
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
    """Return the site in whose name a collection was made: the first three characters of its id.

    It may be a former site, or one of another hierarchy, from which the collection was migrated: that tells nothing.
    """
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


def discovered_users(into: Gathered, batch: Batch, found: Found, number: int) -> None:
    """Read users that Configuration Manager discovered. An id and a UPN of another tenant are nobody's in this one."""
    for entry, row in batch.entries():
        at, elsewhere = (number, entry), _of_another_tenant(into, row)
        account, sid, upn = text(row, "UniqueUserName"), text(row, "SID").upper(), text(row, "UserPrincipalName")
        entra_id = text(row, "AADUserID")
        if elsewhere and not sid:
            into.note("users that were discovered in another tenant alone were left out", at)
            continue
        if not (account or sid or upn or entra_id):
            into.partial.add(found.kind.id)
            into.problem(at, "no-name", "the user has neither an account nor a SID, a UPN or an id", AGAIN, "warning")
            continue
        told = _discovered(into, row, entra_id, upn, at)
        if elsewhere:
            entra_id = upn = ""
        fields = {"account": account if sid else None, "sid": sid or None, "id": entra_id or None}
        known = (("sid", sid), ("id", entra_id), ("upn", upn), ("account", account))
        thing = into.users.put(known, fields, at, {"upn": upn or account or sid or None})
        if told is not None:
            into.discovery.setdefault(id(thing), {}).setdefault(into.hierarchy(batch), []).append(told)
        for group in texts(row, "SecurityGroupName", "UserGroupName") or ():
            into.by_discovery.setdefault(group.casefold(), []).append(Principal(sid or account, "user", at))


def _of_another_tenant(into: Gathered, row: Row) -> bool:
    """Tell whether an account was discovered in another tenant than that of the exports, whose id was read before."""
    tenant = text(row, "AADTenantID").strip("{}").casefold()
    return bool(tenant and into.tenants) and tenant not in into.tenants


def _discovered(into: Gathered, row: Row, entra_id: str, upn: str, at: At) -> Discovered | None:
    """Return the discovery methods that an entry proves, and the UPN if Active Directory gave it.

    Without its agents, Active Directory may be one of the methods; and where Entra is one, nothing tells whose the
    UPN is.
    """
    if not has(row, "AADUserID", "AgentName"):
        return None
    agents = texts(row, "AgentName")
    told = has(row, "AADUserID") and (not entra_id or has(row, "AADTenantID"))
    entra = bool(entra_id and text(row, "AADTenantID")) if told else None
    local = None if not agents else any(into.values.ad_user_discovery.part_of(agent) for agent in agents)
    here = entra and not _of_another_tenant(into, row)
    methods = (*(("entra",) if here else ()), *(("ad",) if local else ()))
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
        name, site = text(row, "LocalizedDisplayName"), text(row, "SourceSite")
        if flag(row, "IsLatest") is False or into.left_out((number, entry), "applications", site):
            continue
        if not name:
            into.left_open((number, entry), "applications", "the application has no LocalizedDisplayName", "export it")
            continue
        owner = into.hierarchy(batch, site)
        scopes = names(batch, lambda: (said for said, _ in into.scopes.told.values()), row, "SecuredScopeNames")
        fields: dict[str, Any] = {"hierarchy": owner, "name": name, "scopes": called(scopes)}
        into.software.put((("name", f"{owner}/{name}"),), fields, (number, entry))
