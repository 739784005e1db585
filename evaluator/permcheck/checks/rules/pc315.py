"""PC315: a person as administrative user."""

from __future__ import annotations

from collections.abc import Iterator

from permcheck.checks.context import Context
from permcheck.checks.finding import Finding, NotRun
from permcheck.checks.security_view import security_view
from permcheck.checks.wording import lacking


def check(context: Context) -> Iterator[Finding | NotRun]:
    """Find administrative users who are one account of the estate."""
    yield from lacking(context, "administrative_users", "users")
    view = security_view(context)
    for user, record in view.tables.users.items():
        for key in view.own(user):
            name = view.tables.admins[key].name
            message = f"administrative user `{name}` is one person, `{record.upn}`, and no group"
            subject = f"{view.label(view.owner(key))}/{name}"
            yield context.finding(context.origin("administrative_users", key), message, subject)
