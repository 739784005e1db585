"""PC408: pages of cloud attached devices without the permission to see devices."""

from __future__ import annotations

from collections.abc import Iterator

from permcheck.checks.context import Context
from permcheck.checks.finding import Finding
from permcheck.checks.roles import roles_of


def check(context: Context) -> Iterator[Finding]:
    """Find roles with permissions of one category that lack the permission to read devices."""
    roles, policy = roles_of(context), context.policy
    read, pages = context.data("permission"), policy.permissions[context.data("permission_of_category")].category
    for role in roles.custom("intune"):
        held = [one for one in role.granted if one.id and policy.permissions[one.id].category == pages]
        if held and roles.lacks(role, read):
            count = len({one.id for one in held})
            many = f"{count} permissions" if count > 1 else "a permission"
            message = f"`{role.name}` has {many} of `{pages}` without `{policy.title(read)}`"
            yield context.finding(role.source.place(held[0].path), message, role.name)
