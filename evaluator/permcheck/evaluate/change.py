"""Make changed tables: a new value, sharing what did not change."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from permcheck.errors import QuestionError
from permcheck.graph.identity import is_account
from permcheck.model import change as c
from permcheck.model.base import Form
from permcheck.model.estate import (
    AdministrativeUser,
    Application,
    Device,
    Group,
    Hierarchy,
    Script,
    Tenant,
    User,
)
from permcheck.model.fold import fold_case
from permcheck.model.inventory import with_devices
from permcheck.model.policy_index import Policy
from permcheck.model.state import MET
from permcheck.model.tables import (
    IntuneAssignment,
    IntuneRole,
    Key,
    Principals,
    RoleHolders,
    SecurityRole,
    SecurityRow,
    Tables,
    hierarchy_of,
)

FORMS: dict[str, type[Form]] = {
    "tenant": Tenant,
    "hierarchy": Hierarchy,
    "user": User,
    "device": Device,
    "group": Group,
    "script": Script,
    "application": Application,
}
SECTION_OF = {
    "hierarchy": "hierarchies",
    "user": "users",
    "device": "devices",
    "group": "groups",
    "script": "scripts",
    "application": "applications",
}


def changed(tables: Tables, policy: Policy, changes: Iterable[c.Change]) -> Tables:
    """Apply changes one after the other. Raises QuestionError for one that can't be made."""
    for change in changes:
        tables = APPLY[type(change)](tables, policy, change)
    return tables


REFERENCES = frozenset(
    {"hierarchy", "collections", "deployed_to", "members", "all_members", "eligible", "upn", "id", "author"}
)
"""Fields that name other records, or are names themselves: a fact can be changed, these can't."""
NAMED_OTHERWISE = frozenset({"tenant", "hierarchy", "user"})
"""What has a name for people only."""


def _set_fact(tables: Tables, _policy: Policy, change: c.SetFact) -> Tables:
    if change.subject == "tenant":
        return replace(tables, tenant=_with(tables.tenant, change))
    section = SECTION_OF[change.subject]
    records = getattr(tables, section)
    record = _with(records[change.key], change)
    if change.subject == "hierarchy" and change.fact == "version":  # an upgrade reaches every site
        record = record.model_copy(update={"sites": None})
    if change.fact == "scopes" and record.scopes is not None:
        owner = hierarchy_of(change.key)
        record = record.model_copy(update={"scopes": tuple(tables.scope_id(owner, name) for name in record.scopes)})
    in_columns = with_devices(tables, {change.key: record}) if change.subject == "device" else None
    return in_columns or tables.having(section, {**records, change.key: record})


def require_fact(subject: str, name: str) -> None:
    """Refuse a fact that `subject` does not have, or that can't be changed. Raises QuestionError."""
    fields = set(FORMS[subject].model_fields)
    changeable = fields - REFERENCES - (set() if subject in NAMED_OTHERWISE else {"name"})
    if name not in changeable:
        message = f"`{name}` of a {subject} can't be changed" if name in fields else f"`{subject}` has no fact `{name}`"
        raise QuestionError(message, "known are " + ", ".join(sorted(changeable)))


def _with(form: Form, change: c.SetFact) -> Any:
    """Return a form with one field changed; the value is checked like one from a file."""
    require_fact(change.subject, change.fact)
    for value in _spellings(change.value):
        try:
            return type(form).model_validate({**form.model_dump(), change.fact: value})
        except ValueError:
            continue
    message = f"`{_plain(change.value)}` is not a value for `{change.subject}.{change.fact}`"
    raise QuestionError(message, "`permcheck schema estate` says what is")


def _spellings(value: Any) -> tuple[Any, ...]:
    """Return a value as it was given, and as what it may have meant: a list of one, a text, a switch."""
    words = {"on": True, "off": False}
    return (value, [value], str(value), [str(value)], words.get(fold_case(str(value)), value))


def _plain(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _members(tables: Tables, group: Key, update: Callable[[Principals], Principals]) -> Tables:
    if group not in tables.members:
        message = f"no group is called `{group}`"
        raise QuestionError(message)
    return replace(tables, members={**tables.members, group: update(tables.members[group])})


def _add_member(tables: Tables, _policy: Policy, change: c.AddMember) -> Tables:
    return _members(tables, change.group, lambda m: m._replace(users=tuple(dict.fromkeys((*m.users, change.user)))))


def _activate(tables: Tables, policy: Policy, change: c.Activate) -> Tables:
    if change.section == "groups":
        return _add_member(tables, policy, c.AddMember(change.key, change.user))
    found = tables.entra_roles[change.key]
    active = found.active._replace(users=tuple(dict.fromkeys((*found.active.users, change.user))))
    return tables.having("entra_roles", {**tables.entra_roles, change.key: found._replace(active=active)})


def _remove_member(tables: Tables, _policy: Policy, change: c.RemoveMember) -> Tables:
    found = tables.members.get(change.group, Principals())
    if change.member not in (found.users if change.member_kind == "user" else found.groups):
        message = f"`{change.member}` is no direct member of `{change.group}`"
        raise QuestionError(message, "`permcheck explain` shows through which group a right comes")
    return _members(tables, change.group, lambda m: m.without(change.member_kind, change.member))


def _new_group(tables: Tables, name: str, user: Key) -> Tables:
    """Return a new security group with one member."""
    group = Group(name=name, type="security")
    key = fold_case(name)
    groups = {**tables.groups, key: group}
    return replace(tables, groups=groups, members={**tables.members, key: Principals((user,))})


def _assign_intune(tables: Tables, role: str, user: Key, tags: tuple[str, ...], *, built_in: bool) -> Tables:
    name = f"new assignment of {role} for {user}"
    tables = _new_group(tables, f"new group of {user}", user)
    assignment = IntuneAssignment(name, name, role, built_in, (fold_case(f"new group of {user}"),), True, tags)  # noqa: FBT003 - a fact
    return replace(tables, intune_assignments={**tables.intune_assignments, name: assignment})


def _assign_intune_role(tables: Tables, _policy: Policy, change: c.AssignIntuneRole) -> Tables:
    return _assign_intune(tables, change.role, change.user, change.tags, built_in=change.built_in)


def _require_permissions(policy: Policy, permissions: Iterable[str]) -> None:
    for permission in permissions:
        if permission not in policy.permissions:
            raise KeyError(permission)


def _create_intune_role(tables: Tables, policy: Policy, change: c.CreateIntuneRole) -> Tables:
    _require_permissions(policy, change.permissions)
    name = "new custom role"
    role = IntuneRole(name, name, frozenset(change.permissions))
    tables = replace(tables, intune_roles={**tables.intune_roles, name: role})
    return _assign_intune(tables, name, change.user, change.tags, built_in=False)


def _holders(tables: Tables, section: str, role: str, user: Key) -> Tables:
    holders = dict(getattr(tables, section))
    found = next((h for h in holders.values() if h.role == role), RoleHolders(f"new {role}", role, Principals()))
    active = found.active._replace(users=tuple(dict.fromkeys((*found.active.users, user))))
    holders[found.key] = found._replace(active=active)
    return tables.having(section, holders)


def _assign_app_role(tables: Tables, _policy: Policy, change: c.AssignAppRole) -> Tables:
    return _holders(tables, "app_roles", change.permission, change.user)


def _assign_entra_role(tables: Tables, _policy: Policy, change: c.AssignEntraRole) -> Tables:
    return _holders(tables, "entra_roles", change.role, change.user)


def _admin(tables: Tables, hierarchy: Key, user: Key) -> tuple[Tables, Key]:
    """Return the administrative user of a user, made if there is none."""
    record = tables.users[user]
    for key, admin in tables.admins.items():
        if hierarchy_of(key) == hierarchy and is_account(record, admin) is MET:
            return tables, key
    name = record.account or record.upn
    key = f"{hierarchy}/{fold_case(name)}"
    form = AdministrativeUser(name=name, sid=record.sid, assignments=())
    return replace(tables, admins={**tables.admins, key: form}, admin_known={**tables.admin_known, key: True}), key


def _assign_security_role(tables: Tables, _policy: Policy, change: c.AssignSecurityRole) -> Tables:
    if tables.security_roles[change.role].hierarchy != change.hierarchy:
        raise KeyError(change.role)
    if hierarchy_of(change.collection) != change.hierarchy or change.collection not in tables.collections:
        raise KeyError(change.collection)
    tables, admin = _admin(tables, change.hierarchy, change.user)
    key = f"{admin}#new-{len(tables.rows)}"
    row = SecurityRow(key, admin, change.hierarchy, change.role, frozenset({change.scope}), (change.collection,))
    return replace(tables, rows={**tables.rows, key: row})


def _create_security_role(tables: Tables, policy: Policy, change: c.CreateSecurityRole) -> Tables:
    _require_permissions(policy, change.permissions)
    name = "new security role"
    key = f"{change.hierarchy}/{name}"
    role = SecurityRole(key, name, change.hierarchy, None, frozenset(change.permissions))
    tables = replace(tables, security_roles={**tables.security_roles, key: role})
    assign = c.AssignSecurityRole(change.hierarchy, key, change.user, change.collection, change.scope)
    return _assign_security_role(tables, policy, assign)


def _add_scope_tag(tables: Tables, _policy: Policy, change: c.AddScopeTag) -> Tables:
    found = tables.intune_assignments[change.assignment]
    tagged = found._replace(tags=tuple(dict.fromkeys((*(found.tags or ()), change.tag))))
    return replace(tables, intune_assignments={**tables.intune_assignments, change.assignment: tagged})


def _row(tables: Tables, key: Key, update: Callable[[SecurityRow], SecurityRow]) -> Tables:
    return replace(tables, rows={**tables.rows, key: update(tables.rows[key])})


def _add_collection(tables: Tables, _policy: Policy, change: c.AddCollection) -> Tables:
    row = tables.rows[change.row]
    if hierarchy_of(change.collection) != row.hierarchy or change.collection not in tables.collections:
        raise KeyError(change.collection)
    collections = tuple(dict.fromkeys((*row.collections, change.collection)))
    return _row(tables, change.row, lambda row: row._replace(collections=collections))


def _add_scope(tables: Tables, _policy: Policy, change: c.AddScope) -> Tables:
    return _row(tables, change.row, lambda row: row._replace(scopes=row.scopes | {change.scope}))


def _add_permissions(tables: Tables, policy: Policy, change: c.AddPermissions) -> Tables:
    _require_permissions(policy, change.permissions)
    records = dict(getattr(tables, change.section))
    role = records[change.role]
    if role.permissions is None:
        message = f"`{role.name}` is no custom role whose permissions are stated"
        raise QuestionError(message)
    added = frozenset(change.permissions)
    records[change.role] = role._replace(permissions=role.permissions | added, undecided=role.undecided - added)
    return tables.having(change.section, records)


REMOVABLE = frozenset({"intune_assignments", "entra_roles", "app_roles", "rows"})
"""Sections whose records are grants."""


def _remove_grant(tables: Tables, _policy: Policy, change: c.RemoveGrant) -> Tables:
    if change.section not in REMOVABLE:
        raise KeyError(change.section)
    records = dict(getattr(tables, change.section))
    if change.key not in records:
        raise KeyError(change.key)
    if change.holder:
        record = records[change.key]
        if isinstance(record, IntuneAssignment):
            records[change.key] = record._replace(members=tuple(m for m in record.members if m != change.holder))
        else:
            lists = {"active": record.active, "within_unit": record.within_unit}
            left = {name: who.without(change.holder_kind, change.holder) for name, who in lists.items()}
            records[change.key] = record._replace(**left)
    else:
        del records[change.key]
    return tables.having(change.section, records)


APPLY: dict[type, Callable[[Tables, Policy, Any], Tables]] = {
    c.SetFact: _set_fact,
    c.AddMember: _add_member,
    c.Activate: _activate,
    c.RemoveMember: _remove_member,
    c.AssignIntuneRole: _assign_intune_role,
    c.CreateIntuneRole: _create_intune_role,
    c.AssignAppRole: _assign_app_role,
    c.AssignEntraRole: _assign_entra_role,
    c.AssignSecurityRole: _assign_security_role,
    c.CreateSecurityRole: _create_security_role,
    c.AddScopeTag: _add_scope_tag,
    c.AddCollection: _add_collection,
    c.AddScope: _add_scope,
    c.AddPermissions: _add_permissions,
    c.RemoveGrant: _remove_grant,
}
"""Every kind of change. A new kind is one class, one function and one line."""
