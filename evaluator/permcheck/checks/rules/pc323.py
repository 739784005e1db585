"""PC323: an administrative user whose account is gone."""

from __future__ import annotations

import re
from collections.abc import Iterator

from permcheck.checks.context import Context
from permcheck.checks.finding import Finding, NotRun
from permcheck.checks.security_view import security_view
from permcheck.checks.wording import lacking

SID = re.compile(r"S-1-[0-9]+(-[0-9]+)+", re.IGNORECASE)


def check(context: Context) -> Iterator[Finding | NotRun]:
    """Find administrative users that have a SID for a name, and no account of the estate has it."""
    yield from lacking(context, "administrative_users")
    view = security_view(context)
    for key, admin in view.tables.admins.items():
        bare = admin.name.rpartition("\\")[2]
        if SID.fullmatch(bare) and key not in view.matched:
            roles = sorted({view.role_name(row) for row in view.tables.rows.values() if row.admin == key})
            held = f" with {', '.join(f'`{role}`' for role in roles)}" if roles else ""
            message = f"administrative user `{admin.name}`{held} has no name, and no account of the estate has this SID"
            subject = f"{view.label(view.owner(key))}/{admin.name}"
            yield context.finding(context.origin("administrative_users", key), message, subject)
