"""Compare a committed estate with fresh exports: what they say differently."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from permcheck.exports.write import plain
from permcheck.model.estate import VOCABULARIES
from permcheck.model.tables import Key, Principals, Tables

Records = Mapping[Key, Mapping[str, Any]]
NAMED_BY_KEYS: Final = frozenset(
    {"members", "unit_members", "all_members", "eligible", "collections", "limited_to", "assignments"}
)
"""Fields that name other records: compared as keys, whatever name was used."""


LISTS: Final = frozenset(
    {"members", "unit_members", "all_members", "eligible", "collections", "assignments", "permissions", "scope_tags"}
)
"""Fields of which people want to know who or what came and went."""


class Drift(NamedTuple):
    """One difference. `old` and `new` are texts; empty where the record is not there."""

    section: str
    record: str
    field: str
    old: str
    new: str

    def __str__(self) -> str:
        where = f"{self.section}: {self.record}"
        if not self.field:
            return f"{where}: {'only in the exports' if self.new else 'not in the exports any more'}"
        if self.field in LISTS:
            parts = [f"{word} {names}" for word, names in (("lost", self.old), ("gained", self.new)) if names]
            return f"{where}: {self.field}: {'; '.join(parts)}"
        return f"{where}: {self.field}: {self.old} -> {self.new}"


def drift(old: Tables, new: Tables) -> tuple[Drift, ...]:
    """Return the differences. What the exports do not tell is no difference."""
    result: list[Drift] = []
    before, after = dict(_sections(old)), dict(_sections(new))
    gone = old.hierarchies.keys() - new.hierarchies.keys()
    for section, records in after.items():
        told = section not in new.unstated
        whole = told and section not in new.incomplete
        stated = {
            key: one for key, one in before[section].items() if key.partition("/")[0] not in gone or "/" not in key
        }
        result += _compare(section, stated, records, whole=whole) if told else ()
    return tuple(_named(one, old, new) for one in result)


def _named(one: Drift, old: Tables, new: Tables) -> Drift:
    """Call a record as people call it, rather than by its key."""
    if one.section in VOCABULARIES:
        return one._replace(record=one.record.rpartition("/")[2])
    section = "admins" if one.section == "administrative_users" else one.section
    form = getattr(new, section, {}).get(one.record) if section != "tenant" else None
    form = form or (getattr(old, section, {}).get(one.record) if section != "tenant" else None)
    name = getattr(form, "upn", None) or getattr(form, "name", None) or getattr(form, "id", None)
    owner = one.record.partition("/")[0].upper() + "/" if "/" in one.record and name else ""
    return one._replace(record=f"{owner}{name}" if name else one.record)


def _compare(section: str, old: Records, new: Records, *, whole: bool) -> Iterator[Drift]:
    for key in sorted(old.keys() | new.keys()):
        if key not in new:
            if whole:
                yield Drift(section, key, "", "there", "")
        elif key not in old:
            yield Drift(section, key, "", "", "there")
        else:
            yield from _fields(section, key, old[key], new[key])


def _fields(section: str, key: Key, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Drift]:
    for field in sorted(new):
        before, after = old.get(field), new[field]
        if after is None or (before is None and field not in LISTS) or _folded(before) == _folded(after):
            continue
        if field in LISTS:
            had, has = before or frozenset(), after
            yield Drift(section, key, field, ", ".join(sorted(had - has)), ", ".join(sorted(has - had)))
        else:
            yield Drift(section, key, field, _text(before), _text(after))


def _folded(value: Any) -> Any:
    return value.casefold() if isinstance(value, str) else value


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return " ".join(map(str, value.values()))
    return ", ".join(sorted(map(_text, value))) if isinstance(value, frozenset | list) else str(value)


def _sections(tables: Tables) -> Iterator[tuple[str, Records]]:
    """Return every section: key -> fields, with references as keys."""
    yield "tenant", {"tenant": _form(tables.tenant)}
    yield "hierarchies", {key: _form(form) for key, form in tables.hierarchies.items()}
    yield "users", {key: _form(form) for key, form in tables.users.items()}
    yield "groups", {key: _form(form) | _members(tables, key) for key, form in tables.groups.items()}
    for name in ("entra_roles", "app_roles"):
        holders = getattr(tables, name).items()
        lists = ("members", "active"), ("eligible", "eligible"), ("unit_members", "within_unit")
        yield name, {k: {called: _who(getattr(h, one)) for called, one in lists} for k, h in holders}
    yield "intune_roles", {k: {"permissions": r.permissions} for k, r in tables.intune_roles.items()}
    yield "intune_assignments", dict(_assignments(tables))
    stated = {key for section, key in tables.places.at if section == "security_roles"}
    roles = tables.security_roles.items()
    yield "security_roles", {k: {"permissions": r.permissions} for k, r in roles if k in stated}
    yield "administrative_users", {key: {"assignments": _rows(tables, key)} for key in tables.admins}
    yield "collections", dict(_collections(tables))
    yield "scripts", {key: _form(form) for key, form in tables.scripts.items()}
    yield "applications", {key: _form(form) for key, form in tables.applications.items()}
    yield "devices", dict(_devices(tables))
    yield "scope_tags", {id_: {"name": name} for id_, name in tables.scope_tags.listed.items()}
    owned = tables.security_scopes.items()
    yield "security_scopes", {f"{o}/{id_}": {"name": name} for o, k in owned for id_, name in k.listed.items()}


def _form(form: Any) -> dict[str, Any]:
    fields = {k: frozenset(v) if isinstance(v, list) and _flat(v) else v for k, v in plain(form).items()}
    return {key: value for key, value in fields.items() if key not in NAMED_BY_KEYS}


def _flat(value: list[Any]) -> bool:
    return not any(isinstance(item, dict) for item in value)


def _who(who: Principals) -> frozenset[str] | None:
    return frozenset((*who.users, *who.groups)) if who.known or who.users or who.groups else None


def _members(tables: Tables, key: Key) -> dict[str, Any]:
    eligible = tables.eligible.get(key)
    return {
        "members": _who(tables.members[key]),
        "all_members": _who(tables.indirect[key]) if key in tables.indirect else None,
        "eligible": _who(eligible) if eligible else None,
    }


def _assignments(tables: Tables) -> Iterator[tuple[Key, dict[str, Any]]]:
    for key, one in tables.intune_assignments.items():
        members = frozenset(one.members) if one.members_known else None
        yield (
            key,
            {"role": one.role, "members": members, "scope_tags": None if one.tags is None else frozenset(one.tags)},
        )


def _rows(tables: Tables, admin: Key) -> frozenset[str] | None:
    if not tables.admin_known[admin]:
        return None
    rows = (row for row in tables.rows.values() if row.admin == admin)
    return frozenset(f"{r.role} on {', '.join(sorted(r.collections))} ({', '.join(sorted(r.scopes))})" for r in rows)


def _collections(tables: Tables) -> Iterator[tuple[Key, dict[str, Any]]]:
    for key, form in tables.collections.items():
        yield key, {"name": form.name, "kind": form.kind, "limited_to": tables.limited_to.get(key)}


def _devices(tables: Tables) -> Iterator[tuple[Key, dict[str, Any]]]:
    for key, form in tables.devices.items():
        inside = None if key in tables.membership_open else tables.device_collections.get(key)
        yield key, {**_form(form), "collections": inside}
