"""PC407: what somebody would lose if permissions stayed inside their own assignment."""

from __future__ import annotations

from collections.abc import Iterator

from permcheck.checks.cloud_joined import SECTIONS, joined
from permcheck.checks.cloud_view import cloud_view
from permcheck.checks.context import Context
from permcheck.checks.finding import Finding, NotRun
from permcheck.checks.wording import counted, lacking
from permcheck.model.tables import Key


def check(context: Context) -> Iterator[Finding | NotRun]:
    """Find permissions of each person that come from joining assignments alone."""
    view = cloud_view(context)
    yield from lacking(context, *SECTIONS)
    found: dict[tuple[Key, str], set[str]] = {}
    for user, one in joined(view, tuple(context.data("apart"))):
        found.setdefault((user, one.tag), set()).update(one.permissions)
    for (user, tag), permissions in found.items():
        upn = view.tables.users[user].upn
        many = counted(len(permissions), "permission")
        message = f"`{upn}` would lose {many} at the scope tag `{view.tag(tag)}`"
        yield context.finding(context.origin("users", user), message, f"{upn}/{view.tag(tag)}")
