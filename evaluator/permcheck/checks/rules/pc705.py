"""PC705: somebody who changes permissions and does daily work with one account."""

from __future__ import annotations

from collections.abc import Iterator

from permcheck.checks.cloud_pairs import Pair, gathered, told
from permcheck.checks.cloud_view import CloudView, Holding, cloud_view
from permcheck.checks.context import Context
from permcheck.checks.finding import Finding


def check(context: Context) -> Iterator[Finding]:
    """Find people with a role for administering, and another one for acting."""
    view = cloud_view(context)
    found: list[Pair] = []
    for user in view.tables.users:
        for hierarchy, held in view.security(user).items() if view.is_active(user) else ():
            for one in held:
                if not _administers(context, view, one):
                    continue
                acting = [two for two in held if _acts(context, view, one, two)]
                found += [Pair(hierarchy, one.end, two.end, (user,)) for two in acting]
    for pair in gathered(found):
        yield told(context, view, pair, "may change who may do what, and also act on devices")


def _administers(context: Context, view: CloudView, one: Holding) -> bool:
    built_in = view.tables.security_roles[one.role.key].built_in
    return built_in in context.data("role_administer") or bool(
        one.permissions.intersection(context.data("permission_administer"))
    )


def _acts(context: Context, view: CloudView, one: Holding, two: Holding) -> bool:
    """Tell whether a second role acts; inside a built-in role, nobody can separate the two."""
    if two.end == one.end and view.tables.security_roles[one.role.key].built_in:
        return False
    acting = bool(two.permissions.intersection(context.data("permission_act")))
    return acting and not two.whole and (two.end == one.end or not _administers(context, view, two))
