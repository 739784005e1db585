"""What is built in, by the policy: nobody gave it its name, so it keeps it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from permcheck.model.fold import fold_case
from permcheck.model.policy import Plane
from permcheck.model.policy_index import Policy, plain_permission

GRAPH_ID: Final = re.compile(r"microsoft\.intune_[a-z0-9_]+", re.ASCII | re.IGNORECASE)
UPDATE: Final = re.compile(r"kb[0-9]{6,8}", re.ASCII | re.IGNORECASE)
BUILT_IN_ID: Final = re.compile(r"sms(00|dm)[0-9a-z]{3}", re.ASCII)
"""Ids of what every site is installed with: no site may have the code SMS."""
WITH_SITE_IDS: Final = frozenset({"collection", "security-role", "scope"})
ROLE_PLANES: Final[dict[str, Plane]] = {
    "intune-role": "intune",
    "security-role": "configmgr",
    "directory-role": "entra",
}


class Known:
    """Tells whether a name, permission or update is one that the policy knows."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._names = {space: frozenset(_roles(policy, plane)) for space, plane in ROLE_PLANES.items()}
        for kind in ("collection", "scope", "scope-tag"):
            self._names[kind] = frozenset(
                fold_case(name) for b in policy.builtins if b.kind == kind for name in (b.id, b.name)
            )
        app_roles = [p for p in policy.permissions.values() if policy.planes[p.id] == "entra"]
        self._names["application"] = frozenset(fold_case(p.category) for p in app_roles)
        self._names["app-role"] = frozenset(fold_case(name) for p in app_roles for name in (p.name, *p.synonyms))

    def name(self, space: str, name: str) -> bool:
        """Whether a name is built in, in the space where it stands."""
        folded = fold_case(name)
        if folded in self._names.get(space, ()):
            return True
        return space in WITH_SITE_IDS and BUILT_IN_ID.fullmatch(folded) is not None

    def app_role(self, application: str, role: str) -> bool:
        """Whether an app role of an application is one that the policy knows."""
        return self._permission("entra", f"{application}\\{role}")

    def operation(self, class_: str, operation: str) -> bool:
        """Whether an operation of an object class is known."""
        return self._permission("configmgr", f"{class_}\\{operation}")

    def intune_permission(self, name: str) -> bool:
        """Whether an Intune permission is known, or looks like the id of one that came lately."""
        return GRAPH_ID.fullmatch(name) is not None or self._permission("intune", name)

    def update(self, name: str) -> bool:
        """Whether an update is named by its KB number."""
        return UPDATE.fullmatch(name) is not None

    def _permission(self, plane: Plane, name: str) -> bool:
        return self._policy.permission_names(plane).get(plain_permission(name).strip()) is not None


def _roles(policy: Policy, plane: Plane) -> Iterator[str]:
    """Names of the roles of a plane: built in, easily taken for one, or such as the documents tell people to create."""
    for role in policy.roles.values():
        yield from (fold_case(name) for name in role.confused_with)
        if policy.role_planes[role.id] == plane:
            yield from (fold_case(name) for name in (role.id, role.name, *role.synonyms))
    yield from (fold_case(name) for name in policy.recommended)
