"""PC104: a permission that another one of the same role includes."""

from __future__ import annotations

from collections.abc import Iterator

from permcheck.checks.context import Context
from permcheck.checks.finding import Finding


def check(context: Context) -> Iterator[Finding]:
    """Find permissions that are given twice: by themselves, and by one that includes them."""
    policy = context.policy
    for role in context.definitions:
        for one in role.granted:
            wider = [other for other in policy.implied_by.get(one.id or "", ()) if other in role.permissions]
            if one.id and wider:
                message = f"`{role.name}` has `{policy.title(wider[0])}`, which includes `{policy.title(one.id)}`"
                yield context.finding(role.source.place(one.path), message, f"{role.name}/{one.id}")
