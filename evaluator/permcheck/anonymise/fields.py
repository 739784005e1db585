"""What may become of a field: a name is replaced, free text is dropped, what nobody named stays."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from permcheck.anonymise.known import Known
from permcheck.anonymise.renamer import Renamer
from permcheck.model.fold import fold_case

Plain: TypeAlias = dict[str, Any]
Field: TypeAlias = Callable[["Walk", Any], Any]


@dataclass(frozen=True)
class Walk:
    """One pass over an estate."""

    renamer: Renamer
    known: Known
    fields: Mapping[str, Mapping[str, Field]]
    """Form -> field -> what becomes of it."""
    dropped: Counter[str] = field(default_factory=Counter)
    """How many permissions and updates were left out because they may be anything."""

    def record(self, form: str, record: Plain) -> Plain:
        """Return a record with every field replaced, dropped or as it was."""
        stated = {name: value for name, value in record.items() if value is not None}
        told = {name: self.fields[form][name](self, value) for name, value in stated.items()}
        return {name: value for name, value in told.items() if value is not None}


FIRST: Final = ("tenant", "hierarchies", "users", "groups", "devices")
"""What is named before it is referred to."""
SHARED: Final = {"devices": ("name",)}
"""Fields that several records may share, which are told apart by their order: it stays where they do."""


def estate(walk: Walk, data: Plain) -> Plain:
    """Return an estate with other names."""
    order = sorted(data, key=lambda key: (key not in FIRST, FIRST.index(key) if key in FIRST else 0))
    told = {key: walk.fields["estate"][key](walk, data[key]) for key in order}
    return {key: told[key] for key in data if told[key] is not None}


def stays(_: Walk, value: Any) -> Any:
    """Keep what nobody gave a name."""
    return value


def dropped(_walk: Walk, _value: Any) -> None:
    """Leave free text out."""


def named(space: str, label: str = "") -> Field:
    """Replace a name, or each of a list; the list's order may have been that of the names."""

    def told(walk: Walk, value: Any) -> Any:
        if isinstance(value, list):
            return sorted(walk.renamer.name(space, name, label) for name in value)
        return walk.renamer.name(space, value, label)

    return told


def devices(walk: Walk, value: list[str]) -> list[str]:
    """Replace references to devices."""
    return sorted(walk.renamer.reference("device", name) for name in value)


def number(walk: Walk, value: int | str) -> int | str:
    """Replace the resource id of a device; a number stays a number."""
    if isinstance(value, str) or value == 0:
        return value if isinstance(value, int) else walk.renamer.name("device", value)
    told = walk.renamer.name("device", str(value))
    return int(told) if told.isdecimal() else told


def records(form: str) -> Field:
    """Replace the names in one record, or in each of a list."""

    def told(walk: Walk, value: Any) -> Any:
        if isinstance(value, list):
            made = [walk.record(form, record) for record in value]
            return made if _shared(form, value) else _sorted(made)
        return walk.record(form, value) if isinstance(value, dict) else value

    return told


def app_roles(walk: Walk, value: list[Plain]) -> list[Plain]:
    """Replace the holders of app roles, and an app role that the policy does not know."""
    return _sorted(
        walk.record("known_app_roles" if walk.known.app_role(r["application"], r["role"]) else "app_roles", r)
        for r in value
    )


def operations(walk: Walk, value: Mapping[str, list[str]]) -> dict[str, list[str]]:
    """Keep the operations of object classes that the policy knows."""
    result = {}
    for class_, names in value.items():
        kept = [name for name in names if walk.known.operation(class_, name)]
        walk.dropped["permission"] += len(names) - len(kept)
        if kept:
            result[class_] = kept
    return result


def intune_permissions(walk: Walk, value: list[str]) -> list[str]:
    """Keep the Intune permissions that are known or look like an id of Microsoft's."""
    return _kept(walk, "permission", value, walk.known.intune_permission)


def updates(walk: Walk, value: list[str]) -> list[str]:
    """Keep KB numbers."""
    return _kept(walk, "update", value, walk.known.update)


def _kept(walk: Walk, kind: str, names: list[str], known: Callable[[str], bool]) -> list[str]:
    kept = [name for name in names if known(name)]
    walk.dropped[kind] += len(names) - len(kept)
    return kept


def _shared(form: str, rows: list[Plain]) -> bool:
    """Tell whether two records share a name by which the later one is found."""
    for name in SHARED.get(form, ()):
        values = [fold_case(str(row[name]).strip()) for row in rows if row.get(name)]
        if len(set(values)) < len(values):
            return True
    return False


def _sorted(rows: Iterable[Plain]) -> list[Plain]:
    """Order records by what they say now: the order before may have been that of their names."""
    return sorted(rows, key=json.dumps)
