"""PC601: an account that is disabled or gone, and still has a role."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from permcheck.checks.cloud_view import cloud_view
from permcheck.checks.context import Context
from permcheck.checks.finding import Finding
from permcheck.checks.wording import listed

SID: Final = re.compile(r"^S-1-[0-9]+(-[0-9]+)+$", re.IGNORECASE)


def check(context: Context) -> Iterator[Finding]:
    """Find disabled accounts with a role, and administrative users of whom only a SID is left."""
    view = cloud_view(context)
    for user, held in view.holdings.items():
        record = view.tables.users[user]
        if record.enabled is False and held:
            what = listed(view.title(one) for one in held)
            message = f"`{record.upn}` is disabled, and still has {what}"
            yield context.finding(context.origin("users", user), message, record.upn)
    for admin in sorted({row.admin for row in view.tables.rows.values()}):
        name = view.tables.admins[admin].name
        if SID.match(name):
            message = f"the administrative user `{name}` has no name: its account is gone"
            yield context.finding(context.origin("administrative_users", admin), message, admin)
