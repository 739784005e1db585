"""PC208: more people than needed may flip a switch."""

from __future__ import annotations

from collections.abc import Iterator

from permcheck.checks.context import Context
from permcheck.checks.finding import Finding, NotRun
from permcheck.checks.switches import switches
from permcheck.checks.wording import counted, lacking, listing


def check(context: Context) -> Iterator[Finding | NotRun]:
    """Count the people who certainly may flip the toggle, or the checkbox of a hierarchy."""
    yield from lacking(context, "intune_assignments", "entra_roles")
    view, maximum = switches(context), context.option("maximum")
    people = view.holders(set(context.data("permission_toggle")))
    if len(people) > maximum:
        names = listing(view.tables.users[user].upn for user in people)
        name = context.policy.authority.toggle.name
        message = (
            f"{counted(len(people), 'user')} may flip `{name}` for every hierarchy; {maximum} are allowed: {names}"
        )
        yield context.finding(context.origin("tenant", "", "use_intune_rbac"), message, "tenant")
    full = context.data("permission_full")
    for hierarchy, form in view.attached():
        rows = [
            row for row in view.tables.rows.values() if row.hierarchy == hierarchy and view.security.holds(row, full)
        ]
        holders = {user for row in rows for user in view.security.people(row)}
        if len(holders) > maximum and not view.is_old(hierarchy):
            names = listing(view.tables.users[user].upn for user in holders)
            message = (
                f"{counted(len(holders), 'user')} may flip the checkbox of hierarchy `{form.id}`;"
                f" {maximum} are allowed: {names}"
            )
            yield context.finding(context.origin("hierarchies", hierarchy), message, form.id)
