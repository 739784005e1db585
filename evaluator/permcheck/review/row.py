"""One row of a review: who can, can't or may be able to do something, where, and why."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from permcheck.bulk.act import Act
from permcheck.bulk.answers import Area
from permcheck.bulk.regions import Bits, indices
from permcheck.model.state import Verdict
from permcheck.model.tables import Key
from permcheck.review.evidence import Evidence


@dataclass(frozen=True, slots=True)
class Devices:
    """Devices of a row. For an action on a hierarchy or the tenant there are none."""

    area: Area
    bits: Bits
    only: Key | None = None
    """One of them, where a row is about that one alone."""

    @property
    def count(self) -> int:
        """How many there are."""
        if not self.area.on_devices:
            return 0
        return 1 if self.only else self.area.regions.count(self.bits)

    def each(self) -> Iterator[Key]:
        """Their keys, class by class."""
        if self.only:
            yield self.only
        elif self.area.on_devices:
            for index in indices(self.bits):
                yield from self.area.ground.members[index]


class Row(NamedTuple):
    """A rectangle: every one of the users has this answer for every one of the devices, for the same reasons."""

    users: tuple[Key, ...]
    act: Act
    devices: Devices
    verdict: Verdict
    evidence: Evidence

    @property
    def hierarchy(self) -> Key | None:
        """The hierarchy that it is about; None for the tenant."""
        return self.devices.area.hierarchy

    @property
    def cells(self) -> int:
        """How many single answers it stands for."""
        return len(self.users) * (self.devices.count if self.devices.area.on_devices else 1)
