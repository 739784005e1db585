"""The strict answer: allow only if every edition and every reading allows."""

from __future__ import annotations

from dataclasses import replace

from permcheck.evaluate.decide import decide
from permcheck.evaluate.engine import Engine
from permcheck.evaluate.further import further
from permcheck.evaluate.question import Question
from permcheck.evaluate.turns import every_way, reread
from permcheck.model.decision import Decision
from permcheck.model.state import Verdict


def strict_decision(engine: Engine, question: Question) -> Decision:
    """Decide under the edition and readings that are the least favourable."""
    worst, doubtful = None, None
    for edition, readings in every_way(engine, question):
        other = reread(engine, edition=edition, readings=readings)
        verdict = other.verdict(question)
        if verdict is Verdict.DENY:
            worst = other
            break
        if verdict is Verdict.UNDETERMINED and doubtful is None:
            doubtful = other
    chosen = worst or doubtful or engine
    return replace(decide(chosen, question, further(chosen, question)), strict=True)
