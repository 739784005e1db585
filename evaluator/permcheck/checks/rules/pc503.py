"""PC503: an app role for a group in a tenant where groups can't have one."""

from __future__ import annotations

from collections.abc import Iterator

from permcheck.checks.context import Context
from permcheck.checks.finding import Finding


def check(context: Context) -> Iterator[Finding]:
    """Find groups with an app role, where the tenant certainly lacks the licence."""
    tables = context.estate.tables
    if tables.tenant.entra_premium is not False:
        return
    for key, holders in tables.app_roles.items():
        for group in holders.active.groups:
            title, name = context.policy.title(holders.role), tables.groups[group].name
            message = f"`{title}` is assigned to the group `{name}`, which takes Microsoft Entra ID P1 or P2"
            yield context.finding(context.origin("app_roles", key), message, f"{title}/{name}")
