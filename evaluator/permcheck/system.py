"""Say in our own words what the system refused: its own depend on platform, library and language."""

from __future__ import annotations

import errno
from typing import Final

WORDS: Final = {
    errno.EACCES: "permission denied",
    errno.EPERM: "permission denied",
    errno.ENOENT: "no such file or directory",
    errno.ENOTDIR: "not a directory",
    errno.EISDIR: "it is a directory",
    errno.EEXIST: "it is already there",
    errno.ENOTEMPTY: "the directory is not empty",
    errno.ENAMETOOLONG: "the name is too long",
    errno.EINVAL: "no file can be called so",
    errno.ELOOP: "its links lead in a circle",
    errno.ENOSPC: "no space left on device",
    errno.EFBIG: "file too large",
    errno.EROFS: "the file system is read-only",
    errno.EBUSY: "another program uses it",
    errno.EMFILE: "too many files are open",
    errno.ENFILE: "too many files are open",
    errno.EIO: "the device failed",
    errno.EXDEV: "it lies on another device",
    errno.EPIPE: "nobody reads it any more",
}


def reason_of(error: Exception, otherwise: str) -> str:
    """Return why a file could not be used; `otherwise` where the system does not tell, or nothing plain is known."""
    if isinstance(error, ValueError):  # a zero byte in a name
        return WORDS[errno.EINVAL]
    return WORDS.get(getattr(error, "errno", None) or 0, otherwise)
