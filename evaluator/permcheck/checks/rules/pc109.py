"""PC109: a fact of the policy without a passage that states it."""

from __future__ import annotations

from collections.abc import Iterator

from permcheck.checks.context import Context
from permcheck.checks.finding import Finding
from permcheck.checks.policy_view import PLACE, citations, needs


def check(context: Context) -> Iterator[Finding]:
    """Find needs without a source, and citations of passages that are not there."""
    policy = context.policy
    for owner, need, sources in needs(policy):
        if need.id and not sources:
            message = f"{owner} needs `{need.id}`, and no passage says so"
            yield context.finding(PLACE, message, f"{owner}/{need.id}")
    for owner, sources in citations(policy):
        for source in sources:
            if source not in policy.sources:
                message = f"{owner} cites `{source}`, which is no passage of the policy"
                yield context.finding(PLACE, message, f"{owner}/{source}")
