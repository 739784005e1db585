"""PC111: permissions or bundles of the policy that include each other in a circle."""

from __future__ import annotations

from collections.abc import Iterator

from permcheck.checks.context import Context
from permcheck.checks.finding import Finding
from permcheck.checks.policy_view import PLACE
from permcheck.loading.policy_shape import circle
from permcheck.model.policy import Need


def check(context: Context) -> Iterator[Finding]:
    """Find circles of `implies` and of `use`."""
    policy = context.policy
    permissions = {key: one.implies for key, one in policy.permissions.items()}
    bundles = {name: tuple(_used(listed)) for name, listed in policy.bundles.items()}
    for kind, edges in (("permissions", permissions), ("bundles", bundles)):
        found = circle(edges)
        if found:
            way = " includes ".join(f"`{node}`" for node in found)
            yield context.finding(PLACE, f"{kind} go in a circle: {way}", f"{kind}/{min(found)}")


def _used(listed: tuple[Need, ...]) -> Iterator[str]:
    for need in listed:
        if need.use:
            yield need.use
        yield from _used((*need.all, *need.any))
