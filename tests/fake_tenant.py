"""A small tenant and a small site, as the two services would show them."""

from __future__ import annotations

from typing import Any

from permcheck.loading.policy import load_policy

Row = dict[str, Any]
TENANT = "7f3c1e6a-0000-4000-8000-00000000aaaa"
APPLICATION = "557c67cf-c916-4293-8373-d584996f60ae"
ADMIN_USER = "c22b119a-bb68-45ab-8a0a-ef26bc7a66e7"
INTUNE_PLAN = "c1ec4a95-1f05-45b3-a911-aa3fa01094f5"


def uid(number: int) -> str:
    """An object id."""
    return f"00000000-0000-4000-8000-{number:012}"


USERS = [uid(n) for n in (1, 2, 3, 4, 5)]
HELPDESK, NESTED, SCOPE, SYNCED, APP_GROUP, ROLE_GROUP, ELIGIBLE, IDLE = (uid(n) for n in range(101, 109))
GONE = uid(199)
ASSIGNMENT = "a0000000-0000-4000-8000-000000000001"


def user(id_: str, name: str, *, synced: bool | None = None) -> Row:
    return {
        "id": id_,
        "userPrincipalName": f"{name}@contoso.com",
        "displayName": name.title(),
        "accountEnabled": True,
        "userType": "Member",
        "onPremisesSyncEnabled": synced,
        "onPremisesSecurityIdentifier": f"S-1-5-21-1-2-3-{int(id_[-4:]) + 1000}" if synced else None,
        "onPremisesSamAccountName": name if synced else None,
        "onPremisesDomainName": "contoso.local" if synced else None,
        "onPremisesUserPrincipalName": f"{name}@contoso.local" if synced else None,
        "createdDateTime": "2024-01-02T03:04:05Z",
        "assignedPlans": [
            {
                "assignedDateTime": "2024-01-02T03:04:05Z",
                "capabilityStatus": "Enabled",
                "service": "SCO",
                "servicePlanId": INTUNE_PLAN,
            }
        ],
        "mobilePhone": "never asked for",
    }


def signed_in(interactive: str | None, program: str | None) -> Row:
    """When somebody last signed in, and when a program last did for the person."""
    return {
        "signInActivity": {
            "lastSignInDateTime": interactive,
            "lastSignInRequestId": None,
            "lastNonInteractiveSignInDateTime": program,
            "lastNonInteractiveSignInRequestId": None,
        }
    }


def group(
    id_: str, name: str, *, synced: bool | None = None, assignable: bool | None = None, restricted: bool | None = None
) -> Row:
    return {
        "id": id_,
        "displayName": name,
        "securityEnabled": True,
        "mailEnabled": False,
        "groupTypes": [],
        "isAssignableToRole": assignable,
        "isManagementRestricted": restricted,
        "onPremisesSyncEnabled": synced,
        "onPremisesSecurityIdentifier": "S-1-5-21-1-2-3-9001" if synced else None,
        "onPremisesSamAccountName": name if synced else None,
        "onPremisesDomainName": "contoso.local" if synced else None,
        "onPremisesNetBiosName": "CONTOSO" if synced else None,
    }


def member(kind: str, id_: str) -> Row:
    return {"@odata.type": f"#microsoft.graph.{kind}", "id": id_, "displayName": "never asked for"}


def intune_roles() -> list[Row]:
    """The built-in roles, with what the policy says that they give."""
    policy = load_policy()
    roles = [role for role in policy.roles.values() if policy.role_planes[role.id] == "intune"]
    result = []
    for role in roles:
        actions = sorted({p for grant in role.grants for p in grant.permissions if p.startswith("Microsoft.Intune_")})
        allowed = [{"allowedResourceActions": actions, "notAllowedResourceActions": []}]
        result.append(
            {
                "@odata.type": "#microsoft.graph.deviceAndAppManagementRoleDefinition",
                "id": role.id,
                "displayName": role.name,
                "description": None,
                "isBuiltIn": True,
                "isBuiltInRoleDefinition": True,
                "roleScopeTagIds": [],
                "permissions": [{"actions": actions, "resourceActions": allowed}],
                "rolePermissions": [{"actions": actions, "resourceActions": allowed}],
            }
        )
    return result


def assignment() -> Row:
    """An assignment by its id, with everything but its role: an expanded roleDefinition comes as null."""
    return {
        "@odata.type": "#microsoft.graph.deviceAndAppManagementRoleAssignment",
        "id": ASSIGNMENT,
        "displayName": "Help desk",
        "description": "",
        "members": [HELPDESK, GONE],
        "scopeMembers": [SCOPE],
        "resourceScopes": [SCOPE],
        "scopeType": "resourceScope",
        "roleScopeTagIds": ["0"],
        "roleDefinition": None,
    }


def assignment_of_role() -> Row:
    """The same from its role: cut, with empty lists that say nothing."""
    return {
        "@odata.type": "#microsoft.graph.deviceAndAppManagementRoleAssignment",
        "id": ASSIGNMENT,
        "displayName": "Help desk",
        "description": "",
        "members": [],
        "resourceScopes": [],
    }


def app_role() -> Row:
    return {
        "id": ADMIN_USER,
        "allowedMemberTypes": ["User"],
        "description": "Admin User",
        "displayName": "Admin User",
        "isEnabled": True,
        "origin": "Application",
        "value": "AdminUser.ReadWrite",
    }


def app_role_assignment(id_: str, principal: str, kind: str) -> Row:
    return {
        "id": id_,
        "appRoleId": ADMIN_USER,
        "createdDateTime": "2024-01-02T03:04:05Z",
        "deletedDateTime": None,
        "principalDisplayName": "Somebody",
        "principalId": principal,
        "principalType": kind,
        "resourceDisplayName": "Configuration Manager Microservice",
        "resourceId": uid(300),
    }


def directory_assignment(number: int, principal: Row) -> Row:
    principal.pop("mobilePhone", None)  # an expanded principal comes with what the service shows of it by default
    return {
        "id": f"assignment-{number}",
        "principalId": principal["id"],
        "roleDefinitionId": "3a2c62db-5318-420d-8d74-23affee5d9d5",
        "directoryScopeId": "/",
        "principal": principal,
    }


def eligibility(number: int, key: str, container: str, principal: str) -> Row:
    return {
        "id": f"schedule-{number}",
        "status": "Provisioned",
        "principalId": principal,
        "memberType": "direct" if key == "groupId" else "Direct",
        key: container,
        "createdDateTime": "2024-01-02T03:04:05Z",
    } | ({"accessId": "member"} if key == "groupId" else {"directoryScopeId": "/"})


def device(number: int) -> Row:
    return {
        "id": uid(400 + number),
        "azureADDeviceId": uid(500 + number),
        "deviceName": f"PC-{number:04}",
        "operatingSystem": "Windows",
        "managementAgent": "configurationManagerClientMdm",
        "deviceEnrollmentType": "windowsCoManagement",
        "joinType": "hybridAzureADJoined",
        "roleScopeTagIds": ["0"],
        "configurationManagerClientInformation": {
            "clientIdentifier": "GUID:1",
            "isBlocked": False,
            "clientVersion": "5.00.9106.1000",
        },
        "emailAddress": "never asked for",
    }


def helpdesk_role() -> Row:
    """The role that the assignment is of."""
    return next(role for role in intune_roles() if role["displayName"] == "Help Desk Operator")


def lists() -> dict[str, list[Row]]:
    roles = intune_roles()
    rbac = "/beta/deviceManagement"
    under = {f"{rbac}/roleDefinitions/{role['id']}/roleAssignments": [] for role in roles}
    under[f"{rbac}/roleDefinitions/{helpdesk_role()['id']}/roleAssignments"] = [assignment_of_role()]
    directory = "/v1.0/roleManagement/directory"
    members = {
        HELPDESK: [member("user", USERS[0]), member("user", USERS[1]), member("group", NESTED)],
        NESTED: [member("user", USERS[2]), member("group", HELPDESK)],
        SCOPE: [member("device", uid(501))],
        SYNCED: [member("user", USERS[3])],
        APP_GROUP: [member("user", USERS[1])],
        ROLE_GROUP: [member("user", USERS[4])],
        ELIGIBLE: [],
        IDLE: [member("user", USERS[0])],
    }
    seen = {0: signed_in("2026-10-30T07:00:00Z", "2026-11-02T08:00:00Z"), 1: signed_in(None, "2026-09-01T08:00:00Z")}
    names = {
        HELPDESK: "Helpdesk",
        NESTED: "Nested",
        SCOPE: "Scope",
        APP_GROUP: "App",
        ELIGIBLE: "Eligible",
        IDLE: "Idle",
    }
    return {
        "/v1.0/organization": [
            {
                "id": TENANT,
                "displayName": "Contoso",
                "verifiedDomains": [
                    {
                        "capabilities": "Email",
                        "isDefault": True,
                        "isInitial": False,
                        "name": "contoso.com",
                        "type": "Managed",
                    }
                ],
                "city": "never asked for",
            }
        ],
        "/v1.0/users": [user(id_, f"user{n}", synced=n == 3 or None) | seen.get(n, {}) for n, id_ in enumerate(USERS)],
        "/v1.0/groups": [
            *(group(id_, name) for id_, name in names.items()),
            group(SYNCED, "Synced", synced=True, restricted=True),
            group(ROLE_GROUP, "Role", assignable=True),
        ],
        f"{rbac}/roleDefinitions": roles,
        f"{rbac}/roleAssignments": [
            {"id": ASSIGNMENT, "displayName": "Help desk", "description": "", "roleDefinition": None}
        ],
        **under,
        f"{rbac}/roleScopeTags": [{"id": "0", "displayName": "Default", "description": "", "isBuiltIn": True}],
        f"{rbac}/managedDevices": [device(n) for n in range(1, 4)],
        f"/v1.0/servicePrincipals(appId='{APPLICATION}')/appRoleAssignedTo": [
            app_role_assignment("1", USERS[0], "User"),
            app_role_assignment("2", APP_GROUP, "Group"),
            app_role_assignment("3", uid(301), "ServicePrincipal"),
        ],
        f"{directory}/roleAssignments": [
            directory_assignment(1, {"@odata.type": "#microsoft.graph.user", **user(USERS[4], "user4")}),
            directory_assignment(2, {"@odata.type": "#microsoft.graph.group", **group(ROLE_GROUP, "Role")}),
        ],
        f"{directory}/roleDefinitions": [
            {
                "id": "3a2c62db-5318-420d-8d74-23affee5d9d5",
                "displayName": "Intune Administrator",
                "description": "",
                "isBuiltIn": True,
                "isEnabled": True,
                "templateId": "3a2c62db-5318-420d-8d74-23affee5d9d5",
                "version": "1",
                "resourceScopes": ["/"],
                "rolePermissions": [{"allowedResourceActions": ["microsoft.intune/allEntities/allTasks"]}],
            }
        ],
        f"{directory}/roleEligibilitySchedules": [
            eligibility(1, "roleDefinitionId", "3a2c62db-5318-420d-8d74-23affee5d9d5", USERS[2])
        ],
        "/v1.0/identityGovernance/privilegedAccess/group/eligibilitySchedules": [
            eligibility(2, "groupId", HELPDESK, ELIGIBLE)
        ],
        "/v1.0/subscribedSkus": [
            {
                "id": "sku",
                "accountId": TENANT,
                "accountName": "contoso",
                "appliesTo": "User",
                "capabilityStatus": "Enabled",
                "consumedUnits": 5,
                "prepaidUnits": {"enabled": 25, "suspended": 0, "warning": 0, "lockedOut": 0},
                "servicePlans": [
                    {
                        "servicePlanId": INTUNE_PLAN,
                        "servicePlanName": "INTUNE_A",
                        "appliesTo": "User",
                        "provisioningStatus": "Success",
                    }
                ],
                "skuId": uid(600),
                "skuPartNumber": "EMS",
                "subscriptionIds": [],
            }
        ],
        **{f"/v1.0/groups/{id_}/members": rows for id_, rows in members.items()},
    }


def objects() -> dict[str, Row]:
    return {
        "/beta/deviceManagement/tenantAttachRBAC/getState": {
            "@odata.context": "https://graph.microsoft.com/beta/$metadata#microsoft.graph.tenantAttachRBACState",
            "value": {"enabled": True},
        },
        f"/beta/deviceManagement/roleAssignments/{ASSIGNMENT}": assignment(),
        f"/v1.0/servicePrincipals(appId='{APPLICATION}')": {
            "id": uid(300),
            "appId": APPLICATION,
            "displayName": "Configuration Manager Microservice",
            "accountEnabled": True,
            "appRoleAssignmentRequired": False,
            "appRoles": [app_role()],
        },
    }


KEYS = {"SMS_Role": "RoleID", "SMS_Admin": "AdminID"}
LAZY = {"SMS_Role": ("Operations",), "SMS_Admin": ("Permissions", "Roles", "Categories")}


def classes() -> dict[str, list[Row]]:
    return {
        "SMS_Site": [{"SiteCode": "P01", "Type": 2, "Version": "5.00.9106.1000"}],
        "SMS_Role": [
            {
                "RoleID": "SMS0001R",
                "RoleName": "Full Administrator",
                "Operations": [{"ObjectTypeID": 1, "GrantedOperations": 1}],
            },
            {
                "RoleID": "P0100001",
                "RoleName": "Help desk",
                "Operations": [{"ObjectTypeID": 1, "GrantedOperations": 1}],
            },
        ],
        "SMS_Admin": [
            {
                "AdminID": 16777234,
                "LogonName": r"CONTOSO\HelpDesk",
                "IsGroup": True,
                "Permissions": [{"RoleID": "P0100001", "CategoryID": "P0100014", "CategoryTypeID": 1}],
                "Roles": [],
                "Categories": [],
            }
        ],
        "SMS_SecuredCategory": [{"CategoryID": "SMS00UNA", "CategoryName": "Default"}],
        "SMS_SecuredCategoryMembership": [],
        "SMS_Collection": [{"CollectionID": "SMS00001", "Name": "All Systems"}],
        "SMS_CollectionDependencies": [],
        "SMS_FullCollectionMembership": [{"CollectionID": "SMS00001", "ResourceID": n} for n in range(7)],
        "SMS_R_System": [{"ResourceID": n, "Name": f"PC-{n}"} for n in range(7)],
        "SMS_R_User": [{"ResourceID": 1, "UniqueUserName": r"CONTOSO\anna"}],
        "SMS_R_UserGroup": [],
        "SMS_Scripts": [{"ScriptGuid": "1", "ScriptName": "Set proxy", "ApprovalState": 3}],
        "SMS_AvailableOperation": [{"ObjectTypeID": 1, "OperationName": "Read", "BitFlag": 1}],
    }
