"""PC213: a site code of two hierarchies."""

from __future__ import annotations

from collections.abc import Iterator

from permcheck.checks.context import Context
from permcheck.checks.finding import Finding, NotRun
from permcheck.checks.wording import listing


def check(context: Context) -> Iterator[Finding | NotRun]:
    """Find site codes that several hierarchies of the tenant have."""
    owners: dict[str, list[str]] = {}
    hierarchies = context.estate.tables.hierarchies
    for key, form in hierarchies.items():
        for code in sorted({site.code.upper() for site in form.sites or ()}):
            owners.setdefault(code, []).append(key)
    for code, keys in sorted(owners.items()):
        if len(keys) > 1:
            message = (
                f"site code `{code}` belongs to {len(keys)} hierarchies: {listing(hierarchies[key].id for key in keys)}"
            )
            yield context.finding(context.origin("hierarchies", keys[-1]), message, code)
