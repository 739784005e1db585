"""What Microsoft Graph knows of the organization, its users and its groups."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from shapes.estate_data import Book, Data, Principal, known, made_id

DAY = "2026-08-01T08:00:00Z"

FOREVER = {
    "startDateTime": DAY,
    "recurrence": None,
    "expiration": {"type": "noExpiration", "endDateTime": None, "duration": None},
}

GROUP_TYPES: dict[str | None, Data] = {
    "security": {"securityEnabled": True, "mailEnabled": False},
    "mail-enabled-security": {"securityEnabled": True, "mailEnabled": True},
    "distribution": {"securityEnabled": False, "mailEnabled": True},
    "microsoft-365": {"securityEnabled": False, "mailEnabled": True},
    None: {},
}

EMS = "efccb6f7-5641-4e0e-bd10-b4976e1bf68e"

INTUNE_ALONE = "061f9ace-7d42-4136-88ac-31dc755f143f"

INTUNE_PLAN = "c1ec4a95-1f05-45b3-a911-aa3fa01094f5"

PREMIUM_PLAN = "41781fb2-bc02-4b7c-bd55-b576c07bb09d"


class Answer(NamedTuple):
    """One answer of the service: where it is kept, what its context says, and what it holds."""

    path: str
    context: str
    value: list[Data] | Data
    version: str = "v1.0"


USER_PROPERTIES = (
    "id", "displayName", "userPrincipalName", "accountEnabled", "userType", "onPremisesSyncEnabled", "onPremisesSecurityIdentifier",
    "onPremisesSamAccountName", "onPremisesDomainName", "onPremisesUserPrincipalName", "assignedLicenses", "assignedPlans",
)  # fmt: skip


def organization(book: Book) -> Data:
    name = book.tenant.get("name") or "example.com"
    synced = any(user.get("synced") for user in book.all("users"))
    domain = {
        "capabilities": "Email, OfficeCommunicationsOnline",
        "isDefault": True,
        "isInitial": False,
        "name": name,
        "type": "Managed",
    }
    return {
        "id": made_id("tenant", name),
        "displayName": name,
        "tenantType": "AAD",
        "onPremisesSyncEnabled": synced or None,
        "verifiedDomains": [domain],
    } | known(isMultipleDataLocationsForServicesEnabled=book.tenant.get("multi_geo"))


def sku(*, premium: bool) -> Data:
    plans = [(INTUNE_PLAN, "INTUNE_A"), *([(PREMIUM_PLAN, "AAD_PREMIUM")] if premium else [])]
    return {
        "capabilityStatus": "Enabled",
        "consumedUnits": 10,
        "skuId": EMS if premium else INTUNE_ALONE,
        "skuPartNumber": "EMS" if premium else "INTUNE_A",
        "appliesTo": "User",
        "prepaidUnits": {"enabled": 25, "suspended": 0, "warning": 0, "lockedOut": 0},
        "servicePlans": [
            {"servicePlanId": id_, "servicePlanName": name, "provisioningStatus": "Success", "appliesTo": "User"}
            for id_, name in plans
        ],
    }


def user_row(book: Book, principal: Principal) -> Data:
    user, premium = principal.record, book.tenant.get("entra_premium")
    cloud_only = user.get("synced") is False
    domain, _, account = str(user.get("account") or "").rpartition("\\")
    row: Data = {
        "id": principal.id,
        "userPrincipalName": user["upn"],
        "userType": "Member",
        "displayName": user.get("name") or user["upn"].partition("@")[0],
    }
    row |= known(accountEnabled=user.get("enabled"))
    if "synced" in user:
        row["onPremisesSyncEnabled"] = user["synced"] or None
    for key, value in (
        ("onPremisesSecurityIdentifier", user.get("sid")),
        ("onPremisesSamAccountName", account),
        ("onPremisesDomainName", f"{domain.lower()}.example" if domain else None),
        ("onPremisesUserPrincipalName", user.get("on_premises_upn")),
    ):
        if value or cloud_only:
            row[key] = value or None
    if user.get("licensed") is not None:
        sku = INTUNE_ALONE if premium is False else EMS
        plan = {"assignedDateTime": DAY, "capabilityStatus": "Enabled", "service": "SCO", "servicePlanId": INTUNE_PLAN}
        row |= {
            "assignedLicenses": [{"disabledPlans": [], "skuId": sku}] if user["licensed"] else [],
            "assignedPlans": [plan] if user["licensed"] else [],
        }
    return row


def group_answers(book: Book) -> Iterator[Answer]:
    groups = list(book.of("groups"))
    scopes = [p for a in book.all("intune_assignments") for p in book.find(a.get("scope_groups") or ())]
    extra = {p.id: p for p in scopes if p.kind == "other"}  # groups of devices, which the estate has no need to list
    yield Answer("groups", "groups", [_group(p) for p in (*groups, *extra.values())])
    for principal in groups:
        if principal.record.get("members") is not None:
            rows = [member_row(p) for p in book.find(principal.record["members"])]
            yield Answer(f"groups/{principal.id}/members", "directoryObjects", rows)
        if principal.record.get("eligible"):
            root = "identityGovernance/privilegedAccess/group/eligibilitySchedules"
            yield Answer(
                f"groups/{principal.id}/eligibilitySchedules",
                root,
                [_eligible_member(principal, p) for p in book.find(principal.record["eligible"])],
            )
    for id_ in extra:
        device = {
            "@odata.type": "#microsoft.graph.device",
            "id": made_id("device of", id_),
            "displayName": "KIOSK-0001",
            "deviceId": made_id("kiosk", id_),
        }
        yield Answer(f"groups/{id_}/members", "directoryObjects", [device])


def _group(principal: Principal) -> Data:
    group = principal.record
    domain, _, account = str(group.get("account") or "").rpartition("\\")
    kinds = (["Unified"] if group.get("type") == "microsoft-365" else []) + (
        ["DynamicMembership"] if group.get("dynamic") else []
    )
    return {
        "id": principal.id,
        "displayName": group["name"],
        "groupTypes": kinds,
        **GROUP_TYPES[group.get("type")],
        "membershipRule": 'user.department -eq "IT"' if group.get("dynamic") else None,
        "onPremisesSyncEnabled": True if group.get("sid") or account else None,
        "onPremisesSecurityIdentifier": group.get("sid"),
        "onPremisesSamAccountName": account or None,
        "onPremisesNetBiosName": domain or None,
        "onPremisesDomainName": f"{domain.lower()}.example" if domain else None,
    }


def member_row(principal: Principal) -> Data:
    kind = "user" if principal.kind == "user" else "group"
    name = principal.record.get("upn") or principal.record["name"]
    row = {
        "@odata.type": f"#microsoft.graph.{kind}",
        "id": principal.id,
        "displayName": principal.record.get("name") or name,
    }
    return row | ({"userPrincipalName": name} if kind == "user" else {})


def _eligible_member(group: Principal, member: Principal) -> Data:
    ids = {"groupId": group.id, "principalId": member.id}
    return {
        "id": f"{group.id}_member_{member.id}",
        "accessId": "member",
        "memberType": "direct",
        "status": "Provisioned",
        **ids,
        **schedule(),
    }


def schedule() -> Data:
    return {
        "createdDateTime": DAY,
        "createdUsing": made_id("request"),
        "modifiedDateTime": None,
        "scheduleInfo": FOREVER,
    }
