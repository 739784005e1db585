"""How checks are chosen, tuned and silenced: by options, by permcheck.toml, by a baseline."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Final, NamedTuple

from permcheck.checks.finding import Finding, Place, from_root
from permcheck.model.fold import fold_case

WAIVER: Final = "PC112"
"""The check that reports suppressions themselves."""
_WILD: Final = frozenset("*?[")


@dataclass(frozen=True, slots=True)
class Suppression:
    """Findings that somebody accepts: which, why, and until when."""

    check: str
    reason: str
    subject: str = "*"
    file: str = "*"
    expires: date | None = None
    place: Place = field(default_factory=lambda: Place("permcheck.toml"))

    def covers(self, finding: Finding, root: Path = Path()) -> bool:
        """Tell whether a finding is one of those."""
        if fold_case(self.check) not in {fold_case(finding.check), fold_case(finding.name)}:
            return False
        if not fnmatchcase(finding.subject, self.subject):
            return False
        return self.file == "*" or fnmatchcase(from_root(finding.place.split()[0], root), self.file)


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
    root: Path = Path()
    """The folder of permcheck.toml: what files are named from, in suppressions and in a baseline."""
    estate: Path | None = None
    """The estate that permcheck.toml names: files in it belong together."""


class Looked(NamedTuple):
    """What was looked at: a suppression of something else is not unused."""

    ran: frozenset[str] = frozenset()
    files: frozenset[str] = frozenset()
    whole: bool = True
    """Whole folders or an estate, not files that somebody picked."""
    estate: bool = False
    """An estate, too, whose files have any name."""


def judge(findings: tuple[Finding, ...], settings: Settings, looked: Looked) -> tuple[tuple[Finding, ...], int]:
    """Return the findings that count, and how many are kept back.

    A suppression that has expired, gives no reason, or fits nothing is a finding, too.
    """
    kept: list[Finding] = []
    used: set[Suppression] = set()
    for finding in findings:
        covering = [one for one in settings.suppressions if one.covers(finding, settings.root)]
        used.update(covering)
        living = any(one.reason.strip() and not _expired(one, settings.today) for one in covering)
        if not living and finding.key(settings.root) not in settings.baseline:
            kept.append(finding)
    if WAIVER in settings.ignore:
        return tuple(kept), len(findings) - len(kept)
    complaints = (_complaint(one, one in used or not _seen(one, settings, looked), settings.today) for one in
                  settings.suppressions)  # fmt: skip
    return (*kept, *(one for one in complaints if one)), len(findings) - len(kept)


def _expired(one: Suppression, today: date) -> bool:
    return one.expires is not None and one.expires < today


def _seen(one: Suppression, settings: Settings, looked: Looked) -> bool:
    """Tell whether everything was looked at that a suppression may be about."""
    if one.check not in looked.ran:
        return False
    if one.file == "*":
        return looked.whole
    if looked.estate and looked.whole:
        return True
    names = {from_root(file, settings.root) for file in looked.files}
    return any(fnmatchcase(name, one.file) for name in names) and (looked.whole or _WILD.isdisjoint(one.file))


def _complaint(one: Suppression, used: bool, today: date) -> Finding | None:  # noqa: FBT001 - private
    if not one.reason.strip():
        what, help_ = "gives no reason", "say who accepted it, and why"
    elif _expired(one, today):
        what, help_ = f"expired on {one.expires}", "fix what it silences, or decide again"
    elif not used:
        what, help_ = "fits no finding", "remove it"
    else:
        return None
    message = f"the suppression of `{one.check}` for `{one.subject}` {what}"
    return Finding(one.place, WAIVER, "suppression", "error", "confirmed", message, f"{one.check}/{one.subject}", help_)


def read_settings(file: Path, table: Mapping[str, Any], today: date | None = None) -> Settings:
    """Read `options` and `suppress` of the table [lint] of a configuration file. Raises LoadError."""
    from permcheck.checks.settings_table import settings_of  # most repositories have no such table

    return settings_of(file, table, today)
