"""The parts of a decision that are worked out only when somebody reads them."""

from __future__ import annotations

from permcheck.evaluate.engine import Engine
from permcheck.evaluate.question import Question
from permcheck.model.decision import Fix, Further, Revocation, Turn
from permcheck.model.state import Verdict


def further(engine: Engine, question: Question) -> Further:
    """Return fixes of a deny, revocations of an allow, and what another way of reading would say."""

    def fixes() -> tuple[tuple[Fix, ...], str]:
        if engine.verdict(question) is not Verdict.DENY:
            return (), ""
        from permcheck.evaluate.fixes import (
            FixFinder,  # only a deny that somebody reads pays for it
        )

        return FixFinder(engine, question).find()

    def revoke() -> tuple[Revocation, ...]:
        if engine.verdict(question) is not Verdict.ALLOW:
            return ()
        from permcheck.evaluate.revocations import revocations

        return revocations(engine, question)

    def turn() -> tuple[Turn, ...]:
        from permcheck.evaluate.turns import turns

        return turns(engine, question, engine.verdict(question))

    return Further(fixes, revoke, turn)
