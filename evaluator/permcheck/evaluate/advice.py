"""In which order fixes are proposed, where they are made, and what is to be said of each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from permcheck.evaluate.engine import Engine
from permcheck.model import change as c
from permcheck.model.decision import Console, FixKind
from permcheck.model.policy_index import Policy
from permcheck.model.tables import Tables

KINDS: Final[tuple[FixKind, ...]] = ("activate", "extend", "new-role", "built-in", "account", "infrastructure", "wide")
"""What a senior administrator would propose first, and so on: a fix is as far as its farthest change."""

KIND_OF: Final[dict[type, FixKind]] = {
    c.Activate: "activate",
    c.AddMember: "extend",
    c.AddScopeTag: "extend",
    c.AddCollection: "extend",
    c.AddScope: "extend",
    c.AddPermissions: "extend",
    c.CreateIntuneRole: "new-role",
    c.CreateSecurityRole: "new-role",
    c.AssignIntuneRole: "built-in",
    c.AssignSecurityRole: "built-in",
    c.AssignAppRole: "built-in",
    c.AssignEntraRole: "built-in",
}
SWITCHES: Final = frozenset({"use_intune_rbac", "enforce_configmgr_rbac"})
"""Facts that decide about everybody's rights at once."""
FACTS: Final[dict[str, FixKind]] = {
    "user": "account",
    "device": "account",
    "script": "account",
    "application": "account",
}
BY: Final[dict[type, Console]] = {
    c.Activate: "entra",
    c.AssignAppRole: "entra",
    c.AssignEntraRole: "entra",
    c.AddScopeTag: "intune",
    c.AssignIntuneRole: "intune",
    c.CreateIntuneRole: "intune",
    c.AddCollection: "configmgr",
    c.AddScope: "configmgr",
    c.AssignSecurityRole: "configmgr",
    c.CreateSecurityRole: "configmgr",
}
ROLES_OF_INTUNE: Final = (c.AddScopeTag, c.AssignIntuneRole, c.CreateIntuneRole)


def kind_of(change: c.Change, tables: Tables) -> FixKind:
    """Return how far a change goes."""
    if isinstance(change, c.SetFact):
        wide = change.fact in SWITCHES
        return "wide" if wide else FACTS.get(change.subject, "infrastructure")
    if isinstance(change, c.AssignIntuneRole) and not change.built_in:
        return "extend"
    if isinstance(change, c.AssignSecurityRole) and tables.security_roles[change.role].built_in is None:
        return "extend"
    return KIND_OF[type(change)]


def kind_of_all(changes: Iterable[c.Change], tables: Tables) -> FixKind:
    """Return how far some changes go together."""
    return max((kind_of(change, tables) for change in changes), key=KINDS.index)


def done_in(tables: Tables, change: c.Change) -> Console | None:
    """Return where a change is made; None for a fact, of which its requirement says where."""
    if isinstance(change, c.AddMember):
        return "windows" if tables.groups[change.group].account else "entra"
    if isinstance(change, c.AddPermissions):
        return "intune" if change.section == "intune_roles" else "configmgr"
    return BY.get(type(change))


def remarks(engine: Engine, changes: Iterable[c.Change]) -> Iterator[str]:
    """Say of some changes what whoever makes them should know."""
    tables, policy = engine.tables, engine.policy
    listed = tuple(changes)
    for change in listed:
        if isinstance(change, c.AddPermissions):
            yield from _others(tables, change)
        elif known_in_part(policy, tables, change):
            yield "what this role gives is documented in part: it may give more than is said here"
    if any(_changes_intune_roles(change) for change in listed) and tables.tenant.multi_admin_approval is not False:
        where = "" if tables.tenant.multi_admin_approval else "where the tenant protects roles, "
        yield f"{where}a second administrator must approve it (Multi Admin Approval)"


def _changes_intune_roles(change: c.Change) -> bool:
    return isinstance(change, ROLES_OF_INTUNE) or (
        isinstance(change, c.AddPermissions) and change.section == "intune_roles"
    )


def _others(tables: Tables, change: c.AddPermissions) -> Iterator[str]:
    """Say who else has a role that is given more."""
    if change.section == "intune_roles":
        found = [one.name for one in tables.intune_assignments.values() if one.role == change.role]
        what = "role assignments"
    else:
        found = [tables.admins[row.admin].name for row in tables.rows.values() if row.role == change.role]
        what = "administrative users"
    names = list(dict.fromkeys(found))
    if len(names) > 1:
        yield f"everybody with this role gains it: {len(names)} {what} have it ({', '.join(sorted(names)[:NAMED])})"


NAMED: Final = 5
"""Holders of a role that are named."""


def known_in_part(policy: Policy, tables: Tables, change: c.Change) -> bool:
    """Whether a change gives a role of which not everything is known."""
    if isinstance(change, c.AssignSecurityRole):
        built_in = tables.security_roles[change.role].built_in
        return built_in is not None and not policy.roles[built_in].complete
    if isinstance(change, c.AssignIntuneRole | c.AssignEntraRole):
        role = policy.roles.get(change.role)
        return role is not None and not role.complete
    return False


def administering(policy: Policy, permissions: Iterable[str]) -> frozenset[str]:
    """Return those of some permissions by which rights are given: over roles, users, scopes, the switches."""
    known = policy.permissions
    return frozenset(one for one in permissions if one in known and known[one].effect == "administer")
