"""Look at policies: hold the files of each together, and run the checks of a policy on it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

from permcheck.checks.definitions import Defined
from permcheck.checks.finding import Place
from permcheck.checks.run import Given, Ran, run_checks
from permcheck.errors import PolicyError, Problem
from permcheck.loading.policy import is_policy, read_files, whole_problems
from permcheck.model.policy_checks import CheckFacts
from permcheck.model.policy_index import Policy, build_policy

KIND: Final = "policy"


class Held(NamedTuple):
    """What a folder with a policy holds."""

    folder: Path
    files: tuple[Path, ...]
    policy: Policy | None
    """None if it can't be put together."""
    problems: tuple[Problem, ...] = ()
    """Files that can't be read."""
    wrong: tuple[Problem, ...] = ()
    """What does not hold together, in files that can be read."""

    def defined(self) -> Iterator[Defined]:
        """Return its files as those of any other kind are."""
        return (Defined(str(path), KIND) for path in self.files)

    def ran(self, chosen: Iterable[CheckFacts]) -> Ran:
        """Run those checks on it that are about a policy."""
        if self.policy is None:
            return Ran((), (), ())
        ran = run_checks([facts for facts in chosen if facts.needs == KIND], Given(self.policy))
        return ran._replace(findings=tuple(one._replace(place=Place(str(self.folder))) for one in ran.findings))


def policies(files: Iterable[Path]) -> tuple[Held, ...]:
    """Return the policies that files belong to: all of a policy is looked at, whichever of its files was named."""
    known: dict[Path, bool] = {}
    found: dict[Path, list[Path]] = {}
    for path in files:
        for folder in (path.parent, path.parent.parent):
            if known.setdefault(folder, is_policy(folder)):
                found.setdefault(folder, []).append(path)
                break
    return tuple(_look(folder, tuple(paths)) for folder, paths in found.items())


def _look(folder: Path, paths: tuple[Path, ...]) -> Held:
    try:
        files = read_files(folder)
    except PolicyError as error:
        return Held(folder, paths, None, error.problems)
    wrong = whole_problems(folder, files)
    policy = None if wrong else build_policy(tuple((name, read.form) for name, read in files.items()))
    return Held(folder, paths, policy, (), wrong)
