"""PC214: hierarchies of one tenant under different authorities."""

from __future__ import annotations

from collections.abc import Iterator

from permcheck.checks.context import Context
from permcheck.checks.finding import Finding, NotRun
from permcheck.checks.switches import switches, without_toggle

SAYS = {
    "intune": "Intune alone decides for",
    "both": "Intune and Configuration Manager decide for",
    "configmgr": "Configuration Manager decides for",
}


def check(context: Context) -> Iterator[Finding | NotRun]:
    """Find a tenant whose hierarchies have different authorities."""
    yield from without_toggle(context)
    view = switches(context)
    by: dict[str, list[str]] = {}
    for hierarchy, form in view.attached():
        decides = view.decides(hierarchy)
        if len(decides) == 1:
            by.setdefault(next(iter(decides)), []).append(form.id)
    if len(by) > 1 and view.toggle is True:
        parts = [f"{SAYS[who]} {', '.join(f'`{name}`' for name in by[who])}" for who in sorted(by, reverse=True)]
        message = f"the hierarchies of the tenant differ: {'; '.join(parts)}"
        yield context.finding(context.origin("tenant", "", "use_intune_rbac"), message, "tenant")
