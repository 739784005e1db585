"""Who can, what can and differences as outlines, which text and Markdown both print."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TypeAlias

from permcheck.model.state import Verdict
from permcheck.model.tables import Key, Tables
from permcheck.render.outline import Line, Section
from permcheck.review.diff import UNASKED, Changed, Difference, Kind
from permcheck.review.evidence import Evidence
from permcheck.review.reasons import OtherReason
from permcheck.review.removals import Outcome
from permcheck.review.review import Review, Total
from permcheck.review.row import Devices, Row

MARKS = {Verdict.ALLOW: "ok", Verdict.UNDETERMINED: "?", Verdict.DENY: "no"}
EFFECTS = {"administer": "Administer", "act": "Act", "view": "View"}
KIND_MARKS: Mapping[Kind, str] = {"gained": "+", "opened": "?", "lost": "-", "closed": "-"}
KIND_WORDS: Mapping[Kind, str] = {
    "gained": "can now",
    "opened": "may be able to now, for all the estate tells",
    "lost": "can't any more",
    "closed": "certainly can't any more",
}
WORDS_OF = {
    "authority": "decided by",
    "trails": "through",
    "unmet": "lacking",
    "missing": "not known",
    "assumed": "assumed",
}
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
        yield Line(0, f"{who}{_where(tables, row.devices, review)}", mark=MARKS[row.verdict])
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
    yield Line(0, f"{acts}{_where(tables, rows[0].devices, review)}", mark=MARKS[rows[0].verdict])
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


def _where(tables: Tellers, devices: Devices, review: Review | None = None) -> str:
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


def verdict_line(difference: Difference) -> str:
    """Say a difference in one line."""
    counts = difference.counts
    parts = [f"{count:,} {kind}" for kind, count in counts.items() if count]
    return f"{difference.word}: {', '.join(parts)} (answers: a user, an action, a device)" if parts else difference.word


def difference_outline(difference: Difference, rows: int = ROWS) -> tuple[Section, ...]:
    """Say what differs, cause by cause."""
    tables = (difference.new.engine.tables, difference.old.engine.tables)
    by_cause: dict[tuple[str, ...], list[Changed]] = {}
    for change in difference.changes:
        by_cause.setdefault(change.causes, []).append(change)
    sections = [Section("In all", tuple(_summary(difference)))]
    for causes, changes in by_cause.items():
        merged = _merged(changes)
        lines = [_changed(tables, key, where) for key, where in merged[:rows]]
        if len(merged) > rows:
            lines.append(Line(0, f"and {len(merged) - rows:,} more (--format json has them all)"))
        sections.append(Section(" | ".join(causes) or "What changed", tuple(lines)))
    idle = [edit.text for edit in difference.edits if not any(edit.text in causes for causes in by_cause)]
    if idle:
        alone = difference.attributed
        title = "Edits that change no answer alone" if alone else UNASKED.capitalize()
        more = (Line(0, f"and {len(idle) - rows:,} more"),) if len(idle) > rows else ()
        sections.append(Section(title, (*(Line(0, text) for text in idle[:rows]), *more)))
    return tuple(sections)


def reasons_section(difference: Difference, found: Iterable[OtherReason], rows: int = ROWS) -> Section:
    """Say which answers stay for other reasons."""
    tables = (difference.new.engine.tables, difference.old.engine.tables)
    lines: list[Line] = []
    more = 0
    for number, one in enumerate(found):
        if number >= rows:
            more += 1
            continue
        who = listed(people(tables, one.users), len(one.users))
        lines.append(Line(0, f"{who}: {one.act}{_where(tables, one.devices)} stays {one.verdict.value}"))
        lines += [Line(1, text, "place") for text in _turned(one.before, one.after)]
    if more:
        lines.append(Line(0, f"and {more:,} more (--format json has them all)"))
    return Section("The same answer for another reason", tuple(lines or [Line(0, "none")]))


def _turned(before: Evidence, after: Evidence) -> Iterator[str]:
    for name, word in WORDS_OF.items():
        one, two = getattr(before, name), getattr(after, name)
        if one != two:
            yield f"{word} before: {_joined(one)}"
            yield f"{word} after: {_joined(two)}"


def _joined(value: object) -> str:
    return ("; ".join(map(str, value)) if isinstance(value, tuple) else str(value)) or "nothing"


def _summary(difference: Difference) -> Iterator[Line]:
    yield Line(0, verdict_line(difference))
    for hierarchy, (before, after) in difference.moved.items():
        yield Line(0, f"hierarchy {hierarchy}: decided by {before or 'nobody'} before, by {after or 'nobody'} after")


Merged: TypeAlias = list[tuple[tuple[Kind, tuple[Key, ...], tuple[str, ...]], list[Devices]]]


def _merged(changes: Iterable[Changed]) -> Merged:
    """Join changes of the same people: first actions on the same devices, then devices with the same actions."""
    acts: dict[tuple[Kind, tuple[Key, ...], Devices], list[str]] = {}
    for change in changes:
        acts.setdefault((change.kind, change.users, change.devices), []).append(str(change.act))
    found: dict[tuple[Kind, tuple[Key, ...], tuple[str, ...]], list[Devices]] = {}
    for (kind, users, devices), names in acts.items():
        found.setdefault((kind, users, tuple(names)), []).append(devices)
    order = list(KIND_WORDS)
    return sorted(found.items(), key=lambda item: (order.index(item[0][0]), item[0][1]))


def _changed(tables: Tellers, key: tuple[Kind, tuple[Key, ...], tuple[str, ...]], where: Sequence[Devices]) -> Line:
    kind, users, acts = key
    who = listed(people(tables, users), len(users))
    text = f"{KIND_MARKS[kind]} {who} {KIND_WORDS[kind]}: {', '.join(acts)}{_places(tables, where)}"
    return Line(0, text, "fix" if kind == "gained" else "missing" if kind == "opened" else "error")


def _places(tables: Tellers, where: Sequence[Devices]) -> str:
    """Say several places at once: devices of several hierarchies, or hierarchies."""
    if any(not one.area.on_devices for one in where):
        return " and".join(_where(tables, one) for one in where)
    names = (device_name(tables, key) for one in where for key in one.each())
    return f" on {listed(names, sum(one.count for one in where))}"


def outcome_outline(review: Review, outcome: Outcome) -> tuple[Section, ...]:
    """Say what the removals of a signed sheet do."""
    tables = (review.view.engine.tables,)
    sections = [Section("Removals", tuple(_removals(tables, outcome)))]
    if outcome.broken:
        lines = [Line(0, _capability(tables, row), mark="no") for row in outcome.broken]
        sections.append(Section("To be kept, but some removal ends it", tuple(lines)))
    if outcome.stale:
        stale = [Line(0, f"{one.place}: {one.users or one.row_id}", mark="?") for one in outcome.stale]
        why = Line(0, "the access has changed since, or the review had other selectors (-u, -a, -d, --by)", "advice")
        sections.append(Section("To be removed, but not in this review", (*stale, why)))
    if outcome.own:
        own = [Line(0, f"{one.place}: {one.reviewer}", mark="?") for one in outcome.own]
        sections.append(Section("Decided by the person whom it is about", tuple(own)))
    if outcome.unexplained:
        lines = [Line(0, f"{one.place}: {one.users or one.row_id}", mark="?") for one in outcome.unexplained[:ROWS]]
        more = len(outcome.unexplained) - ROWS
        lines += [Line(0, f"and {more:,} more")] if more > 0 else []
        sections.append(Section("Kept, though it lets somebody act, and no comment says why", tuple(lines)))
    if outcome.hasty:
        lines = [
            Line(0, f"{who or 'nobody named'}: {count:,} rows in {minute}") for who, minute, count in outcome.hasty
        ]
        sections.append(Section("Decided faster than anybody reads", tuple(lines)))
    if outcome.undecided:
        sections.append(Section("Not decided", (Line(0, f"{outcome.undecided:,} rows"),)))
    return tuple(sections)


def _removals(tables: Tellers, outcome: Outcome) -> Iterator[Line]:
    if not outcome.removals:
        yield Line(0, "none are asked for")
    for one in outcome.removals:
        yield Line(0, _capability(tables, one.row), mark="ok" if one.ends else "no")
        for step in one.steps:
            yield Line(1, f"take away: {step}", "fix")
        if one.open:
            yield Line(1, f"may not end it: {one.open:,} of its answers are undetermined then", "missing")
        elif not one.ends:
            yield Line(
                1, "no removal of grants was found that ends it" if not one.steps else "this does not end it", "error"
            )
        elif one.besides:
            who = listed(people(tables, one.people), len(one.people))
            yield Line(1, f"also ends {one.besides:,} other answer{'s'[: one.besides > 1]}, of {who}", "missing")
        else:
            yield Line(1, "ends nothing else", "place")


def _capability(tables: Tellers, row: Row) -> str:
    return f"{listed(people(tables, row.users), len(row.users))}: {row.act}{_where(tables, row.devices)}"
