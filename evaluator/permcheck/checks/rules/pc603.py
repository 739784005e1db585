"""PC603: a guest with a permission to act."""

from __future__ import annotations

from collections.abc import Iterator

from permcheck.checks.cloud_view import cloud_view
from permcheck.checks.context import Context
from permcheck.checks.finding import Finding
from permcheck.checks.wording import listed


def check(context: Context) -> Iterator[Finding]:
    """Find guests whose roles give more than a view."""
    view, policy = cloud_view(context), context.policy
    for user, held in view.holdings.items():
        upn = view.tables.users[user].upn
        if not policy.is_guest(upn) or not view.is_active(user):
            continue
        given = {p: one for one in held for p in sorted(one.permissions) if p in policy.permissions}
        acts = [permission for permission in given if policy.permissions[permission].effect in {"act", "administer"}]
        if acts:
            message = f"the guest `{upn}` holds {listed(policy.title(permission) for permission in acts)}"
            yield context.finding(context.origin("users", user), message, upn)
