"""PC510: facts about people with roles that were not exported."""

from __future__ import annotations

from collections.abc import Iterator

from permcheck.checks.cloud_view import cloud_view
from permcheck.checks.context import Context
from permcheck.checks.finding import Finding
from permcheck.checks.wording import counted

FACTS = ("enabled", "synced")


def check(context: Context) -> Iterator[Finding]:
    """Count people with roles of whom a fact is unknown that decisions rest on."""
    view = cloud_view(context)
    holding = [user for user, held in view.holdings.items() if held]
    for fact in FACTS:
        without = [user for user in holding if getattr(view.tables.users[user], fact) is None]
        if without:
            who = f"{len(without)} of {counted(len(holding), 'account')} with a role"
            message = f"`{fact}` is not stated of {who}: {view.names(without)}"
            yield context.finding(context.origin("users", without[0]), message, fact)
