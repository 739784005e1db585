"""What one user holds: every way from the user to a role, followed through the grant graph."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, TypeAlias

from permcheck.graph.identity import in_domain, is_account, is_guess
from permcheck.graph.node import Condition, Container, Grant, Node
from permcheck.model.decision import Step
from permcheck.model.estate import User
from permcheck.model.fold import fold_case
from permcheck.model.state import MET, UNKNOWN, UNMET, State, all_of
from permcheck.model.tables import Key, Tables, hierarchy_of

Grants: TypeAlias = tuple[Grant, ...]

ROLE_EDGES = frozenset({"assigned", "holds", "is-admin"})
MEMBER_EDGES = frozenset({"member", "inside"})
"""`inside` is membership that may be direct or not: nobody told."""
DETAILED = frozenset({"member", "inside", "holds", "assigned"})
"""Edges whose start has an entry of its own in an export."""
LASTING_NODES = frozenset({"intune-role", "entra-role", "security-role", "permission", "collection"})
DIRECT_ONLY = {"app-role": UNMET, "entra-role": UNKNOWN}
"""Kinds of role that a nested group does not pass on, and what nesting makes of them."""


class Way(NamedTuple):
    """One way from a user to a role assignment, directory role, app role or security assignment."""

    end: Node
    role: Node
    grants: Grants
    state: State = MET
    fault: str = ""
    missing: tuple[str, ...] = ()


@dataclass(frozen=True)
class Rights:
    """Every way of one user, by kind of its end."""

    user: Key
    intune: tuple[Way, ...]
    entra: tuple[Way, ...]
    app: tuple[Way, ...]
    security: Mapping[Key, tuple[Way, ...]]
    """By hierarchy."""
    admins: frozenset[Key]
    """Administrative users that the user is, or may be."""

    def cloud(self) -> tuple[Way, ...]:
        """Ways that may end in an Intune or Entra permission."""
        return (*self.intune, *self.entra, *self.app)


class GrantGraph:
    """The grants of an estate. Answers what a user holds; holds no device."""

    def __init__(self, tables: Tables, container: Container) -> None:
        self._tables = tables
        self._adj = container.adj
        self.container = container
        self._rights: dict[Key, Rights] = {}
        self._steps: dict[int, Step] = {}
        self._gives: dict[Node, dict[str, tuple[Grants, ...]]] = {}
        self.opaque = tuple(
            Node("group", key)
            for key, who in tables.members.items()
            if not who.known and Node("group", key) in self._adj
        )
        """Groups whose members nobody told: anybody may be in them."""
        self._unmatched = self._unmatched_admins()
        self._unmatched_called: dict[str, list[Node]] = {}
        for admin in self._unmatched:
            bare = fold_case(tables.admins[admin.key].name).rpartition("\\")[2]
            self._unmatched_called.setdefault(bare, []).append(admin)

    def out(self, node: Node) -> Iterator[Grant]:
        """Grants that start at a node."""
        if node in self._adj:
            for data in self._adj[node].values():
                yield data["grant"]

    def nodes(self, kind: str) -> Iterator[Node]:
        """Nodes of a kind."""
        return (node for node in list(self._adj) if node.kind == kind)

    def grant(self, start: Node, end: Node) -> Grant:
        """Return the grant between two nodes."""
        found: Grant = self._adj[start][end]["grant"]
        return found

    def step(self, grant: Grant) -> Step:
        """Return the sentence of a grant, with where it stands; made once."""
        found = self._steps.get(id(grant))
        if found is None:
            detail = grant.start.key if grant.kind in DETAILED else ""
            origin = self._tables.places.of(*grant.record, detail) if grant.record else None
            edge = (grant.kind, *grant.start, grant.end.key, *grant.record) if grant.record else None
            found = self._steps[id(grant)] = Step(grant.reason, origin, grant.sources, edge)
        return found

    def rights(self, user: Key) -> Rights:
        """Everything that a user holds or may hold."""
        found = self._rights.get(user)
        if found is None:
            found = self._rights[user] = self._collect(user)
        return found

    def gives(self, role: Node) -> Mapping[str, tuple[Grants, ...]]:
        """Permissions of a role, each with the chains of grants that lead to it."""
        found = self._gives.get(role)
        if found is None:
            found = self._gives[role] = self._permissions(role)
        return found

    def _permissions(self, role: Node) -> dict[str, tuple[Grants, ...]]:
        result: dict[str, tuple[Grants, ...]] = {}
        chains: list[Grants] = [(grant,) for grant in self.out(role) if grant.kind == "gives"]
        while chains:
            chain = chains.pop(0)
            end = chain[-1].end
            result[end.key] = (*result.get(end.key, ()), chain)
            passed = {grant.end for grant in chain}
            chains += [(*chain, grant) for grant in self.out(end) if grant.end not in passed]
        return result

    @cached_property
    def lasting(self) -> dict[Node, dict[Node, dict[str, Grant]]]:
        """What roles give, and which collections are limited to which: the same in every changed estate."""
        return {node: dict(self._adj[node]) for node in self._adj if node.kind in LASTING_NODES}

    def groups(self, start: Node) -> dict[Node, Grants]:
        """Return groups that a user or group is certainly in, directly or not, with the shortest chain to each."""
        return self._climb({start: ()}, [])

    def perhaps(self, start: Node, certain: Mapping[Node, Grants]) -> dict[Node, Grants]:
        """Return further groups that it may be in: those are certain, and nobody told whether a membership counts."""
        further = self._climb({start: (), **certain}, [UNKNOWN])
        return {group: chain for group, chain in further.items() if group not in certain}

    def _climb(self, known: Mapping[Node, Grants], also: Sequence[State]) -> dict[Node, Grants]:
        found: dict[Node, Grants] = dict(known)
        queue = list(known)
        for node in queue:
            for grant in self.out(node):
                counts = grant.condition is None or grant.condition.fixed in also
                if grant.kind in MEMBER_EDGES and counts and grant.end not in found:
                    found[grant.end] = (*found[node], grant)
                    queue.append(grant.end)
        return {group: chain for group, chain in found.items() if chain}

    def _collect(self, user: Key) -> Rights:
        start = Node("user", user)
        holders: list[tuple[Node, Grants, str]] = [(start, (), "")]
        certain = self.groups(start)
        holders += [(group, chain, "") for group, chain in certain.items()]
        holders += [(group, chain, _doubt(chain)) for group, chain in self.perhaps(start, certain).items()]
        for group in self.opaque:
            name = f"groups[{self._tables.groups[group.key].name}].members"
            if group in certain and is_nested(certain[group]) is not False:
                holders.append((group, (), name))  # through another group for certain, and perhaps directly
            if group not in certain:
                holders.append((group, (), name))
                holders += [(g, chain, name) for g, chain in self.perhaps(group, {}).items() if g not in certain]
        cloud: list[Way] = []
        security: dict[Key, list[Way]] = {}
        admins: list[Way] = [*self._unidentified(user, certain)]
        for node, chain, missing in holders:
            for way in self.ends(node, chain, missing):
                (admins if way.end.kind == "admin" else cloud).append(way)
        record = self._tables.users[user]
        domain = in_domain(record)
        if domain is not MET:
            admins = [] if domain is UNMET else [unsure(way, f"user[{record.upn}].synced") for way in admins]
        cloud += self.unstated
        for way in admins:
            security.setdefault(hierarchy_of(way.end.key), []).extend(self.rows(way))
        return Rights(
            user,
            tuple(w for w in cloud if w.end.kind == "intune-assignment"),
            tuple(w for w in cloud if w.end.kind == "entra-role"),
            tuple(w for w in cloud if w.end.kind == "app-role"),
            {key: tuple(ways) for key, ways in security.items()},
            frozenset(way.end.key for way in admins),
        )

    def ends(self, node: Node, chain: Grants, missing: str = "") -> Iterator[Way]:
        """Every way that goes on from a user or group, reached by a chain, to a role or an administrative user."""
        for grant in self.out(node):
            if grant.kind in ROLE_EDGES:
                way = _way((*chain, grant), missing)
                yield way if grant.end.kind == "admin" else self._through_role(way)

    def _through_role(self, way: Way) -> Way:
        if way.end.kind != "intune-assignment":
            return way
        role = next(grant for grant in self.out(way.end) if grant.kind == "role")
        return Way(way.end, role.end, (*way.grants, role), way.state, way.fault, way.missing)

    def rows(self, way: Way) -> Iterator[Way]:
        """Follow a way to an administrative user on to what that one is assigned."""
        for pair in self.out(way.end):
            role = next(grant for grant in self.out(pair.end) if grant.kind == "role")
            yield Way(pair.end, role.end, (*way.grants, pair, role), way.state, way.fault, way.missing)

    def _unmatched_admins(self) -> dict[Node, int]:
        """Administrative users of whom no record is known to be the one."""
        ends = (self._adj[node].items() for node in list(self._adj) if node.kind in {"user", "group"})
        matched = {end for each in ends for end, data in each if not is_guess(data["grant"])}
        admins = (Node("admin", key) for key in self._tables.admins)
        return {node: index for index, node in enumerate(admins) if node not in matched and node in self._adj}

    def _unidentified(self, user: Key, groups: Mapping[Node, Grants]) -> Iterator[Way]:
        """Administrative users who may be this user or one of the groups: their identity is not in the estate."""
        if not self._unmatched:
            return
        found = list(self.may_be_user(self._tables.users[user]))
        mine = {way.end for way in found}
        for group, chain in groups.items():
            found += [way._replace(grants=chain) for way in self.may_be_group(group.key) if way.end not in mine]
        yield from sorted(found, key=lambda way: self._unmatched[way.end])

    def may_be_user(self, record: User) -> Iterator[Way]:
        """Administrative users who may be a user."""
        for admin in self._unmatched:
            if not record.account and is_account(record, self._tables.admins[admin.key]) is UNKNOWN:
                yield Way(admin, admin, (), UNKNOWN, "identity", (f"users[{record.upn}].sid",))

    def may_be_group(self, group: Key) -> Iterator[Way]:
        """Administrative users who may be a group: it has their name."""
        record = self._tables.groups[group]
        for admin in self._unmatched_called.get(fold_case(record.name), ()):
            if not record.account and is_account(record, self._tables.admins[admin.key]) is UNKNOWN:
                yield Way(admin, admin, (), UNKNOWN, "identity", (f"groups[{record.name}].sid",))

    @cached_property
    def unstated(self) -> tuple[Way, ...]:
        """Roles whose holders the estate does not list: any user may be one."""
        return tuple(self._unstated())

    def _unstated(self) -> Iterator[Way]:
        for key, assignment in self._tables.intune_assignments.items():
            if not assignment.members_known:
                node, fact = Node("intune-assignment", key), f"intune_assignments[{assignment.name}].members"
                yield self._through_role(Way(node, node, (), UNKNOWN, "holders", (fact,)))
        for holders in self._tables.entra_roles.values():
            if not holders.active.known:
                node = Node("entra-role", holders.role)
                yield Way(node, node, (), UNKNOWN, "holders", (f"entra_roles[{holders.key}].members",))


def unsure(way: Way, fact: str) -> Way:
    """Return a way of which a fact that nobody told decides whether it holds."""
    return way._replace(state=all_of((way.state, UNKNOWN)), missing=(*way.missing, fact))


def _doubt(chain: Grants) -> str:
    """Return the fact that would settle the first membership of a chain of which nobody told whether it counts."""
    return next(grant.condition.missing for grant in chain if grant.condition is not None)


def _way(grants: Grants, missing: str) -> Way:
    """Make a way of grants that end at a role, with what may be wrong with it."""
    last = grants[-1]
    condition = last.condition or Condition()
    state, fault, facts = condition.fixed, condition.fault, (condition.missing,) if condition.missing else ()
    nested = is_nested(grants)
    if nested is not False and last.end.kind in DIRECT_ONLY:
        state, fault = all_of((state, DIRECT_ONLY[last.end.kind] if nested else UNKNOWN)), "nested"
    if missing:
        doubt = "passing-on" if any(grant.condition is not None for grant in grants[:-1]) else "members"
        state, fault, facts = all_of((state, UNKNOWN)), fault or doubt, (*facts, missing)
    return Way(last.end, last.end, grants, state, fault, facts)


def is_nested(grants: Grants) -> bool | None:
    """Tell whether a chain passes through a group inside a group; None where nobody told."""
    if sum(grant.kind in MEMBER_EDGES for grant in grants) > 1:
        return True
    return None if any(grant.kind == "inside" for grant in grants) else False
