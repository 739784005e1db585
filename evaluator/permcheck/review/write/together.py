"""Write several files together: all of them appear, whole, or none does."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Final

from permcheck.errors import WriteError
from permcheck.system import reason_of

FULL: Final = frozenset({errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)})
UNTOUCHED: Final = "nothing was changed"


class Together:
    """Files in the making: each is written aside, under the name that it will have."""

    def __init__(self, folder: Path, aside: Path) -> None:
        self._folder, self._aside = folder, aside
        self._names: dict[str, None] = {}

    def add(self, name: str) -> Path:
        """Return the place where a file is to be written."""
        self._names[name] = None
        return self.scratch / name

    def is_there(self, name: str) -> bool:
        """Whether there is a file of that name already, from an earlier time."""
        return (self._folder / name).exists()

    @property
    def scratch(self) -> Path:
        """A folder for what is needed while files are written. It is removed in the end."""
        return self._aside / "new"

    @property
    def paths(self) -> tuple[Path, ...]:
        """Where the files will be."""
        return tuple(self._folder / name for name in self._names)

    def publish(self) -> None:
        """Put the files in their places. If one can't be, the others are taken back."""
        for name in self._names:
            _settle(self.scratch / name, self._folder / name)
        with ExitStack() as undo:
            for name in self._names:
                undo.callback(self._restore, name, self._keep(name))
                (self.scratch / name).replace(self._folder / name)
            undo.pop_all()

    def _keep(self, name: str) -> Path | None:
        """Remember the file that is there. Where it can't have a second name, a copy is made."""
        now, before = self._folder / name, self._aside / "old" / name
        if not now.exists():
            return None
        try:
            os.link(now, before)
        except OSError:
            shutil.copy2(now, before)
        return before

    def _restore(self, name: str, before: Path | None) -> None:
        with suppress(OSError):
            if before is not None:
                before.replace(self._folder / name)
            elif not (self.scratch / name).exists():
                (self._folder / name).unlink(missing_ok=True)


def _settle(new: Path, target: Path) -> None:
    """Get a file to the disk, with the permissions of the one that it replaces."""
    if target.is_dir():
        raise IsADirectoryError(errno.EISDIR, "it is a folder", str(target))
    if target.exists():
        shutil.copymode(target, new)
    with new.open("rb+") as file:
        os.fsync(file.fileno())


@contextmanager
def together(target: Path) -> Iterator[Together]:
    """Write `target` and files beside it. They appear when the block ends well. Raises WriteError."""
    target = Path(os.path.realpath(target))
    if target.exists() and not target.is_file():
        raise WriteError(str(target), "it is no file", f"name a file; {UNTOUCHED}")
    try:
        aside = Path(tempfile.mkdtemp(prefix=f".{target.name[:60]}.", dir=target.parent))
    except OSError as error:
        raise _unwritable(target, error) from None
    try:
        for name in ("new", "old"):
            (aside / name).mkdir()
        files = Together(target.parent, aside)
        yield files
        files.publish()
    except OSError as error:
        raise _unwritable(target, error) from None
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _unwritable(target: Path, error: OSError) -> WriteError:
    reason = reason_of(error, "it can't be written")
    return WriteError(str(target), reason, _way_out(error))


def _way_out(error: OSError) -> str:
    if error.errno in FULL:
        return f"make room, or write to another disk; {UNTOUCHED}"
    if isinstance(error, FileNotFoundError):
        return f"make the folder first; {UNTOUCHED}"
    if isinstance(error, PermissionError) or error.errno == errno.EROFS:
        return f"write to a folder of your own; {UNTOUCHED}"
    return f"write to another place; {UNTOUCHED}"
