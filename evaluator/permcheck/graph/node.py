"""Nodes and edges of the grant graph, and the two containers that can hold it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol, TypeAlias

from permcheck.model.policy import ByReading
from permcheck.model.state import MET, UNKNOWN, UNMET, State

Reference: TypeAlias = tuple[str, str]
"""A record of the estate: section and key."""


class Node(NamedTuple):
    """A node: its kind, and its key or id."""

    kind: str
    key: str


class Condition(NamedTuple):
    """What an edge depends on besides being there."""

    by_reading: ByReading | None = None
    since: int | None = None
    """First release of Configuration Manager in which it holds."""
    fixed: State = MET
    """UNMET for an edge that is drawn but doesn't work, UNKNOWN where a fact is missing."""
    fault: str = ""
    """Why `fixed` is not MET: `group-type`, `nested`, `passing-on`, `members`, `premium`, `unit`, `undecided`,
    `identity`, `sid-history`."""
    missing: str = ""
    """The fact that would settle it, as `subject.fact`."""

    def state(self, readings: Mapping[str, str], version: int | None) -> State:
        """Whether the edge holds under the chosen readings, on a release."""
        if self.since is not None:
            if version is None:
                return UNKNOWN
            if version < self.since:
                return UNMET
        if self.by_reading is None:
            return self.fixed
        chosen = readings[self.by_reading.reading]
        if chosen in self.by_reading.granted:
            return MET
        return UNKNOWN if chosen in self.by_reading.unknown else UNMET


class Grant(NamedTuple):
    """An edge: what it joins, why, and who says so (the estate or the policy)."""

    kind: str
    start: Node
    end: Node
    reason: str
    record: Reference | None = None
    sources: tuple[str, ...] = ()
    condition: Condition | None = None

    def state(self, readings: Mapping[str, str], version: int | None) -> State:
        """Whether the grant holds."""
        return MET if self.condition is None else self.condition.state(readings, version)


class Container(Protocol):
    """What the evaluator needs of a graph; networkx.DiGraph has it."""

    @property
    def adj(self) -> Any:
        """Start -> end -> {"grant": Grant}."""

    def add_edge(self, start: Node, end: Node, **data: Grant) -> None:
        """Add an edge."""


class Adjacency:
    """A container without networkx: a single cold check can't pay for the import (100 ms)."""

    def __init__(self, start: Mapping[Node, dict[Node, dict[str, Grant]]] | None = None) -> None:
        self.adj: dict[Node, dict[Node, dict[str, Grant]]] = dict(start or {})

    def add_edge(self, start: Node, end: Node, **data: Grant) -> None:
        """Add an edge and its nodes."""
        adj = self.adj
        if start in adj:
            adj[start][end] = data
        else:
            adj[start] = {end: data}
        if end not in adj:
            adj[end] = {}
