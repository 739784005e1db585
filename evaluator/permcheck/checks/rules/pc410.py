"""PC410: security roles over tenant-attached devices without any Intune role."""

from __future__ import annotations

from collections.abc import Iterator

from permcheck.checks.cloud_view import cloud_view
from permcheck.checks.context import Context
from permcheck.checks.finding import Finding, NotRun
from permcheck.checks.wording import counted, lacking
from permcheck.model.tables import Key, hierarchy_of


def check(context: Context) -> Iterator[Finding | NotRun]:
    """Find administrative users whose people have no Intune role where one is needed."""
    view = cloud_view(context)
    yield from lacking(context, "groups", "intune_assignments", "entra_roles")
    since = context.data("from_edition")
    found: dict[Key, tuple[set[Key], set[Key]]] = {}
    for (plane, end), users in view.holders.items():
        row = view.tables.rows.get(end) if plane == "configmgr" else None
        if row is None or not row.collections or not view.asks_configmgr(row.hierarchy):
            continue
        asks = all(edition >= since for edition in view.editions(row.hierarchy))
        if not asks or context.data("permission") not in view.of_row(row):
            continue
        every, without = found.setdefault(row.admin, (set(), set()))
        every |= {user for user in users if view.is_active(user)}
        without |= {user for user in every if view.lacks_intune_role(user)}
    for admin, (every, without) in found.items():
        if without:
            name = view.tables.admins[admin].name
            who = f"{len(without)} of {counted(len(every), 'account')} behind `{name}`"
            where = f"hierarchy `{hierarchy_of(admin).upper()}`"
            message = f"no Intune role is held by {who} in {where}: {view.names(without)}"
            yield context.finding(context.origin("administrative_users", admin), message, admin)
