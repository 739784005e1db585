"""validate and lint: which files are looked at, what is said of each, how estates are resolved, what a fix does."""

from __future__ import annotations

import json
import os
import shutil
import stat
import sys
from pathlib import Path

import pytest
from commands import Cli
from permcheck.checks import facts as check_facts
from permcheck.checks import lint as linter
from permcheck.checks.apply import changes_of, diff, write
from permcheck.checks.finding import Edit, Finding, Place
from permcheck.errors import LoadError

ROOT = Path(__file__).parent.parent
GOOD = "Microsoft.Intune_CloudAttach_CMPivot"
BAD = "Microsoft.Intune_CloudAttach_RunCMPivot"


def role(name: str, *actions: str) -> str:
    inner = {"resourceActions": [{"allowedResourceActions": [*actions]}]}
    return json.dumps({"displayName": name, "rolePermissions": [inner]}, indent=1) + "\n"


def put(**files: str) -> None:
    """Write files: `a__b_json` is a/b.json."""
    for name, text in files.items():
        path = Path(name.replace("__", "/"))
        *stem, suffix = path.name.split("_")
        path = path.with_name("_".join(stem) + "." + suffix)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")


def problems(cli: Cli, *paths: str, code: int = 3) -> list[str]:
    result = cli("validate", *paths, "--format", "json")
    assert result.code == code, result
    return [f"{p['file']}:{p['line'] or 0}: {p['message']}" for p in result.document["problems"]]


# --- which files ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["validate", "lint"])
def test_no_file_is_3(cli: Cli, command: str) -> None:
    Path("empty").mkdir()
    Path("empty/notes.txt").write_text("x", "utf-8")
    result = cli(command, "empty")
    assert (result.code, result.out) == (3, "")
    assert "no YAML, JSON or XML file was found here" in result.err


@pytest.mark.parametrize("command", ["validate", "lint"])
def test_every_path_that_is_not_there_is_named(cli: Cli, command: str) -> None:
    put(a_json=role("A", GOOD))
    result = cli(command, "no", "a.json", "nothing", "x" * 5000)
    assert (result.code, result.out) == (3, "")
    assert result.err.count("error: ") == 3


def test_a_file_of_no_known_kind_is_reported(cli: Cli) -> None:
    put(a_json=role("A", GOOD), other_json='{"compilerOptions": {}}', ci_yaml="jobs: {}\non: push\n")
    for command in ("validate", "lint"):
        result = cli(command, ".", "--format", "json")
        assert result.code == 1
        assert result.document["unknown_files"] == ["ci.yaml", "other.json"]
        assert cli(command, ".", "--exit-zero").code == 0


def test_files_of_permcheck_itself_are_known(cli: Cli) -> None:
    put(
        permcheck_toml="[lint]\n",
        roles__a_json=role("A", GOOD),
        estate_yaml="users: [{upn: a@example.com}]\nhierarchies: [{id: P01}]\n",
    )
    Path("a.permcheck-test.yaml").write_text(
        "estate: estate.yaml\ncases: [{user: a@example.com, action: run-cmpivot, expect: deny}]\n", "utf-8"
    )
    Path("known.json").write_text('{"format": "permcheck-baseline/1", "findings": []}', "utf-8")
    result = cli("validate", ".", "--format", "json")
    assert (result.code, result.document["unknown_files"], result.document["problems"]) == (0, [], [])
    assert result.document["files"] == 5


def test_tests_and_configuration_are_held_against_their_forms(cli: Cli) -> None:
    Path("a.permcheck-test.yaml").write_text("estate: x\ncases: [{user: a, action: b, expect: maybe}]\n", "utf-8")
    Path("b.permcheck-test.json").write_text("{", "utf-8")
    put(conf__permcheck_toml="[lint]\nselct = 1\n")
    said = "\n".join(problems(cli, "."))
    assert "a.permcheck-test.yaml:2: `maybe` is not one of" in said
    assert "b.permcheck-test.json:1: " in said
    assert "unknown key `lint.selct`" in said


def test_policy_files_are_held_against_their_forms(cli: Cli) -> None:
    text = (ROOT / "policy" / "editions.yaml").read_text("utf-8")
    put(editions_yaml=text)
    head = "# yaml-language-server: $schema=schemas/policy-editions.schema.json\n"
    put(editions_yaml=head + text)
    assert cli("validate", "editions.yaml").code == 0
    put(editions_yaml=f"{head}oops: 1\n")
    assert "unknown key `oops`" in "\n".join(problems(cli, "editions.yaml"))


# --- broken files -----------------------------------------------------------------------------------------------------

BROKEN = {
    "empty.json": b"",
    "cut.json": b'{"displayName": "x",',
    "twice.json": b'{"displayName": "a",\n "displayName": "b", "permissions": []}',
    "page.json": b"<html>sign in</html>",
    "binary.json": b"\x00\x01\x02",
    "latin.json": '{"displayName": "\xe4"}'.encode("latin-1"),
    "deep.json": b"[" * 100_000,
    "nan.json": b'{"displayName": NaN}',
    "half.json": b'{"displayName": "\\ud800", "permissions": []}',
    "tab.yaml": b"users:\n\t- x\n",
    "twice.yaml": b"users: []\nusers: []\n",
    "bomb.yaml": b"a: &a [x,x,x,x,x,x,x,x,x]\n"
    + b"".join(b"%c: &%c [%s]\n" % (c, c, b",".join([b"*%c" % (c - 1)] * 9)) for c in range(98, 110))
    + b"users: *m\n",
    "shape.yaml": b"users:\n- {upn: 5}\n- {upm: a}\n",
    "cut.xml": b"<SMS_Roles><SMS_Role>",
    "entity.xml": b'<!DOCTYPE a [<!ENTITY b "c">]><SMS_Roles>&b;</SMS_Roles>',
}


@pytest.mark.parametrize("command", ["validate", "lint"])
@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_is_3_and_named(cli: Cli, command: str, name: str) -> None:
    Path(name).write_bytes(BROKEN[name])
    result = cli(command, name)
    if (command, name) == ("lint", "shape.yaml"):
        return  # the shape of an estate is the business of validate, and of the estate when it is named with -e
    assert result.code == 3, result
    assert name in result.out
    assert "Traceback" not in result.out + result.err


def test_several_problems_are_told_at_once_with_their_places(cli: Cli) -> None:
    for name, data in BROKEN.items():
        Path(name).write_bytes(data)
    put(a_json=role("A", BAD))
    result = cli("validate", ".", "--format", "json")
    assert result.code == 1, "a finding counts, whatever else can't be read"
    assert {p["file"] for p in result.document["problems"]} == set(BROKEN)
    assert [one["file"] for one in result.document["findings"]] == ["a.json"]
    lines = {p["file"]: p["line"] for p in result.document["problems"]}
    assert (lines["cut.json"], lines["tab.yaml"], lines["twice.yaml"]) == (1, 2, 2)
    assert cli("validate", ".", "--exit-zero").code == 3, "a file that can't be read is never hidden"


def test_the_answer_is_the_same_in_whatever_order_files_are_named(cli: Cli) -> None:
    put(b_json=role("B", BAD), a_json=role("A", BAD), c_json="{")
    assert (
        cli("validate", "c.json", "b.json", "a.json").out == cli("validate", "a.json", "b.json", "c.json", "a.json").out
    )


def test_a_crash_is_70(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(*_: object) -> None:
        raise ZeroDivisionError

    put(a_json=role("A", GOOD))
    monkeypatch.setattr(linter, "run_checks", crash)
    for command in ("validate", "lint"):
        result = cli(command, "a.json")
        assert (result.code, result.out) == (70, "")


def export(**fields: str) -> str:
    return json.dumps({"value": [fields]})


def test_a_part_of_an_estate_alone_is_in_order(cli: Cli) -> None:
    """A hook names the one export that changed: no check is about it, and nobody asked for one."""
    put(managed_json=export(id="1", deviceName="PC-1", managementAgent="configurationManagerClient"))
    result = cli("lint", "managed.json")
    assert (result.code, "note: these files are parts of an estate" in result.err) == (0, True)
    assert cli("lint", "managed.json", "--select", "PC301").code == 3, "somebody asked for it, and it did not run"


def test_a_configuration_alone_is_no_part_of_an_estate(cli: Cli) -> None:
    Path("permcheck.toml").write_text("strict = false\n", "utf-8")
    assert cli("lint", "permcheck.toml").code == 3


def test_a_check_without_its_data_is_no_pass(cli: Cli) -> None:
    put(a_json=role("A", GOOD))
    result = cli("lint", "a.json", "--select", "PC301")
    assert result.code == 3
    assert "not evaluated: PC301" in result.out
    assert "no estate was named" in result.out


def test_lint_needs_something(cli: Cli) -> None:
    assert cli("lint").code == 2


# --- expected decisions ------------------------------------------------------------------------------------------------

ASKED = """estate: estate
cases:
- {user: a@example.com, action: run-cmpivot, device: PC-1, expect: deny}
- {user: a@example.com, action: run-cmpivot, device: PC-1, expect: allow, why: she is on call}
- {user: a@example.com, action: run-cmpivot, device: PC-1, expect: allow, edition: 2020-07}
"""


def with_decisions(asked: str = ASKED) -> None:
    put(
        estate__e_yaml="complete: true\nusers: [{upn: a@example.com}]\nhierarchies: [{id: P01}]\ndevices: [{name: PC-1}]\n"
    )
    Path("desk.permcheck-test.yaml").write_text(asked, "utf-8")


def test_an_unexpected_decision_is_a_finding_at_its_line(cli: Cli) -> None:
    with_decisions()
    result = cli("lint", ".", "-e", "estate", "--select", "PC903", "--format", "json")
    assert result.code == 1
    found = result.document["findings"]
    assert [(one["line"], one["severity"]) for one in found] == [(4, "error"), (5, "error")]
    assert found[0]["message"] == "expected allow, got deny: `a@example.com run-cmpivot PC-1`"
    assert found[0]["help"].startswith("deny: a@example.com can't run-cmpivot")
    assert found[0]["help"].endswith("; why it must be allow: she is on call")
    assert len({one["key"] for one in found}) == 2, "cases that differ in the edition alone are two"


def test_expected_decisions_without_an_estate_or_without_files_are_not_evaluated(cli: Cli) -> None:
    with_decisions()
    for arguments, why in (
        (("lint", "."), "no estate was named: use -e"),
        (("lint", "-e", "estate"), "no file of expected decisions was given"),
    ):
        result = cli(*arguments, "--select", "PC903")
        assert (result.code, f"not evaluated: PC903: {why}" in result.out) == (3, True)


def test_a_decision_that_cant_be_asked_is_no_pass(cli: Cli) -> None:
    with_decisions(ASKED.replace("a@", "b@"))
    result = cli("lint", ".", "-e", "estate", "--select", "PC903")
    assert result.code == 3
    why = "desk.permcheck-test.yaml:3:3: no user is called `b@example.com`, and 2 other questions of the file"
    assert f"not evaluated: PC903: {why}\n" in result.out


def test_an_estate_is_looked_at_with_the_decisions_beside_it(cli: Cli) -> None:
    with_decisions()
    Path("desk.permcheck-test.yaml").rename("estate/desk.permcheck-test.yaml")
    assert "2 errors" in cli("lint", "-e", "estate", "--select", "PC903").out


# --- what was used ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("usage", "why"),
    [
        ("", "the estate does not say what was used"),
        ("since: 2026-10-18, until: 2026-10-31", "`A log` covers 14 days, and fewer than 90 tell little"),
        ("since: 2026-08-01, until: 2026-10-31", "`A log` does not record every action of any right to act"),
    ],
)
def test_a_log_that_tells_little_is_no_pass(cli: Cli, usage: str, why: str) -> None:
    log = f"usage: [{{source: A log, {usage}, actions: [run-script]}}]\n" if usage else ""
    if "08-01" in usage:
        log = log.replace("run-script", "view-scripts")
    put(e_yaml=f"complete: true\nusers: [{{upn: a@example.com}}]\n{log}")
    result = cli("lint", "-e", "e.yaml", "--select", "PC604")
    assert (result.code, f"not evaluated: PC604: {why}\n" in result.out) == (3, True), result


# --- estates ----------------------------------------------------------------------------------------------------------

TENANT = "tenant: {use_intune_rbac: on}\n"
PEOPLE = "users: [{upn: a@example.com}]\n"
GROUPS = "groups: [{name: Desk, members: [a@example.com]}]\n"
NOBODY = "groups: [{name: Desk, members: [b@example.com]}]\n"


def test_an_estate_in_one_file(cli: Cli) -> None:
    put(e_yaml=TENANT + PEOPLE + GROUPS)
    assert problems(cli, "e.yaml", code=0) == []
    put(e_yaml=TENANT + PEOPLE + NOBODY)
    (said,) = problems(cli, "e.yaml")
    assert said.startswith("e.yaml:3: ")
    assert "b@example.com" in said


def test_a_named_file_is_resolved_with_those_beside_it(cli: Cli) -> None:
    put(e__a_yaml=TENANT + PEOPLE, e__b_yaml=GROUPS)
    for paths in (("e/b.yaml",), ("e/a.yaml",), ("e",), ("e/b.yaml", "e/a.yaml")):
        assert problems(cli, *paths, code=0) == []


def test_what_a_named_file_breaks_in_another_is_reported(cli: Cli) -> None:
    """The user was renamed in a.yaml; b.yaml still names her."""
    put(e__a_yaml="users: [{upn: z@example.com}]\n", e__b_yaml=GROUPS)
    (said,) = problems(cli, "e/a.yaml")
    assert said.startswith("e/b.yaml:1: ")


def test_what_is_wrong_in_another_file_by_itself_is_not_reported(cli: Cli) -> None:
    put(e__a_yaml=PEOPLE, e__b_yaml="groups:\n- {name: Desk, oops: 1}\n")
    (said,) = problems(cli, "e/a.yaml", code=0)
    assert said.startswith("e/a.yaml:0: names in it were not looked up: `e/b.yaml`")
    assert len(problems(cli, "e")) >= 1


def test_a_folder_of_several_estates_in_a_folder_each(cli: Cli) -> None:
    put(all__one__e_yaml=TENANT + PEOPLE + GROUPS, all__two__e_yaml=TENANT + PEOPLE + NOBODY)
    (said,) = problems(cli, "all")
    assert said.startswith("all/two/e.yaml:3: ")
    assert problems(cli, "all/one/e.yaml", code=0) == []


def test_a_folder_of_several_estates_in_a_file_each(cli: Cli) -> None:
    put(one_yaml=TENANT + PEOPLE + GROUPS, two_yaml=TENANT + PEOPLE + NOBODY)
    (said,) = problems(cli, ".")
    assert said.startswith("two.yaml:3: ")
    assert problems(cli, "one.yaml", code=0) == []


def test_an_estate_with_folders_below_it(cli: Cli) -> None:
    put(e__a_yaml=TENANT + PEOPLE, e__groups__b_yaml=GROUPS, mkdocs_yml="site_name: x\n")
    assert problems(cli, "e/groups/b.yaml", code=0) == []
    put(e__groups__b_yaml=NOBODY)
    assert len(problems(cli, "e/groups/b.yaml")) == 1
    assert len(problems(cli, "e/a.yaml")) == 1


@pytest.mark.parametrize("tenant", [TENANT, ""])
def test_an_estate_that_lies_beside_or_above_is_another_one(cli: Cli, tenant: str) -> None:
    """What is one estate is told by the folder, never by what lies near it."""
    put(estate__a_yaml=tenant + PEOPLE, estate__b_yaml=GROUPS, estate__more__c_yaml="devices: [{name: PC-1}]\n")
    put(other_yaml=TENANT + PEOPLE + GROUPS, estate2__a_yaml=TENANT + PEOPLE + NOBODY)
    for paths in (("estate",), ("./estate", "other.yaml"), ("estate/a.yaml", "estate/b.yaml")):
        if tenant or "estate/a.yaml" not in paths:  # else it may be a part of what lies above it
            assert problems(cli, *paths, code=0) == []
    (said,) = problems(cli, ".") if tenant else problems(cli, "estate2")
    assert said.startswith("estate2/a.yaml:3: ")


def test_the_configuration_says_that_what_lies_beside_belongs_together(cli: Cli) -> None:
    put(people_yaml=PEOPLE, estate__b_yaml=GROUPS, permcheck_toml='estate = "."\n')
    assert problems(cli, "estate", code=0) == []
    Path("permcheck.toml").unlink()
    (said,) = problems(cli, "estate")
    assert said.startswith("estate/b.yaml:1: ")


def test_several_examples_beside_each_other_have_no_problems(cli: Cli) -> None:
    """Every one of them is an estate, whatever lies around it."""
    for name in ("contoso", "lab"):
        shutil.copytree(ROOT / "examples" / name, name)
    shutil.copy(ROOT / "examples" / "preview-2006" / "estate.yaml", "second.yaml")
    for paths in (("contoso",), ("lab",), ("second.yaml",), ("contoso", "second.yaml"), (".",)):
        result = cli("validate", *paths, "--format", "json", "--fail-on", "error")
        assert [p["message"] for p in result.document["problems"] if p["severity"] == "error"] == []


def test_the_configuration_says_what_is_one_estate(cli: Cli) -> None:
    put(e__people__a_yaml=TENANT + PEOPLE, e__groups__b_yaml=GROUPS)
    assert len(problems(cli, "e/groups/b.yaml")) == 1, "two folders without a file above them"
    put(permcheck_toml='estate = "e"\n')
    assert problems(cli, "e/groups/b.yaml", code=0) == []
    put(e__people__a_yaml="users: [{upn: z@example.com}]\n")
    (said,) = problems(cli, "e/people/a.yaml")
    assert said.startswith("e/groups/b.yaml:1: ")


def test_roles_in_a_file_of_their_own_need_no_users(cli: Cli) -> None:
    put(roles_yaml="security_roles:\n- {name: Desk, permissions: {Collection: [Read]}}\n")
    assert problems(cli, "roles.yaml", code=0) == []


def test_facts_beside_exports_are_resolved_with_them(cli: Cli) -> None:
    folder = os.path.relpath(ROOT / "examples" / "exports")
    assert problems(cli, f"{folder}/facts.yaml", code=0) == []


@pytest.mark.parametrize("name", ["contoso", "lab", "preview-2006"])
def test_the_examples_have_no_problems(cli: Cli, name: str) -> None:
    result = cli("validate", str(ROOT / "examples" / name), "--format", "json", "--fail-on", "error")
    assert (result.code, result.document["unknown_files"]) == (0, [])
    assert not [p for p in result.document["problems"] if p["severity"] == "error"]


# --- fixes ------------------------------------------------------------------------------------------------------------


def fixable(file: Path, text: str, *edits: tuple[int, int, str]) -> Finding:
    """Write a file, and make a finding that has edits of it."""
    file.write_bytes(text.encode())
    made = tuple(Edit(str(file), *edit) for edit in edits)
    return Finding(Place(str(file), 1, 1), "PC104", "x", "info", "confirmed", "m", "s", "h", made)


def made(*findings: Finding) -> str:
    (changed,) = changes_of(findings)
    write(changed)
    return changed.file.read_bytes().decode("utf-8", "replace")


def test_edits_are_made_from_the_end(tmp_path: Path) -> None:
    found = fixable(tmp_path / "a.json", '["aa", "bb", "cc"]', (7, 11, '"longer"'), (1, 5, '"x"'))
    assert made(found) == '["x", "longer", "cc"]'


def test_an_edit_that_overlaps_another_waits(tmp_path: Path) -> None:
    text = '["aa", "bb", "cc"]'
    first = fixable(tmp_path / "a.json", text, (1, 7, ""))
    second = fixable(tmp_path / "a.json", text, (5, 11, ""))
    assert made(first, second) == '["bb", "cc"]'
    assert made(first._replace(edits=()), fixable(tmp_path / "b.json", text, (1, 7, ""))) == '["bb", "cc"]'


def test_the_same_edit_twice_is_one(tmp_path: Path) -> None:
    found = fixable(tmp_path / "a.json", '["aa", "bb"]', (1, 7, ""))
    assert made(found, found._replace(message="again")) == '["bb"]'


def test_the_edits_of_a_finding_are_made_together_or_not(tmp_path: Path) -> None:
    text = '["aa", "bb", "cc"]'
    first = fixable(tmp_path / "a.json", text, (1, 5, '"x"'))
    second = fixable(tmp_path / "a.json", text, (2, 3, "y"), (13, 17, '"z"'))
    assert made(first, second) == '["x", "bb", "cc"]'


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_encoding_and_line_ends_stay(tmp_path: Path, encoding: str, end: str) -> None:
    text = f'["ä😀",{end} "bb"]{end}'
    mark = "\ufeff" if encoding.startswith("utf-16") else ""
    found = fixable(tmp_path / "a.json", text, (1, 5, '"x",\n "y"'))
    (tmp_path / "a.json").write_bytes((mark + text).encode(encoding))
    made(found)
    assert (tmp_path / "a.json").read_bytes() == (mark + f'["x",{end} "y",{end} "bb"]{end}').encode(encoding)


def test_a_fix_that_breaks_a_file_is_not_made(tmp_path: Path) -> None:
    found = fixable(tmp_path / "a.json", '["aa"]', (0, 1, ""))
    with pytest.raises(LoadError, match="would break the file"):
        list(changes_of([found]))
    assert (tmp_path / "a.json").read_text("utf-8") == '["aa"]'


@pytest.mark.skipif(sys.platform == "win32", reason="modes and links of POSIX")
def test_mode_and_link_stay(tmp_path: Path) -> None:
    found = fixable(tmp_path / "a.json", '["aa"]', (1, 5, '"x"'))
    (tmp_path / "a.json").chmod(0o640)
    (tmp_path / "link.json").symlink_to("a.json")
    made(found._replace(edits=tuple(edit._replace(file=str(tmp_path / "link.json")) for edit in found.edits)))
    assert (tmp_path / "link.json").is_symlink()
    assert (tmp_path / "a.json").read_text("utf-8") == '["x"]'
    assert stat.S_IMODE((tmp_path / "a.json").stat().st_mode) == 0o640
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.json", "link.json"]


def test_a_diff_is_unified_and_safe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    found = fixable(Path("a.json"), '[\n "\x7f\u202e\u2028",\n "b"]', (11, 14, '"c"'))
    (changed,) = changes_of([found])
    assert diff(changed).splitlines() == [
        "--- a/a.json", "+++ b/a.json", "@@ -1,3 +1,3 @@", " [", '  "\\x7f\\u202e\\u2028",',
        '- "b"]', "\\ No newline at end of file", '+ "c"]', "\\ No newline at end of file",
    ]  # fmt: skip


def fix_example() -> tuple[str, str, str]:
    """A check whose bad example can be fixed by itself, with the file."""
    from permcheck.loading.policy import load_policy

    for facts in check_facts.load_checks().values():
        if not facts.cheap:
            continue
        for one in facts.bad:
            Path(one.file).write_text(one.text, "utf-8")
            report = linter.validate([Path(one.file)], load_policy(), linter.Settings(select=(facts.id,)))
            Path(one.file).unlink()
            if any(found.edits for found in report.findings):
                return facts.id, one.file, one.text
    pytest.skip("no check has a fix yet")


def test_fix_and_diff_from_the_command_line(cli: Cli) -> None:
    check, file, text = fix_example()
    Path(file).write_text(text, "utf-8")
    shown = cli("validate", file, "--select", check, "--diff")
    assert shown.code in {0, 1}
    assert shown.out.startswith(f"--- a/{file}\n+++ b/{file}\n@@ ")
    assert Path(file).read_text("utf-8") == text
    assert cli("validate", file, "--select", check, "--diff", "--fix").out == shown.out
    assert Path(file).read_text("utf-8") == text
    fixed = cli("validate", file, "--select", check, "--fix", "--fail-on", "info")
    assert (fixed.code, f"changed {file}" in fixed.err) == (0, True), fixed
    assert Path(file).read_text("utf-8") != text
    assert cli("validate", file, "--select", check, "--fail-on", "info").code == 0


# --- the compiled facts -----------------------------------------------------------------------------------------------


def test_the_compiled_facts_are_those_of_the_files(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled = dict(check_facts.load_checks())
    monkeypatch.setattr(check_facts, "COMPILED", "no-such-file.json")
    check_facts.load_checks.cache_clear()
    read = dict(check_facts.load_checks())
    check_facts.load_checks.cache_clear()
    assert read == compiled
    assert list(read) == sorted(read)
    assert all(type(read[id_].data) is type(compiled[id_].data) for id_ in read)


def test_the_quick_path_imports_nothing_heavy(tmp_path: Path) -> None:
    import subprocess

    (tmp_path / "a.json").write_text(role("A", GOOD), "utf-8")
    program = (
        "import sys; from permcheck.cli.main import guarded; code = guarded(['validate', 'a.json']); "
        "print(code, *({'jsonschema', 'networkx', 'rich', 'permcheck.api'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "0"
