"""PC710: somebody who gets at BitLocker keys and controls devices."""

from __future__ import annotations

from collections.abc import Iterator

from permcheck.checks.cloud_pairs import halves
from permcheck.checks.cloud_view import cloud_view
from permcheck.checks.context import Context
from permcheck.checks.finding import Finding
from permcheck.checks.wording import counted


def check(context: Context) -> Iterator[Finding]:
    """Find people with both in one plane; on which devices is not worked out."""
    view = cloud_view(context)
    keys, control = set(context.data("permission_keys")), set(context.data("permission_control"))
    for (one, two), users in halves(view, keys, control).items():
        names = f"`{one}`" if one == two else f"`{one}` and `{two}`"
        who = f"{counted(len(users), 'account')} ({view.names(users)})"
        message = f"through {names}, {who} may get at BitLocker keys and control devices"
        yield context.finding(context.origin("users", users[0]), message, f"{one}+{two}")
