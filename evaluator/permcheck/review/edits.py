"""What was edited between two estates, record by record, each edit with the sentence that says it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from permcheck.model.base import Form
from permcheck.model.policy_index import Policy
from permcheck.model.tables import Key, Principals, SecurityRow, Tables, hierarchy_of
from permcheck.review.moved import may_differ

GONE: Any = object()
"""Stands for a record that is not there any more."""
Replaced: TypeAlias = Mapping[str, Mapping[Key, Any]]


@dataclass(frozen=True, eq=False)
class Edit:
    """One edit: what it says, and the records that it replaces (by table and key)."""

    text: str
    records: Replaced

    def subjects(self) -> Iterator[tuple[str, Key, str]]:
        """Section, key and field of what it is about."""
        for table, entries in self.records.items():
            for name in entries:
                if table in {"tenant", "hierarchies"}:
                    key, _, fact = name.partition("#")
                    yield table, key, fact
                else:
                    yield (name, "", "") if table == "whole" else (SECTIONS.get(table, table), name, "")


BUNDLES: Mapping[str, tuple[str, ...]] = {
    "users": ("users",),
    "groups": ("groups", "members", "indirect", "eligible"),
    "entra_roles": ("entra_roles",),
    "app_roles": ("app_roles",),
    "intune_roles": ("intune_roles",),
    "intune_assignments": ("intune_assignments",),
    "security_roles": ("security_roles",),
    "admins": ("admins", "admin_known"),
    "collections": ("collections", "limited_to"),
    "scripts": ("scripts",),
    "applications": ("applications", "deployed_to"),
    "devices": ("devices",),
    "hierarchies": ("hierarchies",),
}
"""Tables that say one thing together."""
WORDS = {
    "users": "user",
    "groups": "group",
    "entra_roles": "holders of the Entra role",
    "app_roles": "holders of the app role",
    "intune_roles": "Intune role",
    "intune_assignments": "role assignment",
    "security_roles": "security role",
    "admins": "administrative user",
    "collections": "collection",
    "scripts": "script",
    "applications": "application",
    "devices": "device",
    "hierarchies": "hierarchy",
}
SECTIONS = {"inside": "collections", "device_collections": "devices", "membership_open": "devices"}
"""Sections whose records tell what stands in other tables."""
MANY = frozenset({"users", "devices"})
"""Sections of which there are many, and one edit may be of many."""
SAID_ELSEWHERE = frozenset(
    {"members", "members_incomplete", "all_members", "eligible", "assignments", "collections", "limited_to"}
)
"""Fields of forms that name other records: tables hold what they mean."""
WHOLE = ("as_of", "readings", "assume", "unstated", "incomplete")
"""What says how the whole estate is to be read."""


def edits(old: Tables, new: Tables, policy: Policy) -> tuple[Edit, ...]:
    """Return every edit, in the order of the sections."""
    found = [
        *_of_form("tenant", "", old.tenant, new.tenant),
        *_whole(old, new),
        *(edit for section in BUNDLES for edit in _section(section, old, new, policy)),
        *_contents(old, new),
    ]
    return tuple(found)


def _of_form(table: str, key: Key, old: Form | None, new: Form | None) -> Iterator[Edit]:
    """One edit for each fact of a form; what is inside one another is one fact."""
    before = {} if old is None else dict(old)
    after = {} if new is None else dict(new)
    for name in after:
        if before.get(name) != after[name]:
            label = f"{table} {key.upper()}".strip() if key else "tenant"
            text = f"{label}: {name.replace('_', ' ')} {_shown(before.get(name))} -> {_shown(after[name])}"
            yield Edit(text, {"tenant" if not key else "hierarchies": {f"{key}#{name}": after[name]}})


def _shown(value: Any) -> str:
    if value is None:
        return "unknown"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Form):
        return ", ".join(_shown(item) for item in dict(value).values())
    return ", ".join(map(_shown, value)) if isinstance(value, tuple) else str(value)


def _whole(old: Tables, new: Tables) -> Iterator[Edit]:
    for name in WHOLE:
        before, after = getattr(old, name), getattr(new, name)
        if before != after:
            yield Edit(
                f"estate: {name.replace('_', ' ')} {_plain(before)} -> {_plain(after)}", {"whole": {name: after}}
            )


def _plain(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key}={value[key]}" for key in sorted(value)) or "none"
    if isinstance(value, str) or value is None:
        return value or "none"
    return ", ".join(sorted(value)) or "none"


def _section(section: str, old: Tables, new: Tables, policy: Policy) -> Iterator[Edit]:
    """Edits of the records of a section; what is the same for many users or devices is one edit."""
    before, after = getattr(old, section), getattr(new, section)
    same: dict[str, list[tuple[str, Replaced]]] = {}
    keys = may_differ(old, new) if section == "devices" else dict.fromkeys((*before, *after))
    for key in keys:
        if section == "hierarchies" and key in before and key in after:
            yield from _of_form("hierarchy", key, before[key], after[key])
            continue
        records = _records(section, old, new, key)
        if records:
            word = "added" if key not in before else "removed" if key not in after else _said(old, new, section, key)
            name = _name(old, new, section, key, policy)
            if section in MANY:
                same.setdefault(word, []).append((name, records))
            else:
                yield Edit(f"{WORDS[section]} {name}: {word}", records)
    for word, found in same.items():
        names = [name for name, _ in found]
        who = f"{WORDS[section]} {names[0]}" if len(names) == 1 else f"{len(names)} {section} ({_some(names)})"
        yield Edit(f"{who}: {word}", _joined(records for _, records in found))


def _some(names: list[str]) -> str:
    few = 3
    return ", ".join(names) if len(names) <= few else f"{', '.join(names[:few])} ..."


def _joined(several: Iterable[Replaced]) -> Replaced:
    result: dict[str, dict[Key, Any]] = {}
    for records in several:
        for table, entries in records.items():
            result.setdefault(table, {}).update(entries)
    return result


def _records(section: str, old: Tables, new: Tables, key: Key) -> Replaced:
    """Return the records of one key that differ, with all that belongs to them; empty where nothing does."""
    tables = BUNDLES[section]
    rows = _rows(old, new, key) if section == "admins" else {}
    if not rows and all(_same(_now(old, t, key), _now(new, t, key)) for t in tables):
        return {}
    found: dict[str, dict[Key, Any]] = {t: {key: _now(new, t, key)} for t in tables}
    if rows:
        found["rows"] = dict(rows)
    if section == "devices" and key not in old.devices:
        found["device_collections"] = {key: new.device_collections.get(key, frozenset())}
        found["membership_open"] = {key: key in new.membership_open}
    return found


def _same(one: Any, two: Any) -> bool:
    """Whether two records say the same, whatever the order of lists without one."""
    return one is two or bool(one == two) or bool(_sorted(one) == _sorted(two))


def _sorted(record: Any) -> Any:
    if isinstance(record, Form):
        return {name: _sorted(value) for name, value in record if name not in SAID_ELSEWHERE}
    if isinstance(record, tuple) and hasattr(record, "_asdict"):
        return tuple(_sorted(value) for value in record)
    return tuple(sorted(map(repr, record))) if isinstance(record, tuple) else record


def _now(tables: Tables, table: str, key: Key) -> Any:
    return getattr(tables, table).get(key, GONE)


def _rows(old: Tables, new: Tables, admin: Key) -> Mapping[Key, Any]:
    """Rows of an administrative user that differ, whatever their order and keys."""
    before = {row.key: row for row in old.rows.values() if row.admin == admin}
    after = {row.key: row for row in new.rows.values() if row.admin == admin}
    if sorted(map(_row, before.values())) == sorted(map(_row, after.values())):
        return {}
    return {key: after.get(key, GONE) for key in dict.fromkeys((*before, *after))}


def _row(row: SecurityRow) -> tuple[str, tuple[str, ...], tuple[str, ...], bool, bool]:
    known = row.scopes_known, row.collections_known
    return row.role, tuple(sorted(row.scopes)), tuple(sorted(row.collections)), *known


def _name(old: Tables, new: Tables, section: str, key: Key, policy: Policy) -> str:
    record = getattr(new, section).get(key) or getattr(old, section)[key]
    if section in {"entra_roles", "app_roles"}:
        return policy.roles[record.role].name if record.role in policy.roles else policy.title(record.role)
    name = _called(old, new, section, key)
    return f"{hierarchy_of(key).upper()}/{name}" if "/" in key else str(name)


def _said(old: Tables, new: Tables, section: str, key: Key) -> str:
    """Say what differs in a record that was there before."""
    parts: list[str] = []
    if section == "groups":
        parts += _came_and_went(old, new, old.members.get(key), new.members.get(key), "")
        parts += _came_and_went(old, new, old.eligible.get(key), new.eligible.get(key), "eligible ")
    if section in {"entra_roles", "app_roles"}:
        one, two = getattr(old, section)[key], getattr(new, section)[key]
        parts += _came_and_went(old, new, one.active, two.active, "")
        parts += _came_and_went(old, new, one.eligible, two.eligible, "eligible ")
        parts += _came_and_went(old, new, one.within_unit, two.within_unit, "unit-only ")
    if not parts:
        parts = list(_fields(getattr(old, section)[key], getattr(new, section)[key]))
    return "; ".join(parts) or "changed"


def _came_and_went(
    old: Tables, new: Tables, one: Principals | None, two: Principals | None, word: str
) -> Iterator[str]:
    before, after = one or Principals(), two or Principals()
    for sign, mine, others in (("+", after, before), ("-", before, after)):
        users = [_called(old, new, "users", key) for key in mine.users if key not in others.users]
        groups = [_called(old, new, "groups", key) for key in mine.groups if key not in others.groups]
        yield from (f"{sign} {word}{name}" for name in sorted((*users, *groups)))


def _called(old: Tables, new: Tables, section: str, key: Key) -> str:
    record = getattr(new, section).get(key) or getattr(old, section).get(key)
    return str(getattr(record, "upn", None) or getattr(record, "name", None) or key)


def _fields(old: Any, new: Any) -> Iterator[str]:
    """Say the fields that differ between two records of one kind."""
    before = dict(old) if isinstance(old, Form) else old._asdict()
    after = dict(new) if isinstance(new, Form) else new._asdict()
    for name, value in after.items():
        had = before.get(name)
        if name not in SAID_ELSEWHERE and not _same(had, value):
            if isinstance(value, frozenset | tuple) and isinstance(had, frozenset | tuple):
                more = [f"+ {item}" for item in sorted(map(str, set(value) - set(had)))]
                yield "; ".join((*more, *(f"- {item}" for item in sorted(map(str, set(had) - set(value)))))) or name
            else:
                yield f"{name.replace('_', ' ')} {_shown(had)} -> {_shown(value)}"


def _contents(old: Tables, new: Tables) -> Iterator[Edit]:
    """Say which collections have other devices than before, one edit for each."""
    gained: dict[Key, list[Key]] = {}
    lost: dict[Key, list[Key]] = {}
    doubt = []
    for device in may_differ(old, new):
        if device not in old.devices or device not in new.device_collections:
            continue
        before = old.device_collections.get(device, frozenset())
        after = new.device_collections[device]
        if before != after:
            for key in after - before:
                gained.setdefault(key, []).append(device)
            for key in before - after:
                lost.setdefault(key, []).append(device)
        if (device in old.membership_open) is not (device in new.membership_open):
            doubt.append(device)
    for key in sorted({*gained, *lost}):
        more, less = gained.get(key, []), lost.get(key, [])
        parts = [f"{sign} {_devices(new, some)}" for sign, some in (("+", more), ("-", less)) if some]
        name = _called(old, new, "collections", key)
        moved = dict.fromkeys(more, True) | dict.fromkeys(less, False)
        yield Edit(f"collection {name}: {'; '.join(parts)}", {"inside": {key: moved}})
    if doubt:
        text = f"whether further collections contain {_devices(new, doubt)}"
        yield Edit(text, {"membership_open": {device: device in new.membership_open for device in doubt}})


def _devices(tables: Tables, keys: list[Key]) -> str:
    few = 3
    names = sorted(tables.devices[key].name for key in keys[:few])
    return ", ".join(names) if len(keys) <= few else f"{len(keys)} devices"
