"""PC707: one account that may do everything in both planes."""

from __future__ import annotations

from collections.abc import Iterator

from permcheck.checks.cloud_view import cloud_view
from permcheck.checks.context import Context
from permcheck.checks.finding import Finding


def check(context: Context) -> Iterator[Finding]:
    """Find accounts with a role over everything on both sides."""
    view = cloud_view(context)
    for user, held in view.holdings.items():
        whole = {one.plane: view.title(one) for one in held if one.whole}
        if {"configmgr", "entra"} <= whole.keys() and view.is_active(user):
            upn = view.tables.users[user].upn
            message = f"`{upn}` is `{whole['configmgr']}` in Configuration Manager and `{whole['entra']}` in the tenant"
            yield context.finding(context.origin("users", user), message, upn)
