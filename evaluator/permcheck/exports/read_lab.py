"""Read a lab hierarchy that a collector wrote into one file: sites, roles, administrative users, collections, devices.

It has no pairs of roles and collections and no operations, so both stay unknown where more than one role is held.
"""

from __future__ import annotations

from typing import Any

from permcheck.exports.batch import Batch, Row, flag, folded, parts, text, texts, value, whole
from permcheck.exports.gathered import At, Gathered, MemberList, Principal
from permcheck.exports.read_configmgr import settle_sites, sites
from permcheck.exports.recognise import Found


def lab(into: Gathered, batch: Batch, found: Found, number: int) -> None:
    """Read a lab."""
    for entry, row in batch.entries():
        at = (number, entry)
        _sites(into, batch, found, row)
        owner = into.hierarchy(batch)
        _directory(into, row, at)
        _collections(into, owner, row, at)
        _devices(into, owner, row, at)
        _security(into, owner, row, at)


def _sites(into: Gathered, batch: Batch, found: Found, row: Row) -> None:
    rows = [
        {
            "sitecode": text(site, "code"),
            "reportingsitecode": text(site, "parentSiteCode"),
            "version": text(site, "version"),
        }
        for site in parts(row, "sites") or ()
    ]
    inner = Batch(batch.file, batch.folder, f"{batch.path}.sites", rows[0] if rows else {}, lambda: rows)
    into.batches.append((inner, found))
    sites(into, inner, found, len(into.batches) - 1)
    settle_sites(into)


def _directory(into: Gathered, row: Row, at: At) -> None:
    """Users and groups of Active Directory; whether they are synced is not told."""
    for item in parts(row, "directory") or ():
        kind, sid, name = into.values.principal_type.says(text(item, "kind")), text(item, "sid"), text(item, "name")
        if kind == "user":
            into.users.put((("sid", sid), ("upn", name)), {"upn": name, "sid": _sid(sid)}, at)
        elif kind == "group":
            into.groups.put((("sid", sid),), {"name": name.partition("@")[0], "sid": _sid(sid)}, at)
            into.members.setdefault(sid.casefold(), MemberList(stated=True))
    for pair in value(row, "member_of") or ():
        if isinstance(pair, list) and len(pair) == 2 and str(pair[1]).casefold() in into.members:  # noqa: PLR2004 - a pair
            into.members[str(pair[1]).casefold()].direct.append(Principal(str(pair[0]), "", at))


def _sid(text_: str) -> str | None:
    return text_.upper() if text_.upper().startswith("S-1-") else None


def _collections(into: Gathered, owner: str, row: Row, at: At) -> None:
    for item in parts(row, "collections") or ():
        kind = into.values.collection_type.says(text(item, "collectionType"))
        if kind in {"device", "user"}:
            id_ = text(item, "collectionID").upper()
            fields: dict[str, Any] = {"hierarchy": owner, "id": id_, "name": text(item, "name") or id_, "kind": kind}
            into.collections.put((("id", f"{owner}/{id_}"),), fields, at)


def _devices(into: Gathered, owner: str, row: Row, at: At) -> None:
    by_smsid: dict[str, str] = {}
    for item in parts(row, "devices") or ():
        resource = text(item, "resourceID").partition("@")[0]
        co_managed = flag(item, "coManaged")
        fields: dict[str, Any] = {
            "hierarchy": owner,
            "name": text(item, "name").partition("@")[0],
            "resource_id": whole({"r": resource}, "r") or resource,
            "management": None if co_managed is None else "co-managed" if co_managed else "configmgr",
        }
        by_smsid[text(item, "smsid").casefold()] = resource
        into.devices.put((("resource", f"{owner}/{resource}"),), fields, at)
    for item in parts(row, "collections") or ():
        for member in texts(item, "members") or ():
            found = by_smsid.get(member.casefold())
            if found is not None:
                into.put_inside(owner, found, text(item, "collectionID").upper(), at)


def _security(into: Gathered, owner: str, row: Row, at: At) -> None:
    for item in parts(row, "roles") or ():
        fields: dict[str, Any] = {
            "hierarchy": owner,
            "name": text(item, "roleName"),
            "id": text(item, "roleID"),
            "copied_from": text(item, "copiedFromID") or None,
        }
        into.security_roles.put((("id", f"{owner}/{fields['id']}"), ("name", f"{owner}/{fields['name']}")), fields, at)
    _administrators(into, owner, row, at)


def _administrators(into: Gathered, owner: str, row: Row, at: At) -> None:
    for item in parts(row, "admins") or ():
        if not into.is_there(item, at, "administrative_users", "administrative users"):
            continue
        roles, name = texts(item, "roles") or (), text(item, "name")
        collections = texts(item, "collections") or ()
        paired = tuple({"role": role, "scopes": None, "collections": collections} for role in dict.fromkeys(roles))
        fields: dict[str, Any] = {
            "hierarchy": owner,
            "name": name,
            "sid": _sid(text(item, "adminSid")),
            "assignments": paired if len(paired) == 1 else None,
            "is_group": flag(folded(item), "isGroup"),
        }
        sid = f"{owner}/{fields['sid']}" if fields["sid"] else ""
        into.admins.put((("sid", sid), ("name", f"{owner}/{name}")), fields, at)
