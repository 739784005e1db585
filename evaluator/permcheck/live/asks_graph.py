"""What is asked of Microsoft Graph. Permissions: the least that the page of each request names for reading."""

from __future__ import annotations

from typing import Final

from permcheck.live.asks import Ask

RBAC: Final = "DeviceManagementRBAC.Read.All"
DEVICES_READ: Final = "DeviceManagementManagedDevices.Read.All"
DIRECTORY_ROLES: Final = "RoleManagement.Read.Directory"

ORGANIZATION: Final = Ask(
    "organization",
    "v1.0/organization?$select=id,displayName,verifiedDomains",
    "User.Read",
    application="Organization.Read.All",
    required=True,
)
USERS: Final = Ask(
    "users",
    "v1.0/users?$select=id,userPrincipalName,displayName,accountEnabled,userType,onPremisesSyncEnabled,"
    "onPremisesSecurityIdentifier,onPremisesSamAccountName,onPremisesDomainName,onPremisesUserPrincipalName,"
    "createdDateTime,assignedPlans&$top=999",
    "User.Read.All",
    required=True,
)
SIGN_INS: Final = Ask("signInActivity", "v1.0/users?$select=id,signInActivity&$top=500", "AuditLog.Read.All")
GROUPS: Final = Ask(
    "groups",
    "v1.0/groups?$select=id,displayName,securityEnabled,mailEnabled,groupTypes,isAssignableToRole,"
    "isManagementRestricted,onPremisesSyncEnabled,onPremisesSecurityIdentifier,onPremisesSamAccountName,onPremisesDomainName,"
    "onPremisesNetBiosName&$top=999",
    "GroupMember.Read.All",
    required=True,
)
MEMBERS: Final = Ask(
    "members of a group",
    "v1.0/groups/{id}/members?$select=id&$top=999",
    "GroupMember.Read.All",
    file="groups/{id}/members",
    per="group",
    required=True,
)
INTUNE_ROLES: Final = Ask("roleDefinitions", "beta/deviceManagement/roleDefinitions", RBAC, required=True)
INTUNE_ASSIGNMENTS: Final = Ask("roleAssignments", "beta/deviceManagement/roleAssignments", RBAC, required=True)
INTUNE_ASSIGNMENT: Final = Ask(
    "an Intune role assignment",
    "beta/deviceManagement/roleAssignments/{id}?$expand=roleDefinition",
    RBAC,
    file="roleAssignments/{id}",
    per="assignment",
    required=True,
    single=True,
)
# Which role an assignment is of, only the way from the role tells: an expanded roleDefinition comes as null.
INTUNE_ROLE_ASSIGNMENTS: Final = Ask(
    "assignments of an Intune role",
    "beta/deviceManagement/roleDefinitions/{id}/roleAssignments",
    RBAC,
    file="roleDefinitions/{id}/roleAssignments",
    per="role",
)
# Their pages name DeviceManagementConfiguration.Read.All first; what is asked here is needed anyway, and serves, too.
SCOPE_TAGS: Final = Ask("roleScopeTags", "beta/deviceManagement/roleScopeTags", RBAC)
TOGGLE: Final = Ask(
    "tenantAttachRBAC",
    "beta/deviceManagement/tenantAttachRBAC/getState",
    DEVICES_READ,
    single=True,
)
APPLICATION: Final = Ask(
    "servicePrincipal",
    "v1.0/servicePrincipals(appId='{application}')"
    "?$select=id,appId,displayName,accountEnabled,appRoleAssignmentRequired,appRoles",
    "Application.Read.All",
    single=True,
)
APP_ROLE_HOLDERS: Final = Ask(
    "appRoleAssignedTo", "v1.0/servicePrincipals(appId='{application}')/appRoleAssignedTo", "Application.Read.All"
)
DIRECTORY_ASSIGNMENTS: Final = Ask(
    "directoryRoleAssignments", "v1.0/roleManagement/directory/roleAssignments?$expand=principal", DIRECTORY_ROLES
)
DIRECTORY_DEFINITIONS: Final = Ask(
    "directoryRoleDefinitions", "v1.0/roleManagement/directory/roleDefinitions", DIRECTORY_ROLES
)
ELIGIBLE_ROLES: Final = Ask(
    "roleEligibilitySchedules",
    "v1.0/roleManagement/directory/roleEligibilitySchedules",
    "RoleEligibilitySchedule.Read.Directory",
)
ELIGIBLE_MEMBERS: Final = Ask(
    "eligible members of a group",
    "v1.0/identityGovernance/privilegedAccess/group/eligibilitySchedules?$filter=groupId%20eq%20'{id}'",
    "PrivilegedEligibilitySchedule.Read.AzureADGroup",
    file="groups/{id}/eligibilitySchedules",
    per="group",
)
LICENCES: Final = Ask("subscribedSkus", "v1.0/subscribedSkus", "LicenseAssignment.Read.All")
DEVICES: Final = Ask(
    "managedDevices",
    "beta/deviceManagement/managedDevices?$select=id,azureADDeviceId,deviceName,operatingSystem,managementAgent,"
    "deviceEnrollmentType,joinType,roleScopeTagIds,configurationManagerClientInformation",
    DEVICES_READ,
)

GRAPH: Final = (
    ORGANIZATION,
    USERS,
    GROUPS,
    INTUNE_ROLES,
    INTUNE_ASSIGNMENTS,
    INTUNE_ASSIGNMENT,
    INTUNE_ROLE_ASSIGNMENTS,
    SCOPE_TAGS,
    TOGGLE,
    APPLICATION,
    APP_ROLE_HOLDERS,
    DIRECTORY_ASSIGNMENTS,
    DIRECTORY_DEFINITIONS,
    ELIGIBLE_ROLES,
    LICENCES,
    DEVICES,
    SIGN_INS,
    MEMBERS,
    ELIGIBLE_MEMBERS,
)
"""All, in the order in which they are asked."""
