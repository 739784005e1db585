"""Measure permcheck: medians, and ratios to what was measured in the same run.

    make bench            everything
    python benchmarks/run.py cold warm load exports lint
    python benchmarks/run.py whole cached [S] [M] [L]

Nothing here is a test: figures of a noisy machine are for people.
"""

from __future__ import annotations

import gc
import json
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from exports import write_exports
from generate import estate
from lint import write_estate, write_roles
from whole import PROFILES, write_whole
from whole import SIZES as WHOLE

if TYPE_CHECKING:
    from permcheck import Estate

ROOT = Path(__file__).resolve().parent.parent
CONTOSO = ROOT / "examples" / "contoso"
QUESTION = ["helpdesk@contoso.com", "run-cmpivot", "PC-0042"]
SIZES = {
    "1k grants": {"users": 100, "groups": 60, "collections": 100, "devices": 1_000, "assignments": 40},
    "10k grants": {"users": 1_000, "groups": 700, "collections": 1_000, "devices": 2_000, "assignments": 400},
    "100k grants": {"users": 8_000, "groups": 7_000, "collections": 8_000, "devices": 5_000, "assignments": 4_000},
}
LOAD_ONCE = """
import sys, time, permcheck
start = time.perf_counter()
permcheck.load(sys.argv[1])
print(time.perf_counter() - start)
"""
EXPORTS = ((50_000, 500_000, 3), (500_000, 5_000_000, 1))
"""Devices, memberships, runs. At most 20 s and 1.5 GiB for the first, 3 minutes and 6 GiB for the second."""
HELLO = Path(__file__).with_name("hello.py")
OF_WHOLE = ["user5@contoso.com", "run-script", "pc-000042"]
"""A question about a generated estate; its answer is certain."""
CHANGES_SHOW = 2.1
"""Seconds after which the times of files tell their changes: until then contents are compared each time."""
WHOLE_CELLS = 2_000
"""Cells that are asked one by one as well, when the time was taken."""
WHOLE_LIMITS = {"L": {"mixed": "at most 1.5", "hard": "at most 3", "random": "at most 6, and 2560 MiB"}}
LOAD = {"users": 2_000, "groups": 500, "collections": 2_000, "devices": 50_000, "assignments": 300}


def median(measure: Callable[[], Any], times: int) -> float:
    """Seconds of one call, as the median of several."""
    seconds = []
    for _ in range(times):
        start = time.perf_counter()
        measure()
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)


def process(*arguments: str, **how: Any) -> Callable[[], Any]:
    """Start a program and throw away what it prints."""
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    return lambda: subprocess.run(arguments, check=False, **quiet, **how)


def cold() -> None:
    """Whole processes, taken in turns so that noise meets all of them."""
    command = str(Path(sys.executable).parent / "permcheck")
    programs = {
        "import click": process(sys.executable, "-c", "import click"),
        "import the four": process(sys.executable, "-c", "import click, networkx, pydantic, jsonschema"),
        "check": process(command, "check", "--no-cache", *QUESTION, "-e", str(CONTOSO)),
        "explain": process(command, "explain", *QUESTION, "-e", str(CONTOSO)),
        "--help": process(command, "--help"),
    }
    seconds: dict[str, list[float]] = {name: [] for name in programs}
    for _ in range(15):
        for name, program in programs.items():
            seconds[name].append(median(program, 1))
    middle = {name: statistics.median(found) for name, found in seconds.items()}
    for name, found in middle.items():
        print(f"  {name:18}{found * 1e3:8.0f} ms")
    print(f"  check is {middle['check'] / middle['import click']:.2f} x `import click` (at most 6)")
    print(f"  explain is {middle['explain'] / middle['import the four']:.2f} x the four imports (at most 1.5)")


def cached(sizes: list[str]) -> None:
    """Measure a cold check that is answered from what was compiled beside a greeting, in turns; and compiling."""
    command = str(Path(sys.executable).parent / "permcheck")
    for size in sizes:
        with tempfile.TemporaryDirectory() as folder:
            source = Path(folder) / "estate"
            write_whole(source, WHOLE[size], "hard")
            for path in source.iterdir():
                os.utime(path, (0, 0))
            time.sleep(CHANGES_SHOW)
            own = {**os.environ, "XDG_CACHE_HOME": f"{folder}/cache", "XDG_STATE_HOME": f"{folder}/state"}
            check = process(command, "check", *OF_WHOLE, "-e", str(source), env=own, cwd=folder)
            first, second = median(check, 1), median(check, 1)
            programs = {"hello": process(sys.executable, str(HELLO), "anna"), "check": check}
            seconds: dict[str, list[float]] = {name: [] for name in programs}
            for _ in range(31):
                for name, program in programs.items():
                    seconds[name].append(median(program, 1))
            written = sum(path.stat().st_size for path in Path(folder, "cache").rglob("*.sqlite"))
        check_, hello = (statistics.median(seconds[name]) for name in ("check", "hello"))
        print(
            f"  {size}  check {check_ * 1e3:5.1f} ms, greeting {hello * 1e3:.1f}: {check_ / hello:.2f} (at most 1.25);"
            f" the first question took {first:.2f} s, the second, which compiled, {second:.2f} s;"
            f" {written / 2**20:.1f} MiB"
        )


def warm() -> None:
    """One loaded estate, questions at random; what a user holds is worked out before."""
    import permcheck

    for name, size in SIZES.items():
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "estate.json"
            path.write_text(json.dumps(estate(**size)), "utf-8")
            loaded = permcheck.load(path)
        chance = random.Random(2)
        users = [f"user{chance.randrange(size['users'])}@contoso.com" for _ in range(40)]
        devices = [f"PC-{chance.randrange(size['devices']):06}" for _ in range(50)]
        asked = [(user, "run-cmpivot", device) for user in users for device in devices]
        verdicts, decisions = ask(loaded, asked)
        grants = loaded.grants.container.number_of_edges()  # type: ignore[attr-defined]
        print(f"  {name:12}{grants:8} edges   verdict {verdicts * 1e6:6.1f} us   decision {decisions * 1e6:6.0f} us")
        gc.collect()


def ask(loaded: Estate, asked: list[tuple[str, str, str]]) -> tuple[float, float]:
    """Seconds of one verdict and of one decision, as medians over the questions."""
    for question in asked:
        loaded.verdict(*question)
    verdicts, decisions = [], []
    for question in asked:
        verdicts.append(median(partial(loaded.verdict, *question), 1))
        decisions.append(median(partial(loaded.check, *question), 1))
    return statistics.median(verdicts), statistics.median(decisions)


def load() -> None:
    """Load and validate, in a fresh process each: time and the largest memory."""
    document = estate(**LOAD)
    with tempfile.TemporaryDirectory() as folder:
        as_json, as_yaml = Path(folder) / "estate.json", Path(folder) / "estate.yaml"
        as_json.write_text(json.dumps(document), "utf-8")
        as_yaml.write_text(yaml.dump(document, Dumper=yaml.CSafeDumper, default_flow_style=None), "utf-8")
        for path in (as_json, as_yaml):
            seconds = []
            for _ in range(3):
                command = [sys.executable, "-c", LOAD_ONCE, str(path)]
                done = subprocess.run(command, capture_output=True, text=True, check=True)
                seconds.append(float(done.stdout))
            peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
            size = path.stat().st_size / 2**20
            middle = statistics.median(seconds)
            print(f"  {path.suffix[1:]:6}{size:6.1f} MiB   {middle:6.2f} s   at most {peak:6.0f} MiB")


def exports() -> None:
    """Import a folder of exports into estate files, in a fresh process each: time and the largest memory."""
    command = str(Path(sys.executable).parent / "permcheck")
    for devices, memberships, times in EXPORTS:
        with tempfile.TemporaryDirectory() as folder:
            source, target = Path(folder) / "exports", Path(folder) / "estate"
            write_exports(source, devices=devices, memberships=memberships)
            size = sum(path.stat().st_size for path in source.rglob("*") if path.is_file()) / 2**20
            seconds = median(process(command, "import", str(source), "-o", str(target)), times)
            peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
            print(f"  {devices:7} devices {memberships:8} memberships {size:6.0f} MiB {seconds:6.1f} s {peak:6.0f} MiB")


def lint() -> None:
    """Validate role files and lint an estate, in a fresh process each."""
    command = str(Path(sys.executable).parent / "permcheck")
    with tempfile.TemporaryDirectory() as folder:
        few, many, facts = Path(folder) / "few", Path(folder) / "many", Path(folder) / "estate.json"
        changed = write_roles(few / "roles", 500)[1]
        write_roles(many / "roles", 10_000)
        write_estate(facts)
        runs = {
            "validate 1 changed role of 500": (["validate", str(changed)], 15, "at most 0.3"),
            "lint 1 changed role of 500": (["lint", str(changed)], 15, ""),
            "validate 10,000 roles": (["validate", str(many)], 3, "at most 30"),
            "lint 10,000 roles": (["lint", str(many)], 3, ""),
            "lint 2,000 users, 50,000 devices": (["lint", "-e", str(facts)], 3, "at most 10"),
        }
        for name, (arguments, times, limit) in runs.items():
            print(f"  {name:34}{median(process(command, *arguments), times):7.2f} s   {limit}")


def whole(sizes: list[str]) -> None:
    """Every answer of an estate, from files to a compressed result, in a fresh process each, and cells asked again."""
    program = str(Path(__file__).with_name("answer.py"))
    for size in sizes:
        for profile in PROFILES:
            with tempfile.TemporaryDirectory() as folder:
                source, result = Path(folder) / "estate", Path(folder) / "answer"
                write_whole(source, WHOLE[size], profile)
                runs = []
                for cells in (0, 0, WHOLE_CELLS):
                    command = [sys.executable, program, str(source), str(result), str(cells)]
                    done = subprocess.run(command, capture_output=True, text=True, check=False)
                    if done.returncode:
                        sys.exit(f"{size} {profile}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
                    runs.append(json.loads(done.stdout))
            seconds = statistics.median(run["seconds"] for run in runs)
            loading = statistics.median(run["loading"] for run in runs)
            cells, allowed = sum(runs[0]["cells"].values()), runs[0]["cells"]["allow"]
            limit = WHOLE_LIMITS.get(size, {}).get(profile, "")
            print(
                f"  {size} {profile:7}{seconds:6.2f} s ({loading:.2f} to load) {runs[0]['MiB']:5} MiB"
                f" {runs[0]['written'] / 2**20:6.1f} MiB written  {cells:.3g} cells, {allowed:.3g} allowed  {limit}"
            )


def main(chosen: list[str]) -> None:
    """Run the chosen measurements, or all."""
    sizes = [name for name in chosen if name in WHOLE] or ["S", "M"]
    measures: tuple[tuple[str, Callable[[], None]], ...] = (
        ("cold", cold),
        ("warm", warm),
        ("load", load),
        ("exports", exports),
        ("lint", lint),
        ("whole", lambda: whole(sizes)),
        ("cached", lambda: cached(sizes)),
    )
    for name, measure in measures:
        if not chosen or name in chosen:
            print(name)
            measure()


if __name__ == "__main__":
    main(sys.argv[1:])
