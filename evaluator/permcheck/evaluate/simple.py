"""Tests that compare facts."""

from __future__ import annotations

from permcheck.evaluate.facts import Fact, fact
from permcheck.evaluate.outcome import UNDOCUMENTED, Context, Explanation, Outcome, missing
from permcheck.model import policy as form
from permcheck.model.builds import dotted
from permcheck.model.decision import Proof, Step
from permcheck.model.fold import fold_case
from permcheck.model.state import MET, UNKNOWN, state_of

OPEN_LISTS = {"user.discovered_by": "discovery_incomplete"}
"""Facts that are lists, with the field that says that something may be missing there."""


def fact_test(context: Context, test: form.FactTest, need: form.Need) -> Outcome:
    """Test that a fact has a value."""
    found = fact(context, test.fact)
    if found.value is None:
        if test.unstated == "met":
            return Outcome(MET)
        return _unknown(found)
    if test.fact in OPEN_LISTS and not _fits(found, test, need):
        user = context.tables.users[context.question.user]
        if getattr(user, OPEN_LISTS[test.fact]):
            return _unknown(found)
    return Outcome(state_of(_fits(found, test, need)), lambda: _told(found))


def _fits(found: Fact, test: form.FactTest, need: form.Need) -> bool:
    value = found.value
    if test.equals is not None:
        return value == test.equals
    if test.one_of:
        return value in test.one_of
    if test.contains is not None:
        wanted = need.value if test.contains == "$value" else test.contains
        return isinstance(value, tuple) and wanted in value
    bound = need.at_least if test.at_least == "$at_least" else test.at_least
    return dotted(str(value)) >= dotted(bound or "0")


def version_test(context: Context, test: form.VersionTest, need: form.Need) -> Outcome:
    """Test that the hierarchy's release is at least the action's, with the updates that this very release needs."""
    found = fact(context, test.fact)
    if found.value is None:
        return _unknown(found)
    release, bound = int(str(found.value)), int(need.at_least or "0")
    if release != bound or not need.updates:
        return Outcome(state_of(release >= bound), lambda: _told(found))
    updates = fact(context, "hierarchy.updates")
    if updates.value is None:
        return _unknown(updates)
    there = isinstance(updates.value, tuple) and {u.upper() for u in need.updates} <= {u.upper() for u in updates.value}
    return Outcome(state_of(there), lambda: _told(found, updates))


def same_test(context: Context, test: form.SameTest, _: form.Need) -> Outcome:
    """Two facts are equal, whatever the case."""
    one, two = (fact(context, name) for name in test.facts)
    unknown = [f for f in (one, two) if f.value is None]
    if unknown:
        return Outcome(UNKNOWN, lambda: Explanation(missing=missing((f.name for f in unknown), "not stated")))
    same = fold_case(str(one.value)) == fold_case(str(two.value))
    return Outcome(state_of(same), lambda: _told(one, two))


def switch_test(context: Context, test: form.SwitchTest, _: form.Need) -> Outcome:
    """Test that the toggle is On, or the checkbox cleared."""
    world, authority = context.world, context.policy.authority
    value = world.toggle if test.switch == "toggle" else world.checkbox
    if value is None:
        return Outcome(UNKNOWN)
    wanted = value if test.switch == "toggle" else not value
    name = authority.toggle.name if test.switch == "toggle" else authority.checkbox.name
    word = ("On" if value else "Off") if test.switch == "toggle" else ("checked" if value else "cleared")
    tenant = test.switch == "toggle"
    where = (
        ("tenant", "", "use_intune_rbac")
        if tenant
        else ("hierarchies", context.question.hierarchy or "", "enforce_configmgr_rbac")
    )
    step = Step(f"{name} is {word}", context.origin(*where))
    return Outcome(state_of(wanted), lambda: Explanation((Proof((step,)),)))


def undocumented_test(_context: Context, _test: form.UndocumentedTest, _: form.Need) -> Outcome:
    """No document says what is needed."""
    text = "no document says what is needed here"
    return Outcome(UNKNOWN, lambda: Explanation(missing=missing((UNDOCUMENTED,), text)))


def _unknown(found: Fact) -> Outcome:
    return Outcome(UNKNOWN, lambda: Explanation(missing=missing((found.name,), "not stated")))


def _told(*facts: Fact) -> Explanation:
    return Explanation((Proof(tuple(Step(f.text, f.origin) for f in facts)),))
