"""PC129: a permission that the policy classifies, but asks for nowhere."""

from __future__ import annotations

from collections.abc import Iterator

from permcheck.checks.context import Context
from permcheck.checks.finding import Finding
from permcheck.checks.policy_view import PLACE, asked


def check(context: Context) -> Iterator[Finding]:
    """Find permissions with an effect that no action needs. Without an effect, one is only known by its name.

    Those that administer are no leftovers: no fix gives them away for anything else.
    """
    wanted = asked(context.policy) | set(context.data("permissions_known"))
    for key, permission in context.policy.permissions.items():
        if permission.effect in {"view", "act"} and key not in wanted:
            message = f"permission `{key}` is said to {permission.effect}, but no action asks for it"
            yield context.finding(PLACE, message, key)
