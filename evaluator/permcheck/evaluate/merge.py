"""Join what was found in several worlds: one entry for each requirement, in troubleshooting order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

from permcheck.model.state import UNKNOWN, UNMET, State, agreed

if TYPE_CHECKING:
    from permcheck.model.decision import Side

SIDES: Final[tuple[Side, ...]] = ("common", "configmgr", "intune", "switch")
PLACE: Final = {side: index for index, side in enumerate(SIDES)}


class Found(Protocol):
    """A requirement with its state: told in full for an explanation, or in short for one line."""

    @property
    def id(self) -> str:
        """Its id, with what it names behind a colon."""
        ...

    @property
    def needs(self) -> str:
        """What it needs, as text."""
        ...

    @property
    def side(self) -> Side:
        """The side that asks for it."""
        ...

    @property
    def state(self) -> State:
        """Whether it holds."""
        ...

    @property
    def counts(self) -> bool:
        """Whether the answer depends on it."""
        ...

    def _replace(self, *, state: State) -> Any: ...


F = TypeVar("F", bound=Found)


def merged(worlds: Sequence[Sequence[F]], verdict: State, order: Mapping[str, int]) -> tuple[F, ...]:
    """Return one entry for each requirement; worlds that disagree make it unknown."""
    found = worlds[0] if len(worlds) == 1 else _joined(worlds, verdict)
    unique: dict[tuple[str, str], F] = {}
    for requirement in found:
        key = (requirement.id, requirement.needs)
        if key not in unique or (requirement.counts and not unique[key].counts):
            unique[key] = requirement
    return tuple(sorted(unique.values(), key=lambda r: (order[r.id.partition(":")[0]], PLACE[r.side])))


def _joined(worlds: Sequence[Sequence[F]], verdict: State) -> tuple[F, ...]:
    by_key: dict[tuple[str, str, Side], list[F]] = {}
    for one in worlds:
        for requirement in one:
            by_key.setdefault((requirement.id, requirement.needs, requirement.side), []).append(requirement)
    return tuple(_merge(same, verdict, len(worlds)) for same in by_key.values())


def _merge(same: list[F], verdict: State, worlds: int) -> F:
    """Join one requirement over worlds: those where it counts decide.

    Where the answer is open, a requirement that fails in some worlds only is open, too.
    """
    counting = [r for r in same if r.counts] or same
    state = agreed(r.state for r in counting)
    pick = next((r for r in counting if r.state is state), counting[0])
    if verdict is UNKNOWN and state is UNMET and pick.counts and len(counting) < worlds:
        state = UNKNOWN
    merged: F = pick._replace(state=state)
    return merged
