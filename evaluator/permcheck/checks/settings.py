"""How checks are chosen, tuned and silenced: by options, by permcheck.toml, by a baseline."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Final, NamedTuple

from permcheck.checks.facts import load_checks
from permcheck.checks.finding import Finding, Place, from_root
from permcheck.errors import LoadError, Problem

WAIVER: Final = "PC112"
"""The check that reports suppressions themselves."""
_HEADER: Final = re.compile(r"^[ \t]*\[\[[ \t]*(?:tool\.permcheck\.)?lint\.suppress[ \t]*\]\]", re.MULTILINE)
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
        if self.check.casefold() not in {finding.check.casefold(), finding.name.casefold()}:
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


# --- the table [lint] ------------------------------------------------------------------------------------------------


class _Reader:
    """Reads the table; collects what is wrong with it."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.problems: list[Problem] = []

    def report(self, id_: str, message: str, help_: str = "", line: int = 0) -> None:
        self.problems.append(Problem(str(self.file), line, int(bool(line)), id_, message, help_))

    def unknown(self, what: str, name: str, known: Iterable[str], line: int = 0) -> None:
        names = list(known)
        near = _near(name, names)
        help_ = f"did you mean `{near[0]}`?" if near else "known are " + ", ".join(names) if names else "there is none"
        self.report(f"unknown-{what}", f"no {what} is called `{name}`", help_, line)

    def check(self, name: str, line: int = 0) -> str | None:
        """Return the id of a check that is named by id or name."""
        known = {key: facts.id for facts in load_checks().values() for key in (facts.id, facts.name)}
        found = known.get(name.upper(), known.get(name.lower()))
        if found is None:
            near = _near(name.upper(), known) or _near(name.lower(), known)
            help_ = f"did you mean `{near[0]}`?" if near else "`permcheck rule --list` lists them"
            self.report("unknown-check", f"no check is called `{name}`", help_, line)
        return found

    def options(self, table: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Return the options of each check."""
        for name, values in table.items():
            id_ = self.check(name)
            if not isinstance(values, dict):
                self.report("type", f"`lint.options.{name}` is not a table", f"write [lint.options.{name}]")
            elif id_ is not None:
                for option, value in values.items():
                    self.option(f"lint.options.{name}.{option}", option, value, load_checks()[id_].options)
                yield id_, values

    def option(self, path: str, name: str, value: Any, known: Mapping[str, Any]) -> None:
        if name not in known:
            self.unknown("option", name, known)
        elif type(value) is not type(known[name]):
            self.report("type", f"`{path}` has a value of the wrong type", f"the default is {known[name]!r}")

    def suppression(self, entry: Any, line: int) -> Suppression | None:
        """Return a suppression; None if it is wrong."""
        before = len(self.problems)
        kinds: dict[str, type | tuple[type, ...]] = dict.fromkeys(("check", "reason", "subject", "file"), str)
        kinds["expires"] = (date, str)
        if not isinstance(entry, dict) or not isinstance(entry.get("check"), str):
            self.report("missing-key", "a suppression names no check", 'write check = "PC101"', line)
            return None
        for key, value in entry.items():
            if key not in kinds:
                self.unknown("key", key, kinds, line)
            elif not isinstance(value, kinds[key]):
                self.report("type", f"`{key}` of a suppression has a value of the wrong type", "", line)
        id_ = self.check(entry["check"], line)
        try:
            day = date.fromisoformat(str(entry["expires"])[:10]) if "expires" in entry else None
        except ValueError:
            self.report("date", f"`{entry['expires']}` is not a day", "write expires = 2027-01-31", line)
        if len(self.problems) > before or id_ is None:
            return None
        texts = {key: str(entry[key]) for key in ("subject", "file") if key in entry}
        place = Place(str(self.file), line, int(bool(line)))
        return Suppression(id_, str(entry.get("reason", "")), expires=day, place=place, **texts)


def _near(name: str, known: Iterable[str]) -> list[str]:
    from difflib import get_close_matches  # only a mistake pays for it

    return get_close_matches(name, list(known), n=1)


def read_settings(file: Path, table: Mapping[str, Any], today: date | None = None) -> Settings:
    """Read `options` and `suppress` of the table [lint] of a configuration file. Raises LoadError."""
    reader = _Reader(file)
    entries = table.get("suppress", [])
    lines = _lines(file, len(entries))
    found = [reader.suppression(entry, line) for entry, line in zip(entries, lines, strict=True)]
    options = dict(reader.options(table.get("options", {})))
    if reader.problems:
        raise LoadError(tuple(reader.problems))
    kept = tuple(one for one in found if one is not None)
    return Settings(options=options, suppressions=kept, today=today or date.today(), root=file.parent)  # noqa: DTZ011 - a day of the user's


def _lines(file: Path, count: int) -> list[int]:
    """Return the lines on which suppressions begin; zeros if they are written in another way."""
    text = file.read_text("utf-8")
    found = [text.count("\n", 0, match.start()) + 1 for match in _HEADER.finditer(text)]
    return found if len(found) == count else [0] * count
