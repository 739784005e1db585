"""`python -m permcheck.dev`: what is generated is in step with what it comes from."""

from __future__ import annotations

import shutil
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from permcheck import dev
from permcheck.checks import facts
from permcheck.checks.facts import load_checks
from permcheck.checks.output.page import INDEX
from permcheck.loading.data import data_root
from permcheck.loading.digest import digest_of
from permcheck.loading.policy import COMPILED, COMPILED_EXPORTS
from permcheck.loading.schemas import SCHEMAS, schema_text

ROOT = Path(__file__).parent.parent
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
DOCS = data_root() / "docs" / "checks"
"""Pages of the checks, which a wheel does not hold."""
PAGES = [f"docs/checks/{name}" for name in (INDEX, *(f"{id_}.md" for id_ in load_checks()))] if DOCS.is_dir() else []
COMPILES = [f"policy/{name}" for name in (COMPILED, COMPILED_EXPORTS, facts.COMPILED)]
EXPECTED = sorted([f"schemas/{name}.schema.json" for name in SCHEMAS] + COMPILES + PAGES)


@pytest.fixture
def copy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A copy of the policy and the schemas, which the tool takes for the shipped ones."""
    for name in ("policy", "schemas"):
        shutil.copytree(data_root() / name, tmp_path / name)
    if PAGES:
        shutil.copytree(DOCS, tmp_path / "docs" / "checks")
    monkeypatch.setattr(dev, "data_root", lambda: tmp_path)
    return tmp_path


def said(capsys: pytest.CaptureFixture[str]) -> list[str]:
    """The lines on stdout; there is nothing on stderr."""
    out, err = capsys.readouterr()
    assert err == ""
    return out.splitlines()


def test_the_shipped_files_are_in_step(capsys: pytest.CaptureFixture[str]) -> None:
    assert dev.main(["--check"]) == 0
    assert said(capsys) == []


def test_every_generated_file_is_looked_at(copy: Path) -> None:
    found = [path.relative_to(copy).as_posix() for path, _ in dev.generated(copy)]
    assert sorted(found) == EXPECTED
    assert sorted(path.name for path in (copy / "schemas").iterdir()) == sorted(f"{n}.schema.json" for n in SCHEMAS)


@pytest.mark.parametrize("name", ["schemas/estate.schema.json", "schemas/decision.schema.json", "policy/compiled.json"])
@pytest.mark.parametrize("how", ["changed", "missing"])
def test_a_file_out_of_step_is_reported_and_left_alone(
    copy: Path, capsys: pytest.CaptureFixture[str], name: str, how: str
) -> None:
    path = copy / name
    if how == "missing":
        path.unlink()
    else:
        path.write_text(path.read_text("utf-8").replace("\n", " \n", 1), "utf-8")
    before = path.read_bytes() if path.exists() else None
    assert dev.main(["--check"]) == 1
    assert said(capsys) == [f"out of step: {path}"]
    assert (path.read_bytes() if path.exists() else None) == before


def test_a_changed_policy_is_out_of_step(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A comment is enough: the digest is of the files as they are."""
    editions = copy / "policy" / "editions.yaml"
    editions.write_text(editions.read_text("utf-8") + "# a comment\n", "utf-8")
    assert dev.main(["--check"]) == 1
    assert said(capsys) == [f"out of step: {copy / 'policy' / COMPILED}"]


def test_writing_brings_everything_into_step(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stale = [copy / "schemas" / "estate.schema.json", copy / "policy" / COMPILED]
    before = [path.read_bytes() for path in stale]
    for path in stale:
        path.write_text("{}", "utf-8")
    assert dev.main([]) == 0
    assert said(capsys) == [f"written: {path}" for path in stale]
    assert [path.read_bytes() for path in stale] == before
    assert dev.main(["--check"]) == 0
    assert said(capsys) == []


def test_a_changed_check_is_out_of_step(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A comment changes the digest alone, a sentence the page, too."""
    file = copy / "policy" / "checks" / "PC101.yaml"
    file.write_text(file.read_text("utf-8") + "# a comment\n", "utf-8")
    assert dev.main(["--check"]) == 1
    assert said(capsys) == [f"out of step: {copy / 'policy' / facts.COMPILED}"]
    file.write_text(file.read_text("utf-8").replace("\nsummary: ", "\nsummary: Indeed. ", 1), "utf-8")
    assert dev.main(["--check"]) == 1
    assert len(said(capsys)) == 1 + (2 if PAGES else 0)


def test_what_is_known_of_exports_is_compiled_by_itself(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("exports", "values"):
        file = copy / "policy" / f"{name}.yaml"
        before = file.read_text("utf-8")
        file.write_text(before + "# a comment\n", "utf-8")
        assert dev.main(["--check"]) == 1
        assert said(capsys) == [f"out of step: {copy / 'policy' / COMPILED_EXPORTS}"]
        file.write_text(before, "utf-8")
    assert dev.main(["--check"]) == 0


def test_every_python_finds_the_same_digest() -> None:
    """What one Python compiled is believed by another; the parts count as they are divided."""
    assert (
        digest_of(b"editions.yaml", b"- id: x\n") == "80457a63fcb937f0dc988010a83080ebc8828735f2e5bcdfb9a67382d06f04af"
    )
    assert digest_of(b"a", b"b") != digest_of(b"ab") != digest_of(b"ab", b"")


def wanted() -> list[Requirement]:
    """Everything that pyproject.toml asks for, extras and groups included."""
    stated = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    lists = [stated["project"]["dependencies"], stated["build-system"]["requires"]]
    lists += stated["project"]["optional-dependencies"].values()
    lists += stated["dependency-groups"].values()
    return [Requirement(one) for each in lists for one in each if isinstance(one, str)]


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("system", ["linux", "darwin", "win32"])
def test_each_requirement_has_one_pinned_release_that_it_admits(python: str, system: str) -> None:
    """`make constraints` was run after pyproject.toml was changed."""
    here = {"python_version": python, "python_full_version": f"{python}.0", "sys_platform": system}
    lines = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    pins = [Requirement(line) for line in lines if not line.startswith("#")]
    held = [pin for pin in pins if pin.marker is None or pin.marker.evaluate(here)]
    by_name = {canonicalize_name(pin.name): str(pin.specifier).removeprefix("==") for pin in held}
    assert len(by_name) == len(held)
    asked = [one for one in wanted() if one.marker is None or one.marker.evaluate(here)]
    refused = [str(one) for one in asked if not one.specifier.contains(by_name[canonicalize_name(one.name)])]
    assert (len(asked) > 30, refused) == (True, [])


def test_what_is_installed_comes_from_wherever_pip_is_told_to_look() -> None:
    """A registry's address in a file would be everybody's."""
    for name in ("constraints.txt", "pyproject.toml", "Makefile", ".ci/run"):
        text = (ROOT / name).read_text("utf-8")
        assert [word for word in ("://", "index-url", "find-links=") if word in text] == [], name


@pytest.mark.skipif(not PAGES, reason="a wheel holds no pages")
def test_there_is_no_page_of_a_check_that_is_gone() -> None:
    assert sorted(path.name for path in DOCS.iterdir()) == sorted(Path(name).name for name in PAGES)


def test_a_schema_that_nobody_knows_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        schema_text("no-such-schema")
