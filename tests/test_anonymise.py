"""An estate with other names: the same decisions, and nothing of the names before."""

from __future__ import annotations

import json
import math
import random
import re
import stat
from collections.abc import Iterator
from functools import cache, partial
from pathlib import Path
from typing import Any

import permcheck
import pytest
from commands import Cli
from exported import EXAMPLES, FORMATS, as_estate, expected, export, questions, verdict, written
from hypothesis import given, settings
from hypothesis import strategies as st
from permcheck.anonymise import run
from permcheck.anonymise.estate import Anonymised, anonymised
from permcheck.anonymise.table import FIELDS
from permcheck.api import Estate
from permcheck.cli.anonymise import anonymise as command
from permcheck.cli.codes import Exit
from permcheck.cli.main import main
from permcheck.errors import LoadError
from permcheck.exports.folder import read_exports
from permcheck.exports.write import sections_of
from permcheck.loading.data import data_root
from permcheck.loading.files import holds_exports
from permcheck.loading.policy import load_policy
from permcheck.model import estate as forms
from strategies import Ask, Data, estates, load_dict, partial_estates

NAMES = sorted(path.name for path in EXAMPLES.iterdir() if not holds_exports(path))
OBJECTS = {"script": "script", "application": "software"}
STAYS = {
    "as_of", "readings", "assume", "complete", "incomplete", "cloud", "use_intune_rbac", "use_intune_rbac_changed",
    "scoped_permissions", "version", "updates", "update_ring", "enforce_configmgr_rbac", "provider_authentication",
    "discovered_by", "type", "scope_type", "permissions", "not_allowed", "undecided", "kind", "client_version",
    "powershell", "management", "last_sign_in", "at",
}  # fmt: skip
"""Fields that hold no name."""
INSTALLED = re.compile("sms(00|dm)[0-9a-z]{3}")
"""Ids of collections and roles that every site has."""
POLICY = load_policy()


def renamed(made: Anonymised, ask: Ask) -> Ask:
    """The same question by the new names."""
    call, action = made.renamer.name, POLICY.actions[ask.action.partition(":")[0]]
    where, object_ = ask.device, ask.object
    if where is not None:
        hierarchy, slash, device = where.rpartition("/")
        if action.target == "hierarchy":
            where = call("hierarchy", where)
        else:
            where = f"{call('hierarchy', hierarchy) if slash else ''}{slash}{call('device', device)}"
    if object_ is not None:
        object_ = call(OBJECTS[str(action.object)], object_)
    return Ask(call("account", ask.user), ask.action, where, object_)


def failing(estate: Estate, ask: Ask) -> tuple[str, frozenset[str], frozenset[str]]:
    """A verdict with the requirements that are not met, and those of which nobody knows."""
    decision = estate.check(ask.user, ask.action, ask.device, object=ask.object)
    states = [(r.id, str(r.state.value)) for r in decision.requirements if r.counts]
    unmet, unknown = (frozenset(id_ for id_, state in states if state == one) for one in ("unmet", "unknown"))
    return decision.verdict.value, unmet, unknown


def same(before: Estate, after: Estate, made: Anonymised, asks: list[Ask], every: int = 7) -> None:
    """Assert that two estates answer alike."""
    for ask in asks:
        assert kind_of(verdict(after, renamed(made, ask))) == kind_of(verdict(before, ask)), ask
    for ask in [a for a in asks if verdict(before, a) in {"allow", "deny", "undetermined"}][::every]:
        assert failing(after, renamed(made, ask)) == failing(before, ask), ask


def kind_of(said: str) -> str:
    """A verdict, or the kind of error; its text has names."""
    return said.partition(":")[0]


def other(data: Data, salt: str | None = None) -> tuple[Anonymised, Estate]:
    """An estate with other names, as plain values and loaded."""
    made = anonymised(data, POLICY, salt)
    return made, load_dict(made.data)


def words(text: str) -> frozenset[str]:
    """Words of more than three signs."""
    return frozenset(word for word in re.split(r"[\W_]+", text.casefold()) if len(word) > 3)


def named_in(value: Any) -> Iterator[str]:
    """Every text of an estate that may be a name."""
    if isinstance(value, dict):
        for key, item in value.items():
            if key not in STAYS:
                yield from named_in(item)
    elif isinstance(value, list):
        for item in value:
            yield from named_in(item)
    elif isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool)):
        yield str(value)


@cache
def built_in() -> frozenset[str]:
    """Words of the form, and of what the policy names."""
    text = [
        (data_root() / "schemas" / "estate.schema.json").read_text("utf-8"),
        *"role security assignment domain example".split(),
    ]
    for role in POLICY.roles.values():
        text += [role.id, role.name, *role.synonyms, *role.confused_with]
    text += [*POLICY.recommended, *(f"{b.id} {b.name}" for b in POLICY.builtins)]
    for permission in POLICY.permissions.values():
        text += [permission.id, permission.category, permission.name, *permission.synonyms]
    return words(" ".join(text)) | {"software", "directory"}


def leaks(data: Data, text: str) -> list[str]:
    """Names, and words of names, that are still to be read."""
    names = [name for name in named_in(data) if len(name.strip()) > 3 and not words(name) <= built_in()]
    names = [name for name in names if not INSTALLED.fullmatch(name.casefold())]
    whole = [name for name in names if name.casefold() in text.casefold()]
    parts = {word for word in words(" ".join(names)) - built_in() if not re.fullmatch("[0-9]{4}", word)}
    return whole + sorted(parts & words(text))


def text_of(folder: Path) -> str:
    return "\n".join(path.name + path.read_text("utf-8") for path in sorted(folder.iterdir()))


# --- the same decisions --------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_an_example_decides_the_same_and_tells_no_name(name: str, tmp_path: Path) -> None:
    data, before = written(name)
    found = run.anonymise(EXAMPLES / name, tmp_path / "out")
    after = permcheck.load(tmp_path / "out")
    same(before, after, found.made, list(expected(name)), every=41)
    assert leaks(data, text_of(tmp_path / "out")) == []
    assert not [path for path in tmp_path.iterdir() if path.name != "out"]


@pytest.mark.parametrize("name", ["contoso", "lab"])
def test_exports_decide_the_same(name: str, tmp_path: Path) -> None:
    data, _ = written(name)
    folder = export(data, tmp_path / "exports", FORMATS["rest with tiny pages"])
    before = permcheck.load(folder)
    found = run.anonymise(folder, tmp_path / "out")
    after = permcheck.load(tmp_path / "out")
    same(before, after, found.made, list(questions(before)), every=61)
    assert leaks(data, text_of(tmp_path / "out")) == []


def test_the_example_exports_decide_the_same(tmp_path: Path) -> None:
    before = permcheck.load(EXAMPLES / "exports")
    found = run.anonymise(EXAMPLES / "exports", tmp_path / "out")
    same(before, permcheck.load(tmp_path / "out"), found.made, list(questions(before)), every=61)
    assert leaks(sections_of(read_exports((EXAMPLES / "exports",), POLICY).joined), text_of(tmp_path / "out")) == []


@settings(max_examples=25)
@given(partial_estates())
def test_any_estate_decides_the_same(drawn: tuple[Data, Data]) -> None:
    data = drawn[0]
    before, (made, after) = load_dict(data), other(data)
    same(before, after, made, list(questions(before)), every=29)
    names = {name.casefold() for name in named_in(data) if len(name) > 3}
    kept = {name.casefold() for name in named_in(made.data)} & names
    assert {name for name in kept if not words(name) <= built_in()} == set()


@settings(max_examples=8)
@given(estates())
def test_twice_decides_as_once(data: Data) -> None:
    before = load_dict(data)
    once, _ = other(data)
    twice, after = other(once.data)
    for ask in list(questions(before))[::5]:
        assert kind_of(verdict(after, renamed(twice, renamed(once, ask)))) == kind_of(verdict(before, ask))
    assert shape(once.data) == shape(twice.data)
    assert not set(twice.names) & set(once.names)


def shape(value: Any) -> Any:
    """Plain values without their names, in no order."""
    if isinstance(value, dict):
        return {key: item if key in STAYS else shape(item) for key, item in value.items()}
    if isinstance(value, list):
        return sorted((shape(item) for item in value), key=repr)
    return type(value).__name__ if isinstance(value, str) else value


HOSTILE = (
    '"', "'", "true", "No", "0x1F", "12345", "1e5", "~", "null", "- a", "a: b", "#x", "{}", "[", "*", "&a", "!x", "%", "|", "a\nb",
    "Zoë 💥", "x" * 1000, "Straße", "İstanbul", " blank ", "a\\b\\c", "@", "@@", "a@b@c", "\\", "x (y)", "user-001",
    "group-001", "device-0001", "domain-1.example", "Z00", "Default", "Help Desk Operator", "SMS00001", "S-1-5-32-544", "s-1-12-1-5-6-7",
    "00000000-0000-4000-8000-000000000001", "16900001", "Ⅷ", "\u202egnp", "deadbeef", "a" * 8, "{0}", "on", "%s",
)  # fmt: skip


def replaced(value: Any, names: dict[str, str]) -> Any:
    """Plain values with some texts replaced by others."""
    if isinstance(value, dict):
        return {key: item if key in STAYS else replaced(item, names) for key, item in value.items()}
    if isinstance(value, list):
        return [replaced(item, names) for item in value]
    return names.get(value, value) if isinstance(value, str) else value


@settings(max_examples=25)
@given(estates(), st.integers(0, 10**9))
def test_hostile_names_decide_the_same(data: Data, seed: int) -> None:
    """What loads under such a name loads under another one, and decides the same."""
    names = random.Random(seed).sample(HOSTILE, len(HOSTILE))
    kinds = ("users", "groups", "scripts", "applications", "devices", "security_roles")
    old = {r[k] for kind in kinds for r in data[kind] for k in ("upn", "name", "account") if k in r}
    old |= {"C1", "C2", "UC1", "P01", "Seattle", "Limited 1", "assignment 0", "Custom", "EU"}
    data = replaced(data, dict(zip(sorted(old), names, strict=False)))
    try:
        before = load_dict(data)
    except LoadError:
        return
    made, after = other(data)
    same(before, after, made, list(questions(before))[::3], every=29)


def test_slashes_in_names_decide_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The slash stands between a hierarchy and what belongs to it."""
    monkeypatch.setattr(run, "PATIENCE", math.inf)
    names = {"PRD": "Europe/PRD", "TST": "TST/1", "PC-1": "PRD/PC-1", "SRV": "/"}
    data = replaced(HAND, names | {"prd": "EUROPE/prd"})
    data["hierarchies"][0]["sites"][0]["code"] = "PRD"
    (tmp_path / "estate.json").write_text(json.dumps(data), "utf-8")
    assert run.anonymise(tmp_path / "estate.json", tmp_path / "out").compared > 100


def test_the_estate_of_one_user() -> None:
    made, after = other({"users": [{"upn": "anna@contoso.com"}]})
    assert made.data == {"users": [{"upn": "user-001@domain-1.example"}]}
    assert after.tables.users
    assert dict(made.names) == {
        "user-001": "anna",
        "domain-1.example": "contoso.com",
        "user-001@domain-1.example": "anna@contoso.com",
    }


# --- what stays, and how names are taken apart -------------------------------------------

HAND: Data = {
    "estate": "Contoso of Utrecht",
    "tenant": {"name": "Contoso", "geography": "Utrecht", "use_intune_rbac": "On", "multi_geo": True},
    "hierarchies": [
        {"id": "PRD", "name": "Production", "geography": "UTRECHT", "sites": [{"code": "PRD", "version": 2211}, {"code": "SEC", "version": 2211}],
         "updates": ["KB4560496", "Bob's fix"], "upload": {"collection": "workstations"}},
        {"id": "TST", "name": "Utrecht"},
    ],
    "users": [
        {"upn": "Anna@Contoso.com", "id": "6F9D1C52-0b1e-4a35-9a53-0d1b5f6a1001", "name": "Anna Smith", "synced": True, "account": "CONTOSO\\anna",
         "sid": "S-1-5-21-1004-2004-3004-1621", "discovered_upn": "anna@contoso.local", "on_premises_upn": "ANNA@contoso.LOCAL",
         "signs_in_with": "6f9d1c52-0b1e-4a35-9a53-0d1b5f6a1001"},
        {"upn": "bob@contoso.com", "discovered_upn": "", "synced": True, "sid": "S-1-5-21-1004-2004-3004-500"},
        {"upn": "carl@contoso.com", "synced": True, "sid": "S-1-12-1-1864244306-1251281694-218977178-17852255"},
    ],
    "groups": [
        {"name": "IT Helpdesk", "type": "security", "members": ["contoso\\ANNA", "s-1-5-21-1004-2004-3004-500"]},
        {"name": "Domain Admins", "type": "security", "sid": "S-1-5-21-1004-2004-3004-512", "members": ["it helpdesk"]},
    ],
    "entra_roles": [{"role": "Global Administrator", "members": ["BOB@contoso.com"]}, {"role": "Contoso Clerk", "members": []}],
    "app_roles": [
        {"application": "Configuration Manager Microservice", "role": "Admin User", "assigned_to": ["it HELPDESK"]},
        {"application": "Contoso Portal", "role": "Visitor", "assigned_to": []},
    ],
    "intune_roles": [
        {"name": "Utrecht CMPivot", "id": "6f9d1c52-0b1e-4a35-9a53-0d1b5f6a2001", "description": "made by Anna", "not_allowed": ["Secret\\Thing"],
         "permissions": ["Microsoft.Intune_CloudAttach_CMPivot", "Microsoft.Intune_New_Thing", "Cloud attached devices\\Run script", "Bob's own"]}
    ],
    "intune_assignments": [
        {"name": "Utrecht", "role": "6F9D1C52-0b1e-4a35-9a53-0d1b5f6a2001", "members": ["IT Helpdesk"], "scope_tags": ["default", "Utrecht", "3"]},
        {"name": "Other", "role": "Help desk operator", "members": ["Domain Admins"]},
    ],
    "security_roles": [
        {"hierarchy": "prd", "name": "Pivot Users", "id": "PRD0000A", "copied_from": "Read-only Analyst",
         "permissions": {"Collection": ["Read", "Run CMPivot", "Dance"], "Bob's class": ["Read"]}, "undecided": {"Collection": ["Delete"]}},
        {"hierarchy": "production", "name": "Script Runners", "permissions": {}},
        {"hierarchy": "TST", "name": "Beheerder", "id": "SMS0001R"},
    ],
    "administrative_users": [
        {"hierarchy": "PRD", "name": "CONTOSO\\IT Helpdesk",
         "assignments": [{"role": "prd0000a", "scopes": ["Default", "Utrecht"], "collections": ["PRD00010", "SMS00001"]}]},
        {"hierarchy": "TST", "name": "CONTOSO\\anna", "assignments": [{"role": "Beheerder", "scopes": ["SMS00ALL"], "collections": ["all systems"]}]},
    ],
    "collections": [
        {"hierarchy": "PRD", "id": "SMS00001", "name": "Alle systemen"},
        {"hierarchy": "PRD", "id": "PRD00010", "name": "Workstations", "limited_to": "alle SYSTEMEN", "members": ["16777300", "PC-2 (16777301)"]},
        {"hierarchy": "TST", "id": "SMS00001", "name": "All Systems"},
    ],
    "scripts": [{"hierarchy": "PRD", "name": "Wipe Utrecht", "author": "contoso\\anna", "scopes": ["Utrecht"], "approved": True}],
    "applications": [{"hierarchy": "PRD", "name": "Contoso CRM", "scopes": ["utrecht"], "deployed_to": ["workstations"]}],
    "devices": [
        {"name": "PC-1", "hierarchy": "PRD", "resource_id": 16777300, "client_version": "5.00.9096.1000", "scope_tags": ["Default"]},
        {"name": "PC-2", "hierarchy": "PRD", "resource_id": "16777299"},
        {"name": "PC-2", "hierarchy": "PRD", "resource_id": 16777301, "intune_id": "6f9d1c52-0b1e-4a35-9a53-0d1b5f6a3001"},
        {"name": "SRV", "hierarchy": "utrecht", "collections": ["ALL SYSTEMS"]},
    ],
}  # fmt: skip


def test_references_in_any_case_and_by_any_name_lead_to_the_same() -> None:
    before, (made, after) = as_estate(HAND), other(HAND)
    asks = [ask for ask in questions(before) if "PC-2" not in str(ask.device)]
    same(before, after, made, asks, every=11)
    assert (
        words(json.dumps(made.data))
        & words("anna contoso utrecht helpdesk workstations clerk dance smith wipe visitor")
        == set()
    )
    assert made.dropped == {"permission": 4, "update": 1}


def test_what_is_compared_stays_equal() -> None:
    data = other(HAND, "1")[0].data
    call = other(HAND, "1")[0].renamer.name
    anna = next(u for u in data["users"] if "name" in u)
    assert anna["discovered_upn"].casefold() == anna["on_premises_upn"].casefold()
    assert (
        anna["upn"].partition("@")[0] == anna["account"].partition("\\")[2] == anna["discovered_upn"].partition("@")[0]
    )
    assert anna["upn"].partition("@")[2] != anna["discovered_upn"].partition("@")[2]
    assert {data["tenant"]["geography"]} == {h["geography"] for h in data["hierarchies"] if "geography" in h}
    helpdesk = next(g for g in data["groups"] if "sid" not in g)["name"]
    assert helpdesk in {a["name"].partition("\\")[2] for a in data["administrative_users"]}
    code = call("hierarchy", "PRD")
    assert len(code) == 3
    pilot = next(c for c in data["collections"] if "limited_to" in c)
    assert pilot["id"].startswith(code)
    assert len(pilot["id"]) == 8
    assert {c["id"] for c in data["collections"]} == {"SMS00001", pilot["id"]}
    assert next(u["discovered_upn"] for u in data["users"] if u.get("discovered_upn") == "") == ""


def test_a_group_is_called_a_group_wherever_it_is_named_first() -> None:
    groups = [{"name": "outer", "members": ["inner", "a@x.com"]}, {"name": "inner", "members": []}]
    made = other({"users": [{"upn": "a@x.com"}], "groups": groups})[0]
    assert {group["name"] for group in made.data["groups"]} == {"group-001", "group-002"}


def test_what_is_built_in_stays() -> None:
    data = other(HAND)[0].data
    assert "Global Administrator" in {r["role"] for r in data["entra_roles"]}
    assert ("Configuration Manager Microservice", "Admin User") in {
        (r["application"], r["role"]) for r in data["app_roles"]
    }
    (role,) = data["intune_roles"]
    assert role["permissions"] == [
        "Microsoft.Intune_CloudAttach_CMPivot",
        "Microsoft.Intune_New_Thing",
        "Cloud attached devices\\Run script",
    ]
    assert "Help desk operator" in {a["role"] for a in data["intune_assignments"]}
    roles = {r["name"]: r for r in data["security_roles"]}
    assert "Script Runners" in roles
    assert "SMS0001R" in {r.get("id") for r in roles.values()}
    pivot = next(r for r in roles.values() if r.get("copied_from"))
    assert pivot["copied_from"] == "Read-only Analyst"
    assert pivot["permissions"] == {"Collection": ["Read", "Run CMPivot"]}
    assert pivot["undecided"] == {"Collection": ["Delete"]}
    tags = next(a["scope_tags"] for a in data["intune_assignments"] if "scope_tags" in a)
    assert "default" in tags
    assert "3" not in tags
    assert {"KB4560496"} == {u for h in data["hierarchies"] for u in h.get("updates", ())}
    assert data["devices"][0]["client_version"] == "5.00.9096.1000" or "5.00.9096.1000" in json.dumps(data["devices"])


def test_sids_keep_their_shape() -> None:
    data = other(HAND)[0].data
    sids = [r["sid"] for s in ("users", "groups") for r in data[s] if "sid" in r]
    domains = {sid.rpartition("-")[0] for sid in sids if sid.startswith("S-1-5-21-")}
    assert len(domains) == 1
    assert [len(sid.split("-")) for sid in sids] == [8, 8, 8, 8]
    rids = {sid.rpartition("-")[2] for sid in sids}
    assert {"500", "512"} < rids
    assert not {"1621", "1004"} & {part for sid in sids for part in sid.split("-")}
    assert sum(sid.startswith("S-1-12-1-") for sid in sids) == 1


def test_no_number_tells_the_order_of_the_names() -> None:
    """Neither the numbers nor the records are in the order in which they stood."""
    data: Data = {"users": [{"upn": f"{chr(97 + n)}@contoso.com"} for n in range(20)], "groups": []}
    data["groups"] = [{"name": "all of us", "members": [u["upn"] for u in data["users"]]}]
    orders = set()
    for _ in range(3):
        made = anonymised(data, POLICY)
        orders.add(tuple(made.renamer.name("account", u["upn"]) for u in data["users"]))
        assert [u["upn"] for u in made.data["users"]] == sorted(u["upn"] for u in made.data["users"])
        assert made.data["groups"][0]["members"] == [u["upn"] for u in made.data["users"]]
    assert len(orders) == 3
    assert all(list(order) != sorted(order) for order in orders)


def test_the_same_seed_deals_the_same_names() -> None:
    assert other(HAND, "x")[0].data == other(HAND, "x")[0].data != other(HAND, "y")[0].data


def test_two_names_never_become_one() -> None:
    made = other(HAND)[0]
    assert len({name.casefold() for name in made.names}) == len(made.names)
    spaces = {re.sub("[0-9].*", "", name) for name in made.names}
    for space in spaces:
        old = [was.casefold() for name, was in made.names.items() if re.sub("[0-9].*", "", name) == space]
        assert len(set(old)) == len(old)


def test_records_that_share_a_name_keep_their_order() -> None:
    """Devices of one name are told apart by their order, and by their ids."""
    devices = [{"name": "PC", "resource_id": n, "online": on} for n, on in ((7, True), (3, False))]
    data = {"users": [{"upn": "a@x.com"}], "hierarchies": [{"id": "P01"}], "devices": devices}
    for _ in range(4):
        assert [d["online"] for d in anonymised(data, POLICY).data["devices"]] == [True, False]


def test_every_field_is_thought_of() -> None:
    """A new field of the form has to be given a line in the table."""
    parts = {
        "sites": forms.Site,
        "upload": forms.UploadScope,
        "assignments": forms.SecurityAssignment,
        "collected": forms.Collected,
        "usage": forms.Usage,
        "used": forms.Use,
        "estate": forms.EstateFile,
    }
    of_section = {
        "tenant": forms.Tenant, "hierarchies": forms.Hierarchy, "users": forms.User, "groups": forms.Group, "entra_roles": forms.EntraRole,
        "app_roles": forms.AppRole, "intune_roles": forms.IntuneRole, "intune_assignments": forms.IntuneAssignment,
        "security_roles": forms.SecurityRole, "administrative_users": forms.AdministrativeUser, "collections": forms.Collection,
        "scripts": forms.Script, "applications": forms.Application, "devices": forms.Device,
        "scope_tags": forms.ScopeTag, "security_scopes": forms.SecurityScope,
    }  # fmt: skip
    expected_ = {
        key: {f.alias or n for n, f in form.model_fields.items()} for key, form in (parts | of_section).items()
    }
    expected_["known_app_roles"] = expected_["app_roles"]
    assert {key: set(fields) for key, fields in FIELDS.items()} == expected_
    assert set(of_section) == {"tenant", *forms.SECTIONS}


# --- the command -------------------------------------------------------------------------


@pytest.fixture(name="cli")
def a_cli(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> Cli:
    monkeypatch.setitem(main.commands, "anonymise", command)
    return partial(cli, "anonymise")


CONTOSO = EXAMPLES / "contoso"


def test_it_says_what_it_wrote(cli: Cli, tmp_path: Path) -> None:
    done = cli(CONTOSO, "-o", "case")
    assert done.code == Exit.ALLOW, done.err
    lines = done.out.splitlines()
    told = [Path(line.partition(" ")[2]) for line in lines if line.startswith("wrote ")]
    assert sorted(told) == sorted(path.relative_to(tmp_path) for path in (tmp_path / "case").iterdir())
    assert {"tenant.yaml", "people.yaml", "devices.yaml"} < {path.name for path in told}
    assert any(
        re.fullmatch(r"replaced \d+ names and parts of names; \d{3,} verdicts are the same as before", line)
        for line in lines
    )
    assert any(line.startswith("what stays: ") for line in lines)
    assert lines[-1] == "next: read every file before you send it"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["case"]
    assert "permcheck import" not in text_of(tmp_path / "case")
    assert "contoso" not in text_of(tmp_path / "case").casefold()


def test_it_says_how_much_it_left_out(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "hand.json").write_text(json.dumps(HAND), "utf-8")
    assert (
        "left out, because permcheck does not know what it is: 4 permissions, 1 update"
        in cli("hand.json", "-o", "case").out
    )


def test_it_may_write_again_where_it_wrote(cli: Cli, tmp_path: Path) -> None:
    assert cli(CONTOSO, "-o", "case", "--seed", "1").code == Exit.ALLOW
    first = text_of(tmp_path / "case")
    assert cli(CONTOSO, "-o", "case", "--seed", "1").code == Exit.ALLOW
    assert text_of(tmp_path / "case") == first
    assert cli(EXAMPLES / "lab", "-o", "case").code == Exit.ALLOW
    assert text_of(tmp_path / "case") != first


def test_a_map_is_written_when_asked_for_and_for_its_owner_alone(cli: Cli, tmp_path: Path) -> None:
    done = cli(CONTOSO, "-o", "case", "--map", "names.json")
    assert done.code == Exit.ALLOW
    assert "names.json" in done.out.splitlines()[-1]
    assert stat.S_IMODE((tmp_path / "names.json").stat().st_mode) == 0o600
    back = json.loads((tmp_path / "names.json").read_text("utf-8"))
    upns = {user.upn for user in permcheck.load(tmp_path / "case").tables.users.values()}
    assert {back[upn] for upn in upns} == {user.upn for user in permcheck.load(CONTOSO).tables.users.values()}
    before = (tmp_path / "names.json").read_bytes()
    again = cli(CONTOSO, "-o", "other", "--map", "names.json")
    assert again.code == Exit.UNUSABLE
    assert "already there" in again.err
    assert (tmp_path / "names.json").read_bytes() == before
    assert not (tmp_path / "other").exists()


def test_a_map_never_lies_where_it_is_sent_or_read(cli: Cli, tmp_path: Path) -> None:
    source = tmp_path / "estate"
    source.mkdir()
    (source / "estate.json").write_text(json.dumps(HAND), "utf-8")
    for place in ("case/names.json", "estate/names.json", "nowhere/names.json"):
        done = cli("estate", "-o", "case", "--map", place)
        assert done.code == Exit.UNUSABLE, place
        assert not (tmp_path / "case").exists()
        assert not (tmp_path / place).exists()


@pytest.mark.parametrize("folder", ["estate", "estate/case", "."])
def test_it_never_writes_into_or_around_the_estate(cli: Cli, tmp_path: Path, folder: str) -> None:
    source = tmp_path / "estate"
    source.mkdir()
    (source / "estate.json").write_text(json.dumps(HAND), "utf-8")
    done = cli("estate", "-o", folder)
    assert done.code == Exit.UNUSABLE
    assert "holds the estate, or lies in it" in done.err
    assert [path.name for path in source.iterdir()] == ["estate.json"]


@pytest.mark.parametrize("there", ["notes.txt", "people.yaml", "estate.provenance.json"])
def test_it_writes_only_where_nothing_else_is(cli: Cli, tmp_path: Path, there: str) -> None:
    """An estate that was imported is never replaced, and nothing is sent by accident."""
    (tmp_path / "case").mkdir()
    (tmp_path / "case" / there).write_text(
        '{"permcheck": "permcheck-provenance/1", "records": {}, "files": ["people.yaml"]}', "utf-8"
    )
    done = cli(CONTOSO, "-o", "case", "--map", "names.json")
    assert done.code == Exit.UNUSABLE
    assert there in done.err
    assert [path.name for path in (tmp_path / "case").iterdir()] == [there]
    assert not (tmp_path / "names.json").exists()


def test_a_file_is_no_folder(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "case").write_text("x", "utf-8")
    assert cli(CONTOSO, "-o", "case").code == Exit.UNUSABLE


@pytest.mark.parametrize("text", ["users: [", "users: []", "users: [{upn: a@b.c, signs_in_with: nobody}]", None])
def test_a_broken_estate_is_refused(cli: Cli, tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / "broken.yaml").write_text(text, "utf-8")
    done = cli("broken.yaml", "-o", "case", "--map", "names.json")
    assert done.code == Exit.UNUSABLE
    assert not done.out
    assert sorted(path.name for path in tmp_path.iterdir()) == ([] if text is None else ["broken.yaml"])


def test_a_result_that_decides_otherwise_is_not_written(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before it writes, it asks both estates."""
    monkeypatch.setitem(FIELDS["users"], "synced", lambda _walk, _value: None)
    done = cli(CONTOSO, "-o", "case", "--map", "names.json")
    assert done.code == Exit.UNUSABLE
    assert "is decided otherwise" in done.err
    assert list(tmp_path.iterdir()) == []
