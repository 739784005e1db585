"""What a check reports."""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias

from permcheck.model.policy_checks import Severity

Confidence: TypeAlias = Literal["confirmed", "derived", "disputed"]


class Place(NamedTuple):
    """Where a finding stands. Lines and columns count from 1; 0 means the whole file, or the estate."""

    file: str
    line: int = 0
    column: int = 0
    end_column: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file


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

    def key(self) -> str:
        """Return what stays the same when lines move: for baselines and suppressions."""
        return f"{self.check}|{self.place.file}|{self.subject or self.message}"


class NotRun(NamedTuple):
    """A check that was not evaluated: that is no pass."""

    check: str
    name: str
    why: str
