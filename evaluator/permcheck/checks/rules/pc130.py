"""PC130: a reading of the policy that can't be chosen among, or decides nothing."""

from __future__ import annotations

from collections.abc import Iterator

from permcheck.checks.context import Context
from permcheck.checks.finding import Finding
from permcheck.checks.policy_view import PLACE, conditions
from permcheck.model.policy_index import Policy


def check(context: Context) -> Iterator[Finding]:
    """Find readings whose default is no alternative of theirs, and those that nothing depends on."""
    used = _used(context.policy)
    for reading in context.policy.readings.values():
        names = [one.id for one in reading.alternatives]
        if reading.default not in names:
            known = ", ".join(f"`{name}`" for name in names)
            message = f"the default `{reading.default}` of reading `{reading.id}` is none of {known}"
            yield context.finding(PLACE, message, f"{reading.id}/default")
        idle = [one for one in reading.alternatives if (reading.id, one.id) not in used and one.enables is None]
        if len(idle) > 1:
            message = f"{len(idle)} alternatives of reading `{reading.id}` change nothing"
            yield context.finding(PLACE, message, f"{reading.id}/idle")


def _used(policy: Policy) -> set[tuple[str, str]]:
    used = {(name, one) for _, when in conditions(policy) for name, those in when.readings.items() for one in those}
    used |= {(name, one) for row in policy.authority.table for name, one in row.reading.items()}
    for role in policy.roles.values():
        for by in (grant.by_reading for grant in role.grants if grant.by_reading):
            used |= {(by.reading, one) for one in (*by.granted, *by.unknown)}
    return used
