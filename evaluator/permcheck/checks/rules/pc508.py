"""PC508: a synced account with a directory role that gives everything in Intune."""

from __future__ import annotations

from collections.abc import Iterator

from permcheck.checks.cloud_view import cloud_view
from permcheck.checks.context import Context
from permcheck.checks.finding import Finding
from permcheck.graph.node import Node


def check(context: Context) -> Iterator[Finding]:
    """Find synced accounts among active and eligible holders."""
    view = cloud_view(context)
    for key, holders in view.tables.entra_roles.items():
        if not view.is_whole(Node("entra-role", holders.role)):
            continue
        name = view.policy.roles[holders.role].name
        active = set(view.holders.get(("entra", holders.role), ()))
        for user in sorted(active | set(holders.eligible.users)):
            record = view.tables.users[user]
            if record.synced is True and view.is_active(user):
                verb = "holds" if user in active else "may activate"
                message = f"`{record.upn}` is synced from Active Directory and {verb} `{name}`"
                yield context.finding(context.origin("entra_roles", key), message, f"{name}/{record.upn}")
