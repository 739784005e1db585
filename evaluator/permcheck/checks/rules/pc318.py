"""PC318: roles and collections whose pairs are not known."""

from __future__ import annotations

from collections.abc import Iterator

from permcheck.checks.context import Context
from permcheck.checks.finding import Finding, NotRun
from permcheck.checks.security_view import security_view
from permcheck.checks.wording import lacking


def check(context: Context) -> Iterator[Finding | NotRun]:
    """Find administrative users of whom nobody told which role goes with which collection."""
    yield from lacking(context, "administrative_users")
    view = security_view(context)
    for key, admin in view.tables.admins.items():
        if not view.tables.admin_known[key]:
            message = f"nobody told which role of `{admin.name}` goes with which scopes and collections"
            subject = f"{view.label(key.partition('/')[0])}/{admin.name}"
            yield context.finding(context.origin("administrative_users", key), message, subject)
