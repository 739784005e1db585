"""Read a folder of exports as an estate."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from permcheck.errors import LoadError, Problem
from permcheck.exports.assemble import assemble
from permcheck.exports.batch import Batch, CutError
from permcheck.exports.by_hand import add_by_hand
from permcheck.exports.csv_file import csv_batches
from permcheck.exports.gathered import Gathered
from permcheck.exports.json_file import json_batches
from permcheck.exports.read_people import DAY, DAYS
from permcheck.exports.readers import READERS
from permcheck.exports.recognise import Found, recognise
from permcheck.exports.xml_file import xml_batches
from permcheck.loading.estate import Joined, add_file, ahead
from permcheck.loading.files import (
    EXPORTS,
    INVENTORY,
    file_problem,
    found_files,
    has_inventory,
    is_estate_file,
    is_expectation,
)
from permcheck.loading.whole import whole
from permcheck.model.estate import Collected, is_day
from permcheck.model.policy_index import Policy
from permcheck.printable import one_line

MANIFEST: Final = "collected.json"
PACKED: Final = frozenset({".zip", ".gz", ".7z", ".xlsx", ".xls", ".clixml", ".ps1", ".html", ".htm"})
"""Suffixes of files that may hold an export, and are not opened."""
FORMATS: Final = {".json": json_batches, ".csv": csv_batches, ".xml": xml_batches}


@dataclass(slots=True)
class Imported:
    """An estate made of exports, with what was read for it."""

    joined: Joined
    gathered: Gathered
    unknown: list[Batch] = field(default_factory=list)
    """Lists that nothing is known by."""
    ignored: list[Path] = field(default_factory=list)
    """Files of other formats."""
    manifests: dict[Path, dict[str, str] | None] = field(default_factory=dict)
    """Folder -> the manifest of the live collection in it."""
    collected: dict[Collected, None] = field(default_factory=dict)
    """When live collections were finished."""


def read_exports(roots: Iterable[Path], policy: Policy) -> Imported:
    """Read files and folders of exports, and estate files beside them. Problems are collected in the result."""
    given = tuple(roots)
    with whole(*given):
        return _read_exports(given, policy)


def _read_exports(roots: Iterable[Path], policy: Policy) -> Imported:
    gathered = Gathered(policy)
    by_hand = Joined()
    imported = Imported(by_hand, gathered)
    known: list[tuple[Batch, Found]] = []
    for root in roots:
        for path, folder in _files(root, imported):
            known += _open(path, folder, imported, by_hand)
    for place in (root for root in roots if root.is_dir() and has_inventory(root)):
        from permcheck.loading.inventory import list_devices  # only such an estate pays for it

        ahead(place)(by_hand)
        list_devices(by_hand)
    add_by_hand(gathered, by_hand)
    order = {kind: number for number, kind in enumerate(policy.exports)}
    for batch, found in sorted(known, key=lambda item: order[item[1].kind.id]):
        _read(gathered, batch, found)
    _note_missing_pages(gathered)
    _note_unknown(imported)
    _refuse_mixed_tenants(gathered)
    imported.joined = assemble(gathered, by_hand, ", ".join(map(str, roots)), tuple(imported.collected))
    return imported


def _files(root: Path, imported: Imported) -> Iterator[tuple[Path, str]]:
    """List the files of a root with their folders, relative to it."""
    if root.is_file():
        yield root, ""
        return
    for path in found_files(root):
        suffix = path.suffix.lower()
        if is_expectation(path) or (path.name in INVENTORY and path.parent == root):
            continue
        if suffix in EXPORTS:
            yield path, path.parent.relative_to(root).as_posix().removeprefix(".")
        elif suffix:
            imported.ignored.append(path)


def _open(path: Path, folder: str, imported: Imported, by_hand: Joined) -> list[tuple[Batch, Found]]:
    if path.name == MANIFEST and _manifest(path) is not None:
        imported.collected |= _finished(path)
        return []
    if is_estate_file(path):
        add_file(by_hand, path)
        return []
    result = []
    try:
        request = _request(path, imported)
        for batch in FORMATS[path.suffix.lower()](path, folder):
            batch.request = request
            found = recognise(batch, imported.gathered.policy)
            if found is None:
                imported.unknown.append(batch)
            else:
                result.append((batch, found))
    except LoadError as error:
        imported.gathered.problems += error.problems
        return []
    except OSError as error:
        reason = (error.strerror or "it can't be read").lower()
        imported.gathered.problems += file_problem(path, "unreadable", f"can't read the file: {reason}").problems
        return []
    return result


def _manifest(path: Path) -> dict[str, str] | None:
    """Return the manifest of a live collection, file -> address; None if the file is none."""
    try:
        data = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
    if not isinstance(data, dict) or not str(data.get("permcheck", "")).startswith("collection/"):
        return None
    responses = data.get("responses")
    pairs = [r for r in responses if isinstance(r, dict)] if isinstance(responses, list) else []
    return {str(r.get("file")): str(r.get("url")) for r in pairs}


def _finished(path: Path) -> dict[Collected, None]:
    """Return which service a manifest is about, and the day; nothing where it does not tell."""
    data = json.loads(path.read_bytes())
    source = " ".join(str(data[key]) for key in ("service", "endpoint") if data.get(key))
    day = str(data.get("finished"))[:DAY]
    return {Collected(source=source, at=day): None} if source.strip() and DAYS.fullmatch(day) and is_day(day) else {}


def _request(path: Path, imported: Imported) -> str:
    """Return the address whose answer a file is, as the manifest of its collection tells."""
    for folder in path.parents:
        if folder not in imported.manifests:
            imported.manifests[folder] = _manifest(folder / MANIFEST)
        manifest = imported.manifests[folder]
        if manifest is not None:
            return manifest.get(path.relative_to(folder).as_posix(), "")
    return ""


def _read(gathered: Gathered, batch: Batch, found: Found) -> None:
    gathered.batches.append((batch, found))
    number = len(gathered.batches) - 1
    gathered.read.add(found.kind.id)
    try:
        READERS[found.kind.id](gathered, batch, found, number)
    except CutError:
        help_ = "run again with -Depth 10 (ConvertTo-Json), or select the property as text (Export-Csv)"
        gathered.problem((number, batch.length), "export-cut", "the export was cut: a nested value is missing", help_)
    except LoadError as error:
        gathered.problems += error.problems


def _note_missing_pages(gathered: Gathered) -> None:
    """Find lists of which a page is missing: one that names a next page, but no last one was exported."""
    lists: dict[tuple[str, str, str], list[Batch]] = {}
    for batch, found in gathered.batches:
        if batch.format == "json":
            lists.setdefault((found.kind.id, found.owner, batch.folder), []).append(batch)
    for (kind, owner, _), pages in lists.items():
        asked = {page.request for page in pages if page.request}
        more = [page for page in pages if page.next_link and page.next_link not in asked]
        last = len(pages) - sum(bool(page.next_link) for page in pages)
        lost = bool(more) and (last == 0 or bool(asked))
        counted = [page.count for page in pages if page.count is not None]
        short = bool(counted) and sum(page.length for page in pages) < max(counted)
        if lost or short:
            gathered.partial.add(kind)
            members = gathered.members.get(owner.casefold())
            if members is not None:
                members.partial = True
            message = f"pages are missing of this list ({gathered.policy.exports[kind].title})"
            help_ = "export every page: follow @odata.nextLink until it is absent"
            gathered.problems.append(Problem(pages[-1].file, 0, 0, "missing-pages", message, help_, "warning"))


def _note_unknown(imported: Imported) -> None:
    severity = "warning" if imported.gathered.read else "error"
    for batch in imported.unknown:
        keys = ", ".join(sorted(key for key in batch.head if not key.startswith("@"))[:6]) or "no entries"
        message = one_line(f"nothing is known by this list, and it was left out; its entries have {keys[:100]}")
        help_ = "`permcheck show policy` lists the exports that are known"
        imported.gathered.problems.append(Problem(batch.file, 0, 0, "unknown-export", message, help_, severity))
    for path in imported.ignored:
        if path.suffix.lower() in PACKED:
            message, help_ = f"{path.suffix} files are not read", "unpack it, or save it as CSV or JSON"
            imported.gathered.problems.append(Problem(str(path), 0, 0, "other-format", message, help_, "warning"))


def _refuse_mixed_tenants(gathered: Gathered) -> None:
    if len(gathered.tenants) > 1:
        (one, file), (two, other), *_ = gathered.tenants.items()
        message = f"exports of two tenants are mixed: `{one}` in {file}, `{two}` in {other}"
        gathered.problems.append(
            Problem(other, 0, 0, "mixed-tenants", message, "keep each tenant in a folder of its own")
        )
