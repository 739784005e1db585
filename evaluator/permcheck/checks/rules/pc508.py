"""PC508: a synced account with a directory role that gives everything in Intune."""

from __future__ import annotations

from collections.abc import Iterator

from permcheck.checks.cloud_view import cloud_view
from permcheck.checks.context import Context
from permcheck.checks.finding import Finding


def check(context: Context) -> Iterator[Finding]:
    """Find synced accounts among active and eligible holders."""
    view = cloud_view(context)
    for holders, name, active in view.mighty():
        for user in sorted(active | set(holders.eligible.users)):
            record = view.tables.users[user]
            if record.synced is True and view.is_active(user):
                verb = "holds" if user in active else "may activate"
                message = f"`{record.upn}` is synced from Active Directory and {verb} `{name}`"
                yield context.finding(context.origin("entra_roles", holders.key), message, f"{name}/{record.upn}")
