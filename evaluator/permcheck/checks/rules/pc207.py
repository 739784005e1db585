"""PC207: people who would lose an action when one switch is flipped."""

from __future__ import annotations

from collections.abc import Iterator

from permcheck.checks.context import Context
from permcheck.checks.device_view import Devices
from permcheck.checks.finding import Finding, NotRun
from permcheck.checks.gains import Turn, certain, changes
from permcheck.checks.switches import switches
from permcheck.model.tables import Key


def check(context: Context) -> Iterator[Finding | NotRun]:
    """Find people who act today, and whom Intune would not let act as soon as one more switch is flipped."""
    view = switches(context)

    def lost(turn: Turn) -> Iterator[tuple[Key, Devices]]:
        for user in sorted(set(view.tables.users) - set(view.holders({turn.permission}))):
            reached = certain(context, user, turn.flip.hierarchy, turn.needed) & turn.devices
            if reached and turn.turned.denied_after(user, reached) and not turn.turned.denied_before(user, reached):
                yield user, reached

    yield from changes(context, lost, "takes `{action}` from {users}")
