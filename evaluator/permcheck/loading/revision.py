"""Write the estate of a git revision to a folder, just as it was committed."""

from __future__ import annotations

import subprocess
from pathlib import Path, PurePosixPath
from typing import Final

from permcheck.errors import LoadError, Problem

SYMLINK, SUBMODULE = "120000", "160000"
NO_REPOSITORY: Final = (
    "git finds no repository here, or does not trust its owner",
    "`git status` says which; or name a file, or a folder",
)


def checked_out(text: str, folder: Path) -> Path:
    """Write the files of `REVISION:PATH` below a folder and return where they are. Raises LoadError.

    Contents are taken as they were committed: no filter, hook or attribute of the repository is run or looked at.
    """
    revision, _, path = text.partition(":")
    paths = _paths(text, path)
    unknown = (f"git finds no revision `{revision}`", "a shallow clone lacks older ones; or name a file, or a folder")
    listing = _git(text, unknown, "ls-tree", "-r", "-z", "--full-tree", "--end-of-options", revision, "--", *paths)
    entries = [entry for entry in listing.decode("utf-8", "surrogateescape").split("\0") if entry]
    if not entries:
        raise _problem(
            text, f"revision `{revision}` has nothing called `{path}`", "paths count from the folder you are in"
        )
    for entry in entries:
        head, _, name = entry.partition("\t")
        mode, _, blob = head.split(" ")
        target = folder / PurePosixPath(name)
        if mode in {SYMLINK, SUBMODULE} or ".." in target.parts:
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        lost = (f"git can't read `{name}` of revision `{revision}`", "`git fsck` says what the repository lacks")
        target.write_bytes(_git(text, lost, "cat-file", "blob", blob))
    return folder / PurePosixPath(_inside(text, path))


def _paths(text: str, path: str) -> tuple[str, ...]:
    inside = _inside(text, path)
    return (inside,) if inside != "." else ()


def _inside(text: str, path: str) -> str:
    """Return a path as git counts it: from the top of the repository."""
    prefix = _git(text, NO_REPOSITORY, "rev-parse", "--show-prefix").decode("utf-8", "surrogateescape").strip()
    parts: list[str] = []
    for part in PurePosixPath(prefix, path or ".").parts:
        if part == ".." and parts:
            parts.pop()
        elif part not in {".", "..", "/"}:
            parts.append(part)
    return "/".join(parts) or "."


def _git(text: str, why: tuple[str, str], *arguments: str) -> bytes:
    """Run git. Raises LoadError with `why`, a message and its help: what git says itself differs by release."""
    try:
        done = subprocess.run(("git", *arguments), capture_output=True, check=False)  # noqa: S603, S607 - no shell
    except OSError:
        raise _problem(text, "git could not be started", "install git, or name a folder") from None
    if done.returncode:
        raise _problem(text, *why)
    return done.stdout


def _problem(text: str, message: str, help_: str) -> LoadError:
    return LoadError((Problem(text, 0, 0, "no-such-revision", message, help_),))
