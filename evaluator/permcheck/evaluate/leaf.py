"""Run the test of one requirement."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from permcheck.evaluate import cloud, security, simple, tags
from permcheck.evaluate.outcome import Context, Explanation, Outcome
from permcheck.evaluate.plan import Leaf
from permcheck.model import policy as form
from permcheck.model.state import MET, all_of, any_of

TESTS: dict[str, Callable[[Context, Any, form.Need], Outcome]] = {
    "fact": simple.fact_test,
    "version": simple.version_test,
    "same": simple.same_test,
    "switch": simple.switch_test,
    "undocumented": simple.undocumented_test,
    "grant": cloud.grant_test,
    "any-role": cloud.grant_test,
    "scope-tag": tags.scope_tag_test,
    "group-type": cloud.group_type_test,
    "app-role-group": cloud.app_role_group_test,
    "right": security.right_test,
    "same-collection": security.same_collection_test,
    "role-exists": security.role_exists_test,
}
"""Every kind of test. A new kind is one function and one line."""


def run_leaf(context: Context, leaf: Leaf) -> Outcome:
    """Run a requirement's test."""
    return run_test(context, leaf.test, leaf.need)


def run_test(context: Context, test: form.Test, need: form.Need) -> Outcome:
    """Run a test, or several of which all or any must hold."""
    if not isinstance(test, form.Combined):
        return TESTS[test.kind](context, test, need)
    outcomes = [run_test(context, case.test, need) for case in test.of]
    join = all_of if test.kind == "all" else any_of
    state = join(outcome.state for outcome in outcomes)

    def explain() -> Explanation:
        parts = [(o.state, o.explain()) for o in outcomes]
        return Explanation(
            tuple(p for s, part in parts if state is not MET or s is MET for p in part.proofs),
            tuple(m for s, part in parts if s is state for m in part.missing),
            tuple(n for s, part in parts if state is not MET for n in part.near),
        )

    return Outcome(state, explain)
