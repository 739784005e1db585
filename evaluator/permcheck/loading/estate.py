"""Read the files of an estate and join them."""

from __future__ import annotations

import gc
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from permcheck.errors import LoadError, Problem
from permcheck.loading.files import PROVENANCE, find_files, has_inventory
from permcheck.loading.forms import as_form
from permcheck.loading.text import Parsed, Path_, parse_file
from permcheck.loading.whole import whole
from permcheck.model.estate import SECTIONS, EstateFile
from permcheck.model.provenance import Source
from permcheck.printable import one_line

if TYPE_CHECKING:
    from permcheck.loading.inventory import Columns

NOTES_LIMIT: Final = 4 * 2**20
"""Longer notes of an import are not read: a question would wait for them."""


@dataclass(frozen=True, slots=True)
class Record:
    """One entry of a list, and where it stands."""

    value: Any
    file: int
    index: int


class Given(Protocol):
    """A file of an estate, or what was made of a folder of exports."""

    @property
    def file(self) -> str:
        """Its name."""
        ...

    @property
    def data(self) -> Any:
        """What it says, as far as it is a mapping."""
        ...

    @property
    def exported(self) -> bool:
        """Whether its facts come from exports: nobody wrote them by hand."""
        ...

    def is_exported(self, path: Path_) -> bool:
        """Tell whether a field of a record comes from an export: it may refer to what was not exported."""
        ...

    def place(self, path: Path_) -> tuple[str, int, int]:
        """Return file, line and column of a value."""
        ...

    def source(self) -> Source:
        """Return what knows where records stand."""
        ...


@dataclass(slots=True)
class Joined:
    """All files of an estate as one, before names are resolved."""

    parsed: list[Given] = field(default_factory=list)
    scalars: dict[str, Any] = field(default_factory=dict)
    sections: dict[str, list[Record]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    inventory: Columns | None = None
    """Devices by columns: they are in no section."""

    def report(self, file: int, path: Path_, id_: str, message: str, help_: str = "", severity: str = "error") -> None:
        """Note a problem at a path of a file."""
        place = self.parsed[file].place(path)
        self.problems.append(Problem(*place, id_, one_line(message), one_line(help_), severity))

    @property
    def incomplete(self) -> frozenset[str]:
        """Lists that are known to lack entries."""
        return frozenset(self.scalars.get("incomplete", ()))

    def values(self, section: str) -> Iterator[Record]:
        """Return the records of a section, in the order of the files."""
        return iter(self.sections.get(section, ()))


@contextmanager
def collector_off() -> Iterator[None]:
    """Keep the cyclic garbage collector from walking what is being built (4 times faster at 5 million values)."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def read_estate(root: Path) -> Joined:
    """Parse and validate the files of an estate and join them. Problems are collected in the result."""
    joined = Joined()
    with whole(root):
        files, inventory = find_files(root), ahead(root)
        for path in files:
            add_file(joined, path)
        inventory(joined)
        note = _note_of_import(root) if root.is_dir() else {}
    if note:
        joined.parsed = [_with_note(parsed, root, note) for parsed in joined.parsed]
    return joined


def ahead(root: Path) -> Callable[[Joined], None]:
    """Start to read the inventory in a folder, if there is one; returns what adds it to an estate."""
    if not root.is_dir() or not has_inventory(root):
        return lambda _: None
    from permcheck.loading.inventory import read_ahead  # only such an estate pays for it

    return read_ahead(root)


def _note_of_import(root: Path) -> dict[str, Any]:
    """Return what an import noted beside the estate: the files it wrote, and the export of each record."""
    path = root / PROVENANCE
    try:
        data = json.loads(path.read_bytes()) if path.stat().st_size <= NOTES_LIMIT else {}
    except (OSError, ValueError):
        return {}
    return data if isinstance(data, dict) else {}


def _with_note(given: Given, root: Path, note: dict[str, Any]) -> Given:
    """Add the note to a file that an import wrote; a section that has another length was edited since."""
    files, records = note.get("files"), note.get("records")
    names = files if isinstance(files, list) else []
    if not isinstance(given, Parsed) or not any(given.file == str(root / str(name)) for name in names):
        return given
    fits = {
        section: tuple(map(str, notes))
        for section, notes in (records.items() if isinstance(records, dict) else ())
        if isinstance(notes, list) and len(given.data.get(section) or ()) == len(notes)
    }
    return replace(given, noted=fits, exported=True)


def add_file(joined: Joined, path: Path) -> None:
    """Add one file to what was joined so far. Problems are collected."""
    try:
        parsed = parse_file(path)
        form = as_form(parsed, EstateFile, "estate")
    except LoadError as error:
        joined.problems += error.problems
        return
    joined.parsed.append(parsed)
    _join(joined, len(joined.parsed) - 1, form)


def _join(joined: Joined, file: int, form: EstateFile) -> None:
    for key in sorted(form.model_fields_set - {"schema_"}):
        value = getattr(form, key)
        if key in SECTIONS:
            if value is not None:
                records = (Record(item, file, index) for index, item in enumerate(value))
                joined.sections.setdefault(key, []).extend(records)
        elif isinstance(value, dict):
            _join_readings(joined, file, value)
        elif isinstance(value, tuple) and key != "complete":
            joined.scalars[key] = (*joined.scalars.get(key, ()), *value)
        elif key in joined.scalars and joined.scalars[key] != value:
            joined.report(file, (key,), "stated-twice", f"`{key}` is stated in another file too", "state it once")
        else:
            joined.scalars[key] = value


def _join_readings(joined: Joined, file: int, readings: dict[str, str]) -> None:
    known = joined.scalars.setdefault("readings", {})
    for name, alternative in readings.items():
        if known.setdefault(name, alternative) != alternative:
            joined.report(file, ("readings", name), "stated-twice", f"the reading `{name}` is chosen twice")
