"""PC116: a right that needs others, which the role does not give."""

from __future__ import annotations

from collections.abc import Iterator

from permcheck.checks.context import Context
from permcheck.checks.finding import Finding
from permcheck.checks.role_needs import needed
from permcheck.checks.roles import roles_of
from permcheck.checks.wording import listed


def check(context: Context) -> Iterator[Finding]:
    """Find acting rights without what the same page asks for. Read of the same class is the matter of PC105."""
    roles, policy = roles_of(context), context.policy
    wants = {action: needed(policy, action, "configmgr") for action in context.data("actions")}
    for role in roles.custom("configmgr"):
        for action, wanted in wants.items() if not roles.recommended(role) else ():
            keys = [key for key in wanted if policy.permissions[key].effect == "act" and key in role.permissions]
            for key in keys:
                own = f"{policy.permissions[key].category}/{context.data('operation')}"
                missing = [p for p in wanted if p != own and p not in keys and roles.lacks(role, p)]
                if missing:
                    title = policy.actions[action].title
                    message = f"`{role.name}` has `{policy.title(key)}`, but {title} also needs "
                    message += listed([policy.title(p) for p in missing])
                    yield context.finding(role.place_of(key), message, f"{role.name}/{key}")
