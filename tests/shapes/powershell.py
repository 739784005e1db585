"""Write one hierarchy of an estate as people export it with PowerShell: ConvertTo-Json and Export-Csv."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, TypeAlias

from shapes.adminservice import ARRAYS, KEYS
from shapes.estate_data import Book, Data
from shapes.site_rows import class_rows

Form: TypeAlias = Literal["json", "csv"]

CMDLETS = {
    "SMS_Site": "Get-CMSite",
    "SMS_Role": "Get-CMSecurityRole",
    "SMS_Admin": "Get-CMAdministrativeUser",
    "SMS_SecuredCategory": "Get-CMSecurityScope",
    "SMS_Scripts": "Get-CMScript",
    "SMS_Collection": "Get-CMCollection",
    "SMS_CombinedDeviceResources": "Get-CMDevice",
}
"""Classes that a cmdlet gives; the others come from Get-CimInstance."""
EMBEDDED = {"Permissions": "SMS_APermission", "Operations": "SMS_ARoleOperation"}
WQL = "Microsoft.ConfigurationManagement.ManagementProvider.WqlQueryEngine.WqlResultObject"
CIM = "Microsoft.Management.Infrastructure.CimInstance#root/sms/site_{site}/{name}"


def write_powershell(
    estate: Data,
    hierarchy: str,
    folder: Path,
    form: Form = "json",
    *,
    type_line: bool = True,
    utf16: bool = False,
    role_names: bool = False,
) -> None:
    """Write one file for each cmdlet or class, `Get-CMSecurityRole.json`.

    `type_line`: CSV begins with `#TYPE`, as before PowerShell 6. `utf16`: as `>` and -Encoding Unicode write it.
    `role_names`: roles by the names of their operations (write_role_permissions) instead of masks.
    """
    book = Book(estate)
    for name, rows in class_rows(book, hierarchy).items():
        if role_names and name == "SMS_AvailableOperation":
            continue
        kept = [row | {"Operations": None} for row in rows] if role_names and name == "SMS_Role" else rows
        path = folder / f"{CMDLETS.get(name, name)}.{form}"
        if form == "json":
            objects = [_wql_object(name, row) if name in CMDLETS else row for row in kept]
            _write(
                path,
                json.dumps(objects[0] if len(objects) == 1 else objects, ensure_ascii=False, indent=4),
                utf16=utf16,
            )
        else:
            type_ = f"Selected.{WQL}" if name in CMDLETS else CIM.format(site=hierarchy, name=name)
            _write(path, (f"#TYPE {type_}\r\n" if type_line else "") + _csv(list(_flat(name, kept))), utf16=utf16)
    if role_names:
        write_role_permissions(estate, hierarchy, folder, utf16=utf16)


def write_role_permissions(estate: Data, hierarchy: str, folder: Path, *, utf16: bool = False) -> None:
    """Write `Get-CMSecurityRolePermission/<role>.json`: class -> operations, by name, as Set-CMSecurityRolePermission takes it."""
    for role in Book(estate).own("security_roles", hierarchy) or ():
        if role.get("permissions") is not None:
            table = {class_: ",".join(operations) for class_, operations in role["permissions"].items()}
            path = folder / "Get-CMSecurityRolePermission" / f"{role['name']}.json"
            _write(path, json.dumps(table, ensure_ascii=False, indent=4), utf16=utf16)


def _wql_object(name: str, row: Data) -> Data:
    key = KEYS.get(name, "ResourceID" if "ResourceID" in row else "CategoryID")
    return {"SmsProviderObjectPath": f"{name}.{key}={json.dumps(row[key])}"} | {k: _value(k, v) for k, v in row.items()}


def _value(key: str, value: Any) -> Any:
    if key in EMBEDDED:
        return [{"SmsProviderObjectPath": EMBEDDED[key], **item} for item in value or ()]
    if key.endswith("Date") and value:
        return f"/Date({int(datetime.fromisoformat(value).timestamp() * 1000)})/"  # Windows PowerShell's way with dates
    return value


def _flat(name: str, rows: list[Data]) -> Iterator[Data]:
    """Lay arrays out flat, for Export-Csv can't: one line for each permission or operation, other lists joined."""
    for row in rows:
        inner = row.get(ARRAYS.get(name, "")) or [{}]
        for item in inner:
            plain = {
                k: v
                for k, v in row.items()
                if k
                not in {
                    *EMBEDDED,
                    "Roles",
                    "Categories",
                    "CollectionRules",
                    "RoleNames",
                    "CategoryNames",
                    "CollectionNames",
                }
            }
            yield {k: ";".join(map(str, v)) if isinstance(v, list) else v for k, v in plain.items()} | item


def _csv(rows: list[Data]) -> str:
    columns = list(dict.fromkeys(key for row in rows for key in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, restval="", quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    if columns:
        writer.writeheader()
    writer.writerows({key: "" if value is None else value for key, value in row.items()} for row in rows)
    return text.getvalue()


def _write(path: Path, text: str, *, utf16: bool) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"\xff\xfe" + text.encode("utf-16-le") if utf16 else text.encode("utf-8-sig"))
