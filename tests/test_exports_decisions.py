"""Exports, and beside them what no tool exports, decide as the estate that was written by hand."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import permcheck
import pytest
from exported import ESTATES, FORMATS, Format, as_estate, as_xml, expected, export, questions, verdict, written
from hypothesis import given, settings
from hypothesis import strategies as st
from permcheck.api import Estate
from permcheck.loading.policy import load_policy
from shapes.adminservice import write_adminservice
from shapes.estate_data import Book, Data
from strategies import Ask, estates, every_question, partial_estates

UNKNOWN = "undetermined"
DECIDED = {"allow", "deny"}


def differences(name: str, folder: Path) -> Counter[tuple[str, str]]:
    """How many verdicts of an example the exports give another way: (by hand, exports) -> number."""
    estate = permcheck.load(folder)
    found = ((said, verdict(estate, ask)) for ask, said in expected(name).items())
    return Counter(pair for pair in found if pair[0] != pair[1])


def only_weaker(changed: Counter[tuple[str, str]]) -> bool:
    """Whether every other verdict is one that leaves the question open."""
    return {after for _, after in changed} <= {UNKNOWN}


def edit(path: Path, change: Any) -> None:
    """Change the entries of one export."""
    data = json.loads(path.read_text("utf-8"))
    for row in data["value"]:
        change(row)
    path.write_text(json.dumps(data), "utf-8")


# --- what the formats can carry ----------------------------------------------------


@pytest.mark.parametrize("name", ESTATES)
@pytest.mark.parametrize("how", FORMATS)
def test_a_folder_of_exports_decides_as_the_estate(name: str, how: str, tmp_path: Path) -> None:
    """Applications aside: their list is in no format, so all of it stands in the facts.

    The list of devices of the admin center has no scope tags: whether a co-managed device is seen stays open.
    """
    found = differences(name, export(written(name)[0], tmp_path, FORMATS[how]))
    assert only_weaker(found) if how == "downloads of the admin centers" else found == {}


@pytest.mark.parametrize("name", ESTATES)
def test_the_examples_ask_enough(name: str) -> None:
    """A comparison of nothing would agree, too."""
    found = Counter(expected(name).values())
    assert found["deny"] > 100
    assert name == "lab" or found["allow"] > 20


def test_the_exports_are_where_an_estate_would_be(tmp_path: Path) -> None:
    """The same exports in other folders and under other names say the same, as long as each hierarchy has its own."""
    data, _ = written("contoso")
    folder = export(data, tmp_path / "one", FORMATS["rest with tiny pages"])
    other = tmp_path / "other"
    for path in sorted(folder.rglob("*"), reverse=True):
        inside = path.relative_to(folder)
        if path.is_file() and "members" not in path.name:
            target = other / inside.parts[0] / f"{len(list(other.rglob('*')))}-export{path.suffix}"
        elif path.is_file():
            target = other / inside
        else:
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())
    assert differences("contoso", other) == {}


# --- what they can't: an open question, never another answer -----------------------


def test_lists_without_pairs_leave_several_roles_open(tmp_path: Path) -> None:
    """RoleNames and CollectionNames lose which role goes with which collection: with one role there is no doubt."""
    data = two_roles()
    folder = export(data, tmp_path, Format(names_only))
    by_hand, estate = as_estate(data), permcheck.load(folder)
    asks = [ask for ask in questions(by_hand) if ask.action in {"run-cmpivot", "run-script", "view-resource-explorer"}]
    said = {ask: (verdict(by_hand, ask), verdict(estate, ask)) for ask in asks}
    assert {after for ask, (_, after) in said.items() if ask.user == "one@contoso.com"} <= DECIDED
    assert all(before == after for ask, (before, after) in said.items() if ask.user == "one@contoso.com")
    assert said[Ask("two@contoso.com", "run-cmpivot", "PC-1")] == ("allow", UNKNOWN)
    assert said[Ask("two@contoso.com", "run-cmpivot", "PC-2")] == ("deny", UNKNOWN)
    assert all(after in {before, UNKNOWN} for before, after in said.values())


def names_only(estate: Data, hierarchy: str, folder: Path) -> None:
    """Administrative users as a list gives them, roles one by one."""
    write_adminservice(estate, hierarchy, folder, singles=True)
    for path in folder.glob("SMS_Admin(*"):
        path.unlink()


def two_roles() -> Data:
    """One user with one role; one with two, each on another collection."""
    everything = {"Collection": ["Read", "Read Resource", "Run CMPivot", "Run Script"], "SMS Scripts": ["Read"]}
    healthy: Data = {
        "enabled": True,
        "licensed": True,
        "synced": True,
        "discovered_by": ["entra", "ad"],
        "provider_logon_denied": False,
        "provider_access": True,
    }
    users = [
        {
            "upn": f"{name}@contoso.com",
            "sid": f"S-1-5-21-7-{number}",
            "account": f"CONTOSO\\{name}",
            "discovered_upn": f"{name}@contoso.com",
            "on_premises_upn": f"{name}@contoso.com",
            **healthy,
        }
        for number, name in enumerate(["one", "two"])
    ]
    pairs = {
        "one": [{"role": "Pivot", "scopes": ["Default"], "collections": ["C1"]}],
        "two": [
            {"role": "Pivot", "scopes": ["Default"], "collections": ["C1"]},
            {"role": "Nothing", "scopes": ["Default"], "collections": ["C2"]},
        ],
    }
    return {
        "tenant": {"use_intune_rbac": "Off", "cloud": "public", "entra_premium": True, "unlicensed_admins": True},
        "complete": True,
        "assume": ["SITE-*", "DEV-*", "TENANT-*", "GEO", "RING", "CLOUD*"],
        "hierarchies": [
            {
                "id": "P01",
                "version": 2309,
                "tenant_attached": True,
                "upload": "all",
                "administration_service": True,
                "enforce_configmgr_rbac": "checked",
            }
        ],
        "users": users,
        "groups": [{"name": "g", "type": "security", "members": ["one@contoso.com", "two@contoso.com"]}],
        "intune_assignments": [
            {"name": "a", "role": "Help Desk Operator", "members": ["g"], "scope_tags": ["Default"]}
        ],
        "security_roles": [{"name": "Pivot", "permissions": everything}, {"name": "Nothing", "permissions": {}}],
        "administrative_users": [
            {"name": u["account"], "sid": u["sid"], "assignments": pairs[u["upn"].partition("@")[0]]} for u in users
        ],
        "collections": [
            {"id": "SMS00001", "name": "All Systems"},
            {"id": "C1", "name": "First", "limited_to": "SMS00001"},
            {"id": "C2", "name": "Second", "limited_to": "SMS00001"},
        ],
        "devices": [
            {
                "name": f"PC-{n}",
                "collections": [f"C{n}"],
                "client_version": "5.00.9122.1000",
                "powershell": "5.1",
                "online": True,
                "management": "configmgr",
            }
            for n in (1, 2)
        ],
    } | {section: [] for section in ("entra_roles", "app_roles", "intune_roles", "scripts", "applications")}


def test_masks_without_the_sites_bits_leave_only_new_operations_open(tmp_path: Path) -> None:
    """No public page says which bits Run CMPivot and Run Script are; Read and the other old ones are known."""
    folder = export(written("contoso")[0], tmp_path, Format(as_xml))
    for path in folder.rglob("SMS_AvailableOperation.json"):
        path.unlink()
    by_hand, estate = written("contoso")[1], permcheck.load(folder)
    changed = differences("contoso", folder)
    assert only_weaker(changed)
    assert changed
    policy = load_policy()
    public = {p.id for p in policy.permissions.values() if policy.planes[p.id] == "configmgr" and p.bit is not None}
    for role in estate.tables.security_roles.values():
        before = by_hand.tables.security_roles[role.key].permissions
        if before is None or role.built_in:
            continue
        assert role.permissions == before & public
        assert before - public <= role.undecided


def flat_members(folder: Path, data: Data) -> None:
    """Put transitive members in the place of direct ones."""
    book = Book(data)
    listed = [p for p in book.of("groups") if p.record.get("members") is not None]
    for group in listed:
        path = folder / "graph" / "groups" / group.id / "members.json"
        seen: dict[str, Any] = {}
        rows = [group]
        while rows:
            for member in book.find(rows.pop().record.get("members") or ()):
                if member.id not in seen:
                    seen[member.id] = member
                    rows.append(member)
        value = [
            {
                "@odata.type": f"#microsoft.graph.{m.kind}",
                "id": m.id,
                "displayName": m.record.get("name") or m.record["upn"],
            }
            | ({"userPrincipalName": m.record["upn"]} if m.kind == "user" else {})
            for m in seen.values()
        ]
        path.unlink()
        context = "https://graph.microsoft.com/v1.0/$metadata#directoryObjects"
        path.with_name("transitiveMembers.json").write_text(
            json.dumps({"@odata.context": context, "value": value}), "utf-8"
        )


@pytest.mark.parametrize("name", ESTATES)
def test_transitive_members_decide_nothing_wrongly(name: str, tmp_path: Path) -> None:
    data, _ = written(name)
    folder = export(data, tmp_path, Format(write_adminservice))
    flat_members(folder, data)
    assert only_weaker(differences(name, folder))


def nested(tmp_path: Path) -> tuple[Estate, Estate]:
    """The preview of 2020 with its user nested one group deeper: by hand, and with transitive members only."""
    data = two_roles()
    data["groups"] = [
        {"name": "outer", "type": "security", "members": ["inner"]},
        {"name": "inner", "type": "security", "members": ["one@contoso.com"]},
    ]
    data["intune_assignments"][0]["members"] = ["outer"]
    role = {"application": "Configuration Manager Microservice", "role": "Admin User"}
    data["app_roles"] = [{**role, "assigned_to": ["outer"]}]
    data["hierarchies"][0]["version"] = 2006
    data["as_of"] = "2020-08-01"
    folder = export(data, tmp_path, Format(write_adminservice))
    flat_members(folder, data)
    return as_estate(data), permcheck.load(folder)


def test_transitive_members_settle_intune_roles_but_not_app_roles(tmp_path: Path) -> None:
    """A nested group gives the Intune role and not the app role: a flat list does not tell which it is."""
    by_hand, estate = nested(tmp_path)
    ask = Ask("one@contoso.com", "run-cmpivot", "PC-1")
    states = {r.id: str(r.state.value) for r in estate.check(*ask[:3]).requirements}
    before = {r.id: str(r.state.value) for r in by_hand.check(*ask[:3]).requirements}
    app = [id_ for id_ in before if "APP" in id_]
    role = [id_ for id_ in before if "INTUNE" in id_ and "ROLE" in id_]
    assert app
    assert {before[id_] for id_ in app} == {"unmet"}
    assert {states[id_] for id_ in app} == {"unknown"}
    assert {states[id_] for id_ in role} == {before[id_] for id_ in role}


def test_a_user_whose_sync_was_not_asked_for_is_not_cloud_only(tmp_path: Path) -> None:
    """onPremises* comes only with $select; null says cloud-only, an absent key says nothing."""
    folder = export(written("contoso")[0], tmp_path, FORMATS["rest with tiny pages"])
    for path in (folder / "graph").glob("users*.json"):
        edit(path, lambda row: row.pop("onPremisesSyncEnabled", None))
    estate = permcheck.load(folder)
    assert {user.synced for user in estate.tables.users.values()} == {None}
    changed = differences("contoso", folder)
    assert only_weaker(changed)
    assert ("deny", UNKNOWN) in changed
    assert ("allow", UNKNOWN) in changed


@pytest.mark.parametrize(
    "lost",
    [
        "cm-TST/SMS_Admin", "cm-TST/SMS_Role", "cm-TST/SMS_FullCollectionMembership", "cm-TST/SMS_R_User",
        "cm-TST/SMS_Collection", "cm-TST/SMS_Site", "cm-TST/SMS_Secured*", "cm-TST/SMS_Scripts",
        "users*", "groups", "members*", "roleAssignments*", "roleDefinitions*", "appRoleAssignedTo", "getState",
        "subscribedSkus", "directoryRole*", "SMS_Admin", "SMS_Role", "SMS_Collection", "SMS_FullCollectionMembership",
        "SMS_R_User", "SMS_R_UserGroup", "SMS_Site", "SMS_SecuredCategory*", "SMS_Scripts", "SMS_CollectionDependencies",
        "organization", "SMS_CombinedDeviceResources",
    ],
)  # fmt: skip
def test_a_missing_export_never_turns_a_verdict(lost: str, tmp_path: Path) -> None:
    """As long as nobody says by hand that the lists are complete."""
    data = {key: value for key, value in written("contoso")[0].items() if key != "complete"}
    folder = export(data, tmp_path, Format(write_adminservice))
    for path in folder.rglob(f"{lost}.json"):
        path.unlink()
    try:
        estate = permcheck.load(folder)
    except permcheck.LoadError as error:
        assert {problem.id for problem in error.problems} <= {
            "no-hierarchy",
            "unknown-name",
            "conflict",
            "duplicate",
        }, error
        return
    for ask, said in expected("contoso").items():
        after = verdict(estate, ask)
        assert after in {said, UNKNOWN} or "NameError" in after, (ask, said, after)


# --- random estates ----------------------------------------------------------------


SOME = sorted(set(FORMATS) - {"downloads of the admin centers"})


@settings(max_examples=12)
@given(st.one_of(estates(), partial_estates().map(lambda drawn: drawn[0])), st.sampled_from(SOME))
def test_exports_of_any_estate_leave_open_or_agree(data: Data, how: str) -> None:
    """One site to a hierarchy: exports call a hierarchy by the code of its top site."""
    for hierarchy in data["hierarchies"]:
        hierarchy.pop("sites", None)
    by_hand = as_estate(data)
    with tempfile.TemporaryDirectory() as folder:
        estate = permcheck.load(export(data, Path(folder), FORMATS[how]))
    for ask in every_question(data):
        said, after = verdict(by_hand, ask), verdict(estate, ask)
        assert after in {said, UNKNOWN}, ask
