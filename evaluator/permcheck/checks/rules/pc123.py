"""PC123: a role that bears a name of the documents, but not its permissions."""

from __future__ import annotations

from collections.abc import Iterator

from permcheck.checks.context import Context
from permcheck.checks.finding import Finding
from permcheck.checks.roles import roles_of
from permcheck.checks.wording import listed
from permcheck.model.fold import fold_case


def check(context: Context) -> Iterator[Finding]:
    """Find roles that the documents tell people to create, and that lack what the documents list."""
    roles, policy = roles_of(context), context.policy
    recommended = {fold_case(name): one for name, one in policy.recommended.items()}
    for role in roles.custom("configmgr"):
        wanted = recommended.get(fold_case(role.name))
        missing = [p for p in wanted.permissions if roles.lacks(role, p)] if wanted and role.granted else []
        if missing:
            names = listed([policy.title(p) for p in missing])
            message = f"`{role.name}` lacks {names}, which the documents list for it"
            yield context.finding(role.place, message, role.name)
