"""Measure permcheck side by side with other engines: the same estate, the same questions, in one run, in turns.

    python -m venv /tmp/peers && /tmp/peers/bin/pip install -e '.[bulk]' -r benchmarks/peers.txt
    /tmp/peers/bin/python benchmarks/peers.py                 everything
    /tmp/peers/bin/python benchmarks/peers.py checks S        single questions, at one size
    /tmp/peers/bin/python benchmarks/peers.py review M        every answer at once

Every answer is compared with that of permcheck's evaluator that explains; a difference ends the run. Cerbos takes part
if the variable CERBOS names its program. docs/benchmarks.md says what is fair about it and what is not.
"""

from __future__ import annotations

import gc
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any

from peers_engines import ways_of_peers
from peers_estate import Ask, Asked, asking_permissions, draw_questions, facts_of, one_by_one, ways_to_ask, whole_estate
from peers_review import by_permcheck, classes_of, make_answers, ready_duckdb, ready_polars

ROUNDS = 5
"""In turns, so that noise meets all of them; one more before does not count."""
SECONDS = 1.5
"""Who needs longer in a round is asked fewer questions."""
AT_ONCE = 20
"""Questions that go to an engine together, where it takes more than one."""
SIZES = ("S", "M")
UNITS = ("permcheck, grant graph", "permcheck, classes")
"""What ratios are given to."""


def checks(size: str) -> None:
    """Ask single questions."""
    loaded = whole_estate(size)
    start = time.perf_counter()
    estate = asking_permissions(loaded)
    print(f"  permcheck draws its grant graph in {time.perf_counter() - start:.3f} s")
    facts = facts_of(estate)
    questions = draw_questions(estate, facts)
    own = {name: partial(_own, make) for name, make in ways_to_ask(estate).items()}
    ready: dict[str, tuple[Ask, float]] = {}
    try:
        for name, make in (own | ways_of_peers(facts, questions)).items():
            start = time.perf_counter()
            ready[name] = make(), time.perf_counter() - start
        with_collector_off(lambda: _rounds(questions, ready))
    finally:
        for ask, _ in ready.values():
            ask.close()


def _own(make: Callable[[], Callable[[Asked], bool]]) -> Ask:
    return one_by_one(make())


def _rounds(questions: dict[Asked, bool], ready: dict[str, tuple[Ask, float]]) -> None:
    seconds: dict[str, list[float]] = {name: [] for name in ready}
    fewest: dict[str, int] = dict.fromkeys(ready, len(questions))
    for number in range(ROUNDS + 1):
        for name, (ask, _) in ready.items():
            each, asked = _one_round(name, ask, questions)
            fewest[name] = min(fewest[name], asked)
            if number:
                seconds[name].append(each)
    middle = {name: statistics.median(found) for name, found in seconds.items()}
    print(f"  {'':32}   ready s       us   {'x graph':>9} {'x classes':>9}   questions")
    for name, found in middle.items():
        ratios = " ".join(f"{found / middle[unit]:9.2f}" for unit in UNITS)
        print(f"  {name:32}{ready[name][1]:10.3f}{found * 1e6:9.1f}   {ratios}   {fewest[name]:9}")


def _one_round(name: str, ask: Ask, questions: dict[Asked, bool]) -> tuple[float, int]:
    """Return seconds of one question, and how many were asked; an answer that differs ends the run."""
    order = list(questions)
    chunks = [order[start : start + AT_ONCE] for start in range(0, len(order), AT_ONCE)]
    if ask.at_once:
        by_user: dict[str, list[Asked]] = {}
        for one in order:
            by_user.setdefault(one.user, []).append(one)
        chunks = [all_[start : start + AT_ONCE] for all_ in by_user.values() for start in range(0, len(all_), AT_ONCE)]
    answers: list[bool] = []
    start = time.perf_counter()
    for chunk in chunks:
        answers += ask.many(chunk)
        if time.perf_counter() - start > SECONDS:
            break
    spent = time.perf_counter() - start
    asked = (one for chunk in chunks for one in chunk)
    for one, found in zip(asked, answers, strict=False):
        if found is not questions[one]:
            sys.exit(f"{name} answers {found} to {one}")
    return spent / len(answers), len(answers)


def review(size: str) -> None:
    """Work every answer to every action on devices out."""
    estate = whole_estate(size)
    answers = make_answers(estate)
    expected, parts = by_permcheck(answers), classes_of(answers)
    ready = {"DuckDB over classes": ready_duckdb(parts), "Polars over classes": ready_polars(parts)}
    seconds: dict[str, list[tuple[float, float]]] = {}

    def timed(name: str, call: Callable[[], Any]) -> Any:
        start, before = time.perf_counter(), time.process_time()
        found = call()
        seconds.setdefault(name, []).append((time.perf_counter() - start, time.process_time() - before))
        return found

    def rounds() -> None:
        for _ in range(ROUNDS + 1):
            fresh = timed("permcheck, making the classes", lambda: make_answers(estate))
            found = {"permcheck over classes": timed("permcheck over classes", lambda: by_permcheck(fresh))}  # noqa: B023 - called at once
            found |= {name: timed(name, count) for name, count in ready.items()}
            for name, totals in found.items():
                if totals != expected:
                    sys.exit(f"{name} counts otherwise: {totals} for {expected}")

    with_collector_off(rounds)
    middle = {name: tuple(map(statistics.median, zip(*found[1:], strict=True))) for name, found in seconds.items()}
    unit = middle["permcheck over classes"]
    cells = len(estate.tables.users) * len(estate.tables.devices) * len(expected)
    print(f"  {cells:.3g} cells, {sum(expected.values()):,} allowed")
    for name, (clock, processors) in middle.items():
        print(
            f"  {name:32}{clock:8.3f} s {clock / unit[0]:6.2f} x"
            f"   {processors:8.3f} s of processors {processors / unit[1]:6.2f} x"
        )


def with_collector_off(measure: Callable[[], None]) -> None:
    """Measure without the garbage collector, which would walk through what all the others hold."""
    gc.collect()
    gc.disable()
    try:
        measure()
    finally:
        gc.enable()


def main(chosen: list[str]) -> None:
    """Run the chosen measurements at the chosen sizes, or all."""
    load = os.getloadavg()[0]
    print(f"{datetime.now(UTC):%Y-%m-%d}, Python {platform.python_version()}, {os.cpu_count()} cores, load {load:.1f}")
    measures = {"checks": checks, "review": review}
    for name in [one for one in measures if one in chosen] or measures:
        for size in [one for one in SIZES if one in chosen] or SIZES:
            print(name, size)
            measures[name](size)


if __name__ == "__main__":
    main(sys.argv[1:])
