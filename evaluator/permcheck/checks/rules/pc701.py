"""PC701: an author of scripts who can approve them."""

from __future__ import annotations

from collections.abc import Iterator

from permcheck.checks.cloud_pairs import pairs, told
from permcheck.checks.cloud_view import cloud_view
from permcheck.checks.context import Context
from permcheck.checks.finding import Finding


def check(context: Context) -> Iterator[Finding]:
    """Find people with both halves in a hierarchy that does not keep them apart itself."""
    view = cloud_view(context)
    for pair in pairs(view, context.data("permission_write"), context.data("permission_approve"), scoped=True):
        asks = view.tables.hierarchies[pair.hierarchy].script_approver_required
        if asks is False or not context.option("second-approver-suffices"):
            yield told(context, view, pair, "may write scripts and approve them")
