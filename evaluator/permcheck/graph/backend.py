"""The only place that imports networkx."""

from __future__ import annotations

from typing import cast

import networkx as nx

from permcheck.graph.node import Container


def digraph() -> Container:
    """Make an empty networkx graph to hold the grants."""
    return cast("Container", nx.DiGraph())
