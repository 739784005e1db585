"""Differences between estates are those of single questions; a cause is enough alone."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from permcheck.api import Estate, load
from permcheck.bulk.act import Act
from permcheck.evaluate.question import Question
from permcheck.model.state import Verdict
from permcheck.review.diff import KINDS, SEVERAL, Changed, Difference
from permcheck.review.edits import Edit, edits
from permcheck.review.graft import grafted
from permcheck.review.reasons import OtherReason, other_reasons
from permcheck.review.stream import difference_json
from strategies import ACTIONS, Data, crowds, load_dict

EXAMPLES = Path(__file__).parent.parent / "examples"
Cells = dict[tuple[str, str, str], tuple[Verdict, Verdict]]


def verdict(estate: Estate, user: str, action: str, device: str) -> Verdict:
    """Ask by keys; what an estate does not have is denied."""
    if user not in estate.tables.users or device not in estate.tables.devices:
        return Verdict.DENY
    asked, variant = estate._asker.act(action)
    return estate._engine.verdict(Question(user, asked, variant, device.partition("/")[0], device))


def expected(old: Estate, new: Estate) -> Cells:
    found = {}
    users = dict.fromkeys((*old.tables.users, *new.tables.users))
    devices = dict.fromkeys((*old.tables.devices, *new.tables.devices))
    for user in users:
        for device in devices:
            for action in ACTIONS:
                pair = verdict(old, user, action, device), verdict(new, user, action, device)
                if pair[0] is not pair[1]:
                    found[user, str(Act(*new.find_action(action))), device] = pair
    return found


def told(difference: Difference) -> Cells:
    found = {}
    for change in difference.changes:
        for user in change.users:
            for device in change.devices.each():
                key = (user, str(change.act), device)
                assert key not in found, "a cell stands in one row only"
                found[key] = (change.before, change.after)
    return found


def compare(old: Estate, new: Estate) -> Difference:
    difference = old.diff(new, actions=ACTIONS)
    assert told(difference) == expected(old, new)
    assert sum(difference.counts.values()) == len(told(difference))
    assert each(difference.rectangles()) == each(difference.changes)
    return difference


def each(changes: Iterable[Changed]) -> list[tuple[object, ...]]:
    """Every single answer that changed, in one order."""
    return sorted(
        (user, str(one.act), one.devices.area.hierarchy or "", device, one.before.value, one.after.value, one.causes)
        for one in changes
        for user in one.users
        for device in (one.devices.each() if one.devices.area.on_devices else [""])
    )


@given(crowds())
def test_a_difference_is_that_of_every_single_question(drawn: tuple[Data, Data]) -> None:
    compare(load_dict(drawn[0]), load_dict(drawn[1]))


@settings(max_examples=30)
@given(crowds(), crowds())
def test_also_between_estates_that_share_nothing(one: tuple[Data, Data], two: tuple[Data, Data]) -> None:
    compare(load_dict(one[0]), load_dict(two[0]))


@settings(max_examples=30)
@given(crowds())
def test_a_cause_is_enough_alone(drawn: tuple[Data, Data]) -> None:
    old, new = load_dict(drawn[0]), load_dict(drawn[1])
    found = edits(old.tables, new.tables, old.policy)
    after = {edit.text: old._changed(grafted(old.tables, new.tables, edit.records)) for edit in found}
    for change in old.diff(new, actions=ACTIONS).changes:
        device = next(change.devices.each())
        enough = {
            text
            for text, one in after.items()
            if verdict(one, change.users[0], str(change.act), device) is change.after
        }
        assert enough == set(change.causes) - {SEVERAL} or len(found) == 1


@settings(max_examples=30)
@given(crowds(), crowds())
def test_all_edits_together_make_the_other_estate(one: tuple[Data, Data], two: tuple[Data, Data]) -> None:
    old, new = load_dict(one[0]), load_dict(two[0])
    records: dict[str, dict[str, Any]] = {}
    for edit in edits(old.tables, new.tables, old.policy):
        for table, entries in edit.records.items():
            mine = records.setdefault(table, {})
            for key, value in entries.items():
                mine[key] = {**mine[key], **value} if table == "inside" and key in mine else value
    made = Estate(grafted(old.tables, new.tables, records), old.policy)
    assert expected(made, new) == {}


def test_estates_may_have_other_hierarchies() -> None:
    compare(load(EXAMPLES / "contoso"), load(EXAMPLES / "preview-2006"))
    compare(load(EXAMPLES / "lab"), load(EXAMPLES / "contoso"))


def test_no_edit_is_equivalent() -> None:
    estate = load(EXAMPLES / "contoso")
    difference = estate.diff(load(EXAMPLES / "contoso"))
    assert (difference.word, difference.edits, difference.changes) == ("equivalent", (), ())


def test_the_checkbox_lets_just_those_in_who_hold_intune_rights() -> None:
    """With the toggle On, clearing the checkbox hands the production hierarchy to Intune alone."""
    estate = load(EXAMPLES / "contoso")
    after = estate.what_if("hierarchy:PRD.enforce-cm-rbac=cleared")
    difference = estate.diff(after, actions=["run-script"])
    assert difference.word == "more permissive"
    assert difference.moved == {"PRD": ("both", "intune")}
    gained = {
        user for user in estate.tables.users for device in estate.tables.devices
        if estate.verdict(user, "run-script", device) is not Verdict.ALLOW
        and after.verdict(user, "run-script", device) is Verdict.ALLOW
    }  # fmt: skip
    assert gained
    assert {user for change in difference.changes if change.kind == "gained" for user in change.users} == gained


def test_other_reasons_are_those_of_every_single_answer_that_stays() -> None:
    old = load(EXAMPLES / "contoso")
    new = old.what_if("hierarchy:PRD.enforce-cm-rbac=cleared", "group:SG-Intune-HelpDesk.remove=helpdesk@contoso.com")
    actions = ("run-script", "view-collections", "set-use-intune-rbac")
    found: dict[tuple[str, str, str], OtherReason] = {}
    for one in other_reasons(old.diff(new, actions=actions)):
        for user in one.users:
            for device in one.devices.each():
                assert (user, str(one.act), device) not in found
                found[user, str(one.act), device] = one
    for user in old.tables.users:
        for device, form in old.tables.devices.items():
            for action in actions[:2]:
                before, after = (estate.check(user, action, form.name) for estate in (old, new))
                told = found.pop((user, action, device), None)
                if before.verdict is not after.verdict:
                    assert told is None
                    continue
                same = [
                    (str(d.authority), {r.id for r in d.unmet}, {tuple(s.text for s in p.steps) for p in d.paths})
                    for d in (before, after)
                ]
                assert (told is None) is (same[0] == same[1]), (user, action, device)
    assert not found


def test_the_document_is_written_as_it_is_worked_out() -> None:
    old, new = load(EXAMPLES / "contoso"), load(EXAMPLES / "preview-2006")
    difference = old.diff(new)
    pieces = difference_json(difference, other_reasons(difference))
    text = "".join(pieces)
    document = json.loads(text)
    assert list(document) == ["format", "word", "counts", "authority", "edits", "changes", "reasons"]
    cells = Counter[str]()
    for row in document["changes"]:
        assert list(row) == ["kind", "users", "action", "hierarchy", "devices", "before", "after", "causes"]
        target = old.policy.actions[row["action"]].target
        cells[row["kind"]] += len(row["users"]) * (len(row["devices"]) if target == "device" else 1)
    assert dict(cells) == {kind: count for kind, count in difference.counts.items() if count}
    assert max(map(len, text.splitlines())) == max(map(len, difference_lines(document)))


def difference_lines(document: dict[str, Any]) -> Iterator[str]:
    """Lines in which rows and reasons stand, one in each."""
    for row in (*document["changes"], *document["reasons"]):
        yield f"  {json.dumps(row, ensure_ascii=False)},"


def test_no_difference_is_a_document_too() -> None:
    estate = load(EXAMPLES / "contoso")
    document = json.loads("".join(difference_json(estate.diff(load(EXAMPLES / "contoso")), ())))
    assert (document["word"], document["changes"], document["reasons"]) == ("equivalent", [], [])


def test_kinds_cover_every_pair() -> None:
    pairs = {(a, b) for a in Verdict for b in Verdict if a is not b}
    assert set(KINDS) == pairs
    assert Counter(KINDS.values()) == {"gained": 2, "lost": 2, "opened": 1, "closed": 1}


def test_an_edit_says_who_came() -> None:
    estate = load(EXAMPLES / "contoso")
    after = estate.what_if("group:SG-Intune-HelpDesk.add=field-service@contoso.com")
    found: tuple[Edit, ...] = edits(estate.tables, after.tables, estate.policy)
    assert [edit.text for edit in found] == ["group SG-Intune-HelpDesk: + field-service@contoso.com"]
