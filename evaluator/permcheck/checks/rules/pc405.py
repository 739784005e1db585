"""PC405: an Intune role assignment over everything."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from permcheck.checks.cloud_view import cloud_view
from permcheck.checks.context import Context
from permcheck.checks.finding import Finding
from permcheck.checks.wording import counted
from permcheck.graph.node import Node

WORDS: Final = {
    "all-devices": "all devices",
    "all-users": "all users",
    "all-devices-and-users": "all devices and all users",
}


def check(context: Context) -> Iterator[Finding]:
    """Find assignments of roles that do more than look, with all devices or users as their scope."""
    view, looks = cloud_view(context), tuple(context.data("looks"))
    gate = view.policy.gates["intune"].id
    for key, one in view.tables.intune_assignments.items():
        given = view.given(Node("intune-role", one.role)) - {gate}
        if one.scope_type in WORDS and not all(view.operation(p).startswith(looks) for p in given):
            people = counted(len(view.holders.get(("intune", key), ())), "account")
            message = f"the role assignment `{one.name}` lets {people} act on {WORDS[one.scope_type]}"
            yield context.finding(context.origin("intune_assignments", key), message, one.name)
