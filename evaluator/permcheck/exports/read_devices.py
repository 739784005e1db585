"""Read devices and the members of collections."""

from __future__ import annotations

from typing import Any, Final

from permcheck.exports.batch import Batch, Row, flag, has, tags_of, text, whole
from permcheck.exports.gathered import At, Gathered
from permcheck.exports.recognise import Found
from permcheck.model.builds import is_version

GUID: Final = 36
"""Characters of an id."""


def devices(into: Gathered, batch: Batch, _found: Found, number: int) -> None:
    """Read devices of Configuration Manager."""
    for entry, row in batch.entries():
        resource = _resource(row)
        name = text(row, "Name", "NetbiosName", "DeviceName")
        if not (resource or name):
            into.left_open((number, entry), "devices", "the device has neither ResourceID nor Name", "export both")
            continue
        site, version = text(row, "SiteCode"), text(row, "ClientVersion")
        if into.left_out((number, entry), "devices", site):
            continue
        fields: dict[str, Any] = {
            "name": name or None,
            "resource_id": _number(resource),
            "entra_id": _guid(into, text(row, "AADDeviceID")),
            "client_version": version if is_version(version) else None,
            "management": _management(row),
        }
        _put(into, into.hierarchy(batch, site), resource or name, fields, (number, entry))


def _resource(row: Row) -> str:
    """Return the resource id, however the number is written."""
    found = row.get("resourceid")
    if type(found) is int:  # nearly always; there are millions
        return str(found)
    number = whole(row, "ResourceID")
    return text(row, "ResourceID") if number is None else str(number)


def _number(resource: str) -> int | str | None:
    number = whole({"r": resource}, "r")
    return (resource or None) if number is None else number


def _management(row: Row) -> str | None:
    """Return who manages a device. One without a client is only known to Configuration Manager, not managed by it."""
    co_managed = flag(row, "CoManaged")
    if co_managed or co_managed is None:
        return "co-managed" if co_managed else None
    no_client = has(row, "ClientVersion") and not text(row, "ClientVersion")
    return None if no_client else "configmgr"


def _put(into: Gathered, owner: str, resource: str, fields: dict[str, Any], at: At) -> None:
    names = (("resource", f"{owner}/{resource}"), ("hand", f"{owner}/{fields['name'] or resource}"))
    into.devices.put(names, {"hierarchy": owner, **fields}, at, {"name": resource})


def _guid(into: Gathered, text_: str) -> str | None:
    found = text_.strip("{}").lower()
    return found if len(found) == GUID and found not in into.values.no_device_id else None


def collection_members(into: Gathered, batch: Batch, _found: Found, number: int) -> None:
    """Read which collections contain which devices: millions of entries."""
    put, known = into.put_inside, into.inside
    owners: dict[str, str] = {}
    elsewhere: set[str] = set()
    device = {str(number) for number in into.values.device_resource.said}
    for entry, row in batch.entries():
        kind = row.get("resourcetype")
        if kind is not None and str(kind) not in device:
            continue
        site = str(row.get("sitecode") or "")
        owner = owners.get(site)
        if owner is None:
            owner = owners[site] = into.hierarchy(batch, site)
            if into.left_out((number, entry), "devices", site):
                elsewhere.add(site)
        resource = _resource(row)
        collection = str(row.get("collectionid") or "").upper()
        if site in elsewhere:  # or of a former one: then the device of that number is in a further collection
            into.open_inside.add((owner, resource, collection))
            continue
        if not (resource and collection):
            into.open_inside.add((owner, resource, collection))
            message = "the entry lacks its ResourceID or its CollectionID, so it may be about any device or collection"
            into.problem((number, entry), "no-name", message, "export both", "warning")
        if (owner, resource) not in known and resource:
            name = text(row, "Name")
            if name:
                fields: dict[str, Any] = {"name": name, "resource_id": _number(resource)}
                _put(into, owner, resource, fields, (number, entry))
        if resource:
            put(owner, resource, collection, (number, entry))


def managed_devices(into: Gathered, batch: Batch, _found: Found, number: int) -> None:
    """Read devices in Intune; they are joined to those of Configuration Manager afterwards."""
    for entry, row in batch.entries():
        fields: dict[str, Any] = {
            "intune_id": _guid(into, text(row, "id")),
            "management": into.values.management_agent.says(text(row, "managementAgent")),
            "scope_tags": tags_of(row),
        }
        entra = _guid(into, text(row, "azureADDeviceId", "azureActiveDirectoryDeviceId"))
        _put_cloud(into, text(row, "deviceName"), entra, fields, (number, entry))


def all_devices(into: Gathered, batch: Batch, _found: Found, number: int) -> None:
    """Read the admin center's list of devices: whoever is in it with Configuration Manager was uploaded."""
    for entry, row in batch.entries():
        management = into.values.managed_by.says(text(row, "Managed by"))
        fields: dict[str, Any] = {
            "intune_id": _guid(into, text(row, "Device ID")),
            "management": management,
            "uploaded": True if management == "configmgr" else None,
        }
        entra = _guid(into, text(row, "Azure AD Device ID", "Microsoft Entra Device ID", "Entra Device ID"))
        _put_cloud(into, text(row, "Device name"), entra, fields, (number, entry))


def _put_cloud(into: Gathered, name: str, entra: str | None, fields: dict[str, Any], at: At) -> None:
    if name or entra:
        into.cloud_devices.append((name, entra, fields, at))
    else:
        into.left_open(at, "devices", "the device has neither a name nor an id in Microsoft Entra ID", "export both")
