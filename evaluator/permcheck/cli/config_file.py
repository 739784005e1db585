"""Read a configuration file, and refuse what it can't say."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from os import PathLike
from pathlib import Path
from typing import Any, Final

from permcheck.cli.config import SHARED
from permcheck.errors import LoadError, Problem

KEYS: Final[dict[str, type]] = {
    "estate": str,
    "edition": str,
    "format": str,
    "strict": bool,
    "readings": dict,
    "cache": bool,
    "lint": dict,
}
LINT: Final[dict[str, type]] = {
    "select": list,
    "ignore": list,
    "fail-on": str,
    "baseline": str,
    "against": str,
    "options": dict,
    "suppress": list,
}
LINT_TABLE: Final = "lint_table"
"""Under this name the options hold the file and its table [lint]; the name of a command would hide that command's."""
PATHS: Final = ("estate", "baseline")
TABLE: Final = "permcheck"
NUL: Final = "\0"
PLACE: Final = re.compile(r"line (\d+), column (\d+)")


def options_in(path: Path) -> dict[str, Any]:
    """Options that one configuration file states. Raises LoadError with every problem."""
    return options_of(path) or {}


def options_of(path: str | PathLike[str]) -> dict[str, Any] | None:
    """Return the same; None for a pyproject.toml that has nothing for permcheck. Raises LoadError."""
    settings = _read(Path(path))
    return None if settings is None else _options(Path(path), settings)


def _read(path: Path) -> dict[str, Any] | None:
    """Read a configuration file; None if it is a pyproject.toml that has nothing for permcheck. Raises LoadError."""
    import tomllib

    from permcheck.loading.files import read_text

    shared = path.name == SHARED
    try:
        text = read_text(path)
        data = tomllib.loads(text) if not shared or TABLE in text else {}
    except (tomllib.TOMLDecodeError, LoadError, RecursionError) as error:
        if shared:  # somebody else's pyproject.toml is not our business
            return None
        raise _refused(path, error) from None
    if not shared:
        return data
    tool = data.get("tool")
    found = tool.get(TABLE) if isinstance(tool, dict) else None
    if found is not None and not isinstance(found, dict):
        problem = Problem(str(path), 0, 0, "type", f"`tool.{TABLE}` is not a table", f"write [tool.{TABLE}]")
        raise LoadError((problem,))
    return found


def _refused(path: Path, error: Exception) -> LoadError:
    """Make the error for a file that can't be read, or is not TOML."""
    if isinstance(error, LoadError) and error.problems[0].id == "unreadable":
        return error
    problem = Problem(str(path), *_place(error), "syntax", "the file is not TOML", "docs/cli.md has an example")
    return LoadError((problem,))


def _place(error: Exception) -> tuple[int, int]:
    """Return line and column; Python before 3.14 tells them in its sentence alone."""
    if isinstance(error, LoadError):
        return error.problems[0].line, error.problems[0].column
    told = PLACE.search(str(error))
    line, column = told.groups() if told else (0, 0)
    return int(getattr(error, "lineno", line)), int(getattr(error, "colno", column))


def _wrong(path: Path, settings: Mapping[str, Any], known: Mapping[str, type[Any]], prefix: str) -> Iterator[Problem]:
    for key, value in settings.items():
        if key not in known:
            help_ = "known are " + ", ".join(known)
            yield Problem(str(path), 0, 0, "unknown-key", f"unknown key `{prefix}{key}`", help_)
        elif not isinstance(value, known[key]):
            yield Problem(str(path), 0, 0, "type", f"`{prefix}{key}` has a value of the wrong type")
        elif known[key] is list and key != "suppress" and not all(isinstance(item, str) for item in value):
            yield Problem(str(path), 0, 0, "type", f"`{prefix}{key}` is not a list of names")
        elif NUL in str(value if known[key] is str else ""):  # no path has one, and the system refuses it aloud
            yield Problem(str(path), 0, 0, "pattern", f"`{prefix}{key}` holds the character U+0000")


def _against(folder: Path, text: str) -> str:
    """Return an estate to compare with as it is called from here: a path, or REVISION:PATH."""
    revision, colon, path = text.partition(":")
    if not colon or os.path.exists(folder / text):  # pathlib fails where a name is too long for the system
        return str((folder / text).resolve())
    return f"{revision}:{Path(os.path.relpath(folder / path)).as_posix()}"


def _options(path: Path, settings: dict[str, Any]) -> dict[str, Any]:
    problems = list(_wrong(path, settings, KEYS, ""))
    lint = settings.get("lint", {})
    if isinstance(lint, dict):
        problems += _wrong(path, lint, LINT, "lint.")
    if problems:
        raise LoadError(tuple(problems))
    plain = {key: value for key, value in (settings | lint).items() if key not in {"lint", "options", "suppress"}}
    options = {"format_" if key == "format" else key.replace("-", "_"): value for key, value in plain.items()}
    for key in PATHS:
        if key in options:
            options[key] = str((path.parent / options[key]).resolve())
    if "against" in options:
        options["against"] = _against(path.parent, options["against"])
    if "readings" in options:
        options["readings"] = tuple(f"{name}={choice}" for name, choice in options["readings"].items())
    return options | ({LINT_TABLE: (path, lint)} if "lint" in settings else {})
