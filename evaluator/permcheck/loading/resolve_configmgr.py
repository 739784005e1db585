"""Resolve the Configuration Manager side: hierarchies, security, collections, objects, devices.

What belongs to a hierarchy has a key that begins with it: `p01/sms00001`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from permcheck.errors import UnknownNameError
from permcheck.loading.estate import Record
from permcheck.loading.identities import key_of_named
from permcheck.model.estate import Device, Hierarchy, UploadScope
from permcheck.model.fold import fold_case
from permcheck.model.names import Names
from permcheck.model.policy_index import Policy
from permcheck.model.tables import Key, SecurityRole, SecurityRow, hierarchy_of
from permcheck.model.vocabulary import Vocabulary, vocabulary

if TYPE_CHECKING:
    from permcheck.loading.resolve import Resolver

SLASH = "\u2215"
"""Stands for a slash in the key of a hierarchy, where the slash ends it."""
OWNED = (
    "security_roles", "administrative_users", "collections", "scripts", "applications", "devices", "security_scopes",
)  # fmt: skip


def run(resolver: Resolver) -> None:
    """Fill the fields of the tables that are about Configuration Manager."""
    hierarchies = resolver.key("hierarchies", lambda h: fold_case(h.id).replace("/", SLASH))
    resolver.fields["hierarchies"] = hierarchies
    resolver.names["hierarchy"] = hierarchy_names(hierarchies)
    owners = _owners(resolver)
    _collections(resolver, owners)
    _security_scopes(resolver, owners)
    _security_roles(resolver, owners)
    _administrative_users(resolver, owners)
    _objects(resolver, owners)
    if resolver.joined.inventory is None:
        _devices(resolver, owners)
    else:
        from permcheck.loading import resolve_inventory  # only such an estate pays for it

        resolve_inventory.run(resolver, resolver.joined.inventory)
    _check_hierarchies(resolver)


def hierarchy_names(hierarchies: Mapping[Key, Hierarchy]) -> Names:
    """Return hierarchies by id and name."""
    ids = ((key, (h.id,)) for key, h in hierarchies.items())
    return Names("hierarchy", ((key, (h.name,)) for key, h in hierarchies.items()), ids)


def _owners(resolver: Resolver) -> dict[int, Key]:
    """Return the hierarchy of every record that belongs to one, by identity of the record's form."""
    only = next(iter(resolver.fields["hierarchies"])) if len(resolver.fields["hierarchies"]) == 1 else None
    result: dict[int, Key] = {}
    for section in OWNED:
        for record in resolver.joined.values(section):
            name = record.value.hierarchy
            if name is None and only is None:
                help_ = "name it with `hierarchy:`"
                resolver.report(
                    record, section, (), "no-hierarchy", "this could be of several hierarchies, or none", help_
                )
            elif name is not None and resolver.names["hierarchy"].get(name) is None:
                resolver.find("hierarchy", record, section, ("hierarchy",), name)
            owner = only if name is None else resolver.names["hierarchy"].get(name)
            result[id(record.value)] = owner or "?"
    return result


def _collections(resolver: Resolver, owners: dict[int, Key]) -> None:
    forms = resolver.key("collections", lambda c: f"{owners[id(c)]}/{fold_case(c.id)}")
    names = ((key, (f"{hierarchy_of(key)}/{c.name}",)) for key, c in forms.items())
    ids = ((key, (f"{hierarchy_of(key)}/{c.id}",)) for key, c in forms.items())
    resolver.names["collection"] = Names("collection", names, ids)
    roots = {built_in.id for built_in in resolver.policy.builtins if built_in.kind == "collection"}
    limited: dict[Key, Key | None] = {}
    for key, record in resolver.placed["collections"]:
        hierarchy, form = hierarchy_of(key), record.value
        for rule, others in (("include", form.include), ("exclude", form.exclude)):
            if others:
                resolver.all_owned("collection", record, "collections", rule, hierarchy, others)
        if form.limited_to is not None:
            path = ("limited_to",)
            limited[key] = resolver.owned("collection", record, "collections", path, hierarchy, form.limited_to)
        elif record.value.id.upper() in roots:
            limited[key] = None
    _kinds(resolver, forms, limited)
    resolver.fields |= {"collections": forms, "limited_to": limited}


def _security_scopes(resolver: Resolver, owners: dict[int, Key]) -> None:
    """Resolve the security scopes of each hierarchy: what is not built in has the id that the estate lists."""
    section = "security_scopes"
    forms = resolver.key(section, lambda scope: f"{owners[id(scope)]}/{fold_case(scope.id)}")
    built_in = [b for b in resolver.policy.builtins if b.kind == "scope"]
    whole = section in resolver.joined.sections and section not in resolver.joined.incomplete
    resolver.fields[section] = {
        hierarchy: vocabulary(
            "security scope",
            built_in,
            ((form.id, form.name) for key, form in forms.items() if hierarchy_of(key) == hierarchy),
            whole=whole,
        )
        for hierarchy in resolver.fields["hierarchies"]
    }


def _scopes(
    resolver: Resolver, record: Record, section: str, path: tuple[str | int, ...], hierarchy: Key, scopes: Iterable[str]
) -> tuple[str, ...]:
    """Return the ids of security scopes."""
    known: Vocabulary | None = resolver.fields["security_scopes"].get(hierarchy)
    if known is None:  # of no hierarchy: that was reported
        return ()
    return tuple(resolver.term(known, record, section, (*path, i), scope) for i, scope in enumerate(scopes))


def _kinds(resolver: Resolver, forms: dict[Key, Any], limited: dict[Key, Key | None]) -> None:
    """Fill in whether collections are of devices or of users, where that follows from what else is told."""
    holding = _with_devices(resolver)
    known = {}
    for key, form in forms.items():
        follows = resolver.policy.kind_of_collection.get(form.id.upper()) or ("device" if key in holding else None)
        known[key] = form.kind or follows
    for key in [key for key, kind in known.items() if kind is None]:
        passed = [key]
        while (above := limited.get(passed[-1])) is not None and above not in passed:
            passed.append(above)
        known[key] = next((known[one] for one in passed if known[one] is not None), None)
    for key, form in forms.items():
        if form.kind is None and known[key] is not None:
            forms[key] = form.model_copy(update={"kind": known[key]})


def _with_devices(resolver: Resolver) -> set[Key]:
    """Return the collections of which a device is told to be a member."""
    find = resolver.names["collection"].get
    owners = resolver.names["hierarchy"]
    found = {key for key, record in resolver.placed["collections"] if record.value.members}
    only = next(iter(resolver.fields["hierarchies"]), None) if len(resolver.fields["hierarchies"]) == 1 else None
    for record in resolver.joined.values("devices"):
        owner = only if record.value.hierarchy is None else owners.get(record.value.hierarchy)
        found |= {key for name in record.value.collections or () if (key := find(f"{owner}/{name}"))}
    return found


def _security_roles(resolver: Resolver, owners: dict[int, Key]) -> None:
    result: dict[Key, SecurityRole] = {}
    section, policy = "security_roles", resolver.policy
    records, taken = resolver.joined.values(section), partial(_bears_a_built_in_name, policy)
    forms = resolver.key(section, key_of_named(records, lambda role: owners[id(role)], taken))
    for key, record in resolver.placed[section]:
        role, hierarchy = record.value, hierarchy_of(key)
        resolver.claims.claim(resolver, section, key, record, f"security role {hierarchy} ")
        known = policy.role_names("configmgr")
        built_in = next(iter(known.with_id(role.id)), None) if role.id else known.get(role.name)
        permissions = None if role.permissions is None else _operations(resolver, record, "permissions")
        undecided = _operations(resolver, record, "undecided") - (permissions or frozenset())
        result[key] = SecurityRole(key, role.name, hierarchy, built_in, permissions, undecided)
    for hierarchy in resolver.fields["hierarchies"]:
        _add_built_ins(resolver, hierarchy, result)
    resolver.fields[section] = result
    resolver.names["security role"] = _role_names(resolver, result, forms)


def _bears_a_built_in_name(policy: Policy, role: Any) -> bool:
    """Tell whether a role with an id of its own has the name of a built-in one."""
    known = policy.role_names("configmgr")
    return bool(role.id and known.meant(role.name)) and known.with_id(role.id) != known.meant(role.name)


def _role_names(resolver: Resolver, roles: dict[Key, SecurityRole], forms: dict[Key, Any]) -> Names:
    """Security roles by id, and by name; built-in ones also by their synonyms."""
    named: list[tuple[Key, list[str]]] = []
    ids: list[tuple[Key, list[str]]] = []
    for key, role in roles.items():
        built_in = resolver.policy.roles.get(role.built_in or "")
        listed = forms[key].id if key in forms else None
        synonyms = (built_in.name, *built_in.synonyms) if built_in else ()
        named.append((key, [f"{role.hierarchy}/{name}" for name in (role.name, *synonyms)]))
        ids.append((key, [f"{role.hierarchy}/{id_}" for id_ in (listed, role.built_in) if id_]))
    return Names("security role", named, ids)


def _prefixed(hierarchy: Key, name: str | None) -> str | None:
    return f"{hierarchy}/{name}" if name else None


def _add_built_ins(resolver: Resolver, hierarchy: Key, roles: dict[Key, SecurityRole]) -> None:
    """Add the built-in roles that the estate does not list: every hierarchy has them."""
    listed = {role.built_in for role in roles.values() if role.hierarchy == hierarchy}
    for role_id, plane in resolver.policy.role_planes.items():
        if plane == "configmgr" and role_id not in listed:
            name = resolver.policy.roles[role_id].name
            key = f"{hierarchy}/{fold_case(name)}"
            roles[key] = SecurityRole(key, name, hierarchy, role_id, None)


def _operations(resolver: Resolver, record: Record, field: str) -> frozenset[str]:
    result = set()
    for class_, operations in getattr(record.value, field).items():
        for index, operation in enumerate(operations):
            try:
                result.add(resolver.policy.find_permission("configmgr", f"{class_}\\{operation}"))
            except UnknownNameError as error:
                message = f"no operation of `{class_}` is called `{operation}`"
                help_ = error.help or "it is kept out"
                resolver.warn(record, "security_roles", (field, class_, index), "unknown-permission", message, help_)
    return frozenset(result)


def _administrative_users(resolver: Resolver, owners: dict[int, Key]) -> None:
    rows: dict[Key, SecurityRow] = {}
    known: dict[Key, bool] = {}
    section = "administrative_users"
    admins = resolver.key(section, key_of_named(resolver.joined.values(section), lambda a: owners[id(a)]))
    for key, record in resolver.placed[section]:
        hierarchy = hierarchy_of(key)
        resolver.claims.claim(resolver, section, key, record, f"administrative user {hierarchy} ")
        known[key] = record.value.assignments is not None
        for index, pair in enumerate(record.value.assignments or ()):
            path = ("assignments", index)
            role = _security_role(resolver, record, (*path, "role"), hierarchy, pair.role)
            names = [
                resolver.owned("collection", record, section, (*path, "collections", i), hierarchy, n)
                for i, n in enumerate(pair.collections or ())
            ]
            if role is not None:
                row = f"{key}#{index}"
                scopes = frozenset(_scopes(resolver, record, section, (*path, "scopes"), hierarchy, pair.scopes or ()))
                collections = tuple(name for name in names if name)
                known_ = pair.scopes is not None, pair.collections is not None
                rows[row] = SecurityRow(row, key, hierarchy, role, scopes, collections, *known_)
                resolver.at["rows", row] = (record.file, record.index)
    resolver.fields |= {"admins": admins, "admin_known": known, "rows": rows}


def _security_role(
    resolver: Resolver, record: Record, path: tuple[str | int, ...], hierarchy: Key, name: str
) -> Key | None:
    hint = resolver.policy.recommended.get(name)
    if hint is not None and not resolver.names["security role"].meant(f"{hierarchy}/{name}"):
        message = f"hierarchy `{hierarchy}` has no security role called `{name}`"
        help_ = f"`{name}` is not built in: the documents say to create it; list it under `security_roles:`"
        resolver.report(record, "administrative_users", path, "unknown-name", message, help_)
        return None
    return resolver.owned("security role", record, "administrative_users", path, hierarchy, name)


def _objects(resolver: Resolver, owners: dict[int, Key]) -> None:
    for kind, section in (("script", "scripts"), ("application", "applications")):
        forms = resolver.key(section, key_of_named(resolver.joined.values(section), lambda o: owners[id(o)]))
        for key, record in resolver.placed[section]:
            if record.value.scopes is not None:
                scopes = _scopes(resolver, record, section, ("scopes",), hierarchy_of(key), record.value.scopes)
                forms[key] = record.value.model_copy(update={"scopes": scopes})
            author = getattr(record.value, "author", None)
            if author is not None:
                resolver.find("user", record, section, ("author",), author)
        resolver.fields[section] = forms
        names = ((key, (f"{hierarchy_of(key)}/{f.name}",)) for key, f in forms.items())
        ids = ((key, (_prefixed(hierarchy_of(key), getattr(f, "id", None)),)) for key, f in forms.items())
        resolver.names[kind] = Names(kind, names, ids)
    deployed: dict[Key, tuple[Key, ...]] = {}
    for key, record in resolver.placed["applications"]:
        if record.value.deployed_to is not None:
            targets = record.value.deployed_to
            deployed[key] = resolver.all_owned(
                "collection", record, "applications", "deployed_to", hierarchy_of(key), targets
            )
    resolver.fields["deployed_to"] = deployed


def _devices(resolver: Resolver, owners: dict[int, Key]) -> None:
    taken: set[Key] = set()

    def key_of(device: Any) -> Key:
        key = f"{owners[id(device)]}/{fold_case(device.name)}"
        extra = device.resource_id or device.intune_id or device.entra_id
        if key in taken and extra is not None:
            key = f"{key} ({extra})"
        taken.add(key)
        return key

    devices = resolver.key("devices", key_of)
    inside: dict[Key, set[Key]] = {}
    find = resolver.names["collection"].get
    for key, record in resolver.placed["devices"]:
        if record.value.collections is not None:
            hierarchy = hierarchy_of(key)
            found = inside.setdefault(key, set())
            for index, name in enumerate(record.value.collections):
                path = ("collections", index)
                collection = find(f"{hierarchy}/{name}") or resolver.owned(
                    "collection", record, "devices", path, hierarchy, name
                )
                if collection is not None:
                    found.add(collection)
    resolver.fields["devices"] = devices
    resolver.names["device"] = Names("device", device_names(devices), device_ids(devices))
    _check_tags(resolver)
    _members(resolver, inside)
    _add_roots(resolver, inside)
    resolver.fields["device_collections"] = {key: frozenset(found) for key, found in inside.items()}


def device_names(devices: Mapping[Key, Device]) -> Iterator[tuple[Key, tuple[str | None, ...]]]:
    """Devices by name and key, also with the hierarchy in front."""
    for key, d in devices.items():
        yield key, (d.name, f"{hierarchy_of(key)}/{d.name}", key)


def device_ids(devices: Mapping[Key, Device]) -> Iterator[tuple[Key, tuple[str | None, ...]]]:
    """Devices by resource id (also with the hierarchy in front), Entra id and Intune id."""
    for key, d in devices.items():
        resource = str(d.resource_id) if d.resource_id is not None else None
        yield key, (resource, d.entra_id, d.intune_id, _prefixed(hierarchy_of(key), resource))


def _check_tags(resolver: Resolver) -> None:
    """Report scope tags of devices that can't be meant."""
    known = resolver.fields["scope_tags"]
    for _, record in resolver.placed["devices"]:
        for index, tag in enumerate(record.value.scope_tags or ()):
            resolver.term(known, record, "devices", ("scope_tags", index), tag)


def _members(resolver: Resolver, inside: dict[Key, set[Key]]) -> None:
    """Add the members that collections list. If every device collection lists them, nothing else is unknown."""
    listing: dict[Key, bool] = {}
    for key, record in resolver.placed["collections"]:
        hierarchy = hierarchy_of(key)
        kind = resolver.fields["collections"][key].kind
        if kind != "user" and record.value.id.upper() not in resolver.policy.all_devices:
            listing[hierarchy] = listing.get(hierarchy, True) and record.value.members is not None
        for index, name in enumerate(record.value.members or ()):
            device = resolver.owned("device", record, "collections", ("members", index), hierarchy, name)
            if device is not None:
                inside.setdefault(device, set()).add(key)
    devices = resolver.fields["devices"]
    resolver.fields["membership_open"] = frozenset(
        key for key in devices if devices[key].collections is None and not listing.get(hierarchy_of(key), False)
    )
    for key in devices:
        inside.setdefault(key, set())


def _add_roots(resolver: Resolver, inside: dict[Key, set[Key]]) -> None:
    """Put every device into the collections that contain every device by definition."""
    roots = {
        key for key, form in resolver.fields["collections"].items() if form.id.upper() in resolver.policy.all_devices
    }
    by_hierarchy: dict[Key, set[Key]] = {}
    for key in roots:
        by_hierarchy.setdefault(hierarchy_of(key), set()).add(key)
    for device, found in inside.items():
        found.update(by_hierarchy.get(hierarchy_of(device), ()))


def _check_hierarchies(resolver: Resolver) -> None:
    for key, record in resolver.placed["hierarchies"]:
        if record.value.version is not None and record.value.version not in resolver.policy.versions:
            message = f"no release {record.value.version} of Configuration Manager is known"
            help_ = "it is compared as a number"
            resolver.warn(record, "hierarchies", ("version",), "unknown-release", message, help_)
        upload = record.value.upload
        if upload is not None and upload != "all":
            path = ("upload", "collection")
            found = resolver.owned("collection", record, "hierarchies", path, key, upload.collection)
            if found is not None:
                meant = UploadScope(collection=resolver.fields["collections"][found].id)
                resolver.fields["hierarchies"][key] = record.value.model_copy(update={"upload": meant})
