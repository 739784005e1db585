"""Read Intune roles and their assignments, as Microsoft Graph and backups of it write them.

One assignment comes in several shapes: in the list, by its id, and under its role. A row that was cut states only what
is in it: its empty lists say nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple

from permcheck.exports.batch import (
    CUT,
    Batch,
    CutError,
    Row,
    flag,
    fold,
    folded,
    has,
    has_more,
    names,
    parts,
    tags_of,
    text,
    texts,
    value,
)
from permcheck.exports.gathered import At, Gathered
from permcheck.exports.recognise import Found

ALLOWED, DENIED = "allowedResourceActions", "notAllowedResourceActions"
TWINS: Final = ("rolePermissions", "permissions")
"""Properties that hold the same permissions of a role; some tools write one of them only."""
SCOPED: Final = ("scopeType", "resourceScopes", "scopeMembers")
"""Properties that an assignment has, and no role."""
_BOUND: Final = re.compile(r"roleDefinitions(?:/|\(')([^'/?()]+)")


class Told(NamedTuple):
    """One list of a role's actions: those that it allows, and those that it denies where the list tells them."""

    allowed: tuple[str, ...]
    denied: tuple[str, ...] | None


class Actions(NamedTuple):
    """What a role holds by all of its lists; None where no list is there: then nothing of the role could be read."""

    allowed: tuple[str, ...] | None = None
    undecided: tuple[str, ...] | None = None
    """What some of the lists alone allow."""
    denied: tuple[str, ...] | None = None


def role_definitions(into: Gathered, batch: Batch, _found: Found, number: int) -> None:
    """Read Intune roles, with the assignments that are under them."""
    for entry, row in batch.entries():
        at = (number, entry)
        if not has(row, *TWINS, ALLOWED) and has(row, *SCOPED):  # lists of other tools hold both
            _assignment(into, batch, row, at, "", "")
            continue
        id_, name = text(row, "id"), text(row, "displayName")
        for inner in parts(row, "roleAssignments") or ():
            if into.is_there(inner, at, "intune_assignments", "assignments of Intune roles"):
                _assignment(into, batch, inner, at, id_, name)
        if has_more(row, "roleAssignments"):
            into.open.add("intune_assignments")
        if value(row, "assignments"):
            into.note("assignments under Intune roles, in a shape that nobody knows, were left out", at)
        if not (id_ or name):
            into.left_open(at, "intune_roles", "the role has neither a displayName nor an id", "export both")
            continue
        actions = _actions_of(into, row, at)
        fields: dict[str, Any] = {
            "name": name or None,
            "id": id_.lower() or None,
            "description": text(row, "description") or None,
            "permissions": actions.allowed,
            "undecided": actions.undecided,
            "not_allowed": actions.denied,
            "built_in": flag(row, "isBuiltIn", "isBuiltInRoleDefinition"),
        }
        known = (("id", id_) if id_ else ("name", name), ("hand", name))
        into.intune_roles.put(known, fields, at, {"name": id_})


def _actions_of(into: Gathered, row: Row, at: At) -> Actions:
    """Return what a role allows and denies, wherever it stands.

    Twins that differ are told: which of them is right is not known, so what one allows alone, or denies alone, is
    undecided.
    """
    lists = list(_places(row))
    if not lists:
        return Actions()
    allowed = {action.casefold(): action for one in lists for action in one.allowed}
    sure = frozenset.intersection(*(_folded(one.allowed) for one in lists))
    denying = [_folded(one.denied) for one in lists if one.denied is not None] or [frozenset[str]()]
    denied = frozenset.intersection(*denying)
    sure -= frozenset.union(*denying) - denied
    undecided = tuple(action for key, action in allowed.items() if key not in sure)
    if undecided:
        message = "the role states its actions several times, and differently: what not every list allows is undecided"
        into.problem(at, "twins", message, "export it again, with `rolePermissions` alone", "warning")
    certain = tuple(action for key, action in allowed.items() if key in sure)
    names = {action.casefold(): action for one in lists for action in one.denied or ()}
    return Actions(certain, undecided or None, tuple(sorted(names[key] for key in denied)) or None)


def _folded(actions: Iterable[str]) -> frozenset[str]:
    return frozenset(map(str.casefold, actions))


def _places(row: Row) -> Iterator[Told]:
    """Return every list of the actions of a role: under both properties, in their entries or below, and in the role."""
    for twin in TWINS:
        permissions = parts(row, twin) or ()
        inner = [place for one in permissions for place in parts(one, "resourceActions") or ()]
        for places in (permissions, inner):
            yield from _stated(places, ALLOWED, DENIED)
        for told in _stated(permissions, "actions", ""):
            if told.allowed:  # tools leave the older list empty
                yield told
    yield from _stated((row,), ALLOWED, DENIED)


def _stated(places: Iterable[Row], allowed: str, denied: str) -> Iterator[Told]:
    """Return one list of actions, if any of the entries has a part of it."""
    found = [place for place in places if value(place, allowed) is not None]
    if found:
        no = tuple(action for place in found for action in texts(place, denied) or ()) if denied else None
        yield Told(tuple(action for place in found for action in texts(place, allowed) or ()), no)


def role_assignments(into: Gathered, batch: Batch, found: Found, number: int) -> None:
    """Read assignments of Intune roles."""
    for entry, row in batch.entries():
        _assignment(into, batch, row, (number, entry), found.owner, "")


def _assignment(into: Gathered, batch: Batch, row: Row, at: At, role: str, role_name: str) -> None:
    """Read one assignment of the role that it stands under, if it stands under one."""
    linked, linked_name = _link(row)
    id_, name = text(row, "id"), text(row, "displayName")
    if not (id_ or name):
        into.left_open(at, "intune_assignments", "the assignment has neither displayName nor id", "export both")
        return
    fields: dict[str, Any] = {
        "name": name or None,
        "id": id_.lower() or None,
        "role": role.lower() or linked.lower() or None,
        "role_name": role_name or linked_name or None,
        "scope_type": into.values.scope_type.says(fold(text(row, "scopeType"))),
        **_lists(batch, row),
    }
    owner = role or linked or role_name or linked_name
    known = (("id", id_) if id_ else ("name", f"{owner}/{name}"), ("hand", name))
    into.assignments.put(known, fields, at, {"name": id_})
    if role and linked and role.casefold() != linked.casefold():
        into.problem(
            at, "conflict", f"the assignment stands under the role `{role}` and links to `{linked}`", "keep one"
        )


def _link(row: Row) -> tuple[str, str]:
    """Return the id and the name of the role that an assignment links to; each empty where it is not told."""
    definition = value(row, "roleDefinition")
    inner = folded(definition) if isinstance(definition, dict) else {}
    id_ = text(inner, "id") or text(row, "roleDefinitionId")
    name = text(inner, "displayName") or text(row, "roleDefinitionDisplayName")
    bound = _BOUND.search(text(row, "roleDefinition@odata.bind"))
    if isinstance(definition, str):
        if CUT.match(definition):
            raise CutError(definition)
        id_ = id_ or definition.strip()
    return id_ or (bound[1] if bound else ""), name


def _lists(batch: Batch, row: Row) -> dict[str, tuple[str, ...] | None]:
    """Return the lists of an assignment. Where it was cut, as the absent scopeType tells, empty ones say nothing."""
    scopes = [found for key in ("resourceScopes", "scopeMembers") if (found := _named(batch, row, key)) is not None]
    lists = {
        "members": _member_groups(batch, row),
        "scope_groups": tuple(dict.fromkeys(name for one in scopes for name in one)) or None,
        "scope_tags": _tags(row),
    }
    whole = bool(text(row, "scopeType"))
    return {key: found if found or whole else None for key, found in lists.items()}


def _named(batch: Batch, row: Row, key: str) -> tuple[str, ...] | None:
    return names(batch, tuple, row, key)


def _member_groups(batch: Batch, row: Row) -> tuple[str, ...] | None:
    """Return groups by id or name; None where a tool wrote an empty text, which may mean that it failed."""
    members = value(row, "members")
    shown = _named(batch, row, "membersDisplayNames")
    if members == "" or (isinstance(members, list) and members and not any(members)):
        return shown or None
    return _named(batch, row, "members") or shown or _named(batch, row, "members")


def _tags(row: Row) -> tuple[str, ...] | None:
    """Return the ids of the scope tags; None where they, or one of them, were not exported."""
    expanded = parts(row, "roleScopeTags")
    if expanded is None:
        return tags_of(row)
    ids = tuple(text(tag, "id") for tag in expanded)
    return ids if all(ids) else None
