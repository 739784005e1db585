"""PC319: an assigned role of which nothing is known."""

from __future__ import annotations

from collections.abc import Iterator

from permcheck.checks.context import Context
from permcheck.checks.finding import Finding, NotRun
from permcheck.checks.security_view import security_view
from permcheck.checks.wording import counted, lacking
from permcheck.graph.node import Node


def check(context: Context) -> Iterator[Finding | NotRun]:
    """Find assigned roles of which neither the estate nor a document tells any permission."""
    yield from lacking(context, "administrative_users")
    view = security_view(context)
    for key, admins in view.assigned.items():
        role = view.tables.security_roles[key]
        if not view.told(key) and not view.estate.grants.gives(Node("security-role", key)):
            message = (
                f"no permission of `{role.name}` is known, which is assigned to"
                f" {counted(len(admins), 'administrative user')} of `{view.label(role.hierarchy)}`"
            )
            place = context.origin("security_roles", key)
            row = next(one for one in view.tables.rows.values() if one.role == key)
            place = place if place.line else context.origin("rows", row.key)
            yield context.finding(place, message, f"{view.label(role.hierarchy)}/{role.name}")
