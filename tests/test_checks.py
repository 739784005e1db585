"""Every check has its file, fires on its bad examples, and is silent on its good ones and on the clean estate."""

from __future__ import annotations

import json
import tomllib
from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import permcheck
import pytest
import strategies
from hypothesis import given
from permcheck.checks.facts import load_checks
from permcheck.checks.lint import Report, lint, validate
from permcheck.checks.registry import CHECKS
from permcheck.checks.settings import Settings, read_settings
from permcheck.loading.data import data_root
from permcheck.loading.policy import load_policy, read_policy
from permcheck.model.base import Form
from permcheck.model.policy_checks import CheckFacts, Example
from permcheck.model.policy_index import Policy, build_policy

FACTS = load_checks()
CORPUS = sorted((Path(__file__).parent / "checks").glob("PC*/*-*.*"))
CLEAN = Path(__file__).parent / "clean"
"""An estate that a reviewer would sign: no check that runs by default finds anything."""
DAY = date(2026, 11, 21)
"""The day on which the examples and the clean estate are looked at: their facts are of that month."""


def found(facts: CheckFacts, examples: tuple[Example, ...], folder: Path) -> list[str]:
    """What a check finds in its examples, written to files."""
    paths = []
    for example in examples:
        path = folder / example.file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(example.text, "utf-8")
        paths.append(path)
    policy = policy_with(folder) if facts.needs == "policy" else load_policy()
    report = looked_at(facts, folder, paths, policy, settings_in(folder, facts))
    assert not report.problems, report.problems
    assert facts.id in report.ran, "it was not evaluated"
    mine = [one for one in report.findings if one.check == facts.id]
    assert {(one.name, one.severity, one.confidence) for one in mine} <= {
        (facts.name, facts.severity, facts.confidence)
    }
    return [one.message for one in mine]


def looked_at(facts: CheckFacts, folder: Path, files: list[Path], policy: Policy, settings: Settings) -> Report:
    """Run one check on what it needs: the files, the estate or the two estates that they are, or the policy."""
    if facts.needs == "files":
        return validate(files, policy, settings)
    if facts.needs == "before":
        return lint([], policy, settings, permcheck.load(folder / "after"), permcheck.load(folder / "before"))
    estate = permcheck.load(folder) if facts.needs in {"estate", "usage", "expectations"} else None
    return lint(files if facts.needs in {"definitions", "expectations"} else [], policy, settings, estate)


def settings_in(folder: Path, facts: CheckFacts) -> Settings:
    """One check selected; with the configuration of an example, if it has one."""
    config = folder / "permcheck.toml"
    table = tomllib.loads(config.read_text("utf-8"))["lint"] if config.exists() else {}
    return replace(read_settings(config, table) if table else Settings(), select=(facts.id,), today=DAY)


def policy_with(folder: Path) -> Policy:
    """The shipped policy with the files of an example added to it."""
    return build_policy(tuple({**shipped(), **read_policy(folder)}.items()))


@cache
def shipped() -> dict[str, Form]:
    return read_policy(data_root() / "policy")


def test_every_check_has_facts_and_a_function() -> None:
    assert list(FACTS) == list(CHECKS)


@pytest.mark.parametrize("id_", FACTS)
def test_a_check_fires_on_its_bad_example(id_: str, tmp_path: Path) -> None:
    assert found(FACTS[id_], FACTS[id_].bad, tmp_path)


@pytest.mark.parametrize("id_", FACTS)
def test_a_check_is_silent_on_its_good_example(id_: str, tmp_path: Path) -> None:
    assert found(FACTS[id_], FACTS[id_].good, tmp_path) == []


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_check_finds_what_its_folder_says(path: Path, tmp_path: Path) -> None:
    """tests/checks/PCnnn/bad-* has a finding, good-* has none."""
    facts = FACTS[path.parent.name]
    alone = tmp_path / path.name
    alone.write_bytes(path.read_bytes())
    report = looked_at(facts, tmp_path, [alone], load_policy(), Settings(select=(facts.id,), today=DAY))
    assert not report.problems, report.problems
    assert bool(report.findings) == path.name.startswith("bad-")


@pytest.mark.parametrize("id_", FACTS)
def test_every_check_cites_a_passage(id_: str) -> None:
    assert set(FACTS[id_].sources) <= set(load_policy().sources)


@pytest.mark.parametrize("id_", FACTS)
def test_the_names_that_a_check_looks_for_exist(id_: str) -> None:
    """A list of ids that the policy does not know would never fire."""
    policy = load_policy()
    known = {*policy.permissions, *policy.roles, *(r.name for r in policy.roles.values())}
    for key, value in FACTS[id_].data.items():
        more = set(policy.actions) if key.startswith("actions") else set()
        if key.startswith(("permission", "role", "actions")):
            assert set(flat(value)) <= known | more, sorted(set(flat(value)) - known - more)


def flat(value: object) -> list[str]:
    if isinstance(value, dict):
        return [name for key, item in value.items() for name in (key, *flat(item))]
    if isinstance(value, list | tuple):
        return [name for item in value for name in flat(item)]
    return [str(value)]


def test_no_check_of_the_policy_finds_anything_in_the_shipped_policy() -> None:
    ids = tuple(id_ for id_, facts in FACTS.items() if facts.needs == "policy")
    report = lint([], load_policy(), Settings(select=ids), None)
    assert report.ran == ids
    assert [one.message for one in report.findings] == []


def test_no_check_finds_anything_in_the_clean_estate() -> None:
    """A check that runs by default leaves an estate alone that was set up with care."""
    report = lint([CLEAN], load_policy(), Settings(today=DAY), permcheck.load(CLEAN), permcheck.load(CLEAN))
    assert [f"{one.check}: {one.message}" for one in report.findings] == []
    assert not report.problems
    assert not report.unknown


def test_the_clean_estate_is_looked_at_by_every_check() -> None:
    """Whoever has nothing to hide gets no check to pass over: none lacks its facts, but for what an option declares."""
    report = lint([CLEAN], load_policy(), Settings(today=DAY), permcheck.load(CLEAN), permcheck.load(CLEAN))
    passed_over = {id_ for id_, facts in FACTS.items() if facts.default} - set(report.ran)
    assert passed_over == {one.check for one in report.not_run if "option" in one.why}


@given(strategies.partial_estates())
def test_checks_look_at_any_estate(data: tuple[strategies.Data, strategies.Data]) -> None:
    """Whatever an estate says or leaves open, every check ends, and says the same twice."""
    partial, whole = data
    for one in (partial, whole):
        reports = [lint([], load_policy(), Settings(select=("all",)), strategies.load_dict(one)) for _ in range(2)]
        assert reports[0] == reports[1]


@given(strategies.estates())
def test_checks_look_at_the_roles_of_any_estate(data: strategies.Data) -> None:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "estate.json"
        file.write_text(json.dumps(data), "utf-8")
        report = lint([file], load_policy(), Settings(select=("all",)), None)
    assert not report.unknown


CERTAIN = [id_ for id_ in FACTS if id_[:3] in {"PC4", "PC5", "PC6", "PC7"} and id_ not in {"PC510", "PC706", "PC710"}]
"""Checks of people, but for one that reports what is unknown, and two that name one of several roles."""


@given(strategies.partial_estates())
def test_what_is_found_without_a_fact_is_found_with_it(data: tuple[strategies.Data, strategies.Data]) -> None:
    """No finding on a guess. Whether accounts are enabled stays stated: one that nobody calls disabled counts."""
    partial, whole = data
    for one, other in zip(partial["users"], whole["users"], strict=True):
        one["enabled"] = other["enabled"]
    few, all_ = (
        {
            (one.check, one.subject)
            for one in lint([], load_policy(), Settings(select=tuple(CERTAIN)), strategies.load_dict(each)).findings
        }
        for each in (partial, whole)
    )
    assert few <= all_
