"""Which release a build is of, and that a build which nobody knows yet changes no answer."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from permcheck.api import load
from permcheck.loading.policy import load_policy
from permcheck.model.builds import BuildOf, release_of
from permcheck.model.state import Verdict

EXPORTS = Path(__file__).parent.parent / "examples" / "exports"
VERSIONS = tuple(load_policy().versions.values())
NEWEST = max(one.release for one in VERSIONS if one.build)


@pytest.mark.parametrize(
    ("build", "found"),
    [
        ("5.00.9132", BuildOf(2409, "own")),
        ("5.00.9132.1000", BuildOf(2409, "own")),
        ("5.0.9132.1", BuildOf(2409, "own")),
        ("5.00.9133.1000", BuildOf(2409, "before")),
        ("5.00.9129", BuildOf(2403, "before")),
        ("5.2403.9128.1000", BuildOf(2403, "own")),
        ("5.00.9999.1000", BuildOf(NEWEST, "at-least")),
        ("6.00.1", BuildOf(NEWEST, "at-least")),
        ("5.00.8000.1000", None),
        ("5.00.x", None),
        ("5.00.²", None),
        ("5." + "9" * 5000, None),
        ("9132", BuildOf(NEWEST, "at-least")),
        ("5.00.9120.1000", BuildOf(2309, "own")),
        ("5.00.9121", BuildOf(2309, "before")),
        ("5.2509.1036.1700", BuildOf(2509, "own")),
        ("5.2701.1.1", None),
    ],
)
def test_a_build_is_of_the_release_before_it(build: str, found: BuildOf | None) -> None:
    assert release_of(VERSIONS, build) == found


def answers(build: str, folder: Path) -> dict[tuple[str, str, str], Verdict]:
    """Answers of the example's exports, with the site and its clients at a build."""
    shutil.copytree(EXPORTS, folder)
    for path in folder.iterdir():
        text = path.read_text("utf-8")
        path.write_text(text.replace("5.00.9088", f"5.00.{build}"), "utf-8")
    estate = load(folder)
    actions = [action.id for action in estate.policy.actions.values() if action.target == "device"]
    devices = [device.name for device in estate.tables.devices.values()]
    users = [user.upn for user in estate.tables.users.values()]
    return {(u, a, d): estate.verdict(u, a, d) for u in users for a in actions for d in devices}


@pytest.mark.parametrize("build", ["9135", "9138", "9141", "9146", "9999"])
def test_a_newer_build_changes_no_answer(build: str, tmp_path: Path) -> None:
    """Nothing that decides about access has changed since 2409: a build that nobody knows is at least the newest."""
    known = answers("9132", tmp_path / "known")
    assert Verdict.ALLOW in known.values()
    assert answers(build, tmp_path / "newer") == known


@pytest.mark.parametrize(("version", "said"), [('"Version": "5.00.9058.1000"', True), ('"Other": ""', False)])
def test_a_note_about_old_releases_is_not_said_of_an_unknown_one(version: str, said: bool, tmp_path: Path) -> None:  # noqa: FBT001 - a parameter
    shutil.copytree(EXPORTS, tmp_path / "estate")
    sites = tmp_path / "estate" / "SMS_Site.json"
    sites.write_text(sites.read_text("utf-8").replace('"Version": "5.00.9088.1000"', version), "utf-8")
    notes = load(tmp_path / "estate").check("helpdesk@contoso.com", "run-cmpivot", "PC-1042").notes
    assert any("is of 2107 or earlier" in note for note in notes) is said
