"""PC207: people who would lose an action when one switch is flipped."""

from __future__ import annotations

from collections.abc import Iterator

from permcheck.checks.context import Context
from permcheck.checks.finding import Finding, NotRun
from permcheck.checks.gains import Turned, certain
from permcheck.checks.switches import switches, without_toggle
from permcheck.checks.wording import counted, lacking, listing


def check(context: Context) -> Iterator[Finding | NotRun]:
    """Find people who act today, and whom Intune would not let act as soon as one more switch is flipped."""
    yield from without_toggle(context)
    yield from lacking(context, "users", "intune_assignments", "administrative_users", "devices")
    view = switches(context)
    for flip in view.flips:
        devices = view.devices(flip.hierarchy)
        for permission, needed in context.data("permission_configmgr").items():
            turned = Turned(context, flip, context.data("actions")[permission])
            lost = {}
            for user in sorted(set(view.tables.users) - set(view.holders({permission}))):
                reached = certain(context, user, flip.hierarchy, needed) & devices
                if reached and turned.denied_after(user, reached) and not turned.denied_before(user, reached):
                    lost[user] = reached.bit_count()
            if lost:
                form = view.tables.hierarchies[flip.hierarchy]
                names = listing(view.tables.users[user].upn for user in lost)
                message = (
                    f"{flip.words} takes `{turned.action}` from {counted(len(lost), 'user')}, on up to"
                    f" {counted(max(lost.values()), 'device')} of `{form.id}`: {names}"
                )
                place = context.origin("hierarchies", flip.hierarchy)
                yield context.finding(place, message, f"{form.id}/{turned.action}")
