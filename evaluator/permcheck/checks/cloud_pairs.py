"""People who hold two halves that are meant to be apart."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from permcheck.checks.cloud_view import CloudView, Holding
from permcheck.checks.context import Context
from permcheck.checks.finding import Finding
from permcheck.checks.wording import counted
from permcheck.model.tables import Key


class Pair(NamedTuple):
    """Two rows, or assignments, that meet in people."""

    hierarchy: Key
    first: Key
    second: Key
    users: tuple[Key, ...]


def pairs(view: CloudView, first: Iterable[str], second: Iterable[str], *, scoped: bool) -> Iterator[Pair]:
    """Find pairs of rows of Configuration Manager that meet in active accounts, by their roles.

    Roles that give everything are left out: nobody can split them. `scoped`: the rows have a security scope in common.
    """
    one, two = set(first), set(second)
    found: list[Pair] = []
    for user in view.tables.users:
        for hierarchy, held in view.security(user).items() if view.is_active(user) else ():
            mine = [holding for holding in held if not holding.whole]
            both = [(a, b) for a in mine if a.permissions & one for b in mine if b.permissions & two]
            found += [Pair(hierarchy, a.end, b.end, (user,)) for a, b in both if not scoped or _meet(view, a, b)]
    yield from gathered(found)


def _meet(view: CloudView, one: Holding, two: Holding) -> bool:
    """Tell whether two rows certainly reach the same objects."""
    if one.end == two.end:
        return True
    a, b, every = view.row(one), view.row(two), view.policy.all_scope
    return bool(a.scopes and b.scopes and (a.scopes & b.scopes or every in a.scopes | b.scopes))


def gathered(found: Iterable[Pair]) -> Iterator[Pair]:
    """Join the people of equal pairs."""
    joined: dict[tuple[Key, Key, Key], list[Key]] = {}
    for pair in found:
        joined.setdefault(pair[:3], []).extend(pair.users)
    for (hierarchy, first, second), users in joined.items():
        yield Pair(hierarchy, first, second, tuple(dict.fromkeys(users)))


def told(context: Context, view: CloudView, pair: Pair, what: str) -> Finding:
    """Make the finding of a pair of rows."""
    one, two = (view.tables.security_roles[view.tables.rows[end].role].name for end in (pair.first, pair.second))
    names = f"`{one}`" if one == two else f"`{one}` and `{two}`"
    who = f"{counted(len(pair.users), 'account')} ({view.names(pair.users)})"
    message = f"through {names} in hierarchy `{pair.hierarchy.upper()}`, {who} {what}"
    admins = sorted({view.tables.admins[view.tables.rows[end].admin].name for end in (pair.first, pair.second)})
    subject = f"{pair.hierarchy}/{one}+{two}/{'+'.join(admins)}"
    return context.finding(context.origin("rows", pair.first), message, subject)


def met(held: list[Holding], first: set[str], second: set[str]) -> list[tuple[Holding, Holding]]:
    """Return holdings that give both halves, or else each that gives the first with one for the second."""
    one = [holding for holding in held if holding.permissions & first]
    two = [holding for holding in held if holding.permissions & second]
    return [(a, a) for a in one if a in two] or [(a, two[0]) for a in one if two]


def halves(view: CloudView, first: set[str], second: set[str]) -> dict[tuple[str, str], list[Key]]:
    """Return people with both halves in one plane, by the names of what gives them."""
    found: dict[tuple[str, str], list[Key]] = {}
    for user, held in view.holdings.items():
        mine = [holding for holding in held if not holding.whole] if view.is_active(user) else []
        for plane in sorted({holding.plane for holding in mine}):
            for a, b in met([holding for holding in mine if holding.plane == plane], first, second):
                found.setdefault((view.title(a), view.title(b)), []).append(user)
    return found
