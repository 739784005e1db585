"""What people certainly hold, by assignment, in Intune, Entra and Configuration Manager: worked out once in a run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from permcheck.checks.context import Context
from permcheck.evaluate.question import World
from permcheck.evaluate.worlds import worlds
from permcheck.graph.node import Node
from permcheck.graph.rights import Way
from permcheck.model.state import MET, UNMET, all_of
from permcheck.model.tables import Key, SecurityRow, hierarchy_of

if TYPE_CHECKING:
    from permcheck.api import Estate

KEY = "cloud"
FEW = 3


class Holding(NamedTuple):
    """One thing that a person certainly holds, directly or through groups."""

    plane: str
    """`intune`, `entra`, `app` or `configmgr`."""
    end: Key
    """The role assignment, directory role, app role, or row of an administrative user."""
    role: Node
    permissions: frozenset[str]
    whole: bool
    """The role is built in and gives every permission of its plane."""


class Everybody(NamedTuple):
    """Who is in a group, directly or through other groups."""

    users: frozenset[Key]
    complete: bool
    eligible: bool


class CloudView:
    """Effective permissions of each person. What is not certain is left out."""

    def __init__(self, estate: Estate) -> None:
        self.estate, self.tables, self.policy = estate, estate.tables, estate.policy
        chosen = dict(self.tables.readings) | dict(estate.settings.readings)
        self.readings = self.policy.defaults() | chosen
        self._given: dict[tuple[Node, int | None], frozenset[str]] = {}
        self._inside: dict[Key, Everybody] = {}

    @cached_property
    def holdings(self) -> dict[Key, tuple[Holding, ...]]:
        """What each person holds for certain."""
        return {user: tuple(self._held(user)) for user in self.tables.users}

    @cached_property
    def holders(self) -> dict[tuple[str, Key], tuple[Key, ...]]:
        """Plane and assignment, role or row -> who certainly holds it."""
        found: dict[tuple[str, Key], list[Key]] = {}
        for user, held in self.holdings.items():
            for one in held:
                found.setdefault((one.plane, one.end), []).append(user)
        return {key: tuple(users) for key, users in found.items()}

    def _held(self, user: Key) -> Iterator[Holding]:
        rights = self.estate.grants.rights(user)
        ways = [("intune", rights.intune), ("entra", rights.entra), ("app", rights.app)]
        ways += [("configmgr", found) for found in rights.security.values()]
        seen: set[Node] = set()
        for plane, found in ways:
            for way in found:
                if way.state is MET and way.end not in seen:
                    seen.add(way.end)
                    version = self.version(way.end.key) if plane == "configmgr" else None
                    given = self.given(way.role, version)
                    yield Holding(plane, way.end.key, way.role, given, self.is_whole(way.role))

    def version(self, key: Key) -> int | None:
        """Return the release of the hierarchy that a record belongs to."""
        return self.tables.hierarchies[hierarchy_of(key)].version

    def given(self, role: Node, version: int | None = None) -> frozenset[str]:
        """Return the permissions that a role certainly gives, those that others include among them."""
        found = self._given.get((role, version))
        if found is None:
            found = self._given[role, version] = frozenset(
                permission
                for permission, chains in self.estate.grants.gives(role).items()
                if any(all_of(grant.state(self.readings, version) for grant in chain) is MET for chain in chains)
            )
        return found

    def is_whole(self, role: Node) -> bool:
        """Tell whether a role is a built-in one that gives everything."""
        security = self.tables.security_roles.get(role.key) if role.kind == "security-role" else None
        built_in = security.built_in if security is not None else role.key
        found = self.policy.roles.get(built_in or "")
        return found is not None and any(grant.every == "all" for grant in found.grants)

    def row(self, holding: Holding) -> SecurityRow:
        """Return the row that a holding of Configuration Manager is."""
        return self.tables.rows[holding.end]

    def security(self, user: Key) -> dict[Key, list[Holding]]:
        """Return what a person holds in Configuration Manager, by hierarchy."""
        found: dict[Key, list[Holding]] = {}
        for one in self.holdings[user]:
            if one.plane == "configmgr":
                found.setdefault(self.row(one).hierarchy, []).append(one)
        return found

    def lacks_intune_role(self, user: Key) -> bool:
        """Tell whether a person certainly has no role that counts as one of Intune."""
        if self.tables.doubtful("groups", "intune_assignments", "entra_roles"):
            return False
        rights, gate = self.estate.grants.rights(user), self.policy.gates["intune"].id
        return all(self._is_lost(way, gate) for way in (*rights.intune, *rights.entra))

    def _is_lost(self, way: Way, permission: str) -> bool:
        chains = self.estate.grants.gives(way.role).get(permission, ())
        states = (all_of((way.state, *(grant.state(self.readings, None) for grant in chain))) for chain in chains)
        return all(state is UNMET for state in states)

    def everybody(self, group: Key) -> Everybody:
        """Return who is in a group; circles end."""
        found = self._inside.get(group)
        if found is None:
            found = self._inside[group] = self._everybody(group)
        return found

    def _everybody(self, group: Key) -> Everybody:
        users: set[Key] = set()
        queue = [group]
        for key in queue:
            for who in (self.tables.members.get(key), self.tables.indirect.get(key)):
                if who is not None:
                    users.update(who.users)
                    queue += [inner for inner in who.groups if inner not in queue]
        complete = all(self.tables.members[key].known for key in queue)
        return Everybody(frozenset(users), complete, any(key in self.tables.eligible for key in queue))

    def is_active(self, user: Key) -> bool:
        """Tell whether nothing says that an account is disabled."""
        return self.tables.users[user].enabled is not False

    def worlds(self, hierarchy: Key) -> tuple[World, ...]:
        """Return every way in which the switches and the release of a hierarchy may stand."""
        return worlds(self.tables, self.policy, self.readings, hierarchy, self.estate.settings.edition)

    def asks_configmgr(self, hierarchy: Key) -> bool:
        """Tell whether Configuration Manager certainly has a say about the devices of an attached hierarchy."""
        rows = [world.authority for world in self.worlds(hierarchy)]
        attached = self.tables.hierarchies[hierarchy].tenant_attached is True
        return attached and all(row is not None and row.authority != "intune" for row in rows)

    def editions(self, hierarchy: Key) -> frozenset[str]:
        """Return the editions that a hierarchy may be judged by."""
        return frozenset(world.edition for world in self.worlds(hierarchy))

    @property
    def default_tag(self) -> str:
        """Id of the scope tag that tenant-attached devices carry."""
        return next(built_in.id for built_in in self.policy.builtins if built_in.kind == "scope-tag")

    def names(self, users: Iterable[Key]) -> str:
        """Name a few people, and count the others."""
        return listed(self.tables.users[user].upn for user in sorted(users))


def listed(names: Iterable[str]) -> str:
    """Name a few things, and count the others."""
    every = list(dict.fromkeys(names))
    text = ", ".join(f"`{name}`" for name in every[:FEW])
    return f"{text} and {len(every) - FEW} more" if len(every) > FEW else text


def counted(number: int, one: str, many: str = "") -> str:
    """Count things: `1 person`, `3 people`."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def cloud_view(context: Context) -> CloudView:
    """Return the view that all checks of a run share."""
    found = context.shared.get(KEY)
    if not isinstance(found, CloudView):
        found = context.shared[KEY] = CloudView(context.estate)
    return found
