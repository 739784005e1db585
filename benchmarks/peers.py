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
from itertools import islice
from typing import Any

from peers_engines import ways_of_peers
from peers_estate import Asked, asking_permissions, draw_questions, facts_of, ways_to_ask, whole_estate
from peers_review import by_permcheck, classes_of, make_answers, ready_duckdb, ready_polars

ROUNDS = 5
"""In turns, so that noise meets all of them; one more before does not count."""
SECONDS = 1.5
"""Who needs longer in a round is asked fewer questions."""
AT_ONCE = 20
SIZES = ("S", "M")
UNITS = ("permcheck, grant graph", "permcheck, classes")
"""What ratios are given to."""


def checks(size: str) -> None:
    """Ask single questions."""
    estate = asking_permissions(whole_estate(size))
    facts = facts_of(estate)
    questions = draw_questions(estate, facts)
    ready: dict[str, tuple[Callable[[Asked], bool], float]] = {}
    try:
        for name, make in (ways_to_ask(estate) | ways_of_peers(facts, questions)).items():
            start = time.perf_counter()
            ready[name] = make(), time.perf_counter() - start
        with_collector_off(lambda: _rounds(questions, ready))
    finally:
        for ask, _ in ready.values():
            getattr(ask, "close", lambda: None)()


def _rounds(questions: dict[Asked, bool], ready: dict[str, tuple[Callable[[Asked], bool], float]]) -> None:
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


def _one_round(name: str, ask: Callable[[Asked], bool], questions: dict[Asked, bool]) -> tuple[float, int]:
    """Return seconds of one question, and how many were asked; an answer that differs ends the run."""
    answers: list[bool] = []
    left = iter(questions)
    start = time.perf_counter()
    while some := list(islice(left, AT_ONCE)):
        answers += [ask(one) for one in some]
        if time.perf_counter() - start > SECONDS:
            break
    spent = time.perf_counter() - start
    for (asked, expected), found in zip(questions.items(), answers, strict=False):
        if found is not expected:
            sys.exit(f"{name} answers {found} to {asked}")
    return spent / len(answers), len(answers)


def review(size: str) -> None:
    """Work every answer to every action on devices out."""
    estate = whole_estate(size)
    answers = make_answers(estate)
    expected, parts = by_permcheck(answers), classes_of(answers)
    ready = {"DuckDB over classes": ready_duckdb(parts), "Polars over classes": ready_polars(parts)}
    seconds: dict[str, list[float]] = {}

    def timed(name: str, call: Callable[[], Any]) -> Any:
        start = time.perf_counter()
        found = call()
        seconds.setdefault(name, []).append(time.perf_counter() - start)
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
    middle = {name: statistics.median(found[1:]) for name, found in seconds.items()}
    cells = len(estate.tables.users) * len(estate.tables.devices) * len(expected)
    print(f"  {cells:.3g} cells, {sum(expected.values()):,} allowed")
    for name, found in middle.items():
        print(f"  {name:32}{found:10.3f} s   {found / middle['permcheck over classes']:6.2f} x")


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
