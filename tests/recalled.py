"""Compare what was compiled of an estate with the whole evaluator, question by question."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Final

from permcheck.api import Estate
from permcheck.cache.compile import compiled
from permcheck.cache.pages import open_pages, write_pages
from permcheck.cache.recall import recall
from permcheck.model.state import Verdict
from permcheck.render.brief import brief

KEY: Final = b"a key for tests, thirty-two long"
ALWAYS: Final = {(Verdict.ALLOW, True), (Verdict.DENY, True), (Verdict.UNDETERMINED, False)}
"""What is certain is recalled, and nothing else."""


def questions(estate: Estate) -> Iterator[tuple[str, str, str | None]]:
    """Every user, action, variant and place."""
    for user in estate.tables.users.values():
        for action in estate.policy.actions.values():
            for variant in ("", *(f":{one.id}" for one in action.variants)):
                for where in _places(estate, action.target):
                    yield user.upn, action.id + variant, where


def _places(estate: Estate, target: str) -> list[str | None]:
    if target == "device":
        return [key.partition("/")[2] for key in estate.tables.devices]
    return [None] if target == "tenant" else [h.id for h in estate.tables.hierarchies.values()]


def compared(estate: Estate, most: int = 2000) -> Counter[tuple[Verdict, bool]]:
    """Compare answers, drawn from all, and count them: verdict, and whether it was recalled."""
    seen: Counter[tuple[Verdict, bool]] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "x.sqlite")
        assert write_pages(path, KEY, {}, compiled(estate))
        known = open_pages(path, KEY)
        assert known is not None
        asked = list(questions(estate))
        for question in Random(0).sample(asked, min(most, len(asked))):
            decision = estate.check(*question)
            recalled = recall(known, *question)
            assert recalled is None or recalled.answer == brief(decision), question
            seen[decision.verdict, recalled is not None] += 1
        known.close()
    return seen
