"""The table [lint] of permcheck.toml: options of checks, and suppressions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any, Final

from permcheck.checks.facts import load_checks
from permcheck.checks.finding import Place
from permcheck.checks.settings import Settings, Suppression
from permcheck.errors import LoadError, Problem

_HEADER: Final = re.compile(r"^[ \t]*\[\[[ \t]*(?:tool\.permcheck\.)?lint\.suppress[ \t]*\]\]", re.MULTILINE)


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


def settings_of(file: Path, table: Mapping[str, Any], today: date | None = None) -> Settings:
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
