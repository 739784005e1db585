"""Put results together: in any order, in any grouping, and each as often as it comes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from permcheck.errors import Problem
from permcheck.review.review import Total
from permcheck.scale.values import ShardResult

ShardId: TypeAlias = tuple[str, int]
"""A tenant, and a part of it."""


@dataclass(frozen=True)
class Merged:
    """The results of shards, each once."""

    results: Mapping[ShardId, ShardResult] = field(default_factory=dict)

    def __or__(self, other: Merged) -> Merged:
        found = dict(self.results)
        for id_, result in other.results.items():
            found[id_] = better(found[id_], result) if id_ in found else result
        return Merged(dict(sorted(found.items())))

    def of(self, tenant: str) -> Merged:
        """Return the results of one tenant."""
        return Merged({id_: result for id_, result in self.results.items() if id_[0] == tenant})

    @property
    def totals(self) -> Mapping[str, Total]:
        """How many cells of each action have which verdict."""
        found: dict[str, Total] = {}
        for result in self.results.values():
            for action, total in result.totals:
                found[action] = found.get(action, Total()) + total
        return found

    @property
    def total(self) -> Total:
        """How many cells there are in all."""
        return sum(self.totals.values(), Total())

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return sum(result.rows for result in self.results.values())

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What is wrong, each once: parts of a tenant have the same problem."""
        return tuple(sorted({problem for result in self.results.values() for problem in result.problems}))

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """What is odd but usable, each once."""
        return tuple(sorted({warning for result in self.results.values() for warning in result.warnings}))


def merge(results: Iterable[ShardResult]) -> Merged:
    """Put results together. A shard that was done twice counts once; one that succeeded is preferred."""
    found = Merged()
    for result in results:
        found |= Merged({(result.tenant, result.part): result})
    return found


def better(one: ShardResult, other: ShardResult) -> ShardResult:
    """Return one of two results of the same shard: whichever comes first, the same."""
    return max(one, other, key=lambda result: (not result.problems, result))
