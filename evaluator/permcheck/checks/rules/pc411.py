"""PC411: a directory role that gives everything in Intune, held all the time."""

from __future__ import annotations

from collections.abc import Iterator

from permcheck.checks.cloud_view import CloudView, cloud_view
from permcheck.checks.context import Context
from permcheck.checks.finding import Finding
from permcheck.model.fold import fold_case
from permcheck.model.tables import Key


def check(context: Context) -> Iterator[Finding]:
    """Find standing holders of such roles, but for emergency accounts."""
    view = cloud_view(context)
    for holders, name, active in view.mighty():
        standing = {user for user in active if view.is_active(user)} - set(holders.eligible.users)
        spared = _emergency(context, view, holders.role, standing)
        for user in sorted(standing - spared):
            upn = view.tables.users[user].upn
            message = f"`{upn}` holds `{name}` all the time"
            yield context.finding(context.origin("entra_roles", holders.key), message, f"{name}/{upn}")


def _emergency(context: Context, view: CloudView, role: str, standing: set[Key]) -> set[Key]:
    """Return the emergency accounts: those that are named, or a few that hold nothing else."""
    named = {fold_case(name) for name in context.listed("emergency-accounts")}
    if named:
        return {user for user in standing if fold_case(view.tables.users[user].upn) in named}
    if role != context.data("role_emergency"):
        return set()
    alone = {u for u in standing if view.tables.users[u].synced is not True and len(view.holdings[u]) == 1}
    return alone if len(alone) <= int(context.option("unnamed-emergency-accounts")) else set()
