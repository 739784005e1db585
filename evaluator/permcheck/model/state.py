"""Three-valued logic: met, unmet, unknown; and what it makes of a question."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum


class State(Enum):
    """Whether a requirement holds. A certain failure beats an unknown."""

    MET = "met"
    UNMET = "unmet"
    UNKNOWN = "unknown"


class Verdict(Enum):
    """The answer to a question. It has no truth value: compare it."""

    ALLOW = "allow"
    DENY = "deny"
    UNDETERMINED = "undetermined"

    def __bool__(self) -> bool:
        message = "a verdict is allow, deny or undetermined; compare it with Verdict.ALLOW"
        raise TypeError(message)


MET, UNMET, UNKNOWN = State.MET, State.UNMET, State.UNKNOWN
VERDICT_OF = {MET: Verdict.ALLOW, UNMET: Verdict.DENY, UNKNOWN: Verdict.UNDETERMINED}


def all_of(states: Iterable[State]) -> State:
    """Join states of which every one is needed; none needed is met."""
    result = MET
    for state in states:
        if state is UNMET:
            return UNMET
        if state is UNKNOWN:
            result = UNKNOWN
    return result


def any_of(states: Iterable[State]) -> State:
    """Join states of which one is enough; none there is unmet."""
    result = UNMET
    for state in states:
        if state is MET:
            return MET
        if state is UNKNOWN:
            result = UNKNOWN
    return result


def agreed(states: Iterable[State]) -> State:
    """Join the states of all branches of an unknown: certain only where they agree."""
    found = set(states)
    return found.pop() if len(found) == 1 else UNKNOWN


def state_of(value: bool | None) -> State:  # noqa: FBT001 - it converts one
    """Turn a fact that may be absent into a state."""
    if value is None:
        return UNKNOWN
    return MET if value else UNMET
