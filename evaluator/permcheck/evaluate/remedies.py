"""What could be changed so that a requirement is met: candidates, to be tried."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

from permcheck.evaluate.facts import fact
from permcheck.evaluate.leaf import run_test
from permcheck.evaluate.outcome import Context
from permcheck.evaluate.plan import Leaf
from permcheck.evaluate.remedies_security import security_remedies
from permcheck.evaluate.tags import carried
from permcheck.graph.node import Node
from permcheck.model import policy as form
from permcheck.model.change import (
    Activate,
    AddMember,
    AddPermissions,
    AddScopeTag,
    AssignAppRole,
    AssignEntraRole,
    AssignIntuneRole,
    Change,
    CreateIntuneRole,
    FactValue,
    SetFact,
)
from permcheck.model.state import MET, UNMET

Remedy: TypeAlias = tuple[Change, ...]

SETTABLE: dict[str, tuple[str, Callable[[Any, Any], FactValue]]] = {
    "user.sign_in_matches": ("signs_in_with", lambda record, _: record.upn),
    "user.discovered_upn_kind": ("discovered_upn", lambda _, __: ""),
    "user.discovered_by": (
        "discovered_by",
        lambda record, wanted: tuple(sorted({*(record.discovered_by or ()), wanted})),
    ),
    "hierarchy.lowest_version": ("version", lambda _, wanted: int(wanted)),
    "hierarchy.version": ("version", lambda _, wanted: int(wanted)),
}
"""Facts that are changed through another one, or not by a plain value."""
FIXED = {
    "tenant.cloud", "tenant.geography", "hierarchy.geography", "tenant.multi_geo", "tenant.entra_premium",
    "action.entity_documented", "user.direct_role_member", "script.authored_by_user", "device.in_tenant",
    "device.management", "hierarchy.central_site_remote_provider", "hierarchy.update_ring",
    "application.user_targeted",
}  # fmt: skip
"""Facts that nobody changes to let one person do one thing."""
OF_THE_TENANT = {"user.synced"}
"""Facts that an account of another tenant can't have."""
BEST = 4
"""Candidates of one kind that are tried, the least privileged first."""


def remedies(context: Context, leaf: Leaf) -> Iterator[Remedy]:
    """Propose candidates for a requirement that is not met."""
    yield from _remedies(context, leaf.test, leaf.need)


def _remedies(context: Context, test: form.Test, need: form.Need) -> Iterator[Remedy]:
    find = REMEDIES.get(test.kind)
    if find is not None:
        yield from find(context, test, need)


def _granted(context: Context, test: form.GrantTest, need: form.Need) -> Iterator[Remedy]:
    permission = (need.permission if test.permission == "$permission" else test.permission) or ""
    yield from cloud_remedies(context, permission, context.policy.planes[permission])


def _any_role(context: Context, test: form.AnyRoleTest, _: form.Need) -> Iterator[Remedy]:
    yield from cloud_remedies(context, context.policy.gates[test.plane].id, test.plane)


def _group_type(context: Context, _test: form.GroupTypeTest, _need: form.Need) -> Iterator[Remedy]:
    wanted = context.plan.asked_permission or context.policy.gates["intune"].id
    yield from cloud_remedies(context, wanted, "intune")


def _app_role(context: Context, _test: form.AppRoleGroupTest, _need: form.Need) -> Iterator[Remedy]:
    yield from ((AssignAppRole(way.role.key, context.question.user),) for way in context.rights.app)


def _right(context: Context, test: form.RightTest | form.SameCollectionTest, _: form.Need) -> Iterator[Remedy]:
    yield from ((change,) for change in _activations(context))
    yield from security_remedies(context, test)


def _combined(context: Context, test: form.Combined, need: form.Need) -> Iterator[Remedy]:
    open_ = [case.test for case in test.of if run_test(context, case.test, need).state is not MET]
    if test.kind == "any":
        for inner in open_:
            yield from _remedies(context, inner, need)
        return
    parts = [list(_remedies(context, inner, need)) for inner in open_]
    if all(parts):
        yield joined_facts(tuple(change for part in parts for change in part[0]))


def joined_facts(remedy: Remedy) -> Remedy:
    """Several changes of one list become one that has all the values."""
    lists: dict[tuple[str, str, str], SetFact] = {}
    others: list[Change] = []
    for change in remedy:
        if isinstance(change, SetFact) and isinstance(change.value, tuple):
            key = (change.subject, change.key, change.fact)
            before = lists[key].value if key in lists else ()
            values = tuple(sorted({*(before if isinstance(before, tuple) else ()), *change.value}))
            lists[key] = SetFact(*key, values)
        else:
            others.append(change)
    return tuple(dict.fromkeys((*others, *lists.values())))


def _fact(context: Context, test: form.FactTest, need: form.Need) -> Iterator[Remedy]:
    if test.fact in FIXED:
        return
    subject, _, attribute = test.fact.partition(".")
    wanted: Any = test.equals if test.equals is not None else (test.one_of[0] if test.one_of else None)
    if test.contains is not None:
        wanted = need.value if test.contains == "$value" else test.contains
    if test.at_least is not None:
        wanted = need.at_least if test.at_least == "$at_least" else test.at_least
    key, record = _subject(context, subject)
    if test.fact in SETTABLE:
        attribute, make = SETTABLE[test.fact]
        wanted = make(record, wanted)
    if wanted is not None and not (test.fact in OF_THE_TENANT and _is_guest(context)):
        yield (SetFact(subject, key, attribute, wanted),)


def _is_guest(context: Context) -> bool:
    return context.policy.is_guest(context.tables.users[context.question.user].upn)


def _subject(context: Context, subject: str) -> tuple[str, Any]:
    question, tables = context.question, context.tables
    match subject:
        case "tenant":
            return "", tables.tenant
        case "hierarchy":
            return question.hierarchy or "", tables.hierarchies.get(question.hierarchy or "")
        case "user":
            return question.user, tables.users[question.user]
        case "device":
            return question.device or "", tables.devices.get(question.device or "")
    return question.object or "", None


def _version(context: Context, test: form.VersionTest, need: form.Need) -> Iterator[Remedy]:
    hierarchy, bound = context.question.hierarchy or "", int(need.at_least or "0")
    changes: list[Change] = []
    found = fact(context, test.fact).value
    if not isinstance(found, int) or found < bound:
        changes.append(SetFact("hierarchy", hierarchy, "version", bound))
    if need.updates and (not isinstance(found, int) or found <= bound):
        have = context.tables.hierarchies[hierarchy].updates or ()
        changes.append(SetFact("hierarchy", hierarchy, "updates", tuple(dict.fromkeys((*have, *need.updates)))))
    yield tuple(changes)


def _switch(context: Context, test: form.SwitchTest, _: form.Need) -> Iterator[Remedy]:
    if test.switch == "toggle":
        yield (SetFact("tenant", "", "use_intune_rbac", "On"),)
    else:
        yield (SetFact("hierarchy", context.question.hierarchy or "", "enforce_configmgr_rbac", "Cleared"),)


def cloud_remedies(context: Context, permission: str, plane: form.Plane) -> Iterator[Remedy]:
    """Ways to an Intune or Entra permission: an existing group, an existing role, a new role."""
    user = context.question.user
    yield from ((change,) for change in _activations(context))
    if plane == "entra":
        if Node("app-role", permission) in context.graph.container.adj or _is_app_role(context, permission):
            yield (AssignAppRole(permission, user),)
        for group in _app_groups(context, permission):
            yield (AddMember(group, user),)
        yield from ((AssignEntraRole(role, user),) for role in _directory_roles(context, permission))
        return
    for group in _intune_groups(context, permission)[:BEST]:
        yield (AddMember(group, user),)
    if permission in context.policy.permissions:
        yield from ((AddPermissions("intune_roles", role, (permission,)),) for role in _own_custom_roles(context))
    tags = _new_tags(context)
    for role in _intune_roles(context, permission)[:BEST]:
        yield (AssignIntuneRole(role.key, role.key in context.policy.roles, user, tags),)
    if permission in context.policy.permissions:
        yield (CreateIntuneRole((permission,), user, tags),)


def _activations(context: Context) -> Iterator[Change]:
    """Return what the user could activate, himself or as a member of a group (PIM)."""
    tables, user = context.tables, context.question.user
    mine = {node.key for node in context.graph.groups(Node("user", user))}
    for group, who in tables.eligible.items():
        if user in who.users or mine & set(who.groups):
            yield Activate("groups", group, user)
    for key, holders in tables.entra_roles.items():
        if user in holders.eligible.users or mine & set(holders.eligible.groups):
            yield Activate("entra_roles", key, user)


def _own_custom_roles(context: Context) -> tuple[str, ...]:
    """Return the custom Intune roles that the user holds, or may hold."""
    held = (way.role.key for way in context.rights.intune if way.state is not UNMET)
    return tuple(key for key in dict.fromkeys(held) if key in context.tables.intune_roles)


def _new_tags(context: Context) -> tuple[str, ...]:
    """Return the scope tags that a new assignment needs to see the device.

    None where the action asks for no tag, or where the user has an assignment without tags: one with
    tags beside it would take the view of other devices away.
    """
    asked = [leaf.test.tag for leaf in context.plan.leaves() if isinstance(leaf.test, form.ScopeTagTest)]
    held = [context.tables.intune_assignments[w.end.key].tags for w in context.rights.intune if w.state is not UNMET]
    device = context.tables.devices.get(context.question.device or "")
    if not asked or () in held or device is None:
        return ()
    found = tuple(carried(context.tables, asked[0], device.management, device.scope_tags))
    return tuple(sorted(found[0])) if len(set(found)) == 1 and found[0] else (asked[0],)


def _is_app_role(context: Context, permission: str) -> bool:
    found = context.policy.permissions.get(permission)
    return found is not None and found.guid is not None


def _app_groups(context: Context, permission: str) -> tuple[str, ...]:
    if not context.tables.tenant.entra_premium:
        return ()
    return tuple(g for h in context.tables.app_roles.values() if h.role == permission for g in h.active.groups)


def _directory_roles(context: Context, permission: str) -> tuple[str, ...]:
    return tuple(
        role.id
        for role in context.policy.roles.values()
        if context.policy.role_planes[role.id] == "entra"
        and any(permission in grant.permissions for grant in role.grants)
    )


def _intune_groups(context: Context, permission: str) -> list[str]:
    """Security groups that are members of an assignment whose role has the permission; the least privileged first."""
    found: dict[str, int] = {}
    for assignment in context.tables.intune_assignments.values():
        role = Node("intune-role", assignment.role)
        gives = context.graph.gives(role)
        if permission in gives:
            for group in assignment.members:
                found[group] = min(found.get(group, len(gives)), len(gives))
    return sorted(found, key=lambda group: (found[group], group))


def _intune_roles(context: Context, permission: str) -> list[Node]:
    """Intune roles that have the permission, custom ones of the estate included; the least privileged first."""
    sizes: dict[Node, int] = {}
    for key, custom in context.tables.intune_roles.items():
        if permission in custom.permissions or permission == context.policy.gates["intune"].id:
            sizes[Node("intune-role", key)] = len(custom.permissions)
    for role in context.policy.roles.values():
        if context.policy.role_planes[role.id] == "intune":
            ids = {p for grant in role.grants for p in grant.permissions}
            if permission in ids or permission == context.policy.gates["intune"].id:
                sizes[Node("intune-role", role.id)] = len(ids)
    return sorted(sizes, key=lambda role: (sizes[role], role))


def _tags(context: Context, test: form.ScopeTagTest, _: form.Need) -> Iterator[Remedy]:
    device = context.tables.devices.get(context.question.device or "")
    if device is not None and device.scope_tags is not None and test.tag not in device.scope_tags:
        yield (SetFact("device", context.question.device or "", "scope_tags", (*device.scope_tags, test.tag)),)
    for way in context.rights.intune:
        yield (AddScopeTag(way.end.key, test.tag),)


REMEDIES: dict[str, Callable[[Context, Any, form.Need], Iterator[Remedy]]] = {
    "all": _combined,
    "any": _combined,
    "fact": _fact,
    "version": _version,
    "switch": _switch,
    "grant": _granted,
    "any-role": _any_role,
    "group-type": _group_type,
    "app-role-group": _app_role,
    "scope-tag": _tags,
    "right": _right,
    "same-collection": _right,
}
"""Kinds of test for which something can be changed."""
