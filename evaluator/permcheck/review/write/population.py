"""What a review was made of: tool, policy, files with their hashes, counts, and totals that add up."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC
from pathlib import Path
from typing import Any, Final, NamedTuple

from permcheck.loading.data import data_root
from permcheck.loading.policy import policy_files
from permcheck.model.provenance import Exports, Lines
from permcheck.model.state import Verdict
from permcheck.review.review import VERDICTS, Total
from permcheck.review.table import NAMESPACE
from permcheck.review.write.listing import About, Listing

FORMAT: Final = "permcheck-population/1"
COUNTED: Final = (
    "hierarchies",
    "users",
    "groups",
    "entra_roles",
    "app_roles",
    "intune_roles",
    "intune_assignments",
    "security_roles",
    "admins",
    "rows",
    "collections",
    "scripts",
    "applications",
    "devices",
)
"""What is counted of an estate; `rows` are the roles of administrative users."""
NAMES: Final = {"admins": "administrative_users", "rows": "security_assignments"}

Plain = dict[str, Any]


class Left(NamedTuple):
    """Something that is not listed, and why."""

    what: str
    why: str


def population(listing: Listing, about: About, table: Path | None = None) -> Plain:
    """Return the record of a review whose rows have all been read. `table` is the file that holds them."""
    tables, engine = listing.tables, listing.engine
    sources = list(_sources(listing, about))
    at = about.at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    policy = _policy_hash()
    return {
        "permcheck": FORMAT,
        "review_id": review_id(at, policy, sources, listing.sha256),
        "made_at": at,
        "tool": {"name": "permcheck", "version": about.version, "policy_sha256": policy},
        "estate": {
            "name": tables.name,
            "path": about.estate,
            "changes": list(about.changes),
            "as_of": tables.as_of,
            "collected": [{"source": one.source, "at": str(one.at)} for one in tables.collected],
            "sources": sources,
            "counts": {NAMES.get(name, name): len(getattr(tables, name)) for name in COUNTED},
            "may_lack_entries": sorted(tables.unstated | tables.incomplete),
        },
        "asked": {
            "filters": {kind: list(texts) for kind, texts in about.filters.items()},
            "verdicts": [verdict.value for verdict in listing.what.verdicts],
            "by": listing.what.by,
            "every_path": listing.what.every_path,
            "edition": engine.edition,
            "strict": listing.review.view.strict,
            "readings": dict(engine.readings),
            "assumed": list(tables.assume),
        },
        "totals": _totals(listing.review.total),
        "actions": list(_actions(listing)),
        "not_listed": [one._asdict() for one in left_out(listing)],
        "not_looked_at": not_looked_at(listing),
        "table": _table(listing, table),
    }


def review_id(at: str, policy: str, sources: Sequence[Mapping[str, str | None]], rows: str) -> str:
    """Return the id of a review, by when and of what it was made."""
    return str(uuid.uuid5(NAMESPACE, "\n".join((at, policy, json.dumps(sources), rows))))


def population_text(told: Mapping[str, Any]) -> str:
    """Return a record as JSON for people and programs."""
    return json.dumps(told, ensure_ascii=False, indent=2) + "\n"


def left_out(listing: Listing) -> Iterator[Left]:
    """Yield what the rows don't hold, and why."""
    review = listing.review
    for verdict in VERDICTS:
        count = getattr(review.total, verdict.value)
        if verdict not in listing.what.verdicts and count:
            yield Left(f"{count:,} answers {verdict.value}", "not asked for; the totals count them")
    chosen, known = review.selection, listing.tables
    devices = len(known.devices) if chosen.devices is None else len(chosen.devices)
    parts = (("users", len(chosen.users), len(known.users)), ("devices", devices, len(known.devices)))
    for kind, some, every in parts:
        if some < every:
            yield Left(f"{every - some:,} of {every:,} {kind}", "the selection leaves them out")
    asked = {act.action.id for act in chosen.acts}
    other = [action for action in listing.policy.actions if action not in asked]
    if other:
        yield Left(f"{len(other)} of {len(listing.policy.actions)} actions", f"not selected: {', '.join(other)}")


def not_looked_at(listing: Listing) -> list[str]:
    """Return conditions of the selected actions that no answer takes into account."""
    acts = listing.review.selection.acts
    return list(dict.fromkeys(text for act in acts for text in act.action.not_modelled))


def sha256_of(path: Path) -> str:
    """Hash a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _policy_hash() -> str:
    found, folder = hashlib.sha256(), data_root() / "policy"
    for path in policy_files(folder):
        found.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return found.hexdigest()


def _sources(listing: Listing, about: About) -> Iterator[dict[str, str | None]]:
    """Yield every file that records of the estate come from; without any, the path that was given."""
    files: dict[str, None] = {}
    for source in listing.tables.places.sources:
        if isinstance(source, Lines):
            files[source.file] = None
        elif isinstance(source, Exports):
            files |= dict.fromkeys(one.file for one in source.lists)
    for file in files or {about.estate: None}:
        try:
            yield {"file": file, "sha256": sha256_of(Path(file))}
        except OSError:  # a folder, or a file inside an archive, or one that is gone
            yield {"file": file, "sha256": None}


def _totals(found: Total) -> Plain:
    return {"cells": found.cells, **found._asdict()}


def _actions(listing: Listing) -> Iterator[Plain]:
    for act, found in listing.review.totals.items():
        listed = sum(listing.cells[act, verdict] for verdict in Verdict)
        title, effect = act.action.title, act.action.effect
        yield {"action": str(act), "title": title, "effect": effect, **_totals(found), "listed": listed}


def _table(listing: Listing, table: Path | None) -> Plain:
    found: Plain = {"rows": listing.rows, "cells": listing.listed, "sets": len(listing.printer.sets)}
    found["rows_sha256"] = listing.sha256
    if table is not None:
        found |= {"file": table.name, "sha256": sha256_of(table)}
    return found
