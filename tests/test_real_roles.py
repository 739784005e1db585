"""What the checks find in real role definitions, each finding with the reason for which an expert would call it right."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from permcheck.checks.lint import Report, lint
from permcheck.checks.settings import Settings
from permcheck.loading.policy import load_policy

REAL = Path(__file__).parent / "checks" / "real"
LIVE = "intune-roles-live-2025-05/role-sets"
"""The passage that is the service's own list."""

BUILT_IN = {
    "Application Manager": "takes application actions without device actions (PC409), but nobody can edit it",
    "Endpoint Privilege Manager": "has no permission of cloud attached devices",
    "Endpoint Privilege Reader": "has no permission of cloud attached devices",
    "Endpoint Security Manager": "runs CMPivot and shows the pages that it acts on",
    "Help Desk Operator": "has the companion of each of its actions",
    "Intune Role Administrator": "manages roles only",
    "Policy and Profile manager": "lacks Managed devices/Read (PC408), but nobody can edit it: its assignment matters",
    "Read Only Operator": "acts on nothing",
    "School Administrator": "has the companion of each of its actions",
}
"""Role: why nothing is found."""

CUSTOM = {
    "Test Role": ([], "small, with known ids; that it updates devices without reading them, no document forbids"),
    "Application Administrator Role": (
        ["PC122"],
        "reads as the directory role Application Administrator, which assigns app roles, or the security role",
    ),
    "Windows Admin": ([], "one known permission; short, but no check judges a role by its size"),
    "MacOS Admins": ([], "shows the pages that it acts on, and reads devices"),
    "Linux Admins": ([], "one known permission, of Android: an odd choice, but no wrong one"),
    "USA Administrators": ([], "one known permission"),
    "Germany Admins": ([], "has all of MacOS Admins and 11 more; an Intune role does not say what it was copied from"),
}
"""Role of the demo tenant: the checks that fire, and why these and no others."""

EXPORTED = {
    "Test Role": (["PC126"], "copied from Full Administrator; its three masks have Read and known bits only"),
}


def linted(*paths: Path) -> Report:
    """Every check, also those that have to be selected."""
    report = lint(paths, load_policy(), Settings(select=("all",)), None)
    assert not report.problems
    assert not report.unknown
    return report


def found(report: Report, role: str) -> list[str]:
    """The checks that fire for a role, by its name at the beginning of the subject."""
    return sorted(one.check for one in report.findings if one.subject.split("/")[0] == role)


@pytest.fixture(scope="module")
def built_in(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """The nine roles as a tenant lists them: all that the service's own answer has."""
    policy = load_policy()
    value = [
        {
            "id": role.id,
            "displayName": role.name,
            "isBuiltIn": True,
            "rolePermissions": [
                {"resourceActions": [{"allowedResourceActions": actions, "notAllowedResourceActions": []}]}
            ],
        }
        for role in policy.roles.values()
        if policy.role_planes[role.id] == "intune"
        for actions in [[p for grant in role.grants if LIVE in grant.sources for p in grant.permissions]]
    ]
    path = tmp_path_factory.mktemp("roles") / "roleDefinitions.json"
    path.write_text(json.dumps({"value": value}), "utf-8")
    return linted(path)


@pytest.fixture(scope="module")
def real() -> Report:
    return linted(REAL / "custom_roles.json", REAL / "TestRole.xml")


def test_the_policy_has_nine_built_in_roles() -> None:
    planes = load_policy().role_planes
    assert set(BUILT_IN) == {role.name for role in load_policy().roles.values() if planes[role.id] == "intune"}


@pytest.mark.parametrize("role", BUILT_IN)
def test_nothing_is_found_in_a_built_in_role(built_in: Report, role: str) -> None:
    assert found(built_in, role) == []


def test_every_finding_in_built_in_roles_is_listed(built_in: Report) -> None:
    assert built_in.findings == ()


def test_the_demo_tenant_has_seven_custom_roles() -> None:
    data = json.loads((REAL / "custom_roles.json").read_text("utf-8"))
    assert [role["displayName"] for role in data["value"]] == list(CUSTOM)


@pytest.mark.parametrize("role", CUSTOM)
def test_a_custom_role_has_the_findings_that_are_listed(role: str) -> None:
    assert found(linted(REAL / "custom_roles.json"), role) == CUSTOM[role][0]


@pytest.mark.parametrize("role", EXPORTED)
def test_an_exported_security_role_has_the_findings_that_are_listed(role: str) -> None:
    assert found(linted(REAL / "TestRole.xml"), role) == EXPORTED[role][0]


def test_every_finding_is_listed(real: Report) -> None:
    """Two roles are called Test Role: they are of different products, and no duplicates."""
    listed = [check for checks, _ in (*CUSTOM.values(), *EXPORTED.values()) for check in checks]
    assert sorted(one.check for one in real.findings) == sorted(listed)
