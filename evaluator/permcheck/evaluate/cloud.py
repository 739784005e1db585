"""Tests of the Intune and Entra planes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import NamedTuple

from permcheck.evaluate.outcome import UNDOCUMENTED, Context, Explanation, Outcome, missing
from permcheck.graph.node import Node
from permcheck.graph.rights import Grants, Way
from permcheck.model import policy as form
from permcheck.model.decision import Missing, NearMiss, Proof, Step
from permcheck.model.state import MET, UNKNOWN, UNMET, State, all_of, any_of

SECTIONS = {
    "intune": ("groups", "intune_assignments", "entra_roles"),
    "entra": ("groups", "app_roles", "entra_roles"),
}
FAULTS = {
    "group-type": "its member group {group} is not a security group",
    "nested": "the user is in {group} only through another group, and this role takes direct members only",
    "premium": "assigning it to group {group} needs Microsoft Entra ID P1 or P2",
    "holders": "its holders are not stated",
    "identity": "nobody states the SID of the account that is called like the administrative user",
    "sid-history": "its account has another SID than the administrative user of that name; SID history could match",
    "members": "the members of group {group} are not stated",
}


class Held(NamedTuple):
    """One way to a permission: the way to the role, the chain from the role, and whether it all holds."""

    way: Way
    tail: Grants
    state: State


def held(context: Context, ways: Iterable[Way], permission: str) -> tuple[Held, ...]:
    """Every way that ends in a permission."""
    readings, version = context.readings, context.world.version
    found = []
    for way in ways:
        for tail in context.graph.gives(way.role).get(permission, ()):
            state = all_of((way.state, *(grant.state(readings, version) for grant in tail)))
            found.append(Held(way, tail, state))
    return tuple(found)


def wanted(context: Context, test: form.GrantTest | form.AnyRoleTest, need: form.Need) -> tuple[str, form.Plane]:
    """Return the permission that a test asks for, and its plane; for some role of a plane, what each of them gives."""
    if isinstance(test, form.AnyRoleTest):
        return context.policy.gates[test.plane].id, test.plane
    permission = (need.permission if test.permission == "$permission" else test.permission) or ""
    return permission, context.policy.planes[permission]


def grant_test(context: Context, test: form.GrantTest | form.AnyRoleTest, need: form.Need) -> Outcome:
    """Test that a permission is held through an Intune role, an Entra role or an app role; one way is enough."""
    permission, plane = wanted(context, test, need)
    ways = held(context, context.rights.cloud(), permission)
    doubts = doubtful(context, plane)
    state = any_of((*(h.state for h in ways), UNKNOWN if doubts else UNMET))
    return Outcome(state, lambda: _explain(context, permission, ways, doubts if state is UNKNOWN else ()))


def doubtful(context: Context, plane: form.Plane) -> tuple[str, ...]:
    """Return lists without which nobody can say that a permission of a plane is lacking."""
    return context.tables.doubtful(*SECTIONS[plane])


def _explain(context: Context, permission: str, ways: tuple[Held, ...], doubtful: tuple[str, ...]) -> Explanation:
    proofs = tuple(context.path((*h.way.grants, *h.tail)) for h in ways if h.state is MET)
    facts = [*missing(doubtful, "the list is not in the estate, or known to lack entries")]
    if not proofs:
        facts += [m for h in ways if h.state is UNKNOWN for m in unknowns(context, h)]
    near = () if proofs else (*_lost(ways), *_eligible(context, permission), *_confused(context, permission))
    return Explanation(proofs, tuple(dict.fromkeys(facts)), tuple(dict.fromkeys(near)))


def unknowns(context: Context, one: Held) -> Iterator[Missing]:
    """Return what would settle a way that may or may not hold."""
    for fact in one.way.missing:
        yield Missing(fact, FAULTS.get(one.way.fault, "not stated").format(group=_last_group(one.way)))
    for grant in one.tail:
        condition = grant.condition
        if condition and condition.by_reading and grant.state(context.readings, context.world.version) is UNKNOWN:
            reading = context.policy.readings[condition.by_reading.reading]
            yield Missing(f"reading {reading.id}", reading.question)
        if condition and condition.missing:
            yield Missing(condition.missing, "not stated")
    if one.way.fault == "nested" and one.way.state is UNKNOWN:
        yield Missing(UNDOCUMENTED, FAULTS["nested"].format(group=_last_group(one.way)))


def _lost(ways: tuple[Held, ...]) -> Iterator[NearMiss]:
    for one in ways:
        if one.way.state is UNMET:
            yield NearMiss(f"{one.way.grants[-1].reason}, but {_fault(one.way)}")


def _last_group(way: Way) -> str:
    return next((grant.start.key for grant in reversed(way.grants) if grant.start.kind == "group"), "")


def _eligible(context: Context, permission: str) -> Iterator[NearMiss]:
    """Roles and groups that the user could activate (PIM)."""
    tables, user = context.tables, context.question.user
    title = context.policy.title(permission)
    mine = {node.key for node in context.graph.groups(Node("user", user))}
    for group, who in tables.eligible.items():
        if user in who.users or mine & set(who.groups):
            yield NearMiss(
                f"{tables.users[user].upn} is eligible for group {tables.groups[group].name},"
                f" but an eligible member is no member until it is activated ({title})"
            )
    for holders in tables.entra_roles.values():
        if user in holders.eligible.users or mine & set(holders.eligible.groups):
            role = context.policy.roles[holders.role]
            yield NearMiss(
                f"{tables.users[user].upn} is eligible for the Entra role {role.name}, but has not activated it"
            )


def _confused(context: Context, permission: str) -> Iterator[NearMiss]:
    """Roles that the user holds and whose name is easily taken for one that would help."""
    policy = context.policy
    mine = {policy.roles[w.role.key].name.casefold(): w for w in context.rights.cloud() if w.role.key in policy.roles}
    for role in policy.roles.values():
        helps = any(permission in grant.permissions for grant in role.grants)
        for other, why in role.confused_with.items():
            if helps and other.casefold() in mine:
                yield NearMiss(f"the user holds {other}, which is not {role.name}: {why}")


def group_type_test(context: Context, _test: form.GroupTypeTest, _need: form.Need) -> Outcome:
    """Test that no Intune role is lost because a member group has the wrong type."""
    ways = context.rights.intune
    bad = tuple(w for w in ways if w.fault == "group-type")
    directory = by_directory_role(context)
    if not bad or any(w.state is MET for w in ways) or directory is MET:
        return Outcome(MET)
    doubtful = context.tables.doubtful(*SECTIONS["intune"])
    state = UNKNOWN if doubtful or directory is UNKNOWN or any(w.state is UNKNOWN for w in ways) else UNMET

    def explain() -> Explanation:
        near = tuple(NearMiss(f"{w.grants[-2].reason}, but {_fault(w)}") for w in bad)
        facts = missing((*(m for w in ways for m in w.missing), *doubtful), "whether a security group gives a role")
        return Explanation(missing=facts if state is UNKNOWN else (), near=near)

    return Outcome(state, explain)


def _fault(way: Way) -> str:
    return FAULTS.get(way.fault, "it does not count").format(group=_last_group(way))


def by_directory_role(context: Context) -> State:
    """Tell whether a directory role gives the user rights in Intune, past groups and scope tags."""
    gate = context.policy.gates["intune"].id
    return any_of(one.state for one in held(context, context.rights.entra, gate))


def app_role_group_test(context: Context, _test: form.AppRoleGroupTest, _need: form.Need) -> Outcome:
    """Where the app role comes through groups only, one of those ways works."""
    ways = context.rights.app
    if not ways:
        return Outcome(MET)
    doubtful = context.tables.doubtful("groups", "app_roles")
    state = any_of((*(w.state for w in ways), UNKNOWN if doubtful else UNMET))

    def explain() -> Explanation:
        near = tuple(NearMiss(f"{w.grants[-1].reason}, but {_fault(w)}") for w in ways if w.state is UNMET)
        facts = missing((*(m for w in ways for m in w.missing), *doubtful), "needed for an assignment to a group")
        proofs = tuple(context.path(w.grants) for w in ways if w.state is MET)
        return Explanation(proofs, facts if state is UNKNOWN else (), near)

    return Outcome(state, explain)


def scope_tag_test(context: Context, test: form.ScopeTagTest, _: form.Need) -> Outcome:
    """Test that the user's role assignments see the tag that the device carries."""
    device = context.tables.devices.get(context.question.device or "")
    if device is not None and device.scope_tags is not None and not context.tables.carries(device, test.tag):
        step = Step(f"{device.name} carries the scope tags {', '.join(device.scope_tags) or 'none'}")
        return Outcome(UNMET, lambda: Explanation((Proof((step,)),)))
    key = ("tags", context.question.user, context.world.version, test.tag, context.plan.asked_permission)
    found = context.memo.get(key)
    if found is None:
        found = context.memo[key] = _own_tags(context, test)
    return found


def _own_tags(context: Context, test: form.ScopeTagTest) -> Outcome:
    """Test what the user's assignments see, whatever the device; the reasons are worked out once."""
    directory = held(context, context.rights.entra, context.policy.gates["intune"].id)
    passes = any_of(one.state for one in directory)
    ways = [w for w in context.rights.intune if w.state is not UNMET]
    doubtful = context.tables.doubtful("groups", "intune_assignments")
    joined = _whatever_holds(context, ways, test.tag, _merged, doubtful=bool(doubtful))
    own = _whatever_holds(context, ways, test.tag, _scoped, doubtful=bool(doubtful))
    mode = context.tables.tenant.scoped_permissions
    agreeing = joined if joined is own else UNKNOWN
    state = {None: agreeing, "merged": joined, "scoped": own}[mode]
    told = _Tags(ways, directory, state, differ=mode is None and joined is not own)
    if passes is MET or (passes is UNKNOWN and state is UNMET):
        state = passes
    return Outcome(state, cache(lambda: _tags_explained(context, test.tag, told, state)))


class _Tags(NamedTuple):
    """What a user's assignments see by their tags: alone, without what directory roles make of it."""

    ways: list[Way]
    directory: tuple[Held, ...]
    state: State
    differ: bool
    """Whether it depends on how assignments are joined."""


def _tags_explained(context: Context, tag: str, told: _Tags, state: State) -> Explanation:
    ways, directory = told.ways, told.directory
    explanation = _tags(context, ways, told.state, tag, differ=told.differ)
    if any(one.state is MET for one in directory):
        proofs = tuple(context.path((*one.way.grants, *one.tail)) for one in directory if one.state is MET)
        return Explanation((*proofs, *(explanation.proofs if told.state is MET else ())))
    if state is UNKNOWN and not explanation.missing:
        doubtful = context.tables.doubtful("groups", "intune_assignments")
        facts = missing((*doubtful, *(m for w in ways for m in w.missing)), "which further role assignments there are")
        roles = (m for one in directory if one.state is UNKNOWN for m in unknowns(context, one))
        explanation = explanation._replace(missing=tuple(dict.fromkeys((*facts, *roles))))
    return explanation


def _whatever_holds(
    context: Context,
    ways: list[Way],
    tag: str,
    sees: Callable[[Context, list[Way], str], State],
    *,
    doubtful: bool,
) -> State:
    """Tell what the assignments see, whether or not those hold that are not certain; only a tag itself stays seen."""
    certain = [way for way in ways if way.state is MET]
    state, all_hold = sees(context, certain, tag), sees(context, ways, tag)
    explicit = any(tag in (context.tables.intune_assignments[way.end.key].tags or ()) for way in certain)
    if state is not all_hold or (doubtful and not (state is MET and explicit)):
        return UNKNOWN
    return state


def _merged(context: Context, ways: list[Way], tag: str) -> State:
    """Tags of all assignments count together; only without any tag does one see everything."""
    lists = [context.tables.intune_assignments[w.end.key].tags for w in ways]
    if any(tags and tag in tags for tags in lists) or all(tags == () for tags in lists):
        return MET
    return UNKNOWN if None in lists else UNMET


def _scoped(context: Context, ways: list[Way], tag: str) -> State:
    """Each assignment's permissions stay inside its own tags."""
    permission = context.plan.asked_permission
    mine = [w for w in ways if permission is None or permission in context.graph.gives(w.role)]
    if not mine:
        return _merged(context, ways, tag)
    lists = [context.tables.intune_assignments[w.end.key].tags for w in mine]
    return any_of(UNKNOWN if tags is None else (MET if not tags or tag in tags else UNMET) for tags in lists)


def _tags(context: Context, ways: list[Way], state: State, tag: str, *, differ: bool) -> Explanation:
    facts: list[str] = []
    proofs: list[Proof] = []
    shown = {t for way in ways for t in context.tables.intune_assignments[way.end.key].tags or ()}
    for way in ways:
        assignment = context.tables.intune_assignments[way.end.key]
        if assignment.tags is None:
            facts.append(f"intune_assignments[{assignment.name}].scope_tags")
            continue
        names = {b.id: b.name for b in context.policy.builtins if b.kind == "scope-tag"}
        tags = ", ".join(names.get(tag, tag) for tag in assignment.tags) or "none"
        text = f"the role assignment {assignment.name} carries the scope tags {tags}"
        step = Step(text, context.origin("intune_assignments", assignment.key))
        if state is not MET:
            proofs.append(Proof((step,)))
        elif way.state is MET and (tag in assignment.tags or not shown):
            proofs.append(context.path(way.grants, step))
    if differ:
        facts.append("tenant.scoped_permissions")
    return Explanation(tuple(proofs), missing(facts, "not stated") if state is UNKNOWN else ())
