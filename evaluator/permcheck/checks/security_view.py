"""What checks ask about Configuration Manager: what roles give, who holds them, which devices they reach.

Only what is certain counts, unless a method says otherwise.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from permcheck.checks.context import Context
from permcheck.checks.device_view import Devices, DeviceView
from permcheck.checks.security_names import Names
from permcheck.graph.identity import OTHER_SID, is_guess
from permcheck.graph.node import Grant, Node
from permcheck.model.state import MET, UNMET, State, all_of, any_of
from permcheck.model.tables import Key, SecurityRow, Tables, hierarchy_of

if TYPE_CHECKING:
    from permcheck.api import Estate


COLLECTIONS = 1
"""Object type of collections."""


class SecurityView(Names):
    """The security rows of an estate with their people and devices; made once for a run."""

    def __init__(self, estate: Estate) -> None:
        self.estate = estate
        self.tables: Tables = estate.tables
        self.policy = estate.policy
        self.readings = self.policy.defaults() | dict(self.tables.readings) | dict(estate.settings.readings)
        self._certain: dict[Key, frozenset[str]] = {}
        self.devices = DeviceView(self.tables)

    def state(self, role: Key, permission: str) -> State:
        """Whether what is known of a role gives a permission."""
        version = self.tables.hierarchies[hierarchy_of(role)].version
        chains = self.estate.grants.gives(Node("security-role", role)).get(permission, ())
        return any_of(all_of(grant.state(self.readings, version) for grant in chain) for chain in chains)

    def gives(self, role: Key) -> frozenset[str]:
        """Return the permissions that a role certainly gives."""
        found = self._certain.get(role)
        if found is None:
            all_ = self.estate.grants.gives(Node("security-role", role))
            found = self._certain[role] = frozenset(p for p in all_ if self.state(role, p) is MET)
        return found

    def told(self, role: Key) -> bool:
        """Whether everything that a role gives is known."""
        record = self.tables.security_roles[role]
        return record.permissions is not None or bool(record.built_in and self.policy.roles[record.built_in].complete)

    def may(self, role: Key, permission: str) -> bool:
        """Whether a role gives a permission, for all that is known."""
        return not self.told(role) or self.state(role, permission) is not UNMET

    def holds(self, row: SecurityRow, permissions: Iterable[str]) -> bool:
        """Whether the role of a row certainly gives all these permissions."""
        return self.gives(row.role) >= set(permissions)

    @cached_property
    def assigned(self) -> dict[Key, set[Key]]:
        """Roles that are assigned, each with the administrative users that hold it."""
        result: dict[Key, set[Key]] = {}
        for row in self.tables.rows.values():
            result.setdefault(row.role, set()).add(row.admin)
        return result

    @cached_property
    def _ways(self) -> tuple[Mapping[Key, tuple[Key, ...]], Mapping[Key, tuple[SecurityRow, ...]]]:
        people: dict[Key, list[Key]] = {}
        rows: dict[Key, list[SecurityRow]] = {}
        for user, record in self.tables.users.items():
            for ways in self.estate.grants.rights(user).security.values():
                certain = {way.end.key: None for way in ways if way.state is MET}
                possible = {way.end.key: None for way in ways if way.state is not UNMET}
                rows.setdefault(user, []).extend(self.tables.rows[key] for key in possible)
                for key in certain if record.enabled is not False else ():
                    people.setdefault(key, []).append(user)
        return {k: tuple(v) for k, v in people.items()}, {k: tuple(v) for k, v in rows.items()}

    def people(self, row: SecurityRow) -> tuple[Key, ...]:
        """Return the enabled users who certainly hold a row, each once."""
        return self._ways[0].get(row.key, ())

    def possible(self, user: Key, hierarchy: Key) -> Iterator[SecurityRow]:
        """Return the rows of a hierarchy that a user holds, or may hold."""
        return (row for row in self._ways[1].get(user, ()) if row.hierarchy == hierarchy)

    def together(self) -> tuple[tuple[SecurityRow, ...], ...]:
        """Return sets of rows that one administrative user, or one person through several of them, certainly holds."""
        found: dict[frozenset[Key], None] = {}
        by_admin: dict[Key, list[Key]] = {}
        by_user: dict[Key, list[Key]] = {}
        for key, row in self.tables.rows.items():
            by_admin.setdefault(row.admin, []).append(key)
            for user in self.people(row):
                by_user.setdefault(f"{row.hierarchy}/{user}", []).append(key)
        found |= dict.fromkeys(frozenset(keys) for keys in (*by_admin.values(), *by_user.values()) if len(keys) > 1)
        return tuple(tuple(self.tables.rows[key] for key in sorted(keys)) for keys in found)

    def own(self, user: Key) -> tuple[Key, ...]:
        """Return the administrative users who are this one account."""
        grants = self.estate.grants.out(Node("user", user))
        return tuple(grant.end.key for grant in grants if grant.end.kind == "admin" and grant.condition is None)

    @cached_property
    def _administrators(self) -> tuple[Grant, ...]:
        """Return who is, or may be, an administrative user."""
        nodes = [Node("user", key) for key in self.tables.users] + [Node("group", key) for key in self.tables.groups]
        return tuple(g for node in nodes for g in self.estate.grants.out(node) if g.end.kind == "admin")

    @cached_property
    def matched(self) -> frozenset[Key]:
        """Return the administrative users who are a user or group of the estate."""
        return frozenset(grant.end.key for grant in self._administrators if not is_guess(grant))

    @cached_property
    def called_alike(self) -> tuple[Grant, ...]:
        """Return the users and groups who have the name of an administrative user, and another SID."""
        return tuple(g for g in self._administrators if g.condition is not None and g.condition.fault == OTHER_SID)

    @cached_property
    def open(self) -> bool:
        """Whether users may hold rows that the estate does not tell."""
        return bool(self.tables.doubtful("administrative_users", "groups")) or not all(self.tables.admin_known.values())

    def reached(self, rows: Iterable[SecurityRow]) -> Devices:
        """Return the devices over which rows hold."""
        return self.devices.reached({one for row in rows for one in self.covered(row)})

    def on_devices(self, permission: str) -> bool:
        """Whether a permission holds over collections and their devices."""
        form = self.policy.classes[self.policy.permissions[permission].category]
        return form.object_type == COLLECTIONS

    def covered(self, row: SecurityRow) -> tuple[Key, ...]:
        """Return the collections of a row; every one where the reading says that the All scope covers them."""
        if self.policy.all_scope in row.scopes and self.policy.enabled("all-scope-covers-collections", self.readings):
            return tuple(key for key in self.tables.collections if hierarchy_of(key) == row.hierarchy)
        return row.collections

    def spans(self, row: SecurityRow, collections: Iterable[Key]) -> bool:
        """Whether a row holds over all these collections: they are its own, or limited to them."""
        return {one for key in self.covered(row) for one in self.devices.below(key)} >= set(collections)

    def whole(self, row: SecurityRow) -> tuple[Key, ...]:
        """Return those of a row's collections that contain every device by definition."""
        forms = self.tables.collections
        return tuple(key for key in self.covered(row) if forms[key].id.upper() in self.policy.all_devices)


def security_view(context: Context) -> SecurityView:
    """Return the view of this run."""
    found = context.shared.get("security-view")
    if found is None:
        found = context.shared["security-view"] = SecurityView(context.estate)
    assert isinstance(found, SecurityView)
    return found
