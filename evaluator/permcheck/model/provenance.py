"""Where facts stand: in files that people wrote, and in exports."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, Protocol

from permcheck.model.fold import fold_case


class Origin(NamedTuple):
    """Where a fact stands: a file and a path in it; line and column from 1 where they are known."""

    file: str
    path: str
    line: int = 0
    column: int = 0
    exported: str = ""
    """The export that it was imported from, for a fact in a file that an import wrote."""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else f"from {self.file}, {self.path}"
        return f"{place}, {self.exported}" if self.exported else place


class Source(Protocol):
    """A file, or a folder of exports, that records come from."""

    def origin(self, section: str, index: int, detail: str) -> Origin:
        """Return where a record stands, or a field or member of it; an index below 0 is the section itself."""
        ...


class Lines(NamedTuple):
    """A file of an estate: where each record begins."""

    file: str
    lines: Mapping[str, Sequence[tuple[int, int]]]
    exported: Mapping[str, Sequence[str]] = {}
    """What an import noted about the records that it wrote."""

    def origin(self, section: str, index: int, _detail: str) -> Origin:
        """Return file, JSON path, line and column of a record."""
        path = f"$.{section}[{index}]" if index >= 0 else f"$.{section}"
        positions = self.lines.get(section, ())
        line, column = positions[max(index, 0)] if positions else (0, 0)
        exported = self.exported.get(section, ())
        return Origin(self.file, path, line, column, exported[index] if 0 <= index < len(exported) else "")


class ExportedList(NamedTuple):
    """A list in an export."""

    file: str
    path: str
    single: bool = False
    first_line: int = 0
    lines: Sequence[int] = ()

    def origin(self, number: int) -> Origin:
        """Return where an entry stands."""
        path = self.path if self.single else f"{self.path}[{number}]"
        line = self.lines[number] if number < len(self.lines) else self.first_line and self.first_line + number
        return Origin(self.file, path, line, 1 if line else 0)


class Memberships(NamedTuple):
    """Collections that contain a device, and the list and entry that says so of each."""

    collections: list[str]
    batches: array[int]
    entries: array[int]

    def at(self, collection: str) -> tuple[int, int] | None:
        """Return where it stands that the device is in a collection, by its id."""
        for number, name in enumerate(self.collections):
            if fold_case(name) == fold_case(collection):
                return self.batches[number], self.entries[number]
        return None


class Exports(NamedTuple):
    """A folder of exports: each record, and each field that another export told, knows its entry."""

    lists: Sequence[ExportedList]
    records: Mapping[str, Sequence[tuple[int, int]]]
    """Section -> for each record the number of the list and of the entry."""
    details: Mapping[tuple[str, int, str], tuple[int, int]]
    memberships: Mapping[int, Memberships] = {}
    """Number of a device -> where its memberships stand: millions, so they are packed."""

    def origin(self, section: str, index: int, detail: str) -> Origin:
        """Return the entry that tells a record, or a field or member of it; an index below 0 is the section itself."""
        at = self.details.get((section, index, detail))
        if at is None and detail and section == "devices" and index in self.memberships:
            at = self.memberships[index].at(detail)
        if at is None:
            known, number = self.records.get(section, ()), max(index, 0)
            at = known[number] if number < len(known) else (-1, 0)
        return self.lists[at[0]].origin(at[1]) if at[0] >= 0 else Origin("the exports", f"$.{section}")


class Places(NamedTuple):
    """Where the records of an estate stand."""

    sources: tuple[Source, ...] = ()
    at: Mapping[tuple[str, str], tuple[int, int]] = {}
    """Section and key -> number of the source, number of the record in its section."""
    row_of: Callable[[str], int | None] | None = None
    """Key of a device -> its row in an inventory, which is the last source then."""

    def of(self, section: str, key: str, detail: str = "") -> Origin | None:
        """Where the record `key` of `section`, or a detail of it, stands; None for a record that a change made."""
        place = self.at.get((section, key))
        if place is None and section == "devices" and self.row_of is not None:
            row = self.row_of(key)
            place = None if row is None else (len(self.sources) - 1, row)
        if place is None:
            return None
        source, index = place
        return self.sources[source].origin("administrative_users" if section == "rows" else section, index, detail)
