"""What passes between processes: frozen values that can be pickled."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import Any, NamedTuple, TypeAlias

from permcheck.errors import Problem
from permcheck.model.state import Verdict
from permcheck.review.review import VERDICTS, By, Total


class Asked(NamedTuple):
    """What is asked of every tenant."""

    users: tuple[str, ...] = ()
    actions: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()
    verdicts: tuple[Verdict, ...] = VERDICTS
    """Answers that are listed. All are counted."""
    by: By = "class"
    edition: str | None = None
    readings: tuple[tuple[str, str], ...] = ()
    strict: bool = False
    changes: tuple[str, ...] = ()
    """What is assumed to be changed, as KEY=VALUE."""

    def plain(self) -> dict[str, Any]:
        """Return it as values of JSON."""
        verdicts = [verdict.value for verdict in self.verdicts]
        return self._asdict() | {"verdicts": verdicts, "readings": dict(self.readings)}


class Shard(NamedTuple):
    """Part `part` of `parts` of the review of one tenant; parts count from 0."""

    tenant: str
    path: str
    """An estate, or exports."""
    sources: str
    """The hash of its files."""
    folder: str
    """Where the rows go."""
    asked: Asked = Asked()
    part: int = 0
    parts: int = 1


class Written(NamedTuple):
    """A file: its name below the folder, and what is in it."""

    name: str
    rows: int
    size: int
    sha256: str


class ShardResult(NamedTuple):
    """What became of a shard. With problems, there are no answers."""

    tenant: str
    part: int
    parts: int
    key: str
    """The same for the same question about the same files, asked of the same version and facts."""
    totals: tuple[tuple[str, Total], ...] = ()
    """Action -> cells by verdict."""
    files: tuple[Written, ...] = ()
    """The rows, and the members of long sets."""
    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()

    @property
    def rows(self) -> int:
        """How many rows it has."""
        return self.files[0].rows if self.files else 0


Work: TypeAlias = Callable[[Shard], ShardResult]
"""Makes a result of a shard, in whichever process."""
Results: TypeAlias = Generator[ShardResult, None, None]
Engine: TypeAlias = Callable[[Work, Sequence[Shard], int], Results]
"""Does the work for each shard, so many at once, and yields results as they come."""
