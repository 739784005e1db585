"""What becomes of each field of an estate.

Every field of every form is named here: one that is not is a fault, never an unnoticed leak.
"""

from __future__ import annotations

from typing import Final

from permcheck.anonymise.fields import (
    Field,
    app_roles,
    devices,
    dropped,
    intune_permissions,
    named,
    number,
    operations,
    records,
    stays,
    updates,
)
from permcheck.model.estate import SECTIONS


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
        "collected": records("collected"),
        "usage": records("usage"),
        "tenant": records("tenant"),
        **{section: records(section) for section in SECTIONS},
        "app_roles": app_roles,
    },
    "collected": {"source": named("source"), "at": stays},
    "usage": {
        "source": named("source"),
        **IN_HIERARCHY,
        "used": records("used"),
        **_all("since", "until", "actions"),
    },
    "used": {"user": ACCOUNT, **_all("action", "at")},
    "tenant": {
        "name": named("tenant"),
        "geography": named("geography"),
        **_all(
            "cloud", "multi_geo", "use_intune_rbac", "use_intune_rbac_changed", "unlicensed_admins",
            "scoped_permissions", "entra_premium", "multi_admin_approval",
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
            "provider_access", "last_sign_in",
        ),
    },
    "groups": {
        **dict.fromkeys(("name", "id", "sid", "account"), named("account", "group")),
        **dict.fromkeys(("members", "all_members", "eligible"), ACCOUNT),
        **_all("type", "dynamic", "members_incomplete", "role_assignable", "restricted_unit"),
    },
    "entra_roles": {
        "role": named("directory-role"),
        **dict.fromkeys(("members", "eligible", "unit_members"), ACCOUNT),
    },
    "app_roles": {"application": named("application"), "role": named("app-role"), "assigned_to": ACCOUNT},
    "known_app_roles": APP_ROLE,
    "intune_roles": {
        "name": named("intune-role", "role"),
        "id": named("intune-role", "role"),
        "description": dropped,
        "permissions": intune_permissions,
        **dict.fromkeys(("undecided", "not_allowed"), intune_permissions),
        "scope_tags": named("scope-tag"),
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
    "scope_tags": {"id": named("scope-tag"), "name": named("scope-tag")},
    "security_scopes": {**IN_HIERARCHY, "id": SCOPES, "name": SCOPES},
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
