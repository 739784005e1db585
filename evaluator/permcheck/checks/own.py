"""Recognise permcheck's own files, and hold them against their forms: estates, tests, policy, configuration."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, Final

from permcheck.checks.definitions import Defined, definitions_in
from permcheck.errors import LoadError
from permcheck.loading.files import HEAD, JSON_LIMIT, is_estate_file, read_text
from permcheck.model.estate import ESTATE_KEYS
from permcheck.model.policy_index import Policy

TESTS: Final = (".permcheck-test.yaml", ".permcheck-test.yml", ".permcheck-test.json")
CONFIG: Final = "permcheck.toml"
_KEY: Final = re.compile(r"""^(?:["']?([A-Za-z_$]+)["']?[ \t]*:|([{]))""", re.MULTILINE)
_TENANT: Final = re.compile(r'"tenant"\s*:\s*\{')
_MODELINE: Final = re.compile(r"#\s*yaml-language-server:\s*\$schema=\S*?(policy-[a-z]+)\.schema\.json")


def look_at(path: Path, policy: Policy) -> Defined:
    """Tell what a file is and what it defines. Problems are returned, not raised."""
    kind = _by_name(path)
    if not kind:
        defined = definitions_in(path, policy)
        if defined.definitions or defined.problems:
            return defined
        kind = _by_content(path) if defined.kind in {"", "estate"} else ""
        if not kind:
            return Defined(defined.file, "" if defined.kind == "estate" else defined.kind)
    try:
        if kind != "estate":
            _hold(path, kind)
    except LoadError as error:
        return Defined(str(path), kind, (), error.problems)
    return Defined(str(path), kind)


def is_estate(path: Path) -> bool:
    """Tell whether a file is part of an estate, by its first keys rather than its suffix."""
    if path.name.endswith(TESTS) or not is_estate_file(path):
        return False
    if path.suffix.lower() == ".json":
        return True
    try:
        text = read_text(path)
    except LoadError:
        return False
    return not _MODELINE.search(text[:HEAD]) and any(
        found[2] or found[1] in ESTATE_KEYS for found in _KEY.finditer(text)
    )


def states_tenant(path: Path) -> bool:
    """Tell whether an estate file says something of the tenant, as one file of each estate does."""
    try:
        text = read_text(path)
    except LoadError:
        return False
    if path.suffix.lower() == ".json":
        return _TENANT.search(text) is not None
    return any(found[1] == "tenant" for found in _KEY.finditer(text)) or _TENANT.search(text) is not None


def _by_name(path: Path) -> str:
    if path.name == CONFIG:
        return "configuration"
    return "test" if path.name.endswith(TESTS) else ""


def _by_content(path: Path) -> str:
    if path.suffix.lower() == ".json":
        return "estate" if is_estate_file(path) else _by_format(path)
    modeline = _MODELINE.search(read_text(path)[:HEAD])
    return modeline[1] if modeline else "estate" if is_estate(path) else ""


def _by_format(path: Path) -> str:
    """Recognise what permcheck itself wrote: decisions, findings, a baseline."""
    text = read_text(path)
    if '"permcheck-' not in text or len(text) > JSON_LIMIT:
        return ""
    data: Any = json.loads(text)
    return "answer" if isinstance(data, dict) and str(data.get("format", "")).startswith("permcheck-") else ""


def _hold(path: Path, kind: str) -> None:
    """Hold a file against its form. Raises LoadError."""
    from permcheck.loading.forms import as_form
    from permcheck.loading.schemas import SCHEMAS
    from permcheck.loading.text import parse_file

    if kind == "test":
        from permcheck.checks.expected import read_expected

        read_expected(path)
    elif kind in SCHEMAS:
        as_form(parse_file(path), SCHEMAS[kind], kind)
