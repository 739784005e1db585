"""Whether the user's role assignments see the scope tags that a device carries."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import NamedTuple, TypeAlias

from permcheck.evaluate.cloud import by_directory_role, holds, of_directory, unknowns
from permcheck.evaluate.outcome import Context, Explanation, Outcome, missing
from permcheck.graph.rights import Way
from permcheck.model import policy as form
from permcheck.model.decision import Missing, Proof, Step
from permcheck.model.state import MET, UNKNOWN, UNMET, State, agreed, all_of, any_of
from permcheck.model.tables import Tables

Tags: TypeAlias = frozenset[str] | None
"""Scope tags by id; None where nobody told."""
Told: TypeAlias = tuple[str | None, tuple[str, ...] | None]
"""What the estate says of a device: how it is managed, and its tags."""
HIDDEN: Tags = frozenset()
"""What an attached device carries that lost its tag: it is shown to nobody."""


class Seen(NamedTuple):
    """An assignment that may show devices: whether it counts, and its tags; without any it shows everything."""

    way: Way
    counts: State
    tags: Tags


class Shown(NamedTuple):
    """Whether assignments show a device: their tags together, and each with its own."""

    together: State
    apart: State


def scope_tag_test(context: Context, test: form.ScopeTagTest, _: form.Need) -> Outcome:
    """Test that the user's role assignments see a tag that the device carries."""
    device = context.tables.devices.get(context.question.device or "")
    told: Told = ("configmgr", None) if device is None else (device.management, device.scope_tags)
    key = ("tags", context.question.user, context.world.version, test.tag, context.plan.asked_permission, told)
    found: Outcome | None = context.memo.get(key)
    if found is None:
        found = context.memo[key] = _outcome(context, test.tag, told)
    if device is None or found.state is MET:
        return found
    return Outcome(found.state, lambda: _with_device(context, test.tag, told, found))


def _outcome(context: Context, tag: str, told: Told) -> Outcome:
    """Test what the user sees of devices of which this is told; the reasons are worked out once."""
    seen, bypass = tuple(_assignments(context)), by_directory_role(context)
    possible = tuple(carried(context.tables, tag, *told))
    shown = [_shown(context, seen, one) for one in possible]
    states = [
        UNMET if one == HIDDEN else any_of((bypass, _as_joined(context, two)))
        for one, two in zip(possible, shown, strict=True)
    ]
    state = agreed(states)
    return Outcome(state, cache(lambda: _explained(context, seen, shown, state)))


def carried(tables: Tables, tag: str, management: str | None, stated: tuple[str, ...] | None) -> Iterator[Tags]:
    """Return what a device may carry: the one tag if it is only attached, its own if Intune manages it."""
    default, told = frozenset({tag}), None if stated is None else frozenset(map(tables.scope_tags.id_of, stated))
    if management in {None, "configmgr"}:
        yield default if told is None or default <= told else HIDDEN
    if management != "configmgr":
        yield told if told is None else told or default


# --- what the assignments show ---------------------------------------------------------------------------------------


def _assignments(context: Context) -> Iterator[Seen]:
    for way in context.rights.intune:
        if way.state is not UNMET:
            tags = context.tables.intune_assignments[way.end.key].tags
            yield Seen(way, way.state, None if tags is None else frozenset(tags))


def _as_joined(context: Context, shown: Shown) -> State:
    mode = context.tables.tenant.scoped_permissions
    return agreed(shown) if mode is None else (shown.together if mode == "merged" else shown.apart)


def _shown(context: Context, seen: Sequence[Seen], tags: Tags) -> Shown:
    """Return whether assignments show a device with some tags. Keeping permissions apart only takes away."""
    doubtful = bool(context.tables.doubtful("groups", "intune_assignments"))
    together = _merged(_counting(context, seen, lending(context)), tags, doubtful=doubtful)
    own = _scoped(_counting(context, seen, asked(context)), tags, doubtful=doubtful)
    return Shown(together, all_of((together, own)))


def asked(context: Context) -> frozenset[str]:
    """Return the permission that is asked for; none where any role will do."""
    permission = context.plan.asked_permission
    return frozenset() if permission is None else frozenset({permission})


def lending(context: Context) -> frozenset[str]:
    """Return the permissions whose assignments lend each other their tags; none where all assignments do."""
    permission = context.plan.asked_permission
    if permission is None or context.policy.enabled("tags-merge-over-categories", context.readings):
        return frozenset()
    return context.policy.alike(permission)


def _counting(context: Context, seen: Iterable[Seen], permissions: frozenset[str]) -> list[Seen]:
    """Return the assignments whose role has one of some permissions, or may have it; without any, all of them."""
    found = []
    for one in seen:
        has = any_of(holds(context, one.way.role, each) for each in permissions) if permissions else MET
        if has is not UNMET:
            found.append(one._replace(counts=all_of((one.counts, has))))
    return found


def _merged(seen: Sequence[Seen], tags: Tags, *, doubtful: bool) -> State:
    """Tags of all assignments count together; only without any tag does one see everything."""
    certain = [one for one in seen if one.counts is MET]
    if any(one.tags and _shows(one, tags) is MET for one in certain):
        return MET
    if doubtful:
        return UNKNOWN
    if all(_shows(one, tags) is MET for one in seen):
        return MET
    narrowed = any(one.tags for one in certain)
    return UNMET if narrowed and all(not _may_add(one, tags) for one in seen) else UNKNOWN


def _may_add(one: Seen, tags: Tags) -> bool:
    """Whether an assignment may add a tag that shows the device; one without tags adds none."""
    return one.tags is None or (bool(one.tags) and _shows(one, tags) is not UNMET)


def _scoped(seen: Sequence[Seen], tags: Tags, *, doubtful: bool) -> State:
    """Each assignment's permissions stay inside its own tags."""
    certain = [_shows(one, tags) for one in seen if one.counts is MET]
    if MET in certain:
        return MET
    if doubtful:
        return UNKNOWN
    every = {_shows(one, tags) for one in seen}
    if every <= {MET}:
        return MET
    return UNMET if certain and every == {UNMET} else UNKNOWN


def _shows(one: Seen, tags: Tags) -> State:
    """Return whether an assignment by itself shows what carries some tags."""
    if one.tags is None:
        return UNKNOWN
    if not one.tags:
        return MET
    return UNKNOWN if tags is None else (MET if one.tags & tags else UNMET)


# --- why --------------------------------------------------------------------------------------------------------------


def _explained(context: Context, seen: Sequence[Seen], shown: Sequence[Shown], state: State) -> Explanation:
    roles = of_directory(context)
    past = tuple(context.path((*one.way.grants, *one.tail)) for one in roles if one.state is MET)
    if state is MET:
        only_past = past and any(one.together is UNMET for one in shown)
        return Explanation(past if only_past else (*past, *_showing(context, seen)))
    steps = tuple(Proof((_tagged(context, one),)) for one in seen if one.tags is not None)
    return Explanation((*past, *steps), tuple(dict.fromkeys(_open(context, seen, shown))) if state is UNKNOWN else ())


def _showing(context: Context, seen: Sequence[Seen]) -> tuple[Proof, ...]:
    """Return the assignments that show a device, with how the user comes to them."""
    default = frozenset({context.policy.default_tag})
    tagged = any(one.tags for one in seen)
    showing = [one for one in seen if one.counts is MET and (one.tags if tagged else one.tags is not None)]
    best = [one for one in showing if one.tags and one.tags & default] or showing
    return tuple(context.path(one.way.grants, _tagged(context, one)) for one in best)


def _tagged(context: Context, one: Seen) -> Step:
    assignment = context.tables.intune_assignments[one.way.end.key]
    names = {b.id: b.name for b in context.policy.builtins if b.kind == "scope-tag"}
    tags = ", ".join(names.get(tag, tag) for tag in assignment.tags or ()) or "none"
    text = f"the role assignment {assignment.name} carries the scope tags {tags}"
    return Step(text, context.origin("intune_assignments", assignment.key))


def _open(context: Context, seen: Sequence[Seen], shown: Sequence[Shown]) -> Iterator[Missing]:
    """Return what would settle what the user sees."""
    tables = context.tables
    silent = (tables.intune_assignments[one.way.end.key].name for one in seen if one.tags is None)
    facts = [f"intune_assignments[{name}].scope_tags" for name in silent]
    if tables.tenant.scoped_permissions is None and any(one.together is not one.apart for one in shown):
        facts.append("tenant.scoped_permissions")
    yield from missing(facts, "not stated")
    if any(UNKNOWN in one for one in shown):
        facts = [fact for one in seen for fact in one.way.missing]
        further = (*tables.doubtful("groups", "intune_assignments"), *facts)
        yield from missing(further, "which further role assignments there are")
    if by_directory_role(context) is UNKNOWN:
        yield from missing(tables.doubtful("entra_roles"), "the list is not in the estate, or known to lack entries")
        for one in of_directory(context):
            if one.state is UNKNOWN:
                yield from unknowns(context, one)


def _with_device(context: Context, tag: str, told: Told, found: Outcome) -> Explanation:
    """Add what is told of the device, or what is not."""
    explanation = found.explain()
    device = context.tables.devices[context.question.device or ""]
    possible = tuple(carried(context.tables, tag, *told))
    if device.scope_tags is not None:
        step = Step(f"{device.name} carries the scope tags {', '.join(device.scope_tags) or 'none'}")
        explanation = explanation._replace(proofs=(Proof((step,)), *explanation.proofs))
    if found.state is not UNKNOWN or (len(possible) == 1 and None not in possible):
        return explanation
    facts = [f"device[{device.name}].management"] if device.management is None else []
    facts += [f"device[{device.name}].scope_tags"] if device.scope_tags is None else []
    return explanation._replace(missing=(*explanation.missing, *missing(facts, "not stated")))
