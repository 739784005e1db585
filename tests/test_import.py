"""`permcheck import`: what it reports, writes and compares, and that it never leaves anything half done."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import permcheck
import pytest
import yaml
from permcheck import live
from permcheck.cli.main import guarded
from permcheck.evaluate.facts import DERIVED
from permcheck.exports.folder import read_exports
from permcheck.exports.report import RESTS_ON, gaps, known_facts, looks_at
from permcheck.loading.files import PROVENANCE
from permcheck.loading.policy import load_policy
from shapes.adminservice import write_adminservice
from shapes.estate_data import read_folder
from shapes.graph import write_graph
from shapes.left_over import left_over

EXAMPLES = Path(__file__).parent.parent / "examples"
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command line: exit code, standard output, standard error."""

    def run(*arguments: object) -> tuple[int, str, str]:
        capsys.readouterr()
        code = guarded([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return code, out, err

    return run


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The exports of contoso, with what no tool exports."""
    return exports_of("contoso", tmp_path_factory.mktemp("whole") / "exports")


@pytest.fixture
def exports(whole: Path, tmp_path: Path) -> Path:
    """A copy of them that a test may change."""
    return Path(shutil.copytree(whole, tmp_path / "exports"))


def exports_of(example: str, folder: Path) -> Path:
    data = read_folder(EXAMPLES / example)
    write_graph(data, folder / "graph")
    for hierarchy in data["hierarchies"]:
        write_adminservice(data, hierarchy["id"], folder / hierarchy["id"])
    (folder / "facts.yaml").write_text(yaml.safe_dump(left_over(data), sort_keys=False), "utf-8")
    return folder


def test_an_import_says_what_it_read_and_why(run: Run, exports: Path) -> None:
    code, out, _ = run("import", exports)
    assert code == 0
    assert "users: 15 entries (its @odata.context ends in users)" in out
    assert str(exports / "graph" / "users.json") in out.replace("\n      ", "")


def test_a_gap_is_reported_with_the_command_that_fills_it(run: Run, exports: Path) -> None:
    (exports / "graph" / "users.json").unlink()
    code, out, _ = run("import", exports)
    command = load_policy().exports["graph.users"].powershell
    assert code == 0
    assert "users: users, users.enabled" in out.replace("\n    ", " ")
    assert command is not None
    assert command in out, "a command stays on one line, to be copied"


def test_a_gap_tells_how_many_actions_it_leaves_open(run: Run, exports: Path) -> None:
    (exports / "graph" / "groups.json").unlink()
    code, out, _ = run("import", exports, "--format", "json")
    found = {gap["title"]: gap for gap in json.loads(out)["gaps"]}
    assert code == 0
    assert "run-cmpivot" in found["groups"]["actions"]
    assert set(found["groups"]["actions"]) <= set(load_policy().actions)
    assert "groups.type" in found["groups"]["facts"]


def test_what_is_told_is_no_gap(exports: Path) -> None:
    imported = read_exports((exports,), load_policy())
    assert {"users", "users.synced", "groups.members", "devices.collections", "collections.limited_to"} <= known_facts(
        imported
    )
    assert "users" not in {gap.title for gap in gaps(imported, load_policy())}


def test_every_fact_of_a_requirement_is_a_field_of_the_estate() -> None:
    """The report names facts by section and field; one that follows from others names those."""
    policy = load_policy()
    fields = set(permcheck.model.estate.EstateFile.model_json_schema()["$defs"])
    assert fields
    named = {fact for action in policy.actions for fact in looks_at(policy, action)}
    known = set()
    for section, form in SECTION_FORMS.items():
        known |= {section, *(f"{section}.{name}" for name in form.model_fields)}
    assert named <= known, sorted(named - known)
    assert set(RESTS_ON) >= {name for name in DERIVED if name.partition(".")[2] != "use_intune_rbac"}


SECTION_FORMS: dict[str, Any] = {
    "tenant": permcheck.model.estate.Tenant,
    "users": permcheck.model.estate.User,
    "groups": permcheck.model.estate.Group,
    "entra_roles": permcheck.model.estate.EntraRole,
    "app_roles": permcheck.model.estate.AppRole,
    "intune_roles": permcheck.model.estate.IntuneRole,
    "intune_assignments": permcheck.model.estate.IntuneAssignment,
    "hierarchies": permcheck.model.estate.Hierarchy,
    "security_roles": permcheck.model.estate.SecurityRole,
    "administrative_users": permcheck.model.estate.AdministrativeUser,
    "collections": permcheck.model.estate.Collection,
    "scripts": permcheck.model.estate.Script,
    "applications": permcheck.model.estate.Application,
    "devices": permcheck.model.estate.Device,
    "scope_tags": permcheck.model.estate.ScopeTag,
    "security_scopes": permcheck.model.estate.SecurityScope,
}


def test_exports_only_fill_fields_that_there_are() -> None:
    known = set(SECTION_FORMS)
    known |= {f"{section}.{field}" for section, form in SECTION_FORMS.items() for field in form.model_fields}
    policy = load_policy()
    filled = {fill for kind in (*policy.exports.values(), *policy.unexported) for fill in kind.fills}
    assert filled <= known, sorted(filled - known)


def test_what_only_checks_look_at_is_read(tmp_path: Path) -> None:
    """Sign-ins, the protection of groups, and the day of each collection; where they are not told they are unknown."""
    users = [
        {"userPrincipalName": "a@c.com", "signInActivity": {"lastSignInDateTime": "2026-10-30T07:00:00Z"}},
        {"userPrincipalName": "b@c.com", "signInActivity": {"lastSignInDateTime": None}},
        {"userPrincipalName": "c@c.com", "signInActivity": {"lastSignInDateTime": "/Date(17)/"}},
        {"userPrincipalName": "d@c.com"},
    ]
    groups = [
        {"displayName": "A", "securityEnabled": True, "isAssignableToRole": True, "isManagementRestricted": None},
        {"displayName": "B", "securityEnabled": True, "isAssignableToRole": None},
    ]
    for name, value in (("users", users), ("groups", groups)):
        rows = [row | {"id": f"0000000{i}-0000-4000-8000-{len(name):012}"} for i, row in enumerate(value)]
        (tmp_path / f"{name}.json").write_text(json.dumps({"value": rows}), "utf-8")
    for folder, day in (("graph", "2026-11-01T23:59:00+00:00"), ("P01", "soon"), ("P02", "2026-13-01")):
        (tmp_path / folder).mkdir()
        manifest = {
            "permcheck": "collection/1",
            "service": "graph",
            "endpoint": folder,
            "finished": day,
            "responses": [],
        }
        (tmp_path / folder / "collected.json").write_text(json.dumps(manifest), "utf-8")
    (tmp_path / "facts.yaml").write_text('collected: [{source: console, at: "2026-11-02"}]\n', "utf-8")
    tables = permcheck.load(tmp_path).tables
    assert [user.last_sign_in for user in tables.users.values()] == ["2026-10-30", None, None, None]
    told = [(group.role_assignable, group.restricted_unit) for group in tables.groups.values()]
    assert told == [(True, False), (None, None)]
    assert [(one.source, one.at) for one in tables.collected] == [
        ("console", "2026-11-02"),
        ("graph graph", "2026-11-01"),
    ]


def test_what_was_used_may_stand_beside_exports_and_is_written(run: Run, exports: Path, tmp_path: Path) -> None:
    log = "{source: A log, since: 2026-08-01, until: 2026-10-31, actions: [run-script], used: [%s]}"
    use = "{user: helpdesk@contoso.com, action: run-script, at: 2026-09-01}"
    (exports / "usage.yaml").write_text(f"usage: [{log % use}]\n", "utf-8")
    assert run("import", exports, "-o", tmp_path / "estate")[0] == 0
    (one,), (other,) = permcheck.load(exports).tables.usage, permcheck.load(tmp_path / "estate").tables.usage
    assert one == other
    assert one.used == {("helpdesk@contoso.com", "run-script")}


# --- writing -----------------------------------------------------------------------


def test_what_is_written_loads_and_answers_the_same(run: Run, exports: Path, tmp_path: Path) -> None:
    assert run("import", exports, "-o", tmp_path / "estate")[0] == 0
    one, other = permcheck.load(exports), permcheck.load(tmp_path / "estate")
    assert one.tables.users.keys() == other.tables.users.keys()
    for user in one.tables.users:
        for action in one.policy.actions:
            if one.policy.actions[action].target == "device":
                assert one.verdict(user, action, "PC-1042") is other.verdict(user, action, "PC-1042")


def test_importing_what_was_written_gives_the_same_files(run: Run, exports: Path, tmp_path: Path) -> None:
    run("import", exports, "-o", tmp_path / "one")
    run("import", exports, tmp_path / "nothing", "-o", tmp_path / "two")
    run("import", exports, "-o", tmp_path / "two")
    for path in (tmp_path / "one").glob("*.yaml"):
        assert path.read_text("utf-8") == (tmp_path / "two" / path.name).read_text("utf-8")


def test_an_estate_that_was_written_is_imported_to_the_same_estate(run: Run, exports: Path, tmp_path: Path) -> None:
    run("import", exports, "-o", tmp_path / "one")
    assert run("import", tmp_path / "one", "-o", tmp_path / "two")[0] == 0
    names = [path.name for path in sorted((tmp_path / "one").glob("*.yaml"))]
    assert names
    assert [path.name for path in sorted((tmp_path / "two").glob("*.yaml"))] == names
    for name in names:
        assert (tmp_path / "two" / name).read_text("utf-8") == (tmp_path / "one" / name).read_text("utf-8")
    assert run("import", tmp_path / "two", "--check", tmp_path / "one")[0] == 0


def test_a_written_record_knows_the_exports_it_came_from(
    run: Run, exports: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "1000")  # a path is not broken
    run("import", exports, "-o", tmp_path / "estate")
    _, out, _ = run("explain", "helpdesk@contoso.com", "run-cmpivot", "PC-1042", "-e", tmp_path / "estate")
    told = " ".join(out.split())
    assert "people.yaml:" in told
    assert f"from {exports / 'graph' / 'users.json'}, $.value[0]" in told


def test_an_answer_on_exports_names_the_entry(run: Run, exports: Path) -> None:
    _, out, _ = run("explain", "helpdesk@contoso.com", "run-cmpivot", "PC-1042", "-e", exports, "--format", "json")
    steps = [s for r in json.loads(out)["requirements"] for p in r["proofs"] for s in p["steps"] if s["origin"]]
    origins = {Path(s["origin"]["file"]).name + s["origin"]["path"] for s in steps}
    assert "users.json$.value[0]" in origins
    assert any(one.startswith("members.json$.value[") for one in origins)
    assert any(one.startswith("SMS_FullCollectionMembership.json$.value[") for one in origins)


def test_files_that_no_import_wrote_are_left_alone(run: Run, exports: Path, tmp_path: Path) -> None:
    (tmp_path / "estate").mkdir()
    mine = tmp_path / "estate" / "people.yaml"
    mine.write_text("users: []\n", "utf-8")
    code, _, err = run("import", exports, "-o", tmp_path / "estate")
    assert code == 3
    assert "no import wrote it" in err
    assert sorted(path.name for path in (tmp_path / "estate").iterdir()) == ["people.yaml"]
    assert mine.read_text("utf-8") == "users: []\n"


def test_the_next_import_replaces_its_own_files_and_nothing_else(run: Run, exports: Path, tmp_path: Path) -> None:
    run("import", exports, "-o", tmp_path / "estate")
    mine = tmp_path / "estate" / "notes.txt"
    mine.write_text("mine", "utf-8")
    assert run("import", exports, "-o", tmp_path / "estate")[0] == 0
    assert mine.read_text("utf-8") == "mine"
    assert not list((tmp_path / "estate").glob(".*"))


def test_a_broken_export_leaves_the_output_as_it_was(run: Run, exports: Path, tmp_path: Path) -> None:
    run("import", exports, "-o", tmp_path / "estate")
    before = {path.name: path.read_bytes() for path in (tmp_path / "estate").iterdir()}
    (exports / "graph" / "users.json").write_text('{"value": [', "utf-8")
    code, _, err = run("import", exports, "-o", tmp_path / "estate")
    assert code == 3
    assert "users.json" in err
    assert {path.name: path.read_bytes() for path in (tmp_path / "estate").iterdir()} == before


def test_the_estate_is_not_written_among_its_exports(run: Run, exports: Path) -> None:
    for target in (exports, exports / "estate", exports.parent):
        code, _, err = run("import", exports, "-o", target)
        assert code == 3
        assert "the exports are there" in err


def test_the_provenance_is_no_part_of_the_estate(run: Run, exports: Path, tmp_path: Path) -> None:
    run("import", exports, "-o", tmp_path / "estate")
    note = tmp_path / "estate" / PROVENANCE
    permcheck.load(tmp_path / "estate")
    note.write_text("{ broken", "utf-8")
    permcheck.load(tmp_path / "estate")


@pytest.mark.parametrize("arguments", [("no-such-folder",), (), ("https://server.example",)])
def test_nothing_to_import_is_said(run: Run, arguments: tuple[str, ...]) -> None:
    code, out, err = run("import", *arguments)
    assert code in {2, 3}
    assert not out
    assert err


def test_a_folder_without_exports_is_said(run: Run, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("nothing", "utf-8")
    code, _, err = run("import", tmp_path)
    assert code == 3
    assert "no export was recognised" in err


# --- drift -------------------------------------------------------------------------


def test_fresh_exports_of_the_same_tenant_show_no_drift(run: Run, exports: Path, tmp_path: Path) -> None:
    run("import", exports, "-o", tmp_path / "estate")
    code, out, _ = run("import", exports, "--check", tmp_path / "estate")
    assert (code, out) == (0, "no drift: the estate says what the exports say\n")


def test_a_hand_written_estate_and_its_exports_show_no_drift_in_rights(run: Run, exports: Path) -> None:
    _, out, _ = run("import", exports, "--check", EXAMPLES / "contoso", "--format", "json")
    drifted = {(one["section"], one["field"]) for one in json.loads(out)["drift"]}
    assert not {("groups", "members"), ("intune_assignments", "members"), ("devices", "collections")} & drifted
    assert not {section for section, field in drifted if not field and section in {"users", "administrative_users"}}


def test_drift_names_what_changed_and_exits_1(run: Run, exports: Path, tmp_path: Path) -> None:
    run("import", exports, "-o", tmp_path / "estate")
    users = json.loads((exports / "graph" / "users.json").read_text("utf-8"))
    users["value"][0]["accountEnabled"] = False
    (exports / "graph" / "users.json").write_text(json.dumps(users), "utf-8")
    (exports / "graph" / "deviceManagement" / "roleAssignments.json").write_text('{"value": []}', "utf-8")
    code, out, _ = run("import", exports, "--check", tmp_path / "estate")
    assert code == 1
    assert "users: helpdesk@contoso.com: enabled: true -> false" in out
    assert "intune_assignments: Help desk, Stockholm: not in the exports any more" in out


def test_what_exports_do_not_tell_is_no_drift(run: Run, exports: Path, tmp_path: Path) -> None:
    run("import", exports, "-o", tmp_path / "estate")
    (exports / "facts.yaml").unlink()
    code, out, _ = run("import", exports, "--check", tmp_path / "estate")
    assert "enforce_configmgr_rbac" not in out
    assert code in {0, 1}


# --- live --------------------------------------------------------------------------


def test_live_collects_first_and_imports_then(
    run: Run, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: dict[str, Any] = {}

    def collect(folder: Path, **how: Any) -> live.Collected:
        asked.update(how, folder=folder)
        shutil.copytree(whole, folder)
        refused = (live.Refused("https://graph.example/x", 403, "Some.Read.All"),)
        return live.Collected(folder, "graph", "graph.example", None, 7, refused)

    monkeypatch.setattr(live, "collect_graph", collect)
    code, out, err = run(
        "import", tmp_path / "fresh", "--live", "graph", "--cloud", "china", "--sign-in", "device-code", "--tenant", "t"
    )
    assert code == 0
    assert asked["folder"] == tmp_path / "fresh" / "graph"
    assert (asked["cloud"], asked["sign_in"], asked["tenant"]) == ("china", "device-code", "t")
    assert "7 responses" in err
    assert "Some.Read.All" in err
    assert "users: 15 entries" in out


def test_a_service_that_can_not_be_reached_is_exit_3(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def collect(_folder: Path, server: str, **_: Any) -> live.Collected:
        raise permcheck.LiveError(f"`{server}` does not answer", "ask again")

    monkeypatch.setattr(live, "collect_adminservice", collect)
    code, out, err = run("import", "--live", "adminservice", "https://cm.example", tmp_path / "fresh")
    assert (code, out) == (3, "")
    assert "does not answer" in err
    assert "ask again" in err


@pytest.mark.parametrize(
    "arguments", [("--live", "graph"), ("--live", "adminservice", "exports"), ("https://cm.example", "exports")]
)
def test_a_live_import_without_folder_or_server_is_a_usage_error(run: Run, arguments: tuple[str, ...]) -> None:
    code, _, err = run("import", *arguments)
    assert code == 2
    assert err
