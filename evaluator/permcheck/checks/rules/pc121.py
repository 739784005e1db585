"""PC121: a custom role that has the name of a built-in one."""

from __future__ import annotations

from collections.abc import Iterator

from permcheck.checks.context import Context
from permcheck.checks.finding import Finding
from permcheck.checks.roles import roles_of


def check(context: Context) -> Iterator[Finding]:
    """Find custom roles that are called as a built-in role of the same plane is."""
    roles = roles_of(context)
    for role in roles.custom():
        taken = context.policy.role_names(role.plane).get(role.name)
        if taken is not None:
            message = f"`{role.name}` is the name of a built-in role, but this is another one"
            yield context.finding(role.place, message, role.name)
