"""PC204: a checkbox that the release does not have."""

from __future__ import annotations

from collections.abc import Iterator

from permcheck.checks.context import Context
from permcheck.checks.finding import Finding, NotRun
from permcheck.checks.switches import switches


def check(context: Context) -> Iterator[Finding | NotRun]:
    """Find checkboxes that are stated as cleared where a site is older than the checkbox."""
    view = switches(context)
    for hierarchy, form in view.tables.hierarchies.items():
        if view.checkbox(hierarchy) is False and view.is_old(hierarchy):
            old = sorted({site.version for site in form.sites or ()} | ({form.version} if form.version else set()))
            message = (
                f"the checkbox of hierarchy `{form.id}` is cleared, on a site of {old[0]}; it takes {view.release}"
            )
            yield context.finding(context.origin("hierarchies", hierarchy), message, form.id)
