"""What a test finds: a state at once, its explanation when somebody asks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from permcheck.evaluate.plan import Plan
from permcheck.evaluate.question import Question, World
from permcheck.graph.membership import Membership
from permcheck.graph.node import Grant
from permcheck.graph.rights import GrantGraph, Rights
from permcheck.model.decision import Missing, NearMiss, Proof, Step
from permcheck.model.policy_index import Policy
from permcheck.model.provenance import Origin
from permcheck.model.state import State
from permcheck.model.tables import Tables


class Explanation(NamedTuple):
    """Why a test came out as it did."""

    proofs: tuple[Proof, ...] = ()
    missing: tuple[Missing, ...] = ()
    near: tuple[NearMiss, ...] = ()


NOTHING = Explanation()
UNDOCUMENTED = "documents"
"""How a gap of the documents is called among missing facts."""


class Outcome(NamedTuple):
    """The state of a test; `explain` works the reasons out."""

    state: State
    explain: Callable[[], Explanation] = lambda: NOTHING


class Context(NamedTuple):
    """Everything that a test may look at."""

    tables: Tables
    policy: Policy
    graph: GrantGraph
    membership: Membership
    readings: Mapping[str, str]
    question: Question
    world: World
    plan: Plan
    memo: dict[tuple[object, ...], Any]
    """What several questions of one user share."""

    @property
    def rights(self) -> Rights:
        """What the user of the question holds."""
        return self.graph.rights(self.question.user)

    def origin(self, section: str, key: str, detail: str = "") -> Origin | None:
        """Where a record, or a field or member of it, stands."""
        return self.tables.places.of(section, key, detail)

    def step(self, grant: Grant) -> Step:
        """Return the sentence of a grant."""
        return self.graph.step(grant)

    def path(self, grants: Iterable[Grant], *more: Step) -> Proof:
        """Return a chain of grants as a proof."""
        return Proof((*(self.step(grant) for grant in grants), *more), "grant")


def missing(facts: Iterable[str], text: str) -> tuple[Missing, ...]:
    """Missing facts with one text."""
    return tuple(Missing(fact, text) for fact in dict.fromkeys(facts))
