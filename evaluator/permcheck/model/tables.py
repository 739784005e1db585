"""An estate in memory: every record under one key, every reference resolved, every origin known."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, TypeAlias

from permcheck.model import estate as form
from permcheck.model.fold import fold_case
from permcheck.model.provenance import Places
from permcheck.model.vocabulary import Vocabulary

Key: TypeAlias = str


class Principals(NamedTuple):
    """Users and groups by key; `known` is false where the estate does not list them."""

    users: tuple[Key, ...] = ()
    groups: tuple[Key, ...] = ()
    known: bool = True

    def without(self, kind: str, key: Key) -> Principals:
        """Return the others: without one user or group."""
        if kind == "user":
            return self._replace(users=tuple(user for user in self.users if user != key))
        return self._replace(groups=tuple(group for group in self.groups if group != key))


class RoleHolders(NamedTuple):
    """Who holds an Entra directory role or an app role."""

    key: Key
    role: str
    active: Principals
    eligible: Principals = Principals()
    within_unit: Principals = Principals()
    """Active holders, but in an administrative unit only: nobody says what that gives in Intune."""


class IntuneAssignment(NamedTuple):
    """An Intune role assignment; `role` is the id of a built-in role or the key of a custom one."""

    key: Key
    name: str
    role: str
    built_in: bool
    members: tuple[Key, ...]
    members_known: bool
    tags: tuple[str, ...] | None
    scope_type: str | None = None
    scope_groups: tuple[str, ...] = ()
    """Names as they are written: a scope group decides nothing about tenant-attached devices."""


class IntuneRole(NamedTuple):
    """A custom Intune role with the ids of its permissions, and of those that it may have besides."""

    key: Key
    name: str
    permissions: frozenset[str]
    undecided: frozenset[str] = frozenset()
    tagged: bool = False
    """It carries scope tags of its own, which play no part."""


class SecurityRow(NamedTuple):
    """One role of an administrative user with the scopes and collections that belong to it."""

    key: Key
    admin: Key
    hierarchy: Key
    role: Key
    scopes: frozenset[str]
    collections: tuple[Key, ...]
    scopes_known: bool = True
    collections_known: bool = True


class SecurityRole(NamedTuple):
    """A security role of a hierarchy: its permissions as far as they are known."""

    key: Key
    name: str
    hierarchy: Key
    built_in: str | None
    permissions: frozenset[str] | None
    undecided: frozenset[str] = frozenset()


class Usage(NamedTuple):
    """What a log records of some actions in some hierarchies."""

    source: str
    since: str
    until: str
    hierarchies: tuple[Key, ...]
    actions: tuple[str, ...]
    """Ids of the actions of which it records every use."""
    used: frozenset[tuple[Key, str]]
    """User and action; an empty action is one that can't be told."""


@dataclass(frozen=True)
class Tables:
    """Everything that an estate says. A changed estate is a new value."""

    name: str = "estate"
    as_of: str | None = None
    readings: Mapping[str, str] = field(default_factory=dict)
    assume: tuple[str, ...] = ()
    collected: tuple[form.Collected, ...] = ()
    usage: tuple[Usage, ...] = ()
    unstated: frozenset[str] = frozenset()
    """Sections that are neither there nor declared complete."""
    incomplete: frozenset[str] = frozenset()
    places: Places = field(default_factory=Places)
    tenant: form.Tenant = field(default_factory=form.Tenant)
    hierarchies: Mapping[Key, form.Hierarchy] = field(default_factory=dict)
    users: Mapping[Key, form.User] = field(default_factory=dict)
    groups: Mapping[Key, form.Group] = field(default_factory=dict)
    members: Mapping[Key, Principals] = field(default_factory=dict)
    indirect: Mapping[Key, Principals] = field(default_factory=dict)
    """Group -> who is in it somehow: directly, or through groups that are not told."""
    eligible: Mapping[Key, Principals] = field(default_factory=dict)
    entra_roles: Mapping[Key, RoleHolders] = field(default_factory=dict)
    app_roles: Mapping[Key, RoleHolders] = field(default_factory=dict)
    scope_tags: Vocabulary = field(default_factory=lambda: Vocabulary("scope tag", {}))
    security_scopes: Mapping[Key, Vocabulary] = field(default_factory=dict)
    """Hierarchy -> its security scopes."""
    intune_roles: Mapping[Key, IntuneRole] = field(default_factory=dict)
    intune_assignments: Mapping[Key, IntuneAssignment] = field(default_factory=dict)
    security_roles: Mapping[Key, SecurityRole] = field(default_factory=dict)
    admins: Mapping[Key, form.AdministrativeUser] = field(default_factory=dict)
    admin_known: Mapping[Key, bool] = field(default_factory=dict)
    rows: Mapping[Key, SecurityRow] = field(default_factory=dict)
    collections: Mapping[Key, form.Collection] = field(default_factory=dict)
    limited_to: Mapping[Key, Key | None] = field(default_factory=dict)
    """Collection -> limiting collection; absent where nobody said."""
    scripts: Mapping[Key, form.Script] = field(default_factory=dict)
    applications: Mapping[Key, form.Application] = field(default_factory=dict)
    deployed_to: Mapping[Key, tuple[Key, ...]] = field(default_factory=dict)
    devices: Mapping[Key, form.Device] = field(default_factory=dict)
    device_collections: Mapping[Key, frozenset[Key]] = field(default_factory=dict)
    """Device -> collections that contain it."""
    membership_open: AbstractSet[Key] = frozenset()
    """Devices that may be in further collections."""

    def having(self, section: str, records: Any) -> Tables:
        """Return the tables with one section replaced."""
        changes: dict[str, Any] = {section: records}
        return replace(self, **changes)

    def uploaded_collection(self, hierarchy: Key) -> Key | None:
        """Return the collection to which the upload of a hierarchy is limited; None where it is not, or not stated."""
        upload = self.hierarchies[hierarchy].upload
        return f"{hierarchy}/{fold_case(upload.collection)}" if isinstance(upload, form.UploadScope) else None

    def carries(self, device: form.Device, tag: str) -> bool:
        """Tell whether a device is stated to carry a scope tag, by its id or name."""
        return tag in map(self.scope_tags.id_of, device.scope_tags or ())

    def scope_id(self, hierarchy: Key, text: str) -> str:
        """Return the id of a security scope."""
        known = self.security_scopes.get(hierarchy)
        return known.id_of(text) if known is not None else fold_case(text)

    def scope_name(self, hierarchy: Key, scope: str) -> str:
        """Return what people call a security scope."""
        known = self.security_scopes.get(hierarchy)
        return known.name_of(scope) if known is not None else scope

    def doubtful(self, *sections: str) -> tuple[str, ...]:
        """Those of `sections` whose list may lack entries."""
        return tuple(s for s in sections if s in self.unstated or s in self.incomplete)


def hierarchy_of(key: Key) -> Key:
    """Return the hierarchy part of a key of something that belongs to one."""
    return key.partition("/")[0]
