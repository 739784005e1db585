"""An explanation as an outline: what text and Markdown both print, in one order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from permcheck.model.decision import Decision, Fix, Proof, Requirement, Step
from permcheck.model.policy_index import Policy
from permcheck.model.state import State, Verdict

MARKS = {State.MET: "ok", State.UNMET: "no", State.UNKNOWN: "?"}
CONSOLES = {
    "configmgr": "Configuration Manager console",
    "intune": "Intune admin center",
    "entra": "Entra admin center",
    "windows": "Windows",
    "server": "site server",
}
AUTHORITIES = {
    "configmgr": "Configuration Manager",
    "intune": "Intune",
    "both": "Configuration Manager and Intune, both must allow",
}
PATHS_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Line:
    """One line: its depth, its text, and what kind of thing it says."""

    depth: int
    text: str
    kind: str = ""
    mark: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and its lines."""

    heading: str
    lines: tuple[Line, ...]


class Notes:
    """Numbers sources in the order in which they are first cited."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}

    def cite(self, sources: tuple[str, ...]) -> str:
        """A mark such as `[1][3]`; empty without sources."""
        return "".join(f"[{self.numbers.setdefault(s, len(self.numbers) + 1)}]" for s in sources)


def sentence(decision: Decision) -> str:
    """The answer as one sentence."""
    what = decision.action + (f" with {decision.object}" if decision.object else "")
    where = f" on {decision.device}" if decision.device else (f" in {decision.hierarchy}" if decision.hierarchy else "")
    match decision.verdict:
        case Verdict.ALLOW:
            return f"{decision.user} can {what}{where}"
        case Verdict.DENY:
            return f"{decision.user} can't {what}{where}"
    return f"nobody can say from this estate whether {decision.user} can {what}{where}"


def outline(decision: Decision, policy: Policy) -> Iterator[Section]:
    """The sections of an explanation. Empty ones are left out."""
    notes = Notes()
    sections = [
        ("Who decides", _authority(decision, notes)),
        ("Missing facts", _missing(decision)),
        ("What is needed", _requirements(decision, notes)),
        ("How to fix it (each was tried on a copy of the estate)", _fixes(decision)),
        ("Near misses", [Line(0, n.text, "near") for n in decision.near_misses]),
        ("What the person sees", _error(decision, notes)),
        ("What would end this access", _revocations(decision)),
        ("Read in another way", _turns(decision, notes)),
        ("Notes", [Line(0, note) for note in decision.notes]),
        ("Not looked at", [Line(0, text) for text in decision.not_modelled]),
        ("The other side, which does not decide here", _other_side(decision, notes)),
    ]
    for heading, lines in sections:
        if lines:
            yield Section(heading, tuple(lines))
    yield Section("Sources", tuple(_sources(policy, notes)))


def _step(step: Step, notes: Notes) -> str:
    place = f"  ({step.origin})" if step.origin else ""
    cited = notes.cite(step.sources)
    return f"{step.text}{place}{' ' + cited if cited else ''}"


def _authority(decision: Decision, notes: Notes) -> list[Line]:
    found = decision.authority
    if found is None:
        return []
    names = " or ".join(AUTHORITIES[name] for name in found.names)
    lines = [Line(0, names, "authority"), *(Line(1, _step(step, notes)) for step in found.steps)]
    return [*lines, Line(1, f"judged by the documents of {' and '.join(decision.editions)}")]


def _missing(decision: Decision) -> list[Line]:
    return [Line(0, f"{m.fact}: {m.text}", "missing") for m in decision.missing]


def _requirements(decision: Decision, notes: Notes) -> list[Line]:
    return [line for r in decision.requirements if r.counts for line in _requirement(r, notes)]


def _requirement(requirement: Requirement, notes: Notes) -> Iterator[Line]:
    r = requirement
    group = " (one of several is enough)" if r.group and r.state is not State.MET else ""
    cited = notes.cite(r.sources)
    yield Line(0, f"{r.id}  {r.needs}{group} {cited}".rstrip(), "requirement", MARKS[r.state])
    for proof in r.proofs[:PATHS_SHOWN]:
        yield from _proof(proof, notes)
    if len(r.proofs) > PATHS_SHOWN:
        yield Line(1, f"and {len(r.proofs) - PATHS_SHOWN} more ways")
    if r.state is State.UNKNOWN:
        yield from (Line(1, f"unknown: {m.fact} ({m.text})", "missing") for m in r.missing)
    if r.state is State.UNMET:
        yield from _advice(r)


def _proof(proof: Proof, notes: Notes) -> Iterator[Line]:
    for number, step in enumerate(proof.steps):
        text = _step(step, notes)
        yield Line(1, text if number == 0 or proof.kind != "grant" else f"-> {text}", "proof")


def _advice(requirement: Requirement) -> Iterator[Line]:
    if requirement.fix:
        yield Line(1, requirement.fix, "advice")
    for place in requirement.where:
        yield Line(1, f"{CONSOLES[place.console]}: {place.path}", "place")
    if requirement.takes:
        yield Line(1, f"takes {requirement.takes}", "place")


def _fixes(decision: Decision) -> list[Line]:
    if decision.no_fix:
        return [Line(0, f"none: {decision.no_fix}")]
    return [line for number, fix in enumerate(decision.fixes, 1) for line in _fix(number, fix)]


def _fix(number: int, fix: Fix) -> Iterator[Line]:
    for index, text in enumerate(fix.texts):
        yield Line(0 if index == 0 else 1, f"{number}. {text}" if index == 0 else f"and {text}", "fix")
    what = "no further permission" if not fix.gained else f"{fix.gained} permission{'s'[: fix.gained > 1]}"
    takes = f"; takes {', '.join(fix.takes)}" if fix.takes else ""
    yield Line(1, f"gives the user {what}{takes}", "place")
    for place in fix.where:
        yield Line(1, f"{CONSOLES[place.console]}: {place.path}", "place")


def _error(decision: Decision, notes: Notes) -> list[Line]:
    found = decision.error
    if found is None:
        return []
    lines = [Line(0, f"“{found.text}” {notes.cite(found.sources)}".rstrip(), "error"), Line(0, "The same text also means:")]
    return [*lines, *(Line(1, cause) for cause in found.causes)]


def _revocations(decision: Decision) -> list[Line]:
    return [
        Line(0, f"{number}. without: " + "; and ".join(step.text for step in r.grants))
        for number, r in enumerate(decision.revocations, 1)
    ]


def _turns(decision: Decision, notes: Notes) -> list[Line]:
    return [
        Line(0, f"{turn.verdict.value} if {_turn(turn.kind, turn.name, turn.alternative)} {notes.cite(turn.sources)}".rstrip())
        for turn in decision.turns
    ]


def _turn(kind: str, name: str, alternative: str) -> str:
    return f"the edition is {name}" if kind == "edition" else f"the reading {name} is {alternative}"


def _other_side(decision: Decision, notes: Notes) -> list[Line]:
    lines = []
    for r in decision.requirements:
        if not r.counts and not r.group:
            lines.append(Line(0, f"{r.id}  {r.needs} {notes.cite(r.sources)}".rstrip(), "requirement", MARKS[r.state]))
    return lines


def _sources(policy: Policy, notes: Notes) -> Iterator[Line]:
    for source, number in notes.numbers.items():
        passage, document = policy.sources[source], policy.document_of(source)
        yield Line(0, f"[{number}] {document.title}, “{passage.heading}”, {document.date}: {passage.says}", "source")
