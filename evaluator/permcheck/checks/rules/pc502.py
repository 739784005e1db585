"""PC502: an assignment to an application that gives no app role."""

from __future__ import annotations

from collections.abc import Iterator

from permcheck.checks.context import Context
from permcheck.checks.finding import Finding


def check(context: Context) -> Iterator[Finding]:
    """Find entries of the estate that name the role that everybody has who is assigned without one."""
    for section, key in context.estate.tables.places.at:
        application, _, role = key.rpartition("/")
        if section == "app_roles" and role in context.data("names"):
            message = f"somebody is assigned to `{application}` with `{role}`, which gives no app role"
            yield context.finding(context.origin(section, key), message, key)
