"""Work that goes wrong, for engines: importable by name, as a process that is started for it needs it."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from unittest.mock import patch

from permcheck.review.table import Record
from permcheck.scale.files import put_rows
from permcheck.scale.shard import review_shard
from permcheck.scale.values import Shard, ShardResult, Written

DOOMED = "doomed"
SLOW = "slow"


def killed(times: int, notes: str, shard: Shard) -> ShardResult:
    """Die so many times in the middle of a file of the doomed tenant; note each time that a shard is begun."""
    note = Path(notes, f"{shard.tenant}-{shard.part}-{time.monotonic_ns()}")
    begun = len(list(note.parent.glob(f"{shard.tenant}-{shard.part}-*")))
    note.touch()
    if shard.tenant != DOOMED or begun >= times:
        return review_shard(shard)
    with patch("permcheck.scale.shard.put_rows", _half):
        return review_shard(shard)


def _half(shard: Shard, records: Iterable[Record]) -> Written:
    def some() -> Iterator[Record]:
        yield from list(records)[:3]
        os.kill(os.getpid(), signal.SIGKILL)

    return put_rows(shard, some())


def slow(shard: Shard) -> ShardResult:
    """Take a minute for the slow tenant, with a file half written."""
    if shard.tenant == SLOW:
        Path(shard.folder, ".parts", f"{shard.part}.new").write_bytes(b"PAR1")
        time.sleep(60)
    return review_shard(shard)


def by_another_version(shard: Shard) -> ShardResult:
    """Answer as a worker would on which something else is installed."""
    return review_shard(shard)._replace(key="other")


def elsewhere(shard: Shard) -> ShardResult:
    """Write the files on another disk, as a computer would that does not share the folder."""
    return review_shard(shard._replace(folder=f"{shard.folder} elsewhere"))


def faulty(shard: Shard) -> ShardResult:
    """Fail as only a fault of the program does."""
    raise AssertionError(shard.tenant)
