"""Make an estate of a given size, always the same one for the same numbers."""

from __future__ import annotations

import random
from typing import Any

SCRIPTS = {"SMS Scripts": ["Read"], "Site": ["Read"]}
ROLES = {
    "Queries": ["Read", "Run CMPivot"],
    "Scripts": ["Read", "Read Resource", "Run Script", "Notify Resource"],
}
TENANT = {
    "cloud": "public", "multi_geo": False, "use_intune_rbac": "On", "unlicensed_admins": True,
    "scoped_permissions": "merged", "entra_premium": True,
}  # fmt: skip
AT_THE_TOP = 20
"""Collections limited to All Systems itself."""


def estate(users: int, groups: int, collections: int, devices: int, assignments: int, seed: int = 1) -> dict[str, Any]:
    """Make an estate of two hierarchies in the estate form; each device is in about ten collections."""
    chance = random.Random(seed)
    people = [f"user{i}@contoso.com" for i in range(users)]
    names = [f"SG-{i}" for i in range(groups)]
    return {
        "estate": "generated",
        "complete": True,
        "assume": ["SITE-*"],
        "tenant": TENANT,
        "hierarchies": [
            {"id": id_, "version": 2303, "tenant_attached": True, "upload": "all", "enforce_configmgr_rbac": checked}
            for id_, checked in (("TST", "cleared"), ("PRD", "checked"))
        ],
        "users": [_user(i, name) for i, name in enumerate(people)],
        "groups": [_group(chance, i, people, names) for i in range(groups)],
        "intune_roles": [
            {"name": f"Role {i}", "permissions": ["Cloud attached devices\\Run CMPivot query"]} for i in range(20)
        ],
        "intune_assignments": [
            {
                "name": f"Assignment {i}",
                "role": chance.choice(["Help Desk Operator", "Read Only Operator", f"Role {i % 20}"]),
                "members": [chance.choice(names)],
                "scope_tags": ["Default"],
            }
            for i in range(assignments)
        ],
        "security_roles": [
            {"hierarchy": hierarchy, "name": name, "permissions": {"Collection": operations} | SCRIPTS}
            for hierarchy in ("TST", "PRD")
            for name, operations in ROLES.items()
        ],
        "administrative_users": [_admin(chance, i, names, collections) for i in range(groups)],
        "collections": [_collection(chance, h, i) for h in ("TST", "PRD") for i in range(collections // 2)],
        "devices": [_device(chance, i, collections // 2) for i in range(devices)],
    }  # fmt: skip


def _user(number: int, name: str) -> dict[str, Any]:
    return {
        "upn": name, "synced": True, "sid": f"S-1-5-21-1-2-3-{10_000 + number}", "account": f"CONTOSO\\user{number}",
        "enabled": True, "licensed": True, "discovered_by": ["entra", "ad"], "discovered_upn": name,
        "on_premises_upn": name,
    }  # fmt: skip


def _group(chance: random.Random, number: int, people: list[str], names: list[str]) -> dict[str, Any]:
    members = chance.sample(people, min(len(people), 8))
    if number:  # nested in an earlier one only: no circles
        members.append(names[chance.randrange(number)])
    return {"name": names[number], "account": f"CONTOSO\\{names[number]}", "type": "security", "members": members}


def _admin(chance: random.Random, number: int, names: list[str], collections: int) -> dict[str, Any]:
    hierarchy = chance.choice(("TST", "PRD"))
    return {
        "hierarchy": hierarchy,
        "name": f"CONTOSO\\{names[number]}",
        "assignments": [
            {
                "role": chance.choice(("Queries", "Scripts")),
                "scopes": ["Default"],
                "collections": [f"C{chance.randrange(1, max(2, collections // 2)):05}" for _ in range(3)],
            }
        ],
    }


def _collection(chance: random.Random, hierarchy: str, number: int) -> dict[str, Any]:
    if number == 0:
        return {"hierarchy": hierarchy, "id": "SMS00001", "name": "All Systems"}
    above = "SMS00001" if number < AT_THE_TOP else f"C{chance.randrange(1, number):05}"
    return {"hierarchy": hierarchy, "id": f"C{number:05}", "name": f"Collection {number}", "limited_to": above}


def _device(chance: random.Random, number: int, collections: int) -> dict[str, Any]:
    inside = sorted({chance.randrange(1, max(2, collections)) for _ in range(10)})
    return {
        "name": f"PC-{number:06}", "hierarchy": chance.choice(("TST", "PRD")), "resource_id": 16_777_216 + number,
        "collections": [f"C{i:05}" for i in inside], "client_current": True, "powershell": "5.1", "online": True,
        "endpoint_analytics": True,
    }  # fmt: skip
