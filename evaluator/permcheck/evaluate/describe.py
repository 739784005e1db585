"""Say a change as a sentence that an administrator can follow."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from permcheck.evaluate.worlds import switch_value
from permcheck.model import change as c
from permcheck.model.policy_index import Policy
from permcheck.model.tables import Key, Tables


def describe(tables: Tables, policy: Policy, change: c.Change) -> str:
    """One sentence for one change."""
    return SENTENCES[type(change)](_Words(tables, policy), change)


class _Words:
    """Names of things as people know them."""

    def __init__(self, tables: Tables, policy: Policy) -> None:
        self.tables, self.policy = tables, policy

    def user(self, key: Key) -> str:
        return self.tables.users[key].upn if key in self.tables.users else key

    def group(self, key: Key) -> str:
        return self.tables.groups[key].name if key in self.tables.groups else key

    def role(self, key: str) -> str:
        if key in self.policy.roles:
            return self.policy.roles[key].name
        found = self.tables.security_roles.get(key) or self.tables.intune_roles.get(key)
        return found.name if found else key

    def titles(self, permissions: tuple[str, ...]) -> str:
        return ", ".join(self.policy.title(p) for p in permissions)

    def collection(self, key: Key) -> str:
        return self.tables.collections[key].name if key in self.tables.collections else key

    def hierarchy(self, key: Key) -> str:
        return self.tables.hierarchies[key].id if key in self.tables.hierarchies else key

    def scope(self, scope: str) -> str:
        return next((b.name for b in self.policy.builtins if b.kind == "scope" and b.id == scope), scope)


def _fact(words: _Words, change: c.SetFact) -> str:
    authority = words.policy.authority
    if change.subject == "tenant" and change.fact == "use_intune_rbac":
        return f"turn {authority.toggle.name} {'On' if switch_value(_text(change.value)) else 'Off'} (tenant-wide)"
    if change.subject == "hierarchy" and change.fact == "enforce_configmgr_rbac":
        verb = "check" if switch_value(_text(change.value)) else "clear"
        return f"{verb} the checkbox `{authority.checkbox.name}` of hierarchy {words.hierarchy(change.key)}"
    label = f" {_label(words, change)}" if change.key else ""
    value = ", ".join(change.value) if isinstance(change.value, tuple) else _plain(change.value)
    return f"set {change.fact.replace('_', ' ')} of {change.subject}{label} to {value}"


def _text(value: c.FactValue) -> bool | str:
    return value if isinstance(value, bool) else str(value)


def _plain(value: c.FactValue) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value) if value != "" else "none"


def _label(words: _Words, change: c.SetFact) -> str:
    tables = words.tables
    match change.subject:
        case "hierarchy":
            return words.hierarchy(change.key)
        case "user":
            return words.user(change.key)
        case "device":
            return tables.devices[change.key].name
        case "group":
            return words.group(change.key)
        case "script":
            return tables.scripts[change.key].name
    return tables.applications[change.key].name


def _security(words: _Words, change: c.AssignSecurityRole) -> str:
    return (
        f"give {words.user(change.user)} the security role {words.role(change.role)} in hierarchy"
        f" {words.hierarchy(change.hierarchy)}, for collection {words.collection(change.collection)}"
        f" and security scope {words.scope(change.scope)}"
    )


def _new_security(words: _Words, change: c.CreateSecurityRole) -> str:
    return (
        f"make a security role in hierarchy {words.hierarchy(change.hierarchy)} with"
        f" {words.titles(change.permissions)}, and give it to {words.user(change.user)} for collection"
        f" {words.collection(change.collection)} and security scope {words.scope(change.scope)}"
    )


SENTENCES: dict[type, Callable[[_Words, Any], str]] = {
    c.SetFact: _fact,
    c.AddMember: lambda w, x: f"add {w.user(x.user)} to group {w.group(x.group)}",
    c.RemoveMember: lambda w, x: (
        f"remove {w.user(x.member) if x.member_kind == 'user' else w.group(x.member)} from group {w.group(x.group)}"
    ),
    c.AssignIntuneRole: lambda w, x: (
        f"assign the Intune role {w.role(x.role)} to a security group with {w.user(x.user)} as a member"
    ),
    c.CreateIntuneRole: lambda w, x: (
        f"make a custom Intune role with {w.titles(x.permissions)}, and assign it to a security group with"
        f" {w.user(x.user)} as a member"
    ),
    c.AssignAppRole: lambda w, x: f"assign the app role {w.policy.title(x.permission)} to {w.user(x.user)} directly",
    c.AssignEntraRole: lambda w, x: f"make {w.user(x.user)} an active holder of the Entra role {w.role(x.role)}",
    c.AssignSecurityRole: _security,
    c.CreateSecurityRole: _new_security,
    c.AddScopeTag: lambda w, x: (
        f"add the scope tag {x.tag} (Default) to the role assignment {w.tables.intune_assignments[x.assignment].name}"
    ),
    c.RemoveGrant: lambda _, x: f"remove {x.holder or x.key} from {x.section.replace('_', ' ')} {x.key}",
}
"""A sentence for every kind of change."""
