"""Validate and lint files: find them, read what they define, run the checks, keep what was asked for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from permcheck.checks.definitions import Defined
from permcheck.checks.facts import chosen
from permcheck.checks.finding import Finding, NotRun
from permcheck.checks.own import CONFIG, look_at
from permcheck.checks.policy_files import KIND, Held, policies
from permcheck.checks.run import Given, Ran, run_checks
from permcheck.checks.settings import Looked, Settings, judge
from permcheck.errors import LoadError, Problem
from permcheck.loading.files import SUFFIXES, found_files
from permcheck.model.policy_checks import CheckFacts
from permcheck.model.policy_index import Policy
from permcheck.system import reason_of

if TYPE_CHECKING:
    from permcheck.api import Estate

READ: Final = (*SUFFIXES, ".xml")
PARTS: Final = ("estate", "other")
"""Kinds of file that say something as parts of an estate."""


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
    configurations: tuple[Path, ...] = ()
    """Configuration files of permcheck among the files."""
    root: Path = Path()
    """Where the keys of findings name files from."""
    parts: bool = False
    """All files are parts of an estate, such as one export, and none defines a role: no check is about them alone."""
    wrong: frozenset[Problem] = frozenset()
    """Problems of policies that can be read, but don't hold together: findings, as no check is needed to see them."""

    @property
    def unusable(self) -> bool:
        """Whether something could not be looked at."""
        return any(problem.severity == "error" for problem in self.problems if problem not in self.wrong)


def files_of(paths: Iterable[Path]) -> tuple[Path, ...]:
    """List the files to look at, sorted in each folder. Raises LoadError with every path that is not there."""
    listed = tuple(paths)
    result: dict[Path, None] = {}
    problems = []
    for path in listed:
        try:
            if path.is_dir():
                result |= dict.fromkeys(f for f in found_files(path) if f.suffix.lower() in READ or f.name == CONFIG)
            elif path.is_file():
                result[path] = None
            else:
                problems.append(Problem(str(path), 0, 0, "no-such-file", "there is no such file or folder"))
        except (OSError, ValueError) as error:  # a name too long, a folder that can't be entered
            reason = reason_of(error, "it can't be opened")
            problems.append(Problem(str(path)[:80], 0, 0, "unreadable", f"can't look there: {reason}"))
    if not result and not problems:
        message = "no YAML, JSON or XML file was found here"
        problems = [Problem(", ".join(map(str, listed)), 0, 0, "no-files", message)]
    if problems:
        raise LoadError(tuple(problems))
    return tuple(result)


def broken_policies(paths: Iterable[Path], settings: Settings) -> Report | None:
    """Return what is wrong in policies among the files; None if nothing is.

    The one that checks go by may be among them, so this comes before it is loaded.
    """
    held = tuple(one for one in policies(files_of(paths)) if one.policy is None)
    defined = [one for each in held for one in each.defined()]
    return _report(defined, held, Ran((), (), ()), [], settings, Looked()) if held else None


def validate(paths: Iterable[Path], policy: Policy, settings: Settings) -> Report:
    """Check shape, references and ids: of an estate or a policy as a whole, of anything else file by file."""
    listed = tuple(paths)
    defined, held = _look(files_of(listed), policy)
    cheap = [facts for facts in chosen(settings.select, settings.ignore) if facts.cheap]
    definitions = tuple(d for one in defined for d in one.definitions)
    ran = run_checks(cheap, Given(policy, definitions, None, settings.options, _of(defined, "estate")))
    problems: list[Problem] = []
    named = [Path(one.file) for one in defined if one.kind == "estate" and not one.problems]
    if named:
        from permcheck.checks.estates import estate_problems  # a role file does not pay for it

        problems += estate_problems(named, filter(Path.is_dir, listed), policy, settings.estate)
    looked = _looked(listed, defined, ran, None)
    return _report(defined, held, ran._replace(not_run=()), problems, settings, looked)


def lint(
    paths: Iterable[Path], policy: Policy, settings: Settings, estate: Estate | None, before: Estate | None = None
) -> Report:
    """Run every chosen check on the files, on the estate if there is one, and on what differs from that `before`."""
    listed = tuple(paths)
    defined, held = _look(files_of(listed), policy) if listed else ([], ())
    definitions = tuple(d for one in defined for d in one.definitions)
    files = _of(defined, "estate") if definitions or estate is not None else ()  # how it is written is no look at it
    given = Given(policy, definitions, estate, settings.options, files, _of(defined, "test"), settings.today, before)
    checks = chosen(settings.select, settings.ignore)
    ran = _joined([one.ran(_of_policies(settings)) for one in held])
    if not held or settings.select or estate is not None or any(one.kind != KIND for one in defined):
        rest = [facts for facts in checks if not held or facts.needs != KIND]
        ran = _joined([run_checks(rest, given), ran])
    return _report(defined, held, ran, [], settings, _looked(listed, defined, ran, estate))


def _look(files: tuple[Path, ...], policy: Policy) -> tuple[list[Defined], tuple[Held, ...]]:
    """Look at files, each by itself, but for those of a policy."""
    held = policies(files)
    theirs = {path for one in held for path in one.files}
    defined = [look_at(path, policy) for path in files if path not in theirs]
    return [*defined, *(one for each in held for one in each.defined())], held


def _of_policies(settings: Settings) -> tuple[CheckFacts, ...]:
    """Return the checks for policies that are looked at: without a selection all, for nobody looks at one by chance."""
    return chosen(settings.select or ("all",), settings.ignore)


def _joined(parts: Iterable[Ran]) -> Ran:
    listed = tuple(parts)
    findings = {finding for part in listed for finding in part.findings}
    not_run = tuple(one for part in listed for one in part.not_run)
    return Ran(tuple(sorted(findings)), not_run, tuple(dict.fromkeys(id_ for part in listed for id_ in part.ran)))


def _of(defined: Iterable[Defined], kind: str) -> tuple[Path, ...]:
    return tuple(Path(one.file) for one in defined if one.kind == kind and not one.problems)


def _looked(listed: tuple[Path, ...], defined: list[Defined], ran: Ran, estate: Estate | None) -> Looked:
    files = {one.file for one in defined} | {one.place.split()[0] for one in ran.findings}
    whole = all(path.is_dir() for path in listed)
    return Looked(frozenset(ran.ran), frozenset(files), whole, estate is not None)


def _report(
    defined: list[Defined],
    held: tuple[Held, ...],
    ran: Ran,
    problems: list[Problem],
    settings: Settings,
    looked: Looked,
) -> Report:
    kept, hidden = judge(ran.findings, settings, looked)
    unknown = tuple(one.file for one in defined if not one.kind and not one.problems)
    wrong = frozenset(problem for one in held for problem in one.wrong)
    broken = {problem for one in defined for problem in one.problems}
    broken |= {problem for one in held for problem in one.problems}
    found = tuple(sorted({*problems, *broken, *wrong}))
    return Report(
        tuple(sorted(kept)),
        ran.not_run,
        found,
        unknown,
        len(defined),
        ran.ran,
        hidden,
        tuple(Path(one.file) for one in defined if one.kind == "configuration"),
        settings.root,
        bool(defined) and not found and all(one.kind in PARTS and not one.definitions for one in defined),
        wrong,
    )
