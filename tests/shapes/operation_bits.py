"""Operation bits of one site: the public ones, and made ones where nobody outside Microsoft knows them.

The made ones begin at the highest free bit, so that a reader who guesses (Read is 1, ...) or who takes
GrantedOperations for a signed number is found out. Only SMS_AvailableOperation tells them.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from permcheck.errors import UnknownNameError
from permcheck.loading.policy import load_policy
from permcheck.model.policy import ObjectClass
from shapes.estate_data import Data

MADE_TYPES = 400
"""Object types begin here for classes without a public one."""


class Operation(NamedTuple):
    """One operation of one class, as SMS_AvailableOperation lists it."""

    class_: ObjectClass
    object_type: int
    name: str
    bit: int


@cache
def operations() -> dict[str, Operation]:
    """Permission id -> its operation, for every permission of the policy."""
    policy, result = load_policy(), {}
    made = iter(range(MADE_TYPES, MADE_TYPES + len(policy.classes)))
    for class_ in policy.classes.values():
        type_ = class_.object_type if class_.object_type is not None else next(made)
        mine = [
            p for p in policy.permissions.values() if policy.planes[p.id] == "configmgr" and p.category == class_.name
        ]
        taken = {p.bit for p in mine if p.bit}
        free = iter([1 << n for n in range(31, -1, -1) if 1 << n not in taken])
        for permission in mine:
            result[permission.id] = Operation(class_, type_, permission.name, permission.bit or next(free))
    return result


def granted(permissions: Data) -> dict[int, int]:
    """Object type -> mask, for `permissions` of a security role. An operation that the policy lacks is left out."""
    masks: dict[int, int] = {}
    for class_, names in permissions.items():
        for name in names:
            if (operation := find(class_, name)) is not None:
                masks[operation.object_type] = masks.get(operation.object_type, 0) | operation.bit
    return masks


def find(class_: str, name: str) -> Operation | None:
    """Return an operation by class and name."""
    try:
        return operations()[load_policy().find_permission("configmgr", f"{class_}\\{name}")]
    except UnknownNameError:
        return None
