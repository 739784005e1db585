"""PC706: somebody who changes Intune roles and acts with one."""

from __future__ import annotations

from collections.abc import Iterator

from permcheck.checks.cloud_pairs import Pair, gathered, met
from permcheck.checks.cloud_view import cloud_view
from permcheck.checks.context import Context
from permcheck.checks.finding import Finding
from permcheck.checks.wording import counted


def check(context: Context) -> Iterator[Finding]:
    """Find people with both through role assignments; directory roles that give everything are reported elsewhere."""
    view = cloud_view(context)
    changes, acts = set(context.data("permission_administer")), set(context.data("permission_act"))
    found: list[Pair] = []
    for user, held in view.holdings.items():
        mine = [one for one in held if one.plane == "intune"] if view.is_active(user) else []
        found += [Pair("", one.end, two.end, (user,)) for one, two in met(mine, changes, acts)]
    for pair in gathered(found):
        one, two = (view.tables.intune_assignments[end].name for end in (pair.first, pair.second))
        names = f"`{one}`" if one == two else f"`{one}` and `{two}`"
        who = f"{counted(len(pair.users), 'account')} ({view.names(pair.users)})"
        message = f"through {names}, {who} may change Intune roles and act on devices"
        yield context.finding(context.origin("intune_assignments", pair.first), message, f"{one}+{two}")
