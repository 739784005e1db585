"""An estate as checks of the cloud ask it: what roles give, who is in a group, who decides about a hierarchy."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from permcheck.evaluate.question import World
from permcheck.evaluate.worlds import worlds
from permcheck.graph.node import Node
from permcheck.model.state import MET, all_of
from permcheck.model.tables import Key, SecurityRow, hierarchy_of

if TYPE_CHECKING:
    from permcheck.api import Estate


class Everybody(NamedTuple):
    """Who is in a group, directly or through other groups."""

    users: frozenset[Key]
    complete: bool
    eligible: bool


class CloudEstate:
    """What an estate says for certain."""

    def __init__(self, estate: Estate) -> None:
        self.estate, self.tables, self.policy = estate, estate.tables, estate.policy
        chosen = dict(self.tables.readings) | dict(estate.settings.readings)
        self.readings = self.policy.defaults() | chosen
        self._given: dict[tuple[Node, int | None], frozenset[str]] = {}
        self._inside: dict[Key, Everybody] = {}

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
        return found is not None and any(grant.everything for grant in found.grants)

    def of_row(self, row: SecurityRow) -> frozenset[str]:
        """Return what the role of a row certainly gives."""
        return self.given(Node("security-role", row.role), self.version(row.hierarchy))

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

    def administrators(self, group: Key) -> tuple[str, ...]:
        """Return the administrative users that a group is."""
        grants = self.estate.grants.out(Node("group", group))
        return tuple(self.tables.admins[one.end.key].name for one in grants if one.kind == "is-admin")

    def is_active(self, user: Key) -> bool:
        """Tell whether nothing says that an account is disabled."""
        return self.tables.users[user].enabled is not False

    def worlds(self, hierarchy: Key) -> tuple[World, ...]:
        """Return every way in which the switches and the release of a hierarchy may stand."""
        return worlds(self.tables, self.policy, self.readings, hierarchy, self.estate.settings.edition)

    def asks_configmgr(self, hierarchy: Key) -> bool:
        """Tell whether Configuration Manager certainly has a say about the devices of an attached hierarchy."""
        rows = [world.row for world in self.worlds(hierarchy)]
        attached = self.tables.hierarchies[hierarchy].tenant_attached is True
        return attached and all(row is not None and row.authority != "intune" for row in rows)

    def editions(self, hierarchy: Key) -> frozenset[str]:
        """Return the editions that a hierarchy may be judged by."""
        return frozenset(world.edition for world in self.worlds(hierarchy))

    @property
    def default_tag(self) -> str:
        """Id of the scope tag that tenant-attached devices carry."""
        return next(built_in.id for built_in in self.policy.builtins if built_in.kind == "scope-tag")

    @property
    def tenant_mode(self) -> str | None:
        """How Intune joins the assignments of one person; None where nobody said."""
        return self.tables.tenant.scoped_permissions

    def tag(self, tag: str) -> str:
        """Return a scope tag as people call it."""
        return next((b.name for b in self.policy.builtins if b.kind == "scope-tag" and b.id == tag), tag)

    def operation(self, permission: str) -> str:
        """Return the name of a permission inside its category."""
        found = self.policy.permissions.get(permission)
        return found.name if found is not None else permission

    def category(self, permission: str) -> str:
        """Return the category of a permission."""
        found = self.policy.permissions.get(permission)
        return found.category if found is not None else ""
