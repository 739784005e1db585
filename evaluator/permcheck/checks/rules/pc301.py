"""PC301: more people than needed hold every permission."""

from __future__ import annotations

from collections.abc import Iterator

from permcheck.checks.context import Context
from permcheck.checks.finding import Finding, NotRun
from permcheck.checks.security_view import security_view
from permcheck.checks.wording import counted, lacking


def check(context: Context) -> Iterator[Finding | NotRun]:
    """Count the people who hold every permission, members of groups once each."""
    yield from lacking(context, "administrative_users")
    view, maximum = security_view(context), context.option("maximum")
    for hierarchy, form in view.tables.hierarchies.items():
        rows = [
            row
            for row in view.tables.rows.values()
            if row.hierarchy == hierarchy and view.holds(row, context.data("permission_full"))
        ]
        people = {user for row in rows for user in view.people(row)}
        others = {row.admin for row in rows} - view.matched
        if len(people) + len(others) > maximum:
            parts = [counted(len(people), "user")] if people else []
            parts += [f"{counted(len(others), 'administrative user')} that the estate does not know"] if others else []
            message = f"{' and '.join(parts)} hold every permission in hierarchy `{form.id}`; {maximum} are allowed"
            yield context.finding(context.origin("hierarchies", hierarchy), message, form.id)
