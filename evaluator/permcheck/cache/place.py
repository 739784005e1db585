"""Where compiled answers are kept, and the key that seals them: for nobody but the user.

This room is imported before every `permcheck check`, so it does without pathlib and platformdirs,
which take a fifth of the time of a whole answer.
"""

from __future__ import annotations

import os
import sys
from typing import Final, NamedTuple

PRIVATE_FOLDER: Final = 0o700
PRIVATE_FILE: Final = 0o600
OTHERS: Final = 0o077
KEY_SIZE: Final = 32


class Home(NamedTuple):
    """Where a kind of files lies on each platform."""

    windows: str
    """Below %LOCALAPPDATA%."""
    macos: str
    variable: str
    """Of the XDG specification, which says to pass over a relative path."""
    default: str


CACHE: Final = Home("cache", "~/Library/Caches", "XDG_CACHE_HOME", "~/.cache")
STATE: Final = Home("state", "~/Library/Application Support", "XDG_STATE_HOME", "~/.local/state")
"""Another one, for the key: a cache that was copied from elsewhere is not believed."""


def folder_of(home: Home) -> str:
    """Return the folder of permcheck's files of a kind. It need not be there."""
    if sys.platform == "win32":
        return os.path.join(os.environ.get("LOCALAPPDATA") or os.path.expanduser("~"), "permcheck", home.windows)
    found = "" if sys.platform == "darwin" else os.environ.get(home.variable, "")
    base = home.macos if sys.platform == "darwin" else home.default
    return os.path.join(found if os.path.isabs(found) else os.path.expanduser(base), "permcheck")


def read_key() -> bytes | None:
    """Return the key; None if there is none, or one that others can read or write."""
    path = os.path.join(folder_of(STATE), "cache.key")
    try:
        with open(path, "rb") as stream:
            if not is_private(os.fstat(stream.fileno())):
                return None
            key = stream.read(KEY_SIZE + 1)
    except OSError:
        return None
    return key if len(key) == KEY_SIZE else None


def make_key() -> bytes | None:
    """Return the key, made if there is none; None if it can't be kept for the user alone."""
    folder = folder_of(STATE)
    if not make_private(folder):
        return None
    try:
        handle = os.open(os.path.join(folder, "cache.key"), os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE)
    except OSError:  # it is there
        return read_key()
    with os.fdopen(handle, "wb") as stream:
        stream.write(os.urandom(KEY_SIZE))
    return read_key()


def make_private(folder: str) -> bool:
    """Make a folder for the user alone. Tell whether it is there, and is that."""
    try:
        os.makedirs(os.path.dirname(folder), exist_ok=True)
        if not os.path.isdir(folder):
            os.mkdir(folder, PRIVATE_FOLDER)
        return is_private(os.lstat(folder))
    except OSError:
        return False


def is_private(stat: os.stat_result) -> bool:
    """Tell whether a file or folder belongs to the user and is closed to others; Windows keeps such folders so."""
    return sys.platform == "win32" or (stat.st_uid == os.getuid() and not stat.st_mode & OTHERS)
