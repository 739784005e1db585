"""PC313: security administered by others than those who should."""

from __future__ import annotations

from collections.abc import Iterator

from permcheck.checks.context import Context
from permcheck.checks.finding import Finding, NotRun
from permcheck.checks.security_view import security_view
from permcheck.checks.wording import lacking, listing
from permcheck.model.fold import fold_case


def check(context: Context) -> Iterator[Finding | NotRun]:
    """Find people who administer security, and are not among those who should."""
    yield from lacking(context, "administrative_users")
    view, allowed = security_view(context), {fold_case(name) for name in context.listed("people")}
    if not allowed:
        yield context.not_run("option `people` does not say who administers security")
        return
    for row in view.tables.rows.values():
        role = view.tables.security_roles[row.role]
        held = view.gives(row.role) & set(context.data("permission_security"))
        if not held and role.built_in not in context.data("role_security"):
            continue
        names = {user: view.tables.users[user].upn for user in view.people(row)}
        strangers = [name for name in names.values() if fold_case(name) not in allowed]
        if fold_case(view.tables.admins[row.admin].name) not in allowed and (strangers or not names):
            who = f" ({listing(strangers)})" if strangers else ""
            message = f"{view.who(row)} administers security through `{role.name}`, and is not named in `people`{who}"
            yield context.finding(context.origin("rows", row.key), message, view.subject(row))
