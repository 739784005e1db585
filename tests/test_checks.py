"""Every check has its file, fires on its bad examples, and is silent on its good ones and on the clean estate."""

from __future__ import annotations

from pathlib import Path

import permcheck
import pytest
from permcheck.checks.facts import load_checks
from permcheck.checks.lint import lint
from permcheck.checks.registry import CHECKS
from permcheck.checks.settings import Settings
from permcheck.loading.policy import load_policy
from permcheck.model.policy_checks import CheckFacts, Example

FACTS = load_checks()
CLEAN = Path(__file__).parent / "clean"
"""An estate that a reviewer would sign: no check that runs by default finds anything."""


def found(facts: CheckFacts, examples: tuple[Example, ...], folder: Path) -> list[str]:
    """What a check finds in its examples, written to files."""
    paths = []
    for example in examples:
        path = folder / example.file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(example.text, "utf-8")
        paths.append(path)
    estate = permcheck.load(folder) if facts.needs == "estate" else None
    files = paths if facts.needs == "definitions" else []
    report = lint(files, load_policy(), Settings(select=(facts.id,)), estate)
    assert not report.problems, report.problems
    assert facts.id in report.ran, "it was not evaluated"
    return [one.message for one in report.findings if one.check == facts.id]


def test_every_check_has_facts_and_a_function() -> None:
    assert list(FACTS) == list(CHECKS)


@pytest.mark.parametrize("id_", FACTS)
def test_a_check_fires_on_its_bad_example(id_: str, tmp_path: Path) -> None:
    assert found(FACTS[id_], FACTS[id_].bad, tmp_path)


@pytest.mark.parametrize("id_", FACTS)
def test_a_check_is_silent_on_its_good_example(id_: str, tmp_path: Path) -> None:
    assert found(FACTS[id_], FACTS[id_].good, tmp_path) == []


@pytest.mark.parametrize("id_", FACTS)
def test_every_check_cites_a_passage(id_: str) -> None:
    assert set(FACTS[id_].sources) <= set(load_policy().sources)


@pytest.mark.parametrize("id_", FACTS)
def test_the_names_that_a_check_looks_for_exist(id_: str) -> None:
    """A list of ids that the policy does not know would never fire."""
    policy = load_policy()
    known = {*policy.permissions, *policy.roles, *(r.name for r in policy.roles.values())}
    names = [
        name for key, value in FACTS[id_].data.items() if key.startswith(("permission", "role")) for name in flat(value)
    ]
    assert set(names) <= known, sorted(set(names) - known)


def flat(value: object) -> list[str]:
    if isinstance(value, dict):
        return [name for key, item in value.items() for name in (key, *flat(item))]
    if isinstance(value, list | tuple):
        return [name for item in value for name in flat(item)]
    return [str(value)]
