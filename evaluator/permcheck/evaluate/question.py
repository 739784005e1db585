"""A question with every name resolved, and one world in which it is answered."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from permcheck.model.policy import Action, AuthorityRow
from permcheck.model.tables import Key, Tables


class Question(NamedTuple):
    """Whether `user` can do `action` (a variant of it, with an object) on `device`, or in `hierarchy`."""

    user: Key
    action: Action
    variant: str | None = None
    hierarchy: Key | None = None
    device: Key | None = None
    object: Key | None = None

    def release(self, tables: Tables) -> int | None:
        """Return the release of the hierarchy asked about; None where nobody told it, or none is asked about."""
        return tables.hierarchies[self.hierarchy].version if self.hierarchy else None


@dataclass(frozen=True, slots=True)
class World:
    """One way in which what the estate leaves open may stand."""

    edition: str
    version: int | None
    toggle: bool | None
    checkbox: bool | None
    row: AuthorityRow | None = field(compare=False)
    """Who decides; follows from the others and the readings."""
