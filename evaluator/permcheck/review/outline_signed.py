"""What a signed review comes to, as an outline."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from permcheck.render.outline import Line, Section
from permcheck.review.as_written import Altered, Compared
from permcheck.review.outline import ROWS, Tellers, listed, people, place_of
from permcheck.review.removals import Outcome
from permcheck.review.review import Review
from permcheck.review.row import Row
from permcheck.review.signed import Signed

LONGEST: Final = 80
"""Characters of a cell that are printed."""


def outcome_outline(review: Review, outcome: Outcome) -> tuple[Section, ...]:
    """Say what the removals of a signed sheet do."""
    tables = (review.view.engine.tables,)
    sections = [*_sheet(tables, outcome.sheet), Section("Removals", tuple(_removals(tables, outcome)))]
    if outcome.broken:
        lines = [Line(0, _capability(tables, row), mark="no") for row in outcome.broken]
        sections.append(Section("To be kept, but some removal ends it", tuple(lines)))
    if outcome.own:
        own = [Line(0, f"{one.place}: {one.reviewer}", mark="?") for one in outcome.own]
        sections.append(Section("Decided by the person whom it is about", tuple(own)))
    if outcome.unexplained:
        texts = [f"{one.place}: {one.users or one.row_id}" for one in outcome.unexplained]
        sections.append(Section("Kept, though it lets somebody act, and no comment says why", _few(texts, "?")))
    if outcome.hasty:
        lines = [
            Line(0, f"{who or 'nobody named'}: {count:,} rows in {minute}") for who, minute, count in outcome.hasty
        ]
        sections.append(Section("Decided faster than anybody reads", tuple(lines)))
    if outcome.undecided:
        sections.append(Section("Not decided", (Line(0, f"{outcome.undecided:,} rows"),)))
    return tuple(sections)


def _sheet(tables: Tellers, sheet: Compared) -> Iterator[Section]:
    """Say whether a sheet is the review that was written, and what is not."""
    count = f"{len(sheet.signed):,} row{'s'[: len(sheet.signed) != 1]}"
    said = "as they were written" if sheet.is_as_written else "not as they were written"
    head = [Line(0, f"{count}, {said}", mark="ok" if sheet.is_as_written else "no")]
    head += [Line(1, text, "place") for text in sheet.beside.sources]
    if not sheet.is_as_written:
        head += [Line(1, text, "advice") for text in _reasons(sheet)]
    yield Section("The sheet", tuple(head))
    parts = (
        ("Rows that lack", [f"{_capability(tables, one.row)} ({one.row_id})" for one in sheet.lacking]),
        ("Rows that were altered", [text for one in sheet.altered for text in _altered(one)]),
        ("Rows that this review does not have", [_row(one) for one in sheet.foreign]),
        ("Rows that stand there more than once", [_row(one) for one in sheet.repeated]),
        ("Columns that lack", [f"`{name}`" for name in sheet.lacks]),
        ("What was altered beside the rows", sheet.beside.edited),
    )
    for title, texts in parts:
        if texts:
            yield Section(title, _few(texts, "no"))


def _reasons(sheet: Compared) -> Iterator[str]:
    """Say what may be the reason besides an edit."""
    if sheet.beside.changed:
        files = listed(iter(sheet.beside.changed), len(sheet.beside.changed))
        yield f"files changed since the review was made: {files}"
        yield "what people can do may have changed with them: write the review again, and sign that"
    yield "the options must be those of the review: -u, -a, -d, --by, --verdict and those of the estate"


def _row(one: Signed) -> str:
    return f"{one.place}: {one.users or one.row_id}"


def _altered(one: Altered) -> Iterator[str]:
    for change in one.changes:
        yield f"{_row(one.signed)}: {change.column} was `{_cut(change.written)}`, is `{_cut(change.found)}`"


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def _few(texts: Sequence[str], mark: str) -> tuple[Line, ...]:
    more = len(texts) - ROWS
    return (
        *(Line(0, text, mark=mark) for text in texts[:ROWS]),
        *([Line(0, f"and {more:,} more")] if more > 0 else []),
    )


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
