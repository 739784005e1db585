"""Estates to review, and how what was written is read back."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from permcheck.api import Estate, load
from permcheck.review.review import Review
from permcheck.review.write.cells import original
from permcheck.review.write.formats import write_review
from permcheck.review.write.listing import About, What
from strategies import load_dict

ROOT = Path(__file__).parent.parent
ABOUT = About(datetime(2026, 11, 21, 18, 0, tzinfo=UTC), "1.2.3", "examples/contoso")
ALL = What()
HOSTILE = (
    '=HYPERLINK("http://evil.example","x")',
    "+1+1",
    "-2",
    "@SUM(A1)",
    "'=1+1",
    'say "no"; or',
    "🦊 fox, 日本",
    "two\nlines",
    "https://contoso.com",
    "\uff1d1+1",
)


def contoso() -> Review:
    return load(ROOT / "examples" / "contoso").review()


def crowd(users: int = 30, devices: int = 30) -> Estate:
    """An estate with sets that are too long for a row, and names that a spreadsheet could obey."""
    names = [f"user{number:02}@contoso.com" for number in range(users)]
    return load_dict(
        {
            "estate": HOSTILE[0],
            "complete": True,
            "tenant": {"use_intune_rbac": "On", "cloud": "public", "multi_geo": False, "geography": "EU"},
            "assume": ["*"],
            "hierarchies": [{"id": "P01", "version": 2211, "updates": [], "enforce_configmgr_rbac": "cleared"}],
            "users": [
                {"upn": upn, "name": HOSTILE[i % len(HOSTILE)], "synced": True, "enabled": True, "licensed": True}
                for i, upn in enumerate(names)
            ],
            "groups": [{"name": HOSTILE[1], "type": "security", "members": names}],
            "collections": [{"id": "SMS00001", "name": "All Systems"}],
            "devices": [{"name": f"PC-{number:04}", "uploaded": True} for number in range(devices)],
            "intune_assignments": [
                {"name": HOSTILE[3], "role": "Help Desk Operator", "members": [HOSTILE[1]], "scope_tags": []}
            ],
        }
    )


def written(review: Review, target: Path, what: What = ALL) -> list[str]:
    return [path.name for path in write_review(review, target, ABOUT, what)]


def csv_rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    return [{name: original(cell) for name, cell in row.items()} for row in rows]


def json_rows(path: Path) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    found = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    return [one for one in found if "set" not in one], [one for one in found if "set" in one]


def parquet_rows(path: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = pq.read_table(path).to_pylist()
    return rows


def as_text(value: Any) -> str:
    """A value of JSON as a cell says it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return "; ".join(value)
    return "" if value is None else str(value)


def population_of(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.with_name(f"{path.stem}.population.json").read_text("utf-8"))
    return found
