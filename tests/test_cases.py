"""The corpus: small questions with the answers that Microsoft's documents give.

`cases/<area>/<topic>.yaml` is a list of cases. Each names a base estate of `cases/bases`, what is changed
in it, the question, the answer and the passage of the documents that it comes from. A change is a path
and a value:

    tenant.use_intune_rbac: "Off"                               set a value
    hierarchies[PRD].update_ring: null                          delete a key: the fact is unknown
    groups[SG-Ops].members[ops@contoso.com]: null               delete an entry of a list
    users[+]: {upn: new@contoso.com}                            append an entry

An entry is chosen by any of its names: upn, name, id, role or code; an entry that is a text, by itself.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from permcheck.api import Estate, load
from permcheck.checks.facts import load_checks
from permcheck.checks.lint import lint
from permcheck.checks.settings import Settings
from permcheck.loading.policy import load_policy
from permcheck.model.decision import Decision
from permcheck.model.policy import Need
from permcheck.model.policy_index import Policy
from permcheck.model.state import State, Verdict

CASES = Path(__file__).parent / "cases"
NAMES = ("upn", "name", "id", "role", "code")
TOKEN = re.compile(r"([^.\[\]]+)|\[([^\]]*)\]")


@dataclass(frozen=True)
class Case:
    """One question and its answer."""

    place: str
    base: str
    ask: Mapping[str, str]
    expect: Mapping[str, Any]
    source: str
    says: str
    change: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def action(self) -> str:
        """The action that is asked about, without its variant."""
        return self.ask["action"].partition(":")[0]

    @property
    def ids(self) -> set[str]:
        """Requirements that the answer names, without the permission behind a colon."""
        named = [name for key in ("unmet", "unknown", "switches") for name in self.expect.get(key, ())]
        return {name.partition(":")[0] for name in named}


def read(path: Path) -> Any:
    """Parse one YAML file."""
    return yaml.load(path.read_text("utf-8"), yaml.CSafeLoader)


def discover() -> Iterator[Case]:
    """Every case of every file, in the order of the names."""
    for path in sorted(CASES.glob("*/*.yaml")):
        if path.parent.name != "bases":
            topic = f"{path.parent.name}/{path.stem}"
            for entry in read(path):
                yield Case(f"{topic}/{entry.pop('id')}", **entry)


ALL = tuple(discover())
TRIED = frozenset({str(case.expect): case.place for case in ALL}.values())
"""One case for each answer: these are asked for a way out as well, which takes longer."""


DEFAULTS = tuple(case for case in ALL if case.place.startswith("readings/defaults/"))


@cache
def base(name: str) -> Any:
    """A base estate, parsed once."""
    return read(CASES / "bases" / f"{name}.yaml")


def index_of(entries: list[Any], selector: str) -> int:
    """Where the entry is that a selector names. Raises LookupError if there is none."""
    for index, entry in enumerate(entries):
        names = [str(entry.get(name)) for name in NAMES] if isinstance(entry, dict) else [str(entry)]
        if selector in names:
            return index
    message = f"no entry is called {selector}"
    raise LookupError(message)


def change(estate: Any, path: str, value: Any) -> None:
    """Make one change in a parsed estate."""
    *above, (key, selector) = TOKEN.findall(path)
    here = estate
    for name, chosen in above:
        if name:
            here = here.setdefault(name, [] if path[path.index(name) + len(name) :].startswith("[") else {})
        else:
            here = here[index_of(here, chosen)]
    if selector == "+":
        here.append(value)
    elif selector and value is None:
        del here[index_of(here, selector)]
    elif selector:
        here[index_of(here, selector)] = value
    elif value is None:
        del here[key]
    else:
        here[key] = value


def estate_of(case: Case, folder: Path) -> Estate:
    """The estate of a case: its base with the changes, written to a file and loaded."""
    data = deepcopy(base(case.base))
    for path, value in case.change.items():
        change(data, path, value)
    file = folder / "estate.json"
    file.write_text(json.dumps(data), "utf-8")
    return load(file).with_settings(**case.settings)


def decision_of(estate: Estate, case: Case) -> Decision:
    """Ask the question of a case."""
    ask = case.ask
    return estate.check(ask["user"], ask["action"], ask.get("device"), object=ask.get("object"))


@pytest.mark.parametrize("case", ALL, ids=lambda case: case.place)
def test_case(case: Case, tmp_path: Path) -> None:
    estate = estate_of(case, tmp_path)
    decision = decision_of(estate, case)
    expect = case.expect
    found = {
        "verdict": decision.verdict.value,
        "unmet": sorted(requirement.id for requirement in decision.unmet),
        "unknown": sorted(requirement.id for requirement in decision.unknown),
        "authority": str(decision.authority),
        "error": decision.error.id if decision.error else None,
        "switches": sorted(r.id for r in decision.requirements if r.side == "switch" and r.state is State.UNMET),
    }
    certain: dict[str, Any] = {"unmet": [], "unknown": []} if expect["verdict"] != "undetermined" else {}
    wanted = certain | {key: value for key, value in expect.items() if key not in {"near", "missing"}}
    assert {key: found[key] for key in wanted} == wanted, case.says
    if "near" in expect:
        assert any(expect["near"] in near.text for near in decision.near_misses), decision.near_misses
    if "missing" in expect:
        assert any(expect["missing"] in missing.fact for missing in decision.missing), decision.missing
    ask = case.ask
    assert estate.verdict(ask["user"], ask["action"], ask.get("device"), object=ask.get("object")) is decision.verdict
    if case.place in TRIED:
        assert (decision.verdict is Verdict.DENY) == bool(decision.fixes or decision.no_fix)


# --- the corpus itself -----------------------------------------------------------


@pytest.fixture(scope="module")
def policy() -> Policy:
    """What the documents say, as the evaluator reads it."""
    return load_policy()


def test_cases_have_names_of_their_own() -> None:
    places = [case.place for case in ALL]
    assert sorted(set(places)) == sorted(places)


def test_cases_name_a_passage_and_say_it(policy: Policy) -> None:
    assert {case.source for case in ALL} <= set(policy.sources)
    assert [case.place for case in ALL if not case.says.endswith(".")] == []


def test_lists_are_sorted() -> None:
    for case in ALL:
        for key in ("unmet", "unknown", "switches"):
            assert case.expect.get(key, []) == sorted(case.expect.get(key, [])), case.place


def test_every_base_is_used() -> None:
    assert {case.base for case in ALL} == {path.stem for path in (CASES / "bases").glob("*.yaml")}


# --- what the corpus covers ------------------------------------------------------

ROLES = ("application-manager", "endpoint-security-manager", "read-only-operator", "school-administrator",
         "policy-and-profile-manager", "help-desk-operator")  # fmt: skip
TABLE = ("view-collections", "view-resource-explorer", "view-timeline", "view-software-updates", "view-scripts",
         "run-script", "run-cmpivot", "view-client-details", "view-applications", "take-application-action",
         "view-recovery-keys")  # fmt: skip
RELEASES = (2002, 2006, 2010, 2103, 2107, 2111, 2203, 2207)
NEVER_FAILS = {
    "CM-ROLE-EXISTS": "Full Administrator is built in and has every permission, so some role always has these",
}
APP_ROLE = {"editions": {"2020-07", "2020-09"}, "requirements": {"ENTRA-APPROLE", "ENTRA-APPROLE-GROUP"}}
"""Pages that came after these editions never asked for the app role."""
DECIDES_NOTHING = {
    "assigned-and-limited-collection": "it is about Modify and Delete of Collection, which no action needs",
}
DECIDES_NOTHING_CHECK = {"assigned-and-limited-collection": "editing-an-assigned-collection"}


def needs(entries: tuple[Need, ...], policy: Policy) -> Iterator[str]:
    """Ids of every requirement in a list of needs, whatever the conditions."""
    for need in entries:
        if need.id:
            yield need.id
        yield from needs((*need.all, *need.any, *policy.bundles.get(need.use or "", ())), policy)


def test_every_requirement_is_named(policy: Policy) -> None:
    named = {name for case in ALL for name in case.ids}
    assert set(policy.requirements) - named == set(NEVER_FAILS)


def test_every_requirement_of_every_action_is_taken_away_once(policy: Policy) -> None:
    lacking = []
    for action in policy.actions.values():
        named = {name for case in ALL if case.action == action.id for name in case.ids}
        rules = action.requires
        wanted = {name for side in (rules.common, rules.configmgr, rules.intune) for name in needs(side, policy)}
        if not APP_ROLE["editions"] & set(policy.describing(action)):
            wanted -= APP_ROLE["requirements"]
        lacking += [f"{action.id}: {name}" for name in sorted(wanted - named - set(NEVER_FAILS))]
    assert lacking == []


def test_every_action_is_allowed_once_where_the_documents_allow_it(policy: Policy) -> None:
    allowed = {case.action for case in ALL if case.expect["verdict"] == "allow"}
    never = {  # no document says what they take
        "set-enforce-cm-rbac", "view-connector-status", "import-azure-app", "upload-devices",
        "use-cloud-attach-wizard", "enable-endpoint-analytics-upload",
    }  # fmt: skip
    assert set(policy.actions) - allowed == never


def test_every_action_is_asked_in_every_edition(policy: Policy) -> None:
    asked = {(case.action, case.settings.get("edition")) for case in ALL}
    wanted = {(action.id, edition) for action in policy.actions.values() for edition in policy.editions}
    assert wanted - asked == set()


def test_every_alternative_of_every_reading_decides_something(policy: Policy) -> None:
    verdicts: dict[str, dict[str, set[str]]] = {}
    for case in ALL:
        for reading, alternative in case.settings.get("readings", {}).items():
            verdicts.setdefault(reading, {}).setdefault(alternative, set()).add(case.expect["verdict"])
    for reading in policy.readings.values():
        if reading.id not in DECIDES_NOTHING:
            found = verdicts.get(reading.id, {})
            assert set(found) == {alternative.id for alternative in reading.alternatives}, reading.id
            assert len(set.union(*found.values())) > 1, reading.id


def test_every_reading_has_a_case_at_its_default(policy: Policy, tmp_path: Path) -> None:
    """A case that chooses no reading, for each alternative that would change its answer: it fails at another default."""
    for reading in policy.readings.values():
        if reading.id not in DECIDES_NOTHING:
            left = {alternative.id for alternative in reading.alternatives} - {reading.default}
            for case in (case for case in DEFAULTS if case.place.removeprefix("readings/defaults/") == reading.id):
                estate = estate_of(case, tmp_path)
                for alternative in tuple(left):
                    decision = decision_of(estate.with_settings(readings={reading.id: alternative}), case)
                    left -= {alternative} if decision.verdict.value != case.expect["verdict"] else set()
            assert not left, f"no case of {reading.id} changes under these"


@pytest.mark.parametrize("reading", DECIDES_NOTHING)
def test_a_reading_that_decides_nothing_changes_what_a_check_finds(reading: str, tmp_path: Path) -> None:
    (check,) = (facts for facts in load_checks().values() if facts.name == DECIDES_NOTHING_CHECK[reading])
    file = tmp_path / check.bad[0].file
    file.write_text(check.bad[0].text, "utf-8")
    found = {}
    for chosen in ({}, {reading: "restored"}):
        report = lint([], load_policy(), Settings(select=(check.id,)), load(file).with_settings(readings=chosen))
        found[bool(chosen)] = bool(report.findings)
    assert found == {False: True, True: False}


def test_the_table_of_permissions_is_covered() -> None:
    asked = {(case.ask["user"].partition("@")[0], case.action) for case in ALL if case.place.startswith("intune/table")}
    assert {(role, action) for role in ROLES for action in TABLE} <= asked


def test_every_release_is_covered_on_both_sides() -> None:
    path = "hierarchies[PRD].version"
    released: dict[int, set[str]] = {}
    for case in ALL:
        if path in case.change:
            released.setdefault(case.change[path], set()).add(case.expect["verdict"])
    assert all({"allow", "deny"} <= released[release] for release in RELEASES)


def test_every_error_is_shown_once(policy: Policy) -> None:
    shown = {case.expect["error"] for case in ALL if case.expect.get("error")}
    assert shown <= set(policy.errors)
    assert len(shown) > len(policy.errors) // 2
