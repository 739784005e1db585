"""Read estate files that stand beside exports: what no tool exports. Their records complete those of the exports."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeAlias

from permcheck.exports.batch import Batch
from permcheck.exports.gathered import Gathered, Register, Written
from permcheck.exports.recognise import Found
from permcheck.loading.estate import Joined
from permcheck.model.base import Form
from permcheck.model.estate import SECTIONS
from permcheck.model.fold import GUID
from permcheck.model.policy_exports import Export

KIND: Final = Export.model_construct(
    id="estate.file", title="an estate file", service="file", sources=("permcheck/estate",)
)


def add_by_hand(gathered: Gathered, joined: Joined) -> None:
    """Add the records of estate files; later entries of exports only add to them."""
    numbers: dict[tuple[int, str], int] = {}
    for section in SECTIONS:
        for record in joined.values(section):
            key = (record.file, section)
            if key not in numbers:
                numbers[key] = _batch(gathered, joined, record.file, section)
            _put(gathered, section, record.value, (numbers[key], record.index))
    tenant = joined.scalars.get("tenant")
    if tenant is not None:
        file = next(i for i, parsed in enumerate(joined.parsed) if "tenant" in parsed.data)
        at = (_batch(gathered, joined, file, "tenant"), 0)
        gathered.state_tenant(at, **{name: getattr(tenant, name) for name in tenant.model_fields_set})


def _batch(gathered: Gathered, joined: Joined, file: int, section: str) -> int:
    parsed = joined.parsed[file]
    value = parsed.data[section]
    if isinstance(value, list):
        lines = tuple(parsed.place((section, index))[1] for index in range(len(value)))
    else:
        lines = (parsed.place((section,))[1],)
    batch = Batch(parsed.file, "", f"$.{section}", {}, tuple, format="estate", lines=lines if any(lines) else ())
    gathered.batches.append((batch, Found(KIND, "an estate file")))
    number = len(gathered.batches) - 1
    for register in gathered.registers():
        register.by_hand.add(number)
    return number


def _put(gathered: Gathered, section: str, form: Form, at: tuple[int, int]) -> None:
    fields = {name: _plain(getattr(form, name), name) for name in form.model_fields_set}
    owned = str(fields.get("hierarchy") or _only_hierarchy(gathered))
    if section in OWNED:
        fields["hierarchy"] = owned
    if section == "scope_tags":
        gathered.scope_tags.put(fields["id"], fields["name"], at)
        return
    if section == "security_scopes":
        gathered.scopes.put((owned, fields["id"].upper()), fields["name"], at)
        return
    register, names = _REGISTERS[section](gathered), _NAMES[section](fields, owned)
    if section == "intune_assignments" and not GUID.fullmatch(fields["role"]):  # exports tell a role by its id
        fields["role_name"] = fields.pop("role")
    register.put(names, fields, at)


REFERS: Final = frozenset(
    {
        "role",
        "scopes",
        "collections",
        "limited_to",
        "include",
        "exclude",
        "author",
        "members",
        "scope_groups",
        "scope_tags",
    }
)
"""Fields that name other records."""


def _plain(value: Any, name: str = "") -> Any:
    """Return plain values; what names another record is read as people wrote it."""
    if isinstance(value, Form):
        return {key: _plain(getattr(value, key), key) for key in value.model_fields_set}
    if isinstance(value, tuple):
        return tuple(_plain(item, name) for item in value)
    return Written(value) if isinstance(value, str) and name in REFERS else value


def _only_hierarchy(gathered: Gathered) -> str:
    known = [str(thing.fields["id"]) for thing in gathered.hierarchies.things]
    return known[0] if len(known) == 1 else ""


OWNED: Final = frozenset(
    {"security_roles", "administrative_users", "collections", "scripts", "applications", "devices", "security_scopes"}
)
_REGISTERS: Final[dict[str, Callable[[Gathered], Register]]] = {
    "users": lambda g: g.users,
    "groups": lambda g: g.groups,
    "entra_roles": lambda g: g.entra_by_hand,
    "app_roles": lambda g: g.apps_by_hand,
    "intune_roles": lambda g: g.intune_roles,
    "intune_assignments": lambda g: g.assignments,
    "hierarchies": lambda g: g.hierarchies,
    "security_roles": lambda g: g.security_roles,
    "administrative_users": lambda g: g.admins,
    "collections": lambda g: g.collections,
    "scripts": lambda g: g.scripts,
    "applications": lambda g: g.software,
    "devices": lambda g: g.devices,
}
Names: TypeAlias = tuple[tuple[str, str], ...]


def _identities(*keys: str) -> Callable[[dict[str, Any], str], Names]:
    """Name a record by fields that nobody shares, and by the name that people gave it."""

    def names(fields: dict[str, Any], _: str) -> Names:
        return (*((key, str(fields.get(key) or "")) for key in keys), ("hand", str(fields.get("name") or "")))

    return names


def _owned(kind: str, key: str) -> Callable[[dict[str, Any], str], Names]:
    """Name a record of a hierarchy."""

    def names(fields: dict[str, Any], owner: str) -> Names:
        named = (("hand", f"{owner}/{fields['name']}"),) if "name" in fields else ()
        return ((kind, f"{owner}/{fields[key]}"), *named) if key in fields else named

    return names


_NAMES: Final[dict[str, Callable[[dict[str, Any], str], Names]]] = {
    "users": _identities("id", "upn", "sid", "account"),
    "groups": _identities("id", "sid", "account"),
    "entra_roles": lambda fields, _: (("role", str(fields["role"])),),
    "app_roles": lambda fields, _: (("role", f"{fields['application']}/{fields['role']}"),),
    "intune_roles": _identities("id"),
    "intune_assignments": _identities("id"),
    "hierarchies": _identities("id"),
    "security_roles": _owned("name", "name"),
    "administrative_users": _owned("name", "name"),
    "collections": _owned("id", "id"),
    "scripts": _owned("id", "id"),
    "applications": _owned("name", "name"),
    "devices": _owned("resource", "resource_id"),
}
