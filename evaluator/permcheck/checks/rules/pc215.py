"""PC215: a hierarchy of a release that is out of support."""

from __future__ import annotations

from collections.abc import Iterator

from permcheck.checks.context import Context
from permcheck.checks.finding import Finding, NotRun
from permcheck.checks.wording import counted, listing


def check(context: Context) -> Iterator[Finding | NotRun]:
    """Find hierarchies whose release's support has ended."""
    silent = []
    for key, form in context.estate.tables.hierarchies.items():
        known = context.policy.versions.get(form.version or 0)
        if known is None or known.support_ends is None:
            silent.append(form.id)
        elif known.support_ends < context.today.isoformat():
            message = f"hierarchy `{form.id}` runs {form.version}, whose support ended on {known.support_ends}"
            yield context.finding(context.origin("hierarchies", key, "version"), message, form.id)
    if silent:
        message = (
            f"of {counted(len(silent), 'hierarchy', 'hierarchies')} nobody states until when the release is supported"
        )
        yield context.not_run(f"{message}: {listing(silent)}")
