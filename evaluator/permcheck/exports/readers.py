"""Every kind of export with the function that reads it. A new kind is an entry in the policy, a function and a line."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias

from permcheck.exports import read_configmgr as configmgr
from permcheck.exports import read_devices as devices
from permcheck.exports import read_intune as intune
from permcheck.exports import read_people as people
from permcheck.exports import read_roles as roles
from permcheck.exports import read_security as security
from permcheck.exports.batch import Batch
from permcheck.exports.gathered import Gathered
from permcheck.exports.read_lab import lab
from permcheck.exports.recognise import Found

Reader: TypeAlias = Callable[[Gathered, Batch, Found, int], None]


def nothing(_into: Gathered, batch: Batch, _found: Found, _number: int) -> None:
    """Read nothing: the export is known, and tells an estate nothing."""
    for _ in batch.entries():
        pass


READERS: Final[dict[str, Reader]] = {
    "configmgr.sites": configmgr.sites,
    "configmgr.operations": configmgr.operations,
    "configmgr.security-scopes": configmgr.security_scopes,
    "configmgr.object-scopes": configmgr.object_scopes,
    "graph.organization": people.organization,
    "graph.subscriptions": people.subscriptions,
    "graph.users": people.users,
    "graph.sign-ins": people.users,
    "graph.groups": people.groups,
    "graph.group-members": people.group_members,
    "graph.group-transitive-members": people.transitive_members,
    "graph.group-eligibility": people.group_eligibility,
    "graph.directory-role-definitions": nothing,
    "graph.directory-role-assignments": roles.directory_role_assignments,
    "graph.directory-role-eligibility": roles.directory_role_eligibility,
    "graph.directory-roles": roles.directory_roles,
    "graph.service-principals": roles.service_principals,
    "graph.app-role-assignments": roles.app_role_assignments,
    "graph.toggle": roles.toggle,
    "graph.scope-tags": roles.scope_tags,
    "graph.role-definitions": intune.role_definitions,
    "graph.role-assignments": intune.role_assignments,
    "graph.managed-devices": devices.managed_devices,
    "configmgr.collections": configmgr.collections,
    "configmgr.collection-dependencies": configmgr.dependencies,
    "configmgr.security-roles": security.security_roles,
    "configmgr.role-permissions": security.role_permissions,
    "configmgr.administrative-users": security.administrative_users,
    "configmgr.discovered-users": configmgr.discovered_users,
    "configmgr.discovered-groups": configmgr.discovered_groups,
    "configmgr.scripts": configmgr.scripts,
    "configmgr.applications": configmgr.applications,
    "configmgr.systems": devices.devices,
    "configmgr.devices": devices.devices,
    "configmgr.collection-members": devices.collection_members,
    "file.role-xml": security.role_xml,
    "file.all-devices": devices.all_devices,
    "file.entra-members": people.entra_members,
    "file.entra-role-assignments": roles.entra_role_assignments,
    "file.security-assignments": security.security_assignments,
    "file.role-table": security.role_permissions,
    "file.lab": lab,
}
