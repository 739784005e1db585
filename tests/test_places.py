"""Where something is changed, and how long that takes: a passage says both, and the hierarchy's release has the place."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from permcheck import Estate, load
from permcheck.loading.policy import load_policy
from permcheck.model.change import SetFact
from permcheck.model.decision import Decision, Place, Requirement
from permcheck.model.policy import Place as PolicyPlace
from permcheck.model.policy import Wait
from permcheck.model.policy_index import Policy
from permcheck.render.outline import CONSOLES, Line, outline
from permcheck.render.reference import reference

ROOT = Path(__file__).parent.parent
CLOUD_ATTACH = "Administration > Cloud Services > Cloud Attach > CoMgmtSettingsProd > Properties > Configure upload"
CO_MANAGEMENT = CLOUD_ATTACH.replace("Cloud Attach", "Co-management")
ONLY_SINCE_2207 = "Role-based Access Control"
ASKED = ("helpdesk@contoso.com", "view-client-details", "PC-1042")


@cache
def policy() -> Policy:
    return load_policy()


def places() -> Iterator[tuple[str, PolicyPlace]]:
    """Every place of the policy, with what it belongs to."""
    authority = policy().authority
    yield from ((one.id, place) for one in policy().requirements.values() for place in one.where)
    yield from ((switch.name, switch.where) for switch in (authority.toggle, authority.checkbox))


def waits() -> Iterator[tuple[str, Wait]]:
    """Every wait of the policy, with what it belongs to."""
    authority = policy().authority
    yield from ((one.id, one.takes) for one in policy().requirements.values() if one.takes)
    yield from ((switch.name, switch.takes) for switch in (authority.toggle, authority.checkbox) if switch.takes)


def said(sources: tuple[str, ...]) -> str:
    """What passages say, in lower case and with single spaces."""
    return " ".join(policy().sources[source].says for source in sources).lower()


# --- the policy -------------------------------------------------------------------------------------------------------


def test_the_passages_of_a_place_name_every_part_of_its_path() -> None:
    """A path is what a page says, not what seems likely.

    A passage is in our words, so it can't be compared with the page; but what it doesn't say, nobody looked up. Each
    node, tab and button of a path must stand, letter by letter and whole, in what the place's passages say together,
    and each of its passages must name at least one.
    """
    for owner, place in places():
        parts = place.path.lower().split(" > ")
        missing = [part for part in parts if not stands_in(part, said(place.sources))]
        assert missing == [], f"{owner}: {place.path}"
        idle = [source for source in place.sources if not any(stands_in(part, said((source,))) for part in parts)]
        assert idle == [], f"{owner}: {place.path}"


def stands_in(part: str, text: str) -> bool:
    """Tell whether a name stands in a text, not as part of a longer word."""
    return re.search(rf"(?<!\w){re.escape(part)}(?!\w)", text) is not None


@pytest.mark.parametrize(("part", "found"), [("sites", True), ("site", False), ("scope (tags)", True), ("tags", True)])
def test_a_part_of_a_path_is_a_whole_name(part: str, *, found: bool) -> None:
    assert stands_in(part, "under sites and scope (tags), there is more") is found


LENGTH = re.compile(r"(?:\d+ to )?(?:\d+|an?|five|a few) (?:minutes|hours?|day)\b")


def test_the_passages_of_a_wait_name_its_length() -> None:
    """Each length of a wait, or what it waits for where it has none, stands in what each of its passages says."""
    for owner, wait in waits():
        told = LENGTH.findall(wait.time) or [wait.time.split()[-1]]
        assert [part for part in told for source in wait.sources if not stands_in(part, said((source,)))] == [], owner


def test_a_place_is_the_same_wherever_it_is_named() -> None:
    """One way to go in one console has one set of passages and releases."""
    known: dict[tuple[str, str], PolicyPlace] = {}
    for owner, place in places():
        assert known.setdefault((place.console, place.path), place) == place, owner


def test_every_console_has_a_name() -> None:
    assert {place.console for _, place in places()} == set(CONSOLES)


# --- decisions --------------------------------------------------------------------------------------------------------


@cache
def contoso(version: int | None) -> Estate:
    """The example tenant with another release of the hierarchy of production, whose device was never uploaded."""
    estate = load(ROOT / "examples/contoso")
    device = next(key for key, device in estate.tables.devices.items() if device.name == "PC-1042")
    upload = SetFact("device", device, "uploaded", value=False)
    return estate.with_changes(SetFact("hierarchy", "prd", "version", version), upload)


def found(decision: Decision, id_: str) -> Requirement:
    return next(one for one in decision.requirements if one.id == id_)


def paths(where: tuple[Place, ...]) -> list[str]:
    return [place.path for place in where]


@pytest.mark.parametrize(("version", "path"), [(2103, CO_MANAGEMENT), (2107, CLOUD_ATTACH), (2403, CLOUD_ATTACH)])
def test_a_decision_names_the_places_of_the_release(version: int, path: str) -> None:
    """The node is Co-management through 2103, and Cloud Attach in every later release."""
    where = found(contoso(version).check(*ASKED), "DEV-UPLOADED").where
    assert paths(where) == [path]
    assert [place.releases for place in where] == [""]


def test_a_decision_about_an_unknown_release_names_all_places_with_their_releases() -> None:
    where = found(contoso(None).check(*ASKED), "DEV-UPLOADED").where
    assert [(place.path, place.releases) for place in where] == [
        (CLOUD_ATTACH, "from 2107"),
        (CO_MANAGEMENT, "before 2107"),
    ]


@pytest.mark.parametrize(("version", "shown"), [(2103, ["Co-management"]), (2403, ["Cloud Attach"])])
def test_an_explanation_names_the_places_of_the_release(version: int, shown: list[str]) -> None:
    lines = [line.text for line in explained(contoso(version).check(*ASKED)) if "Configure upload" in line.text]
    assert [node for line in lines for node in ("Co-management", "Cloud Attach") if f"> {node} >" in line] == shown
    assert [line for line in lines if "2107" in line] == []


def test_an_explanation_about_an_unknown_release_names_the_releases() -> None:
    lines = [line.text for line in explained(contoso(None).check(*ASKED)) if "Configure upload" in line.text]
    assert [re.findall(r"\((?:from|before) \d+\)", line) for line in lines] == [["(from 2107)"], ["(before 2107)"]]


def explained(decision: Decision) -> list[Line]:
    sections = outline(decision, policy())
    return [line for section in sections if section.heading == "What stops it" for line in section.lines]


def test_a_fix_names_the_places_of_the_release_on_which_it_is_made() -> None:
    """On 2103 there is no checkbox yet; a fix that brings the release along names it."""
    fixes = contoso(2403).check("cloud-helpdesk@contoso.com", "run-cmpivot", "PC-1042").fixes
    assert any(path.endswith(ONLY_SINCE_2207) for fix in fixes for path in paths(fix.where))
    for fix in contoso(2103).check("cloud-helpdesk@contoso.com", "run-cmpivot", "PC-1042").fixes:
        newer = any(isinstance(change, SetFact) and change.fact == "version" for change in fix.changes)
        named = any(path.endswith(ONLY_SINCE_2207) for path in paths(fix.where))
        assert named <= newer


@pytest.mark.parametrize("version", [2103, 2403, None])
def test_no_place_is_of_another_release(version: int | None) -> None:
    """Of all requirements of a decision, and of its fixes."""
    known = {(place.console, place.path): place for _, place in places()}
    decision = contoso(version).check(*ASKED)
    for place in (p for one in (*decision.requirements, *decision.fixes) for p in one.where):
        assert known[place.console, place.path].holds_for(version)
        assert place.sources == known[place.console, place.path].sources


def test_the_reference_names_the_releases_of_each_place() -> None:
    lines = [line.text for section in reference(policy(), "requirement", "DEV-UPLOADED") for line in section.lines]
    assert [line for line in lines if f"{CLOUD_ATTACH} (from 2107) [" in line]
    assert [line for line in lines if f"{CO_MANAGEMENT} (before 2107) [" in line]
    assert [line for line in lines if re.fullmatch(r"takes 15 minutes .* more \[\d+\]", line)]


def test_a_requirement_without_a_wait_says_nothing_of_one() -> None:
    decision = contoso(2403).check("cloud-helpdesk@contoso.com", "run-cmpivot", "PC-1042")
    silent = [one for one in decision.unmet if not policy().requirements[one.id].takes]
    assert silent
    assert [one for one in silent if one.takes or one.takes_sources] == []
