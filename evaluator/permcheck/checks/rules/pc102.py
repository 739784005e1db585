"""PC102: a permission that is written in another way than the service writes it."""

from __future__ import annotations

from collections.abc import Iterator

from permcheck.checks.context import Context
from permcheck.checks.definitions import Definition, Granted
from permcheck.checks.finding import Finding
from permcheck.checks.roles import Roles, in_estate, roles_of
from permcheck.model.fold import fold_case


def check(context: Context) -> Iterator[Finding]:
    """Find ids of Intune permissions in an old, a corrected or another form, which can be put right safely."""
    roles = roles_of(context)
    for role in roles.custom("intune"):
        for one in (*role.granted, *role.denied):
            right = _right(context, roles, role, one)
            if right and right != one.text:
                edits = role.source.edit(one.path, right)
                subject = f"{role.name}/{one.text}"
                message = f"the service writes `{one.text}` as `{right}`"
                yield context.finding(role.source.place(one.path), message, subject, edits=edits)


def _right(context: Context, roles: Roles, role: Definition, one: Granted) -> str:
    """Return the id that is meant. Estate files take names of the admin center, so these are right there."""
    if one.id is None:
        return roles.respelled(one)
    looks_like_id = fold_case(one.text).startswith(fold_case(context.data("prefix")))
    return one.id if looks_like_id or not in_estate(role) else ""
