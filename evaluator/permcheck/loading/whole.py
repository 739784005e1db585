"""What is read is one estate: no file of it is older than another, and none changed in between.

Who writes several files of an estate leaves a mark in the folder before the first gets its place, and takes it away
after the last. Who reads looks for it, and at the files, before and after: between the two nothing may have happened.
A file that somebody edits at another time is a file like others.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from stat import S_ISREG
from typing import Final, TypeAlias

from permcheck.errors import LoadError
from permcheck.loading.files import EXPORTS, INVENTORY, UNFINISHED, file_problem

WRITING: Final = ".estate.writing"
"""Has contents while files are put in their places, and afterwards if that was broken off."""
Look: TypeAlias = dict[str, tuple[int, ...]]
"""The files that may be read, each with what changes when it is written."""


@contextmanager
def whole(*roots: Path) -> Iterator[None]:
    """Read files and folders. Raises LoadError if what was read may be old in part and new in part."""
    before = _look(roots)
    try:
        yield
    finally:  # whatever went wrong in between, this is why
        for root in roots if _look(roots) != before else ():
            message = "the files changed while they were read: what was read may belong to two estates"
            raise file_problem(root, "changed", message, "ask again")


def refuse_unfinished(folder: Path) -> None:
    """Refuse a folder into which files are being put, or were when that was broken off. Raises LoadError."""
    try:
        unfinished = (folder / WRITING).stat().st_size > 0
    except OSError:
        return
    if unfinished:
        raise _unfinished(folder)


def _look(roots: Iterable[Path]) -> Look:
    found: Look = {}
    for root in roots:
        found[str(root)] = _mark_of(root)
        if not os.path.isdir(root):  # noqa: PTH112 - it says no of what can't be a name, and raises nothing
            continue
        for folder, folders, names in os.walk(root):
            folders[:] = [name for name in folders if not name.startswith(".") and not name.endswith(UNFINISHED)]
            if WRITING in names:
                refuse_unfinished(Path(folder))
            found |= _files(folder, names)
    return found


def _files(folder: str, names: Iterable[str]) -> Iterator[tuple[str, tuple[int, ...]]]:
    for name in names:
        if name.lower().endswith((*EXPORTS, *INVENTORY)) and not name.startswith("."):
            path = Path(folder, name)
            yield str(path), _mark_of(path)


def _mark_of(path: Path) -> tuple[int, ...]:
    """Return what changes when a file is written; of what is no file, or is not there, only that it is so."""
    try:
        found = path.stat()
    except (OSError, ValueError):
        return ()
    return (found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns) if S_ISREG(found.st_mode) else ()


def _unfinished(folder: Path) -> LoadError:
    message = "an estate is being written here, or that was broken off: its files are old in part and new in part"
    help_ = f"ask again in a moment; if nothing is writing, run `permcheck import ... -o {folder}` again"
    return file_problem(folder, "being-written", message, help_)
