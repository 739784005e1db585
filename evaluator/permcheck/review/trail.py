"""How somebody comes to a right, as names: groups, assignments, roles, collections."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from permcheck.model.decision import Decision, Proof, Requirement
from permcheck.model.policy_index import Policy
from permcheck.model.state import MET
from permcheck.model.tables import Tables

GROUP, ROLE, COLLECTION, ASSIGNMENT, ADMIN = "group", "role", "collection", "assignment", "admin"


class Hop(NamedTuple):
    """One thing on the way from a person to a permission."""

    kind: str
    name: str


class Trail(NamedTuple):
    """The hops of one proof, without the person, the permission, and the way down from a collection to a device."""

    hops: tuple[Hop, ...]

    def __str__(self) -> str:
        return " > ".join(hop.name for hop in self.hops) or "directly"

    def names(self, kind: str) -> tuple[str, ...]:
        """Return what it passes of one kind."""
        return tuple(hop.name for hop in self.hops if hop.kind == kind)


def trails(decision: Decision, tables: Tables, policy: Policy) -> tuple[Trail, ...]:
    """Return the shortest trail of each requirement that counts and rests on grants; what others contain once."""
    found = (_shortest(r) for r in decision.requirements if r.counts and r.state is MET)
    return _longest(trail(proof, tables, policy) for proof in found if proof is not None)


def every_trail(decision: Decision, tables: Tables, policy: Policy) -> tuple[Trail, ...]:
    """Return all of them."""
    return _longest(trail(proof, tables, policy) for proof in decision.paths)


def _longest(found: Iterable[Trail]) -> tuple[Trail, ...]:
    """Leave out what another trail begins with: it goes the same way, and further."""
    each = tuple(dict.fromkeys(found))
    return tuple(
        one for one in each if not any(one is not other and other.hops[: len(one.hops)] == one.hops for other in each)
    )


def _shortest(requirement: Requirement) -> Proof | None:
    proofs = [proof for proof in requirement.proofs if proof.kind == "grant"]
    return min(proofs, key=_length, default=None)


def _length(proof: Proof) -> int:
    """How many steps lead to a role and its permission: how far down the collection lies is the device's matter."""
    kinds = [step.edge[0] if step.edge else "" for step in proof.steps]
    return kinds.index("over") if "over" in kinds else len(kinds)


def trail(proof: Proof, tables: Tables, policy: Policy) -> Trail:
    """Return the hops of a proof."""
    hops = []
    for step in proof.steps:
        if step.edge is not None:
            kind, _, _, end, section, key = step.edge
            hop = _hop(tables, policy, kind, end, section, key)
            if hop is not None:
                hops.append(hop)
    return Trail(tuple(hops))


def _hop(tables: Tables, policy: Policy, kind: str, end: str, section: str, key: str) -> Hop | None:
    match kind:
        case "member" | "inside":
            return Hop(GROUP, tables.groups[end].name)
        case "assigned" if section == "intune_assignments":
            return Hop(ASSIGNMENT, tables.intune_assignments[key].name)
        case "assigned":
            return Hop(ROLE, policy.title(end))
        case "holds":
            return Hop(ROLE, policy.roles[end].name)
        case "is-admin":
            return Hop(ADMIN, tables.admins[end].name)
        case "role":
            return Hop(ROLE, _role(tables, policy, end))
        case "over":
            return Hop(COLLECTION, tables.collections[end].name)
    return None


def _role(tables: Tables, policy: Policy, key: str) -> str:
    found = tables.security_roles.get(key) or tables.intune_roles.get(key)
    return found.name if found else policy.roles[key].name
