"""Resolve what was used: days, users, hierarchies and actions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from permcheck.errors import UnknownNameError
from permcheck.loading.text import Path_
from permcheck.model.estate import is_day
from permcheck.model.tables import Key, Usage

if TYPE_CHECKING:
    from permcheck.loading.resolve import Resolver


def run(resolver: Resolver) -> None:
    """Fill the field of the tables."""
    resolver.fields["usage"] = tuple(
        _Reader(resolver, file, index).usage(entry)
        for file, parsed in enumerate(resolver.joined.parsed)
        for index, entry in enumerate(parsed.data.get("usage") or ())
    )


class _Reader:
    """Reads one log; reports names and days that do not exist."""

    def __init__(self, resolver: Resolver, file: int, index: int) -> None:
        self._resolver, self._file, self._index = resolver, file, index

    def usage(self, entry: Mapping[str, Any]) -> Usage:
        since, until = self._day(("since",), entry["since"]), self._day(("until",), entry["until"])
        if since > until:
            self._report(("until",), "date", f"`{until}` is before `{since}`")
        hierarchies = tuple(self._resolver.fields["hierarchies"])
        if entry.get("hierarchy") is not None:
            found = self._find("hierarchy", ("hierarchy",), entry["hierarchy"])
            hierarchies = (found,) if found else ()
        actions = [self._action(("actions", i), name) for i, name in enumerate(entry["actions"])]
        uses = [self._use(("used", i), use, since, until) for i, use in enumerate(entry.get("used") or ())]
        return Usage(entry["source"], since, until, hierarchies, tuple(dict.fromkeys(actions)), frozenset(uses))

    def _use(self, path: Path_, use: Mapping[str, Any], since: str, until: str) -> tuple[Key, str]:
        day = self._day((*path, "at"), use["at"])
        if not since <= day <= until:
            self._report((*path, "at"), "date", f"`{day}` is not in the days that the log covers")
        name = use.get("action")
        action = "" if name is None else self._action((*path, "action"), name)
        return self._find("user", (*path, "user"), use["user"]) or "", action

    def _day(self, path: Path_, day: str) -> str:
        if not is_day(day):
            self._report(path, "date", f"`{day}` is no day of the calendar")
        return day

    def _action(self, path: Path_, name: str) -> str:
        try:
            return self._resolver.policy.find_action(name)
        except UnknownNameError as error:
            self._report(path, "unknown-name", str(error), error.help or "`permcheck actions` lists them")
            return ""

    def _find(self, kind: str, path: Path_, name: str) -> Key | None:
        try:
            return self._resolver.names[kind].find(name)
        except UnknownNameError as error:
            self._report(path, "unknown-name", str(error), error.help)
            return None

    def _report(self, path: Path_, id_: str, message: str, help_: str = "") -> None:
        self._resolver.joined.report(self._file, ("usage", self._index, *path), id_, message, help_)
