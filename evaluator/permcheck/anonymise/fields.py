"""What becomes of each field of an estate: names are replaced, free text is dropped, the rest stays.

Every field of every form is named here: one that is not is a fault, never an unnoticed leak.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from permcheck.anonymise.known import Known
from permcheck.anonymise.renamer import Renamer

Plain: TypeAlias = dict[str, Any]


@dataclass(frozen=True)
class Walk:
    """One pass over an estate."""

    renamer: Renamer
    known: Known
    dropped: Counter[str] = field(default_factory=Counter)
    """How many permissions and updates were left out because they may be anything."""

    def record(self, form: str, record: Plain) -> Plain:
        """Return a record with every field replaced, dropped or as it was."""
        told = {name: FIELDS[form][name](self, value) for name, value in record.items()}
        return {name: value for name, value in told.items() if value is not None}


Field: TypeAlias = Callable[[Walk, Any], Any]
FIRST: Final = ("tenant", "hierarchies", "users", "groups", "devices")
"""What is named before it is referred to."""
LAST_WINS: Final = {"users": ("sid", "account"), "groups": ("sid", "account"), "devices": ("name",)}
"""Fields by which a later record takes the place of an earlier one: where two share one, their order stays."""


def estate(walk: Walk, data: Plain) -> Plain:
    """Return an estate with other names."""
    order = sorted(data, key=lambda key: (key not in FIRST, FIRST.index(key) if key in FIRST else 0))
    told = {key: FIELDS["estate"][key](walk, data[key]) for key in order}
    return {key: told[key] for key in data if told[key] is not None}


def stays(_: Walk, value: Any) -> Any:
    """Keep what nobody gave a name."""
    return value


def dropped(_walk: Walk, _value: Any) -> None:
    """Leave free text out."""


def named(space: str, label: str = "") -> Field:
    """Replace a name, or each of a list; the list's order may have been that of the names."""

    def told(walk: Walk, value: Any) -> Any:
        if isinstance(value, list):
            return sorted(walk.renamer.name(space, name, label) for name in value)
        return walk.renamer.name(space, value, label)

    return told


def devices(walk: Walk, value: list[str]) -> list[str]:
    """Replace references to devices."""
    return sorted(walk.renamer.reference("device", name) for name in value)


def number(walk: Walk, value: int | str) -> int | str:
    """Replace the resource id of a device; a number stays a number."""
    if isinstance(value, str) or value == 0:
        return value if isinstance(value, int) else walk.renamer.name("device", value)
    told = walk.renamer.name("device", str(value))
    return int(told) if told.isdecimal() else told


def records(form: str) -> Field:
    """Replace the names in one record, or in each of a list."""

    def told(walk: Walk, value: Any) -> Any:
        if isinstance(value, list):
            made = [walk.record(form, record) for record in value]
            return made if _shared(form, value) else _sorted(made)
        return walk.record(form, value) if isinstance(value, dict) else value

    return told


def app_roles(walk: Walk, value: list[Plain]) -> list[Plain]:
    """Replace the holders of app roles, and an app role that the policy does not know."""
    return _sorted(
        walk.record("known_app_roles" if walk.known.app_role(r["application"], r["role"]) else "app_roles", r)
        for r in value
    )


def operations(walk: Walk, value: Mapping[str, list[str]]) -> dict[str, list[str]]:
    """Keep the operations of object classes that the policy knows."""
    result = {}
    for class_, names in value.items():
        kept = [name for name in names if walk.known.operation(class_, name)]
        walk.dropped["permission"] += len(names) - len(kept)
        if kept:
            result[class_] = kept
    return result


def intune_permissions(walk: Walk, value: list[str]) -> list[str]:
    """Keep the Intune permissions that are known or look like an id of Microsoft's."""
    return _kept(walk, "permission", value, walk.known.intune_permission)


def updates(walk: Walk, value: list[str]) -> list[str]:
    """Keep KB numbers."""
    return _kept(walk, "update", value, walk.known.update)


def _kept(walk: Walk, kind: str, names: list[str], known: Callable[[str], bool]) -> list[str]:
    kept = [name for name in names if known(name)]
    walk.dropped[kind] += len(names) - len(kept)
    return kept


def _shared(form: str, rows: list[Plain]) -> bool:
    """Tell whether two records share a name by which the later one is found."""
    for name in LAST_WINS.get(form, ()):
        values = [str(row[name]).strip().casefold() for row in rows if row.get(name)]
        if len(set(values)) < len(values):
            return True
    return False


def _sorted(rows: Iterable[Plain]) -> list[Plain]:
    """Order records by what they say now: the order before may have been that of their names."""
    return sorted(rows, key=json.dumps)


def _all(*names: str) -> dict[str, Field]:
    return dict.fromkeys(names, stays)


ACCOUNT: Final = named("account")
IN_HIERARCHY: Final[dict[str, Field]] = {"hierarchy": named("hierarchy")}
COLLECTIONS: Final = named("collection")
SCOPES: Final = named("scope")
APP_ROLE: Final[dict[str, Field]] = {"application": stays, "role": stays, "assigned_to": ACCOUNT}
FIELDS: Final[dict[str, dict[str, Field]]] = {
    "estate": {
        "$schema": dropped,
        "estate": named("estate"),
        **_all("as_of", "readings", "assume", "complete", "incomplete"),
        **{
            section: records(section)
            for section in (
                "tenant", "hierarchies", "users", "groups", "entra_roles", "intune_roles", "intune_assignments",
                "security_roles", "administrative_users", "collections", "scripts", "applications", "devices",
            )
        },
        "app_roles": app_roles,
    },
    "tenant": {
        "name": named("tenant"),
        "geography": named("geography"),
        **_all(
            "cloud", "multi_geo", "use_intune_rbac", "use_intune_rbac_changed", "unlicensed_admins",
            "scoped_permissions", "entra_premium",
        ),
    },
    "hierarchies": {
        "id": named("hierarchy"),
        "name": named("hierarchy"),
        "sites": records("sites"),
        "updates": updates,
        "upload": records("upload"),
        "geography": named("geography"),
        **_all(
            "version", "update_ring", "enforce_configmgr_rbac", "tenant_attached", "administration_service",
            "provider_authentication", "central_site_remote_provider", "provider_delegation",
            "provider_in_authorization_group", "connection_point_online", "script_approver_required",
        ),
    },
    "sites": {"code": named("hierarchy"), "version": stays},
    "upload": {"collection": COLLECTIONS},
    "users": {
        **dict.fromkeys(
            ("upn", "id", "sid", "account", "discovered_upn", "on_premises_upn", "signs_in_with"),
            named("account", "user"),
        ),
        "name": named("person"),
        **_all(
            "synced", "enabled", "licensed", "discovered_by", "discovery_incomplete", "provider_logon_denied",
            "provider_access",
        ),
    },
    "groups": {
        **dict.fromkeys(("name", "id", "sid", "account"), named("account", "group")),
        **dict.fromkeys(("members", "all_members", "eligible"), ACCOUNT),
        **_all("type", "dynamic", "members_incomplete"),
    },
    "entra_roles": {"role": named("directory-role"), "members": ACCOUNT, "eligible": ACCOUNT},
    "app_roles": {"application": named("application"), "role": named("app-role"), "assigned_to": ACCOUNT},
    "known_app_roles": APP_ROLE,
    "intune_roles": {
        "name": named("intune-role", "role"),
        "id": named("intune-role", "role"),
        "description": dropped,
        "permissions": intune_permissions,
        "not_allowed": intune_permissions,
    },
    "intune_assignments": {
        "name": named("assignment"),
        "id": named("assignment"),
        "role": named("intune-role", "role"),
        "members": ACCOUNT,
        "scope_groups": ACCOUNT,
        "scope_type": stays,
        "scope_tags": named("scope-tag"),
    },
    "security_roles": {
        **IN_HIERARCHY,
        **dict.fromkeys(("name", "id", "copied_from"), named("security-role")),
        "permissions": operations,
        "undecided": operations,
    },
    "administrative_users": {**IN_HIERARCHY, "name": ACCOUNT, "sid": ACCOUNT, "assignments": records("assignments")},
    "assignments": {"role": named("security-role"), "scopes": SCOPES, "collections": COLLECTIONS},
    "collections": {
        **IN_HIERARCHY,
        **dict.fromkeys(("id", "name", "limited_to", "include", "exclude"), COLLECTIONS),
        "kind": stays,
        "members": devices,
    },
    "scripts": {
        **IN_HIERARCHY,
        **dict.fromkeys(("name", "id"), named("script")),
        "author": ACCOUNT,
        "scopes": SCOPES,
        **_all("approved", "parameters"),
    },
    "applications": {
        **IN_HIERARCHY,
        "name": named("software"),
        "scopes": SCOPES,
        "deployed_to": COLLECTIONS,
        **_all(
            "user_targeted", "has_uninstall_command", "has_repair_command", "installed", "required_deployment"
        ),
    },
    "devices": {
        "name": named("device"),
        **IN_HIERARCHY,
        "resource_id": number,
        "entra_id": named("device"),
        "intune_id": named("device"),
        "collections": COLLECTIONS,
        **_all(
            "uploaded", "client_version", "client_current", "powershell", "online", "endpoint_analytics",
            "bitlocker_policy", "management",
        ),
        "scope_tags": named("scope-tag"),
    },
}  # fmt: skip
"""Form -> field -> what becomes of it."""
