"""Load the shipped policy: from its YAML files, or from what they compile to.

`policy/compiled.json` holds the same data in a form that loads in milliseconds. It
carries a digest of the YAML files and is believed only if that fits.
"""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from permcheck.errors import LoadError, PolicyError, Problem
from permcheck.load.data import data_root
from permcheck.load.forms import as_form
from permcheck.load.text import parse_file
from permcheck.model.base import Form
from permcheck.model.policy import FORMS
from permcheck.model.policy_index import Policy, build_policy

COMPILED: Final = "compiled.json"


def policy_files(folder: Path) -> tuple[Path, ...]:
    """List the policy's YAML files in a fixed order."""
    return tuple(sorted(folder.rglob("*.yaml")))


def kind_of(folder: Path, path: Path) -> str:
    """Tell which form a policy file has: the name of its folder, or its own."""
    return path.relative_to(folder).with_suffix("").parts[0]


def digest(folder: Path) -> str:
    """Hash names and contents of all policy files."""
    total = hashlib.sha256()
    for path in policy_files(folder):
        total.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return total.hexdigest()


def read_policy(folder: Path) -> dict[str, tuple[str, Any]]:
    """Parse and validate every policy file: relative path -> (kind, data). Raises PolicyError."""
    problems: list[Problem] = []
    result: dict[str, tuple[str, Any]] = {}
    for path in policy_files(folder):
        kind = kind_of(folder, path)
        try:
            parsed = parse_file(path)
            as_form(parsed, FORMS[kind], f"policy-{kind}")
            result[path.relative_to(folder).as_posix()] = (kind, parsed.data)
        except KeyError:
            help_ = "known are " + ", ".join(FORMS)
            problems.append(Problem(str(path), 0, 0, "unknown-policy-file", "no form is known for this file", help_))
        except LoadError as error:
            problems += error.problems
    if problems:
        raise PolicyError(tuple(problems))
    return result


def compile_policy(folder: Path) -> str:
    """Make the text of compiled.json."""
    document = {"digest": digest(folder), "files": read_policy(folder)}
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"), sort_keys=True) + "\n"


@cache
def load_policy() -> Policy:
    """Load the shipped policy once. Raises PolicyError."""
    return policy_from(data_root() / "policy")


def policy_from(folder: Path) -> Policy:
    """Load a policy folder. Raises PolicyError."""
    files = _compiled(folder)
    if files is None:
        files = read_policy(folder)
    forms: list[tuple[str, Form]] = []
    for name, (kind, data) in files.items():
        try:
            forms.append((name, FORMS[kind].model_validate(data)))
        except ValidationError as error:
            problem = Problem(str(folder / name), 0, 0, "policy", str(error).splitlines()[0])
            raise PolicyError((problem,)) from None
    return build_policy(tuple(forms))


def _compiled(folder: Path) -> dict[str, tuple[str, Any]] | None:
    """Read compiled.json if it is there and fits the YAML files."""
    try:
        document = json.loads((folder / COMPILED).read_bytes())
        if document["digest"] == digest(folder):
            files: dict[str, tuple[str, Any]] = document["files"]
            return files
    except (OSError, ValueError, KeyError, TypeError):
        pass
    return None
