"""PC316: a member that the limiting collection does not contain."""

from __future__ import annotations

from collections.abc import Iterator

from permcheck.checks.context import Context
from permcheck.checks.finding import Finding, NotRun
from permcheck.checks.security_view import security_view
from permcheck.checks.wording import counted, lacking, listing


def check(context: Context) -> Iterator[Finding | NotRun]:
    """Find device collections with members that their limiting collection lacks."""
    yield from lacking(context, "collections", "devices")
    view = security_view(context)
    members, forms = view.devices.members, view.tables.collections
    open_ = view.devices.these(view.tables.membership_open)
    for collection, parent in view.tables.limited_to.items():
        if parent is None or forms[collection].kind != "device":
            continue
        stray = members.get(collection, 0) & ~(members.get(parent, 0) | open_)
        if stray:
            names = listing(view.devices.names(stray))
            message = (
                f"`{forms[collection].name}` has {counted(stray.bit_count(), 'device')} that `{forms[parent].name}`,"
                f" to which it is limited, lacks: {names}"
            )
            yield context.finding(context.origin("collections", collection), message, forms[collection].id)
