"""Write an estate as answers of Microsoft Graph: as the REST service gives them, as Get-Mg* does, as IntuneCD does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, TypeAlias

from shapes.estate_data import Book, Data, is_on, made_id, write_json
from shapes.graph_entra import app_role_answers, directory_role_answers
from shapes.graph_intune import AGENTS, assignments_of, custom_roles, device_row, intune_answers
from shapes.graph_people import USER_PROPERTIES, Answer, group_answers, organization, sku, user_row

Style: TypeAlias = Literal["rest", "mg", "intunecd"]


HOSTS = {"us-government": "graph.microsoft.us", "china": "microsoftgraph.chinacloudapi.cn"}

CMDLETS = {
    "users": "Get-MgUser",
    "groups": "Get-MgGroup",
    "organization": "Get-MgOrganization",
    "subscribedSkus": "Get-MgSubscribedSku",
    "servicePrincipals": "Get-MgServicePrincipal",
    "directoryRoles": "Get-MgDirectoryRole",
    "deviceManagement/roleDefinitions": "Get-MgBetaDeviceManagementRoleDefinition",
    "deviceManagement/roleAssignments": "Get-MgBetaDeviceManagementRoleAssignment",
    "deviceManagement/roleScopeTags": "Get-MgBetaDeviceManagementRoleScopeTag",
    "deviceManagement/managedDevices": "Get-MgBetaDeviceManagementManagedDevice",
    "roleManagement/directory/roleDefinitions": "Get-MgRoleManagementDirectoryRoleDefinition",
    "roleManagement/directory/roleAssignments": "Get-MgRoleManagementDirectoryRoleAssignment",
    "roleManagement/directory/roleEligibilitySchedules": "Get-MgRoleManagementDirectoryRoleEligibilitySchedule",
}
"""Where Get-Mg* answers of a whole list are kept. Answers about one thing keep the folder that names it."""


def write_graph(estate: Data, folder: Path, style: Style = "rest", *, page: int = 100) -> None:
    """Write everything that Graph knows. `page` is the number of entries to a file in the style of the service."""
    book = Book(estate)
    host = HOSTS.get(book.tenant.get("cloud") or "", "graph.microsoft.com")
    for answer in answers(book):
        if style == "mg":
            _write_mg(folder, answer)
        elif style == "intunecd" and answer.path == "deviceManagement/roleDefinitions":
            _write_intunecd(book, folder)
        elif (
            style == "intunecd" and answer.path == "deviceManagement/roleAssignments"
        ):  # IntuneCD has custom roles only
            built_in = [row for row in assignments_of(book) if row["roleDefinition"]["isBuiltIn"]]
            _write_rest(folder, answer._replace(value=built_in), host, page)
        else:
            _write_rest(folder, answer, host, page)


def _write_rest(folder: Path, answer: Answer, host: str, page: int) -> None:
    root = f"https://{host}/{answer.version}"
    head = {"@odata.context": f"{root}/$metadata#{answer.context}"} if answer.context else {}
    if isinstance(answer.value, dict):
        write_json(folder / f"{answer.path}.json", head | answer.value)
        return
    pages = [answer.value[i : i + page] for i in range(0, len(answer.value), page)] or [[]]
    for number, rows in enumerate(pages, 1):
        more = (
            {"@odata.nextLink": f"{root}/{answer.path}?$top={page}&$skiptoken={made_id(answer.path, number)}"}
            if number < len(pages)
            else {}
        )
        name = answer.path if len(pages) == 1 else f"{answer.path}-{number}"
        write_json(folder / f"{name}.json", head | more | {"value": rows})


def _write_mg(folder: Path, answer: Answer) -> None:
    """Write what `Get-Mg* | ConvertTo-Json -Depth 10` prints: no list around a single object."""
    if isinstance(answer.value, dict):
        write_json(folder / f"{answer.path}.json", answer.value)  # Invoke-MgGraphRequest: there is no cmdlet
        return
    objects = answer.context.startswith("directoryObjects")
    rows = [_directory_object(row) if objects else _pascal(row) for row in answer.value]
    write_json(folder / f"{CMDLETS.get(answer.path, answer.path)}.json", rows[0] if len(rows) == 1 else rows)


def _directory_object(row: Data) -> Data:
    return {
        "DeletedDateTime": None,
        "Id": row["id"],
        "AdditionalProperties": {k: v for k, v in row.items() if k != "id"},
    }


def _pascal(row: Data) -> Data:
    rest = {key: value for key, value in row.items() if key.startswith("@")}
    return {key[0].upper() + key[1:]: _pascal_value(value) for key, value in row.items() if key not in rest} | {
        "AdditionalProperties": rest
    }


def _pascal_value(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key[0].upper() + key[1:]: _pascal_value(inner) for key, inner in value.items() if not key.startswith("@")
        }
    return [_pascal_value(inner) for inner in value] if isinstance(value, list) else value


def _write_intunecd(book: Book, folder: Path) -> None:
    """Write one file for each custom role, its assignments inside, groups by name. Scope tags of assignments are lost."""
    assignments = list(assignments_of(book))
    for role in custom_roles(book):
        mine = [_by_name(book, a) for a in assignments if a["roleDefinition"]["id"] == role["id"]]
        data = {key: value for key, value in role.items() if key not in {"id", "@odata.type"}} | (
            {"roleAssignments": mine} if mine else {}
        )
        write_json(
            folder / "Roles" / ("".join("_" if c in '/\\:*?<>"|' else c for c in role["displayName"]) + ".json"),
            dict(sorted(data.items())),
        )


def _by_name(book: Book, assignment: Data) -> Data:
    names = {p.id: p.record["name"] for p in book.of("groups")}
    row = {
        key: value
        for key, value in assignment.items()
        if key not in {"id", "@odata.type", "resourceScopes", "roleDefinition", "roleScopeTags"}
    }
    for key in ("members", "scopeMembers"):
        if key in row:
            row[key] = [names.get(id_, id_) for id_ in row[key]] or ("" if key == "members" else [])
    return row


def answers(book: Book) -> Iterator[Answer]:
    """Every answer, in the spelling of the service. What the estate doesn't know isn't there."""
    yield Answer("organization", "organization", [organization(book)])
    if "users" in book.data:
        yield Answer("users", f"users({','.join(USER_PROPERTIES)})", [user_row(book, p) for p in book.of("users")])
    if "groups" in book.data:
        yield from group_answers(book)
    if "intune_roles" in book.data or "intune_assignments" in book.data:
        yield from intune_answers(book)
    if (state := is_on(book.tenant.get("use_intune_rbac"))) is not None:
        value = {"value": {"@odata.type": "microsoft.graph.tenantAttachRBACState", "enabled": state}}
        yield Answer("deviceManagement/tenantAttachRBAC/getState", "", value, "beta")
    if "app_roles" in book.data:
        yield from app_role_answers(book)
    if "entra_roles" in book.data:
        yield from directory_role_answers(book)
    if (premium := book.tenant.get("entra_premium")) is not None:
        yield Answer("subscribedSkus", "subscribedSkus", [sku(premium=premium)])
    if "devices" in book.data:
        rows = [device_row(book, d) for d in book.all("devices") if d.get("management") in AGENTS]
        yield Answer("deviceManagement/managedDevices", "deviceManagement/managedDevices", rows, "beta")
