"""Answer a question from compiled pages, as the whole evaluator would; what they don't settle is left to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from permcheck.cache.layout import (
    ACTS,
    ALL,
    ANY,
    CLASSES,
    DEVICES,
    ESTATE,
    FACT,
    NEED,
    OPEN,
    PLANS,
    REGIONS,
    ROWS,
    USERS,
    numbered,
    plan_name,
)
from permcheck.cache.pages import Pages
from permcheck.evaluate.merge import merged
from permcheck.model.fold import fold_case
from permcheck.model.state import MET, UNKNOWN, UNMET, VERDICT_OF, State, agreed, all_of, any_of
from permcheck.render.brief import Brief, where

if TYPE_CHECKING:
    from permcheck.model.decision import Side

STATES = (UNMET, MET, UNKNOWN)
HIERARCHY_PREFIX = "hierarchy:"


class Recalled(NamedTuple):
    """An answer, and what is to be said of the estate: severity, message and help."""

    answer: Brief
    warnings: tuple[tuple[str, str, str], ...]


class MissingPageError(Exception):
    """A page that others speak of is not there, or not to be believed."""


class Asked(NamedTuple):
    """Who and where, by numbers."""

    user: str
    device: str | None
    area: int
    row: int
    """Of the user in the area."""
    marks: frozenset[int]
    """Where the device lies."""
    kind: int
    """The mark of what the device is."""


class Told(NamedTuple):
    """A requirement in short."""

    id: str
    needs: str
    side: Side
    state: State
    counts: bool
    assumed: bool


def recall(pages: Pages, user: str, action: str, device: str | None) -> Recalled | None:
    """Return the answer to a question; None where it is not in the pages, or not certain."""
    estate = pages.page(ESTATE)
    name, _, variant = action.partition(":")
    act = _named(pages, ACTS, f"{fold_case(name)}:{fold_case(variant)}")
    if act is None or estate is None:
        return None
    try:
        asked = _asked(pages, estate, act[1], user, device)
        plan = _plan(pages, asked.area, act[0]) if asked else None
        answer = _answer(_Reader(pages, asked), plan) if asked and plan else None
    except MissingPageError:
        return None
    return Recalled(answer, tuple(map(tuple, estate["warnings"]))) if answer else None


def _asked(pages: Pages, estate: Any, target: str, user: str, device: str | None) -> Asked | None:
    found = _named(pages, USERS, user)
    if found is None:
        return None
    upn, rows = found
    if target == "device":
        place = _named(pages, DEVICES, device) if device is not None else None
        if place is None:
            return None
        shown, area, number = place
        kind, *marks = _of_number(pages, CLASSES, area, number)
        return Asked(upn, shown, area, rows[area], frozenset(marks), kind)
    area = _area(estate, target, device)
    if area is None:
        return None
    kind, *marks = _of_number(pages, CLASSES, area, 0)
    return Asked(upn, None, area, rows[area], frozenset(marks), kind)


def _plan(pages: Pages, area: int, act: int) -> dict[str, Any] | None:
    name = plan_name(area, act)
    page = pages.page(PLANS, name)
    return page.get(name) if page else None


def _area(estate: Any, target: str, name: str | None) -> int | None:
    """Return the area of a hierarchy, or of the tenant."""
    if name is not None:
        found: int | None = estate["hierarchies"].get(fold_case(name.removeprefix(HIERARCHY_PREFIX)))
        return found
    only: int | None = estate["tenant"] if target == "tenant" else estate["only"]
    return only


def _named(pages: Pages, kind: str, name: str) -> list[Any] | None:
    folded = fold_case(name)
    page = pages.page(kind, folded)
    return page.get(folded) if page else None


def _of_number(pages: Pages, kind: str, area: int, number: int) -> Any:
    page = pages.page(kind, numbered(area, number))
    if page is None or str(number) not in page:
        raise MissingPageError
    return page[str(number)]


class _Reader:
    """Says how tests come out for one user and device."""

    def __init__(self, pages: Pages, asked: Asked) -> None:
        self._pages, self.asked = pages, asked
        self._row = _of_number(pages, ROWS, asked.area, asked.row)

    def state(self, tree: list[Any]) -> State:
        """Return the state of a test, or of several joined."""
        kind, *parts = tree
        if kind in {ALL, ANY}:
            return (all_of if kind == ALL else any_of)([self.state(part) for part in parts])
        region = self._row[parts[0]]
        if region <= OPEN:
            return STATES[region]
        certain, possible = _of_number(self._pages, REGIONS, self.asked.area, region)
        marks = {self.asked.kind} if kind == FACT else self.asked.marks
        if not marks.isdisjoint(certain):
            return MET
        return UNMET if marks.isdisjoint(possible) else UNKNOWN


def _answer(reader: _Reader, plan: dict[str, Any]) -> Brief | None:
    worlds, states = [], []
    for world in plan["worlds"]:
        found: list[Told] = []
        sides = [(counts, _run(reader, tree, found, side, counts=counts)) for side, counts, tree in world["sides"]]
        state = all_of(state for counts, state in sides if counts)
        states.append(state if world["documented"] else all_of((state, UNKNOWN)))
        worlds.append(found)
    state = agreed(states)
    if state is UNKNOWN:
        return None  # the missing facts are the answer then, and they are not compiled
    requirements = [one for one in merged(worlds, state, plan["order"]) if one.counts]
    return Brief(
        VERDICT_OF[state],
        reader.asked.user,
        plan["what"],
        where(reader.asked.device, plan["hierarchy"]),
        tuple(plan["authority"]),
        tuple(dict.fromkeys(one.id for one in requirements if one.state is UNMET)),
        tuple(dict.fromkeys(one.id for one in requirements if one.assumed)),
    )


def _run(reader: _Reader, tree: list[Any], found: list[Told], side: Side, *, counts: bool) -> State:
    """State of a tree; its requirements are added to `found`. Alternatives that are not needed don't count."""
    kind, *parts = tree
    if kind == NEED:
        id_, needs, assumes, test = parts
        state = reader.state(test)
        assumed = state is UNKNOWN and assumes
        found.append(Told(id_, needs, side, MET if assumed else state, counts, assumed))
        return found[-1].state
    if kind == ALL:
        return all_of([_run(reader, part, found, side, counts=counts) for part in parts])
    start = len(found)
    state = any_of([_run(reader, part, found, side, counts=counts) for part in parts])
    if state is MET:
        found[start:] = [one._replace(counts=one.counts and one.state is MET) for one in found[start:]]
    return state
