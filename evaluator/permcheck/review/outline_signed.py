"""What a signed review comes to, as an outline."""

from __future__ import annotations

from collections.abc import Iterator

from permcheck.render.outline import Line, Section
from permcheck.review.outline import ROWS, Tellers, listed, people, place_of
from permcheck.review.removals import Outcome
from permcheck.review.review import Review
from permcheck.review.row import Row


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
    return f"{listed(people(tables, row.users), len(row.users))}: {row.act}{place_of(tables, row.devices)}"
