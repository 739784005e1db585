"""PC415: administrators without a licence to whom a role does not reach."""

from __future__ import annotations

from collections.abc import Iterator

from permcheck.checks.cloud_view import cloud_view
from permcheck.checks.context import Context
from permcheck.checks.finding import Finding
from permcheck.checks.wording import counted


def check(context: Context) -> Iterator[Finding]:
    """Find member groups with too many unlicensed members, or with unlicensed members of inner groups."""
    view, most = cloud_view(context), int(context.option("most"))
    tables = view.tables
    if tables.tenant.unlicensed_admins is not True:
        return
    for group in sorted({group for one in tables.intune_assignments.values() for group in one.members}):
        unlicensed = {u for u in view.everybody(group).users if tables.users[u].licensed is False and view.is_active(u)}
        direct = unlicensed & set(tables.members[group].users)
        told = tables.indirect.get(group)
        nested = unlicensed - direct - set(told.users if told is not None else ())
        name, place = tables.groups[group].name, context.origin("groups", group)
        if len(direct) > most:
            message = f"the group `{name}` has {counted(len(direct), 'unlicensed member')}, and {most} count"
            yield context.finding(place, message, f"{name}/many")
        if nested:
            who = counted(len(nested), "unlicensed account")
            message = f"the group `{name}` has {who} only through groups in it: {view.names(nested)}"
            yield context.finding(place, message, f"{name}/nested")
