"""Put the files of an estate in the places of those before: whoever reads gets all old ones, all new ones, or is told.

There is no step that replaces several files at once. So all are written aside, the folder is marked, the files take
their places, and the mark goes. A mark that stays, because the program was killed, is refused by every reader until
the next one finishes. The lock on the mark ends with its program, which tells the two apart.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from permcheck.loading.files import file_problem
from permcheck.loading.whole import WRITING

FORMAT: Final = "permcheck-writing/1"
ASIDE: Final = ".estate.new"
"""The folder in which files are written, inside the other: on the same disk."""
OPEN: Final = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
FAR: Final = 2**30
"""What Windows locks, nobody can read: the byte lies behind all that is written."""

Plain = dict[str, Any]


def note_of(path: Path) -> Plain:
    """Return what a mark or a note of an import says; nothing where there is none."""
    try:
        data = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}


def files_of(note: Plain) -> frozenset[str]:
    """Return the files that a note names."""
    names = note.get("files")
    plain = (name for name in names if isinstance(name, str) and Path(name).name == name) if names else ()
    return frozenset(plain) if isinstance(names, list) else frozenset()


class Place:
    """A folder in which nobody else puts files now."""

    def __init__(self, folder: Path, handle: int) -> None:
        self._folder, self._handle = folder, handle
        self._aside = folder / ASIDE
        self._came: set[str] = set()
        self.whole = not os.fstat(handle).st_size
        """Whether the files in it belong together."""

    def put(self, texts: Mapping[str, str], gone: Collection[str], note: Plain) -> None:
        """Put files in their places, and take others away. Raises OSError; then nothing was changed.

        `note` is for the next time, in case that this one is killed.
        """
        self._clear()
        with ExitStack() as undo:
            undo.callback(self._clear)
            for name, text in texts.items():
                _write(self._aside / "new" / name, text.encode())
            (self._aside / "old").mkdir()
            undo.pop_all()
        names, was_whole, self.whole = (*gone, *texts), self.whole, False
        with ExitStack() as undo:
            undo.callback(self._back, names, whole=was_whole)
            self._mark({"permcheck": FORMAT, **note, "files": sorted(names)})
            for name in names:
                self._move(name)
            flush(self._folder)
            undo.pop_all()
        self._clear()
        self.whole = True

    def _clear(self) -> None:
        shutil.rmtree(self._aside, ignore_errors=True)

    def _mark(self, note: Plain) -> None:
        os.ftruncate(self._handle, 0)
        os.lseek(self._handle, 0, os.SEEK_SET)
        os.write(self._handle, json.dumps(note).encode())
        os.fsync(self._handle)
        flush(self._folder)

    def _move(self, name: str) -> None:
        new, now, old = self._aside / "new" / name, self._folder / name, self._aside / "old" / name
        with suppress(FileNotFoundError):
            now.replace(old)
        if new.exists():
            new.replace(now)
            self._came.add(name)

    def _back(self, names: Collection[str], *, whole: bool) -> None:
        """Put the files from before back: of a file that was not moved yet, there is none aside."""
        for name in names:
            old, now = self._aside / "old" / name, self._folder / name
            if os.path.lexists(old):
                old.replace(now)
            elif name in self._came:
                now.unlink(missing_ok=True)
        self._clear()
        self.whole = whole


@contextmanager
def alone(folder: Path) -> Iterator[Place]:
    """Keep others from putting files into a folder. Raises LoadError if somebody else does now, or OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / WRITING
    handle = _locked(path)
    place = Place(folder, handle)
    try:
        yield place
    finally:
        _let_go(path, handle, whole=place.whole)


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _locked(path: Path) -> int:
    while True:
        handle = os.open(path, OPEN, 0o666)
        free = mine = False
        try:
            free = _lock(handle)
            mine = free and path.exists() and os.path.samestat(os.fstat(handle), path.stat())
        finally:
            if not mine:
                os.close(handle)
        if mine:
            return handle
        if not free:
            message = "another import is writing to this folder"
            raise file_problem(path.parent, "being-written", message, "wait until it has ended, or name another folder")


def _lock(handle: int) -> bool:
    """Tell whether the lock is ours; it ends with this process at the latest. Raises OSError where there are none."""
    try:
        if sys.platform == "win32":
            import msvcrt

            os.lseek(handle, FAR, os.SEEK_SET)
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    return True


def _let_go(path: Path, handle: int, *, whole: bool) -> None:
    """Give the folder free. The mark goes only from files that belong together, and before the lock."""
    if not whole:
        os.close(handle)
        return
    if sys.platform == "win32":  # what is open can't be removed
        os.ftruncate(handle, 0)
        os.close(handle)
        with suppress(OSError):  # somebody else has it by now
            path.unlink()
        return
    path.unlink(missing_ok=True)
    flush(path.parent)
    os.close(handle)


def flush(folder: Path) -> None:
    """Get the names in a folder to the disk, where the system can."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
