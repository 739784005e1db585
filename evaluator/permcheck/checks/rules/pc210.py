"""PC210: tier-0 devices in the admin center."""

from __future__ import annotations

from collections.abc import Iterator

from permcheck.checks.context import Context
from permcheck.checks.finding import Finding, NotRun
from permcheck.checks.security_view import security_view
from permcheck.checks.switches import switches
from permcheck.checks.tier import tier_devices, tier_named
from permcheck.checks.wording import lacking


def check(context: Context) -> Iterator[Finding | NotRun]:
    """Find hierarchies that upload all devices, tier-0 devices among them."""
    yield from lacking(context, "devices")
    view = security_view(context)
    tier = yield from tier_named(context, view)
    if tier is None:
        return
    for hierarchy, form in switches(context).attached():
        hit = tier & switches(context).devices(hierarchy)
        if hit and form.upload == "all":
            message = f"hierarchy `{form.id}` uploads all devices, among them {tier_devices(view, hit)}"
            yield context.finding(context.origin("hierarchies", hierarchy), message, form.id)
