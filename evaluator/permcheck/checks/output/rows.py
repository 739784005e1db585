"""What a report holds against files, in one shape: findings, and files that can't be read or are unknown."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from permcheck.checks.finding import Edit, Place, from_root
from permcheck.checks.lint import Report
from permcheck.checks.wording import counted

UNREADABLE: Final = "PC000"
"""Stands for the check where a file can't be used: other tools want every result to have one."""
UNREADABLE_NAME: Final = "unusable-file"
UNKNOWN: Final = "it is neither a role definition, nor an export, nor an estate file; leave it out, or say what it is"


class Row(NamedTuple):
    """One result."""

    place: Place
    check: str
    name: str
    severity: str
    message: str
    help: str
    key: str
    confidence: str = "confirmed"
    edits: tuple[Edit, ...] = ()

    @property
    def title(self) -> str:
        """The check by id and name."""
        return f"{self.check} {self.name}"


def rows(report: Report) -> Iterator[Row]:
    """Return every result: problems first, then unknown files, then findings."""
    for one in report.problems:
        place = Place(one.file, one.line, one.column)
        key = f"{UNREADABLE}|{from_root(one.file, report.root)}|{one.id}"
        yield Row(place, UNREADABLE, one.id or UNREADABLE_NAME, one.severity, one.message, one.help, key)
    for file in report.unknown:
        key = f"{UNREADABLE}|{from_root(file, report.root)}|unknown-file"
        yield Row(Place(file), UNREADABLE, "unknown-file", "error", "nothing is known by this file", UNKNOWN, key)
    for found in report.findings:
        key = found.key(report.root)
        yield Row(*found[:4], found.message, found.help, key, found.confidence, found.edits)


def shown_file(place: Place) -> str:
    """Return the file from the current folder, with slashes, as pipelines want it; empty if it names no file."""
    file = place.split()[0]
    try:
        if not place.line and not Path(file).exists():
            return ""
        near = os.path.relpath(file)
    except (OSError, ValueError):  # a name that no file can have; another drive
        return ""
    return Path(file if near.startswith("..") else near).as_posix()


def summary(report: Report) -> str:
    """Return counts of everything, in one line."""
    count = {level: sum(one.severity == level for one in report.findings) for level in ("error", "warning", "info")}
    parts = [
        f"{counted(count['error'], 'error')}, {counted(count['warning'], 'warning')}, {counted(count['info'], 'note')}"
    ]
    parts += [counted(len(report.problems), "problem")] if report.problems else []
    parts += [counted(len(report.unknown), "unknown file")] if report.unknown else []
    parts += [f"{report.hidden} suppressed"] if report.hidden else []
    parts += [f"{counted(len(report.not_run), 'check')} not evaluated"] if report.not_run else []
    return f"{'; '.join(parts)} ({counted(len(report.ran), 'check')}, {counted(report.files, 'file')})"
