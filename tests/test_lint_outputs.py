"""What is found, printed: every format says all of it, in its own form, and no name becomes a command."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from xml.etree import ElementTree as ET

import pytest
from jsonschema import Draft4Validator, Draft202012Validator
from permcheck.checks.finding import Edit, Finding, NotRun, Place
from permcheck.checks.lint import Report
from permcheck.checks.output.formats import FORMATS, report_text
from permcheck.cli.lint import FORMATS as OFFERED
from permcheck.cli.main import guarded
from permcheck.errors import Problem
from permcheck.loading.data import data_root
from permcheck.model.findings import FindingsDocument

SLICE = json.loads((Path(__file__).parent / "schemas" / "sarif-slice.schema.json").read_text("utf-8"))
FULL = os.environ.get("PERMCHECK_SARIF_SCHEMA", "")
"""Where the schema of OASIS lies, for those who have it."""
HOSTILE = "a%|`<b>,;]::\n##vso[task.setvariable variable=x]y\x1b[31m\u202e@everyone"
ROLE = '{"displayName": "Desk", "rolePermissions": [{"resourceActions": [{"allowedResourceActions": ["Microsoft.Intune_CloudAttach_RunCMPivot"]}]}]}'


def finding(file: str = "roles/desk.json", **other: Any) -> Finding:
    given = {
        "line": 3,
        "column": 5,
        "end_column": 9,
        "severity": "warning",
        "message": "too much",
        "subject": "Desk/x",
    } | other
    place = Place(file, given["line"], given["column"], given["end_column"])
    return Finding(
        place,
        given.get("check", "PC104"),
        "included-permission",
        given["severity"],
        "derived",
        given["message"],
        given["subject"],
        given.get("help", "less"),
        given.get("edits", ()),
    )


def report(*findings: Finding, **other: Any) -> Report:
    given: dict[str, Any] = {"not_run": (), "problems": (), "unknown": ()} | other
    return Report(findings, given["not_run"], given["problems"], given["unknown"], 7, ("PC101", "PC104"), 2)


EVERYTHING = report(
    finding(),
    finding(severity="error", message="worse"),
    finding(severity="info", message="well", line=0, column=0, end_column=0),
    not_run=(NotRun("PC301", "many-full-administrators", "no estate was named: use -e"),),
    problems=(Problem("roles/broken.json", 2, 4, "syntax", "the JSON ends too early", "export it again"),),
    unknown=("roles/other.json",),
)
EVIL = report(
    finding(HOSTILE, message=HOSTILE, subject=HOSTILE, help=HOSTILE),
    finding(HOSTILE, message=HOSTILE, severity="info"),
    problems=(Problem(HOSTILE, 0, 0, "syntax", HOSTILE, HOSTILE),),
    unknown=(HOSTILE,),
    not_run=(NotRun("PC301", "many", HOSTILE),),
)


def sarif(of: Report) -> Any:
    document = json.loads(report_text(of, "sarif"))
    Draft202012Validator(SLICE).validate(document)
    if FULL:
        Draft4Validator(json.loads(Path(FULL).read_text("utf-8"))).validate(document)
    return document["runs"][0]


def test_the_command_offers_every_format() -> None:
    assert OFFERED == FORMATS


def test_a_format_that_nobody_knows_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        report_text(EVERYTHING, "yaml")


@pytest.mark.parametrize("format_", FORMATS)
def test_every_format_says_everything(format_: str) -> None:
    text = report_text(EVERYTHING, format_)
    assert text.endswith("\n")
    for said in ("too much", "worse", "well", "the JSON ends too early", "nothing is known", "no estate was named"):
        assert said in text or (format_ == "json" and said == "nothing is known"), said
    assert "roles/other.json" in text.replace("\\", "")


@pytest.mark.parametrize("format_", FORMATS)
def test_a_clean_report_says_so(format_: str) -> None:
    assert report_text(report(), format_)


@pytest.mark.parametrize("format_", FORMATS)
def test_nothing_that_a_terminal_obeys_is_printed(format_: str) -> None:
    text = report_text(EVIL, format_)
    assert "\x1b" not in text
    assert "\u202e" not in text


@pytest.mark.parametrize("format_", ["text", "github", "azuredevops", "markdown"])
def test_no_name_becomes_a_command_of_a_pipeline(format_: str) -> None:
    for line in report_text(EVIL, format_).splitlines():
        if format_ in {"text", "azuredevops"}:
            assert "##vso[task.set" not in line or line.startswith("##vso[task.logissue "), line
        assert line.count("##vso[task.logissue") <= 1
        if line.lstrip().startswith("::"):
            assert format_ == "github"
            assert re.match(r"::(error|warning|notice) (?:\w+=[^,:\r\n]+,?)+::", line), line


def test_text_shows_the_line_and_marks_what_is_meant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("roles").mkdir()
    Path("roles/desk.json").write_text("one\ntwo\nabc defg hij\n", "utf-8")
    lines = report_text(report(finding()), "text").splitlines()
    assert lines[0] == "roles/desk.json:3:5: warning: PC104 too much [included-permission]"
    assert lines[1:3] == ["    3 | abc defg hij", "      |     ^^^^"]
    assert lines[3] == "  help: less"


@pytest.mark.parametrize("text", ["", "x", "\n\n", "\t\t" + "x" * 3000, "\x1b[31m" * 40 + "\n\n\x1b"])
def test_a_file_that_changed_meanwhile_breaks_no_frame(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.json").write_text(text, "utf-8")
    for line, column in ((1, 1), (1, 2900), (3, 1), (9, 9)):
        found = finding(str(tmp_path / "a.json"), line=line, column=column, end_column=column + 4)
        assert "\x1b" not in report_text(report(found), "text")


# --- JSON -------------------------------------------------------------------------------------------------------------


def test_json_keeps_its_form() -> None:
    schema = json.loads((data_root() / "schemas" / "findings.schema.json").read_text("utf-8"))
    for one in (EVERYTHING, EVIL, report()):
        document = json.loads(report_text(one, "json"))
        Draft202012Validator(schema).validate(document)
        FindingsDocument.model_validate(document)


def test_json_keeps_names_as_they_are() -> None:
    document = json.loads(report_text(EVIL, "json"))
    assert document["findings"][0]["message"] == HOSTILE
    assert document["unknown_files"] == [HOSTILE]


# --- SARIF ------------------------------------------------------------------------------------------------------------


def test_sarif_keeps_the_form_of_the_standard() -> None:
    for one in (EVERYTHING, EVIL, report()):
        sarif(one)


def test_sarif_names_the_rule_of_every_result() -> None:
    run = sarif(EVERYTHING)
    rules = run["tool"]["driver"]["rules"]
    assert [rules[one["ruleIndex"]]["id"] for one in run["results"]] == [one["ruleId"] for one in run["results"]]
    assert {rule["id"] for rule in rules} == {"PC000", "PC101", "PC104", "PC301"}


def test_sarif_tells_what_was_not_evaluated_and_that_a_file_was_broken() -> None:
    (invocation,) = sarif(EVERYTHING)["invocations"]
    assert invocation["executionSuccessful"] is False
    (note,) = invocation["toolExecutionNotifications"]
    assert note["descriptor"]["id"] == "PC301"
    assert "no estate was named" in note["message"]["text"]


def test_sarif_regions_count_from_one() -> None:
    regions = [one["locations"][0].get("physicalLocation", {}).get("region") for one in sarif(EVERYTHING)["results"]]
    assert {"startLine": 3, "startColumn": 5, "endColumn": 9} in regions
    assert all(region is None or min(region.values()) >= 1 for region in regions)


def test_a_fingerprint_stays_when_lines_move() -> None:
    def of(**other: Any) -> Any:
        return sarif(report(finding(**other)))["results"][0]["partialFingerprints"]

    assert of() == of(line=90, column=1, end_column=2)
    assert of() != of(subject="Desk/y")
    assert of() != of(file="roles/other.json")


def test_a_fingerprint_is_the_same_wherever_permcheck_was_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a" / "roles").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "a")
    keys = {
        finding(file).key(tmp_path)
        for file in ("roles/desk.json", str(tmp_path / "a/roles/desk.json"), "../a/roles/desk.json")
    }
    assert keys == {"PC104|a/roles/desk.json|Desk/x"}


def test_sarif_fixes_are_edits() -> None:
    run = sarif(report(finding(edits=(Edit("roles/desk.json", 9, 12, "b"), Edit("roles/desk.json", 2, 5, "")))))
    (change,) = run["results"][0]["fixes"][0]["artifactChanges"]
    assert change["artifactLocation"]["uri"] == "roles/desk.json"
    assert [r["deletedRegion"] for r in change["replacements"]] == [
        {"charOffset": 2, "charLength": 3},
        {"charOffset": 9, "charLength": 3},
    ]


@pytest.mark.parametrize("name", ["ä ö.json", "a:b.json", "50%.json", "a#b?.json", "c\\d.json"])
def test_sarif_names_files_as_uris(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    location = sarif(report(finding(name)))["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]
    assert unquote(location["uri"]).removeprefix("./") == name
    assert not re.match(r"[a-z]+:", location["uri"])


def test_sarif_places_what_stands_in_no_file_by_name() -> None:
    result = sarif(report(finding("contoso", line=0, column=0, end_column=0)))["results"][0]
    assert result["locations"] == [{"logicalLocations": [{"fullyQualifiedName": "contoso"}]}]


# --- JUnit, GitHub, Azure DevOps, Markdown ----------------------------------------------------------------------------


def test_junit_counts_and_can_be_read() -> None:
    for one, cases in ((EVERYTHING, 3 + 2 + 1 + 1), (EVIL, 2 + 2 + 1 + 1), (report(), 2)):
        suite = ET.fromstring(report_text(one, "junit"))[0]
        assert len(suite) == cases == int(suite.get("tests", ""))
        for kind, count in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
            assert len(suite.findall(f"testcase/{kind}")) == int(suite.get(count, ""))


def test_junit_holds_what_xml_can_hold() -> None:
    ET.fromstring(report_text(report(finding(message="\x00\x0b\ufffe\ud800\U0001f600 ]]>")), "junit"))


def test_github_annotates_the_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    first = report_text(report(finding(message="100%: a, b")), "github").splitlines()[0]
    assert (
        first
        == "::warning file=roles/desk.json,line=3,col=5,endColumn=9,title=PC104 included-permission::100%25: a, b%0Aless"
    )


def test_azure_logs_an_issue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    first = report_text(report(finding("roles/a];b.json", message="100%")), "azuredevops").splitlines()[0]
    assert (
        first
        == "##vso[task.logissue type=warning;sourcepath=roles/a%5D%3Bb.json;linenumber=3;columnnumber=5;code=PC104;]100%AZP25 (less)"
    )


def test_markdown_is_one_table_whatever_the_names_are() -> None:
    lines = report_text(EVIL, "markdown").splitlines()
    table = [line for line in lines if line.startswith("|")]
    assert len(table) == 2 + 4
    assert all(len(re.findall(r"(?<!\\)\|", line)) == 6 for line in table)
    assert not any(re.search(r"(?<!\\)<b|@everyone", line) for line in table)


# --- from the command line --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("format_", FORMATS)
def test_the_command_prints_each(
    format_: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("role.json").write_text(ROLE, "utf-8")
    assert guarded(["validate", "role.json", "--format", format_]) == 1
    out, err = capsys.readouterr()
    assert "PC101" in out
    assert "role.json" in out
    assert err == ""
    if format_ == "sarif":
        Draft202012Validator(SLICE).validate(json.loads(out))
