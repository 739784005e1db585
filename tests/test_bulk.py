"""All answers at once are the answers of single questions, cell by cell, on random estates."""

from __future__ import annotations

import sys
from collections import Counter

import pytest
from everybody import acts, cells, everything, wrong
from hypothesis import given, settings
from hypothesis import strategies as st
from permcheck.api import Estate
from permcheck.bulk.act import Act
from permcheck.bulk.answers import Answers, View
from permcheck.bulk.regions import indices
from permcheck.bulk.warm import Warm
from permcheck.graph.node import Grant, Node
from permcheck.model.change import AddMember, RemoveMember
from permcheck.model.state import Verdict
from strategies import READINGS, Data, crowds, load_dict


@given(crowds())
def test_every_cell_is_what_a_single_question_says(drawn: tuple[Data, Data]) -> None:
    for data in drawn:
        estate = load_dict(data)
        assert wrong(estate, Answers([View(estate._engine)], everything([estate]))) == []


@given(crowds(), st.fixed_dictionaries({name: st.sampled_from(found) for name, found in READINGS.items()}))
def test_under_whichever_readings(drawn: tuple[Data, Data], readings: dict[str, str]) -> None:
    estate = load_dict(drawn[1]).with_settings(readings={"assigned-and-limited-collection": "restored"} | readings)
    assert wrong(estate, Answers([View(estate._engine)], everything([estate]))) == []


@settings(max_examples=10)
@given(crowds())
def test_strictly(drawn: tuple[Data, Data]) -> None:
    estate = load_dict(drawn[1]).with_settings(strict=True)
    assert wrong(estate, Answers([View(estate._engine, strict=True)], everything([estate]))) == []


@given(crowds(), crowds())
def test_two_estates_side_by_side(one: tuple[Data, Data], two: tuple[Data, Data]) -> None:
    estates = [load_dict(one[0]), load_dict(two[1])]
    answers = Answers([View(estate._engine) for estate in estates], everything(estates))
    for place, estate in enumerate(estates):
        assert wrong(estate, answers, place) == []


def edges(estate: Estate) -> dict[Node, list[tuple[Node, Grant]]]:
    """The grants of an estate, in their order."""
    adj = estate.grants.container.adj
    return {start: [(end, data["grant"]) for end, data in ends.items()] for start, ends in adj.items() if ends}


@settings(max_examples=20)
@given(crowds(), st.booleans(), st.data())
def test_estates_that_differ_in_members_share_answers(
    drawn: tuple[Data, Data],
    strict: bool,  # noqa: FBT001 - drawn
    data: st.DataObject,
) -> None:
    estates = [load_dict(drawn[data.draw(st.integers(0, 1))]).with_settings(strict=strict)]
    tables = estates[0].tables
    for _ in range(data.draw(st.integers(1, 3))):
        group, user = (
            data.draw(st.sampled_from(sorted(tables.members))),
            data.draw(st.sampled_from(sorted(tables.users))),
        )
        old = estates[data.draw(st.integers(0, len(estates) - 1))]
        inside = user in old.tables.members[group].users
        estates.append(old.with_changes(RemoveMember(group, user) if inside else AddMember(group, user)))
        assert edges(estates[-1]) == edges(Estate(estates[-1].tables, old.policy))
    views = [estate.view for estate in estates]
    selection = everything(estates) if not strict else everything(estates)._replace(acts=acts(estates[0])[:3])
    answers = Answers(views, selection)
    for place, estate in enumerate(estates):
        assert wrong(estate, answers, place) == []


@settings(max_examples=20)
@given(crowds(), st.sampled_from(["numpy", "without"]))
def test_what_is_worked_out_is_said_again(drawn: tuple[Data, Data], how: str) -> None:
    estate = load_dict(drawn[0])
    answers = Answers([View(estate._engine)], everything([estate]))
    with pytest.MonkeyPatch.context() as patch:
        if how == "without":
            patch.setitem(sys.modules, "numpy", None)
        warm = Warm(answers)
        could: dict[tuple[str, str, Verdict], set[str]] = {}
        much: Counter[tuple[str, str, Verdict]] = Counter()
        for question, verdict in cells(answers, 0):
            act = str(Act(question.action, question.variant))
            device = question.device or question.hierarchy or ""
            assert warm.check(question.user, act, device) is verdict
            could.setdefault((act, device, verdict), set()).add(question.user)
            much[question.user, act, verdict] += 1
        for act, device in {key[:2] for key in could}:
            found = warm.who_can(act, device)
            assert {*warm.users(found.allowed)} == could.get((act, device, Verdict.ALLOW), set())
            assert {*warm.users(found.undetermined)} == could.get((act, device, Verdict.UNDETERMINED), set())
        for user in estate.tables.users:
            for act, can in warm.what_can(user).items():
                assert can == (much[user, act, Verdict.ALLOW], much[user, act, Verdict.UNDETERMINED])


@given(st.lists(st.integers(1, 9), min_size=1, max_size=40), st.data())
def test_counting_is_adding_up(sizes: list[int], data: st.DataObject) -> None:
    from permcheck.bulk.regions import Regions, bits_of

    chosen = data.draw(st.sets(st.integers(0, len(sizes) - 1)))
    bits = bits_of(chosen, len(sizes))
    assert indices(bits) == sorted(chosen)
    assert Regions(sizes).count(bits) == sum(sizes[i] for i in chosen)
