"""What users hold, as whole numbers: every kind of way that tests can tell apart is one bit."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import Final

from permcheck.bulk.regions import Bits, few
from permcheck.graph.identity import in_domain
from permcheck.graph.node import Grant, Node
from permcheck.graph.rights import MEMBER_EDGES, GrantGraph, Rights, Way, is_nested, unsure
from permcheck.model.state import MET, UNMET, State
from permcheck.model.tables import Key, Tables, hierarchy_of

SOMEBODY: Final = Node("group", "")
MEMBER, INSIDE = (Grant(kind, SOMEBODY, SOMEBODY, "") for kind in ("member", "inside"))
CHAINS: Final = {False: (MEMBER,), None: (INSIDE,), True: (MEMBER, MEMBER)}
"""A chain to a group for each answer of `is_nested`: of the chain itself tests see no more."""
CLOUD: Final = "cloud"
WRONG_TYPE: Final = "group-type"


def _is_open(grant: Grant) -> bool:
    """Tell whether nobody told whether a membership counts."""
    return grant.kind in MEMBER_EDGES and grant.condition is not None


class Shapes:
    """Numbers ways by what tests can see of them; who holds something is followed group by group, not user by user."""

    def __init__(self, tables: Tables, graph: GrantGraph) -> None:
        self._tables, self._graph = tables, graph
        self.ways: list[Way] = []
        """Shape -> the first way that has it."""
        self.parts: dict[str, Bits] = {CLOUD: 0, **dict.fromkeys(tables.hierarchies, 0)}
        """The shapes that end in the cloud, and those of each hierarchy."""
        self.silent: Bits = 0
        """Shapes of administrative users of whom nobody told what they are assigned."""
        self._numbers: dict[Hashable, Bits] = {}
        self._held: dict[tuple[Node, bool | None, bool], Bits] = {}
        self._groups: dict[Node, int] = {}
        self._named: list[Node] = []
        self._above: dict[Node, Bits] = {}
        self._may_be_above: dict[Node, Bits] = {}
        self._nested: dict[Bits, Bits] = {}
        self._entries: dict[str, dict[Node, tuple[Bits, Bits, Bits, Bits]]] = {kind: {} for kind in MEMBER_EDGES}
        self._may_be: dict[tuple[bool, bool], Bits] = {}
        self._users: dict[Key, Bits] = {}
        self._doubted: dict[int, Bits] = {}
        self._rows: dict[tuple[Key, int], dict[tuple[Node, State], list[int]]] = {}
        self._open = {node for node in graph.nodes("group") if any(map(_is_open, graph.out(node)))}
        """Groups of which nobody told whether they pass on what the groups hold that they are in."""
        self._unstated = self._all(graph.unstated)
        self._opaque = [self._doubtful(group) for group in graph.opaque]

    @property
    def in_cloud(self) -> Bits:
        """The shapes that end in the cloud."""
        return self.parts[CLOUD]

    def of(self, user: Key, graph: GrantGraph | None = None) -> Bits:
        """Return the shapes of everything that a user holds or may hold; in `graph` only the user's groups differ."""
        if graph is not None:
            return self._of(user, graph)
        found = self._users.get(user)
        if found is None:
            found = self._users[user] = self._of(user, self._graph)
        return found

    def rights(self, user: Key, held: Bits) -> Rights:
        """Return some shapes as what a user holds."""
        ways = [self.ways[index] for index in few(held)]
        security: dict[Key, list[Way]] = {}
        for way in ways:
            if way.end.kind == "security-assignment":
                security.setdefault(hierarchy_of(way.end.key), []).append(way)
        intune, entra, app = (
            tuple(w for w in ways if w.end.kind == kind) for kind in ("intune-assignment", "entra-role", "app-role")
        )
        admins = frozenset(way.end.key for way in ways if way.end.kind == "admin")
        return Rights(user, intune, entra, app, {key: tuple(found) for key, found in security.items()}, admins)

    def _of(self, user: Key, graph: GrantGraph) -> Bits:
        record = self._tables.users[user]
        start = Node("user", user)
        direct, above, found, more = self._groups_of(start, graph)
        found |= (self._held_by(start, nested=False) if more else 0) | self._unstated
        certain = direct | above
        doubted = [start, *(group for group in self._open if certain >> self._number_of(group) & 1)]
        for grant in (grant for node in doubted for grant in graph.out(node) if _is_open(grant)):
            found |= self._perhaps(grant, certain, nested=True if grant.start != start else is_nested((grant,)))
        for inside, everything, each in self._opaque:
            if not inside & certain:
                found |= everything
            else:
                (own, perhaps), *_ = each
                found |= perhaps if own & above else 0  # through another group for certain, and perhaps directly
                for group, held in each:
                    found |= 0 if group & certain else held
        domain = in_domain(record)
        if domain is UNMET:
            return found & self.parts[CLOUD]
        alike = bool(record.account), bool(record.sid)
        if alike not in self._may_be:
            self._may_be[alike] = self._all(self._graph.may_be_user(record))
        found |= self._may_be[alike]
        return found if domain is MET else self._unsure(found)

    def _unsure(self, held: Bits) -> Bits:
        """Return the shapes of somebody of whom nobody told whether the rights on premises are theirs."""
        found = held & (self.parts[CLOUD] | self.silent)
        for shape in few(held & ~found):
            known = self._doubted.get(shape)
            if known is None:
                way = self.ways[shape]
                known = self._doubted[shape] = self._number(hierarchy_of(way.end.key), unsure(way, ""))
            found |= known
        return found

    def _groups_of(self, start: Node, graph: GrantGraph) -> tuple[Bits, Bits, Bits, bool]:
        """Return groups that a user or group is a member of, the others above those, and what all of them hold.

        And whether there are other grants than memberships.
        """
        direct, above, held, held_above, more, entries = 0, 0, 0, 0, False, self._entries
        for grant in graph.out(start):
            known = entries.get(grant.kind)
            if known is not None and grant.condition is not None:
                continue
            if known is not None:
                group, higher, own, further = known.get(grant.end) or self._entered(grant)
                direct |= group
                above |= higher
                held |= own
                held_above |= further
            else:
                more = True
        if direct & above:  # what somebody is in directly does not count as nested
            above &= ~direct
            held_above = self._held_by_all(above)
        return direct, above, held | held_above, more

    def _entered(self, grant: Grant) -> tuple[Bits, Bits, Bits, Bits]:
        """Return the group that a membership leads to, those above it, and what that one and those hold."""
        higher = self._all_above(grant.end)
        own = self._held_by(grant.end, nested=is_nested((grant,)))
        found = 1 << self._number_of(grant.end), higher, own, self._held_by_all(higher)
        self._entries[grant.kind][grant.end] = found
        return found

    def _perhaps(self, grant: Grant, certain: Bits, *, nested: bool | None) -> Bits:
        """Return what somebody may hold by a membership of whom nobody told whether it counts."""
        number = 1 << self._number_of(grant.end)
        found = 0 if number & certain else self._held_by(grant.end, nested=nested, doubtful=True)
        for index in few(self._all_above(grant.end, surely=False) & ~certain & ~number):
            found |= self._held_by(self._named[index], nested=True, doubtful=True)
        return found

    def _number_of(self, group: Node) -> int:
        found = self._groups.get(group)
        if found is None:
            found = self._groups[group] = len(self._named)
            self._named.append(group)
        return found

    def _all_above(self, group: Node, *, surely: bool = True) -> Bits:
        """Return groups that a group is in, directly or not; or may be in."""
        above = self._above if surely else self._may_be_above
        known = above.get(group)
        if known is not None:
            return known
        found, queue, passed = 0, [group], {group}
        for node in queue:
            for grant in self._graph.out(node):
                if grant.kind in MEMBER_EDGES and not (surely and _is_open(grant)):
                    found |= 1 << self._number_of(grant.end)
                    known = above.get(grant.end)
                    if known is not None:
                        found |= known
                    elif grant.end not in passed:
                        passed.add(grant.end)
                        queue.append(grant.end)
        above[group] = found
        return found

    def _held_by_all(self, groups: Bits) -> Bits:
        """Return what groups hold for those who are in them through other groups."""
        found = self._nested.get(groups)
        if found is None:
            found = 0
            for index in few(groups):
                found |= self._held_by(self._named[index], nested=True)
            self._nested[groups] = found
        return found

    def _held_by(self, holder: Node, *, nested: bool | None, doubtful: bool = False) -> Bits:
        """Return what a user or group holds, seen from somebody who is in it so."""
        key = holder, nested, doubtful
        found = self._held.get(key)
        if found is None:
            found = self._all(self._graph.ends(holder, CHAINS[nested], "members" if doubtful else ""))
            if holder.kind == "group" and not doubtful:
                found |= self._all(self._graph.may_be_group(holder.key))
            self._held[key] = found
        return found

    def _doubtful(self, group: Node) -> tuple[Bits, Bits, list[tuple[Bits, Bits]]]:
        """Return, of a group that anybody may be in, it and those above it, what they hold together, and each."""
        own = 1 << self._number_of(group)
        direct, above = 0, self._all_above(group, surely=False)
        each = [(own, self._held_by(group, nested=False, doubtful=True))]
        for grant in self._graph.out(group):
            if grant.kind in MEMBER_EDGES and grant.end != group:
                held = self._held_by(grant.end, nested=is_nested((grant,)), doubtful=True)
                each.append((1 << self._number_of(grant.end), held))
                direct |= 1 << self._number_of(grant.end)
        higher = few(above & ~own & ~direct)
        each += [(1 << index, self._held_by(self._named[index], nested=True, doubtful=True)) for index in higher]
        everything = 0
        for _, held in each:
            everything |= held
        return own | direct | above, everything, each

    def _all(self, ways: Iterable[Way]) -> Bits:
        found = 0
        for way in ways:
            if way.end.kind != "admin":
                found |= self._number(CLOUD, way)
                continue
            for row in self._graph.rows(way):
                found |= self._number(hierarchy_of(way.end.key), row)
            if not self._tables.admin_known[way.end.key]:
                silent = self._number(hierarchy_of(way.end.key), way)
                self.silent |= silent
                found |= silent
        return found

    def _number(self, part: str, way: Way) -> Bits:
        seen = part, self._seen(way)
        found = self._numbers.get(seen)
        if found is None:
            found = self._numbers[seen] = 1 << len(self.ways)
            self.ways.append(way)
            self.parts[part] |= found
        return found

    def rows(self, hierarchy: Key) -> dict[tuple[Node, State], list[int]]:
        """Return the shapes that end in rows of a hierarchy, by role and by how sure they are."""
        key = hierarchy, len(self.ways)
        found = self._rows.get(key)
        if found is None:
            found = self._rows[key] = {}
            for shape in few(self.parts[hierarchy] & ~self.silent):
                way = self.ways[shape]
                found.setdefault((way.role, way.state), []).append(shape)
        return found

    def alike(self, look: Callable[[Way], Hashable]) -> tuple[tuple[Bits, Bits], ...]:
        """Return the shapes of the cloud that look the same, and the first of each: it stands for all of them."""
        found: dict[Hashable, Bits] = {}
        for shape in few(self.in_cloud):
            looks = look(self.ways[shape])
            found[looks] = found.get(looks, 0) | 1 << shape
        return tuple((shapes, shapes & -shapes) for shapes in found.values())

    def _seen(self, way: Way) -> Hashable:
        """Return what a test can see of a way, but for its explanation."""
        tables, kind = self._tables, way.end.kind
        if kind == "security-assignment":
            row = tables.rows[way.end.key]
            return way.role, frozenset(row.collections), row.scopes, row.scopes_known, row.collections_known, way.state
        if kind == "intune-assignment":
            tags = tables.intune_assignments[way.end.key].tags
            lost = way.fault == WRONG_TYPE, bool(way.missing)
            return kind, way.role, tags and frozenset(tags), way.state, lost, is_nested(way.grants)
        return (kind,) if kind == "admin" else (kind, way.role, way.state)


class ShortGraph(GrantGraph):
    """A grant graph that tells what a user holds in short: for tests whose explanation nobody will ask for."""

    def __init__(self, graph: GrantGraph, shapes: Shapes, whoever: Bits | None = None) -> None:
        vars(self).update(vars(graph))
        self._shapes, self._whoever = shapes, whoever

    def rights(self, user: Key) -> Rights:
        """Everything that a user holds or may hold, each shape of it once."""
        return self._shapes.rights(user, self._shapes.of(user) if self._whoever is None else self._whoever)

    def showing(self, held: Bits) -> ShortGraph:
        """Return the same graph, in which everybody holds the same."""
        return ShortGraph(self, self._shapes, held)
