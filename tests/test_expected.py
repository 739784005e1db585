"""`permcheck test`: expected decisions, what differs, what can't be asked."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from commands import Cli, Result
from jsonschema import Draft202012Validator
from permcheck.checks.expected import expected_files, run_expected
from permcheck.errors import LoadError
from permcheck.loading.data import data_root

CONTOSO = (Path(__file__).parent.parent / "examples" / "contoso").as_posix()
ALLOWED: dict[str, Any] = {
    "user": "helpdesk@contoso.com",
    "action": "run-cmpivot",
    "device": "PC-1042",
    "expect": "allow",
}
DENIED = ALLOWED | {"action": "run-script", "expect": "deny"}


@pytest.fixture(name="cli")
def a_cli(cli: Cli) -> Cli:
    return partial(cli, "test")


def expected(*cases: Any, name: str = "a", estate: str = CONTOSO) -> str:
    path = Path(f"{name}.permcheck-test.json")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"estate": estate, "cases": cases}, indent=0), "utf-8")
    return str(path)


def test_expected_decisions_are_0(cli: Cli) -> None:
    expected(ALLOWED, DENIED)
    assert cli(".") == Result(0, "2 passed, 0 failed (1 files)\n", "")


def test_a_difference_is_1_and_says_what_and_why(cli: Cli) -> None:
    expected(ALLOWED, DENIED | {"expect": "allow", "why": "she is on call"})
    result = cli(".")
    assert result.code == 1
    lines = result.out.splitlines()
    assert (
        lines[0]
        == "a.permcheck-test.json:10:1: error: helpdesk@contoso.com run-script PC-1042: expected allow, got deny"
    )
    assert lines[1].startswith("  deny: helpdesk@contoso.com can't run-script")
    assert lines[2] == "  why it must be allow: she is on call"
    assert lines[3] == "1 passed, 1 failed (1 files)"


def test_yaml_says_the_same(cli: Cli) -> None:
    Path("a.permcheck-test.yaml").write_text(
        f"estate: {CONTOSO}\ncases:\n- {json.dumps(ALLOWED)}\n- {json.dumps(DENIED)}\n", "utf-8"
    )
    assert cli(".").code == 0


def test_an_estate_is_named_from_the_file(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("estates").mkdir()
    facts = "complete: true\nusers: [{upn: a@example.com}]\nhierarchies: [{id: P01}]\ndevices: [{name: PC-1}]\n"
    Path("estates/e.yaml").write_text(facts, "utf-8")
    case = {"user": "a@example.com", "action": "run-cmpivot", "device": "PC-1", "expect": "deny"}
    file = expected(case, name="deep/down/a", estate="../../estates/e.yaml")
    assert cli(file).code == 0
    monkeypatch.chdir("deep")
    assert cli("down").code == 0


def test_without_any_file_a_hook_is_content_and_nobody_else(cli: Cli) -> None:
    assert cli(".").code == 3
    result = cli(".", "--if-any")
    assert (result.code, result.out) == (0, "")
    assert result.err == "note: there are no expected decisions here, so nothing was compared\n"
    assert cli("nowhere.permcheck-test.yaml", "--if-any").code == 3


def test_a_case_has_its_edition_and_readings(cli: Cli) -> None:
    readings = {"all-scope-on-collections": "no-collections"}
    expected(ALLOWED | {"readings": readings}, ALLOWED | {"edition": "2020-07", "expect": "deny"}, ALLOWED)
    assert cli(".").code == 0


@pytest.mark.parametrize(
    ("case", "says"),
    [
        (ALLOWED | {"user": "helpdsk@contoso.com"}, "helpdsk@contoso.com"),
        (ALLOWED | {"action": "run-cmpivt"}, "run-cmpivt"),
        (ALLOWED | {"device": "PC-9"}, "PC-9"),
        (ALLOWED | {"edition": "1999"}, "no edition is called `1999`"),
        (ALLOWED | {"readings": {"x": "y"}}, "no reading is called `x`"),
    ],
)
def test_a_question_that_cant_be_asked_is_3(cli: Cli, case: Any, says: str) -> None:
    expected(ALLOWED, case)
    result = cli(".")
    assert result.code == 3
    assert says in result.out
    assert result.out.startswith("a.permcheck-test.json:10:1: error: ")
    assert "1 passed, 0 failed, 1 not answered" in result.out


def test_a_difference_beats_what_cant_be_asked(cli: Cli) -> None:
    expected(ALLOWED | {"device": "PC-9"}, ALLOWED | {"expect": "deny"})
    assert cli(".").code == 1


@pytest.mark.parametrize(
    ("document", "says"),
    [
        ({"estate": CONTOSO, "cases": []}, "must not be empty"),
        ({"cases": [ALLOWED]}, "the key `estate` is missing"),
        ({"estate": CONTOSO, "cases": [ALLOWED | {"expect": "maybe"}]}, "`maybe` is not one of"),
        ({"estate": CONTOSO, "cases": [ALLOWED | {"usr": "x"}]}, "unknown key `usr`"),
        ({"estate": "nowhere", "cases": [ALLOWED]}, "there is no such file or folder"),
        ([], ""),
    ],
)
def test_a_file_that_cant_be_used_is_3(cli: Cli, document: Any, says: str) -> None:
    Path("a.permcheck-test.json").write_text(json.dumps(document), "utf-8")
    expected(ALLOWED, name="b")
    result = cli(".")
    assert result.code == 3
    assert says in result.out
    assert "1 passed" in result.out


def test_no_file_is_3(cli: Cli) -> None:
    Path("a.json").write_text("{}", "utf-8")
    for path in (".", "nowhere.permcheck-test.yaml"):
        result = cli(path)
        assert (result.code, "1 passed" in result.out) == (3, False)


def test_expected_files_are_found_by_their_names(tmp_path: Path, cli: Cli) -> None:
    assert cli is not None
    for name in (
        "b.permcheck-test.yml",
        "a.permcheck-test.yaml",
        "c.yaml",
        "d.permcheck-test.yaml.bak",
        ".x.permcheck-test.yaml",
    ):
        (tmp_path / name).write_text("x", "utf-8")
    assert [path.name for path in expected_files([tmp_path])] == ["a.permcheck-test.yaml", "b.permcheck-test.yml"]
    with pytest.raises(LoadError):
        run_expected([])


def test_json_holds_every_case(cli: Cli) -> None:
    expected(ALLOWED, DENIED | {"expect": "allow"}, ALLOWED | {"device": "PC-9"})
    document = json.loads(cli(".", "--format", "json").out)
    assert document["format"] == "permcheck-tests/1"
    assert [(case["expect"], case["got"]) for case in document["cases"]] == [("allow", "allow"), ("allow", "deny")]
    assert (document["passed"], document["failed"], len(document["problems"])) == (1, 1, 1)


def test_junit_counts(cli: Cli) -> None:
    expected(ALLOWED, DENIED | {"expect": "allow", "why": "a\x1b<b>"}, ALLOWED | {"device": "PC-9"})
    suite = ET.fromstring(cli(".", "--format", "junit").out)[0]
    assert [suite.get(key) for key in ("tests", "failures", "errors")] == ["3", "1", "1"]
    assert [len(suite.findall(f"testcase/{kind}")) for kind in ("failure", "error")] == [1, 1]


def test_the_schema_says_the_same_as_the_form() -> None:
    schema = json.loads((data_root() / "schemas" / "test.schema.json").read_text("utf-8"))
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema).validate({"$schema": "x", "estate": "e", "cases": [ALLOWED, DENIED]})
    assert not Draft202012Validator(schema).is_valid({"estate": "e", "cases": []})
