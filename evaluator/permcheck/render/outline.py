"""An explanation as an outline: what text and Markdown both print, in one order."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from permcheck.model.decision import Decision, Fix, Opened, Place, Proof, Requirement, Step
from permcheck.model.policy_index import Policy
from permcheck.model.state import State, Verdict

MARKS = {State.MET: "ok", State.UNMET: "no", State.UNKNOWN: "?"}
CONSOLES = {
    "configmgr": "Configuration Manager console",
    "intune": "Intune admin center",
    "entra": "Entra admin center",
    "microsoft365": "Microsoft 365 admin center",
    "windows": "Windows",
    "server": "site server",
}
AUTHORITIES = {
    "configmgr": "Configuration Manager",
    "intune": "Intune",
    "both": "Configuration Manager and Intune, both must allow",
}
PATHS_SHOWN = 3
FIXES_SHOWN = 4


class Line(NamedTuple):
    """One line: its depth, its text, and what kind of thing it says."""

    depth: int
    text: str
    kind: str = ""
    mark: str = ""


class Section(NamedTuple):
    """A heading and its lines."""

    heading: str
    lines: tuple[Line, ...]


class Notes:
    """Numbers sources in the order in which they are first cited.

    Of several sources for one thing, the most telling are cited: those that were there at the
    edition's date before later ones, the specification before other pages, newer before older.
    """

    def __init__(self, policy: Policy, day: str = "9999") -> None:
        self.policy, self.day = policy, day
        self.numbers: dict[str, int] = {}

    def cite(self, sources: tuple[str, ...], limit: int = 2) -> str:
        """Return a mark such as `[1][3]`; empty without sources."""
        chosen = sorted(sorted(sources, key=self._date, reverse=True), key=self._rank)[:limit]
        return "".join(f"[{self.numbers.setdefault(s, len(self.numbers) + 1)}]" for s in chosen)

    def _date(self, source: str) -> str:
        return self.policy.document_of(source).date

    def _rank(self, source: str) -> tuple[bool, bool]:
        document = self.policy.document_of(source)
        return document.date > self.day, not document.specification


def outline(decision: Decision, policy: Policy) -> Iterator[Section]:
    """Return the sections of an explanation, what matters most first. Empty ones are left out."""
    day = max((policy.editions[edition].date for edition in decision.editions), default="9999")
    notes = Notes(policy, day)
    stops = "What stops it" if decision.verdict is Verdict.DENY else "What is not known"
    sections = [
        ("Who decides", _authority(decision, notes)),
        (stops, _obstacles(decision, notes)),
        ("How to fix it (each was tried on a copy; what gives away least comes first)", _fixes(decision, notes)),
        ("What the person sees", _error(decision, notes)),
        ("Near misses", [Line(0, n.text, "near") for n in decision.near_misses]),
        ("What is needed, in the order in which to look for a fault", _requirements(decision, notes)),
        ("What would end this access", _revocations(decision)),
        ("Read in another way, the answer would be", _turns(decision, notes)),
        ("Notes", [Line(0, note) for note in decision.notes]),
        ("Not looked at", [Line(0, text) for text in decision.not_modelled]),
        ("What does not count here", _other_side(decision)),
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


def _obstacles(decision: Decision, notes: Notes) -> list[Line]:
    """Return the requirements that fail or, where nothing certainly fails, the facts that are missing."""
    if decision.verdict is Verdict.DENY:
        return [line for r in decision.unmet for line in _failing(r, notes)]
    return [Line(0, f"{m.fact}: {m.text}", "missing") for m in decision.missing]


def _failing(requirement: Requirement, notes: Notes) -> Iterator[Line]:
    r = requirement
    group = " (one of several is enough)" if r.group else ""
    group += f" (contested: {', '.join(r.contested)})" if r.contested else ""
    yield Line(0, f"{r.id}  {r.needs}{group} {notes.cite(r.sources)}".rstrip(), "requirement", MARKS[r.state])
    for proof in r.proofs[:PATHS_SHOWN]:
        yield from _proof(proof, notes)
    if r.fix:
        yield Line(1, r.fix, "advice")
    for place in r.where:
        yield Line(1, place_text(place, notes), "place")
    if r.takes:
        yield Line(1, f"takes {r.takes} {notes.cite(r.takes_sources)}", "place")


def place_text(place: Place, notes: Notes) -> str:
    """Return a place with its sources, and with its releases if it has any to name."""
    releases = f" ({place.releases})" if place.releases else ""
    return f"{CONSOLES[place.console]}: {place.path}{releases} {notes.cite(place.sources)}"


def _requirements(decision: Decision, notes: Notes) -> list[Line]:
    return [line for r in decision.requirements if r.counts for line in _requirement(r, notes)]


def _requirement(requirement: Requirement, notes: Notes) -> Iterator[Line]:
    """One line; below it the chain of grants, or what is missing. Facts only say where they stand."""
    r = requirement
    chains = [proof for proof in r.proofs if proof.kind == "grant"]
    end = "  (assumed)" if r.assumed else "" if chains or r.state is not State.MET else _places(r)
    end += f"  (contested: {', '.join(r.contested)})" if r.contested else ""
    yield Line(0, f"{r.id}  {r.needs}{end} {notes.cite(r.sources)}".rstrip(), "requirement", MARKS[r.state])
    for proof in chains[:PATHS_SHOWN]:
        yield from _proof(proof, notes)
    if len(chains) > PATHS_SHOWN:
        yield Line(1, f"and {len(chains) - PATHS_SHOWN} more ways")
    if r.state is State.UNKNOWN:
        yield from (Line(1, f"unknown: {m.fact} ({m.text})", "missing") for m in r.missing)


def _places(requirement: Requirement) -> str:
    places = dict.fromkeys(str(step.origin) for proof in requirement.proofs for step in proof.steps if step.origin)
    return f"  ({', '.join(places)})" if places else ""


def _proof(proof: Proof, notes: Notes) -> Iterator[Line]:
    for number, step in enumerate(step for step in proof.steps if not _says_nothing_new(step)):
        text = _step(step, notes)
        yield Line(1, text if number == 0 or proof.kind != "grant" else f"-> {text}", "proof")


def _says_nothing_new(step: Step) -> bool:
    """Tell whether the sentence before has named the role already."""
    return step.edge is not None and step.edge[:2] == ("role", "security-assignment")


def _fixes(decision: Decision, notes: Notes) -> list[Line]:
    if decision.no_fix:
        return [Line(0, f"none: {decision.no_fix}")]
    told = {place for r in decision.unmet for place in r.where}
    shown = enumerate(decision.fixes[:FIXES_SHOWN], 1)
    lines = [line for number, fix in shown for line in _fix(number, fix, told, notes)]
    more = len(decision.fixes) - FIXES_SHOWN
    return [*lines, Line(0, f"and {more} more (--format json shows them)")] if more > 0 else lines


def _fix(number: int, fix: Fix, told: set[Place], notes: Notes) -> Iterator[Line]:
    """Return a fix; places that stand above already are not repeated."""
    for index, text in enumerate(fix.texts):
        yield Line(0 if index == 0 else 1, f"{number}. {text}" if index == 0 else f"and {text}", "fix")
    what = "no further permission" if not fix.gained else f"{fix.gained} permission{'s'[: fix.gained > 1]}"
    wide = "wide: it changes more than this person's rights; " if fix.kind == "wide" else ""
    takes = f"; takes {', '.join(fix.takes)}" if fix.takes else ""
    yield Line(1, f"{wide}gives the user {what}; opens {_opened(fix.opens)}{takes}", "place")
    if fix.done_in:
        yield Line(1, f"done in {', '.join(CONSOLES[console] for console in fix.done_in)}", "place")
    for remark in fix.remarks:
        yield Line(1, remark, "place")
    for place in (p for p in fix.where if p not in told):
        yield Line(1, place_text(place, notes), "place")


def _opened(opened: Opened) -> str:
    """Say how many answers besides the one asked for become allow or possible, and for how many people."""
    parts = [f"{opened.answers:,} further answer{'s'[: opened.answers > 1]}"] if opened.answers else []
    parts += [f"perhaps {opened.possible:,} more"] if opened.possible else []
    if not parts:
        return "nothing else"
    people = f" for {opened.people:,} people" if opened.people > 1 else ""
    return f"{' and '.join(parts)} (a user, an action, a device each){people}"


def _error(decision: Decision, notes: Notes) -> list[Line]:
    found = decision.error
    if found is None:
        return []
    shown = Line(0, f"“{found.text}” {notes.cite(found.sources)}".rstrip(), "error")
    lines = [shown, Line(0, "The same text also means:")]
    return [*lines, *(Line(1, cause) for cause in found.causes)]


def _revocations(decision: Decision) -> list[Line]:
    return [
        Line(0, f"{number}. without: " + "; and ".join(step.text for step in r.grants))
        for number, r in enumerate(decision.revocations, 1)
    ]


def _turns(decision: Decision, notes: Notes) -> list[Line]:
    lines = []
    for turn in decision.turns:
        condition = _turn(turn.kind, turn.name, turn.alternative)
        lines.append(Line(0, f"{turn.verdict.value} if {condition} {notes.cite(turn.sources)}".rstrip()))
    return lines


def _turn(kind: str, name: str, alternative: str) -> str:
    return f"the edition is {name}" if kind == "edition" else f"the reading {name} is {alternative}"


def _other_side(decision: Decision) -> list[Line]:
    """Return the side that does not decide, and the switches: listed, not explained."""
    lines = []
    for state, word in ((State.UNMET, "not met"), (State.UNKNOWN, "not known"), (State.MET, "met")):
        ids = [r.id for r in decision.requirements if not r.counts and r.state is state]
        if ids:
            lines.append(Line(0, f"{word}: {', '.join(dict.fromkeys(ids))}", "", MARKS[state]))
    return lines


def _sources(policy: Policy, notes: Notes) -> Iterator[Line]:
    for source, number in notes.numbers.items():
        passage, document = policy.sources[source], policy.document_of(source)
        yield Line(0, f"[{number}] {document.title}, “{passage.heading}”, {document.date}: {passage.says}", "source")
