"""What a command imports: a cold start is cheap only while nobody imports what is not needed."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import permcheck
import pytest

CONTOSO = str(Path(__file__).parent.parent / "examples" / "contoso")
QUESTION = ("helpdesk@contoso.com", "run-cmpivot", "PC-1042", "-e", CONTOSO)
DENIED = ("helpdesk@contoso.com", "run-script", "PC-1042", "-e", CONTOSO)
HEAVY = frozenset({"pydantic", "networkx", "jsonschema", "yaml", "rich", "numpy", "defusedxml", "tomllib", "asyncio"})
PROBE = """
import json, os, sys
from permcheck.cli.main import guarded
sys.stdout = open(os.devnull, "w", encoding="utf-8")
code = guarded(sys.argv[1:])
print(json.dumps([int(code), sorted(sys.modules)]), file=sys.stderr)
"""


def modules_of(*arguments: str, folder: Path, program: str = PROBE) -> set[str]:
    """Top-level modules that a new process has imported when a command is done."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("PERMCHECK", "COVERAGE"))}
    command = [sys.executable, "-c", program, *arguments]
    result = subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True, timeout=60)
    code, modules = json.loads(result.stderr)
    assert code in {0, 1}
    return {name.partition(".")[0] for name in modules}


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        (("--help",), set()),
        (("--version",), set()),
        (("check", "--help"), set()),
        (("explain", "--help"), set()),
        (("schema", "--list"), set()),
        (("schema", "estate"), set()),
        (("init", "new"), set()),
        (("check", *QUESTION), {"pydantic", "yaml"}),
        (("check", *DENIED), {"pydantic", "yaml"}),
        (("check", *DENIED, "--format", "json"), {"pydantic", "yaml"}),
        (("check", *DENIED, "--format", "markdown"), {"pydantic", "yaml"}),
        (("check", *DENIED, "--strict", "--what-if", "use-intune-rbac=off"), {"pydantic", "yaml"}),
        (("explain", *QUESTION), {"pydantic", "yaml", "rich"}),
        (("explain", *DENIED, "--format", "json"), {"pydantic", "yaml"}),
    ],
    ids=lambda value: " ".join(value[:1] + value[4:]) if isinstance(value, tuple) else "",
)
def test_a_command_imports_only_what_it_needs(arguments: tuple[str, ...], wanted: set[str], tmp_path: Path) -> None:
    assert modules_of(*arguments, folder=tmp_path) & HEAVY == wanted


@pytest.mark.parametrize("arguments", [("actions",), ("show", "policy"), ("show", "role", "Help Desk Operator")])
def test_the_policy_is_shown_without_an_estate(arguments: tuple[str, ...], tmp_path: Path) -> None:
    found = modules_of(*arguments, folder=tmp_path)
    assert "rich" in found
    assert not found & {"networkx", "jsonschema"}


def test_importing_the_library_imports_next_to_nothing(tmp_path: Path) -> None:
    program = "import json, sys, permcheck; print(json.dumps([0, sorted(sys.modules)]), file=sys.stderr)"
    assert modules_of(folder=tmp_path, program=program) & (HEAVY | {"click", "dataclasses", "inspect"}) == set()


def test_an_error_is_caught_without_importing_more(tmp_path: Path) -> None:
    program = (
        "import json, sys, permcheck; permcheck.LoadError; print(json.dumps([0, sorted(sys.modules)]), file=sys.stderr)"
    )
    assert modules_of(folder=tmp_path, program=program) & HEAVY == set()


# --- what is public --------------------------------------------------------------


def test_every_public_name_is_there_and_typed() -> None:
    """The names for type checkers, those that are imported when used, and `__all__` are the same."""
    text = Path(permcheck.__file__).read_text("utf-8")
    typed = re.findall(r"^    from \S+ import (\w+) as \1$", text, re.MULTILINE)
    assert sorted([*typed, "__version__"]) == permcheck.__all__
    assert all(getattr(permcheck, name) is not None for name in permcheck.__all__)


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute `chek`"):
        permcheck.chek  # noqa: B018 - it must fail
