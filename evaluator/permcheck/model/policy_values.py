"""The form of policy/values.yaml: what the words and numbers in exports mean.

Each value is a field, and so is each of its meanings: a key that the code asks for can't be missing, or have another
name.
"""

# No `from __future__ import annotations`: pydantic would evaluate every annotation from text, a third of the import.

from collections.abc import Iterator
from functools import cached_property
from typing import Annotated, TypeAlias

from pydantic import Field

from permcheck.model.base import Form, Name, Some, SourceId

Said: TypeAlias = Annotated[Some[int | Name], Field(description="Words or numbers that say so; case means nothing")]


class Value(Form):
    """A value of several meanings: every field but `sources` is one."""

    sources: Some[SourceId]

    def says(self, *said: str | int | None) -> str | None:
        """Return the meaning of the first word or number that has one, as an estate spells it; None if none has."""
        for one in said:
            if one is not None and (meaning := self._meanings.get(_folded(one))):
                return meaning
        return None

    @cached_property
    def _meanings(self) -> dict[str | int, str]:
        return {_folded(one): name.replace("_", "-") for name, one in self.words()}

    def words(self) -> Iterator[tuple[str, str | int]]:
        """Return each meaning with each word or number for it."""
        for name in type(self).model_fields:
            if name != "sources":
                yield from ((name, one) for one in getattr(self, name))


def _folded(said: str | int) -> str | int:
    return said.casefold() if isinstance(said, str) else said


class Manager(Value):
    """Who manages a device."""

    configmgr: Said
    co_managed: Said
    intune: Said


class ScopeType(Value):
    """What an assignment of an Intune role covers."""

    groups: Said
    all_devices: Said
    all_users: Said
    all_devices_and_users: Said


class GroupType(Value):
    """What a group in Microsoft Entra ID is."""

    microsoft_365: Said
    dynamic: Said


class PrincipalType(Value):
    """What somebody in a list is."""

    user: Said
    group: Said


class AssignmentState(Value):
    """Whether somebody holds a directory role, could activate it, or held it once."""

    active: Said
    eligible: Said
    ended: Said


class CategoryType(Value):
    """What a permission of an administrative user is about."""

    collection: Said
    scope: Said


class CollectionType(Value):
    """What a collection holds."""

    user: Said
    device: Said
    other: Said


class RelationshipType(Value):
    """How a collection depends on another."""

    limiting: Said
    include: Said
    exclude: Said


class ApprovalState(Value):
    """Whether a script may run."""

    approved: Said
    not_approved: Said


class Sign(Form):
    """Words or numbers of one meaning, which its key names."""

    said: Said
    sources: Some[SourceId]

    def __contains__(self, one: str | int | None) -> bool:
        """Tell whether a word or number says so."""
        return one is not None and _folded(one) in map(_folded, self.said)

    def part_of(self, text: str) -> bool:
        """Tell whether a word that says so stands somewhere in a text."""
        return any(str(_folded(one)) in text.casefold() for one in self.said)


class Limit(Form):
    """How many entries a service returns."""

    most: Annotated[int, Field(gt=0)]
    sources: Some[SourceId]


class ValuesFile(Form):
    """policy/values.yaml."""

    management_agent: Manager
    managed_by: Manager
    scope_type: ScopeType
    group_type: GroupType
    principal_type: PrincipalType
    whole_tenant: Sign
    whole_tenant_download: Sign
    assignment_state: AssignmentState
    other_principal: Sign
    member_access: Sign
    usable_plan: Sign
    intune_plan: Sign
    disabled_plan: Sign
    no_device_id: Sign
    no_app_role: Sign
    deleted_when: Sign
    removed_from_list: Sign
    list_of_deleted: Sign
    ended_eligibility: Sign
    deleted_if: Sign
    expanded_members: Limit
    category_type: CategoryType
    collection_type: CollectionType
    relationship_type: RelationshipType
    approval_state: ApprovalState
    group_account: Sign
    device_resource: Sign
    all_memberships: Sign
    ad_user_discovery: Sign
