"""What Intune's joining of role assignments gives, beyond what each of them gives."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from permcheck.checks.cloud_view import CloudView
from permcheck.graph.node import Node
from permcheck.model.state import UNKNOWN, UNMET
from permcheck.model.tables import IntuneAssignment, Key

SECTIONS = ("groups", "intune_assignments", "entra_roles")


class Extra(NamedTuple):
    """Permissions of one assignment that work at a scope tag of another one."""

    giver: Key
    seer: Key
    tag: str
    permissions: frozenset[str]


def joined(view: CloudView, apart: tuple[str, ...]) -> Iterator[tuple[Key, Extra]]:
    """Work out for each person what no single assignment gives, where the tenant certainly joins them.

    `apart` names the operations that stay with their own assignment. People with the same assignments are alike.
    """
    if view.tenant_mode != "merged" or view.tables.doubtful(*SECTIONS):
        return
    known: dict[frozenset[Key], tuple[Extra, ...]] = {}
    for user, held in view.holdings.items():
        mine = frozenset(one.end for one in held if one.plane == "intune")
        if len(mine) > 1 and view.is_active(user) and not _open(view, user):
            if mine not in known:
                known[mine] = tuple(_of(view, [view.tables.intune_assignments[key] for key in sorted(mine)], apart))
            yield from ((user, extra) for extra in known[mine])


def _open(view: CloudView, user: Key) -> bool:
    """Tell whether a person has, or may have, a directory role, or another assignment."""
    rights = view.estate.grants.rights(user)
    return any(way.state is not UNMET for way in rights.entra) or any(way.state is UNKNOWN for way in rights.intune)


def _of(view: CloudView, mine: list[IntuneAssignment], apart: tuple[str, ...]) -> Iterator[Extra]:
    if any(one.tags is None for one in mine):
        return
    given = {one.key: view.given(Node("intune-role", one.role)) for one in mine}
    tags = sorted({tag for one in mine for tag in one.tags or ()})
    alone = {tag: {p for one in mine if not one.tags or tag in one.tags for p in given[one.key]} for tag in tags}
    for giver in mine:
        for seer in mine if giver.tags else ():
            for tag in sorted(set(seer.tags or ()) - set(giver.tags or ())):
                left = given[giver.key] - alone[tag]
                shared = {view.category(permission) for permission in given[seer.key]} if left else set()
                extra = frozenset(p for p in left if view.category(p) in shared and view.operation(p) not in apart)
                if extra:
                    yield Extra(giver.key, seer.key, tag, extra)
