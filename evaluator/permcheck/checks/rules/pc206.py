"""PC206: people who would gain an action when one switch is flipped."""

from __future__ import annotations

from collections.abc import Iterator

from permcheck.checks.context import Context
from permcheck.checks.device_view import Devices
from permcheck.checks.finding import Finding, NotRun
from permcheck.checks.gains import Turn, changes, today
from permcheck.checks.switches import switches
from permcheck.model.tables import Key


def check(context: Context) -> Iterator[Finding | NotRun]:
    """Find people whose Intune role would let them act as soon as one more switch is flipped."""
    view = switches(context)

    def gained(turn: Turn) -> Iterator[tuple[Key, Devices]]:
        for user in view.holders({turn.permission}):
            reached = today(context, user, turn.flip.hierarchy, turn.needed)
            new = turn.devices & ~reached if reached is not None else 0
            if new and not (view.is_doubtful(user) and turn.turned.denied_after(user, new)):
                yield user, new

    yield from changes(context, gained, "lets {users} use `{action}` where they can't today")
