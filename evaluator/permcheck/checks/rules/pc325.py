"""PC325: an administrative user whose name belongs to another account now."""

from __future__ import annotations

from collections.abc import Iterator

from permcheck.checks.context import Context
from permcheck.checks.finding import Finding, NotRun
from permcheck.checks.security_view import security_view
from permcheck.checks.wording import lacking


def check(context: Context) -> Iterator[Finding | NotRun]:
    """Find administrative users that have the name of a user or group, and the SID of another one."""
    yield from lacking(context, "administrative_users")
    view = security_view(context)
    for grant in view.called_alike:
        admin = view.tables.admins[grant.end.key]
        record = (view.tables.users if grant.start.kind == "user" else view.tables.groups)[grant.start.key]
        message = f"administrative user `{admin.name}` has the SID {admin.sid}, and the {grant.start.kind} of that name"
        message += f" has {record.sid}: it is another one"
        subject = f"{view.label(view.owner(grant.end.key))}/{admin.name}"
        yield context.finding(context.origin("administrative_users", grant.end.key), message, subject)
