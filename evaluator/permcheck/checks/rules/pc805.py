"""PC805: a role for a group whose members are not known."""

from __future__ import annotations

from collections.abc import Iterator

from permcheck.checks.cloud_view import CloudView, cloud_view
from permcheck.checks.context import Context
from permcheck.checks.finding import Finding
from permcheck.checks.wording import listed
from permcheck.model.tables import Key


def check(context: Context) -> Iterator[Finding]:
    """Find groups with a role, of which some members are unknown."""
    view = cloud_view(context)
    for group, what in _given(view).items():
        if not view.everybody(group).complete:
            name = view.tables.groups[group].name
            message = f"not all members of `{name}` are known, and it gives {listed(what)}"
            yield context.finding(context.origin("groups", group), message, name)


def _given(view: CloudView) -> dict[Key, list[str]]:
    """Return groups that something is given to, with what it is."""
    found: dict[Key, list[str]] = {}
    tables, policy = view.tables, view.policy
    grants = [(one.name, one.members) for one in tables.intune_assignments.values()]
    grants += [(policy.roles[one.role].name, one.active.groups) for one in tables.entra_roles.values()]
    grants += [(policy.title(one.role), one.active.groups) for one in tables.app_roles.values()]
    for name, groups in grants:
        for group in groups:
            found.setdefault(group, []).append(name)
    for group in tables.groups:
        for one in view.administrators(group):
            found.setdefault(group, []).append(one)
    return found
