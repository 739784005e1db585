"""What is left of a question once the user is known: a function from a device to a state."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Literal, TypeAlias

from permcheck.evaluate.outcome import Context
from permcheck.evaluate.security import doubts, reached
from permcheck.model import policy as form
from permcheck.model.state import MET, UNKNOWN, UNMET, State
from permcheck.model.tables import Key

Check: TypeAlias = Callable[[Key], State]


def joined(kind: Literal["all", "any"], parts: Iterable[State | Check]) -> State | Check:
    """Join parts of which some are settled already: a certain part may settle the whole."""
    decisive, neutral = (UNMET, MET) if kind == "all" else (MET, UNMET)
    checks: list[Check] = []
    settled = neutral
    for part in parts:
        if not isinstance(part, State):
            checks.append(part)
        elif part is decisive:
            return decisive
        elif part is UNKNOWN:
            settled = UNKNOWN
    if not checks:
        return settled

    def check(device: Key) -> State:
        result = settled
        for one in checks:
            state = one(device)
            if state is decisive:
                return decisive
            if state is UNKNOWN:
                result = UNKNOWN
        return result

    return check


def as_check(part: State | Check) -> Check:
    """Return a settled state as a check that answers it for every device."""
    return (lambda _: part) if isinstance(part, State) else part


def device_check(context: Context, test: form.Test) -> Check | None:
    """Return a Configuration Manager permission over the device, from the collections that the user reaches.

    None for a test that has no such short form.
    """
    if not isinstance(test, form.RightTest) or not (extent := reached(context, test)):
        return None
    doubtful = UNKNOWN if doubts(context) else UNMET
    certain, possible = extent
    anything = bool(certain or possible)
    coverage = context.membership.coverage

    def check(device: Key) -> State:
        covering = coverage(device)
        if not certain.isdisjoint(covering.above):
            return MET
        if not possible.isdisjoint(covering.above) or (covering.open and anything):
            return UNKNOWN
        return doubtful

    return check
