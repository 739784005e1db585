"""Sealed pages in an SQLite file: what can't be proved to be what this user wrote is not there."""

from __future__ import annotations

import json
import os
import sqlite3
import zlib
from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple

from permcheck.cache.place import PRIVATE_FILE, is_private, make_private
from permcheck.cache.seal import seal

FIRST: Final = ""
"""The name of the only page of a kind."""
IDENTITY: Final = "identity"
"""The kind of the page that says what all others were made of."""
LIMIT: Final = 2**30
"""Bytes of all files together; the oldest go first."""
SUFFIX: Final = ".sqlite"
UNFINISHED: Final = ".partial"


class Page(NamedTuple):
    """Some values under a kind and a name."""

    kind: str
    name: str
    body: Any


class Pages:
    """The pages of one file."""

    def __init__(self, connection: sqlite3.Connection, key: bytes) -> None:
        self._connection, self._key = connection, key
        self._build = b""
        self._read: dict[tuple[str, str], Any] = {}
        identity = self.page(IDENTITY)
        self.identity: dict[str, Any] = identity if isinstance(identity, dict) else {}
        """What the pages were made of; empty for a file that is not to be believed."""
        self._build = str(self.identity.get("build", "")).encode()

    def page(self, kind: str, name: str = FIRST) -> Any | None:
        """Return the values of the page in which a name lies: the last that does not begin after it."""
        query = "select name, body, seal from pages where kind = ? and name <= ? order by name desc limit 1"
        try:
            row = self._connection.execute(query, (kind, name)).fetchone()
            if row is None or seal(self._key, self._build, kind.encode(), row[0].encode(), row[1]) != row[2]:
                return None
        except (sqlite3.Error, AttributeError, TypeError, UnicodeError):  # no database, or not with our columns
            return None
        found = kind, row[0]
        if found not in self._read:
            self._read[found] = json.loads(zlib.decompress(row[1]))
        return self._read[found]

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()


def open_pages(path: str, key: bytes) -> Pages | None:
    """Open a file of pages; None where there is none that is the user's own."""
    try:
        if not is_private(os.stat(path)) or not is_private(os.stat(os.path.dirname(path))):
            return None
        quoted = path.replace("%", "%25").replace("?", "%3f").replace("#", "%23")
        return Pages(sqlite3.connect(f"file:{quoted}?mode=ro&immutable=1", uri=True), key)
    except (OSError, sqlite3.Error):
        return None


def write_pages(path: str, key: bytes, identity: dict[str, Any], pages: Iterable[Page]) -> bool:
    """Put pages in place of what the file holds, all or nothing. Tell whether they are there."""
    folder, partial = os.path.dirname(path), f"{path}.{os.getpid()}{UNFINISHED}"
    if not make_private(folder):
        return False
    try:
        os.close(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE))
        _fill(partial, key, identity, pages)
        os.replace(partial, path)
        _tidy(folder, path)
    except (OSError, sqlite3.Error, UnicodeError):  # a full disk, a name that is no text: there is no cache then
        return False
    finally:
        if os.path.exists(partial):
            os.unlink(partial)
    return True


def _fill(path: str, key: bytes, identity: dict[str, Any], pages: Iterable[Page]) -> None:
    build = os.urandom(16).hex()
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        connection.execute("pragma journal_mode = off")  # the file is thrown away unless all of it is written
        connection.execute("pragma synchronous = off")
        connection.execute("create table pages (kind, name, body, seal, primary key (kind, name)) without rowid")
        connection.execute("begin")
        first = Page(IDENTITY, FIRST, {**identity, "build": build})
        connection.execute("insert into pages values (?, ?, ?, ?)", _sealed(first, key, b""))
        rows = (_sealed(page, key, build.encode()) for page in pages)
        connection.executemany("insert into pages values (?, ?, ?, ?)", rows)
        connection.execute("commit")
    finally:
        connection.close()


def _sealed(page: Page, key: bytes, build: bytes) -> tuple[str, str, bytes, bytes]:
    body = zlib.compress(json.dumps(page.body, ensure_ascii=False, separators=(",", ":")).encode(), 1)
    return page.kind, page.name, body, seal(key, build, page.kind.encode(), page.name.encode(), body)


def _tidy(folder: str, newest: str) -> None:
    """Remove the oldest files until all of them are small enough, and what a killed process left."""
    room = LIMIT
    for path, found in sorted(_ours(folder), key=lambda item: -item[1].st_mtime_ns):
        unfinished = path.endswith(UNFINISHED)
        room -= 0 if unfinished else found.st_size
        if path != newest and (unfinished or room < 0):
            os.unlink(path)


def _ours(folder: str) -> Iterator[tuple[str, os.stat_result]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.endswith((SUFFIX, UNFINISHED)) and entry.is_file(follow_symlinks=False):
                yield entry.path, entry.stat()
