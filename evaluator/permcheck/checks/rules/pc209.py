"""PC209: nobody can offboard a hierarchy."""

from __future__ import annotations

from collections.abc import Iterator

from permcheck.checks.context import Context
from permcheck.checks.finding import Finding, NotRun
from permcheck.checks.switches import switches
from permcheck.checks.wording import lacking, listing


def check(context: Context) -> Iterator[Finding | NotRun]:
    """Find a tenant in which nobody holds, or may hold, what offboarding takes."""
    yield from lacking(context, "users", "groups", "intune_assignments", "entra_roles")
    view = switches(context)
    attached = [form.id for _, form in view.attached()]
    if attached and not view.possible(set(context.data("permission_offboard"))):
        message = f"nobody can offboard a hierarchy in the admin center: {listing(attached)}"
        yield context.finding(context.origin("tenant", ""), message, "tenant")
