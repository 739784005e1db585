"""PC306: a right to run that lacks what it needs."""

from __future__ import annotations

from collections.abc import Iterator

from permcheck.checks.context import Context
from permcheck.checks.finding import Finding, NotRun
from permcheck.checks.security_view import SecurityView, security_view
from permcheck.checks.wording import lacking, listing
from permcheck.model.tables import Key, SecurityRow


def check(context: Context) -> Iterator[Finding | NotRun]:
    """Find people who may run something, and certainly lack what it takes besides."""
    yield from lacking(context, "administrative_users", "users")
    view = security_view(context)
    for row in () if view.open else view.tables.rows.values():
        for permission, needed in _needs(context, row).items():
            lacks = {user: _lacking(view, user, row, needed) for user in view.people(row)}
            stuck = [user for user, missing in lacks.items() if missing]
            if permission in view.gives(row.role) and stuck:
                titles = sorted({view.policy.title(one) for user in stuck for one in lacks[user]})
                message = (
                    f"`{view.policy.title(permission)}` of `{view.role_name(row)}` has no effect for"
                    f" {listing(view.tables.users[user].upn for user in stuck)}, without {listing(titles)} in any role"
                )
                yield context.finding(context.origin("rows", row.key), message, f"{view.subject(row)}/{permission}")


def _needs(context: Context, row: SecurityRow) -> dict[str, list[str]]:
    """Return what each permission takes besides, on the release of a row's hierarchy."""
    version = context.estate.tables.hierarchies[row.hierarchy].version
    needs = {permission: list(needed) for permission, needed in context.data("permission_needs").items()}
    if version is not None and version < context.data("until"):
        for permission, needed in context.data("permission_needs_before").items():
            needs.setdefault(permission, []).extend(needed)
    return needs


def _lacking(view: SecurityView, user: Key, row: SecurityRow, needed: list[str]) -> tuple[str, ...]:
    rows = tuple(view.possible(user, row.hierarchy))
    return tuple(one for one in needed if not any(view.may(other.role, one) for other in rows))
