"""Make a whole estate of a given size, as files: people and rights as JSON, the inventory as Parquet.

Always the same for the same numbers. Devices have a site, a department, an operating system, a ring and a model, and
collections are made of those, alone and in pairs; one membership of ten is in a collection made by hand. Profiles:

    mixed    one hierarchy is governed by Intune alone, one by both; people differ in what they hold in the cloud
    hard     both must allow everywhere, and everybody holds everything in the cloud: collections decide
    random   hard, and the members of every collection are drawn at random: few devices are alike
"""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from generate import TENANT


class Size(NamedTuple):
    """How much there is of everything."""

    users: int
    groups: int
    collections: int
    devices: int
    assignments: int
    assigned: int
    """Collections that some role is assigned on."""


SIZES = {
    "S": Size(100, 40, 106, 1_000, 40, 34),
    "M": Size(2_000, 800, 1_900, 50_000, 500, 350),
    "L": Size(10_000, 5_000, 9_600, 500_000, 2_000, 1_354),
}
PROFILES = ("mixed", "hard", "random")
HIERARCHIES = ("TST", "PRD")
KINDS = {"site": 50, "department": 20, "os": 6, "ring": 8, "model": 60}
PAIRS = (("site", "department"), ("site", "os"), ("department", "ring"), ("os", "model"))
MEMBERSHIPS = 10
LICENSED, NESTED, USUAL = 0.9, 0.5, 0.98
"""Of all users, groups and devices."""
OPERATIONS = {
    "Queries": ["Read", "Run CMPivot"],
    "Scripts": ["Read", "Read Resource", "Run Script", "Notify Resource"],
    "Everything": ["Read", "Read Resource", "Run CMPivot", "Run Script", "Notify Resource", "Modify", "Delete"],
}
OBJECTS = {name: ["Read"] for name in ("SMS Scripts", "Site", "Inventory Reports")} | {
    "Application": ["Read", "Approve"]
}
CLOUD = (
    "Microsoft.Intune_CloudAttach_CMPivot",
    "Microsoft.Intune_CloudAttach_ScriptActions",
    "Microsoft.Intune_CloudAttach_ResourceExplorer",
    "Microsoft.Intune_CloudAttach_Timeline",
    "Microsoft.Intune_CloudAttach_ApplicationActions",
    "Microsoft.Intune_RemoteTasks_ConfigurationManagerAction",
    "Microsoft.Intune_ManagedDevices_Read",
)


def write_whole(folder: Path, size: Size, profile: str, seed: int = 1) -> None:
    """Write an estate into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    chance = random.Random(seed)
    plan = _Plan(size)
    (folder / "estate.json").write_text(json.dumps(_estate(chance, size, plan, profile)), "utf-8")
    draw = np.random.RandomState(seed)
    for name, table in zip(("devices", "memberships"), _inventory(draw, size, plan, profile), strict=True):
        pq.write_table(table, folder / f"{name}.parquet")


class _Plan:
    """The collections of a hierarchy: number 0 holds everything, then those of attributes, then those made by hand."""

    def __init__(self, size: Size) -> None:
        self.count = size.collections // 2
        room = max(4, self.count // 2)
        share = min(1.0, room / sum(KINDS.values()))
        self.values = {kind: max(2, int(number * share)) for kind, number in KINDS.items()}
        self.start: dict[tuple[str, ...], int] = {}
        self.parents: list[int | None] = [None]
        for kind, number in self.values.items():
            self.start[kind,] = len(self.parents)
            self.parents += [0] * number
        for one, other in PAIRS:
            number = self.values[one] * self.values[other]
            if len(self.parents) + number < self.count - 10:
                self.start[one, other] = len(self.parents)
                above = self.start[one,]
                self.parents += [above + i // self.values[other] for i in range(number)]
        self.by_hand = len(self.parents)
        self.parents += [(i * 7) % self.by_hand for i in range(self.count - self.by_hand)]


def _estate(chance: random.Random, size: Size, plan: _Plan, profile: str) -> dict[str, Any]:
    people = [f"user{i}@contoso.com" for i in range(size.users)]
    groups = [f"SG-{i}" for i in range(size.groups)]
    return {
        "estate": f"generated {profile}",
        "complete": True,
        "assume": ["SITE-*"],
        "tenant": TENANT,
        "hierarchies": [
            {"id": id_, "version": 2409, "tenant_attached": True, "upload": "all",
             "enforce_configmgr_rbac": "cleared" if profile == "mixed" and id_ == "TST" else "checked"}
            for id_ in HIERARCHIES
        ],
        "users": [_user(chance, i, name) for i, name in enumerate(people)],
        "groups": _groups(chance, people, groups),
        **_cloud(chance, size, groups, profile),
        "security_roles": [
            {"hierarchy": hierarchy, "name": name, "permissions": {"Collection": operations} | OBJECTS}
            for hierarchy in HIERARCHIES
            for name, operations in OPERATIONS.items()
        ],
        "administrative_users": _administrators(chance, size, plan),
        "collections": [_collection(hierarchy, i, above) for hierarchy in HIERARCHIES
                        for i, above in enumerate(plan.parents)],
    }  # fmt: skip


def _user(chance: random.Random, number: int, name: str) -> dict[str, Any]:
    return {
        "upn": name, "synced": True, "sid": f"S-1-5-21-1-2-3-{10_000 + number}", "account": f"CONTOSO\\user{number}",
        "enabled": True, "licensed": chance.random() < LICENSED, "discovered_by": ["entra", "ad"],
        "discovered_upn": name, "on_premises_upn": name, "provider_logon_denied": False, "provider_access": True,
    }  # fmt: skip


def _groups(chance: random.Random, people: list[str], names: list[str]) -> list[dict[str, Any]]:
    found = []
    for number, name in enumerate(names):
        members = chance.sample(people, min(len(people), 8))
        if number and chance.random() < NESTED:  # nested in an earlier one only: no circles
            members.append(names[chance.randrange(number)])
        found.append({"name": name, "account": f"CONTOSO\\{name}", "type": "security", "members": members})
    return [*found, {"name": "Everybody", "account": "CONTOSO\\Everybody", "type": "security", "members": people}]


def _cloud(chance: random.Random, size: Size, groups: list[str], profile: str) -> dict[str, Any]:
    roles = [{"name": f"Role {i}", "permissions": chance.sample(CLOUD, 4)} for i in range(20)]
    assignments = [
        {
            "name": f"Assignment {i}",
            "role": chance.choice(["Help Desk Operator", "Read Only Operator", f"Role {i % 20}"]),
            "members": [chance.choice(groups)],
            "scope_tags": ["Default"],
        }
        for i in range(size.assignments // 2)
    ]
    if profile != "mixed":
        roles.append({"name": "All of it", "permissions": list(CLOUD)})
        assignments.append(
            {"name": "For all", "role": "All of it", "members": ["Everybody"], "scope_tags": ["Default"]}
        )
    return {"intune_roles": roles, "intune_assignments": assignments}


def _administrators(chance: random.Random, size: Size, plan: _Plan) -> list[dict[str, Any]]:
    assigned = {h: sorted(chance.sample(range(1, plan.count), size.assigned // 2)) for h in HIERARCHIES}
    left = {h: list(numbers) for h, numbers in assigned.items()}
    found: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for number in range(size.assignments):
        hierarchy = HIERARCHIES[number % 2]
        holder = f"user{chance.randrange(size.users)}" if number % 10 == 0 else f"SG-{chance.randrange(size.groups)}"
        numbers = {left[hierarchy].pop() if left[hierarchy] else chance.choice(assigned[hierarchy]) for _ in range(2)}
        pair = {
            "role": chance.choice(tuple(OPERATIONS)),
            "scopes": ["Default"],
            "collections": [f"C{i:05}" for i in sorted(numbers)],
        }
        found.setdefault((hierarchy, holder), []).append(pair)
    return [{"hierarchy": h, "name": f"CONTOSO\\{name}", "assignments": pairs} for (h, name), pairs in found.items()]


def _collection(hierarchy: str, number: int, above: int | None) -> dict[str, Any]:
    if above is None:
        return {"hierarchy": hierarchy, "id": "SMS00001", "name": "All Systems"}
    limited = f"C{above:05}" if above else "SMS00001"
    return {"hierarchy": hierarchy, "id": f"C{number:05}", "name": f"Collection {number}", "limited_to": limited}


def _inventory(draw: np.random.RandomState, size: Size, plan: _Plan, profile: str) -> tuple[pa.Table, pa.Table]:
    count = size.devices
    hierarchy = draw.randint(0, 2, count)
    rare = {name: draw.random_sample(count) for name in ("client_current", "powershell", "online")}
    devices = pa.table(
        {
            "name": pa.array([f"PC-{i:06}" for i in range(count)]),
            "hierarchy": pa.array(np.asarray(HIERARCHIES)[hierarchy]).dictionary_encode(),
            "resource_id": pa.array(16_777_216 + np.arange(count)),
            "client_current": pa.array(rare["client_current"] < USUAL),
            "powershell": pa.array(np.where(rare["powershell"] < USUAL, "5.1", "4.0")).dictionary_encode(),
            "online": pa.array(rare["online"] < USUAL),
            "endpoint_analytics": pa.array(np.ones(count, bool)),
            "bitlocker_policy": pa.array(np.ones(count, bool)),
        }
    )
    inside = _memberships(draw, count, plan, scattered=profile == "random")
    where = np.repeat(np.arange(count), inside.shape[1])
    numbers = inside.ravel()
    ids = pa.array([f"C{i:05}" for i in range(plan.count)])
    memberships = pa.table(
        {
            "hierarchy": devices["hierarchy"].take(pa.array(where)),
            "resource_id": pa.array(16_777_216 + where),
            "collection": pa.DictionaryArray.from_arrays(pa.array(numbers.astype(np.int32)), ids),
        }
    )
    return devices, memberships


def _memberships(draw: np.random.RandomState, count: int, plan: _Plan, *, scattered: bool) -> np.ndarray:
    """Draw the collections of each device; the lower a value of an attribute, the more devices have it."""
    if scattered:
        return draw.randint(1, plan.count, (count, MEMBERSHIPS))
    value = {kind: (draw.random_sample(count) ** 2 * number).astype(int) for kind, number in plan.values.items()}
    columns = [plan.start[kind,] + found for kind, found in value.items()]
    for key in plan.start:
        if len(key) == 2:  # noqa: PLR2004 - a pair
            one, other = key
            columns.append(plan.start[key] + value[one] * plan.values[other] + value[other])
    while len(columns) < MEMBERSHIPS:
        columns.append(plan.by_hand + draw.randint(0, plan.count - plan.by_hand, count))
    return np.stack(columns, axis=1)
