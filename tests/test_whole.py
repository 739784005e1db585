"""What is read is the estate from before or the new one, whenever its writer is killed or a reader comes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import mixtures
import pytest
from commands import Cli
from mixtures import data, or_refused, which_of
from permcheck.api import load
from permcheck.errors import LoadError
from permcheck.exports import put as put_module
from permcheck.exports.put import ASIDE, alone
from permcheck.exports.write import texts_of, write_estate
from permcheck.live import shelf
from permcheck.loading import whole as whole_module
from permcheck.loading.estate import read_estate
from permcheck.loading.files import PROVENANCE
from permcheck.loading.whole import WRITING


@pytest.fixture(name="estate")
def an_estate(tmp_path: Path) -> Path:
    folder = tmp_path / "estate"
    write_estate(folder, texts_of(data("old")))
    return folder


READS = 60
PROGRAM = (sys.executable, mixtures.__file__)
FORKS = pytest.mark.skipif(not hasattr(os, "fork"), reason="the writers that are killed are forks")


def after_kills(how: str, folder: Path) -> list[str]:
    done = subprocess.run((*PROGRAM, how, str(folder)), capture_output=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr.decode()
    seen: list[str] = json.loads(done.stdout)
    return seen


@FORKS
def test_whichever_step_was_the_last_one(estate: Path) -> None:
    """While files take their places the estate is refused; before it is the old one, afterwards the new one."""
    seen = after_kills("steps", estate)
    assert list(dict.fromkeys(seen)) == ["old", "refused", "new"]
    assert seen == sorted(seen, key=["old", "refused", "new"].index)
    assert seen.count("refused") > 10


@FORKS
def test_a_writer_that_is_killed_at_any_moment(estate: Path) -> None:
    seen = after_kills("moments", estate)
    assert len(seen) == mixtures.KILLS + 1
    assert seen[-1] == "new"


def writer(folder: Path) -> subprocess.Popen[bytes]:
    """Start a process that writes one estate and the other, again and again."""
    return subprocess.Popen((*PROGRAM, "forever", str(folder)), stderr=subprocess.DEVNULL)


def ended(processes: Iterable[subprocess.Popen[bytes]]) -> None:
    for process in processes:
        process.kill()
        process.wait()


def until(told: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not told():
        assert time.monotonic() < end, "it did not come to that"


def test_who_reads_while_it_is_written(estate: Path) -> None:
    process, seen = writer(estate), list[str]()
    try:
        while len(seen) < READS or len(set(seen) - {"refused"}) < len(("old", "new")):
            seen.append(or_refused(estate))
        assert process.poll() is None
    finally:
        ended([process])


def test_one_import_at_a_time(estate: Path) -> None:
    with alone(estate), pytest.raises(LoadError) as caught:
        write_estate(estate, texts_of(data("new")))
    [problem] = caught.value.problems
    assert (problem.id, problem.message) == ("being-written", "another import is writing to this folder")
    assert which_of(estate) == "old"


def test_two_that_write_at_once_leave_one_estate(estate: Path) -> None:
    """Whoever finds the folder taken is told so, and ends; nobody sees a mixture meanwhile."""
    both = [writer(estate) for _ in range(2)]
    try:
        until(lambda: bool(or_refused(estate)) and any(process.poll() is not None for process in both))
    finally:
        ended(both)
    or_refused(estate)


# --- what a reader does ------------------------------------------------------------


def between(monkeypatch: pytest.MonkeyPatch, act: Callable[[], object]) -> None:
    """Do something after the first file of an estate was read."""
    from permcheck.loading import estate as module

    real, begun = module.add_file, list[bool]()

    def then(*given: Any) -> None:
        real(*given)
        if not begun:
            begun.append(True)
            act()

    monkeypatch.setattr(module, "add_file", then)


def refused(folder: Path) -> str:
    with pytest.raises(LoadError) as caught:
        read_estate(folder)
    [problem] = caught.value.problems
    assert problem.help
    return problem.id


def test_an_import_between_two_files_is_seen(estate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    between(monkeypatch, lambda: write_estate(estate, texts_of(data("new"))))
    assert refused(estate) == "changed"
    assert which_of(estate) == "new"


def test_the_same_estate_written_again_is_seen(estate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    between(monkeypatch, lambda: write_estate(estate, texts_of(data("old"))))
    assert refused(estate) == "changed"


def test_a_file_that_comes_or_goes_is_seen(estate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    between(monkeypatch, (estate / "tenant.yaml").unlink)
    assert refused(estate) == "changed"
    between(monkeypatch, lambda: (estate / "more.yaml").write_text("users: []\n", "utf-8"))
    assert refused(estate) == "changed"


def test_a_collection_that_is_replaced_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from permcheck.exports import folder as module

    def collection(name: str) -> Path:
        (tmp_path / name).mkdir()
        (tmp_path / name / "collected.json").write_text('{"permcheck": "collection/1", "responses": []}', "utf-8")
        (tmp_path / name / "users.json").write_text('{"value": []}', "utf-8")
        return tmp_path / name

    real, live = module._open, collection("live")

    def then(*given: Any) -> Any:
        if not (tmp_path / "live.partial").exists():
            shelf.put(collection("live.partial"), live)
        return real(*given)

    monkeypatch.setattr(module, "_open", then)
    with pytest.raises(LoadError, match="the files changed while they were read"):
        load(live)


@pytest.mark.parametrize("command", ["check", "explain", "review", "validate", "lint"])
def test_an_unfinished_estate_gives_no_answer(cli: Cli, estate: Path, command: str) -> None:
    (estate / WRITING).write_text("{}", "utf-8")
    asked = ["anna-old@x.example", "run-cmpivot", "OLD"] if command in {"check", "explain"} else []
    how = [str(estate)] if command == "validate" else ["-e", str(estate)]
    result = cli(command, *asked, *how)
    assert (result.code, result.out) == (3, ""), result.out
    assert "an estate is being written here, or that was broken off" in result.err
    assert f"run `permcheck import ... -o {estate}` again" in result.err


def test_an_estate_above_an_unfinished_one_is_refused_too(estate: Path) -> None:
    (estate / WRITING).write_text("{}", "utf-8")
    assert refused(estate.parent) == "being-written"


def test_a_mark_without_contents_stops_nobody(estate: Path) -> None:
    """An import that was killed before it replaced anything left the estate as it was."""
    (estate / WRITING).touch()
    (estate / ASIDE / "new").mkdir(parents=True)
    (estate / ASIDE / "new" / "users.yaml").write_text("users: [", "utf-8")
    assert which_of(estate) == "old"
    write_estate(estate, texts_of(data("new")))
    assert sorted(path.name for path in estate.iterdir() if path.name.startswith(".")) == []


def test_a_file_that_was_edited_by_hand_is_read(estate: Path) -> None:
    """What an import wrote may be edited: that it is not as it was written is no mixture."""
    path = estate / "people.yaml"
    path.write_text(path.read_text("utf-8").replace("anna-old", "anna-edited"), "utf-8")
    assert "anna-edited@x.example" in {user.upn for user in load(estate).tables.users.values()}
    (estate / "mine.yaml").write_text("users:\n- upn: mine@x.example\n", "utf-8")
    write_estate(estate, texts_of(data("new")))
    assert "mine@x.example" in {user.upn for user in load(estate).tables.users.values()}


# --- what a writer does ------------------------------------------------------------


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("at", range(1, 12, 2))
def test_what_can_not_be_replaced_leaves_everything_as_it_was(
    estate: Path, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    before, real, calls = contents(estate), os.replace, iter(range(1, 1000))

    def failing(*given: Any) -> None:
        if next(calls) == at:
            raise PermissionError(13, "Permission denied")
        real(*given)

    monkeypatch.setattr(os, "replace", failing)
    with pytest.raises(LoadError, match="can't write here: permission denied"):
        write_estate(estate, texts_of(data("new")))
    assert contents(estate) == before


def test_what_can_not_even_be_taken_back_is_refused(estate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls, real = iter(range(1000)), os.replace

    def failing(*given: Any) -> None:
        if next(calls) > 4:
            raise PermissionError(13, "Permission denied")
        real(*given)

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", failing)
        with pytest.raises(LoadError, match="can't write here"):
            write_estate(estate, texts_of(data("new")))
    assert or_refused(estate) == "refused"
    write_estate(estate, texts_of(data("new")))
    assert which_of(estate) == "new"


def test_files_of_an_import_that_was_killed_are_not_taken_for_somebody_elses(estate: Path) -> None:
    """The note of the one before does not know them yet, but the mark does."""
    (estate / "devices.yaml").write_text("devices: []\n", "utf-8")
    with pytest.raises(LoadError, match="no import wrote it"):
        write_estate(estate, texts_of(data("new")))
    (estate / WRITING).write_text('{"files": ["devices.yaml"]}', "utf-8")
    write_estate(estate, texts_of(data("new")))
    assert which_of(estate) == "new"


def test_where_files_can_not_be_locked_nothing_is_written(estate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def none(_: int) -> bool:
        raise OSError(37, "No locks available")

    before = contents(estate)
    monkeypatch.setattr(put_module, "_lock", none)
    with pytest.raises(LoadError, match="can't write here: "):
        write_estate(estate, texts_of(data("new")))
    assert {name: text for name, text in contents(estate).items() if name != WRITING} == before


def test_a_killed_anonymise_can_be_run_again(cli: Cli, estate: Path, tmp_path: Path) -> None:
    target = tmp_path / "case"
    assert cli("anonymise", str(estate), "-o", str(target)).code == 0
    (target / WRITING).write_text('{"made_by": "anonymise", "files": ["people.yaml"]}', "utf-8")
    (target / ASIDE).mkdir()
    (target / PROVENANCE).unlink()
    for path in target.iterdir():
        if path.name not in {WRITING, ASIDE, "people.yaml"}:
            path.unlink()
    assert cli("anonymise", str(estate), "-o", str(target)).code == 0
    assert sorted(path.name for path in target.iterdir() if path.name.startswith(".")) == []


def test_a_link_that_leads_nowhere_is_looked_at_as_it_is(estate: Path) -> None:
    (estate / "gone.yaml").symlink_to(estate / "nowhere.yaml")
    assert whole_module._look((estate,))[str(estate / "gone.yaml")] == ()
    assert which_of(estate) == "old"


@pytest.fixture(autouse=True)
def _no_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERMCHECK_CACHE", "0")
