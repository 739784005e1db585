"""Defaults from permcheck.toml, or [tool.permcheck] in pyproject.toml: the nearest one upwards."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from permcheck.errors import LoadError, Problem

KEYS = {"estate": str, "edition": str, "format": str, "strict": bool, "readings": dict}


def find_config(start: Path) -> dict[str, Any]:
    """Defaults for the options of every command. Raises LoadError."""
    for folder in (start, *start.parents):
        for path, table in ((folder / "permcheck.toml", ""), (folder / "pyproject.toml", "permcheck")):
            if path.is_file():
                settings = _read(path, table)
                if settings is not None:
                    return _options(path, settings)
    return {}


def _read(path: Path, table: str) -> dict[str, Any] | None:
    import tomllib

    try:
        data = tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        if table:  # somebody else's pyproject.toml is not our business
            return None
        raise LoadError((Problem(str(path), 0, 0, "syntax", f"not TOML: {error}"),)) from None
    if not table:
        return data
    tool = data.get("tool")
    found = tool.get(table) if isinstance(tool, dict) else None
    if found is not None and not isinstance(found, dict):
        problem = Problem(str(path), 0, 0, "type", f"`tool.{table}` is not a table", f"write [tool.{table}]")
        raise LoadError((problem,))
    return found


def _options(path: Path, settings: dict[str, Any]) -> dict[str, Any]:
    problems = []
    for key, value in settings.items():
        if key not in KEYS:
            help_ = "known are " + ", ".join(KEYS)
            problems.append(Problem(str(path), 0, 0, "unknown-key", f"unknown key `{key}`", help_))
        elif not isinstance(value, KEYS[key]):
            problems.append(Problem(str(path), 0, 0, "type", f"`{key}` has a value of the wrong type"))
    if problems:
        raise LoadError(tuple(problems))
    options = {"format_" if key == "format" else key: value for key, value in settings.items()}
    if "estate" in options:
        options["estate"] = str((path.parent / options["estate"]).resolve())
    if "readings" in options:
        options["readings"] = tuple(f"{name}={choice}" for name, choice in options["readings"].items())
    return options
