"""Tests of the Intune and Entra planes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from permcheck.evaluate.outcome import UNDOCUMENTED, Context, Explanation, Outcome, missing
from permcheck.graph.node import Node
from permcheck.graph.rights import Grants, Way
from permcheck.model import policy as form
from permcheck.model.decision import Missing, NearMiss
from permcheck.model.fold import fold_case
from permcheck.model.state import MET, UNKNOWN, UNMET, State, all_of, any_of

FAULTS = {
    "group-type": "its member group {group} is not a security group",
    "nested": "the user is in {group} only through another group, and this role takes direct members only",
    "premium": "assigning it to group {group} needs Microsoft Entra ID P1 or P2",
    "holders": "its holders are not stated",
    "identity": "nobody states the SID of the account that is called like the administrative user",
    "sid-history": "its account has another SID than the administrative user of that name; SID history could match",
    "unit": "it is held within an administrative unit only, and no document says what that gives in Intune",
}

UNTOLD = {
    "type": "only a security group counts, and nobody states of what type this one is",
    "members": "the members of the group are not stated, or not all of them",
}
"""What is missing of a group, by the fact."""


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
    doubts = doubtful(context, permission, plane)
    state = any_of((*(h.state for h in ways), UNKNOWN if doubts else UNMET))
    return Outcome(state, lambda: _explain(context, permission, ways, doubts if state is UNKNOWN else ()))


def doubtful(context: Context, permission: str, plane: form.Plane) -> tuple[str, ...]:
    """Return the lists without which nobody can say that a permission is lacking: those that it may come through."""
    through = ["groups", "intune_assignments"] if plane == "intune" else ["groups"]
    through += ["app_roles"] if permission in context.policy.app_roles else []
    through += ["entra_roles"] if permission in context.policy.of_directory_roles else []
    return context.tables.doubtful(*through)


def holds(context: Context, role: Node, permission: str) -> State:
    """Return whether a role has a permission."""
    readings, version = context.readings, context.world.version
    chains = context.graph.gives(role).get(permission, ())
    return any_of(all_of(grant.state(readings, version) for grant in chain) for chain in chains)


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
        untold = UNTOLD.get(fact.rpartition(".")[2]) or FAULTS.get(one.way.fault, "not stated")
        yield Missing(fact, untold.format(group=_last_group(one.way)))
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
    mine = {fold_case(policy.roles[w.role.key].name): w for w in context.rights.cloud() if w.role.key in policy.roles}
    for role in policy.roles.values():
        helps = any(permission in grant.permissions for grant in role.grants)
        for other, why in role.confused_with.items():
            if helps and fold_case(other) in mine:
                yield NearMiss(f"the user holds {other}, which is not {role.name}: {why}")


def group_type_test(context: Context, _test: form.GroupTypeTest, _need: form.Need) -> Outcome:
    """Test that no Intune role is lost because a member group has the wrong type."""
    ways, gate = context.rights.intune, context.policy.gates["intune"].id
    bad = tuple(w for w in ways if w.fault == "group-type")
    directory = by_directory_role(context)
    doubts = doubtful(context, gate, "intune")
    unlisted = context.tables.doubtful("groups", "intune_assignments")
    if directory is MET or any(w.state is MET for w in ways) or not (bad or unlisted):
        return Outcome(MET)
    lost = any(w.state is UNMET and not w.missing for w in bad)
    state = UNMET if lost and not doubts and UNKNOWN not in (directory, *(w.state for w in ways)) else UNKNOWN

    def explain() -> Explanation:
        near = tuple(NearMiss(f"{w.grants[-2].reason}, but {_fault(w)}") for w in bad if not w.missing)
        facts = missing((*(m for w in ways for m in w.missing), *doubts), "whether a security group gives a role")
        unread = (m for one in of_directory(context) if one.state is UNKNOWN for m in unknowns(context, one))
        return Explanation(missing=tuple(dict.fromkeys((*facts, *unread))) if state is UNKNOWN else (), near=near)

    return Outcome(state, explain)


def _fault(way: Way) -> str:
    return FAULTS.get(way.fault, "it does not count").format(group=_last_group(way))


def of_directory(context: Context) -> tuple[Held, ...]:
    """Return the directory roles of the user that give rights in Intune, or may."""
    return held(context, context.rights.entra, context.policy.gates["intune"].id)


def by_directory_role(context: Context) -> State:
    """Tell whether a directory role gives the user rights in Intune, past groups and scope tags."""
    unlisted = UNKNOWN if context.tables.doubtful("entra_roles") else UNMET
    return any_of((unlisted, *(one.state for one in of_directory(context))))


def app_role_group_test(context: Context, _test: form.AppRoleGroupTest, _need: form.Need) -> Outcome:
    """Where the app role comes through groups only, one of those ways works."""
    ways = context.rights.app
    doubts = context.tables.doubtful("groups", "app_roles")
    state = any_of((*(w.state for w in ways), UNKNOWN if doubts else UNMET))
    if not ways and not doubts:
        return Outcome(MET)

    def explain() -> Explanation:
        near = tuple(NearMiss(f"{w.grants[-1].reason}, but {_fault(w)}") for w in ways if w.state is UNMET)
        facts = missing((*(m for w in ways for m in w.missing), *doubts), "needed for an assignment to a group")
        proofs = tuple(context.path(w.grants) for w in ways if w.state is MET)
        return Explanation(proofs, facts if state is UNKNOWN else (), near)

    return Outcome(state, explain)
