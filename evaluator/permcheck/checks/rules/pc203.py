"""PC203: people of the cloud alone whose roles end at a hierarchy that enforces."""

from __future__ import annotations

from collections.abc import Iterator

from permcheck.checks.context import Context
from permcheck.checks.finding import Finding, NotRun
from permcheck.checks.switches import switches, without_toggle
from permcheck.checks.wording import counted, lacking, listing


def check(context: Context) -> Iterator[Finding | NotRun]:
    """Find cloud-only users with an Intune role for tenant-attached devices that a hierarchy keeps out."""
    yield from without_toggle(context)
    yield from lacking(context, "users", "intune_assignments")
    view = switches(context)
    holders = view.holders(set(context.data("permission_attached")), ("intune",)) if view.toggle is True else ()
    names = [record.upn for record in (view.tables.users[user] for user in holders) if record.synced is False]
    for hierarchy, form in view.attached():
        devices = view.devices(hierarchy).bit_count()
        decides = view.decides(hierarchy)
        if names and devices and decides and "intune" not in decides:
            message = (
                f"hierarchy `{form.id}` enforces Configuration Manager RBAC: the Intune roles of"
                f" {counted(len(names), 'cloud-only user')} end in an error on its {counted(devices, 'device')},"
                f" {listing(names)}"
            )
            yield context.finding(context.origin("hierarchies", hierarchy), message, form.id)
