"""PC419: a group type to which Intune gives no role."""

from __future__ import annotations

from collections.abc import Iterator

from permcheck.checks.cloud_view import cloud_view
from permcheck.checks.context import Context
from permcheck.checks.finding import Finding
from permcheck.checks.wording import counted

WORDS = {
    "microsoft-365": "a Microsoft 365 group",
    "mail-enabled-security": "a mail-enabled security group",
    "distribution": "a distribution group",
}


def check(context: Context) -> Iterator[Finding]:
    """Find member groups of role assignments that are no security groups."""
    view = cloud_view(context)
    for key, one in view.tables.intune_assignments.items():
        for group in one.members:
            record = view.tables.groups[group]
            if record.type in WORDS:
                people = counted(len(view.everybody(group).users), "account")
                message = f"the role assignment `{one.name}` names `{record.name}`, {WORDS[record.type]} with {people}"
                yield context.finding(context.origin("intune_assignments", key), message, f"{one.name}/{record.name}")
