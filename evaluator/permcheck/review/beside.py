"""Hold what lies beside the rows of a signed sheet against what it should be: population, totals, members of sets."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from permcheck.exports.csv_file import csv_batches
from permcheck.loading.files import file_problem
from permcheck.review.as_written import Beside, is_number
from permcheck.review.book import Cell, book_rows
from permcheck.review.signed import Sheet
from permcheck.review.table import NameSet
from permcheck.review.write.cells import original
from permcheck.review.write.csv_file import SETS
from permcheck.review.write.population import FORMAT, Plain, review_id
from permcheck.review.write.sheets import LIMIT
from permcheck.review.write.summary_sheet import FILES, facts_of, totals_of

VARYING: Final = frozenset({"made_at", "review_id", "tool", "estate.path", "estate.sources", "estate.collected"})
"""What need not be the same when a review is made again of the same answers; the hash of a signed file as well."""
OWN_FILE: Final = frozenset({"table.file", "table.sha256"})
LABELS: Final = frozenset({"Made at (UTC)", "Made by", "Policy (SHA-256)", "Estate", "Review id"})
"""Those of VARYING, as a workbook has them."""
LONGEST: Final = 64 * 2**20
DEEPEST: Final = 8
HASH: Final = re.compile("[0-9a-f]{64}")
ALONE: Final = "compared with rows worked out from the estate alone"


class Told(NamedTuple):
    """What a population says of the review: file and workbook say it in their own ways."""

    edited: tuple[str, ...] = ()
    sources: tuple[tuple[str, str], ...] = ()
    """Files of the estate with their hashes."""


def look_beside(sheet: Sheet, now: Plain, sets: Sequence[NameSet]) -> Beside:
    """Compare what lies beside the rows with what it should be: `now` is the population of the review, made again."""
    told, said = _of_book(sheet, now) if sheet.is_book else _of_file(sheet, now)
    members, also_said = _of_sets(sheet, sets)
    current = {one["sha256"] for one in now["estate"]["sources"]}
    changed = tuple(file for file, digest in told.sources if digest not in current)
    return Beside((said, *also_said), (*told.edited, *members), changed)


# --- the population ----------------------------------------------------------------


def _of_file(sheet: Sheet, now: Plain) -> tuple[Told, str]:
    path = sheet.path.with_name(f"{sheet.path.stem}.population.json")
    if not path.is_file():
        return Told(), f"there is no {path.name} beside the sheet: {ALONE}"
    told = _population(path)
    ours, theirs = dict(_flat(now)), dict(_flat(told))
    differ = [key for key in sorted({*ours, *theirs}) if not _varies(key) and ours.get(key) != theirs.get(key)]
    edited = [f"{path.name}: {key} is {_short(theirs.get(key))}, not {_short(ours.get(key))}" for key in differ]
    if not _fits(told):
        edited.append(f"{path.name}: review_id is not made of what it says of estate, policy, time and rows")
    return Told(tuple(edited), _sources(told)), f"compared with {path.name} and with rows worked out from the estate"


def _population(path: Path) -> Plain:
    help_ = "restore the file that was written with the review"
    try:
        told = json.loads(path.read_bytes()) if path.stat().st_size <= LONGEST else None
    except (OSError, ValueError, RecursionError):
        told = None
    if not isinstance(told, dict) or told.get("permcheck") != FORMAT:
        raise file_problem(path, "population", "this is no population of a review", help_)
    return told


def _flat(told: Any, key: str = "", depth: int = 0) -> Iterator[tuple[str, Any]]:
    """Yield the values of a document by their paths. Lists of texts are one value, and so is what lies too deep."""
    if isinstance(told, dict) and depth < DEEPEST:
        for name, value in told.items():
            yield from _flat(value, f"{key}.{name[:40]}" if key else name[:40], depth + 1)
    elif isinstance(told, list) and any(isinstance(one, dict) for one in told) and depth < DEEPEST:
        for number, value in enumerate(told):
            yield from _flat(value, f"{key}[{number}]", depth + 1)
    elif told != []:
        yield key, told


def _varies(key: str) -> bool:
    top = key.partition("[")[0]
    return key in OWN_FILE or any(top == name or top.startswith(f"{name}.") for name in VARYING)


def _short(value: Any) -> str:
    return "missing" if value is None else f"`{json.dumps(value, ensure_ascii=False)[:60]}`"


def _fits(told: Plain) -> bool:
    """Tell whether the id of a review is made of what the population says."""
    try:
        parts = told["made_at"], told["tool"]["policy_sha256"], told["estate"]["sources"], told["table"]["rows_sha256"]
        return bool(told["review_id"] == review_id(*parts))
    except (KeyError, TypeError):
        return False


def _sources(told: Plain) -> tuple[tuple[str, str], ...]:
    """Return the files of which a population says that they were read; it may say anything."""
    estate = told.get("estate")
    found = estate.get("sources") if isinstance(estate, dict) else None
    sources = [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
    return tuple((str(one.get("file")), str(one["sha256"])) for one in sources if one.get("sha256"))


# --- the summary of a workbook -----------------------------------------------------


def _of_book(sheet: Sheet, now: Plain) -> tuple[Told, str]:
    lines = [_texts(cells) for _, cells in book_rows(sheet.path, "Summary")]
    if not lines:
        return Told(), f"the workbook has no sheet Summary: {ALONE}"
    labels = {line[0]: line[1] if len(line) > 1 else "" for line in reversed(lines) if line}
    expected = {label: str(value) for label, value in facts_of(now).items() if label not in LABELS}
    asked = {label: "" for label in labels if label.startswith("Asked for ")}
    edited = [
        f"Summary: {label} is {_short(labels.get(label))}, not {_short(value or None)}"
        for label, value in (asked | expected).items()
        if labels.get(label, "") != value
    ]
    for one in now["actions"]:
        wanted = totals_of(one)
        if not any(_is_line(line, wanted) for line in lines):
            edited.append(f"Summary: the totals of {one['title']} are not {', '.join(map(str, wanted[2:]))}")
    start = next((number for number, line in enumerate(lines) if line[:1] == [FILES]), len(lines))
    sources = tuple((line[0], line[1]) for line in lines[start + 1 :] if len(line) > 1 and HASH.fullmatch(line[1]))
    return Told(tuple(edited), sources), "compared with the sheet Summary and with rows worked out from the estate"


def _texts(cells: Mapping[int, Cell]) -> list[str]:
    return [cells[index].text if index in cells else "" for index in range(max(cells, default=-1) + 1)]


def _is_line(line: Sequence[str], wanted: Sequence[str | int]) -> bool:
    if len(line) < len(wanted):
        return False
    pairs = zip(line, wanted, strict=False)
    return all(is_number(found, told) if isinstance(told, int) else found == told for found, told in pairs)


# --- members of long sets ----------------------------------------------------------


Members = dict[str, Counter[tuple[str, str]]]
"""Set -> kind and name of each member."""


def _of_sets(sheet: Sheet, sets: Sequence[NameSet]) -> tuple[list[str], list[str]]:
    """Return what differs in the table of sets, and what could not be compared."""
    if not sets:
        return [], []
    beside = sheet.path.with_name(f"{sheet.path.stem}.sets.csv")
    listed = _book_sets(sheet.path) if sheet.is_book else None
    found = _members(listed or ())
    elsewhere = {one.id for one in sets} if listed is None else _elsewhere(found, sets)
    if elsewhere and beside.is_file():
        found = {id_: members for id_, members in found.items() if id_ not in elsewhere} | _members(_csv_sets(beside))
        elsewhere = set()
    edited = list(_differences(found, [one for one in sets if one.id not in elsewhere], {one.id for one in sets}))
    what = f"the members of {len(elsewhere)} long sets were not compared: there is no {beside.name} beside the sheet"
    return edited, [what] if elsewhere else []


def _members(lines: Iterable[tuple[str, str, str]]) -> Members:
    found: Members = {}
    for id_, kind, name in lines:
        found.setdefault(id_, Counter())[kind, name] += 1
    return found


def _book_sets(path: Path) -> list[tuple[str, str, str]] | None:
    """Return the lines of the sheet of sets; None where it is not there."""
    lines = [(*_texts(cells), "", "", "")[: len(SETS)] for _, cells in book_rows(path, "Sets")]
    return [(id_, kind, name) for id_, kind, name in lines[1:] if id_ or name] if lines else None


def _csv_sets(path: Path) -> Iterator[tuple[str, str, str]]:
    for batch in csv_batches(path, ""):
        for row in batch.rows():
            id_, kind, name = (original(str(row.get(key) or "")) for key in SETS)
            yield id_, kind, name


def _elsewhere(found: Members, sets: Sequence[NameSet]) -> set[str]:
    """Return the sets for which a sheet has no room: it says where they are. Where all fit, none may say so."""
    if sum(one.size for one in sets) + 1 <= LIMIT:
        return set()
    return {one.id for one in sets if any(": see " in name for _, name in found.get(one.id, ()))}


def _differences(found: Members, sets: Sequence[NameSet], known: set[str]) -> Iterator[str]:
    for one in sets:
        wanted, listed = Counter((one.kind, name) for name in one.members()), found.get(one.id, Counter())
        for (_, name), count in (wanted - listed).items():
            yield f"{one.id}: {_times(name, count)} lacks"
        for (_, name), count in (listed - wanted).items():
            yield f"{one.id}: {_times(name, count)} was added"
    for id_ in sorted(found.keys() - known):
        yield f"{id_[:60]}: no row of the review has this set"


def _times(name: str, count: int) -> str:
    return f"`{name[:60]}`" + (f" ({count} times)" if count > 1 else "")
