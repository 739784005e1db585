"""The law: what is not stated never decides.

Taking something out of an estate leaves a certain answer as it is or makes it undetermined; adding what was unknown
never turns one certain answer into the other. PERMCHECK_PAIRS says how many pairs of estates are tried.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import yaml
from knowledge import spelled_out
from permcheck.api import Estate
from permcheck.errors import LoadError, QuestionError, UnknownNameError
from permcheck.model.state import Verdict
from strategies import Ask, Data, load_dict

PAIRS = int(os.environ.get("PERMCHECK_PAIRS", "400"))
PARTS = 8
"""Reduced estates for each whole one."""
ASKED = 250
"""Questions for each pair, at most."""
ROOT = Path(__file__).parents[1]
FIXED = (
    *(ROOT / "examples" / name for name in ("contoso", "lab", "preview-2006")),
    *sorted((ROOT / "tests" / "cases" / "bases").glob("*.yaml")),
    ROOT / "tests" / "clean",
)


@cache
def fixed(path: Path) -> Data:
    """Read an estate as plain values, its files joined."""
    joined: Data = {}
    for file in sorted(path.glob("*.yaml")) if path.is_dir() else (path,):
        if file.name.endswith("permcheck-test.yaml"):
            continue
        for key, value in yaml.load(file.read_text("utf-8"), yaml.CSafeLoader).items():
            joined[key] = [*joined[key], *value] if isinstance(value, list) and key in joined else value
    return spelled_out(joined)


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
