"""Find circles: groups inside themselves, which Active Directory knows, and collections limited to themselves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from permcheck.loading.estate import Record
from permcheck.model.tables import Key, Tables

if TYPE_CHECKING:
    from permcheck.loading.resolve import Resolver


def run(resolver: Resolver, tables: Tables) -> None:
    """Report every circle once, at one of its entries."""
    groups = {key: members.groups for key, members in tables.members.items()}
    limits = {key: (parent,) if parent else () for key, parent in tables.limited_to.items()}
    for section, edges, verb in (("groups", groups, "is a member of"), ("collections", limits, "is limited to")):
        for circle in find_circles(edges):
            record = next(r for key, r in resolver.placed[section] if key == circle[0])
            _report(resolver, record, section, circle if section == "collections" else circle[::-1], verb)


def _report(resolver: Resolver, record: Record, section: str, circle: tuple[Key, ...], verb: str) -> None:
    names = [f"`{key.partition('/')[2] or key}`" for key in (*circle, circle[0])]
    message = f"{section} form a circle: " + f" {verb} ".join(names)
    if section == "groups":  # Active Directory has them, and whoever is in one of the groups is in all
        help_ = "who is in one of them is in all of them; remove one of these relations if that is not meant"
        resolver.warn(record, section, (), "circle", message, help_)
    else:
        resolver.report(record, section, (), "circle", message, "remove one of these relations")


def find_circles(edges: Mapping[Key, tuple[Key, ...]]) -> tuple[tuple[Key, ...], ...]:
    """One circle for every entry that closes one, found in a depth-first walk without recursion."""
    done: set[Key] = set()
    circles: list[tuple[Key, ...]] = []
    for start in edges:
        path: list[Key] = []
        on_path: set[Key] = set()
        stack: list[tuple[Key, int]] = [(start, 0)]
        while stack:
            node, step = stack.pop()
            if step == 0:
                if node in done:
                    continue
                path.append(node)
                on_path.add(node)
            targets = edges.get(node, ())
            if step < len(targets):
                stack.append((node, step + 1))
                target = targets[step]
                if target in on_path:
                    circles.append(tuple(path[path.index(target) :]))
                elif target not in done:
                    stack.append((target, 0))
            else:
                path.pop()
                on_path.discard(node)
                done.add(node)
    return tuple(circles)
