"""Folders of collections on the disk: which may be replaced, and how."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Final

from permcheck.errors import LiveError

MANIFEST: Final = "collected.json"
PARTIAL: Final = ".partial"
REPLACED: Final = ".replaced"
PLAIN: Final = getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0)
"""Byte for byte, and through no link; each where the system knows it."""
APPEND: Final = os.O_WRONLY | os.O_CREAT | os.O_APPEND | PLAIN
CREATE: Final = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | PLAIN


def checked(folder: Path) -> Path:
    """Return the folder as an absolute path, if a collection may be put there. Raises LiveError."""
    place = Path(os.path.abspath(folder))  # noqa: PTH100 - a link must be seen, not followed
    if not place.name:
        raise LiveError(f"`{folder}` can't be a collection", "name a folder that is not there yet")
    _recover(place)
    for path in (place, place.with_name(place.name + PARTIAL)):
        if path.is_symlink() or (path.exists() and not path.is_dir()):
            raise LiveError(f"`{path}` is in the way: it is no folder", "remove it, or choose another folder")
    if place.exists() and not is_collection(place):
        message = f"`{place}` is there already and is no collection"
        raise LiveError(message, "only an earlier collection is replaced; choose another folder")
    return place


def is_collection(folder: Path) -> bool:
    """Whether the folder holds a finished collection."""
    try:
        document = json.loads((folder / MANIFEST).read_bytes())
    except (OSError, ValueError):
        return False
    return isinstance(document, dict) and str(document.get("permcheck")).startswith("collection/")


def _recover(place: Path) -> None:
    """Finish what a run that was killed between two renames began."""
    old = place.with_name(place.name + REPLACED)
    if is_collection(old) and not old.is_symlink():
        if place.exists():
            remove(old)
        else:
            old.rename(place)
    if old.exists() or old.is_symlink():
        raise LiveError(f"`{old}` is in the way", "remove it, or choose another folder")


def write(path: Path, body: bytes) -> None:
    """Write a file that only its owner may read."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with os.fdopen(os.open(path, CREATE, 0o600), "wb") as file:
        file.write(body)


def keep_only(folder: Path, files: set[str]) -> None:
    """Remove every other file, and folders that are empty then."""
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_dir() and not path.is_symlink():
            if not any(path.iterdir()):
                path.rmdir()
        elif path.relative_to(folder).as_posix() not in files:
            path.unlink()


def put(partial: Path, folder: Path) -> None:
    """Give a finished collection its name; an earlier one goes only when the new one is there."""
    checked(folder)
    old = folder.with_name(folder.name + REPLACED)
    if not folder.exists():
        partial.rename(folder)
        return
    folder.rename(old)
    try:
        partial.rename(folder)
    except OSError:
        old.rename(folder)
        raise
    remove(old)


def remove(folder: Path) -> None:
    """Remove a folder that is known to be ours."""
    shutil.rmtree(folder)
