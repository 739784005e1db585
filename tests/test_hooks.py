"""The hooks, run by pre-commit itself in a repository of its own; the pipelines as far as they run here."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
import yaml
from permcheck.checks.facts import load_checks
from permcheck.loading.data import data_root

ROOT = Path(__file__).parent.parent
HOOKS = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))
PARTS = ("evaluator", "policy", "schemas", ".pre-commit-hooks.yaml", "LICENSE", "README.md", "pyproject.toml")
GOOD = "Microsoft.Intune_CloudAttach_CMPivot"
BAD = "Microsoft.Intune_CloudAttach_RunCMPivot"
GIT = {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b", "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@b"}


def role(name: str, *actions: str) -> str:
    inner = {"resourceActions": [{"allowedResourceActions": [*actions]}]}
    return json.dumps({"displayName": name, "rolePermissions": [inner]}, indent=1) + "\n"


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")


# --- the patterns -----------------------------------------------------------------------------------------------------

OURS = {
    "roles/desk.json": {"permcheck-validate", "permcheck-lint"},
    "intune/Roles/desk.json": {"permcheck-validate", "permcheck-lint"},
    "security-roles/desk.xml": {"permcheck-validate", "permcheck-lint"},
    "estate/people/a.yml": {"permcheck-validate", "permcheck-lint", "permcheck-test"},
    "x/estate/tenant.yaml": {"permcheck-validate", "permcheck-lint", "permcheck-test"},
    "desk.permcheck.yaml": {"permcheck-validate", "permcheck-lint", "permcheck-test"},
    "desk.permcheck-test.yaml": {"permcheck-validate", "permcheck-test"},
    "permcheck.toml": {"permcheck-validate", "permcheck-test"},
    "roles/web/tasks/main.yml": set(),
    "roles/desk.yaml": set(),
    "mkdocs.yml": set(),
    "package.json": set(),
    ".github/workflows/ci.yaml": set(),
    "pyproject.toml": set(),
    "real-estate.yaml": set(),
    "real-estate/houses.yaml": set(),
    "estate/README.md": set(),
    "permcheck.toml.bak": set(),
    "my-roles/a.json": set(),
}


@pytest.mark.parametrize("path", OURS)
def test_hooks_take_what_is_theirs(path: str) -> None:
    assert {hook["id"] for hook in HOOKS if re.search(hook["files"], path)} == OURS[path]


def test_every_hook_says_how_it_runs() -> None:
    assert [hook["id"] for hook in HOOKS] == ["permcheck-validate", "permcheck-lint", "permcheck-test"]
    for hook in HOOKS:
        assert hook["language"] == "python"
        assert hook["entry"].startswith("permcheck ")
        assert hook["minimum_pre_commit_version"] == "2.9.0"
        assert hook["files"].startswith("(?x)^(")
        assert hook["files"].rstrip().endswith(")$")


def test_the_page_names_every_hook() -> None:
    text = (ROOT / "docs" / "hooks.md").read_text("utf-8")
    assert all(f"`{hook['id']}`" in text and f"- id: {hook['id']}" in text for hook in HOOKS)


# --- pre-commit -------------------------------------------------------------------------------------------------------


def git(folder: Path, *arguments: str) -> str:
    command = ["git", "-C", str(folder), "-c", "commit.gpgsign=false", *arguments]
    done = subprocess.run(command, env=os.environ | GIT, check=True, capture_output=True, text=True, timeout=30)
    return done.stdout.strip()


def index_is_reachable() -> bool:
    command = [sys.executable, "-m", "pip", "index", "versions", "hatchling", "--disable-pip-version-check"]
    try:
        return subprocess.run(command, capture_output=True, timeout=20, check=False).returncode == 0
    except subprocess.TimeoutExpired:
        return False


class Repository:
    """A fresh repository that uses the hooks."""

    def __init__(self, folder: Path, hooks: Path, home: Path) -> None:
        self.folder, self.home = folder, home
        folder.mkdir()
        git(folder, "init", "--quiet")
        ids = [{"id": hook["id"]} for hook in HOOKS]
        config = {"repos": [{"repo": str(hooks), "rev": git(hooks, "rev-parse", "HEAD"), "hooks": ids}]}
        write(folder, {".pre-commit-config.yaml": yaml.safe_dump(config)})

    def commit(self, files: dict[str, str]) -> None:
        write(self.folder, files)
        git(self.folder, "add", "--all")
        git(self.folder, "commit", "--quiet", "--no-verify", "-m", "x")

    def run(self, files: dict[str, str], *arguments: str) -> tuple[int, str]:
        """Stage files and run the hooks on them; forget them again."""
        write(self.folder, files)
        git(self.folder, "add", "--all")
        command = [sys.executable, "-m", "pre_commit", "run", "--color", "never", *arguments]
        environment = os.environ | GIT | {"PRE_COMMIT_HOME": str(self.home)}
        environment.pop("PERMCHECK_ESTATE", None)
        done = subprocess.run(
            command, cwd=self.folder, env=environment, capture_output=True, text=True, timeout=120, check=False
        )
        git(self.folder, "reset", "--quiet", "--hard")
        return done.returncode, done.stdout + done.stderr


@pytest.fixture(scope="module", name="repository")
def a_repository(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    if data_root() != ROOT:
        pytest.skip("permcheck is installed from a wheel; the hooks install a checkout")
    if find_spec("pre_commit") is None or shutil.which("git") is None:
        pytest.skip("pre-commit or git is not installed here")
    if not index_is_reachable():
        pytest.skip("pip reaches no package index, and a hook is installed with pip")
    base = tmp_path_factory.mktemp("hooks")
    hooks = base / "permcheck"
    hooks.mkdir()
    for part in PARTS:
        if (ROOT / part).is_dir():
            shutil.copytree(ROOT / part, hooks / part, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / part, hooks / part)
    git(hooks, "init", "--quiet")
    git(hooks, "add", "--all")
    git(hooks, "commit", "--quiet", "-m", "x")
    repository = Repository(base / "repository", hooks, base / "home")
    repository.commit({"roles/old.json": role("Old", BAD), "mkdocs.yml": "a: [", "roles/fine.json": role("Fine", GOOD)})
    return repository


def test_a_good_role_passes(repository: Repository) -> None:
    code, said = repository.run({"roles/desk.json": role("Desk", GOOD)}, "permcheck-validate")
    assert code == 0, said
    assert "Passed" in said


def test_a_bad_role_is_refused_and_only_it_is_reported(repository: Repository) -> None:
    """The role that was bad before is not in the way of a commit that leaves it alone."""
    code, said = repository.run({"roles/desk.json": role("Desk", BAD)})
    assert code == 1
    assert said.count("Failed") == 2
    assert f"no Intune permission is called `{BAD}`" in said
    assert "roles/desk.json:8:" in said
    assert "old.json" not in said
    assert re.search(r"permcheck test\.+\(no files to check\)Skipped", said)


def test_unrelated_yaml_is_not_touched(repository: Repository) -> None:
    code, said = repository.run({"mkdocs.yml": "b: [", "roles/web/tasks/main.yml": "- x: ["})
    assert (code, said.count("Skipped")) == (0, 3), said


def test_a_broken_file_is_refused_with_its_place(repository: Repository) -> None:
    code, said = repository.run({"roles/desk.json": '{"displayName": \n'}, "permcheck-validate")
    assert code == 1
    assert "roles/desk.json:" in said
    assert "- exit code: 3" in said


def test_a_changed_estate_is_held_against_expected_decisions(repository: Repository) -> None:
    estate = "users: [{upn: anna@example.com}]\nhierarchies: [{id: P01}]\ndevices: [{name: PC-1, hierarchy: P01}]\ncomplete: true\n"
    case = "estate: estate\ncases:\n- {user: anna@example.com, action: run-script, device: PC-1, expect: %s}\n"
    right = {"estate/a.yaml": estate, "anna.permcheck-test.yaml": case % "deny"}
    code, said = repository.run(right, "permcheck-test")
    assert code == 0, said
    code, said = repository.run(right | {"anna.permcheck-test.yaml": case % "allow"}, "permcheck-test")
    assert code == 1
    assert "anna.permcheck-test.yaml:3:3: error: anna@example.com run-script PC-1: expected allow, got deny" in said


# --- pipelines --------------------------------------------------------------------------------------------------------


def action(tmp_path: Path, **inputs: str) -> tuple[int, str]:
    """Run the script of the GitHub action as a runner would."""
    given = {"COMMAND": "validate", "PATHS": "roles", "OPTIONS": "", "FORMAT": "github", "OUTPUT": ""} | inputs
    environment = os.environ | given | {"GITHUB_OUTPUT": str(tmp_path / "output")}
    command = ["bash", str(ROOT / "ci/github-action/run.sh"), str(Path(sys.executable).parent / "permcheck")]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.skipif(shutil.which("bash") is None, reason="the action is written for bash")
def test_the_github_action_annotates_and_reports(tmp_path: Path) -> None:
    write(tmp_path, {"roles/desk.json": role("Desk", BAD), "roles/a b.json": role("Other", GOOD)})
    code, said = action(tmp_path, OUTPUT="permcheck.sarif")
    assert code == 1
    assert "::error file=roles/desk.json,line=8," in said
    assert (tmp_path / "output").read_text("utf-8") == "code=1\n"
    assert json.loads((tmp_path / "permcheck.sarif").read_text("utf-8"))["version"] == "2.1.0"
    assert action(tmp_path, PATHS="roles/a b.json", OPTIONS="--select=PC101\n")[0] == 0


@pytest.mark.skipif(shutil.which("bash") is None, reason="the action is written for bash")
def test_inputs_of_the_github_action_are_not_run(tmp_path: Path) -> None:
    write(tmp_path, {"roles/desk.json": role("Desk", GOOD)})
    for inputs in (
        {"PATHS": "$(touch gone)"},
        {"COMMAND": "validate; touch gone"},
        {"OPTIONS": "`touch gone`"},
        {"PATHS": "--help"},
    ):
        assert action(tmp_path, **inputs)[0] in {2, 3}
    assert not (tmp_path / "gone").exists()


@pytest.mark.skipif(shutil.which("bash") is None, reason="the action is written for bash")
def test_the_github_action_compares_with_the_main_branch(tmp_path: Path) -> None:
    opens = with_a_change(tmp_path)
    inputs = {"COMMAND": "lint", "PATHS": "estate", "OPTIONS": "--estate=estate\n--select=PC901"}
    code, said = action(tmp_path, AGAINST="main:estate", **inputs)
    assert (code, opens in said) == (1, True), said
    assert "no estate to compare with was named" in action(tmp_path, AGAINST="", **inputs)[1]
    code, said = action(tmp_path, AGAINST="main:estate", **(inputs | {"COMMAND": "validate", "OPTIONS": ""}))
    assert (code, said) == (2, "::error::against is for lint\n")
    assert action(tmp_path, AGAINST="$(touch gone):estate", **inputs)[0] == 3
    assert not (tmp_path / "gone").exists()


def with_a_change(folder: Path) -> str:
    """A repository in which an estate opens something that the main branch does not; returns the edit."""
    before, after = load_checks()["PC901"].bad
    write(folder, {"estate/estate.yaml": before.text})
    git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--no-verify", "-m", "x")
    write(folder, {"estate/estate.yaml": after.text})
    return "group Desk: + bo@contoso.com"


@pytest.mark.skipif(shutil.which("bash") is None, reason="the template is written for bash")
def test_the_azure_template_compares_with_the_main_branch(tmp_path: Path) -> None:
    opens = with_a_change(tmp_path)
    options = '["--estate=estate", "--select=PC901"]'
    done = azure(tmp_path, COMMAND="lint", OPTIONS=options, PATHS='["estate"]', AGAINST="main:estate")
    assert (done.returncode, opens in done.stdout) == (1, True), done
    assert azure(tmp_path, COMMAND="lint", OPTIONS=options, PATHS='["estate"]', AGAINST="").returncode == 3


def test_text_in_a_github_log_is_not_obeyed(tmp_path: Path) -> None:
    write(tmp_path, {"roles/desk.json": role("Desk", BAD)})
    said = action(tmp_path, FORMAT="text")[1].splitlines()
    assert said[0].startswith("::stop-commands::")
    assert said[-1] == said[0].replace("::stop-commands", "") + "::"


@pytest.mark.parametrize("path", ["ci/github-action/action.yml", "ci/azure-pipelines/permcheck.yml"])
def test_pipelines_pass_what_somebody_wrote_through_the_environment(path: str) -> None:
    """An input inside of a script would be run by the shell."""
    document = yaml.safe_load((ROOT / path).read_text("utf-8"))
    steps = document.get("runs", document)["steps"]
    scripts = [step[key] for step in steps for key in ("run", "script", "bash") if key in step]
    assert scripts
    assert not any("${{" in script for script in scripts)


def azure(folder: Path, **inputs: str) -> subprocess.CompletedProcess[str]:
    """Run the script of the template as an agent would."""
    document = yaml.safe_load((ROOT / "ci/azure-pipelines/permcheck.yml").read_text("utf-8"))
    (script,) = (step["bash"] for step in document["steps"] if "bash" in step)
    programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = os.environ | inputs | {"PATH": programs, "AGENT_TEMPDIRECTORY": str(folder)}
    run = ["bash", "-c", script]
    return subprocess.run(run, cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.skipif(shutil.which("bash") is None, reason="the template is written for bash")
@pytest.mark.parametrize(
    ("command", "options", "paths", "code"),
    [
        ("validate", "[]", '["roles"]', 1),
        ("lint", '["--select", "PC104"]', '["roles"]', 0),
        ("validate", "[]", '["roles/a b.json"]', 0),
        ("validate", "[]", '["$(touch gone)"]', 3),
    ],
)
def test_the_azure_template_logs_issues_and_reports(
    tmp_path: Path, command: str, options: str, paths: str, code: int
) -> None:
    write(tmp_path, {"roles/desk.json": role("Desk", BAD), "roles/a b.json": role("Other", GOOD)})
    done = azure(tmp_path, COMMAND=command, OPTIONS=options, PATHS=paths)
    assert done.returncode == code, done
    assert ("##vso[task.logissue type=error;sourcepath=roles/desk.json;" in done.stdout) == (code == 1)
    assert not (tmp_path / "gone").exists()
    if code < 2:
        assert (tmp_path / "permcheck.xml").read_text("utf-8").startswith("<?xml")
