"""Which devices of two estates may differ: of two inventories, column by column, so that few are looked at alone."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from permcheck.model.inventory import Devices, Inventory
from permcheck.model.tables import Key, Tables

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa


def may_differ(old: Tables, new: Tables) -> Iterable[Key]:
    """Return every device that is not the same in both, and maybe some that are: those of the old estate first."""
    if isinstance(old.devices, Devices) and isinstance(new.devices, Devices):
        one, two = old.devices.inventory, new.devices.inventory
        if one is two:
            return ()
        if (one.hierarchies, one.roots, one.told) == (two.hierarchies, two.roots, two.told):
            return _differing(one, two)
    return dict.fromkeys((*old.devices, *new.devices))


def _differing(old: Inventory, new: Inventory) -> list[Key]:
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    if old.key_column.equals(new.key_column):
        rows = others = np.arange(len(old))
        gone, come = old.key_column.slice(0, 0), new.key_column.slice(0, 0)
    else:
        found = pc.index_in(new.key_column, value_set=old.key_column)
        others = np.asarray(pc.is_valid(found)).nonzero()[0]
        rows = np.asarray(found.drop_null()).astype(np.int64)
        gone = old.key_column.filter(pc.invert(pc.is_in(old.key_column, value_set=new.key_column)))
        come = new.key_column.filter(pc.is_null(found))
    different = old.open[rows] != new.open[others]
    for name in dict.fromkeys((*old.columns, *new.columns)):
        different |= _column(old.columns.get(name), rows, new.columns.get(name), others)
    different |= _inside(old, rows, new, others)
    edited = old.key_column.take(pa.array(np.sort(rows[different])))
    return [*edited.to_pylist(), *gone.to_pylist(), *come.to_pylist()]


def _column(old: pa.Array | None, rows: np.ndarray, new: pa.Array | None, others: np.ndarray) -> np.ndarray:
    """Tell where two columns, of which one may not be there, say something else."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    one = pa.nulls(len(rows)) if old is None else old.take(pa.array(rows))
    two = pa.nulls(len(others)) if new is None else new.take(pa.array(others))
    if one.equals(two):
        return np.zeros(len(rows), bool)
    if pa.types.is_nested(one.type) or pa.types.is_nested(two.type):
        return np.asarray([a != b for a, b in zip(one.to_pylist(), two.to_pylist(), strict=True)], bool)
    one, two = _text(one), _text(two)
    unlike = pc.fill_null(pc.not_equal(one, two), fill_value=False)
    return np.asarray(pc.or_(unlike, pc.xor(pc.is_null(one), pc.is_null(two))))


def _text(column: pa.Array) -> pa.Array:
    """Return a column as texts: numbers, flags and dictionaries of different files can be compared then."""
    import pyarrow as pa

    return column.cast(pa.string())


def _inside(old: Inventory, rows: np.ndarray, new: Inventory, others: np.ndarray) -> np.ndarray:
    """Tell which devices are in other collections."""
    import numpy as np

    different = np.zeros(len(rows), bool)
    alike = old.collections == new.collections and np.array_equal(rows, others)
    if alike and np.array_equal(old.starts, new.starts) and np.array_equal(old.inside, new.inside):
        return different
    number = {key: place for place, key in enumerate(dict.fromkeys((*old.collections, *new.collections)))}
    codes = []
    for inventory, chosen in ((old, rows), (new, others)):
        place = np.full(len(inventory), -1, np.int64)
        place[chosen] = np.arange(len(chosen))
        owners = np.repeat(place, np.diff(inventory.starts))
        called = np.asarray([number[key] for key in inventory.collections], np.int64)[inventory.inside]
        codes.append(np.unique((owners * len(number) + called)[owners >= 0]))
    different[np.setxor1d(codes[0], codes[1], assume_unique=True) // len(number)] = True
    return different
