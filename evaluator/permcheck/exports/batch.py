"""A list of entries from an export, and how to take values from an entry.

Keys are folded: `Device name`, `deviceName` and `DEVICE_NAME` are one. PowerShell, the
services and the consoles spell the same property in different ways.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

Row: TypeAlias = Mapping[str, Any]
"""One entry with folded keys."""

CUT: Final = re.compile(
    r"^(@\{.*|System\.[\w.]+(\[\])?|Microsoft\.(Graph|ConfigurationManagement)\.[\w.`\[\],]+|IResultObject.*|SMS_\w+)$",
    re.DOTALL,
)
"""What stands where `ConvertTo-Json` or `Export-Csv` cut a nested value off."""
_MARKS: Final = re.compile(r"[^0-9a-z]+")
_folded: dict[str, str] = {}


class CutError(Exception):
    """A nested value was cut off by the tool that wrote the export."""


def fold(key: str) -> str:
    """Return a key without case, spaces and marks; annotations such as `@odata.type` keep their mark."""
    found = _folded.get(key)
    if found is None:
        found = ("@" if key.startswith("@") else "") + _MARKS.sub("", key.casefold())
        if len(_folded) < 10_000:  # noqa: PLR2004 - keys repeat; a hostile file's do not
            _folded[key] = found
    return found


def folded(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return an entry with folded keys; what `Get-Mg*` puts into AdditionalProperties is part of it."""
    result = {fold(key): value for key, value in entry.items()}
    more = result.pop("additionalproperties", None)
    if isinstance(more, dict):
        for key, value in more.items():
            result.setdefault(fold(key), value)
    return result


@dataclass(slots=True)
class Batch:
    """Entries of one kind from one place of one file."""

    file: str
    folder: str
    """The folder of the file, relative to where the exports were looked for."""
    path: str
    """JSON path of the list, such as `$.value`; empty for a CSV file."""
    head: Row
    """The first entry; empty where there is none."""
    rows: Callable[[], Iterable[Row]]
    """Reads the entries; a long list is streamed each time."""
    context: str = ""
    """The fragment of @odata.context."""
    next_link: str = ""
    request: str = ""
    """The address that was asked, where the collection's manifest tells."""
    count: int | None = None
    """What @odata.count says."""
    single: bool = False
    pascal: bool = False
    """The keys begin with capitals, as PowerShell writes them: what was not asked for is null."""
    first_line: int = 0
    """Line of the first entry of a CSV file; 0 for others."""
    format: str = "json"
    lines: tuple[int, ...] = ()
    """Lines of the entries, where they were kept."""
    length: int = field(default=0)
    """Entries read."""

    def place(self, number: int) -> str:
        """Return the JSON path of an entry."""
        return self.path if self.single else f"{self.path}[{number}]"

    def line(self, number: int) -> int:
        """Return the line of an entry of a CSV file; 0 for others."""
        if number < len(self.lines):
            return self.lines[number]
        return self.first_line + number if self.first_line else 0

    def entries(self) -> Iterator[tuple[int, Row]]:
        """Read the entries with their numbers."""
        number = -1
        for number, row in enumerate(self.rows()):
            yield number, row
        self.length = number + 1


def value(row: Row, *keys: str) -> Any:
    """Return the value of the first key that is there; None where none is, or it is null."""
    for key in keys:
        found = row.get(fold(key))
        if found is not None:
            return found
    return None


def has(row: Row, *keys: str) -> bool:
    """Tell whether an entry states one of the keys, be it as null."""
    return any(fold(key) in row for key in keys)


def text(row: Row, *keys: str) -> str:
    """Return a value as text without surrounding spaces; empty where it is not there."""
    found = value(row, *keys)
    if found is None or isinstance(found, list | dict):
        return ""
    return str(found).strip()


def flag(row: Row, *keys: str) -> bool | None:
    """Return a yes-or-no value; None where it is not there or not one."""
    found = value(row, *keys)
    if isinstance(found, bool):
        return found
    return {"true": True, "false": False, "1": True, "0": False, "yes": True, "no": False}.get(str(found).casefold())


def whole(row: Row, *keys: str) -> int | None:
    """Return a whole number; None where it is not there or not one."""
    found = value(row, *keys)
    if isinstance(found, bool) or found is None:
        return None
    try:
        return int(found)
    except (TypeError, ValueError):
        return None


def texts(row: Row, *keys: str) -> tuple[str, ...] | None:
    """Return a list of texts; None where it is not there. Raises CutError for a value that was cut off."""
    found = value(row, *keys)
    if found is None:
        return None
    if isinstance(found, str):
        if CUT.match(found) and not found.startswith("SMS_"):
            raise CutError(found)
        return tuple(part for part in re.split(r"\s*[;,\n]\s*", found.strip()) if part)
    if isinstance(found, dict):
        found = [found]
    if not isinstance(found, Sequence):
        return (str(found),)
    for item in found:
        if isinstance(item, str) and CUT.match(item) and not item.startswith("SMS_"):
            raise CutError(item)
    return tuple(str(item) for item in found if isinstance(item, str | int) and str(item).strip())


def parts(row: Row, *keys: str) -> tuple[Row, ...] | None:
    """Return a list of entries inside an entry; None where it is not there. Raises CutError."""
    found = value(row, *keys)
    if found is None:
        return None
    if isinstance(found, dict):
        found = [found["value"] if isinstance(found.get("value"), list) else found]
        found = found[0] if isinstance(found[0], list) else found
    if isinstance(found, str):
        if not found.strip():
            return ()
        raise CutError(found)
    if not isinstance(found, list):
        return None
    for item in found:
        if isinstance(item, str) and CUT.match(item):
            raise CutError(item)
    return tuple(folded(item) for item in found if isinstance(item, dict))
