"""What an export marks as deleted or removed is not there, and what refers to it gets nothing from it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from exported import ids, imported, put, records
from permcheck.exports.report import report
from permcheck.loading.policy import load_policy

ANNA, BERT, OPS, EU = (f"00000000-0000-0000-0000-00000000000{n}" for n in range(1, 5))
WHEN = "2026-07-01T00:00:00Z"
USERS = [
    {"id": ANNA, "userPrincipalName": "anna@contoso.com", "accountEnabled": True},
    {"id": BERT, "userPrincipalName": "bert@contoso.com", "accountEnabled": True},
]
GROUPS = [
    {"id": OPS, "displayName": "SG-Ops", "securityEnabled": True, "mailEnabled": False, "groupTypes": []},
    {"id": EU, "displayName": "SG-EU", "securityEnabled": True, "mailEnabled": False, "groupTypes": []},
]
ROLE = {"id": "9e0cc482-82df-4ab2-a24c-0c23a3f52e1e"}


def listed(context: str, *rows: Any) -> dict[str, Any]:
    return {"@odata.context": f"#{context}", "value": list(rows)}


@pytest.mark.parametrize(
    "mark",
    [
        {"deletedDateTime": WHEN},
        {"DeletedDateTime": {"value": "/Date(1782864000000)/"}},
        {"@removed": {"reason": "changed"}},
        {"AdditionalProperties": {"@removed": {"reason": "deleted"}}},
        {"Soft deletion time stamp": WHEN},
        {"IsDeleted": "True"},
        {"isDeleted": 1},
    ],
)
def test_an_entry_that_is_marked_is_left_out_and_named(mark: dict[str, Any], tmp_path: Path) -> None:
    found = imported(put(tmp_path, users=listed("users", USERS[0] | mark, USERS[1])))
    assert [record["upn"] for record in records(found, "users")] == ["bert@contoso.com"]
    assert any("users: what is marked" in note and "anna@" in note for note in report(found, load_policy()).notes)


@pytest.mark.parametrize(
    "mark",
    [{"deletedDateTime": None}, {"deletedDateTime": ""}, {"@removed": None}, {"IsDeleted": False}, {"IsDeleted": "0"}],
)
def test_a_mark_that_says_no_is_none(mark: dict[str, Any], tmp_path: Path) -> None:
    found = imported(put(tmp_path, users=listed("users", USERS[0] | mark)))
    assert [record["upn"] for record in records(found, "users")] == ["anna@contoso.com"]
    assert found.joined.scalars["incomplete"] == ()


@pytest.mark.parametrize("mark", [{"IsDeleted": "maybe"}, {"IsDeleted": True, "isDeleted": False}])
def test_a_mark_that_cant_be_read_leaves_the_list_open(mark: dict[str, Any], tmp_path: Path) -> None:
    found = imported(put(tmp_path, users=listed("users", USERS[0] | mark, USERS[1])))
    assert [record["upn"] for record in records(found, "users")] == ["bert@contoso.com"]
    assert "users" in found.joined.scalars["incomplete"]


def test_a_reference_to_somebody_who_was_deleted_gives_nothing(tmp_path: Path) -> None:
    found = imported(
        put(
            tmp_path,
            users=listed("users", USERS[0] | {"deletedDateTime": WHEN}, USERS[1]),
            groups=listed("groups", GROUPS[0], GROUPS[1] | {"deletedDateTime": WHEN}),
            members=listed(
                "groups/members", {"groupId": OPS, "members": [ANNA, BERT, EU]}, {"groupId": EU, "members": []}
            ),
            assignments=listed(
                "deviceManagement/roleAssignments",
                {
                    "id": ANNA,
                    "displayName": "A",
                    "members": [OPS, EU],
                    "scopeType": "allDevices",
                    "roleDefinition": ROLE,
                },
            ),
        )
    )
    assert [(group["name"], group["members"]) for group in records(found, "groups")] == [
        ("SG-Ops", ("bert@contoso.com",))
    ]
    assert records(found, "intune_assignments")[0]["members"] == ("SG-Ops",)
    assert "members_incomplete" not in records(found, "groups")[0]
    assert [record["upn"] for record in records(found, "users")] == ["bert@contoso.com"]


def test_a_list_with_removed_members_is_one_of_changes(tmp_path: Path) -> None:
    gone = {"id": ANNA, "@removed": {"reason": "deleted"}}
    lists = {"users": listed("users", *USERS), "groups": listed("groups", GROUPS[0])}
    members = listed("groups/members", {"groupId": OPS, "members": [gone, {"id": BERT}]})
    group = records(imported(put(tmp_path, **lists, members=members)), "groups")[0]
    assert (group["members"], group["members_incomplete"]) == (("bert@contoso.com",), True)


def test_a_member_whose_mark_cant_be_read_leaves_the_list_open(tmp_path: Path) -> None:
    member = {"id": ANNA, "IsDeleted": "maybe"}
    lists = {"users": listed("users", *USERS), "groups": listed("groups", GROUPS[0])}
    members = listed("groups/members", {"groupId": OPS, "members": [member]})
    group = records(imported(put(tmp_path, **lists, members=members)), "groups")[0]
    assert (group["members"], group["members_incomplete"]) == ((), True)


@pytest.mark.parametrize("living", ["users", "hand"])
def test_who_is_deleted_here_and_living_there_is_told(living: str, tmp_path: Path) -> None:
    put(tmp_path, gone=listed("directory/deletedItems/microsoft.graph.user", USERS[0]), users=listed("users", USERS[1]))
    if living == "users":
        put(tmp_path, users=listed("users", *USERS))
    else:
        (tmp_path / "my.yaml").write_text(f"users:\n- {{upn: anna@contoso.com, id: {ANNA}}}\n", "utf-8")
    assert "conflict" in ids(imported(tmp_path))


def test_a_list_of_deleted_users_is_no_list_of_users(tmp_path: Path) -> None:
    found = imported(put(tmp_path, gone=listed("directory/deletedItems/microsoft.graph.user", *USERS)))
    assert "graph.users" not in found.gathered.read
    assert records(found, "users") == []


def test_somebody_new_may_have_the_name_of_who_was_deleted(tmp_path: Path) -> None:
    again = {"id": BERT, "userPrincipalName": "anna@contoso.com", "accountEnabled": True}
    found = imported(
        put(
            tmp_path,
            users=listed("users", USERS[0] | {"deletedDateTime": WHEN}, again),
            groups=listed("groups", GROUPS[0]),
            members=listed("groups/members", {"groupId": OPS, "members": ["anna@contoso.com", ANNA]}),
        )
    )
    assert [record["id"] for record in records(found, "users")] == [BERT]
    assert records(found, "groups")[0]["members"] == ("anna@contoso.com",)


@pytest.mark.parametrize("status", ["Revoked", "canceled", "Provisioned", None])
def test_an_eligibility_that_was_revoked_is_none(status: str | None, tmp_path: Path) -> None:
    row = {"groupId": OPS, "principalId": ANNA, "accessId": "member", "status": status}
    lists = {"users": listed("users", *USERS), "groups": listed("groups", GROUPS[0])}
    context = "identityGovernance/privilegedAccess/group/eligibilitySchedules"
    group = records(imported(put(tmp_path, **lists, eligible=listed(context, row))), "groups")[0]
    assert ("eligible" in group) is (status in {"Provisioned", None})
