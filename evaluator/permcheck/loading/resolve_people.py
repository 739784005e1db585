"""Resolve the cloud side and the directory: users, groups, Entra roles, app roles, Intune roles."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from permcheck.errors import UnknownNameError
from permcheck.loading.estate import Record
from permcheck.loading.identities import key_of_named
from permcheck.loading.text import Path_
from permcheck.model.estate import Group, User, is_day
from permcheck.model.fold import fold_case
from permcheck.model.names import Names
from permcheck.model.tables import IntuneAssignment, IntuneRole, Key, Principals, RoleHolders
from permcheck.model.vocabulary import vocabulary

if TYPE_CHECKING:
    from permcheck.loading.resolve import Resolver


def run(resolver: Resolver) -> None:
    """Fill the fields of the tables that are about people."""
    users = resolver.key("users", lambda user: fold_case(str(user.upn)))
    groups = resolver.key("groups", key_of_named(resolver.joined.values("groups")))
    resolver.fields |= {"users": users, "groups": groups}
    resolver.names["user"] = user_names(users)
    resolver.names["group"] = group_names(groups)
    for section in ("users", "groups"):
        for key, record in resolver.placed[section]:
            resolver.claims.claim(resolver, section, key, record)
    _memberships(resolver)
    _check_sign_in(resolver)
    _directory_roles(resolver)
    _app_roles(resolver)
    _scope_tags(resolver)
    _intune_roles(resolver)
    _intune_assignments(resolver)


def user_names(users: Mapping[Key, User]) -> Names:
    """Users by UPN, object id, SID and account: each is that of one user alone."""
    ids = ((key, (u.id, u.sid)) for key, u in users.items())
    return Names("user", ((key, (u.upn, u.account)) for key, u in users.items()), ids)


def group_names(groups: Mapping[Key, Group]) -> Names:
    """Return groups by object id and SID, account, and name."""
    ids = ((key, (g.id, g.sid)) for key, g in groups.items())
    return Names("group", ((key, (g.name, g.account)) for key, g in groups.items()), ids)


def _principals(
    resolver: Resolver, record: Record, section: str, path: Path_, names: Iterable[str] | None
) -> Principals:
    """Resolve a list of users and groups; report names that are neither, or that several are called."""
    if names is None:
        return Principals(known=False)
    found: dict[str, list[Key]] = {"user": [], "group": []}
    known = resolver.principals
    for index, name in enumerate(names):
        if name not in known:
            meant = _meant(resolver, name)
            known[name] = meant[0] if len(meant) == 1 else None
        one = known[name]
        if one is None:
            _report_principal(resolver, record, section, (*path, index), name)
        else:
            found[one[0]].append(one[1])
    return Principals(tuple(dict.fromkeys(found["user"])), tuple(dict.fromkeys(found["group"])))


def _meant(resolver: Resolver, name: str) -> list[tuple[str, Key]]:
    """Return every user and group that a record may mean: who has that id, else who is called so."""
    kinds = resolver.names["user"], resolver.names["group"]
    meant = [(names.kind, key) for names in kinds for key in names.with_id(name)]
    return meant or [(names.kind, key) for names in kinds for key in names.meant(name)]


def _identity(resolver: Resolver, kind: str, key: Key) -> str:
    """Return what to write for a user or group where a name is not enough."""
    form = resolver.fields[f"{kind}s"][key]
    return str(form.id or form.sid or form.account or getattr(form, "upn", form.name))


def _report_principal(resolver: Resolver, record: Record, section: str, path: Path_, name: str) -> None:
    meant = _meant(resolver, name)
    if meant:
        resolver.ambiguous(record, section, path, name, [f"{k} `{_identity(resolver, k, key)}`" for k, key in meant])
        return
    folded = fold_case(name)
    near = (*resolver.names["user"].near(folded), *resolver.names["group"].near(folded))
    help_ = f"did you mean `{near[0]}`?" if near else "list it under `users:` or `groups:`"
    resolver.report(record, section, path, "unknown-name", f"no user or group is called `{name}`", help_)


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
    resolver.key("entra_roles", lambda r: fold_case(r.role))
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
        within_unit = _principals(resolver, record, "entra_roles", ("unit_members",), form.unit_members)
        result[key] = RoleHolders(key, role, active, eligible, within_unit)
    resolver.fields["entra_roles"] = result


def _app_roles(resolver: Resolver) -> None:
    result: dict[Key, RoleHolders] = {}
    resolver.key("app_roles", lambda r: fold_case(f"{r.application}/{r.role}"))
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
    built_in = resolver.policy.built_in_names("intune")
    records = resolver.joined.values("intune_roles")
    forms = resolver.key("intune_roles", key_of_named(records, taken=lambda role: fold_case(role.name) in built_in))
    for key, record in resolver.placed["intune_roles"]:
        resolver.claims.claim(resolver, "intune_roles", key, record, "intune role ")
        fields = ("not_allowed", "permissions", "undecided")
        denied, granted, undecided = (_permissions(resolver, record, field) for field in fields)
        if denied:
            help_ = "Microsoft documents no effect; permcheck subtracts them inside this role"
            resolver.warn(record, "intune_roles", ("not_allowed",), "denied-actions", "the role denies actions", help_)
        tags = _tags(resolver, record, "intune_roles", record.value.scope_tags)
        open_ = undecided - granted - denied
        result[key] = IntuneRole(key, record.value.name, granted - denied, open_, tagged=bool(tags))
    resolver.fields["intune_roles"] = result
    ids = ((key, (f.id,)) for key, f in forms.items())
    resolver.names["intune role"] = Names("Intune role", ((key, (f.name,)) for key, f in forms.items()), ids)


def _permissions(resolver: Resolver, record: Record, field: str) -> frozenset[str]:
    """Return the permissions in one field of a role; one that nobody knows is told, and kept out."""
    found = set()
    for index, name in enumerate(getattr(record.value, field)):
        try:
            found.add(resolver.policy.find_permission("intune", name))
        except UnknownNameError as error:
            help_ = error.help or "it is kept out; if Microsoft added it lately, permcheck does not know it yet"
            message = f"no Intune permission is called `{name}`"
            resolver.warn(record, "intune_roles", (field, index), "unknown-permission", message, help_)
    return frozenset(found)


def _scope_tags(resolver: Resolver) -> None:
    """Resolve the tenant's scope tags: what is not built in has the id that the estate lists."""
    forms = resolver.key("scope_tags", lambda tag: str(tag.id))
    built_in = (b for b in resolver.policy.builtins if b.kind == "scope-tag")
    listed = ((key, form.name) for key, form in forms.items())
    whole = "scope_tags" in resolver.joined.sections and "scope_tags" not in resolver.joined.incomplete
    resolver.fields["scope_tags"] = vocabulary("scope tag", built_in, listed, whole=whole)


def _intune_assignments(resolver: Resolver) -> None:
    result: dict[Key, IntuneAssignment] = {}
    section = "intune_assignments"
    resolver.key(section, key_of_named(resolver.joined.values(section)))
    for key, record in resolver.placed[section]:
        resolver.claims.claim(resolver, section, key, record, "assignment ")
        form = record.value
        role, built_in = _intune_role(resolver, record, form.role)
        resolver.find_all("group", record, section, "scope_groups", form.scope_groups or ())
        if role is None:
            continue
        members = resolver.find_all("group", record, section, "members", form.members or ())
        tags = None if form.scope_tags is None else _tags(resolver, record, section, form.scope_tags)
        known, scope = form.members is not None, (form.scope_type, form.scope_groups or ())
        result[key] = IntuneAssignment(key, form.name, role, built_in, members, known, tags, *scope)
    resolver.fields[section] = result


def _tags(resolver: Resolver, record: Record, section: str, tags: Iterable[str]) -> tuple[str, ...]:
    known = resolver.fields["scope_tags"]
    path = "scope_tags"
    return tuple(resolver.term(known, record, section, (path, index), tag) for index, tag in enumerate(tags))


def _intune_role(resolver: Resolver, record: Record, name: str) -> tuple[str | None, bool]:
    """Return the role that an assignment means, and whether it is a built-in one: by its id, else by a name."""
    policy, custom = resolver.policy, resolver.names["intune role"]
    section, path, known = "intune_assignments", ("role",), policy.role_names("intune")
    listed = custom.with_id(name)
    built_in = () if listed else known.with_id(name)
    if not (listed or built_in):
        listed = custom.meant(name)
        built_in = tuple(id_ for id_ in known.meant(name) if not custom.with_id(id_))
    if len(listed) + len(built_in) == 1:
        return (listed or built_in)[0], not listed
    if listed or built_in:
        mine = [f"custom role `{resolver.fields['intune_roles'][key].name}` (`{key}`)" for key in listed]
        resolver.ambiguous(record, section, path, name, [*mine, *(f"built-in role `{id_}`" for id_ in built_in)])
        return None, False
    try:
        return policy.find_role("intune", name), True
    except UnknownNameError as error:
        help_ = error.help or "list a custom role under `intune_roles:`"
        resolver.report(record, section, path, "unknown-name", f"no Intune role is called `{name}`", help_)
        return None, False
