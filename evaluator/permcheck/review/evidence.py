"""Why an answer is as it is, in the words of a review: the same for everybody and everything it stands for."""

from __future__ import annotations

import re
from typing import NamedTuple

from permcheck.bulk.answers import View
from permcheck.evaluate.decide import decide
from permcheck.evaluate.outcome import UNDOCUMENTED
from permcheck.evaluate.question import Question
from permcheck.evaluate.strict import strict_decision
from permcheck.model.decision import Decision, Missing
from permcheck.model.policy_index import Policy
from permcheck.model.state import Verdict
from permcheck.model.tables import Tables
from permcheck.review.trail import ASSIGNMENT, COLLECTION, GROUP, ROLE, Trail, every_trail, trails

LIMIT = re.compile(r"collections\[.*\]\.limited_to")
"""Which collection it is depends on the device."""


class Evidence(NamedTuple):
    """Who decides, how the right comes about, what fails, and what is not known. No person or device is named."""

    authority: str = ""
    trails: tuple[Trail, ...] = ()
    unmet: tuple[str, ...] = ()
    """Requirements that fail, in the order in which to look for a fault."""
    missing: tuple[str, ...] = ()
    assumed: tuple[str, ...] = ()
    error: str = ""
    """What the person sees."""
    editions: tuple[str, ...] = ()
    contested: tuple[str, ...] = ()
    """Readings on which a requirement that counts depends."""
    sources: tuple[str, ...] = ()

    def names(self, kind: str) -> tuple[str, ...]:
        """Return the groups, roles, assignments or collections that the trails pass."""
        return tuple(dict.fromkeys(name for trail in self.trails for name in trail.names(kind)))

    @property
    def groups(self) -> tuple[str, ...]:
        """Groups through which the right comes."""
        return self.names(GROUP)

    @property
    def roles(self) -> tuple[str, ...]:
        """Roles that give it."""
        return self.names(ROLE)

    @property
    def assignments(self) -> tuple[str, ...]:
        """Role assignments in Intune that give it."""
        return self.names(ASSIGNMENT)

    @property
    def collections(self) -> tuple[str, ...]:
        """Collections through which it reaches the devices."""
        return self.names(COLLECTION)

    @property
    def direct(self) -> bool:
        """Whether no group lies between the person and a role."""
        return bool(self.trails) and not self.groups


def evidence(decision: Decision, tables: Tables, policy: Policy, *, every: bool = False) -> Evidence:
    """Take from a decision what holds for every cell that it stands for; `every` keeps all paths."""
    counted = [r for r in decision.requirements if r.counts]
    allowed = decision.verdict is Verdict.ALLOW
    found = (every_trail if every else trails)(decision, tables, policy) if allowed else ()
    return Evidence(
        authority=str(decision.authority) if decision.authority else "",
        trails=found,
        unmet=tuple(dict.fromkeys(r.id for r in decision.unmet)),
        missing=tuple(dict.fromkeys(_general(m, decision) for m in decision.missing)),
        assumed=tuple(dict.fromkeys(r.id for r in counted if r.assumed)),
        error=decision.error.text if decision.error else "",
        editions=decision.editions,
        contested=tuple(dict.fromkeys(name for r in counted for name in r.contested)),
        sources=decision.sources,
    )


def _general(missing: Missing, decision: Decision) -> str:
    """Return a fact without the person or device that it was looked up for; a gap of the documents as a text."""
    if missing.fact == UNDOCUMENTED:
        return missing.text
    fact = LIMIT.sub("collections[].limited_to", missing.fact)
    for name in (decision.user, decision.device):
        if name:
            fact = fact.replace(f"[{name}]", "")
    return fact


def decided(view: View, question: Question) -> Decision:
    """Decide one cell in full, as a view reads the documents."""
    return strict_decision(view.engine, question) if view.strict else decide(view.engine, question)
