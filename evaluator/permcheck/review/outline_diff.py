"""A difference as an outline, cause by cause."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias

from permcheck.model.tables import Key
from permcheck.render.outline import Line, Section
from permcheck.review.diff import UNASKED, Changed, Difference, Kind
from permcheck.review.evidence import Evidence
from permcheck.review.outline import ROWS, Tellers, device_name, listed, people, place_of
from permcheck.review.reasons import OtherReason
from permcheck.review.row import Devices

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
        lines.append(Line(0, f"{who}: {one.act}{place_of(tables, one.devices)} stays {one.verdict.value}"))
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
        return " and".join(place_of(tables, one) for one in where)
    names = (device_name(tables, key) for one in where for key in one.each())
    return f" on {listed(names, sum(one.count for one in where))}"
