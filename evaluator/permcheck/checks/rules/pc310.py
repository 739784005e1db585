"""PC310: a limited author of applications."""

from __future__ import annotations

from collections.abc import Iterator

from permcheck.checks.context import Context
from permcheck.checks.finding import Finding, NotRun
from permcheck.checks.security_view import security_view
from permcheck.checks.wording import lacking


def check(context: Context) -> Iterator[Finding | NotRun]:
    """Find rows that make or change applications of some scopes only."""
    yield from lacking(context, "administrative_users")
    view = security_view(context)
    for row in view.tables.rows.values():
        held = view.gives(row.role) & set(context.data("permission_author"))
        if held and row.scopes and context.policy.all_scope not in row.scopes:
            message = (
                f"{view.who(row)} may use {view.operations(held)} on applications of {view.scopes(row.scopes)}, and let"
                " them depend on applications of other scopes"
            )
            yield context.finding(context.origin("rows", row.key), message, view.subject(row))
