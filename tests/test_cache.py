"""Compiled answers are those of the whole evaluator, and are believed only where nothing can have changed."""

from __future__ import annotations

import json
import mmap
import os
import shutil
import sqlite3
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest
from commands import Cli, Result
from hypothesis import given, settings
from permcheck.api import Estate, load
from permcheck.bulk.regions import CONSTANT
from permcheck.cache import changes, identity, layout, pages, place
from permcheck.cache.cache import Cache
from permcheck.cache.pages import open_pages, write_pages
from permcheck.cache.recall import STATES
from permcheck.exports import folder
from permcheck.model.state import MET, UNKNOWN, UNMET, State
from recalled import ALWAYS, KEY, compared
from strategies import Data, crowds, load_dict

ROOT = Path(__file__).parent.parent
CONTOSO = ROOT / "examples" / "contoso"
ASK = ("helpdesk@contoso.com", "run-cmpivot", "PC-0042")
LONG_AGO = 1_000_000_000_000_000_000
"""Nanoseconds: files that are so old have settled."""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's folders, in which nothing is kept yet."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PERMCHECK_CACHE", "1")
    return tmp_path


@pytest.fixture
def estate(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An estate whose files have not changed for a while; time is not waited for."""
    folder = home / "estate"
    shutil.copytree(CONTOSO, folder)
    monkeypatch.setattr(changes, "SETTLED", -(10**12))
    return folder


@pytest.fixture
def ask(cli: Cli, estate: Path) -> Callable[..., Result]:
    def run(*more: str, question: tuple[str, ...] = ASK) -> Result:
        return cli("check", *question, "-e", estate, *more)

    return run


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The estates that were loaded: what was answered without one is not there."""
    loaded: list[str] = []

    def noted(path: str, **how: object) -> Estate:
        loaded.append(str(path))
        return load(path, **how)  # type: ignore[arg-type]

    monkeypatch.setattr("permcheck.api.load", noted)
    return loaded


def kept(home: Path) -> list[Path]:
    return sorted((home / "cache").rglob("*.*"))


# The law


@pytest.mark.slow
@given(crowds())
@settings(max_examples=25)
def test_what_was_compiled_is_what_the_evaluator_says(both: tuple[Data, Data]) -> None:
    assert compared(load_dict(both[0]), 400).keys() <= ALWAYS


@pytest.mark.parametrize("example", ["contoso", "lab", "preview-2006", "exports"])
def test_every_certain_answer_of_an_example_is_recalled(example: str) -> None:
    assert compared(load(ROOT / "examples" / example)).keys() == ALWAYS


def test_constant_regions_have_the_numbers_that_pages_give_them() -> None:
    assert {CONSTANT[state]: state for state in State} == dict(enumerate(STATES))
    assert (CONSTANT[UNMET], CONSTANT[MET], CONSTANT[UNKNOWN]) == (layout.UNMET, layout.MET, layout.OPEN)


# The command


def test_the_first_question_leaves_a_note_the_second_compiles_the_third_is_answered_from_that(
    ask: Callable[..., Result], home: Path, loads: list[str]
) -> None:
    answers, sizes = [], []
    for _ in range(4):
        answers.append(ask())
        sizes.append(sum(path.stat().st_size for path in kept(home)))
    assert len(loads) == 2
    assert sizes[0] < sizes[1] == sizes[2] == sizes[3]
    assert len(set(answers)) == 1


@pytest.mark.parametrize(
    "question",
    [
        ("helpdesk@contoso.com", "run-cmpivot", "PC-0042"),
        ("HELPDESK@contoso.com", "CMPivot", "pc-0042"),
        ("helpdesk@contoso.com", "run-cmpivot:administrators", "PC-0042"),
        ("helpdesk@contoso.com", "set-use-intune-rbac"),
    ],
)
def test_names_are_found_as_they_are_without_a_cache(
    ask: Callable[..., Result], loads: list[str], question: tuple[str, ...]
) -> None:
    first = ask(question=question)
    ask(question=question)
    loads.clear()
    assert ask(question=question) == first
    assert not loads or first.code == 4


@pytest.mark.parametrize(
    ("more", "question"),
    [
        (("--strict",), ASK),
        (("--edition", "2020-07"), ASK),
        (("--what-if", "use-intune-rbac=off"), ASK),
        (("--format", "json"), ASK),
        (("--no-cache",), ASK),
        ((), ("nobody@contoso.com", "run-cmpivot", "PC-0042")),
        ((), ("helpdesk@contoso.com", "run-cmpivott", "PC-0042")),
        ((), ("helpdesk@contoso.com", "run-cmpivot")),
        ((), ("helpdesk@contoso.com", "run-cmpivot", "PC-9999")),
    ],
)
def test_everything_else_is_asked_of_the_estate(
    ask: Callable[..., Result], loads: list[str], more: tuple[str, ...], question: tuple[str, ...]
) -> None:
    without = ask("--no-cache", *(one for one in more if one != "--no-cache"), question=question)
    ask()
    ask()
    loads.clear()
    assert ask(*more, question=question) == without
    assert loads


def test_warnings_are_told_again(ask: Callable[..., Result], estate: Path, loads: list[str]) -> None:
    text = "intune_roles:\n- {name: Odd, permissions: [Microsoft.Intune_Odd_Read]}\n"
    (estate / "more.yaml").write_text(text, "utf-8")
    first = ask()
    assert "warning: " in first.err
    ask()
    loads.clear()
    assert ask() == first
    assert not loads


@pytest.mark.parametrize("how", ["option", "variable", "configuration"])
def test_nothing_is_kept_by_those_who_do_not_want_it(
    ask: Callable[..., Result], home: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    if how == "variable":
        monkeypatch.setenv("PERMCHECK_CACHE", "0")
    elif how == "configuration":
        monkeypatch.delenv("PERMCHECK_CACHE")
        Path("permcheck.toml").write_text("cache = false\n", "utf-8")
    for _ in range(3):
        ask(*(["--no-cache"] if how == "option" else []))
    assert not kept(home)
    assert not (home / "state").exists()


def test_only_the_user_can_read_what_is_kept(ask: Callable[..., Result], home: Path) -> None:
    ask()
    ask()
    files = [*kept(home), *(home / "state").rglob("*.key")]
    assert len(files) == 2
    for path in files:
        assert stat.S_IMODE(path.stat().st_mode) == place.PRIVATE_FILE
        assert stat.S_IMODE(path.parent.stat().st_mode) == place.PRIVATE_FOLDER


# When it is not believed


def compiled_now(ask: Callable[..., Result], loads: list[str]) -> Result:
    """Ask until the answer is compiled."""
    first = ask()
    ask()
    loads.clear()
    assert ask() == first
    assert not loads
    return first


def edited(estate: Path) -> None:
    path = estate / "tenant.yaml"
    text = path.read_text("utf-8")
    path.write_text(text.replace('use_intune_rbac: "On" ', 'use_intune_rbac: "Off"'), "utf-8")
    assert path.read_text("utf-8") != text


def edited_unseen(estate: Path) -> None:
    """Edit a file so that size and time of change stay as they were."""
    before = (estate / "tenant.yaml").stat()
    edited(estate)
    os.utime(estate / "tenant.yaml", ns=(before.st_atime_ns, before.st_mtime_ns))
    after = (estate / "tenant.yaml").stat()
    assert (after.st_size, after.st_mtime_ns) == (before.st_size, before.st_mtime_ns)


def added(estate: Path) -> None:
    (estate / "more.yaml").write_text("users:\n- upn: new@contoso.com\n", "utf-8")


def removed(estate: Path) -> None:
    next(path for path in sorted(estate.rglob("*.yaml"))).unlink()


def linked(estate: Path) -> None:
    (estate / "more.yaml").symlink_to(estate / "estate.yaml")


@pytest.mark.parametrize("change", [edited, edited_unseen, added, removed, linked])
def test_an_estate_that_changed_is_read_again(
    ask: Callable[..., Result], estate: Path, loads: list[str], change: Callable[[Path], None]
) -> None:
    compiled_now(ask, loads)
    change(estate)
    fresh = ask("--no-cache")
    loads.clear()
    assert ask() == fresh
    assert loads


def test_a_file_that_was_only_touched_is_the_same(ask: Callable[..., Result], estate: Path, loads: list[str]) -> None:
    first = compiled_now(ask, loads)
    for path in estate.rglob("*"):
        os.utime(path, ns=(LONG_AGO, LONG_AGO))
    assert ask() == first
    assert not loads


OFF = (b'use_intune_rbac: "On" ', b'use_intune_rbac: "Off"')
"""As long as before."""


@contextmanager
def mapped(path: Path) -> Iterator[mmap.mmap]:
    """A file in memory, of which one page was changed already: its time tells none of the changes that follow."""
    with path.open("r+b") as stream, mmap.mmap(stream.fileno(), 0) as memory:
        memory[0:1] = memory[0:1]
        yield memory


def turn_off(memory: mmap.mmap) -> None:
    at = memory.find(OFF[0])
    assert at >= 0
    memory[at : at + len(OFF[1])] = OFF[1]


def at_last(estate: Path, when: int) -> None:
    for path in estate.rglob("*"):
        os.utime(path, ns=(when, when))


@pytest.mark.parametrize("held", ["before", "after"])
def test_a_change_in_memory_is_seen(ask: Callable[..., Result], estate: Path, loads: list[str], held: str) -> None:
    """A page that was changed once has a new time; changes that follow, until it is on the disk, leave it."""
    path = estate / "tenant.yaml"
    if held == "before":
        with mapped(path) as memory:
            compiled_now(ask, loads)
            before = path.stat()
            turn_off(memory)
            assert path.stat()[:9] == before[:9]
            fresh = ask("--no-cache")
            loads.clear()
            assert ask() == fresh
    else:
        compiled_now(ask, loads)
        with mapped(path) as memory:
            turn_off(memory)
            fresh = ask("--no-cache")
            loads.clear()
            assert ask() == fresh
    assert OFF[1] in path.read_bytes()
    assert loads


def test_the_times_of_a_file_that_somebody_may_write_are_not_trusted(estate: Path) -> None:
    path = estate / "tenant.yaml"
    known, now = {path.stat().st_dev: "ext4"}, time.time_ns()
    alone = changes.shows(str(path), known, now)
    with path.open("r+b"):
        assert not changes.shows(str(path), known, now)
    with path.open("r+b") as stream, mmap.mmap(stream.fileno(), 0):
        stream.close()
        assert not changes.shows(str(path), known, now)
    assert changes.shows(str(path), known, now) == alone == (sys.platform == "linux")


@pytest.mark.parametrize("kind", ["tmpfs", "nfs4", "cifs", "vfat", "fuse", "overlay", "9p", None])
def test_the_times_of_other_file_systems_are_not_trusted(estate: Path, kind: str | None) -> None:
    path = estate / "tenant.yaml"
    known = {path.stat().st_dev: kind} if kind else {}
    assert not changes.shows(str(path), known, time.time_ns())


def test_file_systems_are_read_from_the_system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mounts = tmp_path / "mounts"
    monkeypatch.setattr(changes, "MOUNTS", str(mounts))
    assert changes.file_systems() == {}
    mounts.write_text("36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue\n", "utf-8")
    assert changes.file_systems() == {os.makedev(98, 0): "ext3"}
    mounts.write_text("nonsense\n", "utf-8")
    assert changes.file_systems() == {}


@pytest.mark.parametrize(("age", "settled"), [(0, False), (1_999_999_999, False), (2_000_000_001, True), (-1, False)])
@pytest.mark.parametrize("which", ["st_mtime_ns", "st_ctime_ns"])
def test_young_times_and_times_to_come_are_not_trusted(which: str, age: int, settled: bool) -> None:  # noqa: FBT001
    times = {"st_mtime_ns": LONG_AGO, "st_ctime_ns": LONG_AGO, which: LONG_AGO + 10**15 - age}
    assert changes.are_settled(SimpleNamespace(**times), LONG_AGO + 10**15) is settled  # type: ignore[arg-type]


@pytest.mark.parametrize("day", [LONG_AGO, 4_000_000_000_000_000_000])
@pytest.mark.parametrize("trusts", ["marks", "contents"])
def test_a_change_behind_a_time_that_was_set_is_seen(
    ask: Callable[..., Result], estate: Path, loads: list[str], monkeypatch: pytest.MonkeyPatch, day: int, trusts: str
) -> None:
    """What `touch -r`, `rsync -t` or a clock of tomorrow leaves: the time is that of before, and so is the size."""
    if trusts == "contents":
        monkeypatch.setattr(changes, "FILE_SYSTEMS", frozenset())
    at_last(estate, day)
    compiled_now(ask, loads)
    edited(estate)
    at_last(estate, day)
    fresh = ask("--no-cache")
    loads.clear()
    assert ask() == fresh
    assert loads


def replaced(path: Path) -> None:
    new = path.with_name("new")
    new.write_bytes(path.read_bytes().replace(*OFF))
    shutil.copystat(path, new)
    new.replace(path)


def through_another_name(path: Path) -> None:
    before = path.stat()
    other = path.parent.parent / "other-name"
    other.hardlink_to(path)
    other.write_bytes(path.read_bytes().replace(*OFF))
    os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
    other.unlink()


@pytest.mark.parametrize("change", [replaced, through_another_name])
@pytest.mark.parametrize("trusts", ["marks", "contents"])
def test_a_file_that_was_changed_by_another_way_is_read_again(
    ask: Callable[..., Result],
    estate: Path,
    loads: list[str],
    monkeypatch: pytest.MonkeyPatch,
    change: Callable[[Path], None],
    trusts: str,
) -> None:
    if trusts == "contents":
        monkeypatch.setattr(changes, "FILE_SYSTEMS", frozenset())
    compiled_now(ask, loads)
    before = (estate / "tenant.yaml").stat()
    change(estate / "tenant.yaml")
    after = (estate / "tenant.yaml").stat()
    assert (after.st_size, after.st_mtime_ns) == (before.st_size, before.st_mtime_ns)
    fresh = ask("--no-cache")
    loads.clear()
    assert ask() == fresh
    assert loads


def test_contents_are_read_only_where_times_do_not_tell(
    ask: Callable[..., Result], loads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing of the estate is read for an answer where its files show each change."""
    monkeypatch.setattr(changes, "_nobody_writes", lambda _: True)
    monkeypatch.setattr(changes, "FILE_SYSTEMS", {None})
    monkeypatch.setattr(changes, "file_systems", dict)  # wherever the tests are run
    first = compiled_now(ask, loads)
    monkeypatch.setattr(identity, "_content", lambda *_: pytest.fail("it was read"))
    assert ask() == first


def in_every_part(data: bytes) -> Iterator[bytes]:
    """The data with one byte changed, at many places."""
    for at in range(0, len(data), max(1, len(data) // 400)):
        yield data[:at] + bytes([data[at] ^ 0x5A]) + data[at + 1 :]


def cut(data: bytes) -> Iterator[bytes]:
    for length in (0, 1, 50, 4096, len(data) // 2, len(data) - 4096, len(data) - 1):
        yield data[:length]


@pytest.mark.parametrize("spoil", [in_every_part, cut])
def test_a_file_that_was_spoiled_gives_no_other_answer(
    ask: Callable[..., Result], home: Path, loads: list[str], spoil: Callable[[bytes], Iterator[bytes]]
) -> None:
    """Most changes lie in pages that the question does not need, or are noticed; none is believed."""
    first = compiled_now(ask, loads)
    (path,) = kept(home)
    data = path.read_bytes()
    for spoiled in spoil(data):
        path.write_bytes(spoiled)
        assert ask() == first
        path.write_bytes(data)
    assert loads  # some of it was noticed


def test_a_page_that_was_rewritten_without_the_key_is_not_believed(
    ask: Callable[..., Result], home: Path, loads: list[str]
) -> None:
    first = compiled_now(ask, loads)
    (path,) = kept(home)
    with sqlite3.connect(path) as connection:
        rows = connection.execute("select kind, name, body from pages").fetchall()
        swapped = {kind: body for kind, _, body in rows}
        for kind, name, body in rows:
            other = swapped[kind] if swapped[kind] != body else body[:-1]
            connection.execute("update pages set body = ? where kind = ? and name = ?", (other, kind, name))
    connection.close()
    assert ask() == first
    assert loads


def test_pages_of_an_older_file_are_not_believed_in_a_newer_one(
    ask: Callable[..., Result], home: Path, estate: Path, loads: list[str]
) -> None:
    compiled_now(ask, loads)
    (path,) = kept(home)
    with sqlite3.connect(path) as connection:
        old = connection.execute("select kind, name, body, seal from pages where kind <> 'identity'").fetchall()
    connection.close()
    edited(estate)
    fresh = compiled_now(ask, loads)
    (path,) = kept(home)
    with sqlite3.connect(path) as connection:
        connection.executemany("insert or replace into pages values (?, ?, ?, ?)", old)
    connection.close()
    assert ask() == fresh
    assert loads


def test_the_cache_of_somebody_else_is_not_believed(ask: Callable[..., Result], home: Path, loads: list[str]) -> None:
    first = compiled_now(ask, loads)
    key = next((home / "state").rglob("*.key"))
    key.write_bytes(b"another key of thirty-two bytes.")
    assert ask() == first
    assert loads


@pytest.mark.skipif(sys.platform == "win32", reason="Windows keeps such folders to the user without modes")
@pytest.mark.parametrize("which", ["file", "folder", "key"])
def test_what_others_can_write_or_read_is_not_believed(
    ask: Callable[..., Result], home: Path, loads: list[str], which: str
) -> None:
    first = compiled_now(ask, loads)
    (path,) = kept(home)
    opened = {"file": path, "folder": path.parent, "key": next((home / "state").rglob("*.key"))}[which]
    opened.chmod(0o755 if which == "folder" else 0o644)
    assert ask() == first
    assert loads


def test_another_permcheck_does_not_believe_it(
    ask: Callable[..., Result], loads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = compiled_now(ask, loads)
    monkeypatch.setattr(identity, "__version__", "0.0.0")
    assert ask() == first
    assert loads


def test_a_changed_policy_changes_what_stands_for_the_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "permcheck"
    shutil.copytree(ROOT / "policy", package / "policy")
    (package / "cache").mkdir()
    (package / "cache" / "identity.py").touch()
    monkeypatch.setattr(identity, "__file__", str(package / "cache" / "identity.py"))
    before = identity.program()
    assert before is not None
    with (package / "policy" / "authority.yaml").open("a", encoding="utf-8") as stream:
        stream.write("# another\n")
    assert identity.program() not in {before, None}
    shutil.rmtree(package / "policy")
    assert identity.program() is None


def test_somebody_elses_database_is_no_cache(tmp_path: Path) -> None:
    tmp_path.chmod(place.PRIVATE_FOLDER)
    path = tmp_path / "x.sqlite"
    for script in ("create table other (a)", "create table pages (kind, name, body, seal)", ""):
        path.unlink(missing_ok=True)
        connection = sqlite3.connect(path)
        connection.executescript(script)
        if script.startswith("create table pages"):
            connection.execute("insert into pages values ('identity', '', 5, 'text')")
            connection.commit()
        connection.close()
        path.touch()
        path.chmod(place.PRIVATE_FILE)
        known = open_pages(str(path), KEY)
        assert known is not None
        assert known.identity == {}
        known.close()


# When it is not written


def test_an_estate_that_may_lack_something_is_not_kept(home: Path, estate: Path) -> None:
    for path in estate.rglob("*.yaml"):
        path.unlink()
    (estate / "some.yaml").write_text("users:\n- upn: anna@contoso.com\n", "utf-8")
    loaded = load(estate)
    assert loaded.tables.unstated
    Cache(str(estate)).keep(loaded)
    assert not kept(home)


@pytest.mark.parametrize("change", [added, edited, edited_unseen])
def test_what_changes_while_it_is_read_is_not_kept(estate: Path, change: Callable[[Path], None]) -> None:
    first = Cache(str(estate))
    first.keep(load(estate))
    second = Cache(str(estate))
    assert second.compiles
    loaded = load(estate)
    change(estate)
    second.keep(loaded)
    assert Cache(str(estate)).answer(*ASK) is None


def test_what_changed_in_memory_while_it_was_read_is_not_kept(estate: Path) -> None:
    with mapped(estate / "tenant.yaml") as memory:
        Cache(str(estate)).keep(load(estate))
        second = Cache(str(estate))
        assert second.compiles
        loaded = load(estate)
        turn_off(memory)
        second.keep(loaded)
        assert Cache(str(estate)).answer(*ASK) is None


@pytest.mark.parametrize("what", ["pipe", "missing"])
def test_what_is_no_file_is_not_kept(home: Path, tmp_path: Path, what: str) -> None:
    path = tmp_path / "odd.json"
    if what == "pipe":
        os.mkfifo(path)
    cache = Cache(str(path))
    cache.keep(load(CONTOSO))
    assert not kept(home)


def test_a_part_of_a_live_collection_is_not_kept(home: Path, estate: Path) -> None:
    """Its exports are read by a manifest that is not among its files."""
    assert identity.MANIFEST == folder.MANIFEST
    (estate.parent / identity.MANIFEST).write_text("{}", "utf-8")
    Cache(str(estate)).keep(load(estate))
    assert not kept(home)


def test_a_full_disk_or_a_folder_that_is_a_file_costs_no_answer(
    ask: Callable[..., Result], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without = ask("--no-cache")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(pages, "_fill", full)
        assert ask() == without
    assert not kept(home)
    shutil.rmtree(home / "cache")
    (home / "cache").write_text("a file", "utf-8")
    assert ask() == without


def test_a_key_that_can_not_be_kept_private_is_not_used(home: Path, estate: Path) -> None:
    (home / "state" / "permcheck").mkdir(parents=True)
    (home / "state" / "permcheck").chmod(0o755)
    Cache(str(estate)).keep(load(estate))
    assert not kept(home)


def test_an_interrupted_compilation_leaves_nothing(home: Path, estate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_: Estate) -> Iterator[pages.Page]:
        raise KeyboardInterrupt
        yield  # it is a generator

    Cache(str(estate)).keep(load(estate))
    before = kept(home)
    monkeypatch.setattr("permcheck.cache.compile.compiled", interrupted)
    with pytest.raises(KeyboardInterrupt):
        Cache(str(estate)).keep(load(estate))
    assert kept(home) == before


def test_the_oldest_files_go_when_there_is_no_room(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "cache" / "permcheck"
    for number in range(4):
        assert write_pages(str(folder / f"{number}.sqlite"), KEY, {}, ())
        os.utime(folder / f"{number}.sqlite", ns=(LONG_AGO + number, LONG_AGO + number))
    (folder / "x.sqlite.1.partial").write_bytes(b"left by a killed process")
    size = (folder / "3.sqlite").stat().st_size
    monkeypatch.setattr(pages, "LIMIT", 3 * size)
    assert write_pages(str(folder / "4.sqlite"), KEY, {}, ())
    assert [path.name for path in kept(home)] == ["2.sqlite", "3.sqlite", "4.sqlite"]


def test_pages_hold_no_more_than_the_sources_did(ask: Callable[..., Result], home: Path, loads: list[str]) -> None:
    """Names of people are those of the estate; nothing of this machine or of its user is there."""
    compiled_now(ask, loads)
    (path,) = kept(home)
    known = open_pages(str(path), next((home / "state").rglob("*.key")).read_bytes())
    assert known is not None
    with sqlite3.connect(path) as connection:
        names = connection.execute("select kind, name from pages").fetchall()
    connection.close()
    text = "".join(json.dumps(known.page(kind, name)) for kind, name in names)
    known.close()
    assert str(home) not in text
    assert "helpdesk@contoso.com" in text


HEAVY = ("pydantic", "networkx", "yaml", "rich", "pathlib", "dataclasses", "permcheck.errors", "permcheck.model.policy")


@pytest.mark.usefixtures("home")
def test_a_recalled_answer_imports_nothing_that_it_does_not_need(tmp_path: Path) -> None:
    """Imports are most of the time of a cold answer: what is new here would be paid for by every question."""
    data = tmp_path / "old"
    shutil.copytree(CONTOSO, data)
    arguments = ["check", *ASK, "-e", str(data)]
    lines = (
        f"import sys; sys.argv[1:] = {arguments!r}; from permcheck.cli.main import guarded; code = guarded(); "
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    command = [sys.executable, "-c", lines]
    outputs = [subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path) for _ in range(3)]
    first, _, third = (one.stdout.splitlines() for one in outputs)
    assert third[0] == first[0]
    assert len(eval(first[1])) > 3  # the estate was loaded
    assert third[1] == "[]"
