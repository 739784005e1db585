"""Engines: processes of this computer, and a real cluster of Ray. Who dies in the middle costs no row and doubles none."""

from __future__ import annotations

import multiprocessing
import signal
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from permcheck.errors import QuestionError
from scaled import files_in, manifest_of, reviewed, sum_of, totals_alone, unfinished, write_tenants
from workers import DOOMED, SLOW, faulty, killed, slow

posix = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
NAMES = ("contoso", DOOMED, "other")
PARTS = 2


@pytest.fixture(name="tenants")
def some_tenants(tmp_path: Path) -> Path:
    return write_tenants(tmp_path / "in", *NAMES)


@pytest.fixture(name="notes")
def a_folder_for_notes(tmp_path: Path) -> Path:
    (tmp_path / "notes").mkdir()
    return tmp_path / "notes"


@pytest.fixture(name="ray", scope="module")
def a_cluster() -> Iterator[Any]:
    """Start Ray with two processors of this computer."""
    ray = pytest.importorskip("ray")
    path = {"PYTHONPATH": str(Path(__file__).parent)}  # where `workers` is
    quiet: dict[str, Any] = {"include_dashboard": False, "log_to_driver": False, "logging_level": "error"}
    ray.init("local", num_cpus=2, runtime_env={"env_vars": path}, **quiet)
    yield ray
    ray.shutdown()


@pytest.fixture(params=["local", "ray"])
def engine(request: pytest.FixtureRequest) -> str:
    if request.param == "ray":
        request.getfixturevalue("ray")
    return str(request.param)


def is_whole(tenants: Path, output: Path) -> bool:
    """Whether totals, rows and files are those of a run in which nothing happens, in one process."""
    told = manifest_of(output)
    totals = sum_of(totals_alone(tenants / name) for name in NAMES)
    assert {one["action"]: one["cells"] for one in told["actions"]} == {a: t.cells for a, t in totals.items()}
    assert {one["action"]: one["allow"] for one in told["actions"]} == {a: t.allow for a, t in totals.items()}
    assert len(files_in(output)) == 1 + 2 * PARTS * len(NAMES)
    files = [[(file["rows"], file["sha256"]) for file in one["files"]] for one in told["tenants"]]
    assert all(found == files[0] for found in files)  # they are copies of one estate
    return bool(told["complete"]) and unfinished(output) == []


def begun(notes: Path, tenant: str) -> int:
    return len(list(notes.glob(f"{tenant}-*")))


def test_an_engine_does_what_one_process_does(engine: str, tenants: Path, tmp_path: Path) -> None:
    outcome = reviewed(tenants, tmp_path / "out", engine=engine, parts=PARTS)
    assert outcome.merged.problems == ()
    assert is_whole(tenants, tmp_path / "out")


@posix
def test_a_worker_that_is_killed_is_replaced(engine: str, tenants: Path, notes: Path, tmp_path: Path) -> None:
    """In the middle of a file, again and again: nothing is lost and nothing comes twice."""
    work = partial(killed, 3, str(notes))
    outcome = reviewed(tenants, tmp_path / "out", engine=engine, parts=PARTS, work=work)
    assert outcome.merged.problems == ()
    assert is_whole(tenants, tmp_path / "out")
    assert begun(notes, DOOMED) == 4 * PARTS


@posix
def test_a_shard_that_kills_every_worker_is_told(engine: str, tenants: Path, notes: Path, tmp_path: Path) -> None:
    """The others are done, each once; the next run does what is missing."""
    output = tmp_path / "out"
    outcome = reviewed(tenants, output, engine=engine, parts=PARTS, work=partial(killed, 99, str(notes)))
    assert [problem.id for problem in outcome.merged.problems] == ["killed"] * PARTS
    assert begun(notes, DOOMED) == 4 * PARTS
    assert outcome.merged.totals == sum_of(totals_alone(tenants / name) for name in NAMES if name != DOOMED)
    assert unfinished(output) == []
    assert not any(DOOMED in name for name in files_in(output))
    again = reviewed(tenants, output, engine=engine, parts=PARTS)
    assert again.skipped == 2 * PARTS
    assert is_whole(tenants, output)


@posix
def test_a_worker_that_dies_takes_no_other_with_it(tenants: Path, notes: Path, tmp_path: Path) -> None:
    reviewed(tenants, tmp_path / "out", parts=PARTS, work=partial(killed, 99, str(notes)))
    assert (begun(notes, "contoso"), begun(notes, "other")) == (PARTS, PARTS)


def test_a_fault_of_the_program_ends_the_run(engine: str, tenants: Path, tmp_path: Path) -> None:
    with pytest.raises(AssertionError):
        reviewed(tenants, tmp_path / "out", engine=engine, work=faulty)
    assert multiprocessing.active_children() == []


@posix
def test_an_interrupt_ends_the_workers(engine: str, tmp_path: Path) -> None:
    """Ctrl-C: at once, with no process, no half file and no manifest left; what was finished is kept."""
    tenants, output = write_tenants(tmp_path / "in", "contoso", SLOW), tmp_path / "out"
    start = time.monotonic()
    with pytest.raises(KeyboardInterrupt), interrupted_when(output / "rows" / "tenant=contoso"):
        reviewed(tenants, output, engine=engine, work=slow)
    assert time.monotonic() - start < 40
    assert multiprocessing.active_children() == []
    assert unfinished(output) == []
    assert "manifest.json" not in files_in(output)
    assert reviewed(tenants, output, engine=engine).skipped == 1


class interrupted_when:  # noqa: N801 - read as a word of the sentence
    """Interrupt the main thread a second after a file is there, as Ctrl-C would."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        self._before = signal.signal(signal.SIGALRM, self._look)
        signal.setitimer(signal.ITIMER_REAL, 1, 1)

    def __exit__(self, *_: object) -> None:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, self._before)

    def _look(self, _number: int, _frame: FrameType | None) -> None:
        if any(self._path.glob("*")) and self._seen:
            signal.setitimer(signal.ITIMER_REAL, 0)
            raise KeyboardInterrupt
        self._seen = any(self._path.glob("*"))

    _seen = False


def test_without_ray_its_extra_is_named(tenants: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(QuestionError) as caught:
        reviewed(tenants, tmp_path / "out", engine="ray")
    assert caught.value.help == 'pip install "permcheck[ray]"'
    assert not (tmp_path / "out").exists()
