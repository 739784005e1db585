"""Find and read input files: hostile until proven text."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from permcheck.errors import LoadError, Problem
from permcheck.model.estate import ESTATE_KEYS
from permcheck.system import reason_of

YAML_LIMIT: Final = 32 * 2**20
JSON_LIMIT: Final = 1024 * 2**20
SUFFIXES: Final = (".yaml", ".yml", ".json")
EXPORTS: Final = (*SUFFIXES, ".csv", ".xml")
INVENTORY: Final = ("devices.parquet", "memberships.parquet")
"""Devices, and what collections they are in, column by column."""
HEAD: Final = 4096
FIRST_KEY: Final = re.compile(r'^\s*\{\s*"([^"\\]*)"\s*:')
SCHEMA: Final = ".schema.json"
"""What `permcheck init` puts beside an estate, for editors."""
BOMS: Final = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)


PROVENANCE: Final = "estate.provenance.json"
"""What an import writes beside an estate: where each record came from."""
NOT_READ: Final = (SCHEMA, PROVENANCE)
EXPECTATIONS: Final = ".permcheck-test."
"""Stands in the name of a file of expected decisions."""
UNFINISHED: Final = ".partial"
"""Ends the name of the folder of a live collection that was broken off."""


def file_problem(path: Path | str, id_: str, message: str, help_: str = "") -> LoadError:
    """Make the error for a file that can't be used at all."""
    return LoadError((Problem(str(path), 0, 0, id_, message, help_),))


def has_inventory(root: Path) -> bool:
    """Tell whether a folder holds devices or memberships as Parquet."""
    return any((root / name).is_file() for name in INVENTORY)


def find_files(root: Path) -> tuple[Path, ...]:
    """List the YAML and JSON files of `root` (a file or a folder), sorted.

    Hidden files and folders, and links that lead out of the folder, are left out.
    Raises LoadError if there is none.
    """
    try:
        return _found(root)
    except (OSError, ValueError) as error:  # a name too long, a folder that can't be entered, a zero byte
        reason = reason_of(error, "it can't be opened")
        raise file_problem(str(root)[:80], "unreadable", f"can't look there: {reason}") from None


def found_files(root: Path) -> tuple[Path, ...]:
    """List every file of a folder, sorted; hidden ones, and links that lead out of it, are left out."""
    top = root.resolve()
    return tuple(
        sorted(
            path
            for path in root.rglob("*")
            if not path.name.endswith(NOT_READ)
            and not any(_is_left_out(part) for part in path.relative_to(root).parts)
            and path.is_file()
            and path.resolve().is_relative_to(top)
        )
    )


def _is_left_out(part: str) -> bool:
    return part.startswith(".") or part.endswith(UNFINISHED)


def is_estate_file(path: Path) -> bool:
    """Tell whether a file is part of an estate rather than an export: by its suffix, or its first key."""
    suffix = path.suffix.lower()
    if suffix != ".json":
        return suffix in SUFFIXES
    with path.open("rb") as stream:
        start = stream.read(HEAD)
    encoding = next((name for bom, name in BOMS if start.startswith(bom)), "utf-8")
    first = FIRST_KEY.match(start.decode(encoding, "ignore"))
    return first is not None and first[1] in ESTATE_KEYS


def is_expectation(path: Path) -> bool:
    """Tell whether a file holds expected decisions: it may lie beside an estate, and is no part of it."""
    return EXPECTATIONS in path.name


def holds_exports(root: Path) -> bool:
    """Tell whether a file or folder holds exports of other tools."""
    try:
        files = (root,) if root.is_file() else [path for path in found_files(root) if not is_expectation(path)]
        return any(path.suffix.lower() in EXPORTS and not is_estate_file(path) for path in files)
    except (OSError, ValueError):
        return False


def has_estate_files(root: Path) -> bool:
    """Tell whether a file, or a file of a folder, may be part of an estate by its suffix."""
    return any(path.suffix.lower() in SUFFIXES for path in ((root,) if root.is_file() else found_files(root)))


def _found(root: Path) -> tuple[Path, ...]:
    if root.is_file():
        return (root,)
    if not root.is_dir():
        raise file_problem(root, "no-such-file", "there is no such file or folder", "name the estate with -e PATH")
    found = [path for path in found_files(root) if path.suffix.lower() in SUFFIXES and not is_expectation(path)]
    if not found:
        help_ = "write one with `permcheck init`, or name another folder with -e PATH"
        raise file_problem(root, "empty-folder", "the folder holds no YAML or JSON file", help_)
    return tuple(found)


def read_text(path: Path) -> str:
    """Read a text file: UTF-8, or UTF-16 and UTF-32 with a byte order mark. Raises LoadError."""
    limit = JSON_LIMIT if path.suffix.lower() == ".json" else YAML_LIMIT
    try:
        size = path.stat().st_size
        if size > limit:
            message = f"the file has {size // 2**20} MiB; {path.suffix or 'such'} files are read up to {limit // 2**20}"
            raise file_problem(path, "too-large", message, "write long lists as JSON, in a file of their own")
        data = path.read_bytes()
    except OSError as error:
        reason = reason_of(error, "it can't be read")
        raise file_problem(path, "unreadable", f"can't read the file: {reason}") from None
    return decode(path, data)


def decode(path: Path | str, data: bytes) -> str:
    """Turn bytes into text. Raises LoadError with what is wrong."""
    encoding = next((name for bom, name in BOMS if data.startswith(bom)), "utf-8")
    if encoding == "utf-8" and b"\0" in data[:4096]:
        raise file_problem(path, "binary", "this is not a text file", "export it as YAML or JSON")
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        column = error.start - (data.rfind(b"\n", 0, error.start) + 1) + 1
        message = f"byte 0x{data[error.start]:02x} is not {encoding.removesuffix('-sig').upper()}"
        problem = Problem(str(path), line, column, "encoding", message, "save the file as UTF-8")
        raise LoadError((problem,)) from None
