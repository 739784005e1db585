"""Answers that stay what they are, for another reason or by another authority."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from permcheck.bulk.act import Act
from permcheck.bulk.answers import Answers, Cell, View
from permcheck.bulk.regions import Bits
from permcheck.evaluate.question import Question
from permcheck.model.state import Verdict
from permcheck.model.tables import Key
from permcheck.review.diff import Difference
from permcheck.review.evidence import Evidence, decided, evidence
from permcheck.review.pieces import alike, first_device, pieces
from permcheck.review.row import Devices


class OtherReason(NamedTuple):
    """The same answer as before, and why it was so and is so."""

    users: tuple[Key, ...]
    act: Act
    devices: Devices
    verdict: Verdict
    before: Evidence
    after: Evidence


def other_reasons(difference: Difference) -> Iterator[OtherReason]:
    """Return the answers of a difference that stay, with other reasons. Every answer is explained twice."""
    views = (difference.old, difference.new)
    if views[0].engine.tables is views[1].engine.tables:
        return
    for cell in Answers(views, difference.selection).cells():
        there = cell.area.ground.there[0] & cell.area.ground.there[1]
        both = all(cell.person.faces)
        for verdict in Verdict if both else ():
            bits = there
            for region in cell.regions:
                bits &= cell.area.regions.bits(region, verdict)
            if bits:
                yield from _otherwise(views, cell, verdict, bits)


def _otherwise(views: tuple[View, View], cell: Cell, verdict: Verdict, bits: Bits) -> Iterator[OtherReason]:
    for users in alike([view.engine for view in views], cell.person.members):
        merged: dict[tuple[Evidence, Evidence], Bits] = {}
        for first in pieces(views[0], 0, cell, users[0], bits):
            for part in pieces(views[1], 1, cell, users[0], first):
                device = first_device(cell.area, part)
                question = Question(users[0], cell.act.action, cell.act.variant, cell.area.hierarchy, device)
                before, after = (_why(view, question) for view in views)
                if before != after:
                    merged[before, after] = merged.get((before, after), 0) | part
        for (before, after), part in merged.items():
            yield OtherReason(users, cell.act, Devices(cell.area, part), verdict, before, after)


def _why(view: View, question: Question) -> Evidence:
    """Return who decides, through what, and what fails: not the passages behind it."""
    engine = view.engine
    found = evidence(decided(view, question), engine.tables, engine.policy)
    return found._replace(error="", editions=(), contested=(), sources=())
