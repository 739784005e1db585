"""What people write beside exports completes them: where a whole list was exported, it must agree, or is refused."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from exported import EXAMPLES, ids, imported

EXPORTS: Final = EXAMPLES / "exports"
FACTS: Final = "facts.yaml"
HELP_DESK: Final = "SG-Intune-HelpDesk"


def with_facts(folder: Path, more: str) -> Path:
    """Copy the example, with further facts that people wrote."""
    shutil.copytree(EXPORTS, folder, dirs_exist_ok=True)
    data = yaml.safe_load((folder / FACTS).read_text("utf-8"))
    for section, rows in yaml.safe_load(more).items():
        data[section] = [*data.get(section, []), *rows] if isinstance(data.get(section), list) else rows
    (folder / FACTS).write_text(yaml.safe_dump(data), "utf-8")
    return folder


def change(folder: Path, name: str, index: int, **fields: Any) -> None:
    """Change one entry of an export."""
    data = json.loads((folder / name).read_text("utf-8"))
    data["value"][index] |= fields
    (folder / name).write_text(json.dumps(data), "utf-8")


AGREE: Final[dict[str, str]] = {
    "members": "groups: [{name: SG-Intune-HelpDesk, members: [helpdesk@contoso.com, cloud-helpdesk@contoso.com]}]",
    "some members": "groups: [{name: SG-Intune-HelpDesk, members: [helpdesk@contoso.com], members_incomplete: true}]",
    "all members": "groups: [{name: SG-Intune-HelpDesk, all_members: [helpdesk@contoso.com, cloud-helpdesk@contoso.com]}]",
    "a group of Active Directory": "groups: [{name: Local, type: security, members: [helpdesk@contoso.com]}]",
    "a person of Active Directory": "users: [{upn: local@contoso.com, account: CONTOSO\\local}]",
    "a built-in role": "security_roles: [{hierarchy: PRD, name: Full Administrator, id: SMS0001R, permissions: {}}]",
    "a built-in tag": "scope_tags: [{id: '0', name: Default}]",
    "a built-in scope": "security_scopes: [{hierarchy: PRD, id: SMS00UNA, name: Default}]",
    "nobody has a role": "entra_roles: [{role: Global Administrator, members: []}]",
    "collections by name": "devices: [{hierarchy: PRD, resource_id: 16778242, name: PC-1042,"
    " collections: [All Workstations, PRD00011]}]",
    "a further device of another hierarchy": "hierarchies: [{id: TST}]\ndevices: [{hierarchy: TST, name: PC-1}]",
    "what people say is not whole": "incomplete: [scripts]\nscripts: [{hierarchy: PRD, name: Mine}]",
}
DIFFER: Final[dict[str, str]] = {
    "other members": "groups: [{name: SG-Intune-HelpDesk, members: [on-call@contoso.com]}]",
    "a member too many": "groups: [{name: SG-Intune-HelpDesk, members: [helpdesk@contoso.com,"
    " cloud-helpdesk@contoso.com, on-call@contoso.com]}]",
    "a member too few": "groups: [{name: SG-Intune-HelpDesk, members: [helpdesk@contoso.com]}]",
    "some members, of which one is none": "groups: [{name: SG-Intune-HelpDesk, members: [on-call@contoso.com],"
    " members_incomplete: true}]",
    "others of all members": "groups: [{name: SG-Intune-HelpDesk, all_members: [on-call@contoso.com]}]",
    "more of all members": "groups: [{name: SG-Intune-HelpDesk, all_members: [helpdesk@contoso.com,"
    " cloud-helpdesk@contoso.com, on-call@contoso.com]}]",
    "a directory role that nobody holds": "entra_roles: [{role: Global Administrator, members: [on-call@contoso.com]}]",
    "the same by its id": "entra_roles: [{role: 62e90394-69f5-4237-9190-012177145e10, members: [on-call@contoso.com]}]",
    "an app role that nobody has": "app_roles: [{application: Configuration Manager Microservice, role: Admin User,"
    " assigned_to: [on-call@contoso.com]}]",
    "an assignment": "intune_assignments: [{name: more, role: Help Desk Operator, members: [SG-Intune-HelpDesk]}]",
    "a role": "intune_roles: [{name: more, permissions: []}]",
    "a group of the cloud": "groups: [{name: more, id: 00000000-0000-4000-8000-000000000001, members: []}]",
    "a person of the cloud": "users: [{upn: more@contoso.com, id: 00000000-0000-4000-8000-000000000001}]",
    "an administrative user": "administrative_users: [{hierarchy: PRD, name: CONTOSO\\more, assignments: []}]",
    "a security role": "security_roles: [{hierarchy: PRD, name: more, permissions: {}}]",
    "a collection": "collections: [{hierarchy: PRD, id: PRD00099, name: more}]",
    "a script": "scripts: [{hierarchy: PRD, name: more}]",
    "a device": "devices: [{hierarchy: PRD, name: more}]",
    "a tag": "scope_tags: [{id: '99', name: more}]",
    "a scope": "security_scopes: [{hierarchy: PRD, id: PRD00999, name: more}]",
    "other collections of a device": "devices: [{hierarchy: PRD, resource_id: 16779007, name: SRV-0007,"
    " collections: [All Workstations]}]",
    "other members of a collection": "collections: [{hierarchy: PRD, id: PRD00010, name: All Workstations,"
    " members: [SRV-0007]}]",
    "other scopes of a script": "scripts: [{hierarchy: PRD, name: Set proxy, scopes: [Benelux]}]",
    "other eligible members": "groups: [{name: SG-Intune-HelpDesk, eligible: [helpdesk@contoso.com]}]",
}


@pytest.mark.parametrize("facts", AGREE)
def test_what_agrees_with_whole_lists_or_is_in_none_of_them_is_read(facts: str, tmp_path: Path) -> None:
    assert ids(imported(with_facts(tmp_path, AGREE[facts]))) == []


@pytest.mark.parametrize("facts", DIFFER)
def test_what_a_whole_list_contradicts_is_refused_with_both_places(facts: str, tmp_path: Path) -> None:
    found = imported(with_facts(tmp_path, DIFFER[facts]))
    conflicts = [one for one in found.joined.problems if one.id == "conflict"]
    assert conflicts
    for one in conflicts:
        both = one.file + one.message
        assert FACTS in both
        assert ".json" in both


def test_a_list_that_lacks_pages_contradicts_only_who_is_left_out(tmp_path: Path) -> None:
    """Who is in it is a member, and somebody else may be."""
    more = "groups: [{name: SG-Intune-HelpDesk, members: [%s]}]"
    two = "helpdesk@contoso.com, cloud-helpdesk@contoso.com"
    for people, told in ((f"{two}, on-call@contoso.com", []), ("helpdesk@contoso.com", ["conflict"])):
        folder = with_facts(tmp_path / str(len(people)), more % people)
        data = json.loads((folder / "members.json").read_text("utf-8"))
        (folder / "members.json").write_text(
            json.dumps(data | {"@odata.nextLink": "https://x/y?$skiptoken=1"}), "utf-8"
        )
        found = ids(imported(folder))
        assert [id_ for id_ in found if id_ != "missing-pages"] == told


@pytest.mark.parametrize(
    ("pair", "told"),
    [
        ("role: Help Desk CMPivot, scopes: [Default], collections: [All Workstations]", []),
        ("role: PRD00001, scopes: [SMS00UNA], collections: [PRD00010]", []),
        ("role: Full Administrator, scopes: [Default], collections: [All Workstations]", ["conflict"]),
        ("role: Help Desk CMPivot, scopes: [All], collections: [All Workstations]", ["conflict"]),
        ("role: Help Desk CMPivot, scopes: [Default], collections: [All Systems]", ["conflict"]),
    ],
)
def test_pairs_that_people_wrote_are_those_of_the_flat_lists(pair: str, told: list[str], tmp_path: Path) -> None:
    """Where an export does not tell which role goes with what, people may; of other roles they may not."""
    text = f"administrative_users: [{{hierarchy: PRD, name: CONTOSO\\AD-CM-CMPivot, assignments: [{{{pair}}}]}}]"
    folder = with_facts(tmp_path, text)
    change(folder, "SMS_Admin.json", 0, Permissions=[])
    assert ids(imported(folder)) == told


def test_who_is_in_no_list_of_discovered_users_was_not_discovered(tmp_path: Path) -> None:
    for discovered, told in (("[]", []), ("[ad]", ["conflict"])):
        folder = with_facts(
            tmp_path / str(len(told)), f"users: [{{upn: on-call@contoso.com, discovered_by: {discovered}}}]"
        )
        data = json.loads((folder / "SMS_R_User.json").read_text("utf-8"))
        data["value"] = [row for row in data["value"] if "on-call" not in row["UniqueUserName"]]
        (folder / "SMS_R_User.json").write_text(json.dumps(data), "utf-8")
        assert ids(imported(folder)) == told
