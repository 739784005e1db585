"""PC108: denied resource actions, of which no document says what they do."""

from __future__ import annotations

from collections.abc import Iterator

from permcheck.checks.context import Context
from permcheck.checks.finding import Finding
from permcheck.checks.roles import roles_of
from permcheck.checks.wording import counted


def check(context: Context) -> Iterator[Finding]:
    """Find roles with denied actions; one finding for each role."""
    for role in roles_of(context).custom("intune"):
        if role.denied:
            both = len({one.id or one.text for one in role.denied} & {one.id or one.text for one in role.granted})
            also = f", {both} of which it allows as well" if both else ""
            message = f"`{role.name}` denies {counted(len(role.denied), 'action')}{also}"
            yield context.finding(role.source.place(role.denied[0].path), message, role.name)
