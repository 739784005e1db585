"""What every test shares: hypothesis profiles, a path on which the tests' own modules are found, the command line."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from permcheck.cli.main import guarded

# pytest imports test files by path, so modules beside them (strategies, oracle) are not importable by themselves.
sys.path.insert(0, str(Path(__file__).parent))

from commands import VARIABLES, Cli, Result

os.environ["PERMCHECK_CACHE"] = "0"  # no test is answered from another one; those of the cache have their own

settings.register_profile(
    "local",
    deadline=None,
    max_examples=50,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.register_profile("ci", parent=settings.get_profile("local"), derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "local")


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Cli:
    """Run a command in this process, in an empty folder, without the user's environment."""
    for variable in VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.chdir(tmp_path)

    def run(*arguments: object) -> Result:
        return Result(int(guarded([*map(str, arguments)])), *capsys.readouterr())

    return run
