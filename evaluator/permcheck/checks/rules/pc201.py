"""PC201: the toggle is on, and nothing follows from it."""

from __future__ import annotations

from collections.abc import Iterator

from permcheck.checks.context import Context
from permcheck.checks.finding import Finding, NotRun
from permcheck.checks.switches import switches, without_toggle


def check(context: Context) -> Iterator[Finding | NotRun]:
    """Find a toggle that is on while no hierarchy lets Intune decide."""
    yield from without_toggle(context)
    view = switches(context)
    attached = list(view.attached())
    enforced = [form.id for key, form in attached if view.checkbox(key) is True or view.is_old(key)]
    if view.toggle is True and attached and len(enforced) == len(attached):
        name = context.policy.authority.toggle.name
        hierarchies = ", ".join(f"`{one}`" for one in enforced)
        message = f"`{name}` is on, but every hierarchy still enforces Configuration Manager RBAC: {hierarchies}"
        yield context.finding(context.origin("tenant", "", "use_intune_rbac"), message, "tenant")
