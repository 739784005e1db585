"""What checks of permcheck's own policy walk through: needs with their sources, tests, conditions, citations."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from permcheck.checks.finding import Place
from permcheck.model.policy import Combined, GrantTest, Need, RightTest, RoleExistsTest, Test, TestCase, Wait, When
from permcheck.model.policy import Place as WhereIs
from permcheck.model.policy_index import Policy

PLACE: Final = Place("policy")
"""The policy is one value; where in its files something stands is not kept."""


def rules(policy: Policy) -> Iterator[tuple[str, tuple[Need, ...]]]:
    """Return every list of needs with what it belongs to."""
    for action in policy.actions.values():
        sides = (action.requires.common, action.requires.configmgr, action.requires.intune)
        yield f"action `{action.id}`", tuple(need for side in sides for need in side)
    for name, needs in policy.bundles.items():
        yield f"bundle `{name}`", needs
    yield "the switches", policy.authority.switch_requirements


def needs(policy: Policy) -> Iterator[tuple[str, Need, tuple[str, ...]]]:
    """Return every need, also those inside others, with its owner and the sources that hold for it."""
    for owner, listed in rules(policy):
        yield from _inside(owner, listed, ())


def _inside(owner: str, listed: Iterable[Need], above: tuple[str, ...]) -> Iterator[tuple[str, Need, tuple[str, ...]]]:
    for need in listed:
        sources = need.sources or above
        yield owner, need, sources
        yield from _inside(owner, (*need.all, *need.any), sources)


def cases(policy: Policy) -> Iterator[tuple[str, tuple[TestCase, ...]]]:
    """Return every list of which the first case that applies is run."""
    for requirement in policy.requirements.values():
        yield f"requirement `{requirement.id}`", requirement.tests


def tests(listed: Iterable[TestCase]) -> Iterator[Test]:
    """Return every test, also those inside others."""
    for case in listed:
        yield case.test
        if isinstance(case.test, Combined):
            yield from tests(case.test.of)


def conditions(policy: Policy) -> Iterator[tuple[str, When]]:
    """Return every condition with its owner."""
    for owner, need, _ in needs(policy):
        if need.when:
            yield owner, need.when
    for owner, listed in cases(policy):
        yield from ((owner, case.when) for case in _cases(listed) if case.when)


def _cases(listed: Iterable[TestCase]) -> Iterator[TestCase]:
    for case in listed:
        yield case
        if isinstance(case.test, Combined):
            yield from _cases(case.test.of)


def asked(policy: Policy) -> set[str]:
    """Return the permissions that a need, a requirement or a recommended role names."""
    found = {need.permission for _, need, _ in needs(policy) if need.permission}
    for requirement in policy.requirements.values():
        for test in tests(requirement.tests):
            if isinstance(test, RightTest | GrantTest):
                found.add(test.permission)
            elif isinstance(test, RoleExistsTest):
                found.update(test.permissions)
    return found | {permission for role in policy.recommended.values() for permission in role.permissions}


def citations(policy: Policy) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Return every fact that cites passages."""
    for kind, facts in (
        ("action", policy.actions),
        ("requirement", policy.requirements),
        ("permission", policy.permissions),
        ("role", policy.roles),
        ("error", policy.errors),
        ("edition", policy.editions),
    ):
        for key, fact in facts.items():
            yield f"{kind} `{key}`", fact.sources
    for role in policy.roles.values():
        yield from ((f"a grant of role `{role.name}`", grant.sources) for grant in role.grants)
    for reading in policy.readings.values():
        yield from ((f"alternative `{one.id}` of reading `{reading.id}`", one.sources) for one in reading.alternatives)
    yield from ((owner, sources) for owner, _, sources in needs(policy))
    for owner, where, takes in told(policy):
        yield from ((f"a place of {owner}", place.sources) for place in where)
        if takes:
            yield f"the wait of {owner}", takes.sources


def told(policy: Policy) -> Iterator[tuple[str, tuple[WhereIs, ...], Wait | None]]:
    """Return where each requirement is put right and each switch stands, and how long that takes."""
    for requirement in policy.requirements.values():
        yield f"requirement `{requirement.id}`", requirement.where, requirement.takes
    for switch in (policy.authority.toggle, policy.authority.checkbox):
        yield f"switch `{switch.name}`", (switch.where,), switch.takes
