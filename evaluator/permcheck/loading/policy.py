"""Load the shipped policy: from its YAML files, or from what they compile to.

`policy/compiled.json` holds the same data in a form that loads in milliseconds. It
carries a digest of the YAML files and is believed only if that fits. What is known of
exports is compiled by itself, and read when exports are.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Final

from permcheck.errors import LoadError, PolicyError, Problem
from permcheck.loading.data import data_root
from permcheck.loading.digest import digest_of
from permcheck.loading.forms import as_form
from permcheck.loading.packed import pack, unpack
from permcheck.loading.text import parse_file
from permcheck.model.base import Form
from permcheck.model.policy_index import Policy, build_policy

COMPILED: Final = "compiled.json"
COMPILED_EXPORTS: Final = "compiled-exports.json"
OF_EXPORTS: Final = ("exports", "values")
"""The files that only reading exports needs."""
CHECKS: Final = "checks"
"""The folder of the checks, which no question needs."""


def policy_files(folder: Path) -> tuple[Path, ...]:
    """List the policy's YAML files in a fixed order; those of the checks are loaded by themselves."""
    return tuple(path for path in sorted(folder.rglob("*.yaml")) if path.parent.name != CHECKS)


def kind_of(folder: Path, path: Path) -> str:
    """Tell which form a policy file has: the name of its folder, or its own."""
    return path.relative_to(folder).with_suffix("").parts[0]


def files_in(folder: Path, compiled: str) -> tuple[Path, ...]:
    """List the YAML files that a compiled file is made of."""
    if compiled == COMPILED_EXPORTS:
        return tuple(folder / f"{kind}.yaml" for kind in OF_EXPORTS)
    return tuple(path for path in policy_files(folder) if kind_of(folder, path) not in OF_EXPORTS)


def digest(folder: Path, compiled: str = COMPILED) -> str:
    """Hash names and contents of policy files; nothing else, so that every Python believes the same compiled file."""
    parts = []
    for path in files_in(folder, compiled):
        parts += [path.relative_to(folder).as_posix().encode(), path.read_bytes()]
    return digest_of(*parts)


def read_policy(folder: Path) -> dict[str, Form]:
    """Parse and validate every policy file: relative path -> form. Raises PolicyError with every problem."""
    return _read(folder, policy_files(folder))


def _read(folder: Path, paths: tuple[Path, ...]) -> dict[str, Form]:
    from permcheck.model.policy_forms import FORMS  # what was compiled does not need them all

    problems: list[Problem] = []
    result: dict[str, Form] = {}
    for path in paths:
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


def compile_policy(folder: Path, compiled: str = COMPILED) -> str:
    """Make the text of a compiled file. Raises PolicyError."""
    forms = {name: pack(form) for name, form in _read(folder, files_in(folder, compiled)).items()}
    document = {"digest": digest(folder, compiled), "files": forms}
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"), sort_keys=True) + "\n"


@cache
def load_policy() -> Policy:
    """Load the shipped policy once. Raises PolicyError."""
    return policy_from(data_root() / "policy")


def policy_from(folder: Path) -> Policy:
    """Load a policy folder. Raises PolicyError; what is known of exports is read, or refused, when it is asked for."""
    forms = _compiled(folder, COMPILED)
    return build_policy(tuple(forms.items()), lambda: _compiled(folder, COMPILED_EXPORTS).values())


def _compiled(folder: Path, compiled: str) -> dict[str, Form]:
    """Read a compiled file if it is there and fits the YAML files, which were validated when it was made; else those.

    Raises PolicyError.
    """
    try:
        document = json.loads((folder / compiled).read_bytes(), object_hook=unpack)
        if document["digest"] == digest(folder, compiled):
            forms: dict[str, Form] = document["files"]
            return forms
    except (OSError, ValueError, KeyError, TypeError):
        pass
    return _read(folder, files_in(folder, compiled))
