"""PC110: a rule of the policy that no question ever reaches."""

from __future__ import annotations

from collections.abc import Iterator

from permcheck.checks.context import Context
from permcheck.checks.finding import Finding
from permcheck.checks.policy_view import PLACE, cases, conditions, needs
from permcheck.model.policy import When
from permcheck.model.policy_index import Policy


def check(context: Context) -> Iterator[Finding]:
    """Find requirements and bundles that nothing names, tests behind one that always applies, empty conditions."""
    for subject, message in _unreachable(context.policy):
        yield context.finding(PLACE, message, subject)


def _unreachable(policy: Policy) -> Iterator[tuple[str, str]]:
    named = {need.id for _, need, _ in needs(policy)} | {need.use for _, need, _ in needs(policy)}
    for kind, keys in (("requirement", policy.requirements), ("bundle", policy.bundles)):
        for key in keys:
            if key not in named:
                yield key, f"nothing asks for {kind} `{key}`"
    for owner, listed in cases(policy):
        for number, case in enumerate(listed[:-1], 1):
            if case.when is None:
                yield owner, f"test {number} of {owner} always applies, so those after it never do"
    for owner, when in conditions(policy):
        for what in _never(policy, when):
            yield owner, f"a condition of {owner} never holds: {what}"


def _never(policy: Policy, when: When) -> Iterator[str]:
    low, high = when.from_version, when.below_version
    if low is not None and high is not None and low >= high:
        yield f"no release is from {low} and below {high}"
    if not any(when.covers(edition) for edition in policy.editions):
        yield f"no edition is from {when.from_edition or 'the first'} on and before {when.before_edition or 'the next'}"
    for reading, alternatives in when.readings.items():
        known = policy.readings.get(reading)
        if known is None or not {one.id for one in known.alternatives} & set(alternatives):
            yield f"reading `{reading}` has no alternative {', '.join(f'`{one}`' for one in alternatives)}"
