"""What Microsoft Graph knows of app roles and directory roles."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from permcheck.errors import UnknownNameError
from permcheck.loading.policy import load_policy
from shapes.estate_data import Book, Data, Principal, made_id
from shapes.graph_people import DAY, Answer, member_row, schedule

MICROSERVICE = "Configuration Manager Microservice"


@dataclass(frozen=True)
class _Application:
    """An application with the app roles that the policy knows and those that the estate names."""

    name: str
    roles: list[Data]

    @property
    def id(self) -> str:
        return made_id("service principal", self.name)


def _applications(book: Book) -> Iterator[_Application]:
    policy = load_policy()
    known_roles = [p for p in policy.permissions.values() if p.guid and p.category == MICROSERVICE]
    roles = [_app_role(str(p.guid), p.name, p.synonyms[0] if p.synonyms else None) for p in known_roles]
    yield _Application(MICROSERVICE, roles)
    others = dict.fromkeys(
        r["application"]
        for r in book.all("app_roles")
        if r["application"].casefold() not in {MICROSERVICE.casefold(), _app_id()}
    )
    for name in others:
        mine = [r["role"] for r in book.all("app_roles") if r["application"] == name]
        yield _Application(name, [_app_role(made_id("app role", name, role), role, None) for role in mine])


def _app_id() -> str:
    return next(term for t in load_policy().terms if t.name == MICROSERVICE for term in t.also if term.count("-") == 4)


def _app_role(id_: str, name: str, value: str | None) -> Data:
    return {
        "allowedMemberTypes": ["User"],
        "description": name,
        "displayName": name,
        "id": id_,
        "isEnabled": True,
        "origin": "Application",
        "value": value,
    }


def app_role_answers(book: Book) -> Iterator[Answer]:
    applications = list(_applications(book))
    rows = [
        {
            "id": a.id,
            "appId": _app_id() if a.name == MICROSERVICE else made_id("app", a.name),
            "displayName": a.name,
            "accountEnabled": True,
            "appRoles": a.roles,
        }
        for a in applications
    ]
    yield Answer("servicePrincipals", "servicePrincipals", rows)
    for application in applications:
        yield Answer(
            f"servicePrincipals/{application.id}/appRoleAssignedTo",
            f"servicePrincipals('{application.id}')/appRoleAssignedTo",
            list(_assigned(book, application)),
        )


def _assigned(book: Book, application: _Application) -> Iterator[Data]:
    spelled = {application.name.casefold(), *([_app_id()] if application.name == MICROSERVICE else [])}
    for entry in book.all("app_roles"):
        role = next(
            (
                r
                for r in application.roles
                if entry["role"].casefold() in {r["displayName"].casefold(), str(r["value"]).casefold()}
            ),
            None,
        )
        if entry["application"].casefold() not in spelled or role is None:
            continue
        for principal in book.find(entry["assigned_to"]):
            yield {
                "id": made_id("assigned", role["id"], principal.id),
                "deletedDateTime": None,
                "appRoleId": role["id"],
                "createdDateTime": DAY,
                "principalDisplayName": principal.record.get("name") or principal.record.get("upn"),
                "principalId": principal.id,
                "principalType": "User" if principal.kind == "user" else "Group",
                "resourceDisplayName": application.name,
                "resourceId": application.id,
            }


def directory_role_answers(book: Book) -> Iterator[Answer]:
    roles = [(template_of(entry["role"]), entry) for entry in book.all("entra_roles")]
    active = [(template, e) for template, e in roles if e.get("members") is not None]
    rows = [
        {"id": made_id("directory role", id_), "displayName": name, "roleTemplateId": id_, "description": name}
        for (id_, name), _ in active
    ]
    yield Answer("directoryRoles", "directoryRoles", rows)
    for (id_, _), entry in active:
        yield Answer(
            f"directoryRoles/{made_id('directory role', id_)}/members",
            "directoryObjects",
            [member_row(p) for p in book.find(entry["members"])],
        )
    root = "roleManagement/directory"
    definitions = [
        {"id": id_, "templateId": id_, "displayName": name, "isBuiltIn": True, "isEnabled": True}
        for (id_, name), _ in roles
    ]
    yield Answer(f"{root}/roleDefinitions", f"{root}/roleDefinitions", definitions)
    if len(active) == len(roles):
        yield Answer(
            f"{root}/roleAssignments",
            f"{root}/roleAssignments",
            [_holder(id_, p) for (id_, _), e in roles for p in book.find(e["members"])],
        )
    eligible = [
        _holder(id_, p) | {"memberType": "Direct", "status": "Provisioned", **schedule()}
        for (id_, _), e in roles
        for p in book.find(e.get("eligible") or ())
    ]
    yield Answer(f"{root}/roleEligibilitySchedules", f"{root}/roleEligibilitySchedules", eligible)


def _holder(role: str, principal: Principal) -> Data:
    return {
        "id": made_id("holder", role, principal.id),
        "principalId": principal.id,
        "roleDefinitionId": role,
        "directoryScopeId": "/",
        "appScopeId": None,
    }


def template_of(role: str) -> tuple[str, str]:
    policy = load_policy()
    try:
        id_ = policy.find_role("entra", role)
    except UnknownNameError:
        return made_id("entra role", role), role
    return id_, policy.roles[id_].name
