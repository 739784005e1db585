"""Find the smallest sets of grants without which an allow ends; every one is tried."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from permcheck.evaluate.change import changed
from permcheck.evaluate.engine import Engine
from permcheck.evaluate.leaf import run_leaf
from permcheck.evaluate.plan import Branch, Leaf
from permcheck.evaluate.question import Question
from permcheck.evaluate.sets import IMPOSSIBLE, Family, absorbed, defeat, either, every
from permcheck.evaluate.slice import engine_of, sliced
from permcheck.model.change import Change, RemoveGrant, RemoveMember
from permcheck.model.decision import Revocation, Step
from permcheck.model.state import MET, Verdict

SHOWN = 16


def revocations(engine: Engine, question: Question) -> tuple[Revocation, ...]:
    """Minimal sets of grants of the estate whose removal ends an allow."""
    base = sliced(engine.tables, question)
    start = engine_of(engine, base)
    world = start.worlds(question.hierarchy)[0]
    plan = start.plan(question, world)
    context = start.context(question, world, plan)

    def leaf(one: Leaf) -> Family[Step]:
        outcome = run_leaf(context, one)
        if outcome.state is not MET:
            return IMPOSSIBLE
        proofs = [p for p in outcome.explain().proofs if p.kind == "grant"]
        chains = [frozenset(frozenset({s}) for s in p.steps if removal(s) is not None) for p in proofs]
        return every(either([chain]) for chain in chains) if chains else IMPOSSIBLE

    def allows(steps: Iterable[Step]) -> bool:
        changes = tuple(change for step in steps if (change := removal(step)) is not None)
        return engine_of(engine, changed(base, engine.policy, changes)).verdict(question) is Verdict.ALLOW

    goal = Branch("all", tuple(plan.sides[side] for side in plan.deciding))
    found: list[frozenset[Step]] = []
    for steps in sorted(defeat(goal, leaf), key=lambda s: (len(s), sorted(step.text for step in s))):
        if not allows(steps):
            found.append(_least(steps, allows))
        if len(found) == SHOWN:
            break
    minimal = sorted(absorbed(found), key=lambda s: (len(s), sorted(step.text for step in s)))
    return tuple(_revocation(steps) for steps in minimal)


def _least(steps: frozenset[Step], allows: Callable[[Iterable[Step]], bool]) -> frozenset[Step]:
    """Leave out what is not needed to end the allow."""
    for step in sorted(steps, key=lambda one: one.text):
        if len(steps) > 1 and not allows(steps - {step}):
            steps -= {step}
    return steps


def _revocation(steps: frozenset[Step]) -> Revocation:
    grants = tuple(sorted(steps, key=lambda step: step.text))
    return Revocation(grants, tuple(change for step in grants if (change := removal(step)) is not None))


def removal(step: Step) -> Change | None:
    """Return the change that takes a grant away; None for what the policy says, or what is no right by itself."""
    if step.edge is None:
        return None
    kind, holder_kind, holder, end, section, key = step.edge
    if kind == "member":
        return RemoveMember(end, holder, holder_kind)
    if kind in {"assigned", "holds"}:
        return RemoveGrant(section, key, holder_kind, holder)
    return RemoveGrant("rows", end) if kind == "pair" else None
