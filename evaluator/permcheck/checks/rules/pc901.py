"""PC901: a change that lets people do more."""

from __future__ import annotations

from collections.abc import Iterator

from permcheck.checks.context import Context
from permcheck.checks.finding import Finding, NotRun
from permcheck.checks.widening import advice, by_edit, said, widened


def check(context: Context) -> Iterator[Finding | NotRun]:
    """Find edits that open answers, if the change opens more of them than it may."""
    effects = context.listed("effects")
    known = sorted({action.effect for action in context.policy.actions.values()})
    wrong = [effect for effect in effects if effect not in known]
    if wrong or not effects:
        what = f"names `{wrong[0]}`" if wrong else "names no effect"
        yield context.not_run(f"option `effects` {what}; there are {', '.join(known)}")
        return
    widening = yield from widened(context, effects)
    if sum(change.cells for change in widening.changes) <= context.option("answers"):
        return
    for one in by_edit(context, widening):
        yield context.finding(one.place, said(context.estate.tables, one), one.edit, help_=advice(context, one))
