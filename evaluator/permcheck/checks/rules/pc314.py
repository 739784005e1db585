"""PC314: a role without a holder, or a holder without a role."""

from __future__ import annotations

from collections.abc import Iterator

from permcheck.checks.context import Context
from permcheck.checks.finding import Finding, NotRun
from permcheck.checks.security_view import security_view
from permcheck.checks.wording import lacking


def check(context: Context) -> Iterator[Finding | NotRun]:
    """Find custom roles that nobody is assigned, and administrative users without any role."""
    yield from lacking(context, "administrative_users")
    view = security_view(context)
    tables = view.tables
    assigned = {row.role for row in tables.rows.values()}
    holders = {row.admin for row in tables.rows.values()}
    certain = all(tables.admin_known.values()) and not tables.doubtful("administrative_users")
    for key, role in tables.security_roles.items():
        if certain and role.built_in is None and key not in assigned:
            message = f"nobody of `{view.label(role.hierarchy)}` is assigned `{role.name}`"
            subject = f"{view.label(role.hierarchy)}/{role.name}"
            yield context.finding(context.origin("security_roles", key), message, subject)
    for key, admin in tables.admins.items():
        if tables.admin_known[key] and key not in holders:
            message = f"administrative user `{admin.name}` has no role"
            subject = f"{view.label(view.owner(key))}/{admin.name}"
            yield context.finding(context.origin("administrative_users", key), message, subject)
