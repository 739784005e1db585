"""Give an estate other names: a pure function on plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random, SystemRandom

from permcheck.anonymise.fields import Plain, Walk, estate
from permcheck.anonymise.known import Known
from permcheck.anonymise.renamer import Renamer
from permcheck.anonymise.table import FIELDS
from permcheck.model.policy_index import Policy


@dataclass(frozen=True)
class Anonymised:
    """An estate with other names."""

    data: Plain
    names: Mapping[str, str]
    """Name now -> name before; of what was taken apart, the parts too."""
    dropped: Mapping[str, int]
    """Kind -> how many of it were left out because they may be anything."""
    renamer: Renamer


def anonymised(data: Plain, policy: Policy, salt: str | None = None) -> Anonymised:
    """Return an estate, as plain values, with other names.

    The same salt gives the same names; without one, chance deals them. Raises KeyError for a field that no estate has.
    """
    order = SystemRandom() if salt is None else Random(salt)  # noqa: S311 - a salt is for tests
    known = Known(policy)
    walk = Walk(Renamer(known, order), known, FIELDS)
    estate(walk, data)
    walk.renamer.deal()
    walk.dropped.clear()
    told = estate(walk, data)
    return Anonymised(told, walk.renamer.names, +walk.dropped, walk.renamer)
