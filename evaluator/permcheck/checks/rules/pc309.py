"""PC309: deploying through one role what another role lets the person read."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from permcheck.checks.context import Context
from permcheck.checks.finding import Finding, NotRun
from permcheck.checks.security_view import SecurityView, security_view
from permcheck.checks.wording import lacking
from permcheck.model.tables import SecurityRow


def check(context: Context) -> Iterator[Finding | NotRun]:
    """Find pairs of rows of one person that cross: deploy to a collection, read objects of another scope."""
    yield from lacking(context, "administrative_users")
    view = security_view(context)
    pairs: dict[str, str] = context.data("permission_pairs")
    found: dict[tuple[str, str], tuple[SecurityRow, SecurityRow]] = {}
    for rows in view.together():
        deploying = [row for row in rows if not view.gives(row.role).isdisjoint(pairs)]
        reading = [row for row in rows if not view.gives(row.role).isdisjoint(pairs.values())]
        found |= {(one.key, other.key): (one, other) for one, other in product(deploying, reading) if one is not other}
    for _, (deploys, reads) in sorted(found.items()):
        extra = reads.scopes - deploys.scopes
        crossing = _crossing(context, view, deploys, reads)
        if crossing and extra and view.policy.all_scope not in deploys.scopes:
            message = (
                f"{view.who(deploys)} may use {view.operations(crossing)} of `{view.role_name(deploys)}` on"
                f" {view.on(deploys.collections)} for objects of scope {view.scopes(extra)}, through"
                f" `{view.role_name(reads)}`"
            )
            subject = f"{view.subject(deploys)}/{view.role_name(reads)}"
            yield context.finding(context.origin("rows", deploys.key), message, subject)


def _crossing(context: Context, view: SecurityView, deploys: SecurityRow, reads: SecurityRow) -> set[str]:
    """Return the operations that one row has and the other one lets work, though neither row alone says so."""
    if not (deploys.scopes_known and reads.scopes_known and deploys.collections):
        return set()
    mine, other = view.gives(deploys.role), view.gives(reads.role)
    inside = view.spans(reads, deploys.collections)
    pairs: dict[str, str] = context.data("permission_pairs")
    return {
        deploy
        for deploy, read in pairs.items()
        if deploy in mine and read in other and not (inside and deploy in other)
    }
