"""PC211: a cloud that does not have tenant attach."""

from __future__ import annotations

from collections.abc import Iterator

from permcheck.checks.context import Context
from permcheck.checks.finding import Finding, NotRun
from permcheck.checks.switches import switches


def check(context: Context) -> Iterator[Finding | NotRun]:
    """Find attached hierarchies in a cloud that has no tenant attach, or none for their release."""
    view, cloud = switches(context), context.estate.tables.tenant.cloud
    since = context.data("since").get(cloud)
    for hierarchy, form in view.attached():
        stated = form.tenant_attached or form.upload is not None
        if stated and cloud in context.data("never"):
            message = (
                f"hierarchy `{form.id}` is attached to a tenant of the cloud `{cloud}`, which has no tenant attach"
            )
            yield context.finding(context.origin("hierarchies", hierarchy), message, form.id)
        elif stated and since and form.version is not None and form.version < since:
            message = f"hierarchy `{form.id}` of {form.version} is attached to the cloud `{cloud}`, which takes {since}"
            yield context.finding(context.origin("hierarchies", hierarchy), message, form.id)
