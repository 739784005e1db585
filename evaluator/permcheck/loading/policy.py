"""Load the shipped policy: from its YAML files, or from what they compile to.

`policy/compiled.json` holds the same data in a form that loads in milliseconds. It
carries a digest of the YAML files and is believed only if that fits.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.util import source_hash
from pathlib import Path
from typing import Final

from permcheck.errors import LoadError, PolicyError, Problem
from permcheck.loading.data import data_root
from permcheck.loading.forms import as_form
from permcheck.loading.packed import pack, unpack
from permcheck.loading.text import parse_file
from permcheck.model.base import Form
from permcheck.model.policy import FORMS
from permcheck.model.policy_index import Policy, build_policy

COMPILED: Final = "compiled.json"
CHECKS: Final = "checks"
"""The folder of the checks, which no question needs."""


def policy_files(folder: Path) -> tuple[Path, ...]:
    """List the policy's YAML files in a fixed order; those of the checks are loaded by themselves."""
    return tuple(path for path in sorted(folder.rglob("*.yaml")) if path.parent.name != CHECKS)


def kind_of(folder: Path, path: Path) -> str:
    """Tell which form a policy file has: the name of its folder, or its own."""
    return path.relative_to(folder).with_suffix("").parts[0]


def digest(folder: Path) -> str:
    """Hash names and contents of all policy files, as Python does to see that a compiled module is stale."""
    parts = []
    for path in policy_files(folder):
        parts += [path.relative_to(folder).as_posix().encode(), path.read_bytes()]
    return source_hash(b"\0".join(parts)).hex()


def read_policy(folder: Path) -> dict[str, Form]:
    """Parse and validate every policy file: relative path -> form. Raises PolicyError with every problem."""
    problems: list[Problem] = []
    result: dict[str, Form] = {}
    for path in policy_files(folder):
        kind = kind_of(folder, path)
        if kind not in FORMS:
            help_ = "known are " + ", ".join(FORMS)
            problems.append(Problem(str(path), 0, 0, "unknown-policy-file", "no form is known for this file", help_))
            continue
        try:
            result[path.relative_to(folder).as_posix()] = as_form(parse_file(path), FORMS[kind], f"policy-{kind}")
        except LoadError as error:
            problems += error.problems
    if problems:
        raise PolicyError(tuple(problems))
    return result


def compile_policy(folder: Path) -> str:
    """Make the text of compiled.json."""
    forms = {name: pack(form) for name, form in read_policy(folder).items()}
    document = {"digest": digest(folder), "files": forms}
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"), sort_keys=True) + "\n"


@cache
def load_policy() -> Policy:
    """Load the shipped policy once. Raises PolicyError."""
    return policy_from(data_root() / "policy")


def policy_from(folder: Path) -> Policy:
    """Load a policy folder. Raises PolicyError."""
    forms = _compiled(folder)
    if forms is None:
        forms = read_policy(folder)
    return build_policy(tuple(forms.items()))


def _compiled(folder: Path) -> dict[str, Form] | None:
    """Read compiled.json if it is there and fits the YAML files, which were validated when it was made."""
    try:
        document = json.loads((folder / COMPILED).read_bytes(), object_hook=unpack)
        if document["digest"] == digest(folder):
            forms: dict[str, Form] = document["files"]
            return forms
    except (OSError, ValueError, KeyError, TypeError):
        pass
    return None
