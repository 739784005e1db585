"""PC307: a role that acts on collections, assigned without one."""

from __future__ import annotations

from collections.abc import Iterator

from permcheck.checks.context import Context
from permcheck.checks.finding import Finding, NotRun
from permcheck.checks.security_view import security_view
from permcheck.checks.wording import lacking


def check(context: Context) -> Iterator[Finding | NotRun]:
    """Find rows without a collection whose role has operations on collections."""
    yield from lacking(context, "administrative_users")
    view = security_view(context)
    for row in view.tables.rows.values():
        idle = [
            one for one in view.gives(row.role) if context.policy.permissions[one].category == context.data("class")
        ]
        if idle and not view.covered(row):
            message = (
                f"`{view.role_name(row)}` of {view.who(row)} is assigned without a collection:"
                f" no effect of {view.operations(idle)}"
            )
            yield context.finding(context.origin("rows", row.key), message, view.subject(row))
