"""The examples load, and give the answers that their comments and the documents promise."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import permcheck
import pytest
from jsonschema import Draft202012Validator
from permcheck.api import Estate, load
from permcheck.exports.folder import read_exports
from permcheck.exports.report import report
from permcheck.loading.policy import load_policy
from permcheck.model.change import SetFact
from permcheck.model.state import State, Verdict
from yaml import safe_load

ROOT = Path(__file__).parent.parent
EXAMPLES = ROOT / "examples"
NAMES = sorted(path.name for path in EXAMPLES.iterdir() if path.is_dir())
FILES = sorted(EXAMPLES.rglob("*.yaml"))


@cache
def example(name: str) -> Estate:
    """An example, loaded once."""
    return load(EXAMPLES / name)


@pytest.mark.parametrize("name", NAMES)
def test_loads_without_a_warning(name: str) -> None:
    assert example(name).warnings == ()


def test_an_estate_can_be_loaded_twice() -> None:
    """The name `permcheck.load` stays the function, though a package inside is called the same."""
    for _ in range(2):
        assert permcheck.load(EXAMPLES / "preview-2006").name == "Fabrikam, preview of 2020"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(EXAMPLES)))
def test_file_names_its_schema_and_is_valid(path: Path) -> None:
    text = path.read_text("utf-8")
    assert text.startswith("# yaml-language-server: $schema=../../schemas/estate.schema.json\n")
    schema = json.loads((ROOT / "schemas" / "estate.schema.json").read_text("utf-8"))
    assert list(Draft202012Validator(schema).iter_errors(safe_load(text))) == []


@pytest.mark.parametrize("name", ["contoso", "preview-2006"])
def test_answers_are_certain(name: str) -> None:
    """Every fact is stated: what stays open is only what the documents leave open."""
    estate = example(name)
    actions = [action for action in estate.policy.actions.values() if action.target == "device"]
    for user in estate.tables.users.values():
        for device in estate.tables.devices.values():
            for action in actions:
                decision = estate.check(user.upn, action.id, device.name)
                facts = [missing.fact for missing in decision.missing if not _is_of_documents(missing.fact)]
                assert facts == [], (user.upn, action.id, device.name)
                assert not any(requirement.assumed for requirement in decision.requirements)


def _is_of_documents(fact: str) -> bool:
    return fact.startswith(("documents", "edition ", "reading "))


# --- the four questions of the page of August 2022 -------------------------------


def test_cloud_only_users_get_access_under_intune() -> None:
    """Source: intune-rbac-2022-08/faq-cloud-only."""
    decision = example("contoso").check("cloud-helpdesk@contoso.com", "run-cmpivot", "PC-0042")
    assert decision.verdict is Verdict.ALLOW
    assert str(decision.authority) == "intune"
    assert not any(requirement.side == "configmgr" and requirement.counts for requirement in decision.requirements)


def test_production_that_enforces_refuses_them() -> None:
    """Source: intune-rbac-2022-08/faq-two-hierarchies."""
    decision = example("contoso").check("cloud-helpdesk@contoso.com", "run-cmpivot", "PC-1042")
    assert decision.verdict is Verdict.DENY
    assert decision.error is not None
    assert decision.error.id == "e1"
    assert "IDENT-SYNCED" in [requirement.id for requirement in decision.unmet]


def test_the_toggle_is_for_all_hierarchies() -> None:
    """Source: intune-rbac-2022-08/faq-hierarchies. Clearing the other checkbox is all that is left to do."""
    clear = SetFact("hierarchy", "prd", "enforce_configmgr_rbac", "cleared")
    cleared = example("contoso").with_changes(clear)
    off = cleared.with_changes(SetFact("tenant", "", "use_intune_rbac", "Off"))
    for device in ("PC-0042", "PC-1042"):
        decision = cleared.check("cloud-helpdesk@contoso.com", "run-cmpivot", device)
        assert (decision.verdict, str(decision.authority)) == (Verdict.ALLOW, "intune")
        decision = off.check("cloud-helpdesk@contoso.com", "run-cmpivot", device)
        assert (decision.verdict, str(decision.authority)) == (Verdict.DENY, "configmgr")


def test_with_the_toggle_off_a_cleared_checkbox_does_nothing() -> None:
    """Source: intune-rbac-2022-08/faq-mismatch."""
    off = example("contoso").with_changes(SetFact("tenant", "", "use_intune_rbac", "Off"))
    decision = off.check("cloud-helpdesk@contoso.com", "run-cmpivot", "PC-0042")
    assert decision.verdict is Verdict.DENY
    assert str(decision.authority) == "configmgr"
    switches = {requirement.id: requirement for requirement in decision.requirements if requirement.side == "switch"}
    assert switches["TOGGLE-TENANT"].state is State.UNMET
    assert switches["TOGGLE-HIERARCHY"].state is State.MET
    assert not any(requirement.counts for requirement in switches.values())


# --- what the comments promise ---------------------------------------------------

PROMISES = [
    ("contoso", "helpdesk@contoso.com", "run-cmpivot", "PC-1042", None, "allow"),
    ("contoso", "helpdesk@contoso.com", "run-script", "PC-0042", "Clear print queue", "allow"),
    ("contoso", "helpdesk@contoso.com", "run-script", "PC-1042", None, "deny"),
    ("contoso", "helpdesk-utrecht@contoso.com", "run-cmpivot", "PC-1042", None, "allow"),
    ("contoso", "former-helpdesk@contoso.com", "run-cmpivot", "PC-0042", None, "deny"),
    ("contoso", "intune-admin@contoso.com", "run-script", "PC-0042", "Clear print queue", "allow"),
    ("contoso", "intune-admin@contoso.com", "run-cmpivot", "PC-1042", None, "deny"),
    ("contoso", "cm-admin@contoso.com", "run-script", "PC-1042", "Clear print queue", "allow"),
    ("contoso", "cm-console@contoso.com", "run-cmpivot", "PC-1042", None, "deny"),
    ("contoso", "cm-console@contoso.com", "start-cmpivot-console", "PC-1042", None, "allow"),
    ("contoso", "on-call@contoso.com", "run-cmpivot", "PC-0042", None, "deny"),
    ("contoso", "auditor@contoso.com", "view-scripts", "PC-0042", None, "allow"),
    ("contoso", "auditor@contoso.com", "run-script", "PC-0042", None, "deny"),
    ("contoso", "packager@contoso.com", "take-application-action:uninstall", "PC-1042", "7-Zip", "allow"),
    ("contoso", "packager@contoso.com", "take-application-action:uninstall", "PC-1042", "Contoso VPN", "deny"),
    ("contoso", "passwords@contoso.com", "run-cmpivot", "PC-0042", None, "undetermined"),
    ("contoso", "field-service@contoso.com", "run-script", "PC-1042", "Clear print queue", "allow"),
    ("contoso", "field-service@contoso.com", "run-script", "PC-1042", "Set proxy", "deny"),
    ("contoso", "field-service@contoso.com", "run-script", "SRV-0007", "Clear print queue", "deny"),
    ("contoso", "project-lead@contoso.com", "run-cmpivot", "SRV-0007", None, "deny"),
    ("contoso", "project-lead@contoso.com", "start-cmpivot-console", "SRV-0007", None, "allow"),
    ("contoso", "employee@contoso.com", "view-client-details", "PC-0042", None, "deny"),
    ("contoso", "cm-admin@contoso.com", "run-cmpivot", "PC-3001", None, "deny"),
    ("contoso", "cm-admin@contoso.com", "view-client-details", "PC-3099", None, "deny"),
    ("contoso", "cm-admin@contoso.com", "set-use-intune-rbac", None, None, "allow"),
    ("contoso", "helpdesk@contoso.com", "set-use-intune-rbac", None, None, "deny"),
    ("contoso", "global-admin@contoso.com", "onboard-hierarchy", "PRD", None, "undetermined"),
    ("preview-2006", "direct@fabrikam.example", "run-cmpivot", "WS-0001", None, "allow"),
    ("preview-2006", "by-group@fabrikam.example", "run-cmpivot", "WS-0001", None, "allow"),
    ("preview-2006", "nested@fabrikam.example", "run-cmpivot", "WS-0001", None, "deny"),
    ("preview-2006", "without@fabrikam.example", "run-cmpivot", "WS-0001", None, "deny"),
    ("preview-2006", "new-hire@fabrikam.example", "run-cmpivot", "WS-0001", None, "deny"),
    ("preview-2006", "direct@fabrikam.example", "run-cmpivot", "WS-0002", None, "allow"),
    ("preview-2006", "direct@fabrikam.example", "run-cmpivot:IPConfig", "WS-0002", None, "deny"),
    ("exports", "helpdesk@contoso.com", "run-cmpivot", "PC-1042", None, "allow"),
    ("exports", "helpdesk@contoso.com", "run-script", "PC-1042", "Clear print queue", "deny"),
    ("exports", "cloud-helpdesk@contoso.com", "run-cmpivot", "PC-1042", None, "deny"),
    ("exports", "field-service@contoso.com", "run-script", "PC-1042", "Clear print queue", "allow"),
    ("exports", "field-service@contoso.com", "run-script", "PC-1042", "Set proxy", "deny"),
    ("exports", "field-service@contoso.com", "run-script", "SRV-0007", "Clear print queue", "deny"),
    ("exports", "cm-admin@contoso.com", "run-script", "PC-1042", "Clear print queue", "allow"),
    ("exports", "intune-admin@contoso.com", "run-cmpivot", "PC-1042", None, "deny"),
    ("exports", "on-call@contoso.com", "run-cmpivot", "PC-1042", None, "deny"),
    ("lab", "DOMAINADMIN@MAYYHEM.COM", "run-cmpivot", "PS1-DEV@PS1", None, "allow"),
    ("lab", "DOMAINADMIN@MAYYHEM.COM", "run-cmpivot", "PS1-DEV2@PS1", None, "undetermined"),
    ("lab", "SQLSCCMSVC@MAYYHEM.COM", "run-cmpivot", "PS1-DEV@PS1", None, "deny"),
    ("lab", "NETWORKACCESS@MAYYHEM.COM", "view-applications", "PS1-DEV@PS1", None, "allow"),
    ("lab", "ROANALYST@MAYYHEM.COM", "view-client-details", "PS1-DEV@PS1", None, "allow"),
    ("lab", "LOWPRIV@MAYYHEM.COM", "view-client-details", "PS1-DEV@PS1", None, "deny"),
]


@pytest.mark.parametrize(("name", "user", "action", "device", "object_", "verdict"), PROMISES)
def test_promise(name: str, user: str, action: str, device: str | None, object_: str | None, verdict: str) -> None:
    assert example(name).check(user, action, device, object=object_).verdict.value == verdict


def test_a_fix_is_the_group_that_exists_and_the_first_is_the_one_that_opens_least() -> None:
    decision = example("contoso").check("helpdesk@contoso.com", "run-script", "PC-1042", object="Clear print queue")
    assert [requirement.id for requirement in decision.unmet] == [
        "CM-COLL-RUNSCRIPT",
        "CM-SITE-READ",
        "CM-SCRIPTS-READ",
        "CM-SCOPE-SCRIPT",
    ]
    assert ("add helpdesk@contoso.com to group AD-CM-ScriptRunners",) in [fix.texts for fix in decision.fixes]
    assert decision.fixes[0].opens == min(fix.opens for fix in decision.fixes)


@pytest.mark.parametrize(
    ("user", "says"),
    [
        ("passwords@contoso.com", "Helpdesk Administrator"),
        ("on-call@contoso.com", "eligible for group SG-Intune-HelpDesk"),
        ("project-lead@contoso.com", "not a security group"),
    ],
)
def test_near_miss_is_named(user: str, says: str) -> None:
    decision = example("contoso").check(user, "run-cmpivot", "PC-0042")
    assert any(says in near.text for near in decision.near_misses)


# --- exports ---------------------------------------------------------------------


def test_exports_answer_as_the_estate_that_they_are_of() -> None:
    """Whatever both can tell for certain about the same person and device is the same."""
    exported, whole = example("exports"), example("contoso")
    compared = 0
    for user in exported.tables.users.values():
        for action in (action for action in exported.policy.actions.values() if action.target == "device"):
            mine = exported.verdict(user.upn, action.id, "PC-1042")
            theirs = whole.verdict(user.upn, action.id, "PC-1042")
            if Verdict.UNDETERMINED not in {mine, theirs}:
                compared += 1
                assert mine is theirs, (user.upn, action.id)
    assert compared > 100


def test_exports_are_small_and_complete() -> None:
    """Nothing is left out of the report's first part, and no list that a tool exports is reported as missing."""
    assert sum(path.stat().st_size for path in (EXAMPLES / "exports").iterdir()) < 60_000
    imported = read_exports((EXAMPLES / "exports",), load_policy())
    found = report(imported, load_policy())
    assert (found.left_out, found.notes) == ((), ())
    assert [gap.title for gap in found.gaps if gap.powershell or gap.rest] == []
