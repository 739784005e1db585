"""Role definitions as people keep them in files, each permission with its path.

Intune roles: Microsoft Graph, backups, Microsoft365DSC. Security roles: the XML of the console, AdminService,
operations by name. Both: estate files of permcheck. Where something stands is worked out when somebody asks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeAlias

from permcheck.checks.finding import Edit, Place
from permcheck.checks.xml_places import XmlPlaces
from permcheck.errors import LoadError, Problem, UnknownNameError
from permcheck.exports.batch import fold
from permcheck.exports.foreign import is_estate
from permcheck.exports.json_file import batches_in, json_batches
from permcheck.exports.masks import operations_of
from permcheck.exports.recognise import recognise
from permcheck.exports.xml_file import xml_batches
from permcheck.loading.files import is_estate_file, read_text
from permcheck.loading.text import Parsed, Path_, parse_file
from permcheck.model.fold import fold_case
from permcheck.model.policy import Plane
from permcheck.model.policy_index import Policy

ACTIONS: Final = ("allowedresourceactions", "notallowedresourceactions")
OLDER: Final = "actions"
TWINS: Final = ("rolepermissions", "permissions")
Written: TypeAlias = tuple[str, str, Path_]
"""A permission as it is written, as it is looked up, and its path."""


class Granted(NamedTuple):
    """A permission as it is written in a definition."""

    text: str
    path: Path_
    id: str | None
    """Its id in the policy; None for one that the policy does not know."""


@dataclass(frozen=True)
class Source:
    """A file with definitions; says where a path of it stands."""

    file: str
    parsed: Parsed | None = None
    xml: XmlPlaces | None = None

    def place(self, path: Path_) -> Place:
        """Return where a value stands; the whole file where that is not known."""
        if self.xml is not None:
            return Place(self.file, *self.xml.position(path))
        found = self.parsed.span(path) if self.parsed is not None else None
        if found is None:
            return Place(self.file)
        line, column, start, end = found
        assert self.parsed is not None
        one_line = "\n" not in self.parsed.text[start:end]
        return Place(self.file, line, column, column + end - start if one_line else 0)

    def edit(self, path: Path_, text: str) -> tuple[Edit, ...]:
        """Return the edit that replaces a text value, quotes and all; empty where it can't be made safely."""
        found = self.parsed.span(path) if self.parsed is not None else None
        if self.parsed is None or found is None:
            return ()
        start, end = found[2:]
        old = self.parsed.text[start:end]
        quote = old[:1] if old[:1] in {'"', "'"} else ""
        return (Edit(self.file, start, end, f"{quote}{text}{quote}"),)


@dataclass(frozen=True)
class Definition:
    """One role."""

    plane: Plane
    name: str
    source: Source
    path: Path_
    granted: tuple[Granted, ...]
    denied: tuple[Granted, ...] = ()
    id: str = ""
    copied_from: str = ""
    built_in: bool | None = None
    masks: Mapping[int, int] = field(default_factory=dict)
    """Object type -> granted bits, for a role that was exported with masks."""

    @cached_property
    def permissions(self) -> frozenset[str]:
        """Ids of the permissions that the policy knows."""
        return frozenset(one.id for one in self.granted if one.id)

    @property
    def place(self) -> Place:
        """Where the role stands."""
        return self.source.place(self.path)

    def place_of(self, permission: str) -> Place:
        """Return where a permission stands; the role itself where that is not known."""
        path = next((one.path for one in self.granted if one.id == permission), self.path)
        return self.source.place(path)


@dataclass(frozen=True)
class Defined:
    """What a file defines."""

    file: str
    kind: str
    """`roles`, `estate`, `other` (an export without roles), or empty: nothing is known by it."""
    definitions: tuple[Definition, ...] = ()
    problems: tuple[Problem, ...] = ()


def definitions_in(path: Path, policy: Policy) -> Defined:
    """Read the role definitions of a file. Problems are returned, not raised."""
    try:
        if path.suffix.lower() == ".xml":
            return Defined(str(path), "roles", tuple(_of_xml(path, policy)))
        parsed = parse_file(path)
        found = tuple(_of_json(parsed, policy)) if not (is_estate_file(path) and is_estate(parsed.data)) else ()
        if is_estate_file(path) and not found:
            return Defined(str(path), "estate", tuple(_of_estate(parsed, policy)))
        return Defined(str(path), "roles" if found else _other(path, parsed, policy), found)
    except LoadError as error:
        return Defined(str(path), "", (), error.problems)


def _other(path: Path, parsed: Parsed, policy: Policy) -> str:
    is_json = path.suffix.lower() == ".json"
    batches = list(batches_in(parsed.data, parsed.file) if is_json else json_batches(path, ""))
    return "other" if batches and all(recognise(batch, policy) for batch in batches) else ""


def _granted(policy: Policy, plane: Plane, texts: Iterator[tuple[str, str, Path_]]) -> tuple[Granted, ...]:
    """Look permissions up: (as written, as it is looked up, path)."""
    result = []
    for written, name, path in texts:
        try:
            result.append(Granted(written, path, policy.find_permission(plane, name)))
        except UnknownNameError:
            result.append(Granted(written, path, None))
    return tuple(result)


# --- JSON ------------------------------------------------------------------------------------------------------------


def _of_json(parsed: Parsed, policy: Policy) -> Iterator[Definition]:
    source = Source(parsed.file, parsed)
    for entry, path in _entries(parsed.data, ()):
        keys = {fold(key): key for key in entry}
        if "rolename" in keys and "operations" in keys:
            yield _masked(entry, keys, path, source, policy)
        elif "displayname" in keys and keys.keys() & {"rolepermissions", "permissions", ACTIONS[0]}:
            yield _intune(entry, keys, path, source, policy)
        elif "rolename" in keys and isinstance(entry.get(keys.get("rolepermission", "")), dict):
            key = keys["rolepermission"]
            yield _named(str(entry[keys["rolename"]]), entry[key], (*path, key), source, policy)
        elif entry and keys.keys() <= _classes(policy).keys() and all(isinstance(v, str) for v in entry.values()):
            yield _named(Path(parsed.file).stem, entry, path, source, policy)


def _entries(data: Any, path: Path_) -> Iterator[tuple[dict[str, Any], Path_]]:
    """Return objects that may be roles: in lists, in the `value` of a page."""
    if isinstance(data, list):
        for index, item in enumerate(data):
            yield from _entries(item, (*path, index))
    elif isinstance(data, dict):
        inner = next((key for key in ("value", "Value") if isinstance(data.get(key), list | dict)), None)
        if inner is not None:
            yield from _entries(data[inner], (*path, inner))
        else:
            yield data, path


def _text(entry: Mapping[str, Any], keys: Mapping[str, str], *names: str) -> str:
    found = next((entry[keys[name]] for name in names if isinstance(entry.get(keys.get(name, "")), str)), "")
    return str(found).strip()


def _intune(
    entry: Mapping[str, Any], keys: Mapping[str, str], path: Path_, source: Source, policy: Policy
) -> Definition:
    """Read a role of Intune. Its actions may stand in several places: what an earlier one has is not said again."""
    granted: list[Written] = []
    denied: list[Written] = []
    for key in (*TWINS, *ACTIONS):
        found: dict[str, list[Written]] = {name: [] for name in (*ACTIONS, OLDER)}
        if key in keys:
            _collect(entry[keys[key]], (*path, keys[key]), found)
        for target, name in ((granted, ACTIONS[0]), (granted, OLDER), (denied, ACTIONS[1])):
            known = {fold_case(text) for text, _, _ in target}
            target += [one for one in found[name] if fold_case(one[0]) not in known]
    built_in = entry.get(keys.get("isbuiltin", keys.get("isbuiltinroledefinition", "")))
    return Definition(
        "intune",
        _text(entry, keys, "displayname"),
        source,
        path,
        _granted(policy, "intune", iter(granted)),
        _granted(policy, "intune", iter(denied)),
        _text(entry, keys, "id").lower(),
        "",
        built_in if isinstance(built_in, bool) else None,
    )


def _collect(data: Any, path: Path_, found: dict[str, list[Written]]) -> None:
    """Collect actions, wherever they are nested."""
    if isinstance(data, dict):
        for key, item in data.items():
            _collect(item, (*path, key), found)
    elif isinstance(data, list):
        last = next((fold(step) for step in reversed(path) if isinstance(step, str)), "")
        for index, item in enumerate(data):
            if isinstance(item, str) and last in found:
                found[last].append((item, item, (*path, index)))
            else:
                _collect(item, (*path, index), found)


def _masked(
    entry: Mapping[str, Any], keys: Mapping[str, str], path: Path_, source: Source, policy: Policy
) -> Definition:
    operations = entry[keys["operations"]]
    where = (*path, keys["operations"])
    masks: dict[int, int] = {}
    paths: dict[int, Path_] = {}
    for index, item in enumerate(operations if isinstance(operations, list) else ()):
        folded = {fold(key): value for key, value in item.items()} if isinstance(item, dict) else {}
        try:
            type_, mask = int(folded["objecttypeid"]), int(folded["grantedoperations"])
        except (KeyError, TypeError, ValueError):
            continue
        masks[type_], paths[type_] = mask, (*where, index)
    built_in = entry.get(keys.get("isbuiltin", ""))
    name, copied = _text(entry, keys, "rolename"), _text(entry, keys, "copiedfromid")
    id_ = _text(entry, keys, "roleid")
    known = built_in if isinstance(built_in, bool) else None
    granted = _unmasked(masks, paths, path, policy)
    return Definition("configmgr", name, source, path, granted, (), id_, copied, known, masks)


def _unmasked(
    masks: Mapping[int, int], paths: Mapping[int, Path_], default: Path_, policy: Policy
) -> tuple[Granted, ...]:
    types = {c.name: c.object_type for c in policy.classes.values()}
    named = operations_of(policy, masks).named
    return tuple(
        granted
        for class_, operations in named.items()
        for granted in _granted(
            policy,
            "configmgr",
            ((name, f"{class_}\\{name}", paths.get(types[class_] or 0, default)) for name in operations),
        )
    )


def _classes(policy: Policy) -> dict[str, str]:
    return {fold(name): c.name for c in policy.classes.values() for name in (c.name, *c.synonyms)}


def _named(role: str, entry: Mapping[str, Any], path: Path_, source: Source, policy: Policy) -> Definition:
    """Operations by name: object class, then operations, with commas or as a list."""
    classes = _classes(policy)
    texts: list[tuple[str, str, Path_]] = []
    for key, value in entry.items():
        class_ = classes.get(fold(key), key)
        names = [n.strip() for n in value.split(",")] if isinstance(value, str) else list(value or ())
        for index, name in enumerate(names):
            at = (*path, key) if isinstance(value, str) else (*path, key, index)
            texts.append((f"{key}: {name}", f"{class_}\\{name}", at))
    return Definition("configmgr", role, source, path, _granted(policy, "configmgr", iter(texts)))


# --- XML -------------------------------------------------------------------------------------------------------------


def _of_xml(path: Path, policy: Policy) -> Iterator[Definition]:
    rows = [row for batch in xml_batches(path, "") for row in batch.rows()]
    source = Source(str(path), None, XmlPlaces(read_text(path)))
    for number, row in enumerate(rows):
        keys = {key: key for key in row}
        yield _masked(row, keys, (number,), source, policy)


# --- estate files ----------------------------------------------------------------------------------------------------


def _of_estate(parsed: Parsed, policy: Policy) -> Iterator[Definition]:
    data = parsed.data if isinstance(parsed.data, dict) else {}
    source = Source(parsed.file, parsed)
    for section, plane in (("intune_roles", "intune"), ("security_roles", "configmgr")):
        entries = data.get(section)
        for index, entry in enumerate(entries if isinstance(entries, list) else ()):
            if isinstance(entry, dict):
                yield _written(entry, (section, index), plane, source, policy)


def _written(entry: Mapping[str, Any], path: Path_, plane: str, source: Source, policy: Policy) -> Definition:
    name, id_ = str(entry.get("name") or ""), str(entry.get("id") or "")
    permissions = entry.get("permissions")
    if plane == "configmgr":
        named = permissions if isinstance(permissions, dict) else {}
        found = _named(name, named, (*path, "permissions"), source, policy)
        copied = str(entry.get("copied_from") or "")
        return Definition("configmgr", name, source, path, found.granted, (), id_, copied)
    lists = {key: entry.get(key) for key in ("permissions", "not_allowed")}
    granted, denied = (
        _granted(policy, "intune", ((str(t), str(t), (*path, key, i)) for i, t in enumerate(value or ())))
        for key, value in lists.items()
        if isinstance(value, list | None)
    )
    return Definition("intune", name, source, path, granted, denied, id_.lower())
