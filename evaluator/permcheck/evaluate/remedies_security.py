"""Candidates that give Configuration Manager permissions: a group, a row completed, an existing role, a new one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from permcheck.evaluate.outcome import Context
from permcheck.evaluate.security import ways_here
from permcheck.graph.node import Node
from permcheck.model import policy as form
from permcheck.model.change import (
    AddCollection,
    AddMember,
    AddPermissions,
    AddScope,
    AssignSecurityRole,
    Change,
    CreateSecurityRole,
)
from permcheck.model.state import MET, UNMET
from permcheck.model.tables import Key, SecurityRow, hierarchy_of

BEST = 4
"""Candidates of one kind that are tried, the least privileged first."""
ROWS = 8
"""Rows of the user that are completed."""


def security_remedies(context: Context, test: form.RightTest | form.SameCollectionTest) -> Iterator[tuple[Change, ...]]:
    """Candidates for a permission; all of them carry every permission that the action needs besides."""
    wanted = tuple(wanted_permissions(context, test))
    groups = _groups(context, wanted) or _groups(context, wanted[:1])
    for group in groups[:BEST]:
        yield (AddMember(group, context.question.user),)
    hierarchy, collection = context.question.hierarchy or "", _collection(context)
    scope = _scope(context)
    for row in _own_rows(context)[:ROWS]:
        found = tuple(_completed(context, row, wanted, collection, scope))
        if found:
            yield found
    if collection is None:
        return
    for role in _roles(context, wanted)[:BEST]:
        yield (AssignSecurityRole(hierarchy, role, context.question.user, collection, scope),)
    yield (CreateSecurityRole(hierarchy, tuple(sorted(wanted)), context.question.user, collection, scope),)


def _own_rows(context: Context) -> list[SecurityRow]:
    """Return what the user's administrative users hold in the hierarchy, each once."""
    ends = dict.fromkeys(way.end.key for way in ways_here(context) if way.state is not UNMET)
    return [context.tables.rows[end] for end in ends]


def _completed(
    context: Context, row: SecurityRow, wanted: tuple[str, ...], collection: Key | None, scope: str
) -> Iterator[Change]:
    """Return what a row lacks: permissions, if its role is a custom one; a collection with the device; a scope."""
    lacking = tuple(sorted(set(wanted) - _certain(context, row.role)))
    if lacking and context.tables.security_roles[row.role].permissions is None:
        return
    if lacking:
        yield AddPermissions("security_roles", row.role, lacking)
    above = context.membership.coverage(context.question.device or "").above
    if context.question.device and collection is not None and not set(row.collections) & above.keys():
        yield AddCollection(row.key, collection)
    if scope not in row.scopes and context.policy.all_scope not in row.scopes:
        yield AddScope(row.key, scope)


def wanted_permissions(context: Context, test: form.RightTest | form.SameCollectionTest) -> Iterator[str]:
    """Return the test's permission first, then every other that the plan asks for."""
    own = (test.permission,) if isinstance(test, form.RightTest) and test.permission != "any" else ()
    rest = (leaf.test.permission for leaf in context.plan.leaves() if isinstance(leaf.test, form.RightTest))
    yield from dict.fromkeys((*own, *(p for p in rest if p != "any")))


def _certain(context: Context, role: Key) -> set[str]:
    """Permissions that a security role of the estate has for sure."""
    gives = context.graph.gives(Node("security-role", role))
    known = {
        permission
        for permission, chains in gives.items()
        if any(all(g.state(context.readings, context.world.version) is MET for g in chain) for chain in chains)
    }
    record = context.tables.security_roles[role]
    if record.permissions is not None:
        return known | set(record.permissions)
    built_in = context.policy.roles.get(record.built_in or "")
    for grant in built_in.grants if built_in else ():
        if grant.by_reading is None:
            known |= set(context.policy.granted(built_in, grant)) if built_in else set()
    return known | {
        other for p in known if p in context.policy.permissions for other in context.policy.permissions[p].implies
    }


def _groups(context: Context, wanted: tuple[str, ...]) -> list[Key]:
    """Return groups that are administrative users with a row that has the permissions and reaches the device."""
    coverage = context.membership.coverage(context.question.device or "")
    found: dict[Key, int] = {}
    for row in context.tables.rows.values():
        reaches = not context.question.device or bool(set(row.collections) & coverage.above.keys())
        if row.hierarchy != context.question.hierarchy or not reaches:
            continue
        permissions = _certain(context, row.role)
        if set(wanted) <= permissions:
            for group in _groups_of(context, row.admin):
                found[group] = min(found.get(group, len(permissions)), len(permissions))
    return sorted(found, key=lambda group: (found[group], group))


def _groups_of(context: Context, admin: Key) -> Iterable[Key]:
    target = Node("admin", admin)
    return [g for g in context.tables.groups if target in context.graph.container.adj.get(Node("group", g), {})]


def _roles(context: Context, wanted: tuple[str, ...]) -> list[Key]:
    """Security roles of the hierarchy that certainly have the permissions; the least privileged first."""
    sizes = {
        key: len(_certain(context, key))
        for key, role in context.tables.security_roles.items()
        if role.hierarchy == context.question.hierarchy and set(wanted) <= _certain(context, key)
    }
    return sorted(sizes, key=lambda key: (sizes[key], key))


def _collection(context: Context) -> Key | None:
    """Return the deepest collection that contains the device; without a device, the one that holds every device."""
    inside = context.tables.device_collections.get(context.question.device or "", frozenset())
    if inside:
        return max(inside, key=lambda key: (_depth(context, key), key))
    hierarchy = context.question.hierarchy
    mine = [k for k, c in context.tables.collections.items() if hierarchy_of(k) == hierarchy and c.kind == "device"]
    roots = [k for k in mine if context.tables.collections[k].id.upper() in context.policy.all_devices]
    return next(iter((*roots, *mine)), None) if context.question.device is None else None


def _depth(context: Context, collection: Key) -> int:
    """How many collections lie above one."""
    passed: set[Key] = set()
    top: Key | None = collection
    while top is not None and top not in passed:
        passed.add(top)
        top = context.tables.limited_to.get(top)
    return len(passed)


def _scope(context: Context) -> str:
    """Return the scope of the object asked about, else the default scope."""
    question = context.question
    if question.object is not None:
        records = context.tables.scripts if question.action.object == "script" else context.tables.applications
        scopes = records[question.object].scopes
        if scopes:
            return str(scopes[0])
    return context.policy.default_scope
