"""Load the shipped policy: from its YAML files, or from what they compile to.

`policy/compiled.json` holds the same data in a form that loads in milliseconds. It
carries a digest of the YAML files and is believed only if that fits; otherwise the whole
YAML is read and held together. What is known of exports is compiled by itself, and read
when exports are.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from permcheck.errors import LoadError, PolicyError, Problem
from permcheck.loading.data import data_root
from permcheck.loading.digest import digest_of
from permcheck.loading.forms import as_form
from permcheck.loading.packed import pack, unpack
from permcheck.loading.text import parse_file
from permcheck.model.base import Form
from permcheck.model.policy_index import Policy, build_policy

if TYPE_CHECKING:
    from permcheck.loading.policy_names import Read

COMPILED: Final = "compiled.json"
COMPILED_EXPORTS: Final = "compiled-exports.json"
OF_EXPORTS: Final = ("exports", "values")
"""The files that only reading exports needs."""
CHECKS: Final = "checks"
"""The folder of the checks, which no question needs."""
MOST: Final = 100
"""So many problems are told at once."""


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
    """Parse and validate policy files, each by itself: relative path -> form. Raises PolicyError with every problem."""
    return {name: read.form for name, read in _read(folder, policy_files(folder)).items()}


def checked_policy(folder: Path) -> dict[str, Form]:
    """Parse and validate every policy file, those of the checks too, and hold them together.

    Returns relative path -> form. Raises PolicyError with every problem, as far as they are worth reading.
    """
    files = read_files(folder)
    problems = whole_problems(folder, files)
    if problems:
        raise PolicyError(problems)
    return {name: read.form for name, read in files.items()}


def read_files(folder: Path) -> dict[str, Read]:
    """Parse every policy file, those of the checks too: relative path -> what was read. Raises PolicyError."""
    return _read(folder, tuple(sorted(folder.rglob("*.yaml"))))


def whole_problems(folder: Path, files: Mapping[str, Read]) -> tuple[Problem, ...]:
    """Hold policy files together: return what is missing, stands twice, or leads nowhere."""
    from permcheck.loading.policy_names import name_problems  # what was compiled is known to hold together
    from permcheck.loading.policy_shape import shape_problems

    found = {*_missing(folder, files), *name_problems(files.values()), *shape_problems(files.values())}
    return _bounded(folder, sorted(found))


def is_policy(folder: Path) -> bool:
    """Tell whether a folder is a policy: it holds most of the kinds of file that one has."""
    there = sum((folder / kind).is_dir() or (folder / f"{kind}.yaml").is_file() for kind in _forms())
    return there > len(_forms()) // 2


def _missing(folder: Path, files: Iterable[str]) -> Iterator[Problem]:
    there = {Path(name).with_suffix("").parts[0] for name in files}
    for kind in sorted(_forms().keys() - there - {CHECKS}):
        message = f"the policy has no file `{kind}.yaml`, nor a folder `{kind}` with some"
        yield Problem(str(folder), 0, 0, "missing-file", message)


def _bounded(folder: Path, problems: list[Problem]) -> tuple[Problem, ...]:
    if len(problems) <= MOST:
        return tuple(problems)
    message = f"{len(problems) - MOST} further problems were found in the policy"
    return *problems[:MOST], Problem(str(folder), 0, 0, "further-problems", message, "put these right first")


def _forms() -> dict[str, type[Form]]:
    from permcheck.model.policy_checks import CheckFacts  # what was compiled does not need them all
    from permcheck.model.policy_forms import FORMS

    return {**FORMS, CHECKS: CheckFacts}


def _read(folder: Path, paths: tuple[Path, ...]) -> dict[str, Read]:
    from permcheck.loading.policy_names import Read

    forms = _forms()
    problems: list[Problem] = []
    result: dict[str, Read] = {}
    for path in paths:
        kind = kind_of(folder, path)
        if kind not in forms:
            help_ = "known are " + ", ".join(forms)
            problems.append(Problem(str(path), 0, 0, "unknown-policy-file", "no form is known for this file", help_))
            continue
        try:
            parsed = parse_file(path)
            read = Read(parsed, as_form(parsed, forms[kind], f"policy-{'check' if kind == CHECKS else kind}"))
            result[path.relative_to(folder).as_posix()] = read
        except LoadError as error:
            problems += error.problems
    if problems:
        raise PolicyError(tuple(problems))
    return result


def compile_policy(folder: Path, forms: Mapping[str, Form]) -> dict[str, str]:
    """Make the compiled files of a policy that holds together: name -> text."""
    return {compiled: _text(folder, compiled, forms) for compiled in (COMPILED, COMPILED_EXPORTS)}


def _text(folder: Path, compiled: str, forms: Mapping[str, Form]) -> str:
    names = (path.relative_to(folder).as_posix() for path in files_in(folder, compiled))
    document = {"digest": digest(folder, compiled), "files": {name: pack(forms[name]) for name in names}}
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
    every = checked_policy(folder)
    names = (path.relative_to(folder).as_posix() for path in files_in(folder, compiled))
    return {name: every[name] for name in names}
