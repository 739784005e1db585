"""Parquet: typed columns, written group by group."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from permcheck.review.table import NameSet
from permcheck.review.write.frames import TOGETHER, batches, needed, schema
from permcheck.review.write.listing import Listing

COMPRESSION: Final = "zstd"


def write_rows(path: Path, listing: Listing) -> None:
    """Write the rows of a review."""
    _write(path, schema(), batches(one.record for one in listing))


def write_sets(path: Path, sets: Iterable[NameSet]) -> None:
    """Write the second table: a member in each row."""
    arrow = needed("pyarrow")
    form = arrow.schema([(name, arrow.string()) for name in ("set", "kind", "member")])
    _write(path, form, _members(arrow, form, sets))


def _members(arrow: Any, form: Any, sets: Iterable[NameSet]) -> Iterator[Any]:
    for one in sets:
        names = one.members()
        for start in range(0, len(names), TOGETHER):
            part = names[start : start + TOGETHER]
            columns = [[one.id] * len(part), [one.kind] * len(part), part]
            yield arrow.record_batch([arrow.array(column, arrow.string()) for column in columns], schema=form)


def _write(path: Path, form: Any, parts: Iterable[Any]) -> None:
    """Write batches as row groups. The file is one of Python's: what goes wrong is an OSError, as elsewhere."""
    parquet = needed("pyarrow.parquet")
    with path.open("wb") as file, parquet.ParquetWriter(file, form, compression=COMPRESSION) as writer:
        for part in parts:
            writer.write_batch(part)
