"""What the checks of role definitions ask of a role: is it built in, how is it written, what may it hold unseen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, cast

from permcheck.checks.context import Context
from permcheck.checks.definitions import Definition, Granted
from permcheck.checks.facts import load_checks
from permcheck.errors import UnknownNameError
from permcheck.exports.batch import fold, folded
from permcheck.exports.masks import operations_of
from permcheck.exports.xml_file import xml_batches
from permcheck.model.fold import fold_case
from permcheck.model.policy import BuiltInRole, Plane
from permcheck.model.policy_index import Policy

SHARED: Final = "roles"
SPELLING: Final = "PC102"
"""The check that knows words which the service spells in another way."""
SECTIONS: Final = ("intune_roles", "security_roles")


class Roles:
    """The role definitions of one run."""

    def __init__(self, policy: Policy, definitions: tuple[Definition, ...]) -> None:
        self.policy = policy
        self.definitions = definitions
        self.classes = {fold(name): c.name for c in policy.classes.values() for name in (c.name, *c.synonyms)}
        self.operations: dict[str, tuple[str, ...]] = {}
        """Class -> names of its operations, for the classes of which some are known."""
        for one in policy.permissions.values():
            if policy.planes[one.id] == "configmgr":
                self.operations[one.category] = (*self.operations.get(one.category, ()), one.name)
        self._ids = {fold_case(role.id): role for role in policy.roles.values()}
        self._spellings: Mapping[str, str] = load_checks()[SPELLING].data["spellings"]
        self._rows: dict[str, list[Mapping[str, Any]]] = {}
        self._possible: dict[int, frozenset[str]] = {}

    def custom(self, plane: str = "") -> Iterator[Definition]:
        """Return the roles that somebody can edit."""
        found = (one for one in self.definitions if plane in {"", one.plane})
        return (one for one in found if not self.is_built_in(one))

    def is_built_in(self, role: Definition) -> bool:
        """Tell whether a definition stands for a role that Microsoft ships; that it says so makes it none."""
        return self.shipped(role) is not None

    def shipped(self, role: Definition) -> BuiltInRole | None:
        """Return the built-in role that a definition stands for: by its id, or by its name where it has none.

        A role of Intune without an id must say that it is built in: a file that somebody writes has no ids.
        """
        found = self._ids.get(fold_case(role.id)) if role.id else None
        if found is not None and self.policy.role_planes[found.id] == role.plane:
            return found
        if role.built_in is False or role.copied_from or role.source.xml is not None:
            return None
        if role.plane == "intune" and not role.built_in:
            return None
        key = self.policy.role_names(role.plane).get(role.name)
        return self.policy.roles[key] if key and not role.id else None

    def recommended(self, role: Definition) -> str:
        """Return which role of the documents this is, permission by permission; empty for none."""
        wanted = self.policy.recommended.values()
        return next((one.name for one in wanted if frozenset(one.permissions) == role.permissions), "")

    def set_of(self, shipped: BuiltInRole) -> frozenset[str]:
        """Return what a built-in role certainly gives in every release, as far as it is listed one by one."""
        certain = (grant for grant in shipped.grants if grant.by_reading is None and grant.since is None)
        return frozenset(permission for grant in certain for permission in grant.permissions)

    def reach_of(self, shipped: BuiltInRole) -> frozenset[str]:
        """Return what a built-in role gives by some document."""
        return frozenset(permission for grant in shipped.grants for permission in grant.permissions)

    def class_of(self, one: Granted) -> str | None:
        """Return the object class of an operation as it is written; None for one that nobody knows."""
        return self.classes.get(fold(one.text.partition(": ")[0]))

    def entry(self, role: Definition) -> Mapping[str, Any]:
        """Return the role as its file has it, with folded keys."""
        if role.source.xml is not None:
            rows = self._rows.get(role.source.file)
            if rows is None:
                rows = [row for batch in xml_batches(Path(role.source.file), "") for row in batch.rows()]
                self._rows[role.source.file] = rows
            return rows[cast("int", role.path[0])]
        data = role.source.parsed.data if role.source.parsed is not None else {}
        last = role.path[-1] if role.path else 0
        path = role.path[:-1] if isinstance(last, str) and fold(last) == "rolepermission" else role.path
        for step in path:
            data = data[step]
        return folded(data)

    def text(self, role: Definition, *names: str) -> str:
        """Return a text of the role's entry, under the first of these names that it has."""
        entry = self.entry(role)
        return next((str(entry[name]).strip() for name in names if isinstance(entry.get(name), str)), "")

    def described(self, role: Definition) -> str:
        """Return the role's description."""
        return self.text(role, "description", "roledescription")

    def place_key(self, role: Definition) -> tuple[str, str, str]:
        """Return what separates tenants and hierarchies, as far as files tell: folder, plane, hierarchy."""
        hierarchy = self.entry(role).get("hierarchy") if in_estate(role) else ""
        return str(Path(role.source.file).parent), role.plane, fold_case(str(hierarchy or ""))

    def possible(self, role: Definition) -> frozenset[str]:
        """Return permissions that a role may have, though its file doesn't tell."""
        found = self._possible.get(id(role))
        if found is None:
            undecided = operations_of(self.policy, role.masks).undecided if role.masks else {}
            found = self._possible[id(role)] = frozenset(
                f"{class_}/{name}" for class_, names in undecided.items() for name in names
            ) | frozenset(self._undecided(role))
        return found

    def _undecided(self, role: Definition) -> Iterator[str]:
        stated = self.entry(role).get("undecided") if in_estate(role) else None
        if isinstance(stated, list):
            yield from (find(self.policy, "intune", str(name)) for name in stated)
        for class_, names in stated.items() if isinstance(stated, dict) else ():
            for name in names if isinstance(names, list) else ():
                yield find(self.policy, "configmgr", f"{class_}\\{name}")

    def respelled(self, one: Granted) -> str:
        """Return the id that is meant where a word of it is spelled in another way; empty for none."""
        for wrong, right in self._spellings.items():
            start = fold_case(one.text).find(fold_case(wrong))
            if start >= 0 and one.id is None:
                return find(self.policy, "intune", one.text[:start] + right + one.text[start + len(wrong) :])
        return ""

    def lacks(self, role: Definition, permission: str) -> bool:
        """Tell whether a role certainly does not give a permission, by itself or inside a wider one."""
        wider = {permission, *self.policy.implied_by.get(permission, ())}
        return wider.isdisjoint(role.permissions) and wider.isdisjoint(self.possible(role))


def roles_of(context: Context) -> Roles:
    """Return the roles of a run; they are looked through once."""
    found = context.shared.get(SHARED)
    if found is None:
        found = context.shared[SHARED] = Roles(context.policy, context.definitions)
    return cast("Roles", found)


def in_estate(role: Definition) -> bool:
    """Tell whether a role stands in an estate file, which takes any spelling."""
    return role.path[:1] in {(name,) for name in SECTIONS}


def find(policy: Policy, plane: Plane, text: str) -> str:
    """Return the id of a permission; empty for one that the policy does not know."""
    try:
        return policy.find_permission(plane, text)
    except UnknownNameError:
        return ""
