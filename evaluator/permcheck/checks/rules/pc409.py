"""PC409: application actions without the permission for device actions."""

from __future__ import annotations

from collections.abc import Iterator

from permcheck.checks.context import Context
from permcheck.checks.finding import Finding
from permcheck.checks.roles import roles_of


def check(context: Context) -> Iterator[Finding]:
    """Find roles that act on applications, but can't ask a device to look for what they changed."""
    roles, policy = roles_of(context), context.policy
    act, companion = context.data("permission"), context.data("permission_companion")
    for role in roles.custom("intune"):
        if act in role.permissions and roles.lacks(role, companion):
            message = f"`{role.name}` has `{policy.title(act)}` without `{policy.title(companion)}`"
            yield context.finding(role.place_of(act), message, role.name)
