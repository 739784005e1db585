"""A list of entries from an export, and how to take values from an entry.

Keys are folded: `Device name`, `deviceName` and `DEVICE_NAME` are one. PowerShell, the
services and the consoles spell the same property in different ways.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

Row: TypeAlias = Mapping[str, Any]
"""One entry with folded keys."""

CUT: Final = re.compile(
    r"^(@\{.*|System\.[\w.]+(\[\])?|Microsoft\.(Graph|ConfigurationManagement)\.[\w.`\[\],]+|IResultObject.*|SMS_\w+)$",
    re.DOTALL,
)
"""What stands where `ConvertTo-Json` or `Export-Csv` cut a nested value off."""
MOST: Final = 2**63
_WHOLE: Final = re.compile(r"[+-]?[0-9]{1,19}", re.ASCII)
_BETWEEN: Final = re.compile(r"[;\n]")
"""What stands between the names in one cell of a CSV file."""
_MARKS: Final = re.compile(r"[^0-9a-z]+")
_folded: dict[str, str] = {}
TWICE: Final = "?"
"""Key, which no property has, of the names of properties that an entry states twice, and differently."""


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
    """Return an entry with folded keys; what `Get-Mg*` puts into AdditionalProperties is part of it.

    A property that stands there twice, each time with another value, tells nothing but that.
    """
    result = once((fold(key), item) for key, item in entry.items())
    more = result.pop("additionalproperties", None)
    if isinstance(more, dict):
        for key, value in more.items():
            result.setdefault(fold(key), value)
    return result


def once(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """Return the properties of an entry; those that are stated twice, and differently, stand together under `TWICE`."""
    result: dict[str, Any] = {}
    twice: set[str] = set()
    for name, item in pairs:
        if name in result and result[name] is not None and item is not None and result[name] != item:
            twice.add(name)
        elif result.get(name) is None:
            result[name] = item
    for name in twice:
        del result[name]
    if twice:
        result[TWICE] = " ".join(sorted(twice))
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
    short: bool = False
    """Whether the service failed before the end of the page."""
    single: bool = False
    pascal: bool = False
    """The keys begin with capitals, as PowerShell writes them: what was not asked for is null."""
    first_line: int = 0
    """Line of the first entry of a CSV file; 0 for others."""
    format: str = "json"
    lines: tuple[int, ...] = ()
    """Lines of the entries, where they were kept."""
    held: bool = False
    """Whether the entries are in memory, so that they can be looked at more than once."""
    picks: Callable[[Row], bool] | None = None
    """Which entries of the list belong to this batch, where it holds things of several kinds."""
    mark: Callable[[Row], bool | None] | None = None
    """Tells whether an entry is deleted or removed; None where nobody can tell."""
    marked: dict[int, Row] = field(default_factory=dict)
    """Entries that are, or may be, deleted or removed: they were left out."""
    length: int = field(default=0)
    """Entries read."""
    broken: bool = False
    """Whether the list can't be read to its end."""
    at: int = field(default=0)
    """Number of the entry that is being read."""

    def place(self, number: int) -> str:
        """Return the JSON path of an entry."""
        return self.path if self.single else f"{self.path}[{number}]"

    def line(self, number: int) -> int:
        """Return the line of an entry of a CSV file; 0 for others."""
        if number < len(self.lines):
            return self.lines[number]
        return self.first_line + number if self.first_line else 0

    def entries(self) -> Iterator[tuple[int, Row]]:
        """Read the entries with their numbers, but for those that are, or may be, deleted or removed."""
        self.length = 0
        for number, row in enumerate(self.rows()):
            if self.picks is None or self.picks(row):
                self.at = number
                self.length += 1
                if self.mark is None or self.mark(row) is False:
                    yield number, row
                else:
                    self.marked[number] = row


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


def has_more(row: Row, key: str) -> bool:
    """Tell whether a list inside an entry goes on elsewhere: a link leads to the rest of it."""
    return any(name.startswith(fold(key)) and name.endswith("nextlink") and row[name] for name in row)


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
    """Return a whole number of 64 bits; None where it is not there or not one."""
    found = value(row, *keys)
    if isinstance(found, str) and _WHOLE.fullmatch(found.strip()):
        found = int(found)
    if isinstance(found, float) and found.is_integer():  # neither infinite nor no number
        found = int(found)
    if isinstance(found, bool) or not isinstance(found, int):
        return None
    return found if abs(found) < MOST else None


def texts(row: Row, *keys: str) -> tuple[str, ...] | None:
    """Return a list of words without separators in them; one text may hold several. None where it is not there.

    Raises CutError for a value that was cut off, or is no text.
    """
    found = value(row, *keys)
    if isinstance(found, str) and not _is_cut(found):
        return tuple(part for part in re.split(r"\s*[;,\n]\s*", found.strip()) if part)
    return _listed(found)


def names(batch: Batch, known: Callable[[], Iterable[str]], row: Row, *keys: str) -> tuple[str, ...] | None:
    """Return a list of names; None where it is not there, or nobody can tell them apart. Raises CutError.

    Only a cell of a CSV file holds several names in one text, with semicolons or line breaks between; where a name of
    `known` has such a mark itself, the text has two meanings.
    """
    found = value(row, *keys)
    if not isinstance(found, str) or _is_cut(found):
        return _listed(found)
    if batch.format != "csv" or not _BETWEEN.search(found.strip()):
        return (found.strip(),) if found.strip() else ()
    marked = [name.casefold() for name in known() if _BETWEEN.search(name.strip())]
    if any(name in found.casefold() for name in marked):
        return None
    return tuple(part.strip() for part in _BETWEEN.split(found) if part.strip())


def _is_cut(text_: str) -> bool:
    return CUT.match(text_) is not None and not text_.startswith("SMS_")


def _listed(found: Any) -> tuple[str, ...] | None:
    """Return the texts of a list; None where one is null or empty. Raises CutError where something in it is no text."""
    if found is None:
        return None
    items = found if isinstance(found, list | tuple) else [found]
    for item in items:
        if not isinstance(item, str | int | float | None) or (isinstance(item, str) and _is_cut(item)):
            raise CutError(str(item)[:40])
    told = tuple(str(item) for item in items if item is not None and str(item).strip())
    return told if len(told) == len(items) else None  # something stands there, and nobody tells what


def tags_of(row: Row) -> tuple[str, ...] | None:
    """Return the ids of scope tags; an empty text tells nothing, and an empty list that there are none."""
    found = value(row, "roleScopeTagIds")
    return None if isinstance(found, str) and not found.strip() else texts(row, "roleScopeTagIds")


def parts(row: Row, *keys: str) -> tuple[Row, ...] | None:
    """Return a list of entries inside an entry; None where it, or one of them, is not there.

    Raises CutError where something in it is no entry.
    """
    found = value(row, *keys)
    if isinstance(found, dict):
        inner = found.get("value")
        found = inner if isinstance(inner, list) else [found]
    if found is None or (isinstance(found, str) and not found.strip()):
        return None
    for item in found if isinstance(found, list) else [found]:
        if item is not None and not isinstance(item, dict):
            raise CutError(str(item)[:40])
    return None if None in found else tuple(folded(item) for item in found)
