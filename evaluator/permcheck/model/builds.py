"""Which release of Configuration Manager a build is of."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from permcheck.model.policy import Version

CONSOLE = 4
"""Digits of a release, which is the second part of a console's version: 5.2509.9141.1030."""


LONGEST = 40
"""Characters of a version; nothing longer is one."""


class BuildOf(NamedTuple):
    """The release of a build: its own, the one before it, or the newest with a build, which it is at least."""

    release: int
    fit: Literal["own", "before", "at-least"]


def is_version(text: str) -> bool:
    """Whether a text is numbers with dots between them."""
    return len(text) <= LONGEST and all(part.isascii() and part.isdecimal() for part in text.split("."))


def dotted(text: str) -> tuple[int, ...]:
    """Return a version as numbers, to compare; zeros at its end say nothing."""
    numbers = [int(part) for part in text.split(".") if part.isdigit()]
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)


def release_of(versions: Iterable[Version], build: str) -> BuildOf | None:
    """Return the release of a build such as 5.00.9106.1000 or 5.2403.9128.1000; None for one before the first."""
    if not is_version(build):
        return None
    parts = build.split(".")
    releases = list(versions)
    if len(parts) > 1 and len(parts[1]) == CONSOLE:
        own = next((one.release for one in releases if str(one.release) == parts[1]), None)
        return None if own is None else BuildOf(own, "own")
    number = dotted(build)
    named = ((build, one.release) for one in releases for build in (one.build, one.early_build) if build)
    builds = sorted((dotted(build), release) for build, release in named)
    below = [(known, release) for known, release in builds if known <= number]
    if not below:
        return None
    known, release = below[-1]
    if number[: len(known)] == known:
        return BuildOf(release, "own")
    return BuildOf(release, "at-least" if len(below) == len(builds) else "before")
