"""PC702: somebody who approves scripts and runs them."""

from __future__ import annotations

from collections.abc import Iterator

from permcheck.checks.cloud_pairs import pairs, told
from permcheck.checks.cloud_view import cloud_view
from permcheck.checks.context import Context
from permcheck.checks.finding import Finding


def check(context: Context) -> Iterator[Finding]:
    """Find people who hold the right to approve, and that to run over some collection."""
    view = cloud_view(context)
    first = {"permission_approve": "may approve scripts and run them"}
    if context.option("authors-too"):
        first["permission_write"] = "may write scripts and run them"
    for name, what in first.items():
        for pair in pairs(view, context.data(name), context.data("permission_run"), scoped=False):
            if view.tables.rows[pair.second].collections:
                yield told(context, view, pair, what)
