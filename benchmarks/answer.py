"""Answer everything that can be asked of an estate, and write it compressed: one measurement, in a process of its own.

    python benchmarks/answer.py ESTATE RESULT [CELLS]

RESULT begins with the classes of users and of devices, then has, for each action and area, the region of each class of
users, and every region as the classes of devices where the answer is certainly, and possibly, allow. CELLS are drawn at
random and asked one by one, after the time was taken.
"""

from __future__ import annotations

import gc
import json
import random
import resource
import statistics
import sys
import time
from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from operator import mul
from pathlib import Path
from typing import BinaryIO

START = time.perf_counter()

from permcheck.api import Estate  # noqa: E402 - importing is part of what is measured
from permcheck.bulk.act import Act  # noqa: E402
from permcheck.bulk.answers import Answers, Selection, View  # noqa: E402
from permcheck.bulk.regions import RegionId, Regions  # noqa: E402
from permcheck.bulk.warm import Warm  # noqa: E402
from permcheck.evaluate.question import Question  # noqa: E402
from permcheck.loading.estate import collector_off, read_estate  # noqa: E402
from permcheck.loading.policy import load_policy  # noqa: E402
from permcheck.loading.resolve import resolve  # noqa: E402
from permcheck.model.state import VERDICT_OF, Verdict  # noqa: E402

BLOCK = 2**22


def load(path: Path) -> Estate:
    """Load an estate without networkx."""
    policy = load_policy()
    tables, warnings = resolve(read_estate(path), policy)
    return Estate(tables, policy, warnings)


def everything(estate: Estate) -> Answers:
    """Return all answers of an estate."""
    acts = tuple(Act(action) for action in estate.policy.actions.values())
    return Answers([View(estate._engine)], Selection(tuple(estate.tables.users), acts))  # noqa: SLF001 - inside the house


def count_and_write(answers: Answers, stream: BinaryIO) -> Counter[Verdict]:
    """Write every region of every answer; returns how many cells have each verdict."""
    import pyarrow as pa

    write = Packer(stream, pa.Codec("zstd", 1))
    weights = [len(person.members) for person in answers.persons]
    total: Counter[Verdict] = Counter()
    for index, area in enumerate(answers.areas):
        columns = {
            act: answers.column(0, act, index) for act in answers.selection.acts if index in answers.areas_of(act)
        }
        different = {id(column): column for column in columns.values()}
        counted = {name: tally(area.regions, column, weights) for name, column in different.items()}
        used: dict[int, None] = {}
        for column in different.values():
            used |= dict.fromkeys(column)
            write.put(array("I", column).tobytes())
        for column in columns.values():
            total += counted[id(column)]
        size = (area.ground.size + 7) // 8
        for region in used:
            certain, possible = area.regions[region]
            write.put(certain.to_bytes(size, "little"))
            if certain is not possible:
                write.put(possible.to_bytes(size, "little"))
    write.end()
    return total


class Packer:
    """Compresses what is written in blocks, beside the work that goes on."""

    def __init__(self, stream: BinaryIO, codec: object) -> None:
        self._stream, self._codec = stream, codec
        self._block: list[bytes] = []
        self._size = 0
        self._pool = ThreadPoolExecutor(1)
        self._written: list[Future[None]] = []

    def put(self, data: bytes) -> None:
        """Write some bytes."""
        self._block.append(data)
        self._size += len(data)
        if self._size >= BLOCK:
            self._pack()

    def end(self) -> None:
        """Write what is left."""
        self._pack()
        self._pool.shutdown()
        for one in self._written:
            one.result()

    def _pack(self) -> None:
        self._written.append(self._pool.submit(self._write, b"".join(self._block)))
        self._block, self._size = [], 0

    def _write(self, block: bytes) -> None:
        packed = self._codec.compress(block, asbytes=True)  # type: ignore[attr-defined]
        self._stream.write(len(block).to_bytes(8, "little") + len(packed).to_bytes(8, "little") + packed)


def tally(regions: Regions, column: Sequence[RegionId], weights: list[int]) -> Counter[Verdict]:
    """Count the cells of a column by verdict."""
    counts = {region: regions.counts(region) for region in set(column)}
    allowed = {region: certain for region, (certain, _) in counts.items()}
    open_ = {region: possible - certain for region, (certain, possible) in counts.items()}
    found: Counter[Verdict] = Counter()
    found[Verdict.ALLOW] = sum(map(mul, map(allowed.__getitem__, column), weights))
    found[Verdict.UNDETERMINED] = sum(map(mul, map(open_.__getitem__, column), weights))
    found[Verdict.DENY] = sum(regions.sizes) * sum(weights) - found.total()
    return found


def differences(estate: Estate, answers: Answers, count: int) -> Iterator[str]:
    """Ask for some cells one by one; returns those that are answered otherwise."""
    chance = random.Random(4)
    for _ in range(count):
        person = chance.choice(answers.persons)
        act = chance.choice(answers.selection.acts)
        index = chance.choice(answers.areas_of(act))
        area = answers.areas[index]
        place = chance.randrange(area.ground.size)
        user, device = chance.choice(person.members), chance.choice(area.ground.members[place]) or None
        region = answers.column(0, act, index)[answers.persons.index(person)]
        bulk = VERDICT_OF[area.regions.state(region, place)]
        single = estate._engine.verdict(Question(user, act.action, act.variant, area.hierarchy, device))  # noqa: SLF001
        if single is not bulk:
            yield f"{user} {act} {device}: {single.value} alone, {bulk.value} together"


def warm(answers: Answers) -> dict[str, float]:
    """Return the medians of one question in microseconds, when everything is worked out."""
    start = time.perf_counter()
    ready, chance = Warm(answers), random.Random(5)
    seconds = {"to get ready, s": time.perf_counter() - start}
    acts = [str(act) for act in answers.selection.acts if act.action.target == "device"]
    users = chance.choices([user for person in answers.persons for user in person.members], k=300)
    areas = [area for area in answers.areas if area.on_devices]
    devices = [area.ground.members[chance.randrange(area.ground.size)][0] for area in chance.choices(areas, k=300)]
    asked = [(user, chance.choice(acts), device) for user, device in zip(users, devices, strict=True)]
    measures = {
        "check": lambda: [ready.check(*one) for one in asked],
        "who-can": lambda: [ready.who_can(act, device) for _, act, device in asked],
        "what-can": lambda: [ready.what_can(user) for user in users],
    }
    for name, measure in measures.items():
        measure()
        times = []
        for _ in range(7):
            start = time.perf_counter()
            measure()
            times.append(time.perf_counter() - start)
        seconds[name] = statistics.median(times) / len(asked) * 1e6
    return {name: round(found, 2) for name, found in seconds.items()}


def main(path: Path, result: Path, cells: int) -> int:
    """Measure, then check; prints JSON."""
    with collector_off():
        estate = load(path)
        loaded = time.perf_counter()
        answers = everything(estate)
        with result.open("wb") as stream:
            total = count_and_write(answers, stream)
        done = time.perf_counter()
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        wrong = list(differences(estate, answers, cells))
        quick = warm(answers) if cells else {}
    print(
        json.dumps(
            {
                "seconds": round(done - START, 3),
                "loading": round(loaded - START, 3),
                "processor": round(time.process_time(), 3),
                "MiB": round(peak),
                "written": result.stat().st_size,
                "persons": len(answers.persons),
                "classes": [area.ground.size for area in answers.areas if area.on_devices],
                "cells": {verdict.value: found for verdict, found in total.items()},
                "warm": quick,
                "checked": cells,
                "wrong": wrong,
            }
        )
    )
    gc.enable()
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else 0))  # noqa: PLR2004
