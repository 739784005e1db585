"""A review as a table of Arrow, Polars or pandas, where they are installed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from importlib import import_module
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from permcheck.errors import QuestionError
from permcheck.review.table import COLUMNS, Record

if TYPE_CHECKING:
    import polars as pl

TOGETHER: Final = 20_000
"""So many rows are turned at once."""
EXTRAS: Final = {
    "pyarrow": "permcheck[bulk]",
    "polars": "permcheck[frame]",
    "xlsxwriter": "permcheck[xlsx]",
    "ray": "permcheck[ray]",
}


def needed(package: str) -> Any:
    """Import a package that only some use. Raises QuestionError, which names the extra."""
    try:
        return import_module(package)
    except ImportError:
        wanted = EXTRAS.get(package.partition(".")[0], package)
        raise QuestionError(f"{package} is not installed", f'pip install "{wanted}"') from None


def schema() -> Any:
    """Return the columns as a schema of Arrow, each with what it says."""
    arrow = needed("pyarrow")
    types = {
        "text": arrow.string(),
        "list": arrow.list_(arrow.string()),
        "count": arrow.int64(),
        "flag": arrow.bool_(),
    }
    return arrow.schema([arrow.field(c.name, types[c.kind], metadata={"says": c.says}) for c in COLUMNS])


def batches(records: Iterable[Record]) -> Iterator[Any]:
    """Yield record batches of Arrow, one after another."""
    arrow, form = needed("pyarrow"), schema()
    for columns in _columns(records):
        arrays = [arrow.array(columns[field.name], field.type) for field in form]
        yield arrow.record_batch(arrays, schema=form)


def to_arrow(records: Iterable[Record]) -> Any:
    """Return a table of Arrow."""
    return needed("pyarrow").Table.from_batches(batches(records), schema())


def to_polars(records: Iterable[Record]) -> pl.DataFrame:
    """Return a frame of Polars."""
    polars = needed("polars")
    types = {"text": polars.String, "list": polars.List(polars.String), "count": polars.Int64, "flag": polars.Boolean}
    form = {column.name: types[column.kind] for column in COLUMNS}
    parts = [polars.DataFrame(columns, schema=form) for columns in _columns(records)]
    found: pl.DataFrame = polars.concat(parts) if parts else polars.DataFrame(schema=form)
    return found


def to_pandas(records: Iterable[Record]) -> Any:
    """Return a frame of pandas."""
    needed("pandas")
    return to_arrow(records).to_pandas()


def _columns(records: Iterable[Record]) -> Iterator[Mapping[str, list[Any]]]:
    """Yield some rows at a time, by column."""
    left = iter(records)
    while some := list(islice(left, TOGETHER)):
        yield {column.name: [one[column.name] for one in some] for column in COLUMNS}
