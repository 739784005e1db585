"""A decision in one line."""

from __future__ import annotations

from permcheck.model.decision import Decision
from permcheck.model.state import Verdict
from permcheck.printable import printable
from permcheck.render.outline import sentence

DECIDERS = {
    "configmgr": "Configuration Manager",
    "intune": "Intune",
    "both": "Configuration Manager and Intune",
}
FEW = 8


def brief_line(decision: Decision) -> str:
    """Verdict, the answer as a sentence, and what decides it."""
    reasons = []
    if decision.authority is not None:
        reasons.append("decided by " + " or ".join(DECIDERS[name] for name in decision.authority.names))
    if decision.strict:
        reasons.append(f"strict, by the documents of {' and '.join(decision.editions)}")
    if decision.verdict is Verdict.DENY:
        reasons.append("lacks " + ", ".join(dict.fromkeys(r.id for r in decision.unmet)))
    if decision.verdict is Verdict.UNDETERMINED:
        reasons.append("not known: " + _few(tuple(dict.fromkeys(m.fact for m in decision.missing))))
    assumed = [r.id for r in decision.requirements if r.assumed and r.counts]
    if assumed:
        reasons.append("assuming " + ", ".join(dict.fromkeys(assumed)))
    why = f" ({'; '.join(reasons)})" if reasons else ""
    return printable(f"{decision.verdict.value}: {sentence(decision)}{why}")


def _few(facts: tuple[str, ...]) -> str:
    """List facts; a line of thirty tells nobody anything."""
    if len(facts) <= FEW:
        return ", ".join(facts)
    return f"{', '.join(facts[:FEW])} and {len(facts) - FEW} more, which `permcheck explain` lists"
