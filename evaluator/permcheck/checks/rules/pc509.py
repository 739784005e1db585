"""PC509: an account that user discovery has not found."""

from __future__ import annotations

from collections.abc import Iterator

from permcheck.checks.cloud_view import CloudView, cloud_view
from permcheck.checks.context import Context
from permcheck.checks.finding import Finding
from permcheck.checks.wording import counted
from permcheck.model.tables import Key


def check(context: Context) -> Iterator[Finding]:
    """Find people with security roles whom the needed methods certainly have not found."""
    view = cloud_view(context)
    found: dict[tuple[Key, str], list[Key]] = {}
    for user in view.tables.users:
        if view.is_active(user):
            for hierarchy, held in view.security(user).items():
                reads = any(context.data("permission") in one.permissions for one in held)
                lack = _lack(context, view, user, hierarchy) if reads and view.asks_configmgr(hierarchy) else ""
                if lack:
                    found.setdefault((hierarchy, lack), []).append(user)
    for (hierarchy, lack), users in found.items():
        message = (
            f"{counted(len(users), 'account')} with security roles in hierarchy `{hierarchy.upper()}` {lack}:"
            f" {view.names(users)}"
        )
        subject = f"{hierarchy}/{'one' if 'one' in lack.split() else 'none'}"
        yield context.finding(context.origin("hierarchies", hierarchy), message, subject)


def _lack(context: Context, view: CloudView, user: Key, hierarchy: Key) -> str:
    """Say which discovery is missing; nothing where that is not certain."""
    record, version = view.tables.users[user], view.tables.hierarchies[hierarchy].version
    if record.discovered_by is None or record.discovery_incomplete or version is None or record.synced is False:
        return ""
    both = version < context.data("both_below") or view.readings[context.data("reading")] == context.data("alternative")
    by = set(record.discovered_by)
    if not by:
        return "found by no user discovery"
    return f"found by one user discovery, `{min(by)}`, where both are needed" if both and len(by) == 1 else ""
