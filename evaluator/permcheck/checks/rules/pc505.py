"""PC505: an app role with nothing that it could open."""

from __future__ import annotations

from collections.abc import Iterator

from permcheck.checks.cloud_view import cloud_view
from permcheck.checks.context import Context
from permcheck.checks.finding import Finding, NotRun
from permcheck.checks.wording import lacking

SECTIONS = ("administrative_users", "groups", "intune_assignments", "entra_roles")


def check(context: Context) -> Iterator[Finding | NotRun]:
    """Find holders of the app role who certainly have no other role."""
    view = cloud_view(context)
    yield from lacking(context, *SECTIONS)
    if view.tables.doubtful(*SECTIONS):
        return
    for (plane, role), users in view.holders.items():
        for user in users:
            rights = view.estate.grants.rights(user)
            alone = plane == "app" and not rights.security and not rights.admins and view.lacks_intune_role(user)
            if alone and view.is_active(user):
                upn, title = view.tables.users[user].upn, context.policy.title(role)
                message = f"`{upn}` has `{title}`, but neither a security role nor an Intune role"
                yield context.finding(context.origin("users", user), message, upn)
