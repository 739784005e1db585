"""Who can, what can and totals as outlines, which text and Markdown both print; how people and places are named."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TypeAlias

from permcheck.model.state import Verdict
from permcheck.model.tables import Key, Tables
from permcheck.render.outline import Line, Section
from permcheck.review.review import Review, Total
from permcheck.review.row import Devices, Row

MARKS = {Verdict.ALLOW: "ok", Verdict.UNDETERMINED: "?", Verdict.DENY: "no"}
EFFECTS = {"administer": "Administer", "act": "Act", "view": "View"}
NAMES, ROWS = 8, 40
Tellers: TypeAlias = Sequence[Tables]


def total_line(total: Total) -> str:
    """Say how many answers there are of each kind."""
    return (
        f"{total.cells:,} answers: {total.allow:,} allow, {total.undetermined:,} undetermined, {total.deny:,} deny"
        " (one for each user, action and device)"
    )


def totals_outline(review: Review) -> tuple[Section, ...]:
    """Say how many answers of each action there are."""
    sections = []
    for effect, title in EFFECTS.items():
        mine = [(act, total) for act, total in review.totals.items() if act.action.effect == effect]
        width = max((len(str(act)) for act, _ in mine), default=0)
        head = Line(0, f"{'':{width}}  {'allow':>11}  {'undetermined':>12}  {'deny':>13}", "command")
        lines = [
            Line(0, f"{act!s:{width}}  {t.allow:>11,}  {t.undetermined:>12,}  {t.deny:>13,}", "command")
            for act, t in mine
        ]
        if lines:
            sections.append(Section(title, (head, *lines)))
    return (*sections, Section("In all", (Line(0, total_line(review.total)),)))


def who_can(review: Review, rows: Iterable[Row]) -> tuple[Section, ...]:
    """Say who can do something, through what, and who may be able to."""
    tables = (review.view.engine.tables,)
    by_user: dict[tuple[Key, ...], list[Row]] = {}
    for row in rows:
        by_user.setdefault(row.users, []).append(row)
    act = ", ".join(map(str, review.selection.acts))
    lines = [line for users, mine in by_user.items() for line in _person(tables, users, mine, review)]
    return (
        Section(f"Who can {act}", tuple(lines or [Line(0, "nobody")])),
        Section("In all", (Line(0, total_line(review.total)),)),
    )


def _person(tables: Tellers, users: tuple[Key, ...], rows: list[Row], review: Review) -> Iterator[Line]:
    who = listed(people(tables, users), len(users))
    for row in sorted(rows, key=lambda one: list(MARKS).index(one.verdict)):
        yield Line(0, f"{who}{place_of(tables, row.devices, review)}", mark=MARKS[row.verdict])
        yield from _why(row)


def what_can(review: Review, rows: Iterable[Row]) -> tuple[Section, ...]:
    """Say what somebody can do, by effect, and where."""
    tables = (review.view.engine.tables,)
    found: dict[str, dict[object, list[Row]]] = {effect: {} for effect in EFFECTS}
    for row in rows:
        key = (row.verdict, row.devices.area.hierarchy, row.devices.bits, row.evidence)
        found[row.act.action.effect].setdefault(key, []).append(row)
    sections = []
    for effect, title in EFFECTS.items():
        lines = [line for same in found[effect].values() for line in _deeds(tables, same, review)]
        if lines:
            sections.append(Section(title, tuple(lines)))
    nothing = Section("Act", (Line(0, "nothing"),))
    return (*(sections or [nothing]), Section("In all", (Line(0, total_line(review.total)),)))


def _deeds(tables: Tellers, rows: list[Row], review: Review) -> Iterator[Line]:
    acts = ", ".join(str(row.act) for row in rows)
    yield Line(0, f"{acts}{place_of(tables, rows[0].devices, review)}", mark=MARKS[rows[0].verdict])
    yield from _why(rows[0])


def _why(row: Row) -> Iterator[Line]:
    """Say the paths of an allow, or what is not known."""
    evidence = row.evidence
    for trail in evidence.trails:
        yield Line(1, str(trail), "proof")
    if row.verdict is Verdict.UNDETERMINED and evidence.missing:
        yield Line(1, "not known: " + listed(iter(evidence.missing), len(evidence.missing)), "missing")
    if row.verdict is Verdict.DENY and evidence.unmet:
        yield Line(1, "lacks " + ", ".join(evidence.unmet), "missing")
    if evidence.assumed:
        yield Line(1, "assuming " + ", ".join(evidence.assumed), "missing")


def place_of(tables: Tellers, devices: Devices, review: Review | None = None) -> str:
    """Say where, with how many of the devices that were asked about."""
    area = devices.area
    hierarchy = hierarchy_name(tables, area.hierarchy)
    if not area.on_devices:
        return f" in hierarchy {hierarchy}" if area.hierarchy else " in the tenant"
    count = devices.count
    names = listed((device_name(tables, key) for key in devices.each()), count)
    asked = 0 if review is None else sum(sum(a.regions.sizes) for a in review.answers.areas if a.on_devices)
    share = f" ({count:,} of {asked:,} devices)" if asked > 1 else ""
    return f" on {names}{share}"


def listed(names: Iterator[str], count: int, few: int = NAMES) -> str:
    """List names; of many, the first ones and how many more there are."""
    shown = list(islice(names, min(count, few)))
    more = count - len(shown)
    return ", ".join(shown) + (f" and {more:,} more" if more else "")


def people(tables: Tellers, users: Iterable[Key]) -> Iterator[str]:
    """Return the UPNs of users, of whichever estate has them."""
    return (next((one.users[key].upn for one in tables if key in one.users), key) for key in users)


def device_name(tables: Tellers, key: Key) -> str:
    """Return the name of a device, of whichever estate has it."""
    return next((one.devices[key].name for one in tables if key in one.devices), key)


def hierarchy_name(tables: Tellers, key: Key | None) -> str:
    """Return the id of a hierarchy; empty for the tenant."""
    return next((one.hierarchies[key].id for one in tables if key in one.hierarchies), key or "") if key else ""
