"""PC119: an action on a page of the admin center without the permission that shows the page."""

from __future__ import annotations

from collections.abc import Iterator

from permcheck.checks.context import Context
from permcheck.checks.finding import Finding
from permcheck.checks.role_needs import needed
from permcheck.checks.roles import roles_of
from permcheck.model.policy_index import Policy


def check(context: Context) -> Iterator[Finding]:
    """Find acting permissions whose page the role does not show."""
    roles, policy = roles_of(context), context.policy
    pairs = _pairs(policy)
    for role in roles.custom("intune"):
        for act, (view, page) in pairs.items():
            if act in role.permissions and roles.lacks(role, view):
                message = f"`{role.name}` has `{policy.title(act)}` without `{policy.title(view)}`, which shows {page}"
                yield context.finding(role.place_of(act), message, f"{role.name}/{act}")


def _pairs(policy: Policy) -> dict[str, tuple[str, str]]:
    """Return acting permission -> the permission that shows its page, and the page."""
    shown = {
        action.page: needed(policy, action.id, "intune")
        for action in policy.actions.values()
        if action.page and action.effect == "view" and action.authority
    }
    return {
        act: (view, action.page)
        for action in policy.actions.values()
        if action.effect == "act" and action.page in shown
        for act in needed(policy, action.id, "intune")[:1]
        for view in shown[action.page][:1]
        if act != view
    }
