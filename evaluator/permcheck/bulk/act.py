"""What is asked about: an action, or a variant of it."""

from __future__ import annotations

from typing import NamedTuple

from permcheck.model.policy import Action


class Act(NamedTuple):
    """An action, or a variant of it."""

    action: Action
    variant: str | None = None

    def __hash__(self) -> int:
        return hash((self.action.id, self.variant))

    def __str__(self) -> str:
        return self.action.id + (f":{self.variant}" if self.variant else "")
