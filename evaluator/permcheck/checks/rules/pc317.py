"""PC317: acting rights that their holder can widen."""

from __future__ import annotations

from collections.abc import Iterator

from permcheck.checks.context import Context
from permcheck.checks.finding import Finding, NotRun
from permcheck.checks.security_view import security_view
from permcheck.checks.wording import counted, lacking


def check(context: Context) -> Iterator[Finding | NotRun]:
    """Find people who act on a collection whose rules they may edit, below one on which they don't act."""
    yield from lacking(context, "administrative_users", "collections")
    view, acting = security_view(context), set(context.data("permission_acting"))
    found = {}
    for rows in view.together():
        editing = [row for row in rows if view.holds(row, context.data("permission_edit"))]
        acts = [
            row
            for row in rows
            if view.gives(row.role) & acting and not view.holds(row, context.data("permission_edit"))
        ]
        for one in acts:
            reach = view.reached(row for row in rows if view.gives(row.role) & acting)
            for other in editing:
                below = {key for top in other.collections for key in view.devices.below(top) if key != top}
                shared = below & set(one.collections)
                wider = view.reached((other,)) & ~reach
                if shared and wider:
                    found[one.key, other.key] = (one, other, shared, wider.bit_count())
    for one, other, shared, wider in found.values():
        message = (
            f"{view.who(one)} may edit the rules of {view.on(shared)} through `{view.role_name(other)}`, and so use"
            f" {view.operations(view.gives(one.role) & acting)} on up to {counted(wider, 'device')} more"
        )
        yield context.finding(context.origin("rows", one.key), message, f"{view.subject(one)}/{view.role_name(other)}")
