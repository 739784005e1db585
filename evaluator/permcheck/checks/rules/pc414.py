"""PC414: a permission to do lasting things, held by many people."""

from __future__ import annotations

from collections.abc import Iterator

from permcheck.checks.cloud_view import cloud_view
from permcheck.checks.context import Context
from permcheck.checks.finding import Finding
from permcheck.checks.wording import counted


def check(context: Context) -> Iterator[Finding]:
    """Count who holds each of the permissions, in whatever way."""
    view, most = cloud_view(context), int(context.option("people"))
    place = context.origin("tenant", "")
    for permission in context.data("permission"):
        users = {
            user
            for user, held in view.holdings.items()
            if view.is_active(user) and any(permission in one.permissions for one in held)
        }
        if len(users) > most:
            title = context.policy.title(permission)
            message = f"{counted(len(users), 'account')} hold `{title}`, more than {most}"
            yield context.finding(place, message, permission)
