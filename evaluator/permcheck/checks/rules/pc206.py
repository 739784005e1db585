"""PC206: people who would gain an action when one switch is flipped."""

from __future__ import annotations

from collections.abc import Iterator

from permcheck.checks.context import Context
from permcheck.checks.finding import Finding, NotRun
from permcheck.checks.gains import Turned, today
from permcheck.checks.switches import switches, without_toggle
from permcheck.checks.wording import counted, lacking, listing


def check(context: Context) -> Iterator[Finding | NotRun]:
    """Find people whose Intune role would let them act as soon as one more switch is flipped."""
    yield from without_toggle(context)
    yield from lacking(context, "users", "intune_assignments", "administrative_users", "devices")
    view = switches(context)
    for flip in view.flips:
        devices = view.devices(flip.hierarchy)
        for permission, needed in context.data("permission_configmgr").items():
            turned = Turned(context, flip, context.data("actions")[permission])
            gained = {}
            for user in view.holders({permission}):
                reached = today(context, user, flip.hierarchy, needed)
                new = devices & ~reached if reached is not None else 0
                if new and not (view.is_doubtful(user) and turned.denied_after(user, new)):
                    gained[user] = new.bit_count()
            if gained:
                form = view.tables.hierarchies[flip.hierarchy]
                names = listing(view.tables.users[user].upn for user in gained)
                message = (
                    f"{flip.words} lets {counted(len(gained), 'user')} use `{turned.action}` where they can't today, on"
                    f" up to {counted(max(gained.values()), 'device')} of `{form.id}`: {names}"
                )
                place = context.origin("hierarchies", flip.hierarchy)
                yield context.finding(place, message, f"{form.id}/{turned.action}")
