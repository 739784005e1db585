"""PC324: an assigned role with operations that nobody can tell."""

from __future__ import annotations

from collections.abc import Iterator

from permcheck.checks.context import Context
from permcheck.checks.finding import Finding, NotRun
from permcheck.checks.security_view import security_view
from permcheck.checks.wording import counted, lacking, listing


def check(context: Context) -> Iterator[Finding | NotRun]:
    """Find assigned roles whose export has bits that no public document explains."""
    yield from lacking(context, "administrative_users")
    view = security_view(context)
    for key, admins in view.assigned.items():
        role = view.tables.security_roles[key]
        if role.undecided:
            message = (
                f"bits of `{role.name}` may stand for {listing(map(context.policy.title, role.undecided))};"
                f" {counted(len(admins), 'administrative user')} of `{view.label(role.hierarchy)}` have it"
            )
            subject = f"{view.label(role.hierarchy)}/{role.name}"
            yield context.finding(context.origin("security_roles", key), message, subject)
