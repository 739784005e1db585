"""Ask again under every other edition and reading."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product

from permcheck.evaluate.engine import Engine
from permcheck.evaluate.question import Question
from permcheck.model.decision import Turn
from permcheck.model.state import Verdict

COMBINATIONS = 4096


def reread(engine: Engine, *, edition: str | None = None, readings: Mapping[str, str] | None = None) -> Engine:
    """Return an engine for the same estate that reads the documents in another way."""
    return Engine(
        engine.tables,
        engine.policy,
        engine.graph,
        engine.membership,
        {**engine.readings, **(readings or {})},
        edition or engine.edition,
    )


def turns(engine: Engine, question: Question, verdict: Verdict) -> tuple[Turn, ...]:
    """Single deviations, of the edition or one reading, that give another verdict."""
    return tuple(turn for turn in _deviations(engine, question) if turn.verdict is not verdict)


def _deviations(engine: Engine, question: Question) -> Iterator[Turn]:
    now = {world.edition for world in engine.worlds(question.hierarchy)}
    for edition in engine.policy.describing(question.action):
        if edition not in now:
            sources = engine.policy.editions[edition].sources
            verdict = reread(engine, edition=edition).verdict(question)
            yield Turn("edition", edition, edition, verdict, sources)
    relevant = _relevant(engine, question)
    for reading in (r for r in engine.policy.readings.values() if r.id in relevant):
        for alternative in reading.alternatives:
            if engine.readings[reading.id] != alternative.id:
                verdict = reread(engine, readings={reading.id: alternative.id}).verdict(question)
                yield Turn("reading", reading.id, alternative.id, verdict, alternative.sources)


def every_way(engine: Engine, question: Question) -> Iterator[tuple[str | None, Mapping[str, str]]]:
    """Every edition that describes the action, with every combination of the readings that can matter.

    A reading matters if it alone changes what is needed or held in some edition. Where more
    than COMBINATIONS would be left, single deviations are taken.
    """
    policy = engine.policy
    relevant = [policy.readings[name] for name in sorted(_relevant(engine, question))]
    choices = [[(r.id, a.id) for a in r.alternatives] for r in relevant]
    size = 1
    for alternatives in choices:
        size *= len(alternatives)
    for edition in (engine.edition,) if engine.edition else policy.describing(question.action):
        if size <= COMBINATIONS:
            for combination in product(*choices):
                yield edition, dict(combination)
        else:
            for alternatives in choices:
                for name, alternative in alternatives:
                    yield edition, {name: alternative}


def _relevant(engine: Engine, question: Question) -> set[str]:
    """Return readings on which the rules of the action, the switches or the grants of the user depend."""
    text = (
        {name for row in engine.policy.authority.table for name in row.reading} if question.action.authority else set()
    )
    requires, switches = question.action.requires, engine.policy.authority.switch_requirements
    for need in engine.policy.every_need((*requires.common, *requires.configmgr, *requires.intune, *switches)):
        text |= set(need.when.readings) if need.when else set()
        requirement = engine.policy.requirements.get(need.id or "")
        cases = list(requirement.tests) if requirement else []
        while cases:
            case = cases.pop()
            text |= set(case.when.readings) if case.when else set()
            cases += getattr(case.test, "of", ())
    rights = engine.graph.rights(question.user)
    ways = (*rights.cloud(), *(way for found in rights.security.values() for way in found))
    for way in ways:
        for chains in engine.graph.gives(way.role).values():
            for chain in chains:
                text |= {g.condition.by_reading.reading for g in chain if g.condition and g.condition.by_reading}
    text |= {r.id for r in engine.policy.readings.values() if any(a.enables for a in r.alternatives)}
    return text
