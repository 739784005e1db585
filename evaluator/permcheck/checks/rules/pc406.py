"""PC406: permissions that work at a scope tag for which no single assignment gives them."""

from __future__ import annotations

from collections.abc import Iterator

from permcheck.checks.cloud_joined import SECTIONS, joined
from permcheck.checks.cloud_view import cloud_view
from permcheck.checks.context import Context
from permcheck.checks.finding import Finding, NotRun
from permcheck.checks.wording import counted, lacking, listed


def check(context: Context) -> Iterator[Finding | NotRun]:
    """Find pairs of assignments that give more together than each alone."""
    view, policy = cloud_view(context), context.policy
    yield from lacking(context, *SECTIONS)
    found: dict[tuple[str, str, str], tuple[set[str], set[str]]] = {}
    for user, one in joined(view, tuple(context.data("apart"))):
        users, permissions = found.setdefault((one.giver, one.seer, one.tag), (set(), set()))
        acting = {p for p in one.permissions if not view.operation(p).startswith(tuple(context.data("looks")))}
        if acting:
            users.add(user)
            permissions |= acting
    for (giver, seer, tag), (users, permissions) in found.items():
        if not users:
            continue
        names = {key: view.tables.intune_assignments[key].name for key in (giver, seer)}
        what = listed(policy.title(permission) for permission in sorted(permissions))
        message = (
            f"at the scope tag `{view.tag(tag)}`, `{names[giver]}` and `{names[seer]}` together give"
            f" {counted(len(users), 'account')} what neither gives: {what}"
        )
        place = context.origin("intune_assignments", giver)
        yield context.finding(place, message, f"{names[giver]}/{names[seer]}/{view.tag(tag)}")
