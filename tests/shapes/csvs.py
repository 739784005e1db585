"""Write the CSV files that people download: All devices, role assignments, group members, users, an SSRS report."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from pathlib import Path

from shapes.estate_data import ALL_SYSTEMS, Book, Data, made_id
from shapes.graph_entra import template_of
from shapes.site_rows import DAY, SCOPE, Site

DEVICE_COLUMNS = (
    "Device ID,Device name,Enrollment date,Last check-in,Azure AD Device ID,OS version,Azure AD registered,EAS activation ID,Serial number,"
    "Manufacturer,Model,EAS activated,IMEI,Last EAS sync time,EAS reason,EAS status,Compliance grace period expiration,Security patch level,"
    "Wi-Fi MAC,MEID,Subscriber carrier,Total storage,Free storage,Management name,Category,UserId,Primary user UPN,Primary user email address,"
    "Primary user display name,WiFiIPv4Address,WiFiSubnetID,Compliance,Managed by,Ownership,Device state,Intune registered,Supervised,Encrypted,"
    "OS,SkuFamily,JoinType,Phone number,Jailbroken,ICCID,EthernetMAC,CellularTechnology,ProcessorArchitecture,EID,SystemManagementBIOSVersion,"
    "TPMManufacturerId,TPMManufacturerVersion,ProductName,Management certificate expiration date"
).split(",")
NEW_NAMES = {"Azure AD Device ID": "Microsoft Entra Device ID", "Azure AD registered": "Microsoft Entra registered"}
MANAGED_BY = {"configmgr": "ConfigMgr", "co-managed": "Co-managed", "intune": "Intune", None: ""}
ROLE_COLUMNS = (
    "Role",
    "Role template ID",
    "Object ID",
    "User principal name",
    "Display name",
    "Member type",
    "Scope",
    "State",
)
MEMBER_COLUMNS = ("Object ID", "User principal name", "Display name", "Member type")
USER_COLUMNS = ("userPrincipalName", "displayName", "id", "userType", "accountEnabled", "directorySynced")
REPORT_COLUMNS = ("LogonName", "ModifiedDate", "ModifiedBy", "RoleName", "CategoryName", "TypeName")


def write_csvs(estate: Data, folder: Path, *, new_names: bool = False) -> None:
    """Write all of them. `new_names`: the columns of All devices say Microsoft Entra, not Azure AD."""
    book = Book(estate)
    if "devices" in book.data:
        names = NEW_NAMES if new_names else {}
        rows = [{names.get(c, c): row.get(c, "") for c in DEVICE_COLUMNS} for row in _devices(book)]
        _write(folder / "DevicesWithInventory_2026-08-01.csv", [names.get(c, c) for c in DEVICE_COLUMNS], rows)
    if "entra_roles" in book.data:
        _write(folder / "RoleAssignments.csv", ROLE_COLUMNS, _role_assignments(book))
    if "users" in book.data:
        _write(folder / "exportUsers_2026-8-1.csv", USER_COLUMNS, _users(book))
    for group in book.of("groups"):
        if group.record.get("members") is not None:
            _write(
                folder / "groups" / group.id / "exportGroupMembers_2026-8-1.csv",
                MEMBER_COLUMNS,
                _members(book, group.record["members"]),
            )
    for hierarchy in book.all("hierarchies"):
        if "administrative_users" in book.data:
            rows = list(_report(Site(book, hierarchy["id"])))
            _write(folder / hierarchy["id"] / "Administrative users security assignments.csv", REPORT_COLUMNS, rows)


def _write(path: Path, columns: Iterable[str], rows: Iterable[Data]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, list(columns), restval="")
        writer.writeheader()
        writer.writerows(rows)


def _devices(book: Book) -> Iterator[Data]:
    for hierarchy in book.all("hierarchies"):
        members = book.members(hierarchy["id"])
        for number, device in book.resource_ids(hierarchy["id"]):
            inside = {id_ for id_, devices in members.items() if any(n == number for n, _ in devices)}
            if not _uploaded(book, hierarchy, device, inside):
                continue
            yield {
                "Device ID": device.get("intune_id")
                or made_id("intune device", device.get("hierarchy"), device["name"]),
                "Device name": device["name"],
                "Enrollment date": "2026-02-01 10:11:12.1230000",
                "Last check-in": "2026-08-01 10:11:12.1230000",
                "Azure AD Device ID": book.entra_id(device) or "00000000-0000-0000-0000-000000000000",
                "Azure AD registered": str(book.entra_id(device) is not None),
                "Management name": f"{device['name']}_Windows_8/1/2026",
                "Compliance": "Compliant",
                "Managed by": MANAGED_BY[device.get("management")],
                "Ownership": "Corporate",
                "Device state": "Managed",
                "OS": "Windows",
                "JoinType": "Hybrid Azure AD joined",
            }


def _uploaded(book: Book, hierarchy: Data, device: Data, inside: set[str]) -> bool:
    """Whether the device is in the admin center; one of which nobody knows isn't written."""
    upload = hierarchy.get("upload")
    if device.get("management") == "intune" or device.get("uploaded") is not None:
        return bool(device.get("uploaded", True))
    if not isinstance(upload, dict) or hierarchy.get("tenant_attached") is not True:
        return upload == "all" and hierarchy.get("tenant_attached") is True
    top = book.collection(hierarchy["id"], upload["collection"])["id"]
    return top == ALL_SYSTEMS or any(top in _above(book, hierarchy["id"], id_) for id_ in inside)


def _above(book: Book, hierarchy: str, collection: str) -> set[str]:
    found: set[str] = set()
    name: str | None = collection
    while name and (id_ := book.collection(hierarchy, name)["id"]) not in found:
        found.add(id_)
        name = book.collection(hierarchy, id_).get("limited_to")
    return found


def _role_assignments(book: Book) -> Iterator[Data]:
    for entry in book.all("entra_roles"):
        id_, name = template_of(entry["role"])
        for row in _members(book, entry.get("members") or ()):
            yield row | {"Role": name, "Role template ID": id_, "Scope": "Directory", "State": "Active"}


def _members(book: Book, names: Iterable[str]) -> Iterator[Data]:
    for principal in book.find(names):
        upn = principal.record.get("upn") or ""
        kind = "User" if principal.kind == "user" else "Group"
        yield dict(zip(MEMBER_COLUMNS, (principal.id, upn, principal.record.get("name") or upn, kind), strict=True))


def _users(book: Book) -> Iterator[Data]:
    words = {True: "True", False: "", None: ""}
    for principal in book.of("users"):
        user = principal.record
        values = (
            user["upn"],
            user.get("name") or user["upn"],
            principal.id,
            "Member",
            user.get("enabled", ""),
            words[user.get("synced")],
        )
        yield dict(zip(USER_COLUMNS, values, strict=True))


def _report(site: Site) -> Iterator[Data]:
    for admin in site.admins():
        for row in admin["Permissions"] or ():
            kind = "ScopeType_Scope" if row["CategoryTypeID"] == SCOPE else "ScopeType_Collection"
            values = (admin["LogonName"], DAY, "EXAMPLE\\admin", row["RoleName"], row["CategoryName"], kind)
            yield dict(zip(REPORT_COLUMNS, values, strict=True))
