"""PC303: an acting role on every device."""

from __future__ import annotations

from collections.abc import Iterator

from permcheck.checks.context import Context
from permcheck.checks.finding import Finding, NotRun
from permcheck.checks.security_view import security_view
from permcheck.checks.wording import counted, lacking


def check(context: Context) -> Iterator[Finding | NotRun]:
    """Find rows whose role acts on devices, and whose collections hold every device."""
    yield from lacking(context, "administrative_users")
    view, acting = security_view(context), set(context.data("permission_acting"))
    for row in view.tables.rows.values():
        operations, whole = view.gives(row.role) & acting, view.whole(row)
        if operations and whole and not view.holds(row, context.data("permission_full")):
            devices = counted(view.reached((row,)).bit_count(), "device")
            message = (
                f"{view.who(row)} may use {view.operations(operations)} on {view.on(whole)} ({devices})"
                f" through `{view.role_name(row)}`"
            )
            yield context.finding(context.origin("rows", row.key), message, view.subject(row))
