"""PC107: a role that has everything of the one that it was made from, and more."""

from __future__ import annotations

from collections.abc import Iterator

from permcheck.checks.context import Context
from permcheck.checks.definitions import Definition
from permcheck.checks.finding import Finding
from permcheck.checks.roles import Roles, roles_of
from permcheck.checks.wording import counted
from permcheck.model.fold import fold_case


def check(context: Context) -> Iterator[Finding]:
    """Find strict supersets of the copied role, or of the largest built-in role of Intune, without a description."""
    roles = roles_of(context)
    known = {(roles.place_key(one), fold_case(name)): one for one in roles.definitions for name in (one.name, one.id)}
    for role in roles.custom():
        model = known.get((roles.place_key(role), fold_case(role.copied_from))) if role.copied_from else None
        name, base = (model.name, model.permissions) if model else _largest(roles, role)
        if base and base < role.permissions and not roles.described(role):
            more = len(role.permissions - base)
            whole = counted(len(base), "permission")
            message = f"`{role.name}` has all of `{name}` ({whole}) and {more} more, and doesn't say why"
            yield context.finding(role.place, message, f"{role.name}/{name}")


def _largest(roles: Roles, role: Definition) -> tuple[str, frozenset[str]]:
    """Return the largest built-in role of Intune that is inside a role."""
    inside = [
        (one.name, set_)
        for one in roles.policy.roles.values()
        if roles.policy.role_planes[one.id] == role.plane == "intune" and (set_ := roles.set_of(one)) < role.permissions
    ]
    return max(inside, key=lambda pair: len(pair[1]), default=("", frozenset()))
