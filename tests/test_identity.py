"""Who is who: ids identify, a name finds one thing or none, and what only looks alike is told.

Each test is a kind of mistake by which a name was once taken for an identity.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from permcheck.api import Estate
from permcheck.errors import LoadError, Problem
from permcheck.graph.identity import is_account
from permcheck.model.estate import AdministrativeUser, User
from permcheck.model.fold import code_points, fold_case, is_identity, skeleton
from permcheck.model.state import MET, UNKNOWN, UNMET, State, Verdict
from strategies import Data, load_dict

ANNA, EVE = "anna@contoso.com", "eve@contoso.com"
SID, OTHER_SID, CLOUD_SID = "S-1-5-21-1-2-3-1001", "S-1-5-21-1-2-3-1099", "S-1-12-1-1-2-3-4"
READ_ONLY = {"Collection": ["Read"]}
PIVOT = {"Collection": ["Read", "Read Resource", "Run CMPivot"]}
SCRIPTS = {"Collection": [*PIVOT["Collection"], "Run Script"], "SMS Scripts": ["Read"], "Site": ["Read"]}
CLEAR: dict[str, Any] = {"name": "Clear", "approved": True, "parameters": False, "scopes": ["Default"]}


def guid(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012}"


def user(name: str, number: int, **more: Any) -> Data:
    """A healthy synced account."""
    account = {"id": guid(number), "sid": f"S-1-5-21-1-2-3-{1000 + number}", "account": f"CONTOSO\\{name}"}
    found = {"discovered_by": ["entra", "ad"], "discovered_upn": f"{name}@contoso.com"}
    more = {"on_premises_upn": f"{name}@contoso.com", "provider_logon_denied": False, "provider_access": True} | more
    upn = f"{name}@contoso.com"
    return {"upn": upn, **account, "synced": True, "enabled": True, "licensed": True, **found, **more}


def estate(**changes: Any) -> Data:
    """Anna is in the group that may run CMPivot under Configuration Manager, Eve in none."""
    base: Data = {
        "complete": True,
        "assume": ["SITE-*"],
        "tenant": {"cloud": "public", "multi_geo": False, "use_intune_rbac": "Off", "unlicensed_admins": True,
                   "scoped_permissions": "merged", "entra_premium": True},
        "hierarchies": [{"id": "PRD", "version": 2309, "tenant_attached": True, "upload": "all",
                         "enforce_configmgr_rbac": "checked"}],
        "users": [user("anna", 1), user("eve", 2)],
        "groups": [
            {"name": "SG-Intune", "id": guid(11), "type": "security", "members": [ANNA, EVE]},
            {"name": "SG-CM", "id": guid(12), "sid": "S-1-5-21-1-2-3-2001", "account": "CONTOSO\\SG-CM",
             "type": "security", "members": [ANNA]},
        ],
        "intune_assignments": [
            {"name": "Desk", "role": "Help Desk Operator", "members": ["SG-Intune"], "scope_tags": ["Default"]}
        ],
        "collections": [{"id": "SMS00001", "name": "All Systems"},
                        {"id": "PRD00010", "name": "Workstations", "limited_to": "SMS00001"}],
        "security_roles": [{"name": "Pivot", "id": "PRD00001", "permissions": PIVOT}],
        "administrative_users": [
            {"name": "CONTOSO\\SG-CM", "sid": "S-1-5-21-1-2-3-2001",
             "assignments": [{"role": "PRD00001", "scopes": ["Default"], "collections": ["PRD00010"]}]}
        ],
        "devices": [{"name": "PC-1", "resource_id": 1, "collections": ["PRD00010"], "client_current": True,
                     "powershell": "5.1", "online": True, "management": "configmgr"}],
    }  # fmt: skip
    return deepcopy(base | changes)


def verdict(data: Data, who: str = ANNA) -> Verdict:
    """What the estate answers, asked alone and in bulk."""
    loaded = load_dict(data)
    alone = loaded.verdict(who, "run-cmpivot", "PC-1")
    assert alone is loaded.check(who, "run-cmpivot", "PC-1").verdict
    return alone


def problems(data: Data) -> tuple[Problem, ...]:
    """What the estate is refused for."""
    with pytest.raises(LoadError) as refused:
        load_dict(data)
    return refused.value.problems


def admin(**fields: Any) -> Data:
    """An administrative user for the same right."""
    given_ = [{"role": "PRD00001", "scopes": ["Default"], "collections": ["PRD00010"]}]
    return {"assignments": given_, **fields}


def test_the_base_allows_anna_and_nobody_else() -> None:
    assert (verdict(estate()), verdict(estate(), EVE)) == (Verdict.ALLOW, Verdict.DENY)


# --- accounts and SIDs ------------------------------------------------------------------------------------------------


def test_an_account_that_was_made_again_does_not_get_the_old_rights() -> None:
    data = estate(administrative_users=[admin(name="CONTOSO\\anna", sid=OTHER_SID)])
    decision = load_dict(data).check(ANNA, "run-cmpivot", "PC-1")
    assert decision.verdict is Verdict.UNDETERMINED
    assert any("SID history" in one.text for one in decision.missing)
    assert verdict(estate(administrative_users=[admin(name="CONTOSO\\anna", sid=SID)])) is Verdict.ALLOW


def test_a_group_that_was_made_again_does_not_get_the_old_rights() -> None:
    assert verdict(estate(administrative_users=[admin(name="CONTOSO\\SG-CM", sid=OTHER_SID)])) is Verdict.UNDETERMINED


def test_a_name_is_no_identity_where_one_side_states_a_sid() -> None:
    people = [user("anna", 1), user("eve", 2)]
    del people[0]["sid"]
    data = estate(users=people, administrative_users=[admin(name="CONTOSO\\anna", sid=SID)])
    assert verdict(data) is Verdict.UNDETERMINED
    assert verdict(estate(users=people, administrative_users=[admin(name="CONTOSO\\anna")])) is Verdict.ALLOW


def test_the_sid_counts_whatever_the_account_is_called() -> None:
    data = estate(administrative_users=[admin(name="CONTOSO\\eve", sid=SID)])
    assert (verdict(data), verdict(data, EVE)) == (Verdict.ALLOW, Verdict.DENY)


def who(**fields: Any) -> User:
    return User(upn=ANNA, **fields)


@pytest.mark.parametrize(
    ("record", "name", "sid", "same"),
    [
        (who(sid=SID), "X\\other", SID.lower().replace("s-", "S-"), MET),
        (who(sid=SID, account="X\\a"), "x\\A", OTHER_SID, UNKNOWN),
        (who(sid=SID, account="X\\a"), "X\\b", OTHER_SID, UNMET),
        (who(account="X\\a"), "X\\A", None, MET),
        (who(account="X\\a"), "X\\A", SID, UNKNOWN),
        (who(account="X\\a"), "X\\b", SID, UNMET),
        (who(sid=CLOUD_SID, account="X\\a"), "X\\a", SID, UNKNOWN),
        (who(), "X\\a", SID, UNKNOWN),
    ],
)
def test_who_an_administrative_user_is(record: User, name: str, sid: str | None, same: State) -> None:
    assert is_account(record, AdministrativeUser(name=name, sid=sid)) is same


@pytest.mark.parametrize(
    ("type_", "expected"),
    [("security", Verdict.ALLOW), ("mail-enabled-security", Verdict.ALLOW), ("distribution", Verdict.DENY),
     ("microsoft-365", Verdict.DENY), (None, Verdict.UNDETERMINED)],
)  # fmt: skip
def test_only_security_groups_are_in_a_token(type_: str | None, expected: Verdict) -> None:
    data = estate()
    data["groups"][1]["type"] = type_
    assert verdict(data) is expected


@pytest.mark.parametrize("field", ["id", "sid", "account"])
@pytest.mark.parametrize("section", ["users", "groups"])
def test_two_records_never_share_an_identity(section: str, field: str) -> None:
    data = estate()
    data["groups"][1][field] = data["users"][0][field]
    if section == "users":
        data["users"][1][field] = data["users"][0][field]
        data["groups"][1] = estate()["groups"][1]
    found = [p for p in problems(data) if p.id == "identity-taken"]
    assert len(found) == 1
    assert "estate.json" in found[0].message  # where the other one is


def test_two_users_with_one_upn_are_refused_with_both_places() -> None:
    data = estate()
    data["users"].append(user("anna", 7))
    (found,) = (p for p in problems(data) if p.id == "duplicate")
    assert "estate.json" in found.message


# --- names that several things have -----------------------------------------------------------------------------------


def test_the_name_of_a_user_and_of_a_group_is_refused_where_it_is_used() -> None:
    data = estate()
    data["groups"].append({"name": ANNA, "id": guid(13), "type": "security", "members": [EVE]})
    data["groups"][1]["members"] = [ANNA]
    found = next(p for p in problems(data) if p.id == "ambiguous-name")
    assert guid(1) in found.message
    assert guid(13) in found.message


def test_an_id_is_never_shadowed_by_a_name() -> None:
    """Whoever may create groups could else call one like the id of another."""
    data = estate()
    data["groups"].append({"name": guid(1), "id": guid(13), "type": "security", "members": [EVE]})
    data["groups"].append({"name": "S-1-5-21-1-2-3-1001", "id": guid(14), "type": "security", "members": [EVE]})
    data["groups"][1]["members"] = [guid(1)]
    assert (verdict(data), verdict(data, EVE)) == (Verdict.ALLOW, Verdict.DENY)
    data["groups"][1]["members"] = [SID]
    assert (verdict(data), verdict(data, EVE)) == (Verdict.ALLOW, Verdict.DENY)


def test_two_groups_of_one_name_need_their_ids() -> None:
    data = estate()
    data["groups"].append({"name": "SG-Intune", "id": guid(13), "type": "security", "members": []})
    assert any(p.id == "ambiguous-name" for p in problems(data))
    data["intune_assignments"][0]["members"] = [guid(11)]
    assert verdict(data) is Verdict.ALLOW


def test_a_collection_called_like_the_id_of_another_is_not_meant() -> None:
    data = estate()
    data["collections"].append({"id": "PRD00099", "name": "PRD00010", "limited_to": "SMS00001"})
    assert verdict(data) is Verdict.ALLOW
    data["devices"][0]["collections"] = ["PRD00099"]
    assert verdict(data) is Verdict.DENY


def test_a_collection_called_like_the_root_holds_what_it_lists() -> None:
    data = estate()
    data["collections"].append({"id": "PRD00099", "name": "All Systems", "limited_to": "SMS00001"})
    data["administrative_users"][0]["assignments"][0]["collections"] = ["PRD00099"]
    assert verdict(data) is Verdict.DENY
    data["administrative_users"][0]["assignments"][0]["collections"] = ["All Systems"]
    assert any(p.id == "ambiguous-name" for p in problems(data))


# --- things that bear the name of a built-in one ----------------------------------------------------------------------


def test_a_custom_security_role_is_itself() -> None:
    data = estate()
    data["security_roles"].append({"name": "Full Administrator", "id": "PRD00099", "permissions": READ_ONLY})
    data["administrative_users"][0]["assignments"][0]["role"] = "PRD00099"
    assert verdict(data) is Verdict.DENY
    data["administrative_users"][0]["assignments"][0]["role"] = "SMS0001R"
    assert verdict(data) is Verdict.ALLOW
    data["administrative_users"][0]["assignments"][0]["role"] = "Full Administrator"
    assert any(p.id == "ambiguous-name" for p in problems(data))


def test_a_custom_intune_role_is_itself() -> None:
    data = estate()
    data["tenant"]["use_intune_rbac"] = "On"
    data["hierarchies"][0]["enforce_configmgr_rbac"] = "cleared"
    assert verdict(data) is Verdict.ALLOW
    data["intune_roles"] = [{"name": "Help Desk Operator", "id": guid(21), "permissions": []}]
    assert any(p.id == "ambiguous-name" for p in problems(data))
    data["intune_assignments"][0]["role"] = guid(21)
    assert verdict(data) is Verdict.DENY


def test_a_custom_scope_is_itself() -> None:
    data = estate(scripts=[CLEAR])
    data["security_roles"][0]["permissions"] = SCRIPTS
    row = data["administrative_users"][0]["assignments"][0]
    data["security_scopes"] = [{"id": "PRD00101", "name": "All"}]

    def answer(scope: str) -> Verdict:
        row["scopes"] = [scope]
        return load_dict(data).verdict(ANNA, "run-script", "PC-1", object="Clear")

    assert (answer("SMS00ALL"), answer("PRD00101")) == (Verdict.ALLOW, Verdict.DENY)
    row["scopes"] = ["All"]
    assert any(p.id == "ambiguous-name" for p in problems(data))


def test_a_custom_tag_is_itself() -> None:
    data = estate(scope_tags=[{"id": "7", "name": "Default"}])
    data["intune_assignments"][0]["scope_tags"] = ["Default"]
    assert any(p.id == "ambiguous-name" for p in problems(data))
    data["tenant"]["use_intune_rbac"] = "On"
    data["hierarchies"][0]["enforce_configmgr_rbac"] = "cleared"
    for tag, expected in (("0", Verdict.ALLOW), ("7", Verdict.DENY)):
        data["intune_assignments"][0]["scope_tags"] = [tag]
        assert verdict(data) is expected


# --- references to nothing --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "name"),
    [(("intune_assignments", 0, "scope_tags"), "Defualt"), (("intune_assignments", 0, "scope_groups"), "SG-Nowhere"),
     (("intune_assignments", 0, "members"), "SG-Nowhere"), (("groups", 0, "members"), "nobody@contoso.com"),
     (("administrative_users", 0, "assignments", 0, "scopes"), "Defalt"), (("devices", 0, "scope_tags"), "Defautl"),
     (("administrative_users", 0, "assignments", 0, "collections"), "Wokrstations"), (("devices", 0, "collections"), "X")],
)  # fmt: skip
def test_a_reference_to_nothing_is_an_error(path: tuple[Any, ...], name: str) -> None:
    data: Any = estate()
    here = data
    for step in path[:-1]:
        here = here[step]
    here[path[-1]] = [name]
    (found,) = problems(data)
    assert found.id == "unknown-name"
    assert name in found.message


@pytest.mark.parametrize(
    ("section", "listed"),
    [("scope_tags", {"id": "3", "name": "Seattle"}), ("security_scopes", {"id": "PRD00101", "name": "Seattle"})],
)
def test_what_a_list_lacks_is_an_error(section: str, listed: Data) -> None:
    data = estate()
    here = (
        data["intune_assignments"][0] if section == "scope_tags" else data["administrative_users"][0]["assignments"][0]
    )
    here["scope_tags" if section == "scope_tags" else "scopes"] = ["Utrecht", "Seattle", listed["id"]]
    load_dict(data)
    data[section] = [listed]
    (found,) = problems(data)
    assert "Utrecht" in found.message


# --- how names compare ------------------------------------------------------------------------------------------------

TWINS = ["SG-Intune\u00a0", "SG-Intune ", " SG-Intune", "SG-Intun\u0435", "SG-\u200bIntune", "SG-Intune\u200d"]


@pytest.mark.parametrize("twin", TWINS)
def test_a_name_that_only_looks_alike_is_another_one(twin: str) -> None:
    data = estate()
    data["groups"].append({"name": twin, "id": guid(13), "type": "security", "members": [EVE]})
    data["groups"][0]["members"] = [ANNA]
    loaded = load_dict(data)
    assert fold_case(twin) != fold_case("SG-Intune")
    mine = next(iter(loaded.tables.intune_assignments.values())).members
    assert [loaded.tables.groups[key].name for key in mine] == ["SG-Intune"]


@pytest.mark.parametrize("twin", [one for one in TWINS if "\u0435" not in one])
def test_lookalikes_are_told_with_their_code_points(twin: str) -> None:
    data = estate()
    data["groups"].append({"name": twin, "id": guid(13), "type": "security", "members": []})
    (warning,) = (w for w in load_dict(data).warnings if w.id == "lookalike")
    points = [f"U+{ord(letter):04X}" for letter in twin if letter not in "SG-Intune"]
    assert all(point in warning.message for point in points)
    assert twin.isascii() or twin not in warning.message  # it is printed so that the difference can be seen


def test_case_makes_no_difference() -> None:
    data = estate()
    data["intune_assignments"][0]["members"] = ["sg-INTUNE"]
    data["administrative_users"][0]["name"] = "contoso\\sg-cm"
    assert verdict(data) is Verdict.ALLOW


@pytest.mark.parametrize(
    ("one", "two"), [("STRASSE", "stra\u00dfe"), ("\u212aiosk", "kiosk"), ("\u017fales", "sales"), ("\u0131t", "it"),
                     ("\u1e9e", "\u00df"), ("\uff21", "A"), ("\ufb01", "fi")]
)  # fmt: skip
def test_no_letter_is_another_one(one: str, two: str) -> None:
    assert fold_case(one) != fold_case(two)


@pytest.mark.parametrize(("one", "two"), [("J\u00dcRGEN", "j\u00fcrgen"), ("\u03a3", "\u03c3"), ("\u03c2", "\u03c3")])
def test_capitals_beyond_ascii_are_folded(one: str, two: str) -> None:
    assert fold_case(one) == fold_case(two)


@given(st.text())
def test_folding_is_letter_by_letter_and_once_is_enough(name: str) -> None:
    folded = fold_case(name)
    assert fold_case(folded) == folded
    assert len(folded) == len(name)
    assert folded == "".join(map(fold_case, name))
    assert [letter.isascii() for letter in folded] == [letter.isascii() for letter in name]


def test_what_identifies() -> None:
    assert is_identity(guid(1))
    assert is_identity(SID)
    assert not is_identity("SG-Intune")
    assert not is_identity(guid(1) + "\n")
    assert skeleton("SG\u00a0Intune") == skeleton("sg intune")
    assert code_points(" a\u212a") == "U+212A, U+0020"


# --- exports ----------------------------------------------------------------------------------------------------------


def test_a_question_by_a_name_of_two_is_ambiguous() -> None:
    data = estate()
    data["devices"].append(data["devices"][0] | {"resource_id": 2})
    loaded: Estate = load_dict(data)
    assert loaded.verdict(ANNA, "run-cmpivot", "2") is Verdict.ALLOW
    with pytest.raises(Exception, match="names 2 devices"):
        loaded.verdict(ANNA, "run-cmpivot", "PC-1")
