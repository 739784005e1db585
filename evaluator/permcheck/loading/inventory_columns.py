"""What can be worked out of the columns of an inventory before any name is resolved."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from permcheck.model.fold import fold_case

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa


class Prepared(NamedTuple):
    """Names as keys spell them, and resource ids as numbers that are equal where the texts are; below 0 is none."""

    folded: pa.Array
    distinct: bool
    """Whether all names differ."""
    numbers: tuple[np.ndarray, np.ndarray]
    """Of the devices, and of the memberships."""


def prepare(tables: Mapping[str, pa.Table]) -> Prepared:
    """Prepare what was read; columns that have another type than they should come out empty."""
    import numpy as np
    import pyarrow as pa

    devices, memberships = tables.get("devices.parquet"), tables.get("memberships.parquet")
    folded, numbers = pa.array([], pa.string()), (np.zeros(0, np.int64), np.zeros(0, np.int64))
    if devices is not None:
        names = _column(devices, "name")
        if names is not None and _is_text(names.type):
            folded = fold(names)
        ids = _column(devices, "resource_id")
        asked = None if memberships is None else _column(memberships, "resource_id")
        if ids is not None and asked is not None and all(_is_id(column.type) for column in (ids, asked)):
            numbers = number(ids, asked)
    return Prepared(folded, are_distinct(folded), numbers)


def _column(table: pa.Table, name: str) -> pa.Array | None:
    import pyarrow as pa

    if table.column_names.count(name) != 1:
        return None
    column = table[name]
    found = column.chunk(0) if column.num_chunks else pa.array([], column.type)
    return found.cast(pa.string()) if pa.types.is_null(found.type) else found


def _is_text(kind: pa.DataType) -> bool:
    import pyarrow as pa

    value = kind.value_type if pa.types.is_dictionary(kind) else kind
    return bool(pa.types.is_string(value) or pa.types.is_large_string(value))


def _is_id(kind: pa.DataType) -> bool:
    import pyarrow as pa

    return _is_text(kind) or bool(pa.types.is_integer(kind))


def fold(names: pa.Array) -> pa.Array:
    """Return names as keys spell them."""
    import pyarrow as pa
    import pyarrow.compute as pc

    plain = names.cast(pa.string())
    if pc.all(pc.string_is_ascii(plain)).as_py() is not False:
        return pc.ascii_lower(plain)
    return pa.array([name and fold_case(name) for name in plain.to_pylist()], pa.string())


def are_distinct(names: pa.Array) -> bool:
    """Tell whether all names differ: where they are in order, each from the next."""
    import pyarrow.compute as pc

    if names.null_count == 0 and pc.all(pc.less(names[:-1], names[1:])).as_py() is not False:
        return True
    return bool(pc.count_distinct(names).as_py() == len(names))


def number(devices: pa.Array, asked: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    """Return resource ids of devices, and those that are asked for, as numbers that are equal where the texts are."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_integer(devices.type) and pa.types.is_integer(asked.type):
        least = pc.min(devices).as_py() or 0
        return _above(devices, least), _above(asked, least)
    texts = [fold(column.cast(pa.string())) for column in (devices, asked)]
    known = pc.unique(texts[0]).drop_null()
    places = [pc.fill_null(pc.index_in(column, known), -1).to_numpy().astype(np.int64) for column in texts]
    return places[0], places[1]


def _above(column: pa.Array, least: int) -> np.ndarray:
    """Return how far above the least the values are, in half of the bytes where they fit."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    bounds = pc.min_max(column).as_py()
    lowest, most = bounds["min"] or 0, bounds["max"] or 0
    if column.null_count:
        column = pc.fill_null(column.cast(pa.int64()), least - 1)
    small = lowest - least > -(2**30) and most - least < 2**30
    result = np.empty(len(column), np.int32 if small else np.int64)
    np.subtract(column.to_numpy(), least, out=result, casting="unsafe")
    return result
