"""Run checks and collect what they find."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from permcheck.checks.context import Context
from permcheck.checks.definitions import Definition
from permcheck.checks.finding import Finding, NotRun
from permcheck.checks.registry import CHECKS
from permcheck.model.policy_checks import CheckFacts, Needs
from permcheck.model.policy_index import Policy

if TYPE_CHECKING:
    from permcheck.api import Estate


class Ran(NamedTuple):
    """What checks found, sorted, and which were not evaluated."""

    findings: tuple[Finding, ...]
    not_run: tuple[NotRun, ...]
    ran: tuple[str, ...]


WHY: Final[dict[str, str]] = {
    "definitions": "no role definition was given",
    "files": "no estate file was given",
    "usage": "the estate does not say what was used",
    "expectations": "no file of expected decisions was given",
    "before": "no estate to compare with was named: use --against",
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
    expectations: tuple[Path, ...] = ()
    """Files of expected decisions."""
    today: date = field(default_factory=date.today)
    before: Estate | None = None
    """The estate before the change."""

    def lacks(self, needs: Needs) -> str:
        """Say why a check can't run that needs this; empty if it can."""
        if needs not in {"definitions", "files", "policy"} and self.estate is None:
            return "no estate was named: use -e"
        there = {
            "definitions": self.definitions,
            "files": self.files,
            "usage": self.estate is not None and self.estate.tables.usage,
            "expectations": self.expectations,
            "before": self.before is not None,
        }
        return "" if there.get(needs, True) else WHY[needs]  # who selects a check of the policy wants it run


def run_checks(chosen: Iterable[CheckFacts], given: Given) -> Ran:
    """Run the chosen checks. What lacks its data is not evaluated; that is never a pass."""
    findings: list[Finding] = []
    not_run: list[NotRun] = []
    ran: list[str] = []
    shared: dict[str, Any] = {}
    for facts in chosen:
        lacking = given.lacks(facts.needs)
        if lacking:
            not_run.append(NotRun(facts.id, facts.name, lacking))
            continue
        options = given.options.get(facts.id, {})
        context = Context(
            facts,
            given.policy,
            given.definitions,
            given.estate,
            options,
            shared,
            given.files,
            given.expectations,
            given.today,
            given.before,
        )
        told = tuple(CHECKS[facts.id](context))
        silent = [one for one in told if isinstance(one, NotRun)]
        findings += (one for one in told if isinstance(one, Finding))
        not_run += silent
        ran += () if silent else (facts.id,)
    return Ran(tuple(sorted(set(findings))), tuple(not_run), tuple(ran))
