"""PC803: a list that lacks entries."""

from __future__ import annotations

from collections.abc import Iterator

from permcheck.checks.context import Context
from permcheck.checks.finding import Finding, Place
from permcheck.checks.wording import counted


def check(context: Context) -> Iterator[Finding]:
    """Report the lists that the estate, or an import, calls incomplete."""
    tables = context.estate.tables
    for section in sorted(tables.incomplete):
        records = getattr(tables, "admins" if section == "administrative_users" else section)
        many = counted(len(records), "entry", "entries")
        message = f"the list `{section}` has {many}, and is known to lack some"
        first = next(iter(records), None)
        place = Place(context.estate.name) if first is None else context.origin(section, first)
        yield context.finding(place, message, section)
