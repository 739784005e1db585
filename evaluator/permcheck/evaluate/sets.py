"""Minimal sets: which choices of one from each are enough, without those that contain another."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import Final, TypeAlias, TypeVar

from permcheck.evaluate.plan import Branch, Leaf, Tree
from permcheck.model.state import State

T = TypeVar("T", bound=Hashable)
Family: TypeAlias = frozenset[frozenset[T]]
"""Several sets, of which any one is enough. Without any: it can't be done. With the empty set: nothing to do."""

NOTHING_TO_DO: Final[Family] = frozenset({frozenset()})  # type: ignore[type-arg]
IMPOSSIBLE: Final[Family] = frozenset()  # type: ignore[type-arg]
LIMIT: Final = 256
"""More alternatives than anybody reads; the smallest are kept."""


def absorbed(sets: Iterable[frozenset[T]]) -> Family[T]:
    """Drop sets that contain another one."""
    kept: list[frozenset[T]] = []
    for candidate in sorted(set(sets), key=lambda s: (len(s), sorted(map(repr, s)))):
        if not any(other <= candidate for other in kept):
            kept.append(candidate)
            if len(kept) == LIMIT:
                break
    return frozenset(kept)


def either(families: Iterable[Family[T]]) -> Family[T]:
    """One of the families is enough."""
    return absorbed(choice for family in families for choice in family)


def every(families: Iterable[Family[T]]) -> Family[T]:
    """One set of each family is needed."""
    result: Family[T] = NOTHING_TO_DO
    for family in families:
        result = absorbed(one | other for one in result for other in family)
    return result


def satisfy(tree: Tree, leaf: Callable[[Leaf], Family[T]]) -> Family[T]:
    """Minimal sets that make a tree true, given those of its leaves."""
    if isinstance(tree, Branch):
        return (every if tree.kind == "all" else either)(satisfy(child, leaf) for child in tree.children)
    return IMPOSSIBLE if isinstance(tree, State) else leaf(tree)


def defeat(tree: Tree, leaf: Callable[[Leaf], Family[T]]) -> Family[T]:
    """Minimal sets that make a tree false: the dual of `satisfy`."""
    if isinstance(tree, Branch):
        return (either if tree.kind == "all" else every)(defeat(child, leaf) for child in tree.children)
    return IMPOSSIBLE if isinstance(tree, State) else leaf(tree)
