"""Tests of the Configuration Manager plane: permissions over collections and objects."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from typing import NamedTuple

from permcheck.evaluate.cloud import Held, held, unknowns
from permcheck.evaluate.outcome import Context, Explanation, Outcome, missing
from permcheck.graph.membership import climb
from permcheck.graph.node import Node
from permcheck.graph.rights import Way
from permcheck.model import policy as form
from permcheck.model.decision import Missing, NearMiss, Step
from permcheck.model.policy_index import Policy
from permcheck.model.state import MET, UNKNOWN, UNMET, State, all_of, any_of
from permcheck.model.tables import Key, SecurityRow, hierarchy_of

ANY = "any"


class Extent(NamedTuple):
    """How far a row reaches: its state, and the steps or facts behind it."""

    state: State
    steps: tuple[Step, ...] = ()
    facts: tuple[str, ...] = ()


def ways_here(context: Context) -> tuple[Way, ...]:
    """Return the user's ways to security assignments of the hierarchy asked about."""
    return context.rights.security.get(context.question.hierarchy or "", ())


def with_permission(context: Context, permission: str) -> tuple[Held, ...]:
    """Return the rows of the user whose role has a permission, or may have it."""
    question, world = context.question, context.world
    key = ("with-permission", question.user, question.hierarchy, world.version, permission)
    found = context.memo.get(key)
    if found is None:
        found = context.memo[key] = giving(context, ways_here(context), permission)
    return found


def giving(context: Context, ways: tuple[Way, ...], permission: str) -> tuple[Held, ...]:
    """Return those of some ways to rows that give a permission, or may give it. Each way speaks for itself."""
    if permission == ANY:
        return tuple(Held(way, (), way.state) for way in ways)
    found = held(context, ways, permission)
    spoken = {one.way.end for one in found}
    silent = (way for way in ways if way.end not in spoken and not _documented(context, way))
    return (*found, *(Held(way, (), all_of((way.state, UNKNOWN))) for way in silent))


def _documented(context: Context, way: Way) -> bool:
    """Whether everything that the role holds is known."""
    role = context.tables.security_roles[way.role.key]
    if role.permissions is not None:
        return True
    return role.built_in is not None and context.policy.roles[role.built_in].complete


def right_test(context: Context, test: form.RightTest, _: form.Need) -> Outcome:
    """Test that a permission is held, over what the test says."""
    found = with_permission(context, test.permission)
    reach = EXTENTS[test.over]
    extents = [(one, reach(context, one, test.permission)) for one in found]
    doubt = doubts(context)
    states = [all_of((one.state, extent.state)) for one, extent in extents]
    state = any_of((*states, UNKNOWN if doubt else UNMET))
    return Outcome(state, lambda: _explain(context, test, extents, state, doubt))


def doubts(context: Context) -> tuple[str, ...]:
    """Return lists without which nobody can say that the user lacks a permission."""
    question, tables = context.question, context.tables
    user = tables.users[question.user]
    if user.synced is False:
        return ()
    doubtful = tables.doubtful("administrative_users", "groups")
    silent = tuple(
        f"administrative_users[{tables.admins[key].name}].assignments"
        for key in sorted(context.rights.admins)
        if hierarchy_of(key) == question.hierarchy and not tables.admin_known[key]
    )
    return (*doubtful, *silent)


def reached(context: Context, test: form.RightTest) -> tuple[frozenset[Key], frozenset[Key]] | None:
    """Return collections on which the user certainly, and possibly, holds a permission over devices.

    None where more than the collections decides: a withheld permission, the All scope, or collections nobody told.
    """
    if test.over != "device" or withheld_under(context.policy, context.readings, test.permission):
        return None
    rows = [(one.state, row_of(context, one)) for one in with_permission(context, test.permission)]
    if any(covers_all(context, row) is not UNMET or not row.collections_known for _, row in rows):
        return None
    certain = frozenset(c for state, row in rows if state is MET for c in row.collections)
    return certain, frozenset(c for state, row in rows if state is UNKNOWN for c in row.collections)


def covers_all(context: Context, row: SecurityRow) -> State:
    """Whether the All scope gives the row every collection."""
    if not _all_scope_covers(context):
        return UNMET
    if context.policy.all_scope in row.scopes:
        return MET
    return UNMET if row.scopes_known else UNKNOWN


def _all_scope_covers(context: Context) -> bool:
    found: bool | None = context.memo.get(("all-scope-covers",))
    if found is None:
        found = context.policy.enabled("all-scope-covers-collections", context.readings)
        context.memo["all-scope-covers",] = found
    return found


def row_of(context: Context, one: Held) -> SecurityRow:
    """Return the row that a way ends at."""
    return context.tables.rows[one.way.end.key]


def _over_any(_context: Context, _one: Held, _permission: str) -> Extent:
    return Extent(MET)


def _over_device(context: Context, one: Held, permission: str) -> Extent:
    """Return some collection that contains the device is, or is limited to, one that the role is assigned on."""
    coverage = context.membership.coverage(context.question.device or "")
    row = row_of(context, one)
    above = coverage.strict if withheld_under(context.policy, context.readings, permission) else coverage.above.keys()
    if not above.isdisjoint(row.collections):
        collection = next(key for key in row.collections if key in above)
        return Extent(MET, _chain(context, one, coverage.above[collection]))
    everything = covers_all(context, row)
    if everything is not UNMET:
        return Extent(everything, facts=(_scopes_of(context, row),) if everything is UNKNOWN else ())
    return _unreached(context, row, coverage.open)


def _unreached(context: Context, row: SecurityRow, open_: tuple[str, ...]) -> Extent:
    """Return that a row reaches nothing, as far as is known: it may be for more, or more may lie below it."""
    facts = () if row.collections_known else (_collections_of(context, row),)
    if row.collections or facts:
        facts = (*facts, *open_)
    return Extent(UNKNOWN, facts=facts) if facts else Extent(UNMET)


def withheld_under(policy: Policy, readings: Mapping[str, str], permission: str) -> bool:
    """Whether, under some readings, a permission on a collection does not reach what is in that collection itself."""
    found = policy.permissions.get(permission)
    return (
        found is not None
        and found.withheld_on_assigned
        and not policy.enabled("assigned-and-limited-restores", readings)
    )


def _chain(context: Context, one: Held, chain: tuple[Key, ...]) -> tuple[Step, ...]:
    """Say how a row reaches the device: down the limiting collections to one that contains it."""
    device = context.question.device or ""
    key = ("inside", device, chain[-1])
    inside = context.memo.get(key)
    if inside is None:
        name, last = context.tables.devices[device].name, context.tables.collections[chain[-1]]
        inside = Step(f"{name} is in collection {last.name}", context.origin("devices", device, last.id))
        context.memo[key] = inside
    return (*_down(context, one.way.end, chain), inside)


def _down(context: Context, row: Node, chain: tuple[Key, ...]) -> tuple[Step, ...]:
    key = ("down", row, chain)
    found: tuple[Step, ...] | None = context.memo.get(key)
    if found is None:
        nodes = [row, *(Node("collection", collection) for collection in chain)]
        found = tuple(context.step(context.graph.grant(start, end)) for start, end in pairwise(nodes))
        context.memo[key] = found
    return found


def _scopes_of(context: Context, row: SecurityRow) -> str:
    return f"administrative_users[{context.tables.admins[row.admin].name}].assignments[].scopes"


def _collections_of(context: Context, row: SecurityRow) -> str:
    return f"administrative_users[{context.tables.admins[row.admin].name}].assignments[].collections"


def _over_scopes(context: Context, row: SecurityRow, scopes: tuple[str, ...] | None, fact: str) -> Extent:
    everything = context.policy.all_scope
    if everything in row.scopes:
        return Extent(MET)
    if scopes is None:
        return Extent(UNKNOWN, facts=(fact,))
    shared = sorted(row.scopes & set(scopes))
    if not shared:
        return Extent(UNMET) if row.scopes_known else Extent(UNKNOWN, facts=(_scopes_of(context, row),))
    node = Node("scope", f"{row.hierarchy}/{shared[0]}")
    return Extent(MET, (context.step(context.graph.grant(Node("security-assignment", row.key), node)),))


def _over_default_scope(context: Context, one: Held, _permission: str) -> Extent:
    return _over_scopes(context, row_of(context, one), (context.policy.default_scope,), "")


def _over_object(section: str) -> Callable[[Context, Held, str], Extent]:
    def over(context: Context, one: Held, _permission: str) -> Extent:
        key = context.question.object
        if key is None:
            return Extent(MET)
        record = getattr(context.tables, section)[key]
        return _over_scopes(context, row_of(context, one), record.scopes, f"{section}[{record.name}].scopes")

    return over


def _over_targets(context: Context, one: Held, _permission: str) -> Extent:
    """One of the user collections that the application is deployed to is assigned, or limited to an assigned one."""
    tables, key = context.tables, context.question.object
    if key is None:
        return Extent(MET)
    if key not in tables.deployed_to:
        return Extent(UNKNOWN, facts=(f"applications[{tables.applications[key].name}].deployed_to",))
    row = row_of(context, one)
    unknown: dict[str, None] = {}
    for target in tables.deployed_to[key]:
        record = tables.collections[target]
        state, facts = _over_collection(context, row, target) if record.kind != "device" else (UNMET, ())
        if state is MET and record.kind == "user":
            return Extent(MET)
        if state is not UNMET:
            unknown |= dict.fromkeys(facts or (f"collections[{record.name}].kind",))
    return Extent(UNKNOWN, facts=tuple(unknown)) if unknown else Extent(UNMET)


def _over_collection(context: Context, row: SecurityRow, collection: Key | None) -> tuple[State, tuple[str, ...]]:
    """Return whether a row reaches a collection, and what would tell; without one, whether it reaches whichever."""
    path, told = climb(context.tables, collection) if collection is not None else ([], True)
    if not set(path).isdisjoint(row.collections):
        return MET, ()
    everything = covers_all(context, row)
    if everything is MET:
        return MET, ()
    facts: tuple[str, ...] = (_scopes_of(context, row),) if everything is UNKNOWN else ()
    if not told and row.collections:
        facts += (f"collections[{context.tables.collections[path[-1]].name}].limited_to",)
    facts += () if row.collections_known else (_collections_of(context, row),)
    return (UNKNOWN if facts else UNMET), facts


EXTENTS: dict[str, Callable[[Context, Held, str], Extent]] = {
    "any": _over_any,
    "device": _over_device,
    "default-scope": _over_default_scope,
    "script": _over_object("scripts"),
    "application": _over_object("applications"),
    "target-collections": _over_targets,
}


def _explain(
    context: Context, test: form.RightTest, extents: list[tuple[Held, Extent]], state: State, doubt: tuple[str, ...]
) -> Explanation:
    proofs = tuple(
        context.path((*one.way.grants, *one.tail), *extent.steps)
        for one, extent in extents
        if one.state is MET and extent.state is MET
    )
    if proofs:
        return Explanation(proofs)
    facts: list[Missing] = []
    if state is UNKNOWN:
        facts += missing(doubt, "the list is not in the estate, or known to lack entries")
        for one, extent in extents:
            if all_of((one.state, extent.state)) is UNKNOWN:
                facts += [*unknowns(context, one), *missing(extent.facts, "not stated")]
                facts += _undocumented(context, one, test.permission)
    near = tuple(_elsewhere(context, test, extents))
    return Explanation((), tuple(dict.fromkeys(facts)), near)


def _undocumented(context: Context, one: Held, permission: str) -> Iterator[Missing]:
    if one.state is UNKNOWN and not one.tail and permission != ANY:
        role = context.tables.security_roles[one.way.role.key]
        title = context.policy.title(permission)
        yield Missing(f"security_roles[{role.name}].permissions", f"no document says whether {role.name} has {title}")


def _elsewhere(context: Context, test: form.RightTest, extents: list[tuple[Held, Extent]]) -> Iterator[NearMiss]:
    """Return the permission is there, but over something else."""
    for one, extent in extents:
        if one.state is MET and extent.state is UNMET and test.permission != ANY:
            row = row_of(context, one)
            names = ", ".join(context.tables.collections[key].name for key in row.collections) or "no collection"
            scopes = ", ".join(sorted(row.scopes)) or "no scope"
            where = f"on {names}" if test.over in {"device", "target-collections"} else f"for {scopes}"
            title = context.policy.title(test.permission)
            yield NearMiss(f"{context.tables.admins[row.admin].name} has {title} {where}, which does not cover this")


def same_collection_test(context: Context, _test: form.SameCollectionTest, _need: form.Need) -> Outcome:
    """One collection that covers the device gives every collection permission that the action needs."""
    permissions = context.plan.collection_permissions
    coverage = context.membership.coverage(context.question.device or "")
    if len(permissions) < 2:  # noqa: PLR2004 - one permission is always on one collection
        return Outcome(MET)
    inside = context.tables.device_collections.get(context.question.device or "", frozenset())
    facts: dict[str, None] = {}
    best = UNMET
    for collection in (None, *sorted(inside)):
        states = []
        for permission in permissions:
            over = [
                (one.state, *_over_collection(context, row_of(context, one), collection))
                for one in with_permission(context, permission)
            ]
            facts |= dict.fromkeys(fact for held_, state, found in over if held_ is not UNMET for fact in found)
            states.append(any_of(all_of((held_, state)) for held_, state, _ in over))
        best = any_of((best, all_of(states)))
    open_ = (*coverage.open, *doubts(context))
    if best is UNMET and open_:
        best = UNKNOWN
    return Outcome(
        best, lambda: Explanation(missing=missing((*facts, *open_), "not stated") if best is UNKNOWN else ())
    )


def role_exists_test(context: Context, test: form.RoleExistsTest, _: form.Need) -> Outcome:
    """Test that some security role of the hierarchy has these permissions."""
    roles = [r for r in context.tables.security_roles.values() if r.hierarchy == context.question.hierarchy]
    states = [
        MET
        if set(test.permissions) <= set(context.graph.gives(Node("security-role", r.key)))
        or set(test.permissions) <= (r.permissions or set())
        else UNMET
        for r in roles
    ]
    complete = any(
        r.built_in and r.permissions is None and context.policy.roles[r.built_in].complete for r in roles
    )  # a role with every permission is always there
    state = MET if complete or MET in states else (UNKNOWN if context.tables.doubtful("security_roles") else UNMET)
    facts = missing(context.tables.doubtful("security_roles"), "the list is not in the estate")
    return Outcome(state, lambda: Explanation(missing=facts if state is UNKNOWN else ()))
