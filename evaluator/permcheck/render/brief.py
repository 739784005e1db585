"""A decision in one line. It is printed without the rest of permcheck where the answer was compiled before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from permcheck.model.state import Verdict
from permcheck.printable import printable

if TYPE_CHECKING:
    from permcheck.model.decision import Decision

DECIDERS: Final = {
    "configmgr": "Configuration Manager",
    "intune": "Intune",
    "both": "Configuration Manager and Intune",
}
FEW: Final = 8


class Brief(NamedTuple):
    """What the line says."""

    verdict: Verdict
    user: str
    what: str
    """Action, variant and object."""
    where: str
    """Device or hierarchy, with its preposition; empty for the tenant."""
    authority: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()
    """Ids of requirements that fail."""
    assumed: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    """Missing facts."""
    strict: tuple[str, ...] = ()
    """Editions by which a strict answer was found."""


def brief(decision: Decision) -> Brief:
    """Return a decision in short."""
    return Brief(
        decision.verdict,
        decision.user,
        decision.action + (f" with {decision.object}" if decision.object else ""),
        where(decision.device, decision.hierarchy),
        decision.authority.names if decision.authority else (),
        tuple(dict.fromkeys(r.id for r in decision.unmet)),
        tuple(dict.fromkeys(r.id for r in decision.requirements if r.assumed and r.counts)),
        tuple(dict.fromkeys(m.fact for m in decision.missing)),
        decision.editions if decision.strict else (),
    )


def where(device: str | None, hierarchy: str | None) -> str:
    """Say where an action takes place."""
    return f" on {device}" if device else (f" in {hierarchy}" if hierarchy else "")


def sentence(answer: Brief) -> str:
    """Return the answer as one sentence."""
    match answer.verdict:
        case Verdict.ALLOW:
            return f"{answer.user} can {answer.what}{answer.where}"
        case Verdict.DENY:
            return f"{answer.user} can't {answer.what}{answer.where}"
    return f"nobody can say from this estate whether {answer.user} can {answer.what}{answer.where}"


def brief_line(answer: Brief) -> str:
    """Verdict, the answer as a sentence, and what decides it."""
    reasons = []
    if answer.authority:
        reasons.append("decided by " + " or ".join(DECIDERS[name] for name in answer.authority))
    if answer.strict:
        reasons.append(f"strict, by the documents of {' and '.join(answer.strict)}")
    if answer.verdict is Verdict.DENY:
        reasons.append("lacks " + ", ".join(answer.lacks))
    if answer.verdict is Verdict.UNDETERMINED:
        reasons.append("not known: " + _few(answer.unknown))
    if answer.assumed:
        reasons.append("assuming " + ", ".join(answer.assumed))
    why = f" ({'; '.join(reasons)})" if reasons else ""
    return printable(f"{answer.verdict.value}: {sentence(answer)}{why}")


def _few(facts: tuple[str, ...]) -> str:
    """List facts; a line of thirty tells nobody anything."""
    if len(facts) <= FEW:
        return ", ".join(facts)
    return f"{', '.join(facts[:FEW])} and {len(facts) - FEW} more, which `permcheck explain` lists"
