"""The manifest: what a set of files was made of, what is in it, and what is missing."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from permcheck import __version__
from permcheck.review.review import Total
from permcheck.scale.merge import Merged
from permcheck.scale.values import Asked

FORMAT: Final = "permcheck-manifest/1"

Plain = dict[str, Any]


class Tenant(NamedTuple):
    """A tenant: its name, and its files."""

    name: str
    path: str
    sources: str
    """Their hash."""


class About(NamedTuple):
    """What the results don't know. `at` has a time zone."""

    at: datetime
    folder: str
    """The folder of the tenants, as it was given."""
    asked: Asked
    parts: int


def manifest(merged: Merged, tenants: tuple[Tenant, ...], about: About) -> Plain:
    """Return the manifest. Its totals are those of its files, and only of those."""
    found = [_tenant(one, merged.of(one.name), about.parts) for one in tenants]
    return {
        "permcheck": FORMAT,
        "made_at": about.at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "version": __version__,
        "tenants_folder": about.folder,
        "asked": about.asked.plain(),
        "parts": about.parts,
        "complete": all(one["complete"] for one in found),
        "rows": merged.rows,
        "totals": _total(merged.total),
        "actions": list(_actions(merged.totals)),
        "tenants": found,
    }


def manifest_text(told: Plain) -> str:
    """Return a manifest as JSON."""
    return json.dumps(told, ensure_ascii=False, indent=2) + "\n"


def _tenant(tenant: Tenant, merged: Merged, parts: int) -> Plain:
    done = [result for result in merged.results.values() if not result.problems]
    return {
        "tenant": tenant.name,
        "sources_sha256": tenant.sources,
        "complete": len(done) == parts,
        "missing_parts": sorted({*range(parts)} - {result.part for result in done}),
        "problems": [{"place": one.place, "id": one.id, "message": one.message} for one in merged.problems],
        "warnings": len(merged.warnings),
        "rows": merged.rows,
        "totals": _total(merged.total),
        "files": [one._asdict() for result in done for one in result.files],
    }


def _actions(totals: Mapping[str, Total]) -> Iterator[Plain]:
    for action in sorted(totals):
        yield {"action": action, **_total(totals[action])}


def _total(found: Total) -> Plain:
    return {"cells": found.cells, **found._asdict()}
