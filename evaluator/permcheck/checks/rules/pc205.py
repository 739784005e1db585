"""PC205: a scope of a role assignment that tenant-attached devices ignore."""

from __future__ import annotations

from collections.abc import Iterator

from permcheck.checks.context import Context
from permcheck.checks.finding import Finding, NotRun
from permcheck.checks.switches import INTUNE, switches
from permcheck.checks.wording import counted, lacking, listing
from permcheck.graph.node import Node


def check(context: Context) -> Iterator[Finding | NotRun]:
    """Find role assignments with scope groups whose roles reach devices of a hierarchy that Intune alone governs."""
    yield from lacking(context, "intune_assignments")
    view, attached = switches(context), set(context.data("permission_attached"))
    governed = [(key, form) for key, form in view.attached() if view.decides(key) == INTUNE and view.devices(key)]
    for key, assignment in view.tables.intune_assignments.items():
        if not assignment.scope_groups or attached.isdisjoint(view.cloud.given(Node("intune-role", assignment.role))):
            continue
        people = counted(len(view.cloud.holders.get(("intune", key), ())), "user")
        for hierarchy, form in governed:
            devices = counted(view.devices(hierarchy).bit_count(), "device")
            message = (
                f"role assignment `{assignment.name}` is scoped to {listing(assignment.scope_groups)},"
                f" but works for {people} on every device of `{form.id}` ({devices})"
            )
            place = context.origin("intune_assignments", key)
            yield context.finding(place, message, f"{form.id}/{assignment.name}")
