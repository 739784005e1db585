"""What compiled answers were made of: the files of the estate, the policy and permcheck itself."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterator
from typing import Final, NamedTuple, TypeAlias

from permcheck import __version__
from permcheck.loading.digest import digest_of

Mark: TypeAlias = tuple[int, ...]
"""Size, times and number of a file: one of them changes when its content does."""
SETTLED: Final = 2_000_000_000
"""Nanoseconds. A file that changed so shortly before it was read may change again without showing it."""
CHANGES_SHOW: Final = sys.platform != "win32"
"""Whether the system notes by itself when a file changed; where it does not, contents are compared every time."""
PROGRAM: Final = (".py", ".yaml", ".json")
NO_ANSWER: Final = frozenset({"__pycache__", "checks"})
"""Folders of permcheck and its policy on which no answer depends."""


MANIFEST: Final = "collected.json"
"""What a live collection leaves in its folder; exports in folders below are read by it, too."""


class Source(NamedTuple):
    """A file of an estate as it was read."""

    name: str
    """Relative to the estate."""
    mark: Mark
    content: str = ""
    """The digest of its content, as far as it was taken."""


def program() -> str | None:
    """Return what stands for this permcheck, its policy and Python; None where its files can't be looked at."""
    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    policy = os.path.join(package, "policy")
    if not os.path.isdir(policy):
        policy = os.path.join(os.path.dirname(os.path.dirname(package)), "policy")
    try:
        with open(os.path.join(policy, "compiled.json"), "rb") as stream:
            content = digest_of(stream.read())  # it is believed only if it fits the files that it was made of
        marks = [(name, mark[:2]) for root in (package, policy) for name, mark in _files(root, PROGRAM)]
    except OSError:
        return None
    return digest_of(repr((__version__, sys.version, content, sorted(marks))).encode())


def sources(estate: str) -> list[Source] | None:
    """Return the files of an estate as they are now.

    None for what is neither file nor folder, has links, or is a part of a live collection, of which a file
    outside tells.
    """
    if _in_collection(estate):
        return None
    try:
        found = os.stat(estate)
        if stat.S_ISREG(found.st_mode):
            return [Source("", _mark(found))]
        return sorted(Source(name, mark) for name, mark in _files(estate))
    except (OSError, ValueError):
        return None


def _in_collection(estate: str) -> bool:
    folder = os.path.abspath(estate)
    while folder != os.path.dirname(folder):
        folder = os.path.dirname(folder)
        if os.path.exists(os.path.join(folder, MANIFEST)):
            return True
    return False


def settled(found: list[Source], now: int) -> bool:
    """Tell whether every change that may follow will show."""
    return all(max(source.mark[1:3]) < now - SETTLED for source in found)


def with_contents(estate: str, found: list[Source]) -> list[Source] | None:
    """Return files with the digests of their contents; None where one can't be read."""
    try:
        return [source._replace(content=_content(estate, source.name)) for source in found]
    except OSError:
        return None


def unchanged(estate: str, known: list[Source], now: list[Source]) -> bool:
    """Tell whether an estate has the files that it had, with the same contents."""
    if [source.name for source in now] != [source.name for source in known]:
        return False
    try:
        return all(_same(estate, one, other) for one, other in zip(known, now, strict=True))
    except OSError:
        return False


def _same(estate: str, known: Source, now: Source) -> bool:
    if CHANGES_SHOW and known.mark == now.mark:
        return True
    return known.mark[0] == now.mark[0] and known.content == _content(estate, now.name)


def _content(estate: str, name: str) -> str:
    with open(os.path.join(estate, name) if name else estate, "rb") as stream:
        return digest_of(stream.read())


def _files(root: str, suffixes: tuple[str, ...] = (), before: str = "") -> Iterator[tuple[str, Mark]]:
    """Return the files below a folder, without hidden ones; of a program those with some suffixes.

    Raises OSError, also for a link among those of an estate.
    """
    with os.scandir(root) as entries:
        for entry in entries:
            if entry.name.startswith(".") or (suffixes and entry.name in NO_ANSWER):
                continue
            if not suffixes and entry.is_symlink():
                raise OSError(entry.name)
            if entry.is_dir():
                yield from _files(entry.path, suffixes, f"{before}{entry.name}/")
            elif not suffixes or entry.name.endswith(suffixes):
                yield before + entry.name, _mark(entry.stat())


def _mark(found: os.stat_result) -> Mark:
    return found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino, found.st_dev
