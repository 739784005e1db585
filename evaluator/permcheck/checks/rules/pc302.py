"""PC302: more administrative users without any limit than needed."""

from __future__ import annotations

from collections.abc import Iterator

from permcheck.checks.context import Context
from permcheck.checks.finding import Finding, NotRun
from permcheck.checks.security_view import security_view
from permcheck.checks.wording import lacking


def check(context: Context) -> Iterator[Finding | NotRun]:
    """Find administrative users with every permission, scope and collection, if they are many."""
    yield from lacking(context, "administrative_users")
    view, full = security_view(context), context.data("permission_full")
    roots = {one.id for one in view.policy.builtins if one.kind == "collection"}
    for hierarchy in view.tables.hierarchies:
        known = {form.id.upper() for key, form in view.tables.collections.items() if key.startswith(f"{hierarchy}/")}
        limits, rows = roots & known, {}
        for row in view.tables.rows.values():
            covered = {view.tables.collections[key].id.upper() for key in row.collections}
            unlimited = view.policy.all_scope in row.scopes and bool(limits) and covered >= limits
            if row.hierarchy == hierarchy and unlimited and view.holds(row, full):
                rows[row.admin] = row
        for row in rows.values() if len(rows) > context.option("maximum") else ():
            message = (
                f"{view.who(row)} has every permission on everything, one of {len(rows)} in `{view.label(hierarchy)}`"
            )
            yield context.finding(context.origin("rows", row.key), message, view.subject(row))
