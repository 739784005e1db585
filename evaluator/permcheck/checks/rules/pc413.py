"""PC413: no change needs a second administrator."""

from __future__ import annotations

from collections.abc import Iterator

from permcheck.checks.context import Context
from permcheck.checks.finding import Finding, NotRun


def check(context: Context) -> Iterator[Finding | NotRun]:
    """Report a tenant without a policy for Multi Admin Approval."""
    stated = context.estate.tables.tenant.multi_admin_approval
    if stated is None:
        yield context.not_run("the estate does not state `tenant.multi_admin_approval`")
    elif not stated:
        message = "no Multi Admin Approval policy with an approver group is there"
        yield context.finding(context.origin("tenant", "", "multi_admin_approval"), message, "tenant")
