"""Everybody's answers at once, cell by cell, against single questions."""

from __future__ import annotations

from collections.abc import Iterator

from permcheck.api import Estate
from permcheck.bulk.act import Act
from permcheck.bulk.answers import Answers, Selection
from permcheck.evaluate.question import Question
from permcheck.model.state import VERDICT_OF, Verdict
from strategies import ACTIONS

MORE = ("set-use-intune-rbac", "set-enforce-cm-rbac", "view-recovery-keys", "enroll-now", "view-client-details")


def acts(estate: Estate) -> tuple[Act, ...]:
    return tuple(Act(*estate._asker.act(name)) for name in (*ACTIONS, *MORE))


def everything(estates: list[Estate]) -> Selection:
    users = dict.fromkeys(key for estate in estates for key in estate.tables.users)
    return Selection(tuple(users), acts(estates[0]))


def cells(answers: Answers, place: int) -> Iterator[tuple[Question, Verdict]]:
    """Every cell, written out."""
    for cell in answers.cells():
        regions = cell.area.regions
        for index in range(cell.area.ground.size):
            verdict = VERDICT_OF[regions.state(cell.regions[place], index)]
            for user in cell.person.members:
                for device in cell.area.ground.members[index]:
                    where = cell.area.hierarchy, device or None
                    yield Question(user, cell.act.action, cell.act.variant, *where), verdict


def wrong(estate: Estate, answers: Answers, place: int = 0) -> list[tuple[str, str, str | None, Verdict, Verdict]]:
    found = []
    for question, verdict in cells(answers, place):
        tables = estate.tables
        there = question.user in tables.users and (not question.device or question.device in tables.devices)
        if not there or (question.hierarchy and question.hierarchy not in tables.hierarchies):
            if verdict is not Verdict.DENY:
                found.append((question.user, question.action.id, question.device, Verdict.DENY, verdict))
            continue
        single = estate._decide(question).verdict if estate.settings.strict else estate._engine.verdict(question)
        if single is not verdict:
            found.append((question.user, question.action.id, question.device, single, verdict))
    return found
