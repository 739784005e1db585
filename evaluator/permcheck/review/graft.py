"""Put some records of one estate into another, with those that they refer to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from permcheck.model.inventory import DeviceCollections, Devices, with_devices
from permcheck.model.tables import Key, Principals, Tables, hierarchy_of
from permcheck.review.edits import BUNDLES, GONE, Replaced

PRINCIPALS = ("members", "indirect", "eligible")
HOLDERS = ("entra_roles", "app_roles")
OWNED = ("admins", "collections", "security_roles", "devices", "scripts", "applications")
"""Tables whose keys begin with a hierarchy."""


def grafted(old: Tables, new: Tables, records: Replaced) -> Tables:
    """Return `old` with some records as they are in `new`; what refers to nothing is left out."""
    tables = old
    for table, entries in records.items():
        tables = _replaced(tables, table, entries)
    while True:
        missing = {(section, key) for section, key in _references(tables) if key not in getattr(tables, section)}
        found = {(section, key) for section, key in missing if key in getattr(new, section)}
        if not found:
            return _pruned(tables) if missing else tables
        for section, key in sorted(found):
            for table in BUNDLES[section]:
                value = getattr(new, table).get(key, GONE)
                if value is not GONE:
                    tables = tables.having(table, {**getattr(tables, table), key: value})


def _replaced(tables: Tables, table: str, entries: Mapping[Key, Any]) -> Tables:
    match table:
        case "tenant":
            facts = {key.partition("#")[2]: value for key, value in entries.items()}
            return replace(tables, tenant=tables.tenant.model_copy(update=facts))
        case "whole":
            return replace(tables, **entries)
        case "inside":
            return _moved(tables, entries)
        case "membership_open":
            there = {key for key, is_open in entries.items() if is_open}
            return replace(tables, membership_open=(tables.membership_open - entries.keys()) | there)
        case "hierarchies":
            return _hierarchies(tables, entries)
        case "devices":
            in_columns = None if GONE in entries.values() else with_devices(tables, entries)
            if in_columns is not None:
                return in_columns
    merged = {**getattr(tables, table), **entries}
    return tables.having(table, {key: value for key, value in merged.items() if value is not GONE})


def _hierarchies(tables: Tables, entries: Mapping[Key, Any]) -> Tables:
    """Replace whole hierarchies, or a fact of one (`key#fact`)."""
    found = dict(tables.hierarchies)
    for name, value in entries.items():
        key, sharp, fact = name.partition("#")
        if sharp and key in found:
            found[key] = found[key].model_copy(update={fact: value})
        elif value is GONE:
            found.pop(key, None)
        elif not sharp:
            found[key] = value
    return replace(tables, hierarchies=found)


def _moved(tables: Tables, entries: Mapping[Key, Mapping[Key, bool]]) -> Tables:
    """Put devices into collections, or take them out."""
    inside = dict(tables.device_collections)
    for collection, devices in entries.items():
        for device, is_in in devices.items():
            if device in tables.devices:
                before = inside.get(device, frozenset())
                inside[device] = before | {collection} if is_in else before - {collection}
    return replace(tables, device_collections=inside)


def _references(tables: Tables) -> Iterator[tuple[str, Key]]:
    """Everything that some record names."""
    for table in PRINCIPALS:
        for group, who in getattr(tables, table).items():
            yield "groups", group
            yield from _who(who)
    for table in HOLDERS:
        for holders in getattr(tables, table).values():
            yield from (*_who(holders.active), *_who(holders.eligible), *_who(holders.within_unit))
    for assignment in tables.intune_assignments.values():
        yield from (("groups", group) for group in assignment.members)
        if not assignment.built_in:
            yield "intune_roles", assignment.role
    for row in tables.rows.values():
        yield "admins", row.admin
        yield "security_roles", row.role
        yield from (("collections", key) for key in row.collections)
    yield from (("collections", key) for key in tables.limited_to.values() if key is not None)
    yield from (("collections", key) for keys in tables.deployed_to.values() for key in keys)
    yield from (("collections", key) for key in _containing(tables))
    for table in OWNED:
        records = getattr(tables, table)
        told = records.inventory.hierarchies if isinstance(records, Devices) else {hierarchy_of(key) for key in records}
        yield from (("hierarchies", key) for key in told)


def _containing(tables: Tables) -> Iterable[Key]:
    """Return the collections that contain some device."""
    inside = tables.device_collections
    if isinstance(inside, DeviceCollections):
        return (*inside.inventory.collections, *(key for keys in inside.inventory.roots.values() for key in keys))
    return frozenset[Key]().union(*inside.values())


def _who(who: Principals) -> Iterator[tuple[str, Key]]:
    yield from (("users", key) for key in who.users)
    yield from (("groups", key) for key in who.groups)


def _pruned(tables: Tables) -> Tables:
    """Leave out what names something that is not there."""
    there = {section: getattr(tables, section).keys() for section in BUNDLES}

    def known(who: Principals) -> Principals:
        users = tuple(key for key in who.users if key in there["users"])
        return who._replace(users=users, groups=tuple(key for key in who.groups if key in there["groups"]))

    for table in OWNED:
        kept = {k: v for k, v in getattr(tables, table).items() if hierarchy_of(k) in there["hierarchies"]}
        tables = tables.having(table, kept)
    there = {section: getattr(tables, section).keys() for section in BUNDLES}
    for table in PRINCIPALS:
        found = {key: known(who) for key, who in getattr(tables, table).items() if key in there["groups"]}
        tables = tables.having(table, found)
    for table in HOLDERS:
        holders = getattr(tables, table).items()
        lists = ("active", "eligible", "within_unit")
        changed = {k: h._replace(**{name: known(getattr(h, name)) for name in lists}) for k, h in holders}
        tables = tables.having(table, changed)
    return _pruned_collections(_pruned_roles(tables))


def _pruned_roles(tables: Tables) -> Tables:
    assignments = {
        key: one._replace(members=tuple(m for m in one.members if m in tables.groups))
        for key, one in tables.intune_assignments.items()
        if one.built_in or one.role in tables.intune_roles
    }
    rows = {
        key: row._replace(collections=tuple(c for c in row.collections if c in tables.collections))
        for key, row in tables.rows.items()
        if row.admin in tables.admins and row.role in tables.security_roles
    }
    return replace(tables, intune_assignments=assignments, rows=rows)


def _pruned_collections(tables: Tables) -> Tables:
    known = tables.collections
    limited = {k: top if top in known else None for k, top in tables.limited_to.items() if k in known}
    devices = tables.devices
    inside = {k: keys if keys <= known.keys() else keys & known.keys() for k, keys in tables.device_collections.items()}
    deployed = {k: tuple(c for c in keys if c in known) for k, keys in tables.deployed_to.items()}
    return replace(
        tables,
        limited_to=limited,
        device_collections={k: keys for k, keys in inside.items() if k in devices},
        membership_open=tables.membership_open & devices.keys(),
        deployed_to=deployed,
    )
