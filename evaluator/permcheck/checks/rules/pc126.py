"""PC126: a role that was copied from the one that may do everything."""

from __future__ import annotations

from collections.abc import Iterator

from permcheck.checks.context import Context
from permcheck.checks.finding import Finding
from permcheck.checks.roles import roles_of


def check(context: Context) -> Iterator[Finding]:
    """Find roles whose origin is a built-in role with every permission."""
    policy = context.policy
    for role in roles_of(context).custom("configmgr"):
        key = policy.role_names("configmgr").get(role.copied_from) if role.copied_from else None
        if key and any(grant.everything for grant in policy.roles[key].grants):
            name = policy.roles[key].name
            message = f"`{role.name}` was copied from `{name}`: what nobody took away, it still gives"
            yield context.finding(role.place, message, role.name)
