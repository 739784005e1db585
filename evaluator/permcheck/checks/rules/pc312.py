"""PC312: more people than needed may make certificates that pass for a client."""

from __future__ import annotations

from collections.abc import Iterator

from permcheck.checks.context import Context
from permcheck.checks.finding import Finding, NotRun
from permcheck.checks.many import too_many


def check(context: Context) -> Iterator[Finding | NotRun]:
    """Count the people who hold the role, or its operations."""
    yield from too_many(context)
