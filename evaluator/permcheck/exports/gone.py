"""Tell what an export marks as deleted or removed: it is not there, and a reference to it gives nothing."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from permcheck.exports.batch import TWICE, Batch, Row, flag, fold
from permcheck.model.policy_values import ValuesFile


class Marks:
    """The properties by which exports mark an entry, as the policy names them."""

    def __init__(self, values: ValuesFile) -> None:
        self._when = _folded(values.deleted_when.said)
        self._if = _folded(values.deleted_if.said)
        self._removed = _folded(values.removed_from_list.said)
        self._lists = values.list_of_deleted
        self._all = self._when | self._if | self._removed | {TWICE}

    def of(self, row: Row) -> bool | None:
        """Tell whether an entry is deleted, or removed from its list; None where a mark can't be read."""
        if self._all.isdisjoint(row):
            return False
        return True if self.removed(row) else self.deleted(row)

    def removed(self, row: Row) -> bool:
        """Tell whether an entry was taken out of its list, be it that what it is about was deleted or not."""
        return any(_is_stated(row, key) for key in self._removed)

    def deleted(self, row: Row) -> bool | None:
        """Tell whether what an entry is about was deleted; None where a mark can't be read, or is stated twice."""
        said = [flag(row, key) for key in self._if if row.get(key) is not None]
        if True in said or any(_is_stated(row, key) for key in self._when):
            return True
        twice = not self._all.isdisjoint(str(row.get(TWICE) or "").split())
        return None if twice or None in said else False

    def lists_deleted(self, batch: Batch) -> bool:
        """Tell whether a list says that it is one of what was deleted."""
        return any(map(self._lists.part_of, (batch.context, batch.request, batch.next_link)))


def _folded(names: Iterable[str | int]) -> frozenset[str]:
    return frozenset(fold(str(name)) for name in names)


def _is_stated(row: Row, key: str) -> bool:
    item: Any = row.get(key)
    return item is not None and bool(str(item).strip()) and flag(row, key) is not False
