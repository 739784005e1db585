"""PC417: a built-in Intune role that is not as permcheck knows it."""

from __future__ import annotations

from collections.abc import Iterator

from permcheck.checks.context import Context
from permcheck.checks.finding import Finding
from permcheck.checks.wording import counted, listed


def check(context: Context) -> Iterator[Finding]:
    """Compare exported built-in roles with those of the policy, as far as their permissions have ids."""
    policy = context.policy
    for role in context.of("intune"):
        id_ = role.id if role.id in policy.roles else policy.role_names("intune").get(role.name)
        if role.built_in is not True or id_ is None or not role.granted:
            continue
        known = {permission for grant in policy.roles[id_].grants for permission in grant.permissions}
        for what, others in (("more", role.permissions - known), ("fewer", known - role.permissions)):
            if others:
                titles = listed(policy.title(permission) for permission in sorted(others))
                many = counted(len(others), "permission")
                message = f"the built-in role `{role.name}` has {many} {what} than documented: {titles}"
                yield context.finding(role.place, message, f"{role.name}/{what}")
