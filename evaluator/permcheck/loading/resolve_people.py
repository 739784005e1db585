"""Resolve the cloud side and the directory: users, groups, Entra roles, app roles, Intune roles."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from permcheck.errors import UnknownNameError
from permcheck.loading.estate import Record
from permcheck.loading.text import Path_
from permcheck.model.estate import Group, User, is_day
from permcheck.model.names import Names
from permcheck.model.tables import IntuneAssignment, IntuneRole, Key, Principals, RoleHolders

if TYPE_CHECKING:
    from permcheck.loading.resolve import Resolver


def run(resolver: Resolver) -> None:
    """Fill the fields of the tables that are about people."""
    users = resolver.key("users", lambda user: str(user.upn).casefold())
    groups = resolver.key("groups", _group_key(resolver))
    resolver.fields |= {"users": users, "groups": groups}
    resolver.names["user"] = user_names(users)
    resolver.names["group"] = group_names(groups)
    _memberships(resolver)
    _check_sign_in(resolver)
    _directory_roles(resolver)
    _app_roles(resolver)
    _intune_roles(resolver)
    _intune_assignments(resolver)


def user_names(users: Mapping[Key, User]) -> Names:
    """Users by UPN, object id, SID and account."""
    return Names("user", ((key, (u.upn, u.id, u.sid, u.account)) for key, u in users.items()))


def group_names(groups: Mapping[Key, Group]) -> Names:
    """Return groups by name, object id, SID and account."""
    return Names("group", ((key, (g.name, g.id, g.sid, g.account)) for key, g in groups.items()))


def _group_key(resolver: Resolver) -> Callable[[Group], Key]:
    """Return groups may share a name if they have ids: then the id is part of the key."""
    count = Counter(record.value.name.casefold() for record in resolver.joined.values("groups"))

    def key(group: Group) -> Key:
        name = group.name.casefold()
        extra = group.id or group.sid
        return f"{name} ({extra})" if count[name] > 1 and extra else name

    return key


def _principals(
    resolver: Resolver, record: Record, section: str, path: Path_, names: Iterable[str] | None
) -> Principals:
    """Resolve a list of users and groups; report names that are neither."""
    if names is None:
        return Principals(known=False)
    users: list[Key] = []
    groups: list[Key] = []
    known = resolver.principals
    for index, name in enumerate(names):
        if name not in known:
            user = resolver.names["user"].get(name)
            known[name] = (user, None) if user is not None else (None, resolver.names["group"].get(name))
        user, group = known[name]
        if user is not None:
            users.append(user)
        elif group is not None:
            groups.append(group)
        else:
            folded = name.casefold()
            near = (*resolver.names["user"].near(folded), *resolver.names["group"].near(folded))
            help_ = f"did you mean `{near[0]}`?" if near else "list it under `users:` or `groups:`"
            message = f"no user or group is called `{name}`"
            resolver.report(record, section, (*path, index), "unknown-name", message, help_)
    return Principals(tuple(dict.fromkeys(users)), tuple(dict.fromkeys(groups)))


def _memberships(resolver: Resolver) -> None:
    members: dict[Key, Principals] = {}
    indirect: dict[Key, Principals] = {}
    eligible: dict[Key, Principals] = {}
    for key, record in resolver.placed["groups"]:
        members[key] = _members(resolver, record)
        if record.value.all_members is not None:
            indirect[key] = _principals(resolver, record, "groups", ("all_members",), record.value.all_members)
        if record.value.eligible:
            eligible[key] = _principals(resolver, record, "groups", ("eligible",), record.value.eligible)
    resolver.fields |= {"members": members, "indirect": indirect, "eligible": eligible}


def _members(resolver: Resolver, record: Record) -> Principals:
    """Return direct members; `known` if nobody else is in the group, directly or not."""
    group = record.value
    found = _principals(resolver, record, "groups", ("members",), group.members)
    known = group.all_members is not None or (group.members is not None and not group.members_incomplete)
    return found._replace(known=known)


def _check_sign_in(resolver: Resolver) -> None:
    for _, record in resolver.placed["users"]:
        day = record.value.last_sign_in
        if day is not None and not is_day(day):
            resolver.report(record, "users", ("last_sign_in",), "date", f"`{day}` is no day of the calendar")
        if record.value.signs_in_with is not None:
            resolver.find("user", record, "users", ("signs_in_with",), record.value.signs_in_with)


def _directory_roles(resolver: Resolver) -> None:
    result: dict[Key, RoleHolders] = {}
    resolver.key("entra_roles", lambda r: r.role.casefold())
    for key, record in resolver.placed["entra_roles"]:
        form = record.value
        try:
            role = resolver.policy.find_role("entra", form.role)
        except UnknownNameError as error:
            help_ = error.help or "its rights in Intune are not documented, so it is left out"
            resolver.warn(record, "entra_roles", ("role",), "unknown-role", str(error), help_)
            continue
        active = _principals(resolver, record, "entra_roles", ("members",), form.members)
        eligible = _principals(resolver, record, "entra_roles", ("eligible",), form.eligible)
        result[key] = RoleHolders(key, role, active, eligible)
    resolver.fields["entra_roles"] = result


def _app_roles(resolver: Resolver) -> None:
    result: dict[Key, RoleHolders] = {}
    resolver.key("app_roles", lambda r: f"{r.application}/{r.role}".casefold())
    for key, record in resolver.placed["app_roles"]:
        form = record.value
        try:
            permission = resolver.policy.find_permission("entra", f"{form.application}\\{form.role}")
        except UnknownNameError as error:
            help_ = error.help or "what it gives is not documented, so it is left out"
            message = f"no app role of `{form.application}` is called `{form.role}`"
            resolver.warn(record, "app_roles", ("role",), "unknown-role", message, help_)
            continue
        holders = _principals(resolver, record, "app_roles", ("assigned_to",), form.assigned_to)
        result[key] = RoleHolders(key, permission, holders)
    resolver.fields["app_roles"] = result


def _intune_roles(resolver: Resolver) -> None:
    result: dict[Key, IntuneRole] = {}
    forms = resolver.key("intune_roles", lambda r: r.name.casefold())
    for key, record in resolver.placed["intune_roles"]:
        denied = {_permission(resolver, record, "not_allowed", i, n) for i, n in enumerate(record.value.not_allowed)}
        granted = {_permission(resolver, record, "permissions", i, n) for i, n in enumerate(record.value.permissions)}
        if denied:
            help_ = "Microsoft documents no effect; permcheck subtracts them inside this role"
            resolver.warn(record, "intune_roles", ("not_allowed",), "denied-actions", "the role denies actions", help_)
        permissions = frozenset(p for p in granted - denied if p)
        result[key] = IntuneRole(key, record.value.name, permissions)
    resolver.fields["intune_roles"] = result
    resolver.names["intune role"] = Names("Intune role", ((key, (f.name, f.id)) for key, f in forms.items()))


def _permission(resolver: Resolver, record: Record, field: str, index: int, name: str) -> str | None:
    try:
        return resolver.policy.find_permission("intune", name)
    except UnknownNameError as error:
        help_ = error.help or "it is kept out; if Microsoft added it lately, permcheck does not know it yet"
        message = f"no Intune permission is called `{name}`"
        resolver.warn(record, "intune_roles", (field, index), "unknown-permission", message, help_)
        return None


def _intune_assignments(resolver: Resolver) -> None:
    result: dict[Key, IntuneAssignment] = {}
    resolver.key("intune_assignments", lambda a: a.name.casefold())
    for key, record in resolver.placed["intune_assignments"]:
        form = record.value
        role, built_in = _intune_role(resolver, record, form.role)
        if role is None:
            continue
        members = resolver.find_all("group", record, "intune_assignments", "members", form.members or ())
        tags = None if form.scope_tags is None else tuple(_tag(resolver, tag) for tag in form.scope_tags)
        known, scope = form.members is not None, (form.scope_type, form.scope_groups or ())
        result[key] = IntuneAssignment(key, form.name, role, built_in, members, known, tags, *scope)
    resolver.fields["intune_assignments"] = result


def _intune_role(resolver: Resolver, record: Record, name: str) -> tuple[str | None, bool]:
    custom = resolver.names["intune role"].get(name)
    if custom is not None:
        return custom, False
    try:
        return resolver.policy.find_role("intune", name), True
    except UnknownNameError as error:
        help_ = error.help or "list a custom role under `intune_roles:`"
        resolver.report(
            record, "intune_assignments", ("role",), "unknown-name", f"no Intune role is called `{name}`", help_
        )
        return None, False


def _tag(resolver: Resolver, tag: str) -> str:
    """Id of a built-in scope tag; any other tag by its own name."""
    folded = tag.casefold()
    return next(
        (b.id for b in resolver.policy.builtins if b.kind == "scope-tag" and folded in {b.id, b.name.casefold()}), tag
    )
