"""Which users two estates see differently, where they differ in nothing but members of groups."""

from __future__ import annotations

from dataclasses import fields

from permcheck.evaluate.engine import Engine
from permcheck.model.tables import Key, Tables

REST = tuple(one.name for one in fields(Tables) if one.name != "members")


def moved(old: Engine, new: Engine) -> frozenset[Key] | None:
    """Return the users who are in other groups than before; None where estates may differ in more than that.

    What a changed estate did not change it shares with the old one, so that nothing is compared at length.
    """
    if new is old:
        return frozenset()
    if old.policy is not new.policy or (old.readings, old.edition) != (new.readings, new.edition):
        return None
    if any(getattr(old.tables, name) is not getattr(new.tables, name) for name in REST):
        return None
    before, after, found = old.tables.members, new.tables.members, set[Key]()
    if before.keys() != after.keys():
        return None
    for group, now in after.items():
        was = before[group]
        if now is not was:
            if now.groups != was.groups or not (now.known and was.known):
                return None
            found |= {*now.users} ^ {*was.users}
    return frozenset(found)
