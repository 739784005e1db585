"""Load what the policy says of each check, and choose among them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Final

from permcheck.errors import UnknownNameError
from permcheck.loading.data import data_root
from permcheck.loading.digest import digest_of
from permcheck.loading.packed import pack, unpack
from permcheck.loading.policy import checked_policy
from permcheck.model.base import Form
from permcheck.model.fold import fold_case
from permcheck.model.names import Names
from permcheck.model.policy_checks import CheckFacts

FOLDER: Final = "checks"
COMPILED: Final = "compiled-checks.json"


def check_files(root: Path | None = None) -> tuple[Path, ...]:
    """List the files of the checks."""
    return tuple(sorted(((root or data_root()) / "policy" / FOLDER).glob("*.yaml")))


def checks_of(forms: Mapping[str, Form]) -> dict[str, CheckFacts]:
    """Return the checks among the files of a policy, by id."""
    return {facts.id: facts for facts in forms.values() if isinstance(facts, CheckFacts)}


@cache
def load_checks() -> Mapping[str, CheckFacts]:
    """Load every check once: from what the YAML compiles to, if that fits, else from the YAML. Raises PolicyError."""
    try:
        document = json.loads((data_root() / "policy" / COMPILED).read_bytes(), object_hook=unpack)
        if document["digest"] == _digest(None):
            checks: dict[str, CheckFacts] = document["checks"]
            return checks
    except (OSError, ValueError, KeyError, TypeError):
        pass
    return _thawed(_packed(checks_of(checked_policy(data_root() / "policy"))))


def _thawed(text: str) -> dict[str, CheckFacts]:
    checks: dict[str, CheckFacts] = json.loads(text, object_hook=unpack)
    return checks


def _packed(checks: Mapping[str, CheckFacts]) -> str:
    return json.dumps(pack(dict(checks)), ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def _digest(root: Path | None) -> str:
    return digest_of(*(part for path in check_files(root) for part in (path.name.encode(), path.read_bytes())))


def compile_checks(root: Path, checks: Mapping[str, CheckFacts]) -> str:
    """Make the text of compiled-checks.json."""
    return f'{{"digest":"{_digest(root)}","checks":{_packed(checks)}}}\n'


def chosen(select: Iterable[str], ignore: Iterable[str]) -> tuple[CheckFacts, ...]:
    """Return the checks to run: the default ones and the selected ones, without the ignored ones.

    Checks are named by id, by name, or by the beginning of an id. Raises UnknownNameError.
    """
    checks = load_checks()
    wanted = _ids(select) if tuple(select) else {id_ for id_, facts in checks.items() if facts.default}
    wanted -= _ids(ignore)
    return tuple(facts for id_, facts in checks.items() if id_ in wanted)


def _ids(names: Iterable[str]) -> set[str]:
    checks = load_checks()
    result: set[str] = set()
    for name in names:
        many = {id_ for id_ in checks if name.upper().startswith("PC") and id_.startswith(name.upper())}
        if fold_case(name) == "all":
            many = set(checks)
        if not many:
            known = Names("check", ((facts.id, (facts.id, facts.name)) for facts in checks.values()))
            try:
                many = {known.find(name)}
            except UnknownNameError as error:
                hint = f"did you mean `{error.near[0]}`?" if error.near else "`permcheck rule --list` lists them"
                raise UnknownNameError("check", name, error.near, hint) from None
        result |= many
    return result
