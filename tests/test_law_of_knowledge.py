"""The law: what is not stated never decides.

Taking something out of an estate leaves a certain answer as it is or makes it undetermined; adding what was unknown
never turns one certain answer into the other. PERMCHECK_PAIRS says how many pairs of estates are tried.
"""

from __future__ import annotations

import json
import os
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import pytest
import yaml
from everybody import everything as everything_of
from everybody import wrong
from hypothesis import given, settings
from hypothesis import strategies as st
from knowledge import Removal, fields, less, removals, spelled_out
from permcheck.api import Estate
from permcheck.bulk.answers import Answers, View
from permcheck.errors import LoadError, QuestionError, UnknownNameError
from permcheck.model.state import Verdict
from strategies import READINGS, Ask, Data, crowds, estates, load_dict

PAIRS = int(os.environ.get("PERMCHECK_PAIRS", "400"))
FULL = 20_000
PARTS = 8
"""Reduced estates for each whole one."""
ASKED = 90
"""Questions for each pair, at most."""
ROOT = Path(__file__).parents[1]
FIXED = (
    *(ROOT / "examples" / name for name in ("contoso", "lab", "preview-2006")),
    *sorted((ROOT / "tests" / "cases" / "bases").glob("*.yaml")),
    ROOT / "tests" / "clean",
)


EVERYTHING: Data = {
    "tenant": {"name": "T", "multi_admin_approval": True, "use_intune_rbac_changed": "2026-01-01"},
    "hierarchies": [{"id": "P01", "name": "P", "version": 2409}],
    "users": [
        {"upn": "a@x.example", "id": f"{1:08}-0000-0000-0000-000000000000", "name": "A", "last_sign_in": "2026-01-01"},
        {"upn": "b@x.example"},
    ],
    "groups": [
        {
            "name": "G",
            "id": f"{2:08}-0000-0000-0000-000000000000",
            "members": ["a@x.example"],
            "eligible": ["b@x.example"],
            "role_assignable": True,
            "restricted_unit": True,
        },
        {"name": "H", "all_members": ["a@x.example"]},
    ],
    "entra_roles": [
        {
            "role": "Intune Administrator",
            "members": ["G"],
            "eligible": ["b@x.example"],
            "unit_members": ["b@x.example"],
        }
    ],
    "intune_roles": [
        {
            "name": "R",
            "id": f"{3:08}-0000-0000-0000-000000000000",
            "description": "R",
            "permissions": [],
            "scope_tags": ["0"],
            "not_allowed": ["Cloud attached devices\\View scripts"],
        }
    ],
    "intune_assignments": [
        {
            "name": "A",
            "id": f"{4:08}-0000-0000-0000-000000000000",
            "role": "R",
            "members": ["G"],
            "scope_type": "groups",
            "scope_groups": ["H"],
            "scope_tags": [],
        }
    ],
    "scope_tags": [{"id": "7", "name": "T"}],
    "security_scopes": [{"hierarchy": "P01", "id": "P0100001", "name": "Z"}],
    "security_roles": [{"name": "S", "id": "P0100001", "copied_from": "Read-only Analyst", "permissions": {}}],
    "collections": [
        {"id": "SMS00001", "name": "All Systems"},
        {"id": "C1", "name": "C", "limited_to": "SMS00001", "kind": "device", "members": ["D"], "include": []},
        {"id": "C2", "name": "C2", "limited_to": "SMS00001", "exclude": []},
    ],
    "scripts": [{"name": "X", "id": f"{5:08}-0000-0000-0000-000000000000", "author": "a@x.example"}],
    "applications": [{"name": "Y", "user_targeted": False}],
    "devices": [
        {
            "name": "D",
            "resource_id": 7,
            "entra_id": f"{6:08}-0000-0000-0000-000000000000",
            "intune_id": f"{7:08}-0000-0000-0000-000000000000",
            "client_version": "5.00.9132.1000",
            "uploaded": True,
        }
    ],
}
"""What the other estates never state."""
NEVER_ALONE = frozenset({"users", "hierarchies"})
"""What can't be taken out without something else: an estate that lacks it is refused."""


@cache
def fixed(path: Path) -> Data:
    """Read an estate as plain values, its files joined."""
    joined: Data = {}
    for file in sorted(path.glob("*.yaml")) if path.is_dir() else (path,):
        if file.name.endswith("permcheck-test.yaml"):
            continue
        for key, value in yaml.load(file.read_text("utf-8"), yaml.CSafeLoader).items():
            joined[key] = [*joined[key], *value] if isinstance(value, list) and key in joined else value
    return spelled_out(json.loads(json.dumps(joined, default=str)))  # days are texts


def questions(data: Data, estate: Estate) -> Iterator[Ask]:
    """Every question that names no more than its subject: users, acts, devices or hierarchies, and objects."""
    hierarchies = [h["id"] for h in data["hierarchies"]]
    only = hierarchies[0] if len(hierarchies) == 1 else None
    things = {
        kind: [(one["name"], one.get("hierarchy", only)) for one in data.get(f"{kind}s") or ()]
        for kind in ("script", "application")
    }
    for user in data["users"]:
        for name, action in estate.policy.actions.items():
            places: list[tuple[str | None, str | None]] = [(None, None)]
            if action.target == "device":
                places = [(one["name"], one.get("hierarchy", only)) for one in data.get("devices") or ()]
            elif action.target == "hierarchy":
                places = [(one, one) for one in hierarchies]
            for place, hierarchy in places:
                for act in (name, *(f"{name}:{variant.id}" for variant in action.variants)):
                    yield Ask(user["upn"], act, place)
                    for thing, owner in things.get(action.object or "", ()):
                        if owner == hierarchy:
                            yield Ask(user["upn"], act, place, thing)


def answer(estate: Estate, ask: Ask) -> Verdict | None:
    """Return a verdict; None where the estate no longer has what the question is about."""
    try:
        return estate.verdict(ask.user, ask.action, ask.device, object=ask.object)
    except (UnknownNameError, QuestionError):
        return None


def verdicts(estate: Estate, asks: Sequence[Ask]) -> dict[Ask, Verdict]:
    return {ask: one for ask in asks if (one := answer(estate, ask)) is not None}


def sample(asks: Sequence[Ask], seed: int) -> list[Ask]:
    """Return some of many questions: whole users, so that what they hold is worked out once."""
    users = list(dict.fromkeys(ask.user for ask in asks))
    random.Random(seed).shuffle(users)
    found: list[Ask] = []
    for user in users:
        mine = [ask for ask in asks if ask.user == user]
        found += random.Random(seed).sample(mine, min(len(mine), max(ASKED // 3, 1)))
        if len(found) >= ASKED:
            break
    return found


def broken(whole: dict[Ask, Verdict], part: Estate) -> list[tuple[Ask, Verdict, Verdict]]:
    """Return the questions that a reduced estate answers in another way than the whole, or where the whole can't."""
    found = []
    for ask, before in whole.items():
        after = answer(part, ask)
        if after not in (None, Verdict.UNDETERMINED, before):
            found.append((ask, before, after))
    return found


def loaded(data: Data) -> Estate | None:
    """Load a reduced estate; None where it is refused, which is no answer."""
    try:
        return load_dict(data)
    except LoadError:
        return None


# --- the law ----------------------------------------------------------------------------------------------------------

DROPPED: Counter[str] = Counter()
"""What was taken out in this run, by section and field."""


def tried(part: Data, chosen: Sequence[Removal]) -> Estate | None:
    """Load a reduced estate, and note what it lacks."""
    estate = loaded(part)
    if estate is not None:
        DROPPED.update(removal.what for removal in chosen)
    return estate


def wholes() -> st.SearchStrategy[Data]:
    """Draw an estate: a random one, with everything stated, or one of the examples."""
    return st.one_of(estates().map(spelled_out), estates().map(spelled_out), st.sampled_from(FIXED).map(fixed))


@settings(max_examples=max(PAIRS // PARTS, 1))
@given(st.data(), wholes(), st.integers(0, 2**16))
def test_taking_out_leaves_a_certain_answer_or_opens_it(data: st.DataObject, whole: Data, seed: int) -> None:
    """What a reduced estate says for certain, the whole says as well."""
    estate = load_dict(whole).with_settings(readings=data.draw(READ))
    before = verdicts(estate, sample(list(questions(whole, estate)), seed))
    everything = removals(whole)
    for _ in range(PARTS):
        chosen = data.draw(st.lists(st.sampled_from(everything), min_size=1, max_size=4, unique=True))
        part = tried(less(whole, chosen), chosen)
        if part is not None:
            reread = part.with_settings(readings=dict(estate.settings.readings))
            assert broken(before, reread) == [], [f"{one.how} {one.path}" for one in chosen]


READ = st.one_of(
    st.just({}),
    st.fixed_dictionaries({}, optional={name: st.sampled_from(found) for name, found in READINGS.items()}),
)


@pytest.mark.parametrize("path", FIXED[3:-1], ids=lambda path: path.stem)
def test_each_thing_alone(path: Path) -> None:
    """One thing after another is taken out of the estates of the corpus; all of them where many pairs are asked for."""
    whole = fixed(path)
    estate = load_dict(whole)
    before = verdicts(estate, sample(list(questions(whole, estate)), 0))
    everything = removals(whole)
    step = 1 if PAIRS >= FULL else max(len(everything) * len(FIXED) // PAIRS, 1)
    for removal in everything[::step]:
        part = tried(less(whole, [removal]), [removal])
        if part is not None:
            assert broken(before, part) == [], f"{removal.how} {removal.path}"


def test_every_section_and_field_can_be_taken_out() -> None:
    """Nothing that an estate may leave out is left out of the law: a new field has to be drawn, too."""
    there: set[str] = set()
    for whole in (*map(fixed, FIXED), EVERYTHING):
        there |= {removal.what for removal in removals(whole) if loaded(less(whole, [removal])) is not None}
    assert fields() - there == NEVER_ALONE


@settings(max_examples=max(PAIRS // 40, 1))
@given(st.data(), crowds())
def test_reduced_estates_are_answered_alike_all_at_once(data: st.DataObject, drawn: tuple[Data, Data]) -> None:
    """Everybody's answers at once are those of single questions, whatever is unknown."""
    whole = spelled_out(drawn[1])
    chosen = data.draw(st.lists(st.sampled_from(removals(whole)), min_size=1, max_size=4, unique=True))
    part = loaded(less(whole, chosen))
    if part is not None:
        assert wrong(part, Answers([View(part._engine)], everything_of([part]))) == []
