"""Write the estate of a git revision to a folder, just as it was committed."""

from __future__ import annotations

import subprocess
from pathlib import Path, PurePosixPath

from permcheck.errors import LoadError, Problem

SYMLINK, SUBMODULE = "120000", "160000"


def checked_out(text: str, folder: Path) -> Path:
    """Write the files of `REVISION:PATH` below a folder and return where they are. Raises LoadError.

    Contents are taken as they were committed: no filter, hook or attribute of the repository is run or looked at.
    """
    revision, _, path = text.partition(":")
    listing = _git(text, "ls-tree", "-r", "-z", "--full-tree", "--end-of-options", revision, "--", *_paths(text, path))
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
        target.write_bytes(_git(text, "cat-file", "blob", blob))
    return folder / PurePosixPath(_inside(text, path))


def _paths(text: str, path: str) -> tuple[str, ...]:
    inside = _inside(text, path)
    return (inside,) if inside != "." else ()


def _inside(text: str, path: str) -> str:
    """Return a path as git counts it: from the top of the repository."""
    prefix = _git(text, "rev-parse", "--show-prefix").decode("utf-8", "surrogateescape").strip()
    parts: list[str] = []
    for part in PurePosixPath(prefix, path or ".").parts:
        if part == ".." and parts:
            parts.pop()
        elif part not in {".", "..", "/"}:
            parts.append(part)
    return "/".join(parts) or "."


def _git(text: str, *arguments: str) -> bytes:
    try:
        done = subprocess.run(("git", *arguments), capture_output=True, check=False)  # noqa: S603, S607 - no shell
    except OSError:
        raise _problem(text, "git could not be started", "install git, or name a folder") from None
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise _problem(
            text, said[0].removeprefix("fatal: ") if said else "git failed", "name a file, a folder, or REVISION:PATH"
        )
    return done.stdout


def _problem(text: str, message: str, help_: str) -> LoadError:
    return LoadError((Problem(text, 0, 0, "no-such-revision", message, help_),))
