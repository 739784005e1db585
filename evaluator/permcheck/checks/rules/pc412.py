"""PC412: a group that gives an Intune role, and whose members any administrator of groups can change."""

from __future__ import annotations

from collections.abc import Iterator

from permcheck.checks.cloud_view import CloudView, cloud_view
from permcheck.checks.context import Context
from permcheck.checks.finding import Finding, NotRun
from permcheck.checks.wording import counted, listing
from permcheck.graph.node import Node
from permcheck.model.estate import Group
from permcheck.model.tables import IntuneAssignment, Key


def check(context: Context) -> Iterator[Finding | NotRun]:
    """Find groups that are certainly neither role-assignable nor in a restricted unit."""
    view = cloud_view(context)
    held: dict[Key, list[str]] = {}
    for one in view.tables.intune_assignments.values():
        if _acts(context, view, one):
            for member in one.members:
                held.setdefault(member, []).append(one.name)
    groups = {key: view.tables.groups[key] for key in held}
    if groups and not any(_is_told(one) for one in groups.values()):
        yield context.not_run("the estate does not say how groups with a role are protected")
    for key, group in groups.items():
        if group.role_assignable is False and group.restricted_unit is False:
            what = f"{counted(len(held[key]), 'Intune role assignment')} ({listing(held[key])})"
            message = f"`{group.name}` gives {what}, and any administrator of groups can change its members"
            yield context.finding(context.origin("groups", key), message, group.name)


def _is_told(group: Group) -> bool:
    """Tell whether it is known if a group is protected."""
    facts = (group.role_assignable, group.restricted_unit)
    return True in facts or None not in facts


def _acts(context: Context, view: CloudView, one: IntuneAssignment) -> bool:
    """Tell whether a role certainly does more than look."""
    looks, gate = tuple(context.data("looks")), view.policy.gates["intune"].id
    given = view.given(Node("intune-role", one.role)) - {gate}
    return any(not view.operation(permission).startswith(looks) for permission in given)
