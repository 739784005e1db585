"""Changes of an estate that permcheck can try: flip a switch, state a fact, add or remove a grant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

FactValue: TypeAlias = bool | int | str | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SetFact:
    """State a fact: `subject` is tenant, hierarchy, user, device, script or application."""

    subject: str
    key: str
    fact: str
    value: FactValue


@dataclass(frozen=True, slots=True)
class AddMember:
    """Make a user a direct member of a group."""

    group: str
    user: str


@dataclass(frozen=True, slots=True)
class RemoveMember:
    """Take a user or group out of a group."""

    group: str
    member: str
    member_kind: str = "user"


@dataclass(frozen=True, slots=True)
class Activate:
    """Let a user activate what he is eligible for: `section` is groups or entra_roles, `key` a group or a holding."""

    section: str
    key: str
    user: str


@dataclass(frozen=True, slots=True)
class AssignIntuneRole:
    """Make a new group with the user as its only member and assign an Intune role to it, with some scope tags."""

    role: str
    built_in: bool
    user: str
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CreateIntuneRole:
    """Make a custom Intune role with just these permissions and assign it to a new group with the user."""

    permissions: tuple[str, ...]
    user: str
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AssignAppRole:
    """Assign an app role to the user directly."""

    permission: str
    user: str


@dataclass(frozen=True, slots=True)
class AssignEntraRole:
    """Make a user an active holder of an Entra directory role."""

    role: str
    user: str


@dataclass(frozen=True, slots=True)
class AssignSecurityRole:
    """Give a user a security role of a hierarchy, for one collection and one scope."""

    hierarchy: str
    role: str
    user: str
    collection: str
    scope: str


@dataclass(frozen=True, slots=True)
class CreateSecurityRole:
    """Make a security role with just these permissions and give it to the user."""

    hierarchy: str
    permissions: tuple[str, ...]
    user: str
    collection: str
    scope: str


@dataclass(frozen=True, slots=True)
class AddScopeTag:
    """Let a role assignment see a scope tag."""

    assignment: str
    tag: str


@dataclass(frozen=True, slots=True)
class AddCollection:
    """Give a security role of an administrative user a further collection."""

    row: str
    collection: str


@dataclass(frozen=True, slots=True)
class AddScope:
    """Give a security role of an administrative user a further security scope."""

    row: str
    scope: str


@dataclass(frozen=True, slots=True)
class AddPermissions:
    """Add permissions to a custom role: `section` is intune_roles or security_roles."""

    section: str
    role: str
    permissions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RemoveGrant:
    """Remove one record: an assignment, a row of an administrative user, a holder of a role."""

    section: str
    key: str
    holder_kind: str = ""
    holder: str = ""


Change: TypeAlias = (
    SetFact
    | AddMember
    | Activate
    | RemoveMember
    | AssignIntuneRole
    | CreateIntuneRole
    | AssignAppRole
    | AssignEntraRole
    | AssignSecurityRole
    | CreateSecurityRole
    | AddScopeTag
    | AddCollection
    | AddScope
    | AddPermissions
    | RemoveGrant
)
