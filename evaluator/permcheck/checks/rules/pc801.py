"""PC801: facts that are old, or were taken on different days."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from permcheck.checks.context import Context
from permcheck.checks.finding import Finding, NotRun
from permcheck.checks.wording import counted, listing


def check(context: Context) -> Iterator[Finding | NotRun]:
    """Compare the days of collection with today, and with each other."""
    most, place = int(context.option("days")), context.origin("collected", "")
    latest: dict[str, date] = {}
    for one in context.estate.tables.collected:
        day = date.fromisoformat(one.at)
        latest[one.source] = max(day, latest.get(one.source, day))
    if not latest:
        yield context.not_run("the estate does not state when its facts were `collected`")
        return
    old = {source: (context.today - day).days for source, day in latest.items()}
    for source, days in old.items():
        if days > most:
            yield context.finding(place, f"the facts of `{source}` are {counted(days, 'day')} old", source)
    first, last = min(latest.values()), max(latest.values())
    if (last - first).days > int(context.option("apart")):
        oldest = listing(source for source, day in latest.items() if day == first)
        message = f"the facts were taken on days that are {(last - first).days} apart: first those of {oldest}"
        yield context.finding(place, message, "apart")
