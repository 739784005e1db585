"""What is asked of the administration service. It answers what role-based administration lets the caller see."""

from __future__ import annotations

from typing import Final

from permcheck.live.asks import Ask

NEEDS: Final = "a security role that reads everything, over all security scopes and all collections"
PAGE: Final = 1000


def _class(name: str, select: str = "", *, required: bool = False) -> Ask:
    options = f"?$select={select}&$top={PAGE}" if select else f"?$top={PAGE}"
    return Ask(name, f"AdminService/wmi/{name}{options}", NEEDS, required=required)


SITES: Final = _class("SMS_Site", required=True)
ROLES: Final = _class("SMS_Role", required=True)
ROLE: Final = Ask(
    "a security role",
    "AdminService/wmi/SMS_Role('{id}')",
    NEEDS,
    file="SMS_Role/{id}",
    per="role",
    required=True,
    single=True,
)
ADMINISTRATORS: Final = _class("SMS_Admin", required=True)
ADMINISTRATOR: Final = Ask(
    "an administrative user",
    "AdminService/wmi/SMS_Admin({id})",
    NEEDS,
    file="SMS_Admin/{id}",
    per="administrator",
    required=True,
    single=True,
)

ADMIN_SERVICE: Final = (
    SITES,
    ROLES,
    ROLE,
    ADMINISTRATORS,
    ADMINISTRATOR,
    _class("SMS_SecuredCategory", required=True),
    _class("SMS_SecuredCategoryMembership"),
    _class("SMS_Collection", required=True),
    _class("SMS_CollectionDependencies"),
    _class("SMS_FullCollectionMembership"),
    _class("SMS_R_System"),
    _class("SMS_R_User"),
    _class("SMS_R_UserGroup"),
    # The text of a script can hold secrets and decides nothing, so it is not asked for.
    _class("SMS_Scripts", "ScriptGuid,ScriptName,ScriptVersion,ScriptType,ApprovalState,Author,Approver"),
    _class("SMS_AvailableOperation"),
)
"""All, in the order in which they are asked."""
