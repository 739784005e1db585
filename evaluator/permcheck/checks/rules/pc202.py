"""PC202: a checkbox is cleared, and nothing follows from it."""

from __future__ import annotations

from collections.abc import Iterator

from permcheck.checks.context import Context
from permcheck.checks.finding import Finding, NotRun
from permcheck.checks.switches import switches, without_toggle


def check(context: Context) -> Iterator[Finding | NotRun]:
    """Find checkboxes that are cleared while the toggle is off."""
    yield from without_toggle(context)
    view, toggle = switches(context), context.policy.authority.toggle.name
    for hierarchy, form in view.attached():
        if view.toggle is False and view.checkbox(hierarchy) is False:
            message = f"the checkbox of hierarchy `{form.id}` is cleared, but `{toggle}` is off"
            yield context.finding(context.origin("hierarchies", hierarchy), message, form.id)
