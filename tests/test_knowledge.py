"""What is not known is never taken for a no, and what is granted besides never for a yes: one small estate each."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from permcheck import Estate, State, Verdict, change
from permcheck.errors import LoadError
from strategies import Data, load_dict

ALLOW, DENY, UNDETERMINED = Verdict.ALLOW, Verdict.DENY, Verdict.UNDETERMINED
USER = "u@contoso.com"
WHOLE: Data = {
    "complete": True,
    "assume": ["SITE-*", "DEV-*", "IDENT-UPN", "CLOUD*", "GEO", "LICENCE", "USER-ENABLED"],
    "tenant": {"use_intune_rbac": "Off", "cloud": "public", "scoped_permissions": "merged", "entra_premium": True},
    "hierarchies": [
        {"id": "P01", "version": 2211, "enforce_configmgr_rbac": "checked", "tenant_attached": True, "upload": "all"}
    ],
    "users": [
        {
            "upn": USER,
            "synced": True,
            "discovered_by": ["entra", "ad"],
            "sid": "S-1-5-21-1",
            "account": "CONTOSO\\u",
        }
    ],
    "groups": [
        {"name": "G", "type": "security", "sid": "S-1-5-21-2", "account": "CONTOSO\\G", "members": [USER]},
        {"name": "M", "type": "microsoft-365", "members": [USER]},
    ],
    "intune_assignments": [{"name": "I", "role": "Help Desk Operator", "members": ["G"], "scope_tags": []}],
    "collections": [
        {"id": "SMS00001", "name": "All Systems"},
        {"id": "C1", "name": "Workstations", "limited_to": "All Systems"},
        {"id": "SMS00004", "name": "All Users and User Groups", "kind": "user"},
        {"id": "UC1", "name": "People", "kind": "user", "limited_to": "SMS00004"},
    ],
    "security_roles": [
        {
            "name": "Operator",
            "permissions": {"Collection": ["Read", "Read Resource", "Run Script"], "Application": ["Read", "Approve"]},
        }
    ],
    "administrative_users": [
        {"name": "CONTOSO\\G", "assignments": [{"role": "Operator", "scopes": ["Default"], "collections": ["C1"]}]}
    ],
    "applications": [{"name": "App", "scopes": ["Default"], "deployed_to": ["UC1"]}],
    "devices": [{"name": "PC-1", "collections": ["C1"], "management": "configmgr"}],
}


def changed(**changes: Any) -> Estate:
    """Load the whole estate with other sections."""
    return load_dict({**deepcopy(WHOLE), **changes})


def without(section: str, index: int, *keys: str) -> Estate:
    """Load the whole estate without some facts of a record."""
    data = deepcopy(WHOLE)
    for key in keys:
        del data[section][index][key]
    return load_dict(data)


def state(estate: Estate, requirement: str, action: str = "run-cmpivot", **asked: Any) -> State:
    """State of a requirement, where it counts."""
    decision = estate.check(USER, action, "PC-1", **asked)
    return next(r.state for r in decision.requirements if r.counts and r.id.partition(":")[0] == requirement)


def test_the_whole_estate_allows() -> None:
    assert changed().verdict(USER, "run-cmpivot", "PC-1") is ALLOW


@pytest.mark.parametrize("section", ["administrative_users", "intune_assignments"])
@pytest.mark.parametrize("reading", ["separate", "one-collection"])
def test_an_incomplete_list_may_hold_what_is_needed(section: str, reading: str) -> None:
    """A list that is known to lack entries proves nothing by what it lacks."""
    readings = {"permissions-through-collections": reading}
    estate = changed(**{section: [], "incomplete": [section], "readings": readings})
    assert estate.verdict(USER, "run-cmpivot", "PC-1") is UNDETERMINED


@pytest.mark.parametrize(
    ("section", "record"),
    [
        ("intune_assignments", {"name": "I", "role": "Help Desk Operator", "scope_tags": []}),
        ("entra_roles", {"role": "Intune Administrator"}),
    ],
)
def test_holders_that_are_not_stated_may_be_anybody(section: str, record: Data) -> None:
    """A role whose holders nobody listed may be held by the person."""
    estate = changed(**{"intune_assignments": [], section: [record]})
    assert estate.verdict(USER, "run-cmpivot", "PC-1") is UNDETERMINED
    assert state(estate, "INTUNE-ROLE") is State.UNKNOWN


@pytest.mark.parametrize("known", ["sid", "account", None])
def test_an_account_may_be_an_administrative_user_by_the_name_that_is_not_stated(known: str | None) -> None:
    """An administrative user known by name only, and a group known by SID only, may be the same."""
    keys = tuple({"sid", "account"} - {known})
    expected = ALLOW if known == "account" else UNDETERMINED
    assert without("groups", 0, *keys).verdict(USER, "run-cmpivot", "PC-1") is expected


@pytest.mark.parametrize("known", ["sid", "account", None])
def test_a_user_may_be_an_administrative_user_by_the_name_that_is_not_stated(known: str | None) -> None:
    data = deepcopy(WHOLE)
    data["administrative_users"][0]["name"] = "CONTOSO\\u"
    for key in {"sid", "account"} - {known}:
        del data["users"][0][key]
    expected = ALLOW if known == "account" else UNDETERMINED
    assert load_dict(data).verdict(USER, "run-cmpivot", "PC-1") is expected


def test_a_group_of_unknown_type_beside_one_of_the_wrong_type() -> None:
    """Of two ways to a role, one that is lost and one that may hold leave it open."""
    data = deepcopy(WHOLE)
    del data["groups"][0]["type"]
    data["intune_assignments"][0]["members"] = ["G", "M"]
    assert load_dict(data).verdict(USER, "run-cmpivot", "PC-1") is UNDETERMINED


def test_a_directory_role_is_not_lost_through_a_group_of_the_wrong_type() -> None:
    """A group of the wrong type loses its own assignment, nothing else."""
    lost = [{"name": "I", "role": "Help Desk Operator", "members": ["M"], "scope_tags": []}]
    assert changed(intune_assignments=lost).verdict(USER, "run-cmpivot", "PC-1") is DENY
    holder = [{"role": "Intune Administrator", "members": [USER]}]
    assert changed(intune_assignments=lost, entra_roles=holder).verdict(USER, "run-cmpivot", "PC-1") is ALLOW


def test_a_directory_role_without_rights_in_intune_bypasses_nothing() -> None:
    """Only directory roles with rights in Intune see past scope tags."""
    tagged = [{"name": "I", "role": "Help Desk Operator", "members": ["G"], "scope_tags": ["Seattle"]}]
    for role, expected in (
        ("Application Administrator", DENY),
        ("Reports Reader", DENY),
        ("Global Administrator", ALLOW),
    ):
        estate = changed(intune_assignments=tagged, entra_roles=[{"role": role, "members": [USER]}])
        assert estate.verdict(USER, "run-cmpivot", "PC-1") is expected, role


def test_a_directory_role_without_rights_in_intune_replaces_no_licence() -> None:
    """Where unlicensed administrators are allowed, only direct members of the role's group get the role."""
    data = deepcopy(WHOLE)
    data["assume"].remove("LICENCE")
    data["tenant"]["unlicensed_admins"] = True
    data["users"][0]["licensed"] = False
    assert load_dict(data).verdict(USER, "run-cmpivot", "PC-1") is ALLOW
    data["groups"].append({"name": "Outer", "type": "security", "members": ["G"]})
    data["intune_assignments"][0]["members"] = ["Outer"]
    assert load_dict(data).verdict(USER, "run-cmpivot", "PC-1") is DENY
    data["entra_roles"] = [{"role": "Reports Reader", "members": [USER]}]
    assert load_dict(data).verdict(USER, "run-cmpivot", "PC-1") is DENY


def test_a_nested_directory_role_leaves_open_what_it_would_bypass() -> None:
    """No document says what nesting does to a directory role: it may bypass scope tags."""
    data = deepcopy(WHOLE)
    data["groups"].append({"name": "Outer", "type": "security", "members": ["G"]})
    data["intune_assignments"][0]["scope_tags"] = ["Seattle"]
    data["entra_roles"] = [{"role": "Intune Administrator", "members": ["Outer"]}]
    assert load_dict(data).verdict(USER, "run-cmpivot", "PC-1") is UNDETERMINED


def test_unknown_assignments_may_carry_tags() -> None:
    """Without any tag one sees everything; a tagged assignment that is not listed would end that."""
    estate = changed(incomplete=["intune_assignments"])
    assert state(estate, "INTUNE-SCOPETAG") is State.UNKNOWN
    assert estate.verdict(USER, "run-cmpivot", "PC-1") is UNDETERMINED
    tagged = [{"name": "I", "role": "Help Desk Operator", "members": ["G"], "scope_tags": ["Default"]}]
    sure = changed(intune_assignments=tagged, incomplete=["intune_assignments"])
    assert state(sure, "INTUNE-SCOPETAG") is State.MET


def test_the_proof_of_what_is_seen_names_the_assignment_that_shows_it() -> None:
    """One assignment gives the permission, another the tag: the allow needs both, and ends without either."""
    assignments = [
        {"name": "I", "role": "Help Desk Operator", "members": ["G"], "scope_tags": ["Seattle"]},
        {"name": "J", "role": "Read Only Operator", "members": ["G"], "scope_tags": ["Default"]},
    ]
    estate = changed(intune_assignments=assignments)
    estate = estate.with_settings(readings={"intune-role-under-configmgr": "page-permission"})
    decision = estate.check(USER, "run-cmpivot", "PC-1")
    assert decision.verdict is ALLOW
    edges = {step.edge for proof in decision.paths for step in proof.steps if step.edge}
    assert {edge[3] for edge in edges if edge[0] == "assigned"} == {"i", "j"}
    for revocation in decision.revocations:
        assert estate.with_changes(*revocation.changes).verdict(USER, "run-cmpivot", "PC-1") is not ALLOW


def test_all_users_is_limited_to_nothing() -> None:
    """All Users and User Groups is built in: nothing above it is unknown."""
    estate = changed()
    assert state(estate, "CM-COLL-USER-READ", "take-application-action", object="App") is State.UNMET


def test_a_fix_that_changes_the_edition_asks_for_nothing_of_the_old_one() -> None:
    """An upgrade brings newer pages: what only the older ones or a reading asked for is not part of the fix."""
    data = deepcopy(WHOLE)
    data["hierarchies"][0] |= {"version": 2002, "enforce_configmgr_rbac": "cleared", "updates": ["KB4560496"]}
    estate = load_dict(data)
    decision = estate.check(USER, "take-application-action", "PC-1")
    assert decision.verdict is DENY
    for fix in decision.fixes:
        for index in range(len(fix.changes)):
            fewer = fix.changes[:index] + fix.changes[index + 1 :]
            assert estate.with_changes(*fewer).verdict(USER, "take-application-action", "PC-1") is not ALLOW, fix.texts


def test_a_licence_that_only_a_direct_member_can_do_without_is_proved_by_that_membership() -> None:
    """Without a licence the direct way to a role is needed: taking it away ends the allow, and the proof names it."""
    data = deepcopy(WHOLE)
    data["assume"].remove("LICENCE")
    data["tenant"]["unlicensed_admins"] = True
    data["users"][0]["licensed"] = False
    data["groups"].append({"name": "Outer", "type": "security", "members": ["G"]})
    nested = {"name": "J", "role": "Help Desk Operator", "members": ["Outer"], "scope_tags": []}
    data["intune_assignments"].append(nested)
    estate = load_dict(data)
    decision = estate.check(USER, "run-cmpivot", "PC-1")
    assert decision.verdict is ALLOW
    removal = change.RemoveGrant("intune_assignments", "i", "group", "g")
    assert estate.with_changes(removal).verdict(USER, "run-cmpivot", "PC-1") is DENY
    assert (removal,) in {revocation.changes for revocation in decision.revocations}


def test_a_directory_role_through_a_nested_group_leaves_the_scope_tags_open_and_says_so() -> None:
    """Whether nesting passes a directory role on is not documented: the answer is open, and names that."""
    data = deepcopy(WHOLE)
    data["groups"].append({"name": "Outer", "type": "security", "members": ["G"]})
    data["entra_roles"] = [{"role": "Global Administrator", "members": ["Outer"]}]
    data["intune_assignments"] = [
        {"name": "I", "role": "Help Desk Operator", "members": ["G"], "scope_tags": ["Seattle"]}
    ]
    decision = load_dict(data).check(USER, "run-cmpivot", "PC-1")
    assert decision.verdict is UNDETERMINED
    assert "documents" in {one.fact for one in decision.missing}


# --- what is not told of a person, a group or an assignment -------------------------------------------------------------


def test_rights_on_premises_are_open_while_nobody_told_whether_the_account_is_synced() -> None:
    assert changed().verdict(USER, "read-collections", "PC-1") is ALLOW
    open_ = without("users", 0, "synced")
    assert open_.verdict(USER, "read-collections", "PC-1") is UNDETERMINED
    assert any(one.fact == f"user[{USER}].synced" for one in open_.check(USER, "read-collections", "PC-1").missing)


def test_lists_of_administrative_users_matter_to_whoever_may_be_synced() -> None:
    """Only an account that is known to be cloud-only is in no such list."""
    lists = {"administrative_users": [], "incomplete": ["administrative_users"]}
    for synced, found in ((True, UNDETERMINED), (None, UNDETERMINED), (False, DENY)):
        user = {**WHOLE["users"][0], "synced": synced}
        assert changed(users=[user], **lists).verdict(USER, "read-collections", "PC-1") is found


@pytest.mark.parametrize("key", ["collections", "scopes"])
def test_an_assignment_without_a_list_may_be_for_everything(key: str) -> None:
    data = deepcopy(WHOLE)
    data["scripts"] = [{"name": "X", "scopes": ["Default"], "approved": True, "parameters": False}]
    data["security_roles"][0]["permissions"] |= {"Site": ["Read"], "SMS Scripts": ["Read"]}
    del data["administrative_users"][0]["assignments"][0][key]
    decision = load_dict(data).check(USER, "run-script-console", "PC-1", object="X")
    assert decision.verdict is UNDETERMINED
    assert any(one.fact.endswith(f"assignments[].{key}") for one in decision.missing)
    data["administrative_users"][0]["assignments"][0][key] = []
    assert load_dict(data).verdict(USER, "run-script-console", "PC-1", object="X") is DENY


@pytest.mark.parametrize(
    ("members", "found"),
    [
        ({"members": [USER]}, ALLOW),
        ({"all_members": [USER]}, UNDETERMINED),
        ({"members": ["N"]}, DENY),
        ({"members": ["N"], "members_incomplete": True}, UNDETERMINED),
        ({"members": [], "members_incomplete": True, "all_members": [USER]}, UNDETERMINED),
    ],
)
def test_whether_a_membership_is_direct_counts_where_nesting_passes_nothing_on(members: Data, found: Verdict) -> None:
    """The app role reaches direct members of a group only; who is nested for certain may be a direct member as well."""
    data = deepcopy(WHOLE)
    data["hierarchies"][0]["version"] = 2006
    data["assume"] += ["DISCOVERY", "CM-*", "INTUNE-*"]
    data["groups"] = [
        {"name": "A", "type": "security", **members},
        {"name": "N", "type": "security", "members": [USER]},
    ]
    data["intune_assignments"] = []
    data["app_roles"] = [
        {"application": "Configuration Manager Microservice", "role": "Admin User", "assigned_to": ["A"]}
    ]
    estate = load_dict(data)
    expected = {ALLOW: State.MET, DENY: State.UNMET, UNDETERMINED: State.UNKNOWN}[found]
    assert state(estate, "ENTRA-APPROLE") is expected


def test_a_upn_is_not_empty_because_a_list_that_may_lack_it_does() -> None:
    """Nobody whom Active Directory discovery did not find has a UPN that it found, if all methods are told."""
    data = {**deepcopy(WHOLE), "assume": [one for one in WHOLE["assume"] if one != "IDENT-UPN"]}
    data["users"][0]["discovered_by"] = ["entra"]
    assert state(load_dict(data), "IDENT-UPN") is State.MET
    data["users"][0]["discovery_incomplete"] = True
    assert state(load_dict(data), "IDENT-UPN") is State.UNKNOWN
    data["users"][0] |= {"discovered_by": ["ad"], "discovery_incomplete": False}
    assert state(load_dict(data), "IDENT-UPN") is State.UNKNOWN


def test_a_circle_of_groups_is_a_warning_and_ends() -> None:
    """Active Directory has them: who is in one of the groups is in all."""
    data = deepcopy(WHOLE)
    data["groups"][0]["members"] = ["N"]
    data["groups"] += [{"name": "N", "type": "security", "members": ["G", USER]}]
    estate = load_dict(data)
    assert [(one.id, one.severity) for one in estate.warnings] == [("circle", "warning")]
    assert estate.verdict(USER, "run-cmpivot", "PC-1") is ALLOW
    assert [row.verdict for row in estate.review([USER], ["run-cmpivot"]).rows()] == [ALLOW]


def test_what_a_grant_hides_is_taken_away_with_it() -> None:
    """Without the assignment that has a tag, the one that has none shows everything: both memberships have to go."""
    data = deepcopy(WHOLE)
    data["tenant"]["use_intune_rbac"], data["hierarchies"][0]["enforce_configmgr_rbac"] = "On", "cleared"
    data["groups"] = [{"name": name, "type": "security", "members": [USER]} for name in ("G1", "G3")]
    data["administrative_users"] = []
    data["intune_assignments"] = [
        {"name": "A0", "role": "Help Desk Operator", "members": ["G1", "G3"], "scope_tags": []},
        {"name": "A1", "role": "Application Manager", "members": ["G1"], "scope_tags": ["Default"]},
    ]
    decision = load_dict(data).check(USER, "run-cmpivot", "PC-1")
    assert decision.verdict is ALLOW
    both = {change.RemoveMember("g1", USER), change.RemoveMember("g3", USER)}
    assert both in [set(one.changes) for one in decision.revocations]


def test_a_collection_is_of_the_kind_that_is_told_above_it() -> None:
    data = deepcopy(WHOLE)
    for record in data["collections"]:
        record.pop("kind", None)
    kinds = {form.id: form.kind for form in load_dict(data).tables.collections.values()}
    assert kinds == {"SMS00001": "device", "C1": "device", "SMS00004": "user", "UC1": "user"}
    for record in data["collections"]:
        record.pop("limited_to", None)
    kinds = {form.id: form.kind for form in load_dict(data).tables.collections.values()}
    assert kinds == {"SMS00001": "device", "C1": "device", "SMS00004": "user", "UC1": None}


def test_tags_of_a_role_itself_play_no_part_and_a_note_says_so() -> None:
    """The tags of a role definition say who may edit it; those of its assignments say what is seen."""
    tagged = {"name": "Desk", "permissions": ["Cloud attached devices\\Run CMPivot query"], "scope_tags": ["Floor"]}
    untagged = {**tagged, "scope_tags": []}
    for tags, verdict in ((["Default"], ALLOW), (["Floor"], DENY)):
        assignment = {"name": "I", "role": "Desk", "members": ["G"], "scope_tags": tags}
        decisions = [
            changed(
                tenant={**WHOLE["tenant"], "use_intune_rbac": "On"},
                hierarchies=[{**WHOLE["hierarchies"][0], "enforce_configmgr_rbac": "cleared"}],
                scope_tags=[{"id": "1", "name": "Floor"}],
                intune_roles=[role],
                intune_assignments=[assignment],
            ).check(USER, "run-cmpivot", "PC-1")
            for role in (tagged, untagged)
        ]
        assert [decision.verdict for decision in decisions] == [verdict, verdict]
        note = "the scope tags of the Intune role Desk play no part: those of its assignments count"
        assert [note in decision.notes for decision in decisions] == [True, False]


def test_a_tag_of_a_role_that_is_not_there_is_a_mistake() -> None:
    role = {"name": "Desk", "permissions": [], "scope_tags": ["Flor"]}
    with pytest.raises(LoadError, match="Flor"):
        changed(scope_tags=[{"id": "1", "name": "Floor"}], intune_roles=[role])


@pytest.mark.parametrize("unit_members", [[USER], ["G"]])
def test_a_directory_role_within_a_unit_is_never_one_of_the_whole_tenant(unit_members: list[str]) -> None:
    """No document says what it gives in Intune: open, and a role of the whole tenant besides still counts."""
    role: Data = {"role": "Intune Administrator", "members": [], "unit_members": unit_members}
    cloud: Data = {
        "tenant": {**WHOLE["tenant"], "use_intune_rbac": "On"},
        "hierarchies": [{**WHOLE["hierarchies"][0], "enforce_configmgr_rbac": "cleared"}],
        "intune_assignments": [],
        "users": [*WHOLE["users"], {"upn": "other@contoso.com", "synced": True}],
    }
    assert changed(**cloud, entra_roles=[]).verdict(USER, "run-cmpivot", "PC-1") is DENY
    within = changed(**cloud, entra_roles=[role])
    decision = within.check(USER, "run-cmpivot", "PC-1")
    assert decision.verdict is UNDETERMINED
    assert "entra_roles[intune administrator].unit_members" in {one.fact for one in decision.missing}
    assert within.verdict("other@contoso.com", "run-cmpivot", "PC-1") is DENY
    whole = changed(**cloud, entra_roles=[{**role, "members": [USER]}])
    everywhere = changed(**cloud, entra_roles=[{**role, "members": [USER], "unit_members": []}])
    assert whole.verdict(USER, "run-cmpivot", "PC-1") is everywhere.verdict(USER, "run-cmpivot", "PC-1")
    kind = "user" if USER in unit_members else "group"
    gone = change.RemoveGrant("entra_roles", "intune administrator", kind, unit_members[0].casefold())
    removed = within.with_changes(gone)
    assert removed.verdict(USER, "run-cmpivot", "PC-1") is DENY
