"""The evaluator and the oracle agree on random estates in which everything is known."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given, settings
from oracle import Oracle, authority, both, edition_of, some
from permcheck.evaluate.worlds import authority as row_of
from permcheck.loading.policy import load_policy
from permcheck.model.decision import Decision
from permcheck.model.state import State, Verdict, all_of, any_of
from strategies import VERSIONS, Ask, Data, estates, every_question, load_dict

ASKED = (
    "run-cmpivot",
    "run-cmpivot:Administrators",
    "run-script",
    "view-resource-explorer",
    "sync-machine-policy",
    "take-application-action",
    "take-application-action:user-targeted",
    "take-application-action:uninstall",
    "view-timeline",
    "view-device-in-list",
)
SAYS = {True: Verdict.ALLOW, False: Verdict.DENY, None: Verdict.UNDETERMINED}
STATES = {True: State.MET, False: State.UNMET, None: State.UNKNOWN}


def differences(oracle: Oracle, decision: Decision) -> dict[str, tuple[State, State]]:
    """Requirements on which the two disagree: the evaluator's state and the oracle's."""
    asked = [need for side in oracle.sides() for need in oracle.flat(getattr(oracle.rule.requires, side))]
    expected: dict[str, list[State]] = {}
    for need in asked:
        title = f":{oracle.policy.title(need.permission)}" if need.permission else ""
        expected.setdefault(need.id + title, []).append(STATES[oracle.requirement(need)])
    found = {r.id: r.state for r in decision.requirements if r.counts}
    return {
        id_: (found[id_], states[0]) for id_, states in expected.items() if found.get(id_, states[0]) is not states[0]
    }


@settings(max_examples=80)
@given(estates())
def test_the_evaluator_agrees_with_the_oracle(data: Data) -> None:
    """Two programs that share only the policy come to the same verdicts, requirement by requirement."""
    estate = load_dict(data)
    for ask in every_question(data, ASKED):
        oracle = Oracle(data, *ask)
        decision = estate.check(ask.user, ask.action, ask.device, object=ask.object)
        assert differences(oracle, decision) == {}, ask
        assert decision.verdict is SAYS[oracle.verdict()], ask
        assert estate.verdict(ask.user, ask.action, ask.device, object=ask.object) is decision.verdict


@given(estates(readings=False))
def test_the_oracle_agrees_on_who_decides(data: Data) -> None:
    """The toggle belongs to the tenant and the checkbox to a hierarchy: each device is judged by its own."""
    estate = load_dict(data)
    for ask in every_question(data, ["run-cmpivot"]):
        decision = estate.check(*ask[:3])
        sides = set(Oracle(data, *ask).sides()) - {"common"}
        expected = "both" if len(sides) == 2 else sides.pop()
        assert decision.authority is not None
        assert decision.authority.names == (expected,)


@pytest.mark.parametrize("edition", load_policy().editions)
@pytest.mark.parametrize("along", ["both", "configmgr-only"])
def test_the_switch_table_in_full(edition: str, along: str) -> None:
    """Only On, cleared and 2207 or later leave Intune alone; every other row keeps Configuration Manager."""
    policy = load_policy()
    readings = policy.defaults() | {"toggle-on-checkbox-checked": along}
    for toggle, checked, version in product((True, False), (True, False), policy.versions):
        row = row_of(policy, readings, edition, version, toggle=toggle, checkbox=checked)
        expected = authority(toggle=toggle, checked=checked, version=version, edition=edition, along=along == "both")
        assert row.authority == expected
        assert (row.authority == "intune") == (toggle and not checked and version >= 2207 and edition >= "2022-08")


@pytest.mark.parametrize("version", VERSIONS)
def test_each_release_has_its_edition(version: int) -> None:
    assert load_policy().edition_for(version) == edition_of(version)


def test_both_logics_agree() -> None:
    """A certain failure beats an unknown; a certain success beats it where one is enough."""
    for values in product((True, False, None), repeat=3):
        states = [STATES[value] for value in values]
        assert all_of(states) is STATES[both(values)]
        assert any_of(states) is STATES[some(values)]


def test_the_random_estates_give_both_verdicts_of_every_action() -> None:
    seen: set[tuple[str, Verdict]] = set()

    @settings(max_examples=60, derandomize=True)
    @given(estates())
    def look(data: Data) -> None:
        estate = load_dict(data)
        asks: list[Ask] = list(every_question(data, ASKED))
        seen.update((a.action, estate.verdict(a.user, a.action, a.device, object=a.object)) for a in asks)

    look()
    assert {(action, one) for action in ASKED for one in (Verdict.ALLOW, Verdict.DENY)} <= seen
