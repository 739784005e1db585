"""PC308: editing rights on a collection that withholds them."""

from __future__ import annotations

from collections.abc import Iterator

from permcheck.checks.context import Context
from permcheck.checks.finding import Finding, NotRun
from permcheck.checks.security_view import security_view
from permcheck.checks.wording import lacking


def check(context: Context) -> Iterator[Finding | NotRun]:
    """Find rows whose role may edit collections, on a collection to which none is limited."""
    yield from lacking(context, "administrative_users", "collections")
    view = security_view(context)
    restores = context.policy.enabled("assigned-and-limited-restores", view.readings)
    for row in () if restores or view.tables.doubtful("collections") else view.tables.rows.values():
        withheld = [one for one in view.gives(row.role) if context.policy.permissions[one].withheld_on_assigned]
        alone = [key for key in view.covered(row) if not view.devices.limited.get(key)]
        full = view.holds(row, context.data("permission_full"))
        if withheld and alone and len(alone) == len(view.covered(row)) and not full:
            message = (
                f"{view.operations(withheld)} of `{view.role_name(row)}` does nothing for {view.who(row)}:"
                f" no collection is limited to {view.on(alone)}"
            )
            yield context.finding(context.origin("rows", row.key), message, view.subject(row))
