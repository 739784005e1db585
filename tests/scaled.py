"""Tenants to review, and how the set of files that it makes is read back."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from permcheck.api import load
from permcheck.review.review import Total
from permcheck.scale.files import name_of
from permcheck.scale.key import hash_of
from permcheck.scale.run import Outcome, review_tenants
from permcheck.scale.values import Asked, Results, Shard, Work

ROOT = Path(__file__).parent.parent
AT = datetime(2026, 11, 21, 18, 0, tzinfo=UTC)
ASKED = Asked(actions=("run-cmpivot", "run-script", "set-use-intune-rbac", "set-enforce-cm-rbac"))
BROKEN = "users: ["


def write_tenants(folder: Path, *names: str) -> Path:
    """Make a folder of tenants, each a copy of an example."""
    for name in names:
        shutil.copytree(ROOT / "examples" / "contoso", folder / name)
    return folder


def shard_of(path: Path, output: Path, part: int = 0, parts: int = 1, asked: Asked = ASKED) -> Shard:
    return Shard(path.stem, str(path), hash_of(path), str(output), asked, part, parts)


def serial(work: Work, shards: Iterable[Shard], jobs: int) -> Results:
    """Work in this process: an engine for tests of everything but engines."""
    assert jobs
    for shard in shards:
        yield work(shard)


def reviewed(tenants: Path, output: Path, **how: Any) -> Outcome:
    from permcheck.scale.run import How

    return review_tenants(tenants, output, AT, how.pop("asked", ASKED), How(**{"jobs": 2, **how}))


def totals_alone(path: Path) -> dict[str, Total]:
    """Totals of a tenant as `permcheck review` counts them."""
    found = load(path).review(ASKED.users, ASKED.actions, ASKED.devices)
    return {str(act): total for act, total in found.totals.items()}


def sum_of(totals: Iterable[dict[str, Total]]) -> dict[str, Total]:
    result: dict[str, Total] = {}
    for one in totals:
        for action, total in one.items():
            result[action] = result.get(action, Total()) + total
    return result


def rows_of(output: Path, shard: Shard) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = pq.ParquetFile(output / name_of("rows", shard)).read().to_pylist()
    return rows


def files_in(output: Path) -> set[str]:
    """Every file but those that nobody reads."""
    found = (path.relative_to(output) for path in output.rglob("*") if path.is_file())
    return {path.as_posix() for path in found if path.parts[0] != ".parts"}


def unfinished(output: Path) -> list[Path]:
    return [path for path in (output / ".parts").iterdir() if path.suffix != ".json"]


def manifest_of(output: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((output / "manifest.json").read_text("utf-8"))
    return found
