"""How checks are chosen, tuned and silenced: by options, by permcheck.toml, by a baseline."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from fnmatch import fnmatchcase
from typing import Any, Final

from permcheck.checks.finding import Finding, Place

WAIVER: Final = "PC112"
"""The check that reports suppressions themselves."""


@dataclass(frozen=True, slots=True)
class Suppression:
    """Findings that somebody accepts: which, why, and until when."""

    check: str
    reason: str
    subject: str = "*"
    file: str = "*"
    expires: date | None = None
    place: Place = field(default_factory=lambda: Place("permcheck.toml"))

    def covers(self, finding: Finding) -> bool:
        """Tell whether a finding is one of those."""
        named = self.check.casefold() in {finding.check.casefold(), finding.name.casefold()}
        return named and fnmatchcase(finding.subject, self.subject) and fnmatchcase(finding.place.file, self.file)


@dataclass(frozen=True)
class Settings:
    """What was asked for."""

    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    suppressions: tuple[Suppression, ...] = ()
    baseline: frozenset[str] = frozenset()
    """Keys of findings that are known and accepted for now."""
    today: date = field(default_factory=date.today)


def judge(findings: tuple[Finding, ...], settings: Settings) -> tuple[Finding, ...]:
    """Return the findings that count. A suppression that has expired, gives no reason, or fits nothing is one, too."""
    kept: list[Finding] = []
    used: set[Suppression] = set()
    for finding in findings:
        covering = [one for one in settings.suppressions if one.covers(finding)]
        used.update(covering)
        living = [one for one in covering if one.reason.strip() and not _expired(one, settings.today)]
        if not living and finding.key() not in settings.baseline:
            kept.append(finding)
    return (
        *kept,
        *(_complaint(one, used, settings.today) for one in settings.suppressions if _bad(one, used, settings)),
    )


def _expired(one: Suppression, today: date) -> bool:
    return one.expires is not None and one.expires < today


def _bad(one: Suppression, used: set[Suppression], settings: Settings) -> bool:
    return not one.reason.strip() or _expired(one, settings.today) or one not in used


def _complaint(one: Suppression, used: set[Suppression], today: date) -> Finding:
    if not one.reason.strip():
        what, help_ = "gives no reason", "say who accepted it, and why"
    elif _expired(one, today):
        what, help_ = f"expired on {one.expires}", "fix what it silences, or decide again"
    else:
        what, help_ = "fits no finding", "remove it"
    assert one not in used or what != "fits no finding"
    message = f"the suppression of `{one.check}` for `{one.subject}` {what}"
    return Finding(one.place, WAIVER, "suppression", "error", "confirmed", message, f"{one.check}/{one.subject}", help_)
