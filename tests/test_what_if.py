"""`--what-if KEY=VALUE`: every form of a key, what it changes, and what is refused."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest
from permcheck import change as c
from permcheck.api import Estate, load
from permcheck.ask import Asker
from permcheck.errors import PermcheckError, QuestionError, UnknownNameError
from permcheck.model.state import Verdict
from permcheck.what_if import GRANTS, RECORDS, read_change

CONTOSO = Path(__file__).parent.parent / "examples" / "contoso"
HELPDESK = "helpdesk@contoso.com"
CLOUD = "cloud-helpdesk@contoso.com"
EMPLOYEE = "employee@contoso.com"


@cache
def contoso() -> Estate:
    """The example tenant, loaded once."""
    return load(CONTOSO)


def read(text: str) -> c.Change:
    """One change of the example tenant."""
    return read_change(Asker(contoso().tables, contoso().policy), text)


def ask(*texts: str, user: str = HELPDESK, action: str = "run-cmpivot", device: str = "PC-1042") -> Verdict:
    """Ask the example tenant after changes."""
    return contoso().what_if(*texts).verdict(user, action, device)


# --- what a text is read as ------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "change"),
    [
        ("use-intune-rbac=on", c.SetFact("tenant", "", "use_intune_rbac", "on")),
        ("use-intune-rbac=Off", c.SetFact("tenant", "", "use_intune_rbac", "Off")),
        ("tenant.use-intune-rbac=on", c.SetFact("tenant", "", "use_intune_rbac", "on")),
        ("tenant.entra_premium=yes", c.SetFact("tenant", "", "entra_premium", value=True)),
        ("tenant.entra-premium=No", c.SetFact("tenant", "", "entra_premium", value=False)),
        ("tenant.cloud=china", c.SetFact("tenant", "", "cloud", "china")),
        ("hierarchy:PRD.enforce-cm-rbac=cleared", c.SetFact("hierarchy", "prd", "enforce_configmgr_rbac", "cleared")),
        ("hierarchy:Contoso Production.version=2203", c.SetFact("hierarchy", "prd", "version", 2203)),
        ("user:helpdesk@contoso.com.synced=no", c.SetFact("user", HELPDESK, "synced", value=False)),
        (r"user:CONTOSO\helpdesk.licensed=false", c.SetFact("user", HELPDESK, "licensed", value=False)),
        (
            "user:helpdesk@contoso.com.discovered_by=entra, ad",
            c.SetFact("user", HELPDESK, "discovered_by", ["entra", "ad"]),
        ),
        ("device:PC-1042.powershell=3.0", c.SetFact("device", "prd/16778242", "powershell", "3.0")),
        (
            "script:PRD/Clear print queue.approved=no",
            c.SetFact("script", "prd/clear print queue", "approved", value=False),
        ),
        ("application:Contoso VPN.installed=no", c.SetFact("application", "prd/contoso vpn", "installed", value=False)),
        ("group:SG-Intune-HelpDesk.add=employee@contoso.com", c.AddMember("sg-intune-helpdesk", EMPLOYEE)),
        ("group:SG-Intune-HelpDesk.remove=helpdesk@contoso.com", c.RemoveMember("sg-intune-helpdesk", HELPDESK)),
        (
            "intune-role:Contoso Field Service.add=employee@contoso.com",
            c.AssignIntuneRole("contoso field service", built_in=False, user=EMPLOYEE),
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_change_is_read(text: str, change: c.Change) -> None:
    found = read(text)
    assert type(found) is type(change)
    if isinstance(found, c.SetFact) and found.subject == "device":  # its key is not for people
        assert (found.fact, found.value) == ("powershell", "3.0")
    else:
        assert found == change


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("intune-role:Help Desk Operator.add=employee@contoso.com", c.AssignIntuneRole),
        ("entra-role:Intune Administrator.add=employee@contoso.com", c.AssignEntraRole),
        ("app-role:Configuration Manager Microservice/Admin User.add=employee@contoso.com", c.AssignAppRole),
        ("security-role:PRD/Remote Tools Operator@All Systems.add=employee@contoso.com", c.AssignSecurityRole),
        ("security-role:prd/help desk cmpivot@PRD00010.add=employee@contoso.com", c.AssignSecurityRole),
    ],
)
def test_a_grant_is_read_and_made(text: str, kind: type) -> None:
    assert isinstance(read(text), kind)
    assert contoso().what_if(text).tables != contoso().tables


@pytest.mark.parametrize("value", ["unknown", "null", "", "Unknown", " "])
def test_a_fact_can_be_made_unknown(value: str) -> None:
    assert read(f"tenant.multi_geo={value}") == c.SetFact("tenant", "", "multi_geo", None)
    assert ask(f"use-intune-rbac={value}", user=CLOUD, device="PC-0042") is Verdict.UNDETERMINED


def test_a_value_may_hold_an_equals_sign() -> None:
    assert read("tenant.geography=a=b") == c.SetFact("tenant", "", "geography", "a=b")


@pytest.mark.parametrize(
    "text",
    [
        "device:PC-1042.powershell=5",
        "device:PC-1042.client_version=5",
        "device:PC-1042.scope_tags=Benelux",
        "user:helpdesk@contoso.com.discovered_by=entra",
        "hierarchy:PRD.updates=KB10503003",
    ],
)
def test_a_value_is_what_the_fact_takes(text: str) -> None:
    """A list may have one entry, a version one part, and a name may look like a number."""
    assert contoso().what_if(text).tables != contoso().tables


# --- what is refused -------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "says", "help_"),
    [
        ("", "is not a change", "write KEY=VALUE"),
        ("use-intune-rbac", "is not a change", "write KEY=VALUE"),
        ("=on", "names no fact", "write KEY=VALUE"),
        ("use-intune-rbca=on", "names no fact", "use-intune-rbac"),
        ("hierarchy:PRD=on", "names no fact", "hierarchy:P01.enforce-cm-rbac"),
        ("tenant.=on", "has no fact", "known are"),
        ("tenant.toggle=on", "has no fact `toggle`", "use_intune_rbac"),
        ("tenant.use_intune_rbac=maybe", "`maybe` is not a value for `tenant.use_intune_rbac`", "schema estate"),
        ("tenant.multi_geo=3", "is not a value", "schema estate"),
        ("tenant.cloud=private", "is not a value", "schema estate"),
        ("hierarchy:PRD.version=9999999", "is not a value", "schema estate"),
        ("hierarchy:PRD.checkbox=on", "has no fact `checkbox`", "enforce_configmgr_rbac"),
        ("user:helpdesk@contoso.com.rich=yes", "has no fact `rich`", "synced"),
        ("security-role:Remote Tools Operator.add=x@y", "names no role on a collection", "HIERARCHY/ROLE@COLLECTION"),
        ("secret:x.y=1", "`secret` is nothing that can be changed", "hierarchy"),
    ],
)
def test_a_text_that_is_no_change_is_refused(text: str, says: str, help_: str) -> None:
    with pytest.raises(QuestionError) as caught:
        contoso().what_if(text)
    assert says in str(caught.value)
    assert help_ in caught.value.help


@pytest.mark.parametrize(
    ("text", "near"),
    [
        ("hierarchy:Contoso Produktion.enforce-cm-rbac=off", "Contoso Production"),
        ("user:helpdesk@contoso.con.synced=no", "helpdesk@contoso.com"),
        ("device:PC-1043.online=no", "PC-1042"),
        ("script:Clear print queu.approved=no", "Clear print queue"),
        ("application:Contoso VPM.installed=no", "Contoso VPN"),
        ("group:SG-Intune-HelpDesc.add=employee@contoso.com", "SG-Intune-HelpDesk"),
        ("group:SG-Intune-HelpDesk.add=employe@contoso.com", "employee@contoso.com"),
        ("intune-role:Help Desk Operater.add=employee@contoso.com", "Help Desk Operator"),
        ("entra-role:Intune Administrater.add=employee@contoso.com", "Intune Administrator"),
        ("app-role:Configuration Manager Microservice/Admin Usr.add=employee@contoso.com", "Admin User"),
        ("security-role:PRD/Help Desk CMPivat@All Systems.add=employee@contoso.com", "Help Desk CMPivot"),
        ("security-role:PRD/Help Desk CMPivot@All System.add=employee@contoso.com", "All Systems"),
        ("security-role:Contoso Tests/Help Desk CMPivot@All Systems.add=employee@contoso.com", "Contoso Test"),
    ],
)
def test_an_unknown_name_says_what_was_meant(text: str, near: str) -> None:
    with pytest.raises(UnknownNameError) as caught:
        contoso().what_if(text)
    assert "did you mean" in caught.value.help
    assert near.casefold() in caught.value.help.casefold()


@pytest.mark.parametrize("verb", ["", "ad"])
@pytest.mark.parametrize(
    "subject",
    [
        "group:SG-Intune-HelpDesk",
        "intune-role:Help Desk Operator",
        "entra-role:Intune Administrator",
        "app-role:Configuration Manager Microservice/Admin User",
        "security-role:PRD/Remote Tools Operator@All Systems",
    ],
)
def test_only_known_verbs_change_a_grant(subject: str, verb: str) -> None:
    """A misspelt `add` must neither add nor remove."""
    with pytest.raises(QuestionError):
        read(f"{subject}.{verb}=helpdesk@contoso.com")


@pytest.mark.parametrize("subject", ["intune-role:Help Desk Operator", "entra-role:Intune Administrator"])
def test_removing_never_adds(subject: str) -> None:
    """Where roles can't be taken away, saying so is the answer."""
    with pytest.raises(QuestionError):
        read(f"{subject}.remove=employee@contoso.com")


@pytest.mark.parametrize(
    ("text", "user", "action", "object_"),
    [
        ("device:PC-1042.collections=All Servers,", HELPDESK, "run-cmpivot", None),
        ("device:PC-1042.hierarchy=TST", CLOUD, "run-cmpivot", None),
        ("application:PRD/7-Zip.deployed_to=All Servers,", "packager@contoso.com", "take-application-action", "7-Zip"),
    ],
)
def test_a_fact_that_names_others_has_its_effect_or_is_refused(
    text: str, user: str, action: str, object_: str | None
) -> None:
    """References are resolved when an estate is loaded; a change of one without effect would be a wrong answer."""
    before = contoso().verdict(user, action, "PC-1042", object=object_)
    try:
        after = contoso().what_if(text).verdict(user, action, "PC-1042", object=object_)
    except QuestionError:
        return
    assert after is not before


@pytest.mark.parametrize(
    "change",
    [
        c.SetFact("hierarchy", "XYZ", "version", 2207),
        c.SetFact("user", "nobody@contoso.com", "synced", value=True),
        c.SetFact("planet", "", "size", 1),
        c.AddMember("no such group", HELPDESK),
        c.AddMember("sg-intune-helpdesk", "nobody@contoso.com"),
        c.AssignIntuneRole("no-such-role", built_in=True, user=HELPDESK),
        c.AssignIntuneRole("no such role", built_in=False, user=HELPDESK),
        c.AssignSecurityRole("prd", "no such role", HELPDESK, "prd/all systems", "Default"),
        c.AssignSecurityRole("prd", "prd/script runners", "nobody@contoso.com", "prd/all systems", "Default"),
        c.AddScopeTag("no such assignment", "Default"),
        c.RemoveGrant("intune_assignments", "no such assignment", "user", HELPDESK),
    ],
    ids=str,
)
def test_a_change_that_cannot_be_made_is_a_question_error(change: c.Change) -> None:
    """`with_changes` is public: no KeyError comes out of it, and none is quietly left out."""
    with pytest.raises(PermcheckError):
        contoso().with_changes(change).verdict(HELPDESK, "run-cmpivot", "PC-1042")


# --- what a change does ----------------------------------------------------------


def test_nothing_changes_the_estate_itself() -> None:
    before = contoso().tables
    contoso().what_if("use-intune-rbac=off", "hierarchy:PRD.enforce-cm-rbac=cleared")
    assert contoso().tables is before
    assert ask(user=CLOUD, device="PC-0042") is Verdict.ALLOW


def test_with_the_toggle_off_configuration_manager_decides() -> None:
    """Source: intune-rbac-2022-08/faq-two-hierarchies."""
    assert ask(user=CLOUD, device="PC-0042") is Verdict.ALLOW
    assert ask("use-intune-rbac=off", user=CLOUD, device="PC-0042") is Verdict.DENY
    decision = contoso().what_if("use-intune-rbac=off").check(CLOUD, "run-cmpivot", "PC-0042")
    assert str(decision.authority) == "configmgr"


def test_with_the_checkbox_cleared_production_allows_cloud_only_users() -> None:
    """Source: intune-rbac-2022-08/faq-cloud-only."""
    assert ask(user=CLOUD) is Verdict.DENY
    for value in ("cleared", "off", "no", "false"):
        assert ask(f"hierarchy:PRD.enforce-cm-rbac={value}", user=CLOUD) is Verdict.ALLOW


def test_with_the_toggle_off_the_checkbox_changes_nothing() -> None:
    """Source: intune-rbac-2022-08/enable."""
    for value in ("checked", "cleared"):
        texts = ("use-intune-rbac=off", f"hierarchy:PRD.enforce-cm-rbac={value}")
        assert ask(*texts, user=CLOUD) is Verdict.DENY
        assert ask(*texts) is Verdict.ALLOW


def test_both_sides_are_asked_while_the_checkbox_is_checked() -> None:
    assert ask() is Verdict.ALLOW
    assert ask("group:SG-Intune-HelpDesk.remove=helpdesk@contoso.com") is Verdict.DENY
    assert ask("group:AD-CM-CMPivot.remove=helpdesk@contoso.com") is Verdict.DENY


NO_CMPIVOT = "group:AD-CM-CMPivot.remove=helpdesk@contoso.com"


@pytest.mark.parametrize(
    ("texts", "verdict"),
    [
        (("user:helpdesk@contoso.com.enabled=no",), Verdict.DENY),
        (("user:helpdesk@contoso.com.synced=no",), Verdict.DENY),
        (("device:PC-1042.powershell=3.0",), Verdict.DENY),
        (("device:PC-1042.uploaded=no",), Verdict.DENY),
        (("tenant.cloud=china",), Verdict.DENY),
        (("hierarchy:PRD.tenant_attached=no",), Verdict.DENY),
        ((NO_CMPIVOT, "group:AD-CM-CMPivot.add=helpdesk@contoso.com"), Verdict.ALLOW),
        ((NO_CMPIVOT, "security-role:PRD/Help Desk CMPivot@All Workstations.add=helpdesk@contoso.com"), Verdict.ALLOW),
        ((NO_CMPIVOT, "security-role:PRD/Help Desk CMPivot@All Servers.add=helpdesk@contoso.com"), Verdict.DENY),
    ],
    ids=lambda value: value[-1] if isinstance(value, tuple) else value.value,
)
def test_a_change_has_its_effect(texts: tuple[str, ...], verdict: Verdict) -> None:
    assert ask(*texts) is verdict


def test_an_intune_role_is_given_directly() -> None:
    """Microsoft assigns Intune roles to groups: the change makes a group of one."""
    taken = "group:SG-Intune-HelpDesk.remove=helpdesk@contoso.com"
    assert ask(taken) is Verdict.DENY
    assert ask(taken, "intune-role:Help Desk Operator.add=helpdesk@contoso.com") is Verdict.ALLOW


def test_the_last_of_two_changes_wins() -> None:
    assert ask("use-intune-rbac=off", "use-intune-rbac=on", user=CLOUD, device="PC-0042") is Verdict.ALLOW
    assert ask("use-intune-rbac=on", "use-intune-rbac=off", user=CLOUD, device="PC-0042") is Verdict.DENY


def test_changes_and_settings_go_together() -> None:
    changed = contoso().with_settings(edition="2022-07").what_if("use-intune-rbac=off")
    assert changed.settings.edition == "2022-07"
    assert changed.check(HELPDESK, "run-cmpivot", "PC-1042").editions == ("2022-07",)


def test_every_form_is_explained() -> None:
    """The docstring is what the documentation is made of."""
    import permcheck.what_if as module

    text = module.__doc__ or ""
    assert all(f"{subject}:" in text for subject in GRANTS)
    assert all(subject in text for subject in RECORDS)
