"""PC322: a collection that its limit keeps empty."""

from __future__ import annotations

from collections.abc import Iterator

from permcheck.checks.context import Context
from permcheck.checks.finding import Finding, NotRun
from permcheck.checks.security_view import security_view
from permcheck.checks.wording import lacking


def check(context: Context) -> Iterator[Finding | NotRun]:
    """Find device collections that are limited to one that certainly has no member."""
    yield from lacking(context, "collections", "devices")
    view = security_view(context)
    tables, members = view.tables, view.devices.members
    open_ = {key.partition("/")[0] for key in tables.membership_open}
    if tables.doubtful("devices"):
        return
    for collection, parent in tables.limited_to.items():
        form = tables.collections[collection]
        known = parent is not None and form.kind == "device" and view.owner(collection) not in open_
        if known and parent is not None and not members.get(parent, 0):
            message = (
                f"`{form.name}` is limited to `{tables.collections[parent].name}`, which has no member, and stays empty"
            )
            yield context.finding(context.origin("collections", collection), message, form.id)
