"""PC704: somebody who makes applications and deploys them."""

from __future__ import annotations

from collections.abc import Iterator

from permcheck.checks.cloud_pairs import pairs, told
from permcheck.checks.cloud_view import cloud_view
from permcheck.checks.context import Context
from permcheck.checks.finding import Finding


def check(context: Context) -> Iterator[Finding]:
    """Find people with both, over some collection."""
    view = cloud_view(context)
    for pair in pairs(view, context.data("permission_make"), context.data("permission_deploy"), scoped=True):
        if view.tables.rows[pair.second].collections:
            yield told(context, view, pair, "may make applications and deploy them")
