"""PC321: an assigned collection without a member."""

from __future__ import annotations

from collections.abc import Iterator

from permcheck.checks.context import Context
from permcheck.checks.finding import Finding, NotRun
from permcheck.checks.security_view import security_view
from permcheck.checks.wording import lacking


def check(context: Context) -> Iterator[Finding | NotRun]:
    """Find rows on device collections of which all certainly have no member."""
    yield from lacking(context, "administrative_users", "collections", "devices")
    view = security_view(context)
    tables = view.tables
    open_ = {key.partition("/")[0] for key in tables.membership_open}
    if tables.doubtful("devices", "collections"):
        return
    for row in tables.rows.values():
        covered = [key for key in view.covered(row) if tables.collections[key].kind == "device"]
        for collection in covered if row.hierarchy not in open_ else ():
            if not view.devices.reach(collection):
                where = tables.collections[collection].name
                message = f"`{view.role_name(row)}` of {view.who(row)} is assigned on `{where}`, which has no member"
                subject = f"{view.subject(row)}/{tables.collections[collection].id}"
                yield context.finding(context.origin("rows", row.key), message, subject)
