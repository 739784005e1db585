"""Shards in processes of this computer. One that is killed costs the shard that it had, for a while, and no other."""

from __future__ import annotations

import os
import signal
from collections import deque
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from multiprocessing import get_context
from typing import Final, NamedTuple

from permcheck.scale.key import failed
from permcheck.scale.values import Results, Shard, ShardResult, Work

RETRIES: Final = 3
BEGINS: Final = 30.0
"""Seconds in which a process has surely begun."""


class Running(NamedTuple):
    """A shard that a worker has, and how often one was killed with it."""

    worker: _Worker
    shard: Shard
    killed: int


def run_local(work: Work, shards: Sequence[Shard], jobs: int) -> Results:
    """Do the work in `jobs` processes, and yield results as they come. When it is left early, they are ended."""
    waiting = deque((shard, 0) for shard in shards)
    idle = [_Worker() for _ in range(min(jobs, len(shards)))]
    running: dict[Future[ShardResult], Running] = {}
    try:
        while waiting or running:
            while waiting and idle:
                worker, (shard, killed) = idle.pop(), waiting.popleft()
                running[worker.start(work, shard)] = Running(worker, shard, killed)
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                worker, shard, killed = running.pop(future)
                idle.append(worker)
                try:
                    yield future.result()
                except BrokenProcessPool:
                    worker.renew()
                    if killed < RETRIES:
                        waiting.append((shard, killed + 1))
                    else:
                        yield was_killed(shard)
    finally:
        for busy in running.values():
            busy.worker.kill()
        for worker in (*idle, *(busy.worker for busy in running.values())):
            worker.end()


def was_killed(shard: Shard) -> ShardResult:
    """Return the result of a shard that no worker lived to finish."""
    message = f"part {shard.part} was begun {RETRIES + 1} times, and each time the worker was killed"
    return failed(shard, "killed", message, "it may need more memory: run fewer at once with --jobs")


class _Worker:
    """A pool of one process: which shard it was that broke it is known then."""

    def __init__(self) -> None:
        self._pool = _pool()
        self._id: Future[int] | None = None

    def start(self, work: Work, shard: Shard) -> Future[ShardResult]:
        """Begin a shard. A pool that broke meanwhile is replaced."""
        try:
            return self._begin(work, shard)
        except BrokenProcessPool:  # killed while it had nothing to do
            self.renew()
            return self._begin(work, shard)

    def _begin(self, work: Work, shard: Shard) -> Future[ShardResult]:
        self._id = self._id or self._pool.submit(os.getpid)
        return self._pool.submit(work, shard)

    def renew(self) -> None:
        """Start again after the process was killed."""
        self.end()
        self._pool, self._id = _pool(), None

    def kill(self) -> None:
        """Kill the process in the middle of what it does."""
        with suppress(OSError, BrokenProcessPool):
            if self._id is not None:
                os.kill(self._id.result(BEGINS), signal.SIGTERM)

    def end(self) -> None:
        """End the process, and wait for it."""
        self._pool.shutdown(cancel_futures=True)


def _pool() -> ProcessPoolExecutor:
    """Make a pool. It is spawned: a fork of a process with threads may hang."""
    return ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=_leave_interrupts)


def _leave_interrupts() -> None:
    """Ctrl-C is for the process that started this one."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
