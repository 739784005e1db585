"""Load what the policy says of each check, and choose among them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Final

from permcheck.errors import PolicyError, Problem, UnknownNameError
from permcheck.loading.data import data_root
from permcheck.loading.forms import as_form
from permcheck.loading.text import parse_file
from permcheck.model.names import Names
from permcheck.model.policy_checks import CheckFacts

FOLDER: Final = "checks"
COMPILED: Final = "compiled-checks.json"


def check_files() -> tuple[Path, ...]:
    """List the files of the checks."""
    return tuple(sorted((data_root() / "policy" / FOLDER).glob("*.yaml")))


def read_checks() -> dict[str, CheckFacts]:
    """Parse and validate the file of every check. Raises PolicyError."""
    result: dict[str, CheckFacts] = {}
    problems: list[Problem] = []
    for path in check_files():
        facts = as_form(parse_file(path), CheckFacts, "policy-check")
        if facts.id != path.stem:
            problems.append(Problem(str(path), 0, 0, "name", f"the file of `{facts.id}` must be called so"))
        result[facts.id] = facts
    if problems:
        raise PolicyError(tuple(problems))
    return result


@cache
def load_checks() -> Mapping[str, CheckFacts]:
    """Load every check once."""
    return read_checks()


def chosen(select: Iterable[str], ignore: Iterable[str]) -> tuple[CheckFacts, ...]:
    """Return the checks to run: the default ones and the selected ones, without the ignored ones.

    Checks are named by id, by name, or by the beginning of an id. Raises UnknownNameError.
    """
    checks = load_checks()
    wanted = _ids(select) if tuple(select) else {id_ for id_, facts in checks.items() if facts.default}
    return tuple(facts for id_, facts in checks.items() if id_ in wanted - _ids(ignore))


def _ids(names: Iterable[str]) -> set[str]:
    checks = load_checks()
    known = Names("check", ((facts.id, (facts.id, facts.name)) for facts in checks.values()))
    result: set[str] = set()
    for name in names:
        many = {id_ for id_ in checks if name.upper().startswith("PC") and id_.startswith(name.upper())}
        if name.casefold() == "all":
            many = set(checks)
        if not many:
            try:
                many = {known.find(name)}
            except UnknownNameError as error:
                raise UnknownNameError("check", name, error.near, "`permcheck rule --list` lists them") from None
        result |= many
    return result


def compiled() -> str:
    """Make the text of the compiled file."""
    return json.dumps({id_: facts.model_dump() for id_, facts in read_checks().items()}, ensure_ascii=False)
