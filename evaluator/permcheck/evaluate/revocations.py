"""Find the smallest sets of grants without which an allow ends; every one is tried."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from permcheck.evaluate.change import changed
from permcheck.evaluate.engine import Engine
from permcheck.evaluate.leaf import run_leaf
from permcheck.evaluate.plan import Branch, Leaf, Tree
from permcheck.evaluate.question import Question
from permcheck.evaluate.sets import IMPOSSIBLE, Family, absorbed, defeat, either, every
from permcheck.evaluate.slice import engine_of, sliced
from permcheck.model.change import Change, RemoveGrant, RemoveMember
from permcheck.model.decision import Revocation, Step
from permcheck.model.state import MET, Verdict

SHOWN = 16
TRIES = 64
"""So many sets are tried at most; most end an allow at once."""


def revocations(engine: Engine, question: Question) -> tuple[Revocation, ...]:
    """Minimal sets of grants of the estate whose removal ends an allow."""
    base = sliced(engine.tables, question)

    def without(steps: Iterable[Step]) -> Engine:
        changes = tuple(change for step in steps if (change := removal(step)) is not None)
        return engine_of(engine, changed(base, engine.policy, changes))

    def allows(steps: Iterable[Step]) -> bool:
        return without(steps).verdict(question) is Verdict.ALLOW

    found: list[frozenset[Step]] = []
    queue = _candidates(without(()), question)
    seen = set(queue)
    for tries, steps in enumerate(_smallest_first(queue)):
        if any(one <= steps for one in found):
            continue
        if not allows(steps):
            found.append(_least(steps, allows))
        else:  # what a grant hid shows without it, such as an assignment that sees everything: more has to go
            more = {steps | further for further in _candidates(without(steps), question)} - seen
            seen |= more
            queue += more
        if len(found) == SHOWN or tries == TRIES:
            break
    return tuple(_revocation(steps) for steps in sorted(absorbed(found), key=_order))


def _order(steps: frozenset[Step]) -> tuple[int, list[str]]:
    return len(steps), sorted(step.text for step in steps)


def _smallest_first(queue: list[frozenset[Step]]) -> Iterator[frozenset[Step]]:
    """Take the smallest of what is left, also of what is added meanwhile."""
    while queue:
        smallest = min(queue, key=_order)
        queue.remove(smallest)
        yield smallest


def _candidates(engine: Engine, question: Question) -> list[frozenset[Step]]:
    """Return sets of grants without which some requirement loses every proof that it has now.

    They are not compared before they are tried: a smaller one may fail where a larger one does not.
    """
    world = engine.worlds(question.hierarchy)[0]
    plan = engine.plan(question, world)
    context = engine.context(question, world, plan)

    def leaf(one: Leaf) -> Family[Step]:
        outcome = run_leaf(context, one)
        if outcome.state is not MET:
            return IMPOSSIBLE
        proofs = [p for p in outcome.explain().proofs if p.kind == "grant"]
        chains = [frozenset(frozenset({s}) for s in p.steps if removal(s) is not None) for p in proofs]
        return every(either([chain]) for chain in chains) if chains else IMPOSSIBLE

    goals = (goal for side in plan.deciding for goal in _needed(plan.sides[side]))
    return list(dict.fromkeys(steps for goal in goals for steps in sorted(defeat(goal, leaf), key=_order)))


def _needed(tree: Tree) -> Iterator[Tree]:
    """Return the parts of a tree of which every one is needed."""
    if isinstance(tree, Branch) and tree.kind == "all":
        for child in tree.children:
            yield from _needed(child)
    else:
        yield tree


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
