"""Measure reviews of many tenants, and of one in parts: medians, and ratios to what was measured in the same run.

    python benchmarks/scale.py            everything
    python benchmarks/scale.py tenants    many tenants: one process, two, Ray
    python benchmarks/scale.py parts      one estate, divided by its devices

Every engine makes the same files, and the program fails if the totals are not the same.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from generate import estate
from permcheck.model.state import Verdict
from permcheck.review.review import Total
from permcheck.scale.key import hash_of
from permcheck.scale.merge import Merged, merge
from permcheck.scale.run import ENGINES, How, review_tenants
from permcheck.scale.shard import opened, review_shard
from permcheck.scale.values import Asked, Results, Shard, Work

SMALL = {"users": 100, "groups": 40, "collections": 106, "devices": 1_000, "assignments": 40}
MIDDLE = {"users": 2_000, "groups": 800, "collections": 1_900, "devices": 50_000, "assignments": 500}
TENANTS = 8
TIMES = 3
DIVIDED = (1, 2, 4, 8)
COUNTED = Asked(verdicts=())
"""Every answer to every action is counted, and none listed."""
LISTED = Asked(actions=("run-script",), verdicts=(Verdict.ALLOW, Verdict.UNDETERMINED))
"""Who can run a script, or may be able to: row by row, with reasons."""
QUESTIONS = {"counted": COUNTED, "listed": LISTED}


class Spent(NamedTuple):
    """Seconds: by the clock, and of processors. The latter are the same on a busy computer."""

    clock: float
    processors: float


def _processors() -> float:
    """Seconds of processors of this process, and of those that it started and that are over."""
    found = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in found)


def serial(work: Work, shards: list[Shard], jobs: int) -> Results:
    """One after the other, in this process."""
    assert jobs == 1
    for shard in shards:
        yield work(shard)


def tenants() -> None:
    """Many small tenants, each engine in turn, so that noise meets all of them."""
    ENGINES["serial"] = serial  # type: ignore[index]
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "tenants")
        source.mkdir()
        for number in range(TENANTS):
            Path(source, f"tenant-{number:03}.json").write_text(json.dumps(estate(**SMALL, seed=number)), "utf-8")
        for name, asked in QUESTIONS.items():
            seconds: dict[str, list[Spent]] = {}
            totals: set[Total] = set()
            for _ in range(TIMES):
                for engine, jobs in (("serial", 1), ("local", 2), ("ray", 2)):
                    spent, total = _run(source, Path(folder, "out"), asked, How(engine, jobs))
                    seconds.setdefault(engine, []).append(spent)
                    totals.add(total)
            assert len(totals) == 1, totals
            _tell(name, seconds, totals.pop())


def _run(source: Path, output: Path, asked: Asked, how: How) -> tuple[Spent, Total]:
    shutil.rmtree(output, ignore_errors=True)
    start, before = time.perf_counter(), _processors()
    outcome = review_tenants(source, output, datetime.now(UTC), asked, how)
    spent = Spent(time.perf_counter() - start, _processors() - before)
    assert not outcome.merged.problems, outcome.merged.problems
    return spent, outcome.merged.total


def _tell(name: str, seconds: dict[str, list[Spent]], total: Total) -> None:
    middle = {engine: Spent(*map(statistics.median, zip(*found, strict=True))) for engine, found in seconds.items()}
    print(f"  {name}: {TENANTS} tenants, {total.cells:,} cells, {total.allow:,} of them allow")
    for engine, found in middle.items():
        faster, more = middle["serial"].clock / found.clock, found.processors / middle["serial"].processors
        print(
            f"    {engine:8}{found.clock:7.1f} s, {faster:4.2f} x as fast"
            f"   {found.processors:7.1f} s of processors, {more:4.2f} x"
        )


def parts() -> None:
    """One estate in parts, one part after the other: processor seconds of all together, and of the longest."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "estate.json")
        for name, size, asked in (("counted, M", MIDDLE, COUNTED), ("listed, S", SMALL, LISTED)):
            path.write_text(json.dumps(estate(**size)), "utf-8")
            print(f"  {name}")
            alone, totals = 0.0, set()
            for number in DIVIDED:
                spent, loading, found = _divided(path, Path(folder, "out"), asked, number)
                totals.add(found.total)
                alone = alone or sum(spent)
                print(
                    f"    {number} parts   together {sum(spent):6.1f} s = {sum(spent) / alone:4.2f} x one part"
                    f"   longest {max(spent):5.1f} s = {max(spent) / alone:4.2f} x"
                    f"   loading {loading:4.1f} s of each   {found.rows:,} rows"
                )
            assert len(totals) == 1, totals


def _divided(path: Path, output: Path, asked: Asked, number: int) -> tuple[list[float], float, Merged]:
    """Processor seconds of each part, those of loading alone, and the result."""
    spent, loading, results = [], [], []
    for part in range(number):
        shard = Shard("estate", str(path), hash_of(path), str(output), asked, part, number)
        start = time.process_time()
        opened(shard)
        middle = time.process_time()
        results.append(review_shard(shard))
        spent.append(time.process_time() - middle)
        loading.append(middle - start)
    return spent, statistics.median(loading), merge(results)


if __name__ == "__main__":
    print(f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}")
    for chosen in sys.argv[1:] or ["tenants", "parts"]:
        print(chosen)
        {"tenants": tenants, "parts": parts}[chosen]()
