"""A difference as JSON, written as it is worked out: it may name every device many times."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from permcheck.bulk.answers import Area
from permcheck.bulk.regions import indices
from permcheck.review.diff import Changed, Difference
from permcheck.review.document import DIFF, reason_document
from permcheck.review.outline import Tellers, device_name, hierarchy_name, people
from permcheck.review.reasons import OtherReason
from permcheck.review.row import Devices


def difference_json(difference: Difference, others: Iterable[OtherReason] | None = None) -> Iterator[str]:
    """Return one JSON document in pieces: a difference with every answer that changed, users and devices by name."""
    tables = (difference.new.engine.tables, difference.old.engine.tables)
    head = {
        "format": DIFF,
        "word": difference.word,
        "counts": dict(difference.counts),
        "authority": {name: {"before": before, "after": after} for name, (before, after) in difference.moved.items()},
        "edits": [edit.text for edit in difference.edits],
    }
    names = Names(tables)
    yield _json(head, indent=1).removesuffix("\n}")
    yield from _listed("changes", (_change(tables, names, change) for change in difference.rectangles()))
    if others is not None:
        yield from _listed("reasons", (_json(reason_document(tables, one)) for one in others))
    yield "\n}\n"


def _listed(name: str, items: Iterable[str]) -> Iterator[str]:
    yield f",\n {_json(name)}: ["
    comma = ""
    for item in items:
        yield f"{comma}\n  {item}"
        comma = ","
    yield "\n ]" if comma else "]"


def _change(tables: Tellers, names: Names, change: Changed) -> str:
    before = {
        "kind": change.kind,
        "users": list(people(tables, change.users)),
        "action": str(change.act),
        "hierarchy": hierarchy_name(tables, change.devices.area.hierarchy) or None,
    }
    after = {"before": change.before.value, "after": change.after.value, "causes": list(change.causes)}
    return f'{_json(before)[:-1]}, "devices": [{names.of(change.devices)}], {_json(after)[1:]}'


class Names:
    """Names of devices as JSON, made once for each class of them."""

    def __init__(self, tables: Tellers) -> None:
        self._tables = tables
        self._known: dict[tuple[str | None, int], str] = {}

    def of(self, devices: Devices) -> str:
        """Return the names of some devices, with commas between them."""
        if not devices.area.on_devices:
            return ""
        return ", ".join(self._of_class(devices.area, index) for index in indices(devices.bits))

    def _of_class(self, area: Area, index: int) -> str:
        key = area.hierarchy, index
        found = self._known.get(key)
        if found is None:
            names = (_json(device_name(self._tables, device)) for device in area.ground.members[index])
            found = self._known[key] = ", ".join(names)
        return found


def _json(value: Any, indent: int | None = None) -> str:
    return json.dumps(value, ensure_ascii=False, indent=indent)
