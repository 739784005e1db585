"""What compiled answers were made of: the files of the estate, the policy and permcheck itself."""

from __future__ import annotations

import os
import stat
import sys
import time
from collections.abc import Iterator
from typing import Final, NamedTuple, TypeAlias

from permcheck import __version__
from permcheck.loading.digest import digest_of

Mark: TypeAlias = tuple[int, ...]
"""Size, times and number of a file: one of them changes with its content, as far as changes show."""
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
    shows: bool = False
    """Whether its mark tells every later change. Where it does not, contents are compared every time."""


def program() -> str | None:
    """Return what stands for this permcheck, its policy and Python; None where its files can't be looked at."""
    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    policy = os.path.join(package, "policy")
    if not os.path.isdir(policy):
        policy = os.path.join(os.path.dirname(os.path.dirname(package)), "policy")
    try:
        with open(os.path.join(policy, "compiled.json"), "rb") as stream:
            content = digest_of(stream.read())  # it is believed only if it fits the files that it was made of
        marks = [(name, mark[:4]) for root in (package, policy) for name, mark in _files(root, PROGRAM)]
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


def with_contents(estate: str, found: list[Source]) -> list[Source] | None:
    """Return files with the digests of their contents; None where one can't be read."""
    try:
        return [source._replace(content=_content(estate, source.name)) for source in found]
    except OSError:
        return None


def to_keep(estate: str, before: list[Source]) -> list[Source] | None:
    """Return the files of an estate that was read, with what will tell a change of each.

    None if one has changed since its contents were looked at, before it was read.
    """
    from permcheck.cache.changes import file_systems, shows  # a question does not need it

    known, now = file_systems(), time.time_ns()
    told = [source._replace(shows=shows(_path(estate, source.name), known, now)) for source in before]
    after = with_contents(estate, before)
    return told if after == before and sources(estate) == [Source(one.name, one.mark) for one in before] else None


def is_noted(known: list[Source], now: list[Source]) -> bool:
    """Tell whether an estate that was noted has the files that it had, as far as a look at them tells."""
    return [(one.name, one.mark) for one in known] == [(one.name, one.mark) for one in now]


def unchanged(estate: str, known: list[Source], now: list[Source]) -> bool:
    """Tell whether an estate has the files that it had, with the same contents."""
    if [source.name for source in now] != [source.name for source in known]:
        return False
    try:
        return all(_same(estate, one, other) for one, other in zip(known, now, strict=True))
    except OSError:
        return False


def _same(estate: str, known: Source, now: Source) -> bool:
    if known.shows and known.mark == now.mark:
        return True
    return known.mark[0] == now.mark[0] and known.content == _content(estate, now.name)


def _path(estate: str, name: str) -> str:
    return os.path.join(estate, name) if name else estate


def _content(estate: str, name: str) -> str:
    with open(_path(estate, name), "rb") as stream:
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
