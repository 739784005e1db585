"""Expected decisions: ask an estate the questions of a file, and compare."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from permcheck.checks.finding import Place
from permcheck.checks.own import TESTS
from permcheck.errors import LoadError, PermcheckError, Problem
from permcheck.loading.files import found_files
from permcheck.loading.forms import as_form
from permcheck.loading.text import Parsed, parse_file
from permcheck.model.expected import Expectation, ExpectedFile

if TYPE_CHECKING:
    from permcheck.api import Estate


class Outcome(NamedTuple):
    """One case and what the estate says."""

    place: Place
    case: Expectation
    got: str
    said: str
    """The answer, in one line."""

    @property
    def passed(self) -> bool:
        """Whether the answer is the expected one."""
        return self.got == self.case.expect

    @property
    def question(self) -> str:
        """Who, what, on what."""
        case = self.case
        return " ".join(filter(None, (case.user, case.action, case.object and f"with {case.object}", case.device)))


@dataclass(frozen=True)
class Expected:
    """What came of all files, in their order."""

    outcomes: tuple[Outcome, ...]
    problems: tuple[Problem, ...]
    """Files and cases of which no answer was given."""
    files: int

    @property
    def failed(self) -> tuple[Outcome, ...]:
        """Cases with another answer than the expected one."""
        return tuple(one for one in self.outcomes if not one.passed)


def is_without_any(paths: Iterable[Path]) -> bool:
    """Tell whether the paths are folders, and none holds a file of expected decisions."""
    return not _found(paths)


def _found(paths: Iterable[Path]) -> dict[Path, None]:
    result: dict[Path, None] = {}
    for path in paths:
        found = found_files(path) if path.is_dir() else (path,)
        result |= dict.fromkeys(file for file in found if not path.is_dir() or file.name.endswith(TESTS))
    return result


def expected_files(paths: Iterable[Path]) -> tuple[Path, ...]:
    """List the files of expected decisions. Raises LoadError if there is none."""
    listed = tuple(paths)
    result = _found(listed)
    if not result:
        message = f"no file that ends in {TESTS[0]} was found here"
        raise LoadError((Problem(", ".join(map(str, listed)), 0, 0, "no-files", message),))
    return tuple(result)


def read_expected(path: Path) -> tuple[Parsed, ExpectedFile]:
    """Read a file of expected decisions. Raises LoadError with every problem."""
    parsed = parse_file(path)
    return parsed, as_form(parsed, ExpectedFile, "test")


def run_expected(paths: Iterable[Path]) -> Expected:
    """Ask every question of the files. Raises LoadError if there is no file."""
    outcomes: list[Outcome] = []
    problems: list[Problem] = []
    files = expected_files(paths)
    opened = cache(_opened)
    for path in files:
        try:
            parsed, form = read_expected(path)
            estate = opened((path.parent / form.estate).resolve())
        except LoadError as error:
            problems += error.problems
            continue
        for one in ask_all(parsed, form, estate):
            (outcomes if isinstance(one, Outcome) else problems).append(one)  # type: ignore[arg-type]
    return Expected(tuple(outcomes), tuple(dict.fromkeys(problems)), len(files))


def _opened(path: Path) -> Estate:
    from permcheck.api import load
    from permcheck.graph.node import Adjacency

    return load(path, container=Adjacency)


def ask_all(parsed: Parsed, form: ExpectedFile, estate: Estate) -> Iterator[Outcome | Problem]:
    """Ask an estate every question of a file; a problem is a question that can't be asked."""
    from permcheck.render.brief import brief, brief_line

    @cache
    def read(edition: str | None, readings: tuple[tuple[str, str], ...]) -> Estate:
        return estate.with_settings(edition=edition, readings=dict(readings)) if edition or readings else estate

    for number, case in enumerate(form.cases):
        file, line, column = parsed.place(("cases", number))
        try:
            asked = read(case.edition, tuple(case.readings.items()))
            decision = asked.check(case.user, case.action, case.device, object=case.object)
        except PermcheckError as error:
            yield Problem(file, line, column, "question", str(error), getattr(error, "help", ""))
        else:
            yield Outcome(Place(file, line, column), case, decision.verdict.value, brief_line(brief(decision)))
