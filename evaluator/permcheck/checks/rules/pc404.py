"""PC404: an Intune role assignment without a scope tag."""

from __future__ import annotations

from collections.abc import Iterator

from permcheck.checks.cloud_view import cloud_view
from permcheck.checks.context import Context
from permcheck.checks.finding import Finding
from permcheck.checks.wording import counted


def check(context: Context) -> Iterator[Finding]:
    """Find assignments that see everything, because no tag limits them."""
    view = cloud_view(context)
    for key, one in view.tables.intune_assignments.items():
        if one.tags == ():
            people = counted(len(view.holders.get(("intune", key), ())), "account")
            message = f"the role assignment `{one.name}` has no scope tag, so none limits what {people} can see"
            yield context.finding(context.origin("intune_assignments", key), message, one.name)
