"""Count the people who hold a role, or operations, that should be kept for few."""

from __future__ import annotations

from collections.abc import Iterator

from permcheck.checks.context import Context
from permcheck.checks.finding import Finding, NotRun
from permcheck.checks.security_view import security_view
from permcheck.checks.wording import counted, lacking, listing


def too_many(context: Context) -> Iterator[Finding | NotRun]:
    """Report hierarchies in which too many hold what the check watches; full administrators don't count."""
    yield from lacking(context, "administrative_users", "users")
    view, maximum = security_view(context), context.option("maximum")
    watched, roles = set(context.data("permission_watched")), context.data("role_watched")
    for hierarchy, form in view.tables.hierarchies.items():
        rows = [
            row
            for row in view.tables.rows.values()
            if row.hierarchy == hierarchy
            and (view.tables.security_roles[row.role].built_in in roles or view.holds(row, watched))
            and not view.holds(row, context.data("permission_full"))
        ]
        people = {view.tables.users[user].upn for row in rows for user in view.people(row)}
        if len(people) > maximum:
            message = (
                f"{counted(len(people), 'user')} of hierarchy `{form.id}` may make {context.data('what')};"
                f" {maximum} are allowed: {listing(people)}"
            )
            yield context.finding(context.origin("hierarchies", hierarchy), message, form.id)
