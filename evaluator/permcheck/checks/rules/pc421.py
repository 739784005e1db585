"""PC421: a role that gives little more than a smaller built-in one."""

from __future__ import annotations

from collections.abc import Iterator

from permcheck.checks.cloud_view import CloudView, cloud_view
from permcheck.checks.context import Context
from permcheck.checks.finding import Finding
from permcheck.checks.wording import counted, listed
from permcheck.graph.node import Node
from permcheck.model.policy import BuiltInRole


def check(context: Context) -> Iterator[Finding]:
    """Compare every assigned role with the built-in roles that it contains."""
    view = cloud_view(context)
    built_in = {role.id: _listed(role) for role in view.policy.roles.values() if _is_intune(view, role.id)}
    gate = view.policy.gates["intune"].id
    for key, one in view.tables.intune_assignments.items():
        mine = view.given(Node("intune-role", one.role)) - {gate}
        contained = [id_ for id_, given in built_in.items() if given < mine]
        best = max(contained, key=lambda id_: len(built_in[id_]), default=None)
        more = mine - built_in[best] if best is not None else mine
        if best is None or len(more) > int(context.option("more")):
            continue
        role, name = view.policy.roles.get(one.role), view.policy.roles[best].name
        mine_name = role.name if role is not None else view.tables.intune_roles[one.role].name
        titles = listed(view.policy.title(permission) for permission in sorted(more))
        message = f"`{mine_name}` has {counted(len(more), 'permission')} more than the built-in role `{name}`: {titles}"
        yield context.finding(context.origin("intune_assignments", key), message, f"{one.name}/{name}")


def _is_intune(view: CloudView, role: str) -> bool:
    return view.policy.role_planes[role] == "intune"


def _listed(role: BuiltInRole) -> frozenset[str]:
    return frozenset(permission for grant in role.grants for permission in grant.permissions)
