"""What is shipped is what is in the folders, byte for byte, and nothing else."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from importlib.util import find_spec
from pathlib import Path

import pytest
from permcheck.loading.data import data_root

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "evaluator" / "permcheck"
BUILD = "import sys; from hatchling.build import build_wheel; build_wheel(sys.argv[1])"


def files(folder: Path) -> dict[str, bytes]:
    """Every file of a folder by its path, without what Python compiles."""
    found = (path for path in sorted(folder.rglob("*")) if path.is_file() and "__pycache__" not in path.parts)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The files of a wheel that is built here and now, without the network."""
    if data_root() != ROOT:
        pytest.skip("permcheck is installed from a wheel; another test compares that one")
    if find_spec("hatchling") is None:
        pytest.skip("hatchling is not installed here, and fetching it takes the network; `make wheel` does it")
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-c", BUILD, str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=60)
    (built,) = folder.glob("*.whl")
    with zipfile.ZipFile(built) as archive:
        return {name: archive.read(name) for name in archive.namelist() if not name.endswith("/")}


@pytest.mark.parametrize("name", ["policy", "schemas"])
def test_the_data_in_use_are_those_of_the_folders(name: str) -> None:
    """In a checkout they are the same files; in an installed wheel they are copies."""
    assert files(data_root() / name) == files(ROOT / name)


@pytest.mark.parametrize("name", ["policy", "schemas"])
def test_the_wheel_holds_the_data(wheel: dict[str, bytes], name: str) -> None:
    prefix = f"permcheck/{name}/"
    assert {path.removeprefix(prefix): data for path, data in wheel.items() if path.startswith(prefix)} == files(
        ROOT / name
    )


def test_the_wheel_holds_the_package(wheel: dict[str, bytes]) -> None:
    data = ("permcheck/policy/", "permcheck/schemas/")
    shipped = {
        path: text for path, text in wheel.items() if path.startswith("permcheck/") and not path.startswith(data)
    }
    assert shipped == {f"permcheck/{path}": text for path, text in files(PACKAGE).items()}
    assert "permcheck/py.typed" in shipped


def test_the_wheel_holds_nothing_else(wheel: dict[str, bytes]) -> None:
    others = {path.partition("/")[0] for path in wheel} - {"permcheck"}
    assert [name for name in others if not name.endswith(".dist-info")] == []
    assert not any(path.endswith((".pyc", ".orig", ".rej")) for path in wheel)


def test_the_wheel_installs_the_command(wheel: dict[str, bytes]) -> None:
    (entries,) = (text for path, text in wheel.items() if path.endswith(".dist-info/entry_points.txt"))
    assert b"permcheck = permcheck.cli.main:run" in entries


def test_every_file_of_the_policy_is_read() -> None:
    """Everything in the folder ships, so there are no drafts in it."""
    from permcheck.checks.facts import COMPILED as COMPILED_CHECKS
    from permcheck.checks.facts import check_files
    from permcheck.loading.policy import COMPILED, COMPILED_EXPORTS, policy_files

    paths = (*policy_files(ROOT / "policy"), *check_files(ROOT))
    read = {path.relative_to(ROOT / "policy").as_posix() for path in paths}
    assert set(files(ROOT / "policy")) == {*read, COMPILED, COMPILED_EXPORTS, COMPILED_CHECKS}
