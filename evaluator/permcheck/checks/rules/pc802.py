"""PC802: two collections of one source in one estate."""

from __future__ import annotations

from collections.abc import Iterator

from permcheck.checks.context import Context
from permcheck.checks.finding import Finding, NotRun
from permcheck.checks.wording import listed
from permcheck.model.fold import fold_case


def check(context: Context) -> Iterator[Finding | NotRun]:
    """Find sources that were collected on several days."""
    days: dict[str, set[str]] = {}
    names: dict[str, str] = {}
    for one in context.estate.tables.collected:
        key = fold_case(one.source)
        days.setdefault(key, set()).add(one.at)
        names.setdefault(key, one.source)
    if not days:
        yield context.not_run("the estate does not state when its facts were `collected`")
    for key, found in days.items():
        if len(found) > 1:
            message = f"facts of `{names[key]}` from several days are mixed: {listed(sorted(found))}"
            yield context.finding(context.origin("collected", ""), message, names[key])
