"""The form of estate files: the facts about one tenant.

An estate may be one file or many; lists of the same name are joined. A key that
is absent is unknown. A list that is there is the whole list, unless `incomplete`
names it; `complete` says of absent lists that they are empty.
"""

# No `from __future__ import annotations`: pydantic would evaluate every annotation from text, a third of the import.

from datetime import date
from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from permcheck.model.base import Date, Form, Many, Name, Release, Slug, Some
from permcheck.model.builds import LONGEST

Switch = Annotated[
    bool
    | Annotated[
        str,
        Field(
            pattern=r"^([Oo][Nn]|[Oo][Ff][Ff]|[Cc][Hh][Ee][Cc][Kk][Ee][Dd]|[Cc][Ll][Ee][Aa][Rr][Ee][Dd])$",
            description="On or Off, checked or cleared, in any case",
        ),
    ],
    Field(description="On or Off (checked or cleared), or true or false"),
]
Guid = Annotated[str, Field(pattern=r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$")]
Sid = Annotated[str, Field(pattern=r"^S-1-[0-9]+(-[0-9]+)+$")]
Dotted = Annotated[
    str, Field(pattern=r"^[0-9]+(\.[0-9]+)*$", max_length=LONGEST, description="A version number, such as 5.1")
]
Scope: TypeAlias = Many[Name]

SectionName: TypeAlias = Literal[
    "users", "groups", "entra_roles", "app_roles", "intune_roles", "intune_assignments", "hierarchies",
    "security_roles", "administrative_users", "collections", "scripts", "applications", "devices",
    "scope_tags", "security_scopes",
]  # fmt: skip


class ScopeTag(Form):
    """A scope tag of the tenant."""

    id: Annotated[str, Field(pattern=r"^[0-9]+$", description="Its number; 0 is the built-in one")]
    name: Name


class SecurityScope(Form):
    """A security scope of a hierarchy."""

    hierarchy: Name | None = None
    id: Annotated[Name, Field(description="Its category id, such as PRD00101")]
    name: Name


class Tenant(Form):
    """The tenant and its switches."""

    name: Name | None = None
    cloud: Literal["public", "us-government", "china"] | None = None
    geography: Annotated[Name | None, Field(description="Where the tenant's data lies, such as EU")] = None
    multi_geo: bool | None = None
    use_intune_rbac: Annotated[Switch | None, Field(description="The tenant-wide toggle Use Intune RBAC")] = None
    use_intune_rbac_changed: Annotated[
        Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2})?Z?)?$")] | None,
        Field(description="When the toggle was last changed"),
    ] = None
    unlicensed_admins: Annotated[bool | None, Field(description="Tenant allows unlicensed administrators")] = None
    scoped_permissions: Annotated[
        Literal["merged", "scoped"] | None,
        Field(description="How Intune joins several assignments of one person; scoped is the opt-in of 2026"),
    ] = None
    entra_premium: Annotated[bool | None, Field(description="Microsoft Entra ID P1 or P2 is there")] = None
    multi_admin_approval: Annotated[
        bool | None, Field(description="A Multi Admin Approval policy with an approver group is there")
    ] = None


class Site(Form):
    """One site of a hierarchy."""

    code: Annotated[str, Field(pattern=r"^[A-Za-z0-9]{3}$")]
    version: Release


class UploadScope(Form):
    """Upload limited to one collection."""

    collection: Name


class Hierarchy(Form):
    """One Configuration Manager hierarchy and its site facts."""

    id: Annotated[Name, Field(description="Short name, such as the code of the top site")]
    name: Name | None = None
    version: Annotated[Release | None, Field(description="Release of the top site")] = None
    sites: Annotated[Many[Site] | None, Field(description="Every site, where they differ")] = None
    updates: Annotated[Many[Name] | None, Field(description="Update rollups, as KB numbers")] = None
    update_ring: Literal["early", "general"] | None = None
    enforce_configmgr_rbac: Annotated[
        Switch | None, Field(description="The checkbox Enforce Configuration Manager RBAC for cloud console requests")
    ] = None
    tenant_attached: bool | None = None
    upload: Annotated[
        Literal["all"] | UploadScope | None, Field(description="Which devices are uploaded: all, or one collection")
    ] = None
    geography: Annotated[Name | None, Field(description="Where the service connection point is")] = None
    administration_service: Annotated[
        bool | None, Field(description="Administration service is set up and healthy")
    ] = None
    provider_authentication: Literal["windows", "certificate", "windows-hello"] | None = None
    central_site_remote_provider: Annotated[
        bool | None, Field(description="The central administration site uses an SMS Provider on another server")
    ] = None
    provider_delegation: Annotated[bool | None, Field(description="Delegation for that provider is set up")] = None
    provider_in_authorization_group: Annotated[
        bool | None,
        Field(
            description="Provider's account is in Windows Authorization Access or Pre-Windows 2000 Compatible Access"
        ),
    ] = None
    connection_point_online: Annotated[
        bool | None, Field(description="Service connection point reaches the cloud endpoints")
    ] = None
    script_approver_required: Annotated[
        bool | None, Field(description="Script authors require an additional script approver")
    ] = None


class User(Form):
    """One account that signs in, with its twin in Active Directory if it is synced."""

    upn: Annotated[Name, Field(description="User principal name in Microsoft Entra ID")]
    id: Guid | None = None
    name: Name | None = None
    sid: Annotated[Sid | None, Field(description="On-premises security identifier")] = None
    account: Annotated[Name | None, Field(description=r"On-premises account, DOMAIN\name")] = None
    synced: Annotated[bool | None, Field(description="Synced from Active Directory; false: cloud-only")] = None
    enabled: bool | None = None
    licensed: Annotated[bool | None, Field(description="Has an Intune licence")] = None
    discovered_by: Annotated[
        Many[Literal["entra", "ad"]] | None, Field(description="User discovery methods that found the account")
    ] = None
    discovery_incomplete: Annotated[
        bool, Field(description="`discovered_by` may lack a method: an export doesn't tell them all")
    ] = False
    discovered_upn: Annotated[
        str | None, Field(description="UPN that Active Directory user discovery found; empty text: none")
    ] = None
    on_premises_upn: Name | None = None
    signs_in_with: Annotated[
        Name | None, Field(description="UPN that the person uses in the admin center, where it is another account")
    ] = None
    provider_logon_denied: Annotated[
        bool | None, Field(description="The provider's server denies this user to log on")
    ] = None
    provider_access: Annotated[bool | None, Field(description="WMI and DCOM rights to the SMS Provider")] = None
    last_sign_in: Annotated[Date | None, Field(description="Day of the last sign-in; absent is unknown")] = None


class Group(Form):
    """A group of Microsoft Entra ID, of Active Directory, or synced."""

    name: Name
    id: Guid | None = None
    sid: Sid | None = None
    account: Annotated[Name | None, Field(description=r"On-premises name, DOMAIN\name")] = None
    type: Literal["security", "microsoft-365", "mail-enabled-security", "distribution"] | None = None
    dynamic: bool = False
    members: Annotated[Many[Name] | None, Field(description="Direct members: users and groups, by any name")] = None
    members_incomplete: Annotated[bool, Field(description="`members` is known to lack some")] = False
    all_members: Annotated[
        Many[Name] | None,
        Field(description="Everyone in it, directly or through other groups, where nobody told which"),
    ] = None
    eligible: Annotated[Many[Name] | None, Field(description="Members only after activation (PIM)")] = None
    role_assignable: Annotated[bool | None, Field(description="May be assigned to directory roles")] = None
    restricted_unit: Annotated[bool | None, Field(description="Is in a restricted management administrative unit")] = (
        None
    )


class EntraRole(Form):
    """Who holds a directory role."""

    role: Name
    members: Annotated[Many[Name] | None, Field(description="Active holders: users and groups")] = None
    eligible: Annotated[Many[Name] | None, Field(description="Holders only after activation (PIM)")] = None
    unit_members: Annotated[Many[Name], Field(description="Active holders within an administrative unit only")] = ()


class AppRole(Form):
    """Who an app role is assigned to."""

    application: Name
    role: Name
    assigned_to: Annotated[Many[Name], Field(description="Users and groups")]


class IntuneRole(Form):
    """A custom Intune role."""

    name: Name
    id: Guid | None = None
    description: str | None = None
    permissions: Annotated[Many[Name], Field(description="Graph ids or UI names")]
    undecided: Annotated[
        Many[Name], Field(description="Permissions that it may also have, because the lists of an export differ")
    ] = ()
    not_allowed: Annotated[Many[Name], Field(description="Denied resource actions of the export")] = ()
    scope_tags: Annotated[Many[Name], Field(description="Names or ids; they say who may edit the role, no more")] = ()


class IntuneAssignment(Form):
    """One assignment of an Intune role."""

    name: Name
    id: Guid | None = None
    role: Name
    members: Annotated[Many[Name] | None, Field(description="Groups whose members get the role")] = None
    scope_groups: Many[Name] | None = None
    scope_type: Annotated[
        Literal["groups", "all-devices", "all-users", "all-devices-and-users"] | None,
        Field(description="What the role may act on; does not restrict tenant-attached devices"),
    ] = None
    scope_tags: Annotated[Many[Name] | None, Field(description="Names or ids; an empty list: no tag, sees all")] = None


class SecurityRole(Form):
    """A security role of a hierarchy: a custom one, or a built-in one as the site shows it."""

    hierarchy: Name | None = None
    name: Name
    id: Name | None = None
    copied_from: Name | None = None
    permissions: Annotated[
        dict[Name, Many[Name]] | None, Field(description="Object class: operations, as in the console")
    ] = None
    undecided: Annotated[
        dict[Name, Many[Name]],
        Field(description="Object class: operations that it may also have, because an export's bits don't tell"),
    ] = {}


class SecurityAssignment(Form):
    """One role of an administrative user with the scopes and collections that belong to it."""

    role: Name
    scopes: Annotated[Many[Name] | None, Field(description="Security scopes")] = None
    collections: Annotated[Scope | None, Field(description="An empty list: none")] = None


class AdministrativeUser(Form):
    """A domain user or group with security roles."""

    hierarchy: Name | None = None
    name: Annotated[Name, Field(description=r"DOMAIN\name")]
    sid: Sid | None = None
    assignments: Annotated[
        Many[SecurityAssignment] | None,
        Field(description="Pairs are kept: each role with its own scopes and collections"),
    ] = None


class Collection(Form):
    """A device or user collection."""

    hierarchy: Name | None = None
    id: Name
    name: Name
    kind: Annotated[
        Literal["device", "user"] | None,
        Field(description="Unstated: that of its limiting collection, or of the members that are told"),
    ] = None
    limited_to: Annotated[
        Name | None, Field(description="Limiting collection; permissions flow down this relation")
    ] = None
    include: Annotated[Many[Name], Field(description="Include rules; carry no permission")] = ()
    exclude: Annotated[Many[Name], Field(description="Exclude rules; carry no permission")] = ()
    members: Annotated[Many[Name] | None, Field(description="Devices, by name or resource id")] = None


class Script(Form):
    """A script of the console."""

    hierarchy: Name | None = None
    name: Name
    id: Guid | None = None
    approved: bool | None = None
    parameters: Annotated[bool | None, Field(description="Takes parameters")] = None
    author: Annotated[Name | None, Field(description="User, by any name")] = None
    scopes: Scope | None = None


class Application(Form):
    """An application of the console."""

    hierarchy: Name | None = None
    name: Name
    scopes: Scope | None = None
    deployed_to: Annotated[Many[Name] | None, Field(description="Collections it is deployed to")] = None
    user_targeted: bool | None = None
    has_uninstall_command: bool | None = None
    has_repair_command: bool | None = None
    installed: bool | None = None
    required_deployment: bool | None = None


class Device(Form):
    """A device that a hierarchy manages."""

    name: Name
    hierarchy: Name | None = None
    resource_id: int | Name | None = None
    entra_id: Guid | None = None
    intune_id: Guid | None = None
    collections: Annotated[Many[Name] | None, Field(description="Every collection that contains it")] = None
    uploaded: bool | None = None
    client_version: Dotted | None = None
    client_current: Annotated[bool | None, Field(description="The client is as new as the hierarchy")] = None
    powershell: Dotted | None = None
    online: bool | None = None
    endpoint_analytics: Annotated[bool | None, Field(description="Endpoint analytics data collection is on")] = None
    bitlocker_policy: Annotated[bool | None, Field(description="A BitLocker management policy is applied")] = None
    management: Literal["configmgr", "co-managed", "intune"] | None = None
    scope_tags: Annotated[
        Many[Name] | None, Field(description="Intune scope tags; unstated: Default if only attached")
    ] = None


class Collected(Form):
    """When facts were taken from a service."""

    source: Annotated[Name, Field(description="The service or server that they were taken from")]
    at: Date


class Use(Form):
    """Something that somebody did."""

    user: Annotated[Name, Field(description="User, by any name")]
    action: Annotated[Name | None, Field(description="Id of an action; absent: it can't be told what it was")] = None
    at: Date


class Usage(Form):
    """What a log says was done, in the days that it covers."""

    source: Annotated[Name, Field(description="The log that it was taken from")]
    since: Annotated[Date, Field(description="First day that it covers")]
    until: Annotated[Date, Field(description="Last day that it covers")]
    hierarchy: Annotated[Name | None, Field(description="The one that it is about; absent: all of them")] = None
    actions: Annotated[Some[Name], Field(description="Actions of which it records every use")]
    used: Many[Use] = ()


class EstateFile(Form):
    """One file of an estate."""

    schema_: Annotated[str | None, Field(alias="$schema", description="For editors; means nothing here")] = None
    estate: Annotated[Name | None, Field(description="Name of the estate, for people")] = None
    as_of: Annotated[Date | None, Field(description="Judge by what the documents said on this day")] = None
    readings: Annotated[dict[Slug, Slug], Field(description="Reading: alternative chosen for this estate")] = {}
    assume: Annotated[
        Many[Name],
        Field(
            description="Requirement ids, or a prefix with *, that count as met where the facts are missing;"
            " every decision says so"
        ),
    ] = ()
    complete: Annotated[bool | Many[SectionName], Field(description="Lists that are empty where they are absent")] = (
        False
    )
    incomplete: Annotated[Many[SectionName], Field(description="Lists that are known to lack entries")] = ()
    collected: Annotated[Many[Collected], Field(description="When the facts of each source were taken")] = ()
    usage: Annotated[Many[Usage], Field(description="What was done, by the logs of it; only checks look at it")] = ()
    tenant: Tenant | None = None
    hierarchies: Many[Hierarchy] | None = None
    users: Many[User] | None = None
    groups: Many[Group] | None = None
    entra_roles: Many[EntraRole] | None = None
    app_roles: Many[AppRole] | None = None
    intune_roles: Many[IntuneRole] | None = None
    intune_assignments: Many[IntuneAssignment] | None = None
    security_roles: Many[SecurityRole] | None = None
    administrative_users: Many[AdministrativeUser] | None = None
    collections: Many[Collection] | None = None
    scripts: Many[Script] | None = None
    applications: Many[Application] | None = None
    devices: Many[Device] | None = None
    scope_tags: Annotated[
        Many[ScopeTag] | None, Field(description="Where it is there, a tag that it lacks is an error")
    ] = None
    security_scopes: Annotated[
        Many[SecurityScope] | None, Field(description="Where it is there, a scope that it lacks is an error")
    ] = None


SECTIONS: tuple[str, ...] = SectionName.__args__  # type: ignore[attr-defined]
VOCABULARIES: frozenset[str] = frozenset({"scope_tags", "security_scopes"})
"""Sections that tell which name stands for which id: no answer waits for them."""
ESTATE_KEYS: frozenset[str] = frozenset(field.alias or name for name, field in EstateFile.model_fields.items())
"""Keys that an estate file may have."""


def is_day(text: str) -> bool:
    """Tell whether a text is a day of the calendar."""
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
