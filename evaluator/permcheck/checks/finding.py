"""What a check reports."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final, Literal, NamedTuple, TypeAlias

from permcheck.model.policy_checks import Severity

Confidence: TypeAlias = Literal["confirmed", "derived", "disputed"]
_INSIDE: Final = re.compile(r", (\$.*)", re.DOTALL)
"""What follows the name of an export: the path of an entry in it."""


class Place(NamedTuple):
    """Where a finding stands. Lines and columns count from 1; 0 means the whole file, or the estate."""

    file: str
    line: int = 0
    column: int = 0
    end_column: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file

    def split(self) -> tuple[str, str]:
        """Return the file, and the path of an entry in it where the place names one."""
        found = _INSIDE.search(self.file)
        return (self.file[: found.start()], found[1]) if found else (self.file, "")


def from_root(file: str, root: Path) -> str:
    """Return a file as it is called from the root of the project, with slashes, wherever permcheck was started."""
    path = Path(os.path.relpath(file, root)) if root != Path() or Path(file).is_absolute() else Path(file)
    return Path(file).as_posix() if ".." in path.parts else path.as_posix()


class Edit(NamedTuple):
    """A safe change of a file: characters from `start` up to `end` become `text`."""

    file: str
    start: int
    end: int
    text: str


class Finding(NamedTuple):
    """One thing that a check found."""

    place: Place
    check: str
    name: str
    severity: Severity
    confidence: Confidence
    message: str
    subject: str = ""
    """What it is about, however the file changes: role and permission, user and action."""
    help: str = ""
    edits: tuple[Edit, ...] = ()

    def key(self, root: Path = Path()) -> str:
        """Return what stays the same when lines move: for baselines and suppressions."""
        return f"{self.check}|{from_root(self.place.file, root)}|{self.subject or self.message}"


class NotRun(NamedTuple):
    """A check that was not evaluated: that is no pass."""

    check: str
    name: str
    why: str
