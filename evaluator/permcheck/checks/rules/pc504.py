"""PC504: an app role for which nothing asks any more."""

from __future__ import annotations

from collections.abc import Iterator

from permcheck.checks.cloud_view import cloud_view
from permcheck.checks.context import Context
from permcheck.checks.finding import Finding, NotRun
from permcheck.checks.wording import counted, lacking


def check(context: Context) -> Iterator[Finding | NotRun]:
    """Find holders of the app role, where no hierarchy is judged by a page that asks for it."""
    view = cloud_view(context)
    tables = view.tables
    yield from lacking(context, "hierarchies")
    until = context.data("before_edition")
    if (
        tables.doubtful("hierarchies")
        or not tables.hierarchies
        or any(edition < until for h in tables.hierarchies for edition in view.editions(h))
    ):
        return
    for key, holders in tables.app_roles.items():
        many = len(holders.active.users) + len(holders.active.groups)
        if holders.role == context.data("permission") and many:
            title = context.policy.title(holders.role)
            who = counted(many, "user or group", "users and groups")
            message = f"`{title}` is still assigned to {who}, and no hierarchy is of a release that asks for it"
            yield context.finding(context.origin("app_roles", key), message, title)
