"""PC117: a role whose holders can't open the timeline for want of one right."""

from __future__ import annotations

from collections.abc import Iterator

from permcheck.checks.context import Context
from permcheck.checks.finding import Finding
from permcheck.checks.role_needs import one_short


def check(context: Context) -> Iterator[Finding]:
    """Find roles for the admin center that lack nothing but the acting right of the page."""
    yield from one_short(context)
