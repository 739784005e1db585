"""PC903: a decision that is not the expected one."""

from __future__ import annotations

from collections.abc import Iterator

from permcheck.checks.context import Context
from permcheck.checks.expected import Outcome, ask_all, read_expected
from permcheck.checks.finding import Finding, NotRun
from permcheck.checks.wording import counted
from permcheck.errors import Problem


def check(context: Context) -> Iterator[Finding | NotRun]:
    """Ask the estate the questions of every file of expected decisions; report other answers."""
    for path in context.expectations:
        told = tuple(ask_all(*read_expected(path), context.estate))
        yield from (_differs(context, one) for one in told if isinstance(one, Outcome) and not one.passed)
        unasked = [one for one in told if isinstance(one, Problem)]
        if unasked:
            more = f", and {counted(len(unasked) - 1, 'other question')} of the file" if unasked[1:] else ""
            yield context.not_run(f"{unasked[0].place}: {unasked[0].message}{more}")


def _differs(context: Context, one: Outcome) -> Finding:
    case = one.case
    read_as = [f"{name}={value}" for name, value in sorted(case.readings.items())]
    subject = "/".join(filter(None, (one.question, case.edition, *read_as)))
    why = f"; why it must be {case.expect}: {case.why}" if case.why else ""
    message = f"expected {case.expect}, got {one.got}: `{one.question}`"
    return context.finding(one.place, message, subject, help_=f"{one.said}{why}")
