"""How messages of checks name administrative users, roles, scopes and collections."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable

from permcheck.checks.wording import counted, listing
from permcheck.model.policy_index import Policy
from permcheck.model.tables import Key, SecurityRow, Tables, hierarchy_of

SHOWN = 10
"""Names that a message lists before it counts the rest."""


class Names(ABC):
    """Names of what is in a view."""

    tables: Tables
    policy: Policy

    @abstractmethod
    def people(self, row: SecurityRow) -> tuple[Key, ...]:
        """Return the enabled users who certainly hold a row, each once."""

    def who(self, row: SecurityRow) -> str:
        """Name the holder of a row, with the number of its people if it is a group."""
        admin, people = self.tables.admins[row.admin], self.people(row)
        single = len(people) == 1 and self.tables.users[people[0]].account == admin.name
        return f"`{admin.name}`" + (f" ({counted(len(people), 'user')})" if people and not single else "")

    def subject(self, row: SecurityRow) -> str:
        """Name a row in the same way, wherever it stands: hierarchy, administrative user, role."""
        return f"{self.label(row.hierarchy)}/{self.tables.admins[row.admin].name}/{self.role_name(row)}"

    def label(self, hierarchy: Key) -> str:
        """Name a hierarchy."""
        return self.tables.hierarchies[hierarchy].id

    def owner(self, key: Key) -> Key:
        """Return the hierarchy of a record."""
        return hierarchy_of(key)

    def scopes(self, scopes: Iterable[str]) -> str:
        """Name security scopes."""
        built_in = {one.id: one.name for one in self.policy.builtins if one.kind == "scope"}
        return listing(built_in.get(scope, scope) for scope in scopes)

    def operations(self, permissions: Iterable[str]) -> str:
        """Name operations without their class."""
        return listing({self.policy.permissions[one].name for one in permissions})

    def on(self, collections: Iterable[Key]) -> str:
        """Name collections."""
        return listing(self.tables.collections[key].name for key in collections)

    def role_name(self, row: SecurityRow) -> str:
        """Name the role of a row."""
        return self.tables.security_roles[row.role].name
