"""Validate and lint files: find them, read what they define, run the checks, keep what was asked for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from permcheck.checks.definitions import Defined, definitions_in
from permcheck.checks.facts import chosen
from permcheck.checks.finding import Finding, NotRun
from permcheck.checks.run import Given, run_checks
from permcheck.checks.settings import Settings, judge
from permcheck.errors import LoadError, Problem
from permcheck.loading.estate import read_estate
from permcheck.loading.files import SUFFIXES, found_files
from permcheck.loading.resolve import resolve
from permcheck.model.policy_index import Policy

if TYPE_CHECKING:
    from permcheck.api import Estate

READ: Final = (*SUFFIXES, ".xml")


@dataclass(frozen=True)
class Report:
    """Everything that was found, in a fixed order."""

    findings: tuple[Finding, ...]
    not_run: tuple[NotRun, ...]
    problems: tuple[Problem, ...]
    """Files that can't be read, or are wrong in themselves."""
    unknown: tuple[str, ...]
    """Files by which nothing is known."""
    files: int
    ran: tuple[str, ...]
    hidden: int = 0
    """Findings that a suppression or the baseline keeps back."""


def files_of(paths: Iterable[Path]) -> tuple[Path, ...]:
    """List the files to look at. Raises LoadError if a path is not there, or no file is found."""
    result: dict[Path, None] = {}
    for path in paths:
        if path.is_dir():
            result |= dict.fromkeys(found for found in found_files(path) if found.suffix.lower() in READ)
        elif path.is_file():
            result[path] = None
        else:
            problem = Problem(str(path), 0, 0, "no-such-file", "there is no such file or folder")
            raise LoadError((problem,))
    if not result:
        problem = Problem(", ".join(map(str, paths)), 0, 0, "no-files", "no YAML, JSON or XML file was found here")
        raise LoadError((problem,))
    return tuple(result)


def validate(paths: Iterable[Path], policy: Policy, settings: Settings) -> Report:
    """Check shape, references and ids, file by file. Estate files are resolved with those beside them."""
    files = files_of(paths)
    defined = [definitions_in(path, policy) for path in files]
    cheap = [facts for facts in chosen(settings.select, settings.ignore) if facts.cheap]
    ran = run_checks(cheap, Given(policy, tuple(d for one in defined for d in one.definitions), None, settings.options))
    problems = [problem for one in defined for problem in one.problems]
    problems += _estate_problems([Path(one.file) for one in defined if one.kind == "estate"], policy)
    return _report(defined, ran.findings, (), problems, ran.ran, settings)


def _estate_problems(named: list[Path], policy: Policy) -> Iterator[Problem]:
    """Resolve the estates that the files belong to; report their own problems, and what they break."""
    for folder in dict.fromkeys(path.parent for path in named):
        joined = read_estate(folder) if folder.joinpath(".").is_dir() else read_estate(named[0])
        ours = {str(path) for path in named}
        before = tuple(joined.problems)
        try:
            _, warnings = resolve(joined, policy)
        except LoadError as error:
            warnings = error.problems
        yield from (p for p in warnings if p not in before or p.file in ours)


def lint(paths: Iterable[Path], policy: Policy, settings: Settings, estate: Estate | None) -> Report:
    """Run every chosen check on the files, and on the estate if there is one."""
    listed = tuple(paths)
    defined = [definitions_in(path, policy) for path in files_of(listed)] if listed else []
    definitions = tuple(d for one in defined for d in one.definitions)
    ran = run_checks(chosen(settings.select, settings.ignore), Given(policy, definitions, estate, settings.options))
    problems = [problem for one in defined for problem in one.problems]
    return _report(defined, ran.findings, ran.not_run, problems, ran.ran, settings)


def _report(
    defined: list[Defined],
    findings: tuple[Finding, ...],
    not_run: tuple[NotRun, ...],
    problems: list[Problem],
    ran: tuple[str, ...],
    settings: Settings,
) -> Report:
    kept = judge(findings, settings)
    unknown = tuple(one.file for one in defined if not one.kind and not one.problems)
    return Report(
        tuple(sorted(kept)),
        not_run,
        tuple(sorted(set(problems))),
        unknown,
        len(defined),
        ran,
        len(findings) - sum(one in findings for one in kept),
    )
