"""PC212: a page that a release of the early ring does not show."""

from __future__ import annotations

from collections.abc import Iterator

from permcheck.checks.context import Context
from permcheck.checks.finding import Finding, NotRun
from permcheck.checks.switches import INTUNE, switches
from permcheck.checks.wording import counted, lacking, listing


def check(context: Context) -> Iterator[Finding | NotRun]:
    """Find cloud-only users with the Software updates page, where Intune decides on the early ring."""
    yield from lacking(context, "users", "intune_assignments")
    view = switches(context)
    users = [view.tables.users[user] for user in view.holders(set(context.data("permission_page")))]
    names = [record.upn for record in users if record.synced is False]
    for hierarchy, form in view.attached():
        early = form.update_ring == "early" and form.version == context.data("release")
        if early and names and view.decides(hierarchy) == INTUNE:
            message = (
                f"hierarchy `{form.id}` is {form.version} of the early ring, which hides the Software updates page from"
                f" {counted(len(names), 'cloud-only user')}: {listing(names)}"
            )
            yield context.finding(context.origin("hierarchies", hierarchy), message, form.id)
