"""PC501: an app role that does not reach the members of inner groups."""

from __future__ import annotations

from collections.abc import Iterator

from permcheck.checks.cloud_view import CloudView, cloud_view
from permcheck.checks.context import Context
from permcheck.checks.finding import Finding, NotRun
from permcheck.checks.wording import counted, lacking
from permcheck.model.state import UNMET
from permcheck.model.tables import Key


def check(context: Context) -> Iterator[Finding | NotRun]:
    """Find groups with an app role and with people who are in them through other groups alone."""
    view = cloud_view(context)
    yield from lacking(context, "app_roles")
    if view.tables.doubtful("app_roles"):
        return
    for key, holders in view.tables.app_roles.items():
        title = context.policy.title(holders.role)
        for group in holders.active.groups:
            lost = [user for user in view.everybody(group).users if _is_lost(view, user, holders.role)]
            if lost:
                name = view.tables.groups[group].name
                message = (
                    f"`{title}` is assigned to `{name}`, but does not reach {counted(len(lost), 'account')} in groups"
                    f" inside it: {view.names(lost)}"
                )
                yield context.finding(context.origin("app_roles", key), message, f"{title}/{name}")


def _is_lost(view: CloudView, user: Key, role: str) -> bool:
    ways = [way for way in view.estate.grants.rights(user).app if way.end.key == role]
    nested = any(way.fault == "nested" for way in ways)
    return nested and all(way.state is UNMET for way in ways) and view.is_active(user)
