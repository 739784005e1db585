"""What goes wrong while something is collected. No error of azure, requests or the system leaves this room."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from permcheck.errors import LiveError
from permcheck.system import reason_of

P = ParamSpec("P")
T = TypeVar("T")


class CutError(LiveError):
    """A connection broke before the answer was complete; asking again may help."""


def missing_extra(what: str, extra: str) -> LiveError:
    """Make the error for a package that is not installed."""
    return LiveError(f"{what} needs packages that are not installed", f"install permcheck[{extra}]")


def no_system_errors(function: Callable[P, T]) -> Callable[P, T]:
    """Turn an error of the file system into a LiveError."""

    @wraps(function)
    def guarded(*args: P.args, **named: P.kwargs) -> T:
        try:
            return function(*args, **named)
        except OSError as error:
            failure = _of_files(error)
        raise failure  # outside the except clause: the error carries nothing of where it came from

    return guarded


def _of_files(error: OSError) -> LiveError:
    reason = reason_of(error, "the file system refused")
    name = error.filename if isinstance(error.filename, str) else "the folder"
    return LiveError(f"can't write `{name}`: {reason}", "free the disk or choose another folder, and run it again")
