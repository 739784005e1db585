"""Findings for a terminal: one line that an editor can follow, the line of the file, what to do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from permcheck.checks.finding import Place
from permcheck.checks.lint import Report
from permcheck.checks.output.rows import UNREADABLE, Row, rows, summary
from permcheck.errors import LoadError
from permcheck.loading.files import read_text
from permcheck.printable import inert, one_line, printable

WIDE: Final = 120
LONG: Final = 72
"""What is longer is marked where it begins."""


def text_report(report: Report) -> str:
    """Return the whole report as text."""
    frames = _Frames()
    lines = [line for row in rows(report) for line in _row(row, frames)]
    lines += _not_run(report)
    lines.append(summary(report))
    return "".join(f"{inert(printable(line))}\n" for line in lines)


def _not_run(report: Report) -> Iterator[str]:
    """Say what was not evaluated, one line for each reason: fifty lines that say the same hide the others."""
    by_reason: dict[str, list[str]] = {}
    for one in report.not_run:
        by_reason.setdefault(one.why, []).append(one.check)
    for why, checks in by_reason.items():
        yield f"not evaluated: {', '.join(dict.fromkeys(checks))}: {why}"


def _row(row: Row, frames: _Frames) -> Iterator[str]:
    check = "" if row.check == UNREADABLE else f"{row.check} "
    yield f"{row.place}: {row.severity}: {check}{one_line(row.message)} [{row.name}]"
    yield from frames.lines(row.place)
    if row.help:
        yield f"  help: {one_line(row.help)}"


class _Frames:
    """Lines of files, read once."""

    def __init__(self) -> None:
        self._files: dict[str, list[str]] = {}

    def lines(self, place: Place) -> Iterator[str]:
        """Return the line of a place, numbered, and marks below what is meant."""
        if place.file not in self._files:
            try:
                self._files[place.file] = read_text(Path(place.file)).split("\n") if place.line else []
            except LoadError:
                self._files[place.file] = []
        found = self._files[place.file]
        if not 0 < place.line <= len(found):
            return
        text = found[place.line - 1].rstrip("\r")
        start = max(place.column - 1 - WIDE // 2, 0) if len(text) > WIDE else len(text) - len(text.lstrip())
        gutter = f"{place.line:5} | "
        yield gutter + printable(text[start : start + WIDE])
        before = len(printable(text[start : place.column - 1]))
        if place.column > start:
            meant = printable(text[place.column - 1 : min(place.end_column or place.column + 1, start + WIDE + 1) - 1])
            yield f"{'':5} | {'':{before}}{'^' * len(meant) if 0 < len(meant) <= LONG else '^'}"
