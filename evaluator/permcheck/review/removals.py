"""Work out the removals that a signed review asks for: whether they end the access, and what else goes with it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from permcheck.bulk.act import Act
from permcheck.bulk.answers import Answers, Cell, Selection, View
from permcheck.bulk.regions import Bits
from permcheck.evaluate.change import changed
from permcheck.evaluate.question import Question
from permcheck.evaluate.revocations import revocations
from permcheck.evaluate.slice import engine_of
from permcheck.model.change import Change
from permcheck.model.decision import Revocation
from permcheck.model.fold import fold_case
from permcheck.model.state import Verdict
from permcheck.model.tables import Key
from permcheck.review.as_written import Compared
from permcheck.review.diff import Changed, Difference
from permcheck.review.pieces import first_device
from permcheck.review.review import Review
from permcheck.review.row import Row
from permcheck.review.signed import KEEP, REMOVE, Signed

TRIES = 12
"""Grants that are taken away one after the other before a row is given up."""
OPTIONS = 6
HASTY = 20
"""More rows than somebody reads in a minute."""
MINUTE = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}")


class Removal(NamedTuple):
    """What ends the access of one row."""

    signed: Signed
    row: Row
    steps: tuple[str, ...] = ()
    """The grants that are taken away, as sentences."""
    changes: tuple[Change, ...] = ()
    ends: bool = False
    """Whether certainly nobody of the row can do it any more on any of its devices: tried on a copy of the estate."""
    open: int = 0
    """How many of its answers are undetermined then."""
    besides: int = 0
    """How many other answers are no longer allow."""
    people: tuple[Key, ...] = ()
    """Whom those other answers are about."""


class Outcome(NamedTuple):
    """What a signed sheet comes to."""

    removals: tuple[Removal, ...]
    sheet: Compared
    """Whether it is the review that was written."""
    undecided: int
    broken: tuple[Row, ...]
    """Rows to be kept that some removal ends."""
    own: tuple[Signed, ...]
    """Rows that people decided about themselves."""
    unexplained: tuple[Signed, ...]
    """Rows that let somebody act or administer, and are kept without a comment."""
    hasty: tuple[tuple[str, str, int], ...]
    """Reviewers who decided more rows within a minute than anybody reads: who, the minute, how many."""

    @property
    def clean(self) -> bool:
        """Whether the sheet is as it was written, every removal works, and none takes away what is to be kept."""
        return self.sheet.is_as_written and not self.broken and all(one.ends for one in self.removals)


def work_out(review: Review, sheet: Compared) -> Outcome:
    """Find the removals of a signed sheet that was compared with its review."""
    removals = tuple(_removal(review, one, row) for one, row in sheet.pairs if one.decision == REMOVE)
    kept = tuple(row for one, row in sheet.pairs if one.decision == KEEP)
    return Outcome(
        removals,
        sheet,
        sum(not one.decision for one in sheet.signed),
        _broken(review.view, removals, kept),
        tuple(one for one, row in sheet.pairs if _about_oneself(review, one, row)),
        tuple(one for one, row in sheet.pairs if _unexplained(one, row)),
        _hasty(sheet.signed),
    )


def _removal(review: Review, signed: Signed, row: Row) -> Removal:
    """Take grants away until nobody of the row can do it any more."""
    view, steps, changes = review.view, list[str](), list[Change]()
    for _ in range(TRIES):
        question = _left(view, row)
        if question is None:
            lost = _lost(review.view, view, row)
            people = tuple(dict.fromkeys(user for change in lost for user in change.users))
            doubtful = sum(
                cell.area.regions.count(bits) * len(cell.person.members)
                for cell, bits in _still(view, row, Verdict.UNDETERMINED)
            )
            besides = sum(one.cells for one in lost)
            return Removal(signed, row, tuple(steps), tuple(changes), not doubtful, doubtful, besides, people)
        best = _least(view, row, revocations(view.engine, question)[:OPTIONS])
        if best is None:
            break
        steps += [step.text for step in best.grants]
        changes += best.changes
        view = after(view, best.changes)
    return Removal(signed, row, tuple(steps), tuple(changes))


def _least(view: View, row: Row, options: Sequence[Revocation]) -> Revocation | None:
    """Return the revocation that takes the least besides."""
    if len(options) < 2:  # noqa: PLR2004 - nothing to choose
        return options[0] if options else None
    taken = [sum(change.cells for change in _lost(view, after(view, one.changes), row)) for one in options]
    return options[taken.index(min(taken))]


def after(view: View, changes: Iterable[Change]) -> View:
    """Return an estate after changes, read in the same way."""
    engine = view.engine
    return view._replace(engine=engine_of(engine, changed(engine.tables, engine.policy, changes)))


def _left(view: View, row: Row) -> Question | None:
    """Return a question of the row that is still allowed."""
    for cell, bits in _still(view, row, Verdict.ALLOW):
        device = first_device(cell.area, bits)
        return Question(cell.person.members[0], row.act.action, row.act.variant, cell.area.hierarchy, device)
    return None


def _still(view: View, row: Row, verdict: Verdict) -> Iterator[tuple[Cell, Bits]]:
    """Return the answers of the row that have a verdict."""
    area = row.devices.area
    devices = tuple(row.devices.each()) if area.on_devices else None
    for cell in Answers((view,), Selection(row.users, (row.act,), devices)).cells():
        bits = cell.area.regions.bits(cell.regions[0], verdict) & cell.area.ground.there[0]
        if bits and cell.area.hierarchy == area.hierarchy:
            yield cell, bits


def _everything(view: View) -> Selection:
    engine = view.engine
    return Selection(tuple(engine.tables.users), tuple(Act(action) for action in engine.policy.actions.values()))


def _lost(old: View, new: View, row: Row) -> tuple[Changed, ...]:
    """Return what is no longer allow besides the row itself."""
    lost = (change for change in Difference(old, new, _everything(old)).changes if change.kind == "lost")
    return tuple(change for change in lost if not _within(change, row))


def _within(change: Changed, row: Row) -> bool:
    """Whether a change is about nothing but the row."""
    same = change.act == row.act and change.devices.area.hierarchy == row.devices.area.hierarchy
    if not same or not set(change.users) <= set(row.users):
        return False
    return set(change.devices.each()) <= set(row.devices.each())


def _broken(view: View, removals: Sequence[Removal], kept: Sequence[Row]) -> tuple[Row, ...]:
    """Return rows that are to be kept and end when everything is removed."""
    changes = tuple(dict.fromkeys(change for one in removals for change in one.changes))
    if not changes or not kept:
        return ()
    lost: Mapping[tuple[str, str], set[Key]] = _lost_by(view, after(view, changes))
    found = []
    for row in kept:
        where = set(row.devices.each()) or {row.hierarchy or ""}
        if any(lost.get((user, str(row.act)), set()) & where for user in row.users):
            found.append(row)
    return tuple(found)


def _lost_by(old: View, new: View) -> dict[tuple[str, str], set[Key]]:
    found: dict[tuple[str, str], set[Key]] = {}
    for change in Difference(old, new, _everything(old)).changes:
        if change.kind == "lost":
            where = set(change.devices.each()) or {change.devices.area.hierarchy or ""}
            for user in change.users:
                found.setdefault((user, str(change.act)), set()).update(where)
    return found


def _about_oneself(review: Review, signed: Signed, row: Row) -> bool:
    users = review.view.engine.tables.users
    names = {fold_case(users[key].upn) for key in row.users}
    return bool(signed.decision) and fold_case(signed.reviewer) in names


def _unexplained(signed: Signed, row: Row) -> bool:
    acts = row.verdict is not Verdict.DENY and row.act.action.effect != "view"
    return signed.decision == KEEP and acts and not signed.comment


def _hasty(signed: Iterable[Signed]) -> tuple[tuple[str, str, int], ...]:
    """Count decisions by reviewer and minute, as far as the sheet has a time and not only a day."""
    minutes = Counter(
        (one.reviewer, minute[0].replace("T", " "))
        for one in signed
        if one.decision and (minute := MINUTE.match(one.decided_at))
    )
    return tuple((*key, count) for key, count in sorted(minutes.items()) if count > HASTY)
