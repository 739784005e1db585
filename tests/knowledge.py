"""Ways to know less about an estate: what is taken out is unknown afterwards, and never said to be absent.

Works on the plain values of an estate file. A removal names what it takes out as `section.field`; an entry of a
list as `section[]` or `section.field[]`. Nothing here looks at the evaluator.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from copy import deepcopy
from functools import cache
from typing import Any, Final, NamedTuple, TypeAlias, get_args

from permcheck.model import estate as form
from permcheck.model.base import Form
from strategies import Data

Path: TypeAlias = tuple[str | int, ...]

GONE: Final = "\0gone"
"""Stands in a list for an entry that is taken out, until all of them are."""
SAYS_SOMETHING: Final = {
    "users.signs_in_with": "a question is about the account that signs in, unless another one is named",
    "hierarchies.sites": "it is stated where releases differ: `version` is that of all sites otherwise",
    "intune_roles.not_allowed": "nothing is denied in the role",
    "groups.dynamic": "nothing depends on it",
    "groups.members_incomplete": "without it the list is whole: to take it out is to know more",
    "users.discovery_incomplete": "without it the list is whole: to take it out is to know more",
    "intune_roles.undecided": "without it the list is whole: to take it out is to know more",
    "security_roles.undecided": "without it the list is whole: to take it out is to know more",
}
"""Fields that may be left out, and what it means that they are."""


class Removal(NamedTuple):
    """One thing to take out: what it is, how, and where it stands in the whole estate."""

    what: str
    how: str
    path: Path


def spelled_out(data: Data) -> Data:
    """Return an estate in which every list that is declared complete is there, and nothing is assumed."""
    result = deepcopy(data)
    complete = result.pop("complete", False)
    for section in form.SECTIONS if complete is True else complete or ():
        if section not in form.VOCABULARIES:
            result.setdefault(section, [])
    result.pop("assume", None)
    return settled(result)


def settled(data: Data) -> Data:
    """Return an estate that states nothing beside what it would follow from, where the stated value beats the other.

    `uploaded` beats the upload of the hierarchy, and a lost tag the one that every attached device carries: without
    them the other value is what documents say, and not what nobody told.
    """
    result = deepcopy(data)
    for device in result.get("devices") or ():
        owners = [h for h in result["hierarchies"] if device.get("hierarchy") in (None, h["id"])]
        if "uploaded" in device:
            for one in owners:
                one.pop("upload", None)
        if "client_current" in device:
            device.pop("client_version", None)
        if not {"Default", "0"} & set(device.get("scope_tags") or ["Default"]) or device.get("scope_tags") == []:
            device["management"] = "co-managed"
    return result


@cache
def optional(record: type[Form]) -> frozenset[str]:
    """Return the fields of a form that may be left out."""
    return frozenset(name for name, field in record.model_fields.items() if not field.is_required())


def forms() -> dict[str, type[Form]]:
    """Return the form of the records of each section, and of what stands inside them."""
    found = {section: _record(form.EstateFile.model_fields[section].annotation) for section in form.SECTIONS}
    return {**found, "tenant": form.Tenant, "administrative_users.assignments": form.SecurityAssignment}


def _record(annotation: Any) -> type[Form]:
    if isinstance(annotation, type) and issubclass(annotation, Form):
        return annotation
    return next(found for inner in get_args(annotation) if (found := _record_or_none(inner)) is not None)


def _record_or_none(annotation: Any) -> type[Form] | None:
    try:
        return _record(annotation)
    except StopIteration:
        return None


def fields() -> frozenset[str]:
    """Return every section, and every field of a record that may be left out."""
    inside = {f"{section}.{name}" for section, record in forms().items() for name in optional(record)}
    return frozenset({*form.SECTIONS, "tenant", *inside} - SAYS_SOMETHING.keys())


# --- what there is to take out ---------------------------------------------------------------------------------------


def removals(data: Data) -> list[Removal]:
    """Return everything that can be taken out of an estate, one by one."""
    found = [Removal("tenant", "drop", ("tenant",))] if "tenant" in data else []
    found += _of_record("tenant", ("tenant",), data.get("tenant") or {})
    for section in form.SECTIONS:
        if section not in data:
            continue
        found.append(Removal(section, "drop", (section,)))
        found.append(Removal(f"{section}[]", "incomplete", (section,)))
        for index, record in enumerate(data[section]):
            path = (section, index)
            if section != "hierarchies":
                found.append(Removal(f"{section}[]", "entry", path))
            found += _of_record(section, path, record)
            found += SPECIAL.get(section, _nothing)(path, record)
    return found


def _nothing(_path: Path, _record: Data) -> Iterator[Removal]:
    return iter(())


def _of_record(section: str, path: Path, record: Data) -> Iterator[Removal]:
    for name in record:
        what = f"{section}.{name}"
        if name in optional(forms()[section]) and what not in SAYS_SOMETHING:
            yield Removal(what, "drop", (*path, name))


def _of_user(path: Path, record: Data) -> Iterator[Removal]:
    if "discovered_by" in record:
        yield Removal("users.discovered_by[]", "set", (*path, "discovery_incomplete"))
        for index in range(len(record["discovered_by"])):
            yield Removal("users.discovered_by[]", "listed", (*path, "discovered_by", index))


def _of_group(path: Path, record: Data) -> Iterator[Removal]:
    if "members" in record:
        yield Removal("groups.members[]", "set", (*path, "members_incomplete"))
        yield Removal("groups.members", "flatten", (*path, "members"))
        yield Removal("groups.members", "besides", (*path, "members"))
        for index in range(len(record["members"])):
            yield Removal("groups.members[]", "listed", (*path, "members", index))


def _of_role(path: Path, record: Data) -> Iterator[Removal]:
    for kind, operations in (record.get("permissions") or {}).items():
        for name in operations:
            yield Removal("security_roles.permissions[]", "undecide", (*path, f"{kind}/{name}"))
    if record.get("permissions") is not None:
        for kind, name in (("Collection", "Read"), ("Collection", "Run Script"), ("SMS Scripts", "Approve")):
            yield Removal("security_roles.undecided", "undecide", (*path, f"{kind}/{name}"))


def _of_administrator(path: Path, record: Data) -> Iterator[Removal]:
    for index, pair in enumerate(record.get("assignments") or ()):
        yield from _of_record("administrative_users.assignments", (*path, "assignments", index), pair)


SPECIAL: dict[str, Callable[[Path, Data], Iterator[Removal]]] = {
    "users": _of_user,
    "groups": _of_group,
    "security_roles": _of_role,
    "administrative_users": _of_administrator,
}


# --- taking it out ----------------------------------------------------------------------------------------------------


def less(whole: Data, chosen: Iterable[Removal]) -> Data:
    """Return an estate without some of what it says. What named a record that is gone is unknown as well."""
    data = deepcopy(whole)
    gone: set[str] = set()
    for removal in sorted(chosen, key=lambda one: list(HOW).index(one.how)):
        owner = at(data, removal.path[:-1])
        if owner is not None and (removal.how in NEW or at(data, removal.path) not in (None, GONE)):
            HOW[removal.how](data, owner, removal.path, gone)
    for section in form.SECTIONS if gone else ():
        for record in data.get(section) or ():
            if record != GONE:
                _forget(data, section, record, gone)
    return _swept(data)


def at(data: Any, path: Path) -> Any:
    """Return what stands at a path; None where nothing does."""
    for step in path:
        if data is None or data == GONE:
            return None
        data = data.get(step) if isinstance(data, dict) else data[int(step)]
    return data


def _drop(_data: Data, owner: Any, path: Path, gone: set[str]) -> None:
    if path[0] in form.SECTIONS and len(path) == 1:
        gone.update(*(_names(record) for record in owner[path[-1]] if record != GONE))
    del owner[path[-1]]


def _incomplete(data: Data, _owner: Any, path: Path, _gone: set[str]) -> None:
    data["incomplete"] = sorted({*data.get("incomplete", ()), str(path[0])})


def _entry(data: Data, owner: Any, path: Path, gone: set[str]) -> None:
    gone |= _names(owner[path[-1]])
    owner[path[-1]] = GONE
    _incomplete(data, owner, path, gone)


def _set(_data: Data, owner: Any, path: Path, _gone: set[str]) -> None:
    owner[path[-1]] = True


def _listed(data: Data, owner: Any, path: Path, gone: set[str]) -> None:
    """Take an entry of a list of a record out, and mark the list as not whole."""
    owner[path[-1]] = GONE
    mark = {"members": "members_incomplete", "discovered_by": "discovery_incomplete"}[str(path[-2])]
    _set(data, at(data, path[:-2]), (mark,), gone)


def _flatten(data: Data, owner: Any, path: Path, _gone: set[str]) -> None:
    """Tell who is in a group, and no longer through which other groups."""
    everybody = _everybody(data, owner)
    if everybody is not None:
        del owner[path[-1]]
        owner["all_members"] = everybody


def _besides(data: Data, owner: Any, path: Path, _gone: set[str]) -> None:
    """Tell who is in a group, and of the direct members only the first."""
    everybody = _everybody(data, owner)
    if everybody is not None:
        owner |= {"all_members": everybody, "members": owner[path[-1]][:1], "members_incomplete": True}


def _everybody(data: Data, group: Data) -> list[str] | None:
    """Return who is in a group, directly or not; None where somebody may be missing."""
    named = {name: one for one in data["groups"] if one != GONE for name in _names(one)}
    found: dict[str, None] = {}
    queue = [group]
    for one in queue:
        if one.get("members") is None or one.get("members_incomplete"):
            return None
        for name in one["members"]:
            if name not in found and name.casefold() in named:
                queue.append(named[name.casefold()])
            found[name] = None
    return list(found)


def _undecide(_data: Data, owner: Any, path: Path, _gone: set[str]) -> None:
    """Say that nobody knows whether a role has an operation."""
    kind, name = str(path[-1]).split("/")
    held = owner["permissions"].get(kind, [])
    if name in held:
        held.remove(name)
    open_ = owner.setdefault("undecided", {}).setdefault(kind, [])
    open_ += [name] if name not in open_ else []


HOW: dict[str, Callable[[Data, Any, Path, set[str]], None]] = {
    "flatten": _flatten,
    "besides": _besides,
    "undecide": _undecide,
    "listed": _listed,
    "set": _set,
    "drop": _drop,
    "entry": _entry,
    "incomplete": _incomplete,
}
"""Ways to take something out, in the order in which they are tried."""
NEW: Final = frozenset({"set", "undecide", "incomplete"})
"""Those whose path need not lead to anything."""


def _names(record: Data) -> set[str]:
    return {str(record[key]).casefold() for key in ("upn", "name", "id", "sid", "account") if record.get(key)}


def _forget(data: Data, section: str, record: Data, gone: set[str]) -> None:
    """Forget every list and reference of a record that names something which is gone."""
    for pair in record.get("assignments") or ():
        if _named(pair.get("collections"), gone):
            del pair["collections"]
    if _named([pair["role"] for pair in record.get("assignments") or ()], gone):
        del record["assignments"]
    for key in (
        "members",
        "all_members",
        "eligible",
        "unit_members",
        "assigned_to",
        "collections",
        "deployed_to",
        "include",
        "exclude",
    ):
        if _named(record.get(key), gone):
            _forget_list(section, record, key, gone)
    for key in ("limited_to", "author"):
        if _named([record.get(key)], gone):
            del record[key]
    if isinstance(record.get("upload"), dict) and _named([record["upload"]["collection"]], gone):
        del record["upload"]
    if section == "intune_assignments" and _named([record["role"]], gone):
        data[section][data[section].index(record)] = GONE
        _incomplete(data, data, (section,), gone)


def _forget_list(section: str, record: Data, key: str, gone: set[str]) -> None:
    if (section, key) == ("groups", "members"):
        record[key] = [name for name in record[key] if name.casefold() not in gone]
        record["members_incomplete"] = True
    else:
        del record[key]


def _named(values: Sequence[Any] | None, gone: set[str]) -> bool:
    return any(isinstance(one, str) and one.casefold() in gone for one in values or ())


def _swept(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _swept(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_swept(inner) for inner in value if inner != GONE]
    return value
