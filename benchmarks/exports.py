"""Write a folder of exports of a given size, streamed to disk, always the same one for the same numbers.

python benchmarks/exports.py FOLDER [DEVICES [MEMBERSHIPS]]
"""

from __future__ import annotations

import json
import random
import sys
import time
import uuid
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

WMI = "https://cm01.contoso.com/AdminService/wmi"
GRAPH = "https://graph.microsoft.com"
FIRST_DEVICE, FIRST_USER = 0x0100_0000, 0x7B00_0000
AT_THE_TOP = 20
"""Collections limited to All Systems itself."""
GROUPS, GROUP_SIZE, ADMINS = 100, 40, 50
READ, READ_RESOURCE, RUN_CMPIVOT = 1, 4096, 1 << 29
"""The last is made up: SMS_AvailableOperation says which bit it is."""
COLLECTION, SCOPE = 1, 29
TENANT = str(uuid.UUID(int=0x0DD0))
INTUNE = {"servicePlanId": "c1ec4a95-1f05-45b3-a911-aa3fa01094f5", "capabilityStatus": "Enabled", "service": "SCO"}
RIGHTS = ["Microsoft.Intune_CloudAttach_CMPivot", "Microsoft.Intune_CloudAttach_ClientDetails"]
FACTS = """\
complete: true
assume: [SITE-*]
tenant: {cloud: public, unlicensed_admins: true, scoped_permissions: merged}
hierarchies:
- {id: PRD, tenant_attached: true, upload: all, enforce_configmgr_rbac: checked}
"""
COLUMNS = (
    '"CollectionID":"%(collection)s"',
    '"ResourceID":%(device)d',
    '"Name":"%(name)s"',
    '"SiteCode":"PRD"',
    '"ResourceType":5',
    '"Domain":"CONTOSO"',
    '"IsClient":true',
    '"IsActive":true',
    '"IsObsolete":false',
    '"IsAssigned":true',
    '"IsBlocked":false',
    '"IsApproved":1',
    '"IsDirect":false',
    '"ClientType":1',
    '"ClientVersion":"5.00.9106.1000"',
    '"DeviceOS":"Microsoft Windows NT Workstation 10.0"',
    '"SMSID":"GUID:%(device)08X-0000-4000-8000-%(device)012X"',
    '"UserName":"user%(device)d"',
    '"LastActiveTime":"2026-07-31T08:15:11.423Z"',
)
"""Properties of SMS_FullCollectionMembership, in the order in which a wider row takes them in."""
NEEDED = 2


def write_exports(
    folder: Path,
    devices: int = 50_000,
    users: int = 2_000,
    memberships: int = 500_000,
    collections: int = 2_000,
    seed: int = 1,
    *,
    row_width: int = 175,
    rows_per_file: int = 1_000_000,
) -> None:
    """Write one hierarchy as AdminService JSON and its tenant as Graph JSON, and `facts.yaml` with what neither tells.

    Every device is in All Systems, which counts as a membership; the others are spread evenly. `row_width` is about
    how many bytes a membership takes. An answer of more than `rows_per_file` rows goes on in the next file.
    """
    chance = random.Random(seed)
    site, cloud = folder / "adminservice" / "PRD", folder / "graph"
    for name, rows in _site_rows(chance, users, collections):
        _write(site, name, f"{WMI}/$metadata#{name}", map(_json, rows), rows_per_file)
    _write(site, "SMS_R_System", f"{WMI}/$metadata#SMS_R_System", map(_json, _systems(devices)), rows_per_file)
    members = _memberships(chance, devices, memberships, collections, row_width)
    name = "SMS_FullCollectionMembership"
    _write(site, name, f"{WMI}/$metadata#{name}", members, rows_per_file)
    for name, context, values in _cloud_rows(chance, users):
        _write(cloud, name, f"{GRAPH}/beta/$metadata#{context}", map(_json, values), rows_per_file)
    state = {"value": {"@odata.type": "microsoft.graph.tenantAttachRBACState", "enabled": True}}
    _dump(cloud / "deviceManagement" / "tenantAttachRBAC" / "getState.json", state)
    (folder / "facts.yaml").write_text(FACTS, encoding="utf-8")


def _json(row: dict[str, Any]) -> str:
    return json.dumps(row, ensure_ascii=False, separators=(",", ":"))


def _dump(path: Path, value: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value), encoding="utf-8")


def _write(folder: Path, name: str, context: str, rows: Iterable[str], rows_per_file: int) -> None:
    """Write an answer row by row; all files but the last name the next one."""
    remaining, number = iter(rows), 1
    first = next(remaining, None)
    while number == 1 or first is not None:
        path = folder / (f"{name}.json" if number == 1 else f"{name}-{number}.json")
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", encoding="utf-8", buffering=1 << 20) as file:
            file.write(f'{{"@odata.context":{json.dumps(context)},"value":[\n{first or ""}')
            file.writelines(f",\n{row}" for row in islice(remaining, rows_per_file - 1))
            first = next(remaining, None)
            link = f"{context.partition('/$metadata')[0]}/{name}?$skip={number * rows_per_file}"
            file.write("\n]" + (f',"@odata.nextLink":"{link}"' if first is not None else "") + "}\n")
        number += 1


# --- Configuration Manager --------------------------------------------------------------------------------------------
def _site_rows(chance: random.Random, users: int, collections: int) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    version = {"Version": "5.00.9106.1000", "BuildNumber": 9106, "Type": 2, "ReportingSiteCode": ""}
    yield (
        "SMS_Site",
        [{"SiteCode": "PRD", "SiteName": "Contoso", "ServerName": "cm01.contoso.com", "Status": 1} | version],
    )
    operations = {"Read": READ, "Read Resource": READ_RESOURCE, "Run CMPivot": RUN_CMPIVOT}
    kind = {"ObjectTypeID": COLLECTION, "ObjectTypeName": "SMS_Collection", "IsTypeWideOperation": False}
    yield "SMS_AvailableOperation", [kind | {"OperationName": name, "BitFlag": bit} for name, bit in operations.items()]
    mask = {"GrantedOperations": sum(operations.values()), "ObjectTypeID": COLLECTION}
    role = {"RoleID": "PRD000A0", "RoleName": "Queries", "CopiedFromID": "", "IsBuiltIn": False, "RoleDescription": ""}
    yield "SMS_Role", [role | {"Operations": [mask]}]
    yield "SMS_SecuredCategory", [{"CategoryID": "SMS00UNA", "CategoryName": "Default", "IsBuiltIn": True}]
    yield "SMS_Collection", [_collection(chance, number) for number in range(collections)]
    yield "SMS_Admin", [_admin(chance, number, collections) for number in range(min(ADMINS, GROUPS))]
    yield "SMS_R_User", [_site_user(number) for number in range(users)]


def _collection_id(number: int) -> str:
    return f"PRD{number:05X}" if number else "SMS00001"


def _collection(chance: random.Random, number: int) -> dict[str, Any]:
    above = None if number == 0 else 0 if number < AT_THE_TOP else chance.randrange(1, number)
    return {
        "CollectionID": _collection_id(number),
        "Name": f"Collection {number}" if number else "All Systems",
        "CollectionType": 2,
        "IsBuiltIn": number == 0,
        "LimitToCollectionID": "" if above is None else _collection_id(above),
        "LimitToCollectionName": "" if above is None else f"Collection {above}" if above else "All Systems",
    }


def _admin(chance: random.Random, number: int, collections: int) -> dict[str, Any]:
    role = {"RoleID": "PRD000A0", "RoleName": "Queries"}
    chosen = [chance.randrange(1, max(2, collections)) for _ in range(3)]
    rows = [{"CategoryID": "SMS00UNA", "CategoryName": "Default", "CategoryTypeID": SCOPE}]
    rows += [
        {"CategoryID": _collection_id(c), "CategoryName": f"Collection {c}", "CategoryTypeID": COLLECTION}
        for c in chosen
    ]
    return {
        "AdminID": FIRST_DEVICE + number,
        "AdminSid": f"S-1-5-21-1-2-3-{90_000 + number}",
        "LogonName": f"CONTOSO\\SG-{number}",
        "IsGroup": True,
        "RoleNames": ["Queries"],
        "CategoryNames": ["Default"],
        "CollectionNames": [f"Collection {c}" for c in chosen],
        "Permissions": [role | row for row in rows],
    }


def _site_user(number: int) -> dict[str, Any]:
    name, account = f"user{number}", f"CONTOSO\\user{number}"
    return {
        "ResourceId": FIRST_USER + number, "Name": f"{account} ({name})", "UniqueUserName": account, "UserName": name,
        "SID": f"S-1-5-21-1-2-3-{10_000 + number}", "DistinguishedName": f"CN={name},DC=contoso,DC=com",
        "AADTenantID": TENANT, "AADUserID": _guid(1, number), "UserPrincipalName": f"{name}@contoso.com",
    }  # fmt: skip


def _systems(devices: int) -> Iterator[dict[str, Any]]:
    for number in range(devices):
        yield {
            "ResourceId": FIRST_DEVICE + number, "Name": f"PC-{number:06}", "Client": 1, "Obsolete": 0,
            "ClientVersion": "5.00.9106.1000", "SMSUniqueIdentifier": f"GUID:{_guid(4, number).upper()}",
        }  # fmt: skip


def _memberships(chance: random.Random, devices: int, memberships: int, collections: int, width: int) -> Iterator[str]:
    """Every device in All Systems and in its share of the other collections."""
    template = "{" + ",".join(_columns(width)) + "}"
    others = range(1, max(2, collections))
    share, extra = divmod(max(0, memberships - devices), max(1, devices))
    for number in range(devices):
        row = {"device": FIRST_DEVICE + number, "name": f"PC-{number:06}"}
        inside = chance.sample(others, min(len(others), share + (number < extra)))
        for collection in (0, *inside):
            yield template % (row | {"collection": _collection_id(collection)})


def _columns(width: int) -> list[str]:
    sample = {"collection": "PRD00001", "device": FIRST_DEVICE, "name": "PC-000001"}
    chosen, size = list(COLUMNS[:NEEDED]), sum(len(c % sample) + 1 for c in COLUMNS[:NEEDED]) + NEEDED
    for column in COLUMNS[NEEDED:]:
        if (size := size + len(column % sample) + 1) > width:
            break
        chosen.append(column)
    return chosen


# --- Microsoft Graph --------------------------------------------------------------------------------------------------
def _guid(kind: int, number: int) -> str:
    return str(uuid.UUID(int=(kind << 96) + number))


def _cloud_rows(chance: random.Random, users: int) -> Iterator[tuple[str, str, list[dict[str, Any]]]]:
    yield "organization", "organization", [{"id": TENANT, "displayName": "contoso.com", "onPremisesSyncEnabled": True}]
    yield "users", "users", [_cloud_user(number) for number in range(users)]
    yield "groups", "groups", [_group(number) for number in range(GROUPS)]
    for number in range(GROUPS):
        chosen = chance.sample(range(users), min(users, GROUP_SIZE))
        rows = [{"@odata.type": "#microsoft.graph.user", "id": _guid(1, user)} for user in chosen]
        yield f"groups/{_guid(2, number)}/members", "directoryObjects", rows
    actions: dict[str, Any] = {"allowedResourceActions": RIGHTS, "notAllowedResourceActions": []}
    role = {"id": _guid(3, 0), "displayName": "Operators", "isBuiltIn": False}
    permissions = {"rolePermissions": [{"resourceActions": [actions]}]}
    yield "deviceManagement/roleDefinitions", "deviceManagement/roleDefinitions", [role | permissions]
    tag: dict[str, Any] = {"id": "0", "displayName": "Default", "isBuiltIn": True}
    assignment: dict[str, Any] = {
        "displayName": "Operators",
        "scopeType": "allDevices",
        "resourceScopes": [],
        "roleDefinition": role,
    }
    given = [assignment | {"id": _guid(5, 0), "members": [_guid(2, n) for n in range(GROUPS)], "roleScopeTags": [tag]}]
    yield (
        "deviceManagement/roleAssignments",
        "deviceManagement/roleAssignments(roleDefinition(),roleScopeTags())",
        given,
    )
    yield "deviceManagement/roleScopeTags", "deviceManagement/roleScopeTags", [tag]


def _cloud_user(number: int) -> dict[str, Any]:
    name = f"user{number}@contoso.com"
    return {
        "id": _guid(1, number), "userPrincipalName": name, "displayName": f"User {number}", "accountEnabled": True,
        "onPremisesSyncEnabled": True, "onPremisesSecurityIdentifier": f"S-1-5-21-1-2-3-{10_000 + number}",
        "onPremisesSamAccountName": f"user{number}", "onPremisesDomainName": "contoso.com",
        "onPremisesUserPrincipalName": name, "assignedPlans": [INTUNE],
    }  # fmt: skip


def _group(number: int) -> dict[str, Any]:
    return {
        "id": _guid(2, number), "displayName": f"SG-{number}", "groupTypes": [], "securityEnabled": True,
        "mailEnabled": False, "onPremisesSyncEnabled": True,
        "onPremisesSecurityIdentifier": f"S-1-5-21-1-2-3-{90_000 + number}",
        "onPremisesSamAccountName": f"SG-{number}", "onPremisesNetBiosName": "CONTOSO",
    }  # fmt: skip


def _main(folder: str, devices: str = "50000", memberships: str = "500000") -> None:
    start = time.perf_counter()
    write_exports(Path(folder), devices=int(devices), memberships=int(memberships))
    size = sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file())
    print(f"{size / 1e6:.0f} MB in {time.perf_counter() - start:.1f} s")


if __name__ == "__main__":
    _main(*sys.argv[1:])
