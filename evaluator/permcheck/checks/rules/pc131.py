"""PC131: a release that falls between two editions of the policy."""

from __future__ import annotations

from collections.abc import Iterator

from permcheck.checks.context import Context
from permcheck.checks.finding import Finding
from permcheck.checks.policy_view import PLACE


def check(context: Context) -> Iterator[Finding]:
    """Find releases that no edition or more than one is for."""
    policy = context.policy
    for release in policy.versions:
        fits = [
            one.id
            for one in policy.editions.values()
            if (one.default_from or one.default_below)
            and (one.default_from or 0) <= release < (one.default_below or release + 1)
        ]
        if len(fits) != 1:
            message = f"release {release} is judged by {len(fits)} editions, not by one"
            yield context.finding(PLACE, message, f"release/{release}")
