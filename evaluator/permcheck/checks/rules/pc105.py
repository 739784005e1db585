"""PC105: operations on a class without Read."""

from __future__ import annotations

from collections.abc import Iterator

from permcheck.checks.context import Context
from permcheck.checks.definitions import Definition
from permcheck.checks.finding import Finding
from permcheck.checks.roles import Roles, roles_of
from permcheck.checks.wording import listed


def check(context: Context) -> Iterator[Finding]:
    """Find classes on which a role has operations, but certainly not Read. The documents' own roles are spared."""
    roles, policy = roles_of(context), context.policy
    for role in roles.custom("configmgr"):
        if roles.recommended(role):
            continue
        for class_, held in _held(roles, role).items():
            read = f"{class_}/{context.data('operation')}"
            if read in policy.permissions and roles.lacks(role, read):
                ids = [one.id for one in role.granted if one.id]
                first = next((id_ for id_ in ids if policy.permissions[id_].category == class_), "")
                what = listed(held) if held else "unnamed operations"
                message = f"`{role.name}` has {what} of `{class_}` without `{policy.permissions[read].name}`"
                yield context.finding(role.place_of(first), message, f"{role.name}/{class_}")


def _held(roles: Roles, role: Definition) -> dict[str, list[str]]:
    """Return class -> names of its operations; of a mask, also a class with none that has a name."""
    types = {c.object_type: c.name for c in roles.policy.classes.values()}
    result: dict[str, list[str]] = {types[kind]: [] for kind, mask in role.masks.items() if mask and kind in types}
    for one in role.granted:
        if one.id:
            permission = roles.policy.permissions[one.id]
            result.setdefault(permission.category, []).append(permission.name)
    return {class_: list(dict.fromkeys(names)) for class_, names in result.items()}
