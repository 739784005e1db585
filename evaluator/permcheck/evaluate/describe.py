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

    def tag(self, tag: str) -> str:
        return next((b.name for b in self.policy.builtins if b.kind == "scope-tag" and b.id == tag), tag)

    def tags(self, tags: tuple[str, ...]) -> str:
        return f", with scope tag {', '.join(map(self.tag, tags))}" if tags else ""

    def row(self, key: Key) -> str:
        row = self.tables.rows[key]
        return (
            f"the security role {self.role(row.role)} of the administrative user {self.tables.admins[row.admin].name}"
            f" in hierarchy {self.hierarchy(row.hierarchy)}"
        )

    def eligibility(self, change: c.Activate) -> str:
        if change.section == "groups":
            return f"the membership of group {self.group(change.key)}, for which the account is eligible (PIM)"
        role = self.role(self.tables.entra_roles[change.key].role)
        return f"the Entra role {role}, for which the account is eligible (PIM)"

    def scope(self, hierarchy: Key, scope: str) -> str:
        built_in = next((b.name for b in self.policy.builtins if b.kind == "scope" and b.id == scope), None)
        return built_in or self.tables.scope_name(hierarchy, scope)


def _fact(words: _Words, change: c.SetFact) -> str:
    authority = words.policy.authority
    if change.subject == "tenant" and change.fact == "use_intune_rbac":
        return f"turn {authority.toggle.name} {'On' if switch_value(_text(change.value)) else 'Off'} (tenant-wide)"
    if change.subject == "hierarchy" and change.fact == "enforce_configmgr_rbac":
        verb = "check" if switch_value(_text(change.value)) else "clear"
        return f"{verb} the checkbox `{authority.checkbox.name}` of hierarchy {words.hierarchy(change.key)}"
    value = ", ".join(change.value) if isinstance(change.value, tuple) else _plain(change.value)
    return f"set {change.fact.replace('_', ' ')} of {label_of(words.tables, change)} to {value}"


def _text(value: c.FactValue) -> bool | str:
    return value if isinstance(value, bool) else str(value)


def _plain(value: c.FactValue) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value) if value != "" else "none"


NAMES: dict[str, tuple[str, str]] = {
    "hierarchy": ("hierarchies", "id"),
    "user": ("users", "upn"),
    "device": ("devices", "name"),
    "group": ("groups", "name"),
    "script": ("scripts", "name"),
    "application": ("applications", "name"),
}
"""Subject of a fact: the section of its records, and the field that people know it by."""


def label_of(tables: Tables, change: c.SetFact) -> str:
    """Name what a fact is a fact of, such as `hierarchy NW1`."""
    if change.subject not in NAMES:
        return f"the {change.subject}"
    section, field = NAMES[change.subject]
    return f"{change.subject} {getattr(getattr(tables, section)[change.key], field)}"


def _security(words: _Words, change: c.AssignSecurityRole) -> str:
    return (
        f"give {words.user(change.user)} the security role {words.role(change.role)} in hierarchy"
        f" {words.hierarchy(change.hierarchy)}, for collection {words.collection(change.collection)}"
        f" and security scope {words.scope(change.hierarchy, change.scope)}"
    )


def _new_security(words: _Words, change: c.CreateSecurityRole) -> str:
    return (
        f"make a security role in hierarchy {words.hierarchy(change.hierarchy)} with"
        f" {words.titles(change.permissions)}, and give it to {words.user(change.user)} for collection"
        f" {words.collection(change.collection)} and security scope {words.scope(change.hierarchy, change.scope)}"
    )


SENTENCES: dict[type, Callable[[_Words, Any], str]] = {
    c.SetFact: _fact,
    c.AddMember: lambda w, x: f"add {w.user(x.user)} to group {w.group(x.group)}",
    c.Activate: lambda w, x: f"{w.user(x.user)} activates {w.eligibility(x)}",
    c.RemoveMember: lambda w, x: (
        f"remove {w.user(x.member) if x.member_kind == 'user' else w.group(x.member)} from group {w.group(x.group)}"
    ),
    c.AssignIntuneRole: lambda w, x: (
        f"assign the Intune role {w.role(x.role)} to a security group with {w.user(x.user)} as a member{w.tags(x.tags)}"
    ),
    c.CreateIntuneRole: lambda w, x: (
        f"make a custom Intune role with {w.titles(x.permissions)}, and assign it to a security group with"
        f" {w.user(x.user)} as a member{w.tags(x.tags)}"
    ),
    c.AssignAppRole: lambda w, x: f"assign the app role {w.policy.title(x.permission)} to {w.user(x.user)} directly",
    c.AssignEntraRole: lambda w, x: f"make {w.user(x.user)} an active holder of the Entra role {w.role(x.role)}",
    c.AssignSecurityRole: _security,
    c.CreateSecurityRole: _new_security,
    c.AddScopeTag: lambda w, x: (
        f"add the scope tag {w.tag(x.tag)} to the role assignment {w.tables.intune_assignments[x.assignment].name}"
    ),
    c.AddCollection: lambda w, x: f"add the collection {w.collection(x.collection)} to {w.row(x.row)}",
    c.AddScope: lambda w, x: (
        f"add the security scope {w.scope(w.tables.rows[x.row].hierarchy, x.scope)} to {w.row(x.row)}"
    ),
    c.AddPermissions: lambda w, x: (
        f"add {w.titles(x.permissions)} to the custom {'Intune' if x.section == 'intune_roles' else 'security'} role"
        f" {w.role(x.role)}"
    ),
    c.RemoveGrant: lambda _, x: f"remove {x.holder or x.key} from {x.section.replace('_', ' ')} {x.key}",
}
"""A sentence for every kind of change."""
