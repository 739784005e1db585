"""PC703: a hierarchy that needs no second person for a script."""

from __future__ import annotations

from collections.abc import Iterator

from permcheck.checks.context import Context
from permcheck.checks.finding import Finding
from permcheck.model.fold import fold_case


def check(context: Context) -> Iterator[Finding]:
    """Find hierarchies where the setting is certainly off, but for labs."""
    labs = {fold_case(name) for name in context.listed("lab-hierarchies")}
    for key, record in context.estate.tables.hierarchies.items():
        if record.script_approver_required is False and key not in labs:
            message = f"in hierarchy `{record.id}`, authors of scripts need no second approver"
            yield context.finding(context.origin("hierarchies", key), message, record.id)
