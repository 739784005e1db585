"""How checks say things: counts, names, what is missing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from permcheck.checks.context import Context
from permcheck.checks.finding import NotRun

FEW: Final = 10
"""Names that are shown; the others are counted."""


def counted(number: int, one: str, many: str = "") -> str:
    """Count things: `1 person`, `3 people`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def listed(names: Iterable[str], few: int = FEW) -> str:
    """Name a few things in their order, and count the others."""
    every = list(dict.fromkeys(names))
    text = ", ".join(f"`{name}`" for name in every[:few])
    return f"{text} and {len(every) - few} more" if len(every) > few else text


def listing(names: Iterable[str], few: int = FEW) -> str:
    """Name a few things by the alphabet, and count the others."""
    return listed(sorted(names), few)


def lacking(context: Context, *sections: str) -> Iterator[NotRun]:
    """Say which lists a check can't do without are not there, or known to lack entries."""
    doubtful = context.estate.tables.doubtful(*sections)
    if doubtful:
        yield context.not_run(f"the estate does not have the whole list of {', '.join(doubtful)}")
