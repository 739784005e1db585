"""Shards on Ray: its scheduler, its retries, the machines of its cluster."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from permcheck.errors import QuestionError
from permcheck.review.write.frames import needed
from permcheck.scale.local import RETRIES, was_killed
from permcheck.scale.values import Results, Shard, ShardResult, Work


def run_on_ray(work: Work, shards: Sequence[Shard], jobs: int) -> Results:
    """Do the work on the cluster that RAY_ADDRESS names, or on one of `jobs` processors that is started for it.

    A cluster to which the program is connected already is used as it is. Raises QuestionError
    where Ray is not installed.
    """
    ray = needed_ray()
    ours = not ray.is_initialized()
    if ours:
        _connect(ray, jobs)
    try:
        task = ray.remote(max_retries=RETRIES)(_done)
        yield from _results(ray, {task.remote(work, shard): shard for shard in shards})
    finally:
        if ours:
            ray.shutdown()


def _done(work: Work, shard: Shard) -> ShardResult:
    return work(shard)


def needed_ray() -> Any:
    """Import Ray. Raises QuestionError."""
    return needed("ray")


def _connect(ray: Any, jobs: int) -> None:
    address = os.environ.get("RAY_ADDRESS")
    if not address:
        ray.init("local", num_cpus=jobs, include_dashboard=False, log_to_driver=False, logging_level="error")
        return
    try:
        ray.init(address, log_to_driver=False, logging_level="error")
    except (ConnectionError, RuntimeError, ValueError):
        raise QuestionError(f"no cluster of Ray answers at `{address}`", "RAY_ADDRESS names it") from None


def _results(ray: Any, running: dict[Any, Shard]) -> Results:
    try:
        while running:
            for reference in ray.wait(list(running))[0]:
                yield _result(ray, reference, running.pop(reference))
    finally:
        for reference in running:
            ray.cancel(reference, force=True)


def _result(ray: Any, reference: Any, shard: Shard) -> ShardResult:
    try:
        result: ShardResult = ray.get(reference)
    except ray.exceptions.RayTaskError as error:  # what the work itself raised
        raise error.cause from None
    except (ray.exceptions.WorkerCrashedError, ray.exceptions.OutOfMemoryError, ray.exceptions.NodeDiedError):
        return was_killed(shard)
    return result
