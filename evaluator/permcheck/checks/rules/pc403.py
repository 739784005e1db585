"""PC403: an Intune role assignment that nobody can use."""

from __future__ import annotations

from collections.abc import Iterator

from permcheck.checks.cloud_view import CloudView, cloud_view
from permcheck.checks.context import Context
from permcheck.checks.finding import Finding
from permcheck.checks.wording import counted
from permcheck.model.tables import IntuneAssignment


def check(context: Context) -> Iterator[Finding]:
    """Find assignments without members, or with disabled accounts alone."""
    view = cloud_view(context)
    for key, one in view.tables.intune_assignments.items():
        why = _why(view, one, eligible_counts=not context.option("eligible-only"))
        if why:
            message = f"the role assignment `{one.name}` {why}"
            yield context.finding(context.origin("intune_assignments", key), message, one.name)


def _why(view: CloudView, one: IntuneAssignment, *, eligible_counts: bool) -> str:
    inside = [view.everybody(group) for group in one.members]
    if not one.members_known or not all(group.complete for group in inside):
        return ""
    users = {user for group in inside for user in group.users}
    eligible = any(group.eligible for group in inside)
    if eligible and eligible_counts:
        return ""
    if not one.members:
        return "has no member group"
    if not users:
        groups = f"{counted(len(one.members), 'member group')} without members"
        return f"has {groups}, but for people who could activate one" if eligible else f"has {groups}"
    if all(view.tables.users[user].enabled is False for user in users):
        return f"reaches {counted(len(users), 'account')}, all disabled: {view.names(users)}"
    return ""
