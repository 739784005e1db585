"""PC305: scripts may be run where the stated job is CMPivot."""

from __future__ import annotations

from collections.abc import Iterator

from permcheck.checks.context import Context
from permcheck.checks.finding import Finding
from permcheck.checks.roles import roles_of
from permcheck.model.fold import fold_case


def check(context: Context) -> Iterator[Finding]:
    """Find roles with a wide right whose description, or the configuration, names the narrow job only."""
    roles, policy = roles_of(context), context.policy
    named = {fold_case(name) for name in context.listed("roles")}
    for role in roles.custom():
        for wide, narrow in context.data("permissions").items():
            said = _said(context, roles.described(role)) if wide in role.permissions else ""
            if said or (wide in role.permissions and fold_case(role.name) in named):
                why = f"its description says `{said}`" if said else "the configuration names it for CMPivot only"
                message = f"`{role.name}` has `{policy.title(wide)}`, but {why}; `{policy.title(narrow)}` is enough"
                yield context.finding(role.place_of(wide), message, f"{role.name}/{wide}")


def _said(context: Context, description: str) -> str:
    """Return the description where it speaks of the narrow job and of no other."""
    text = fold_case(description)
    jobs = context.data("words")
    return description if jobs["narrow"] in text and not any(word in text for word in jobs["wide"]) else ""
