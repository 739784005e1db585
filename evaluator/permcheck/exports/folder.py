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
from permcheck.exports.foreign import is_estate, is_estate_text
from permcheck.exports.gathered import Gathered
from permcheck.exports.json_file import batches_in, json_batches
from permcheck.exports.left_out import leave_out
from permcheck.exports.pages import lost_pages, note_missing_pages
from permcheck.exports.read_configmgr import settle_sites
from permcheck.exports.read_people import DAY, DAYS
from permcheck.exports.readers import READERS, nothing
from permcheck.exports.recognise import Found, kinds_of, named_as, recognise
from permcheck.exports.twice import refuse_lists_that_differ
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
    read_text,
)
from permcheck.loading.text import parse_file
from permcheck.loading.whole import whole
from permcheck.model.estate import Collected, is_day
from permcheck.model.policy_index import Policy
from permcheck.printable import one_line
from permcheck.system import reason_of

SITES: Final = "configmgr.sites"
MANIFEST: Final = "collected.json"
PACKED: Final = frozenset({".zip", ".gz", ".7z", ".xlsx", ".xls", ".clixml", ".ps1", ".html", ".htm"})
"""Suffixes of files that may hold an export, and are not opened."""
YAML: Final = frozenset({".yaml", ".yml"})
SMALL: Final = 2**20
"""Files up to this size are looked into twice."""
FEW: Final = 3
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
    gathered.day = _day(by_hand, imported)
    ordered = sorted(known, key=lambda item: order[item[1].kind.id])
    for batch, found in (item for item in ordered if item[1].kind.id == SITES):
        _read(gathered, batch, found)
    settle_sites(gathered)
    for batch, found in (item for item in ordered if item[1].kind.id != SITES):
        _read(gathered, batch, found)
    note_missing_pages(gathered, _lost(imported))
    refuse_lists_that_differ(gathered)
    _note_unknown(imported)
    _refuse_mixed_tenants(gathered)
    imported.joined = assemble(gathered, by_hand, ", ".join(map(str, roots)), tuple(imported.collected))
    return imported


def _files(root: Path, imported: Imported) -> Iterator[tuple[Path, str]]:
    """List the files of a root with their folders, relative to it."""
    if root.is_file():
        if root.suffix.lower() in EXPORTS:
            yield root, ""
        else:
            imported.gathered.problems.append(_other_format(root, "error"))
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
    result = []
    try:
        batches = _batches(path, folder)
        if batches is None:
            add_file(by_hand, path)
            return []
        request = _request(path, imported)
        for one in batches:
            one.request = request
            for batch in kinds_of(one, imported.gathered.policy):
                found = recognise(batch, imported.gathered.policy)
                if found is None:
                    imported.unknown.append(batch)
                else:
                    result.append((batch, found))
    except LoadError as error:
        imported.gathered.problems += error.problems
        return []
    except OSError as error:
        reason = reason_of(error, "it can't be read")
        imported.gathered.problems += file_problem(path, "unreadable", f"can't read the file: {reason}").problems
        return []
    return result


def _batches(path: Path, folder: str) -> Iterator[Batch] | None:
    """Return the lists in a file; None for a file of an estate. Raises LoadError."""
    suffix = path.suffix.lower()
    if suffix in YAML:
        return _of_yaml(path, folder)
    small = path.stat().st_size < SMALL
    if suffix == ".json" and is_estate_file(path) and not (small and not is_estate(parse_file(path).data)):
        return None
    return FORMATS[suffix](path, folder)


def _of_yaml(path: Path, folder: str) -> Iterator[Batch] | None:
    """Return the lists in a YAML file, which is read as its twin in JSON; one that can't be read is of another tool."""
    unknown = Batch(str(path), folder, "$", {}, tuple, format="yaml")
    text = read_text(path)
    try:
        data = parse_file(path).data
    except LoadError:
        return None if is_estate_text(text) else iter((unknown,))
    if is_estate(data):
        return None
    try:
        return iter(tuple(batches_in(data, str(path), folder)))
    except LoadError:
        return iter((unknown,))


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


def _day(by_hand: Joined, imported: Imported) -> str:
    """Return the day of which the estate is: the one that people chose, else the last on which lists were collected."""
    chosen = by_hand.scalars.get("as_of")
    collected = (*by_hand.scalars.get("collected", ()), *imported.collected)
    return str(chosen or max((one.at for one in collected), default=""))


def _read(gathered: Gathered, batch: Batch, found: Found) -> None:
    gathered.batches.append((batch, found))
    number = len(gathered.batches) - 1
    gone = gathered.marks.lists_deleted(batch)
    batch.mark = (lambda _: True) if gone else gathered.marks.of
    if not gone:  # such a list is none of those who are there
        gathered.read.add(found.kind.id)
    try:
        (nothing if gone else READERS[found.kind.id])(gathered, batch, found, number)
    except CutError:
        batch.broken = True
        help_ = "run again with -Depth 10 (ConvertTo-Json), or select the property as text (Export-Csv)"
        gathered.problem((number, batch.at), "export-cut", "the export was cut: a nested value is missing", help_)
    except LoadError as error:
        batch.broken = True
        gathered.problems += error.problems
    leave_out(gathered, batch, found, number)


def _lost(imported: Imported) -> Iterator[str]:
    """Return addresses of which a collection says that it has the answer, where the file is gone."""
    there = {batch.file for batch, _ in imported.gathered.batches} | {batch.file for batch in imported.unknown}
    for folder, manifest in imported.manifests.items():
        if manifest is not None:
            yield from lost_pages(manifest, folder, there)


def _note_unknown(imported: Imported) -> None:
    severity = "warning" if imported.gathered.read else "error"
    folders: dict[Path, list[Batch]] = {}
    for batch in imported.unknown:
        folders.setdefault(Path(batch.file).parent, []).append(batch)
    for folder, batches in folders.items():
        keys = ", ".join(sorted(key for key in batches[0].head if not key.startswith("@"))[:6]) or "no entries"
        said = named_as(batches[0])
        about = f"it says that it is `{said[:100]}`" if said else f"its entries have {keys[:100]}"
        message = f"nothing is known by this list, and it was left out; {about}"
        place = batches[0].file
        if len(batches) > 1:
            files = list(dict.fromkeys(Path(batch.file).name for batch in batches))
            few = ", ".join(files[:FEW]) + (f" and {len(files) - FEW} more" if len(files) > FEW else "")
            message, place = (
                f"nothing is known by {len(batches)} lists here, and they were left out: {few}{_called(batches)}",
                str(folder),
            )
        help_ = "`permcheck show policy` lists the exports that are known"
        problem = Problem(place, 0, 0, "unknown-export", one_line(message), help_, severity)
        imported.gathered.problems.append(problem)
    for path in imported.ignored:
        if path.suffix.lower() in PACKED:
            imported.gathered.problems.append(_other_format(path, "warning"))


def _called(batches: Iterable[Batch]) -> str:
    """Tell what lists say that they are, of those that say it."""
    said = list(dict.fromkeys(f"`{name[:60]}`" for batch in batches if (name := named_as(batch))))
    more = f" and {len(said) - FEW} more" if len(said) > FEW else ""
    return f"; some say that they are {', '.join(said[:FEW])}{more}" if said else ""


def _other_format(path: Path, severity: str) -> Problem:
    """Say of a file that it is not opened."""
    packed = path.suffix.lower() in PACKED
    kind = f"{path.suffix} files" if path.suffix else "files without a suffix"
    message = f"{kind} are not read: this is no export that permcheck knows"
    help_ = "unpack it, or save it as CSV or JSON" if packed else "exports are JSON, CSV, XML or YAML files"
    return Problem(str(path), 0, 0, "other-format", message, help_, severity)


def _refuse_mixed_tenants(gathered: Gathered) -> None:
    if len(gathered.tenants) > 1:
        (one, file), (two, other), *_ = gathered.tenants.items()
        message = f"exports of two tenants are mixed: `{one}` in {file}, `{two}` in {other}"
        gathered.problems.append(
            Problem(other, 0, 0, "mixed-tenants", message, "keep each tenant in a folder of its own")
        )
