"""What people certainly hold, by assignment, in Intune, Entra and Configuration Manager: worked out once in a run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import NamedTuple

from permcheck.checks.cloud_estate import CloudEstate
from permcheck.checks.context import Context
from permcheck.checks.wording import listed
from permcheck.graph.node import Node
from permcheck.graph.rights import Way
from permcheck.model.state import MET, UNMET, all_of
from permcheck.model.tables import Key, RoleHolders, SecurityRow

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


class CloudView(CloudEstate):
    """Effective permissions of each person. What is not certain is left out."""

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

    def mighty(self) -> Iterator[tuple[RoleHolders, str, frozenset[Key]]]:
        """Return directory roles that give all of Intune: the record, the name, and who certainly holds it now."""
        for holders in self.tables.entra_roles.values():
            if self.is_whole(Node("entra-role", holders.role)):
                active = frozenset(self.holders.get(("entra", holders.role), ()))
                yield holders, self.policy.roles[holders.role].name, active

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

    def title(self, holding: Holding) -> str:
        """Return what somebody holds as people call it."""
        if holding.plane == "intune":
            return self.tables.intune_assignments[holding.end].name
        if holding.plane == "entra":
            return self.policy.roles[holding.end].name
        if holding.plane == "app":
            return self.policy.title(holding.end)
        return self.tables.security_roles[self.row(holding).role].name

    def names(self, users: Iterable[Key]) -> str:
        """Name a few people, and count the others."""
        return listed(self.tables.users[user].upn for user in sorted(users))


def cloud_view(context: Context) -> CloudView:
    """Return the view that all checks of a run share."""
    found = context.shared.get(KEY)
    if not isinstance(found, CloudView):
        found = context.shared[KEY] = CloudView(context.estate)
    return found
