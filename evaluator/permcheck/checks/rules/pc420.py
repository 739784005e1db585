"""PC420: scope tags with which nobody sees a tenant-attached device."""

from __future__ import annotations

from collections.abc import Iterator

from permcheck.checks.cloud_view import CloudView, cloud_view
from permcheck.checks.context import Context
from permcheck.checks.finding import Finding, NotRun
from permcheck.checks.wording import counted, lacking
from permcheck.graph.node import Node
from permcheck.model.tables import IntuneAssignment, Key

SECTIONS = ("groups", "intune_assignments", "entra_roles")


def check(context: Context) -> Iterator[Finding | NotRun]:
    """Find assignments for tenant-attached devices whose members lack the tag of those devices."""
    view, wanted = cloud_view(context), set(context.data("permission"))
    tables = view.tables
    yield from lacking(context, *SECTIONS)
    if tables.doubtful(*SECTIONS) or not any(h.tenant_attached for h in tables.hierarchies.values()):
        return
    for key, one in tables.intune_assignments.items():
        if not one.tags or view.default_tag in one.tags:
            continue
        users = view.holders.get(("intune", key), ())
        blind = [user for user in users if view.is_active(user) and not _may_see(view, user)]
        given = view.given(Node("intune-role", one.role))
        if blind and given & wanted:
            message = (
                f"the role assignment `{one.name}` lacks the scope tag `{view.tag(view.default_tag)}`, so it shows no"
                f" tenant-attached device to {counted(len(blind), 'account')}: {view.names(blind)}"
            )
            yield context.finding(context.origin("intune_assignments", key), message, one.name)


def _may_see(view: CloudView, user: Key) -> bool:
    """Tell whether something else may show tenant-attached devices to a person."""
    rights = view.estate.grants.rights(user)
    assignments = [view.tables.intune_assignments[way.end.key] for way in rights.intune]
    return bool(rights.entra) or any(_shows(view, one) for one in assignments)


def _shows(view: CloudView, one: IntuneAssignment) -> bool:
    return one.tags is None or view.default_tag in one.tags or (not one.tags and view.tenant_mode != "merged")
