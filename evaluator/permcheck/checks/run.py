"""Run checks and collect what they find."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from permcheck.checks.context import Context
from permcheck.checks.definitions import Definition
from permcheck.checks.finding import Finding, NotRun
from permcheck.checks.registry import CHECKS
from permcheck.model.policy_checks import CheckFacts
from permcheck.model.policy_index import Policy

if TYPE_CHECKING:
    from permcheck.api import Estate


@dataclass(frozen=True)
class Ran:
    """What checks found, sorted, and which were not evaluated."""

    findings: tuple[Finding, ...]
    not_run: tuple[NotRun, ...]
    ran: tuple[str, ...]


WHY: dict[str, str] = {
    "definitions": "no role definition was given",
    "files": "no estate file was given",
    "estate": "no estate was named: use -e",
    "usage": "no export of what was used was given",
}


@dataclass(frozen=True)
class Given:
    """What there is to look at."""

    policy: Policy
    definitions: tuple[Definition, ...] = ()
    estate: Estate | None = None
    options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Check -> its options."""
    files: tuple[Path, ...] = ()
    """Estate files, for checks of how they are written."""
    today: date = field(default_factory=date.today)

    def has(self, needs: str) -> bool:
        """Tell whether what a check needs is there."""
        there = {"definitions": bool(self.definitions), "files": bool(self.files), "estate": self.estate is not None}
        return there.get(needs, needs == "policy")  # who selects a check of the policy wants it run


def run_checks(chosen: Iterable[CheckFacts], given: Given) -> Ran:
    """Run the chosen checks. What lacks its data is not evaluated; that is never a pass."""
    findings: list[Finding] = []
    not_run: list[NotRun] = []
    ran: list[str] = []
    shared: dict[str, Any] = {}
    for facts in chosen:
        if not given.has(facts.needs):
            not_run.append(NotRun(facts.id, facts.name, WHY[facts.needs]))
            continue
        options = given.options.get(facts.id, {})
        context = Context(
            facts, given.policy, given.definitions, given.estate, options, shared, given.files, given.today
        )
        told = tuple(CHECKS[facts.id](context))
        silent = [one for one in told if isinstance(one, NotRun)]
        findings += (one for one in told if isinstance(one, Finding))
        not_run += silent
        ran += () if silent else (facts.id,)
    return Ran(tuple(sorted(set(findings))), tuple(not_run), tuple(ran))
