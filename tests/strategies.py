"""Random small estates, as plain values in the form of estate files.

`estates()` draws estates in which every fact is stated: mostly healthy ones with a few facts spoiled, so
that each verdict is common. `forget` takes facts away again. Nothing here looks at the evaluator.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from copy import deepcopy
from typing import Any, NamedTuple, TypeAlias

from hypothesis import strategies as st
from permcheck.api import Estate
from permcheck.loading.estate import Joined, _join
from permcheck.loading.forms import as_form
from permcheck.loading.policy import load_policy
from permcheck.loading.resolve import resolve
from permcheck.loading.text import parse_json
from permcheck.model.estate import EstateFile

Data: TypeAlias = dict[str, Any]
Path: TypeAlias = tuple[str | int, ...]
Table: TypeAlias = dict[str, tuple[Any, list[Any]]]
"""Fact -> its healthy value (ABSENT: not stated) and others."""

ABSENT = object()
VERSIONS = (1902, 1910, 2002, 2006, 2010, 2103, 2107, 2203, 2207, 2211, 2309, 2409, 2409, 2409)
UPDATES = ["KB4560496", "KB4580678", "KB12896009"]
TAGS = ([], ["Default"], ["0"], ["Seattle"], ["Seattle", "Default"])

TENANT: Table = {
    "cloud": ("public", ["us-government", "china"]),
    "multi_geo": (False, [True]),
    "geography": ("EU", ["US"]),
    "entra_premium": (True, [False]),
    "unlicensed_admins": (True, [False]),
    "scoped_permissions": ("merged", ["scoped"]),
}
HIERARCHY: Table = {
    "tenant_attached": (True, [False]),
    "upload": ("all", [{"collection": "C1"}, {"collection": "SMS00001"}]),
    "geography": ("EU", ["US"]),
    "administration_service": (True, [False]),
    "provider_authentication": ("windows", ["certificate"]),
    "central_site_remote_provider": (False, [True]),
    "provider_delegation": (True, [False]),
    "provider_in_authorization_group": (True, [False]),
    "connection_point_online": (True, [False]),
    "script_approver_required": (False, [True]),
    "update_ring": ("general", ["early"]),
    "updates": (UPDATES, [[], UPDATES[:1]]),
    "sites": (ABSENT, [[{"code": "S01", "version": 2006}], [{"code": "S01", "version": 2403}]]),
}
USER: Table = {
    "enabled": (True, [False]),
    "licensed": (True, [False]),
    "synced": (True, [False]),
    "discovered_by": (["entra", "ad"], [["ad"], []]),
    "discovered_upn": ("", ["someone@cloud.example", "someone@contoso.com"]),
    "on_premises_upn": ("someone@contoso.com", []),
    "provider_logon_denied": (False, [True]),
    "provider_access": (True, [False]),
    "signs_in_with": (ABSENT, ["u0@contoso.com"]),
}
DEVICE: Table = {
    "uploaded": (ABSENT, [True, False]),
    "client_current": (True, [False, ABSENT]),
    "powershell": ("5.1", ["4.0", "3.0", "2.0"]),
    "online": (True, [False]),
    "endpoint_analytics": (True, [False]),
    "bitlocker_policy": (True, [False]),
    "management": ("configmgr", ["co-managed"]),
    "scope_tags": (ABSENT, [["Default"], ["Seattle"], []]),
}
SCRIPT: Table = {"approved": (True, [False]), "parameters": (False, [True]), "scopes": (["Default"], [["Seattle"]])}
APPLICATION: Table = {
    "scopes": (["Default"], [["Seattle"], ["Default", "Seattle"]]),
    "has_uninstall_command": (True, [False]),
    "has_repair_command": (True, [False]),
    "installed": (True, [False]),
    "required_deployment": (False, [True]),
    "deployed_to": (["C1"], [["UC1"], ["UC1", "C1"], []]),
}
OPERATIONS: dict[str, list[str]] = {
    "Collection": ["Read", "Read Resource", "Run CMPivot", "Run Script", "Notify Resource", "Modify", "Delete"],
    "SMS Scripts": ["Read"],
    "Inventory Reports": ["Read"],
    "Site": ["Read"],
    "Application": ["Read", "Approve"],
}
INTUNE = (
    "Microsoft.Intune_CloudAttach_CMPivot",
    "Microsoft.Intune_CloudAttach_ScriptActions",
    "Microsoft.Intune_CloudAttach_ResourceExplorer",
    "Microsoft.Intune_CloudAttach_Timeline",
    "Microsoft.Intune_CloudAttach_ApplicationActions",
    "Microsoft.Intune_RemoteTasks_ConfigurationManagerAction",
    "Microsoft.Intune_ManagedDevices_Read",
)
BUILT_IN_INTUNE = ("Help Desk Operator", "Read Only Operator", "School Administrator", "Application Manager")
ENTRA = ("Global Administrator", "Intune Administrator", "Application Administrator", "Reports Reader")
GROUP_TYPES = ("security", "security", "security", "microsoft-365", "mail-enabled-security", "distribution")
ACTIONS = (
    "run-cmpivot",
    "run-cmpivot:Administrators",
    "run-script",
    "view-resource-explorer",
    "view-timeline",
    "sync-machine-policy",
    "take-application-action",
    "take-application-action:uninstall",
    "take-application-action:user-targeted",
    "view-device-in-list",
)
READINGS = {
    "discovery-from-2103": ("either", "both"),
    "toggle-on-checkbox-checked": ("both", "configmgr-only"),
    "permissions-through-collections": ("separate", "one-collection"),
    "all-scope-on-collections": ("no-collections", "every-collection"),
    "device-action-permission": ("notify-resource", "some-permission", "none"),
    "intune-role-under-configmgr": ("any-role", "page-permission"),
    "timeline-notify": ("view-and-sync", "sync-only"),
    "intune-role-sets": ("live-service", "page-2022-08"),
    "scope-tags-merge": ("permission-category", "all-assignments"),
}
SILENCE_MEANS_MET = {"signs_in_with", "tenant_attached", "scope_tags", "sites"}
"""Facts whose absence the policy reads as a value, because a source says so."""
STATED_BESIDES = {"uploaded", "client_current", "user_targeted"}
"""Facts that also follow from others: taking them away may leave another value, not an unknown."""


class Ask(NamedTuple):
    """One question, by names."""

    user: str
    action: str
    device: str | None = None
    object: str | None = None


def load_dict(data: Data, name: str = "estate.json") -> Estate:
    """Load an estate from plain values, as if they were a JSON file. Raises LoadError."""
    joined = Joined()
    joined.parsed.append(parse_json(name, json.dumps(data)))
    _join(joined, 0, as_form(joined.parsed[0], EstateFile, "estate"))
    policy = load_policy()
    tables, warnings = resolve(joined, policy)
    return Estate(tables, policy, warnings)


def subsets(values: Sequence[Any], most: int | None = None) -> st.SearchStrategy[list[Any]]:
    """Draw some of the values, each at most once."""
    if not values:
        return st.just([])
    return st.lists(st.sampled_from(values), unique_by=repr, max_size=min(most or len(values), len(values)))


def facts(table: Table) -> st.SearchStrategy[Data]:
    """Draw healthy facts with at most two of them spoiled."""
    spoilers = [(key, value) for key, (_, others) in table.items() for value in others]
    healthy = {key: value for key, (value, _) in table.items()}

    def spoil(chosen: list[tuple[str, Any]]) -> Data:
        return {key: deepcopy(value) for key, value in {**healthy, **dict(chosen)}.items() if value is not ABSENT}

    some = st.lists(st.sampled_from(spoilers), min_size=1, max_size=2)
    return rarely().flatmap(lambda yes: some if yes else st.just([])).map(spoil)


def rarely() -> st.SearchStrategy[bool]:
    """Draw True once in six times."""
    return st.sampled_from([False] * 5 + [True])


@st.composite
def permissions(draw: st.DrawFn) -> dict[str, list[str]]:
    """Draw the permissions of a security role: all of those that matter here, or some."""
    if draw(st.booleans()):
        return deepcopy(OPERATIONS)
    return {kind: some for kind, names in OPERATIONS.items() if (some := draw(subsets(names)))}


@st.composite
def hierarchies(draw: st.DrawFn, versions: Sequence[int]) -> Data:
    """Draw one hierarchy without its id."""
    return {
        **draw(facts(HIERARCHY)),
        "version": draw(st.sampled_from(versions)),
        "enforce_configmgr_rbac": draw(st.sampled_from(["checked", "cleared"])),
    }


@st.composite
def users(draw: st.DrawFn, number: int) -> Data:
    """Draw one user. Nobody whom Active Directory discovery has not found has a UPN that it found."""
    user = {"upn": f"u{number}@contoso.com", **draw(facts(USER))}
    if "ad" not in user["discovered_by"]:
        user["discovered_upn"] = ""
    if user.get("signs_in_with") == user["upn"]:
        del user["signs_in_with"]
    if user["synced"]:
        user |= {"sid": f"S-1-5-21-7-{number}", "account": f"CONTOSO\\u{number}"}
    return user


@st.composite
def groups(draw: st.DrawFn, people: Sequence[str], count: int) -> list[Data]:
    """Draw groups, each with members among the users and the groups before it: no circles.

    The first one is a security group of Active Directory with the first user.
    """
    result: list[Data] = []
    for number in range(count):
        some = subsets([*people, *(g["name"] for g in result)])
        group: Data = {
            "name": f"g{number}",
            "type": draw(st.sampled_from(GROUP_TYPES)) if number else "security",
            "members": draw(st.one_of(st.just([f"g{number - 1}"]), some) if number else some),
        }
        if number == 0:
            group["members"] = sorted({*group["members"], people[0]})
        if draw(st.booleans()) or number == 0:
            group |= {"sid": f"S-1-5-21-8-{number}", "account": f"CONTOSO\\g{number}"}
        result.append(group)
    return result


@st.composite
def collections(draw: st.DrawFn, hierarchy: str) -> list[Data]:
    """Draw a limiting tree below All Systems, and a user collection below All Users and User Groups."""
    result: list[Data] = [{"hierarchy": hierarchy, "id": "SMS00001", "name": "All Systems"}]
    for number in range(1, draw(st.integers(2, 4)) + 1):
        parent = draw(st.sampled_from([c["name"] for c in result]))
        result.append({"hierarchy": hierarchy, "id": f"C{number}", "name": f"Limited {number}", "limited_to": parent})
    everybody = {"hierarchy": hierarchy, "id": "SMS00004", "name": "All Users and User Groups", "kind": "user"}
    people = {"hierarchy": hierarchy, "id": "UC1", "name": "People", "kind": "user", "limited_to": "SMS00004"}
    return [*result, everybody, people]


@st.composite
def pairs(draw: st.DrawFn, roles: Sequence[str], inside: Sequence[Data]) -> list[Data]:
    """Draw what belongs to one administrative user: roles, each with scopes and collections."""
    if draw(rarely()):
        return [{"role": roles[-1], "scopes": ["All"], "collections": ["SMS00001", "SMS00004"]}]
    names = [c["id"] for c in inside]
    one = st.fixed_dictionaries(
        {
            "role": st.sampled_from(roles),
            "scopes": subsets(["Default", "All", "Seattle"], 2),
            "collections": st.one_of(st.just(["SMS00001", "SMS00004"]), subsets(names, 3)),
        }
    )
    return draw(st.lists(one, max_size=3))


@st.composite
def devices(draw: st.DrawFn, name: str, hierarchy: str, inside: Sequence[Data]) -> Data:
    """Draw a device and the device collections that contain it."""
    device = {"name": name, "hierarchy": hierarchy, **draw(facts(DEVICE))}
    if "client_current" not in device:
        device["client_version"] = draw(st.sampled_from(["5.00.8790.1000", "5.00.9088.1010", "5.00.9132.1000"]))
    device["collections"] = draw(subsets([c["id"] for c in inside if c.get("kind") != "user"], 3))
    return device


@st.composite
def security(draw: st.DrawFn, data: Data, hierarchy: str) -> None:
    """Add the Configuration Manager side of one hierarchy."""
    inside = draw(collections(hierarchy))
    custom = [f"Role {number}" for number in range(draw(st.integers(1, 3)))]
    data["security_roles"] += [
        {"hierarchy": hierarchy, "name": name, "permissions": draw(permissions())} for name in custom
    ]
    people = [p["account"] for p in (*data["users"], *data["groups"]) if "account" in p]
    sids = {p["account"]: p["sid"] for p in (*data["users"], *data["groups"]) if "account" in p}
    first = [] if draw(rarely()) else [data["groups"][0]["account"]]
    for name in dict.fromkeys([*first, *draw(subsets(people, 3))]):
        admin: Data = {"hierarchy": hierarchy, "name": name}
        if draw(st.booleans()):
            admin["sid"] = sids[name]
        admin["assignments"] = draw(pairs([*custom, "Full Administrator"], inside))
        data["administrative_users"].append(admin)
    data["collections"] += inside
    data["scripts"].append({"hierarchy": hierarchy, "name": f"script {hierarchy}", **draw(facts(SCRIPT))})
    application = {"hierarchy": hierarchy, "name": f"application {hierarchy}", **draw(facts(APPLICATION))}
    data["applications"].append(application)
    data["devices"].append(draw(devices(f"PC-{hierarchy}", hierarchy, inside)))


@st.composite
def cloud(draw: st.DrawFn, data: Data) -> None:
    """Add the Intune and Entra side."""
    names = [g["name"] for g in data["groups"]]
    people = [u["upn"] for u in data["users"]]
    data["intune_roles"] = [{"name": "Custom", "permissions": draw(st.one_of(st.just(list(INTUNE)), subsets(INTUNE)))}]
    for number in range(draw(st.sampled_from([1, 2, 3, 0]))):
        assignment = {
            "name": f"assignment {number}",
            "role": draw(st.sampled_from(["Custom", *BUILT_IN_INTUNE])),
            "members": draw(subsets(names, 2)) if number else names[: draw(st.sampled_from([1, 1, 2]))][-1:],
            "scope_tags": list(draw(st.sampled_from(TAGS))),
        }
        data["intune_assignments"].append(assignment)
    holders = st.one_of(st.sampled_from(names).map(lambda name: [name]), subsets([*people, *names], 2))
    for role in draw(subsets(ENTRA, 1)):
        data["entra_roles"].append({"role": role, "members": draw(holders), "eligible": draw(subsets(people, 1))})
    if draw(st.booleans()):
        app_role = {"application": "Configuration Manager Microservice", "role": "Admin User"}
        data["app_roles"].append({**app_role, "assigned_to": draw(holders)})


@st.composite
def estates(draw: st.DrawFn, versions: Sequence[int] = VERSIONS, *, readings: bool = True) -> Data:
    """Draw an estate with two hierarchies in which every fact that matters is stated."""
    data: Data = {"estate": "random", "tenant": {"use_intune_rbac": draw(st.sampled_from(["On", "Off"]))}}
    data["tenant"] |= draw(facts(TENANT))
    if readings:
        chosen = draw(subsets([(name, each) for name, alternatives in READINGS.items() for each in alternatives], 2))
        data["readings"] = dict(chosen)
    data["hierarchies"] = [{"id": id_, **draw(hierarchies(versions))} for id_ in ("P01", "P02")]
    data["users"] = [draw(users(number)) for number in range(draw(st.integers(1, 3)))]
    data["groups"] = draw(groups([u["upn"] for u in data["users"]], draw(st.integers(1, 4))))
    sections = ("entra_roles", "app_roles", "intune_roles", "intune_assignments", "security_roles")
    for section in (*sections, "administrative_users", "collections", "scripts", "applications", "devices"):
        data[section] = []
    draw(cloud(data))
    for hierarchy in ("P01", "P02"):
        draw(security(data, hierarchy))
    return data


def forgettable(data: Data) -> list[Path]:
    """Facts and lists that may be taken away, each leaving an unknown."""
    keys = {
        "groups": {"type", "members", "sid", "account"},
        "intune_assignments": {"members", "scope_tags"},
        "entra_roles": {"members"},
        "administrative_users": {"assignments", "sid"},
        "collections": {"limited_to"},
    }
    kept = SILENCE_MEANS_MET | STATED_BESIDES | {"id", "upn", "name", "hierarchy"}
    paths: list[Path] = [("tenant", key) for key in data["tenant"]]
    for section in ("hierarchies", "users", "devices", "scripts", "applications", *keys):
        for index, record in enumerate(data[section]):
            wanted = keys.get(section, set(record) - kept)
            paths += [(section, index, key) for key in record if key in wanted]
    paths += [(section,) for section in ("entra_roles", "app_roles", "intune_assignments", "administrative_users")]
    return paths


def forget(data: Data, paths: Sequence[Path]) -> Data:
    """Return the estate without some facts."""
    result = deepcopy(data)
    for path in sorted(paths, key=len, reverse=True):
        owner: Any = result
        for step in path[:-1]:
            owner = owner[step]
        del owner[path[-1]]
    return result


@st.composite
def partial_estates(draw: st.DrawFn, versions: Sequence[int] = VERSIONS) -> tuple[Data, Data]:
    """Draw an estate with some facts unknown, and the same estate with all of them known."""
    whole = draw(estates(versions))
    return forget(whole, draw(subsets(forgettable(whole), 3))), whole


@st.composite
def crowds(draw: st.DrawFn) -> tuple[Data, Data]:
    """Draw a partial estate with several users and devices that are alike, or nearly."""
    whole = draw(estates())
    for hierarchy in ("P01", "P02"):
        inside = [c["id"] for c in whole["collections"] if c["hierarchy"] == hierarchy and c.get("kind") != "user"]
        first = next(d for d in whole["devices"] if d["hierarchy"] == hierarchy)
        for number in range(draw(st.integers(1, 4))):
            twin = first | {"name": f"{first['name']}-{number}", "collections": draw(subsets(inside, 3))}
            twin |= {"online": draw(st.booleans())} if draw(rarely()) else {}
            whole["devices"].append(twin)
    for number in range(draw(st.integers(0, 2))):
        name = f"twin{number}"
        twin = whole["users"][0] | {"upn": f"{name}@contoso.com"}
        for key, value in (("sid", f"S-1-5-21-9-9-9-{number}"), ("account", f"CONTOSO\\{name}"), ("id", None)):
            twin = {k: v for k, v in twin.items() if k != key} | ({key: value} if key in twin and value else {})
        twin = {
            k: twin["upn"] if k in {"discovered_upn", "on_premises_upn", "signs_in_with"} and v else v
            for k, v in twin.items()
        }
        whole["users"].append(twin)
        for group in whole["groups"]:
            if draw(st.booleans()) and "members" in group:
                group["members"] = [*group["members"], twin["upn"]]
    return forget(whole, draw(subsets(forgettable(whole), 3))), whole


def every_question(data: Data, actions: Sequence[str] = ACTIONS) -> Iterator[Ask]:
    """Every user, action and device of an estate, with and without a script or application."""
    for user in data["users"]:
        for device in data["devices"]:
            for action in actions:
                yield Ask(user["upn"], action, device["name"])
                kind = {"run-script": "script", "take-application-action": "application"}.get(action.partition(":")[0])
                if kind:
                    yield Ask(user["upn"], action, device["name"], f"{kind} {device['hierarchy']}")
