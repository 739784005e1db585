"""PC304: the All scope with a role that changes objects."""

from __future__ import annotations

from collections.abc import Iterator

from permcheck.checks.context import Context
from permcheck.checks.finding import Finding, NotRun
from permcheck.checks.security_view import security_view
from permcheck.checks.wording import lacking, listing


def check(context: Context) -> Iterator[Finding | NotRun]:
    """Find rows with the All scope whose role changes objects that scopes could divide."""
    yield from lacking(context, "administrative_users")
    view, policy = security_view(context), context.policy
    for row in view.tables.rows.values():
        if policy.all_scope not in row.scopes or view.holds(row, context.data("permission_full")):
            continue
        given = (policy.permissions[one] for one in view.gives(row.role))
        changing = {
            one.id for one in given if policy.classes[one.category].scoped and one.name not in context.data("looking")
        }
        if changing:
            message = (
                f"`{view.role_name(row)}` of {view.who(row)} has the scope `All`: {view.operations(changing)}"
                f" of {_classes(context, changing)} in every scope"
            )
            yield context.finding(context.origin("rows", row.key), message, view.subject(row))


def _classes(context: Context, permissions: set[str]) -> str:
    return listing({context.policy.permissions[one].category for one in permissions})
