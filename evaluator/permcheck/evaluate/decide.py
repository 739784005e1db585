"""Answer a question in full: every requirement on both sides, with proofs, gaps and near misses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from permcheck.evaluate.engine import Engine
from permcheck.evaluate.facts import fact
from permcheck.evaluate.leaf import run_leaf
from permcheck.evaluate.merge import SIDES, merged
from permcheck.evaluate.outcome import Context, Explanation
from permcheck.evaluate.plan import Branch, Leaf, Plan, Tree, applies
from permcheck.evaluate.question import Question, World
from permcheck.model import policy as form
from permcheck.model.decision import (
    Authority,
    Decision,
    ErrorShown,
    Further,
    Missing,
    NearMiss,
    Proof,
    Requirement,
    Side,
    Step,
    places,
)
from permcheck.model.state import (
    MET,
    UNKNOWN,
    UNMET,
    VERDICT_OF,
    State,
    agreed,
    all_of,
    any_of,
)
from permcheck.model.tables import Tables


class Evaluated(NamedTuple):
    """One world, with the state of every requirement in it."""

    world: World
    plan: Plan
    state: State
    side_states: dict[Side, State]
    requirements: tuple[Requirement, ...]


def decide(engine: Engine, question: Question, further: Further | None = None) -> Decision:
    """Answer a question with all its reasons."""
    worlds = tuple(evaluate(engine, question, world) for world in engine.worlds(question.hierarchy))
    state = agreed(one.state for one in worlds)
    requirements = merged([one.requirements for one in worlds], state, engine.policy.requirement_order)
    authority = _authority(engine, question, worlds)
    missing = tuple(_missing(engine, question, worlds, requirements, state))
    near = (*_other_side(worlds, state), *(n for r in requirements if r.counts for n in r.near))
    tables, record = engine.tables, engine.tables.devices.get(question.device or "")
    error = shown_error(engine, question, requirements, worlds[0].world.edition) if state is UNMET else None
    return Decision(
        user=tables.users[question.user].upn,
        action=question.action.id + (f":{question.variant}" if question.variant else ""),
        device=record.name if record else None,
        hierarchy=tables.hierarchies[question.hierarchy].id if question.hierarchy else None,
        object=_object_name(tables, question),
        title=question.action.title,
        verdict=VERDICT_OF[state],
        authority=authority,
        editions=tuple(dict.fromkeys(one.world.edition for one in worlds)),
        readings=tuple(sorted(engine.readings.items())),
        requirements=requirements,
        missing=missing if state is UNKNOWN else (),
        near_misses=tuple(dict.fromkeys(near)) if state is not MET else (),
        error=error,
        notes=tuple(_notes(engine, question, requirements, authority, state)),
        not_modelled=question.action.not_modelled,
        sources=tuple(dict.fromkeys(s for r in requirements if r.counts for s in r.sources)),
        further=further,
    )


def _object_name(tables: Tables, question: Question) -> str | None:
    if question.object is None or question.action.object is None:
        return None
    records = tables.scripts if question.action.object == "script" else tables.applications
    return str(records[question.object].name)


def evaluate(engine: Engine, question: Question, world: World) -> Evaluated:
    """Run every requirement of every side in one world."""
    plan = engine.plan(question, world)
    context = engine.context(question, world, plan)
    found: list[Requirement] = []
    states: dict[Side, State] = {}
    for side in SIDES:
        if side in plan.sides:
            counts = side in plan.deciding
            states[side] = _run(engine, context, plan.sides[side], side, found, counts=counts, group="")
    state = all_of(states[side] for side in plan.deciding)
    if not plan.documented:
        state = all_of((state, UNKNOWN))
    return Evaluated(world, plan, state, states, tuple(found))


def _run(
    engine: Engine, context: Context, tree: Tree, side: Side, found: list[Requirement], *, counts: bool, group: str
) -> State:
    """State of a tree; its requirements are added to `found`. Alternatives that are not needed don't count."""
    if isinstance(tree, State):
        return tree
    if isinstance(tree, Leaf):
        requirement = _requirement(engine, context, tree, side, counts=counts, group=group)
        found.append(requirement)
        return requirement.state
    if tree.kind == "all":
        return all_of([_run(engine, context, c, side, found, counts=counts, group=group) for c in tree.children])
    name = group or "one of: " + ", ".join(_ids(tree))
    start = len(found)
    state = any_of([_run(engine, context, c, side, found, counts=counts, group=name) for c in tree.children])
    if state is MET:
        found[start:] = [r._replace(counts=r.counts and r.state is MET) for r in found[start:]]
    return state


def _ids(tree: Tree) -> Iterator[str]:
    if isinstance(tree, Leaf):
        yield tree.id
    elif isinstance(tree, Branch):
        for child in tree.children:
            yield from _ids(child)


def _requirement(engine: Engine, context: Context, leaf: Leaf, side: Side, *, counts: bool, group: str) -> Requirement:
    """Return a requirement with its reasons; one that has nothing to do with the device is worked out once."""
    question = context.question
    if leaf.on_device or "{device}" in leaf.requirement.needs:
        return _told(engine, context, leaf, side, counts=counts, group=group)
    key = (leaf, question.user, question.hierarchy, question.object, side, counts, group)
    found = engine.told.get(key)
    if found is None:
        found = engine.told[key] = _told(engine, context, leaf, side, counts=counts, group=group)
    return found


def _told(engine: Engine, context: Context, leaf: Leaf, side: Side, *, counts: bool, group: str) -> Requirement:
    question = context.question
    outcome = run_leaf(context, leaf)
    state = engine.settled(leaf, outcome)
    assumed = state is not outcome.state
    explanation = _assumption(context, leaf) if assumed else outcome.explain()
    form = leaf.requirement
    return Requirement(
        id=leaf.id,
        needs=form.needs.format_map(_fields(context, leaf)) if "{" in form.needs else form.needs,
        state=state,
        side=side,
        counts=counts,
        group=group,
        assumed=assumed,
        contested=leaf.contested,
        proofs=explanation.proofs,
        missing=explanation.missing,
        near=tuple(n._replace(requirement=leaf.id) for n in explanation.near),
        sources=leaf.sources,
        where=places(form.where, question.release(engine.tables)),
        fix=form.fix or "",
        takes=form.takes.time if form.takes else "",
        takes_sources=form.takes.sources if form.takes else (),
    )


def _assumption(context: Context, leaf: Leaf) -> Explanation:
    step = Step(f"assumed: the estate takes {leaf.requirement.id} as met", context.origin("assume", ""))
    return Explanation((Proof((step,), "assumption"),))


def _fields(context: Context, leaf: Leaf) -> dict[str, str]:
    """Fields of a requirement's phrase."""
    question, tables = context.question, context.tables
    device = tables.devices.get(question.device or "")
    return {
        "user": tables.users[question.user].upn,
        "device": device.name if device else "the device",
        "hierarchy": tables.hierarchies[question.hierarchy].id if question.hierarchy else "the hierarchy",
        "object": _object_name(tables, question) or f"the {question.action.object or 'object'}",
        "value": leaf.need.value or "",
        "at_least": leaf.need.at_least or "",
        "permission": context.policy.title(leaf.need.permission) if leaf.need.permission else "",
    }


def _authority(engine: Engine, question: Question, worlds: tuple[Evaluated, ...]) -> Authority | None:
    rows = tuple(dict.fromkeys((one.world.row.because, i) for i, one in enumerate(worlds) if one.world.row))
    if not question.action.authority or not rows or question.hierarchy is None:
        return None
    hierarchy = engine.tables.hierarchies[question.hierarchy]
    origin = engine.tables.places.of("hierarchies", question.hierarchy, "enforce_configmgr_rbac")
    steps: dict[str, Step] = {}
    for one in worlds:
        row = one.world.row
        if row is not None:
            text = row.because.format(hierarchy=hierarchy.id, version=one.world.version)
            steps.setdefault(text, Step(text, origin, row.sources))
    names = tuple(dict.fromkeys(one.world.row.authority for one in worlds if one.world.row))
    return Authority(
        names,
        tuple(steps.values()),
        _same([one.world.toggle for one in worlds]),
        _same([one.world.checkbox for one in worlds]),
        hierarchy.version,
    )


def _same(values: list[bool | None]) -> bool | None:
    return values[0] if len(set(values)) == 1 else None


def _missing(
    engine: Engine,
    question: Question,
    worlds: tuple[Evaluated, ...],
    requirements: tuple[Requirement, ...],
    state: State,
) -> Iterator[Missing]:
    if state is not UNKNOWN:
        return
    yield from dict.fromkeys(m for r in requirements if r.counts and r.state is UNKNOWN for m in r.missing)
    if len({one.state for one in worlds}) > 1 and question.hierarchy:
        yield from _open_switches(engine, question)
    for one in worlds:
        if not one.plan.documented:
            text = f"the documents of edition {one.world.edition} do not describe {question.action.id}"
            yield Missing(f"edition {one.world.edition}", text)
            return


def _open_switches(engine: Engine, question: Question) -> Iterator[Missing]:
    hierarchy = engine.tables.hierarchies[question.hierarchy or ""]
    if engine.tables.tenant.use_intune_rbac is None:
        yield Missing("tenant.use_intune_rbac", f"whether {engine.policy.authority.toggle.name} is On")
    if hierarchy.enforce_configmgr_rbac is None:
        text = f"whether hierarchy {hierarchy.id} enforces Configuration Manager RBAC"
        yield Missing(f"hierarchy[{hierarchy.id}].enforce_configmgr_rbac", text)
    if hierarchy.version is None:
        yield Missing(f"hierarchy[{hierarchy.id}].version", f"which release hierarchy {hierarchy.id} runs")


def _other_side(worlds: tuple[Evaluated, ...], state: State) -> Iterator[NearMiss]:
    """Rights on the side that does not decide, where they would be enough there."""
    first = worlds[0]
    if state is MET or first.world.row is None:
        return
    sides: tuple[tuple[Side, str], ...] = (("configmgr", "Configuration Manager"), ("intune", "Intune"))
    for side, name in sides:
        if side not in first.plan.deciding and first.side_states.get(side) is MET:
            holds = [r for r in first.requirements if r.side == side and any(p.kind == "grant" for p in r.proofs)]
            if holds:
                titles = ", ".join(dict.fromkeys(r.id.partition(":")[2] or r.needs for r in holds))
                yield NearMiss(f"the rights in {name} would be enough ({titles}), but {name} does not decide here")


def shown_error(
    engine: Engine, question: Question, requirements: tuple[Requirement, ...], edition: str
) -> ErrorShown | None:
    """Return the message that the first failing requirement is known to produce, the action's own first."""
    for requirement in requirements:
        if requirement.counts and requirement.state is UNMET:
            ids = engine.policy.requirements[requirement.id.partition(":")[0]].errors
            known = [engine.policy.errors[id_] for id_ in ids]
            here = [e for e in known if question.action.id in e.actions] or [e for e in known if e.everywhere]
            for error in here:
                if error.covers(edition):
                    return ErrorShown(error.id, error.text, error.causes, error.sources)
    return None


def _notes(
    engine: Engine,
    question: Question,
    requirements: tuple[Requirement, ...],
    authority: Authority | None,
    state: State,
) -> Iterator[str]:
    if question.action.object and question.object is None:
        yield (
            f"no {question.action.object} was named, so what depends on it was not looked at (name it with --object)"
        )
    assumed = [r.id for r in requirements if r.assumed and r.counts]
    if assumed:
        yield "assumed, not known: " + ", ".join(dict.fromkeys(assumed))
    if state is UNMET and _only_site(requirements):
        yield "permissions alone would allow this: only the infrastructure is in the way"
    yield from _policy_notes(engine, question)
    changed = engine.tables.tenant.use_intune_rbac_changed
    toggle = engine.policy.authority.toggle
    if authority is not None and changed and toggle.takes:
        yield f"{toggle.name} was changed {changed}; a change takes {toggle.takes.time}"
    if authority is not None and engine.graph.rights(question.user).intune:
        yield from _tags_of_roles(engine, question)
        rows = [one.row for one in engine.worlds(question.hierarchy) if one.row is not None]
        yield from dict.fromkeys(row.note for row in rows if row.note)


def _policy_notes(engine: Engine, question: Question) -> Iterator[str]:
    """Return the notes of the policy that hold however what is not stated may stand."""
    tables = engine.tables
    device = tables.devices.get(question.device or "")
    words = {
        "user": tables.users[question.user].upn,
        "device": device.name if device else "",
        "hierarchy": tables.hierarchies[question.hierarchy].id if question.hierarchy else "",
    }
    for note in engine.policy.notes:
        if _is_about(note, question.action) and all(
            _is_said(engine, question, note, world) for world in engine.worlds(question.hierarchy)
        ):
            yield note.says.format(**words)


def _is_about(note: form.Note, action: form.Action) -> bool:
    return note.surface in {None, action.surface} and (not note.actions or action.id in note.actions)


def _is_said(engine: Engine, question: Question, note: form.Note, world: World) -> bool:
    spans = note.when is not None and (note.when.from_version or note.when.below_version)
    if spans and world.version is None:
        return False
    if not applies(note.when, question, world, engine.readings):
        return False
    context = engine.context(question, world, engine.plan(question, world))
    return note.fact is None or fact(context, note.fact).value is True


def _tags_of_roles(engine: Engine, question: Question) -> Iterator[str]:
    """Say that the scope tags of a role itself, which people take for those of its assignments, play no part."""
    ways = engine.graph.rights(question.user).intune
    for key in dict.fromkeys(way.role.key for way in ways):
        role = engine.tables.intune_roles.get(key)
        if role is not None and role.tagged:
            yield f"the scope tags of the Intune role {role.name} play no part: those of its assignments count"


def _only_site(requirements: tuple[Requirement, ...]) -> bool:
    failing = [r for r in requirements if r.counts and r.state is not MET]
    return bool(failing) and all(r.id.startswith("SITE-") for r in failing)
