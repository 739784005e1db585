"""Which users two estates see differently, where they differ in nothing but members of groups."""

from __future__ import annotations

from permcheck.evaluate.engine import Engine
from permcheck.graph.moved import moved
from permcheck.model.tables import Key


def seen_otherwise(old: Engine, new: Engine) -> frozenset[Key] | None:
    """Return the users who are in other groups than before; None where estates or readings differ in more."""
    if new is old:
        return frozenset()
    if old.policy is not new.policy or (old.readings, old.edition) != (new.readings, new.edition):
        return None
    return moved(old.tables, new.tables)
