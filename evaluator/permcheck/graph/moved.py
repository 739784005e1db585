"""An estate that differs from another in nothing but who is in which group: its graph is made of the other's."""

from __future__ import annotations

from dataclasses import fields
from typing import Final

from permcheck.graph.build import memberships
from permcheck.graph.node import Adjacency, Container, Grant, Node
from permcheck.graph.rights import MEMBER_EDGES
from permcheck.model.policy_index import Policy
from permcheck.model.tables import Key, Tables

REST: Final = tuple(one.name for one in fields(Tables) if one.name != "members")
FEW: Final = 16
"""So many users are looked up in every group sooner than a graph is drawn."""


def moved(old: Tables, new: Tables) -> frozenset[Key] | None:
    """Return the users who are in other groups than before; None where estates may differ in more than that.

    What a changed estate did not change it shares with the old one, so that nothing is compared at length.
    """
    if any(getattr(old, name) is not getattr(new, name) for name in REST):
        return None
    before, after, found = old.members, new.members, set[Key]()
    if before.keys() != after.keys():
        return None
    for group, now in after.items():
        was = before[group]
        if now is not was:
            if now.groups != was.groups or not (now.known and was.known):
                return None
            found |= {*now.users} ^ {*was.users}
    return frozenset(found)


def redrawn(container: Container, policy: Policy, old: Tables, new: Tables) -> Adjacency | None:
    """Return the graph of an estate in which few users moved, from that of the old one; None where more changed."""
    users = moved(old, new) if isinstance(container, Adjacency) else None
    if users is None or len(users) > FEW:
        return None
    drawn: dict[Node, dict[Node, dict[str, Grant]]] = {Node("user", user): {} for user in users}
    for grant in memberships(new, policy, users):
        drawn[grant.start].setdefault(grant.end, {"grant": grant})
    found = Adjacency(container.adj)
    for start, groups in drawn.items():
        ends = found.adj.get(start, {}).items()
        rest = {end: data for end, data in ends if data["grant"].kind not in MEMBER_EDGES}
        found.adj.pop(start, None)
        if groups or rest:
            found.adj[start] = groups | rest
        for group in groups:
            found.adj.setdefault(group, {})
    return found
