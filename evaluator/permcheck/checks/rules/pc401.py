"""PC401: a custom Intune role that is assigned to nobody."""

from __future__ import annotations

from collections.abc import Iterator

from permcheck.checks.context import Context
from permcheck.checks.finding import Finding, NotRun
from permcheck.checks.wording import lacking


def check(context: Context) -> Iterator[Finding | NotRun]:
    """Find custom roles that no assignment names."""
    tables = context.estate.tables
    yield from lacking(context, "intune_assignments")
    if tables.doubtful("intune_assignments"):
        return
    assigned = {one.role for one in tables.intune_assignments.values() if not one.built_in}
    for key, role in tables.intune_roles.items():
        if key not in assigned:
            message = f"the custom role `{role.name}` is not assigned to any group"
            yield context.finding(context.origin("intune_roles", key), message, role.name)
