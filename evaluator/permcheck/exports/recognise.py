"""Tell what a batch is, by its content: the context that a service names, the type of an entry, or its keys."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final, NamedTuple, TypeAlias

from permcheck.exports.batch import Batch, Row, fold, text, value
from permcheck.model.policy_exports import Export
from permcheck.model.policy_index import Policy

_CAST: Final = re.compile(r"/microsoft\.graph\.\w+$", re.IGNORECASE)
_KEYS_IN_BRACKETS: Final = re.compile(r"\([^()]*\)")
_COLLECTION_OF: Final = re.compile(r"#?(?:Collection\()?#?((?:\w+\.)+\w+)\)?$", re.IGNORECASE)
"""A type, or a list of one, as a context names what a function answers."""
_MEMBERS: Final = re.compile(r"/(?:groups|directoryRoles)/([^/?#]+)/(transitiveMembers|members)\b", re.IGNORECASE)
_OWNER_IN_KEY: Final = re.compile(r"\((?:appId=)?'([^']+)'\)")
_GUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_CLASS_OF_PATH: Final = re.compile(r"(?:^|:)(SMS_\w+)")
_SEGMENT: Final = re.compile(r"(?:exportgroup)?(transitive)?members?(?![a-z])", re.IGNORECASE)
MEMBERS: Final = {"members": "graph.group-members", "transitivemembers": "graph.group-transitive-members"}
_UNDER_ROLE: Final = re.compile(r"roleDefinitions(?:/|\(')([^'/?()]+)(?:'\))?/roleAssignments", re.IGNORECASE)
ASSIGNMENTS: Final = "graph.role-assignments"
DOWNLOAD: Final = "file.entra-members"
RESOURCE: Final = "ResourceName"
"""The key by which Microsoft365DSC says what an entry is; without it, its keys look like those of other entries."""
PEOPLE: Final = frozenset({"graph.users", "graph.groups", "graph.group-members"})
"""Kinds of which a list of members may look, since its entries are users and groups."""


Name: TypeAlias = tuple[str, str]
"""What an entry says that it is: a context and a type, each empty where it names none."""


class Found(NamedTuple):
    """What a batch is, why, and whom it belongs to (the group of a list of members)."""

    kind: Export
    why: str
    owner: str = ""


def kinds_of(batch: Batch, policy: Policy) -> Iterator[Batch]:
    """Divide a list whose entries say that they are of several types: the first of them does not tell the others.

    A list that says itself what it is, or whose it is, is one; so are tables, and files that are streamed.
    """
    found = recognise(batch, policy)
    if batch.context or not batch.held or (found is not None and found.owner):
        yield batch
        return
    heads: dict[Name, Row] = {}
    for row in batch.rows():
        heads.setdefault(_name_of(row), row)
    kinds: dict[str, list[Name]] = {}
    for name, head in heads.items():
        one = recognise(replace(batch, head=head), policy) if any(name) else found
        kinds.setdefault("/".join(name) if one is None else one.kind.id, []).append(name)
    if len(kinds) <= 1 or kinds.keys() <= PEOPLE:
        yield batch
        return
    for names in kinds.values():
        yield replace(batch, head=heads[names[0]], picks=_of_names(frozenset(names)))


def _of_names(names: frozenset[Name]) -> Callable[[Row], bool]:
    return lambda row: _name_of(row) in names


def _name_of(row: Row) -> Name:
    """Return what an entry says that it is: the end of its own context, and its type."""
    return _plain(context_of(row)), type_of(row)


def named_as(batch: Batch) -> str:
    """Return what a batch says that it is: its context, else the type of its first entry; empty if it says nothing."""
    return batch.context or context_of(batch.head) or type_of(batch.head)


def recognise(batch: Batch, policy: Policy) -> Found | None:
    """Tell what a batch is; None if nothing fits.

    Keys and names of files decide only where the batch doesn't say what it is: one that names what nobody knows is
    not guessed. Of its entries, somebody in a list of members may be of any type.
    """
    exports = policy.exports
    found = _by_format(batch, exports) or _by_context(batch, exports)
    said = batch.context or context_of(batch.head)
    deleted = policy.values.list_of_deleted.part_of(said)
    if found is None and said and not deleted:
        return None
    found = found or (_by_cast(said, exports) if deleted else None)
    found = found or _by_type(batch, exports)
    if found is None and not type_of(batch.head):
        found = _by_keys(batch, exports) or _by_classes(batch, policy) or _empty(batch, exports)
    under = _role_of(batch)
    if found is None and under and not batch.head:
        return Found(exports[ASSIGNMENTS], "it stands under an Intune role", under)
    if found is not None and found.kind.id == ASSIGNMENTS:
        return found._replace(owner=under)
    if batch.format == "csv" and found is not None:
        return _downloaded(batch, found)
    return _members(batch, found, exports) or found


def _role_of(batch: Batch) -> str:
    """Return the Intune role under which a list of assignments stands: by its context, its address, or its place."""
    places = (batch.context or context_of(batch.head), batch.request, batch.next_link, batch.file.replace("\\", "/"))
    return next((found[1] for place in places if (found := _UNDER_ROLE.search(place))), "")


def _by_format(batch: Batch, exports: Mapping[str, Export]) -> Found | None:
    if batch.format == "xml":
        return Found(exports["file.role-xml"], "XML that begins with SMS_Roles")
    return None


def _by_context(batch: Batch, exports: Mapping[str, Export]) -> Found | None:
    said = batch.context or context_of(batch.head)
    context = _plain(said)
    for kind in exports.values():
        known = next((name for name in kind.signs.contexts if name.casefold() == context), None)
        if context and known:
            owner = _OWNER_IN_KEY.search(said)
            return Found(kind, f"its @odata.context ends in {known}", owner[1] if owner else "")
    typed = _COLLECTION_OF.match(said.removesuffix("/$entity"))
    return _of_type(typed[1].rpartition(".")[2], exports) if typed else None


def _by_cast(context: str, exports: Mapping[str, Export]) -> Found | None:
    """Tell of what type a list of deleted things is: of the one that its context ends in, if it has one."""
    cast = _CAST.search(_KEYS_IN_BRACKETS.sub("", context.removesuffix("/$entity")))
    return _of_type(cast[0].rpartition(".")[2], exports) if cast else None


def context_of(entry: Row) -> str:
    """Return the fragment of the context that an entry states itself; empty if it states none."""
    return text(entry, "@odata.context", "odata.context").rpartition("#")[2]


def _plain(context: str) -> str:
    """Return a context without keys, selected properties and casts."""
    while context != (context := _KEYS_IN_BRACKETS.sub("", context)):
        pass
    return _CAST.sub("", context.removesuffix("/$entity").rstrip("/")).casefold()


def _by_type(batch: Batch, exports: Mapping[str, Export]) -> Found | None:
    return _of_type(type_of(batch.head), exports)


def _of_type(name: str, exports: Mapping[str, Export]) -> Found | None:
    for kind in exports.values():
        if name.casefold() in {known.casefold() for known in kind.signs.types}:
            return Found(kind, f"its entries are of type {name}")
    return None


def type_of(row: Row) -> str:
    """Return the Graph type or WMI class that an entry names; empty if it names none."""
    graph = value(row, "@odata.type", "odata.type")
    if isinstance(graph, str) and graph:
        typed = _COLLECTION_OF.match(graph)
        return (typed[1] if typed else graph).rpartition(".")[2]
    if text(row, RESOURCE):
        return text(row, RESOURCE)
    for key in ("__CLASS", "ObjectClass", "SmsProviderObjectPath", "__PATH"):
        found = _CLASS_OF_PATH.search(text(row, key))
        if found:
            return found[1]
    cim = row.get("cimclass")
    found = _CLASS_OF_PATH.search(str(cim)) if cim else None
    return found[1] if found else ""


def _by_keys(batch: Batch, exports: Mapping[str, Export]) -> Found | None:
    keys = {key for key in batch.head if not key.startswith("@")}
    if fold(RESOURCE) in keys:
        return None
    best: tuple[int, Found] | None = None
    kinds = sorted(exports.values(), key=lambda kind: batch.format == "csv" and kind.service != "file")
    for kind in kinds:  # a CSV file that could be both is rather a download than an answer of a service
        signs = kind.signs
        if keys & _folded(signs.without):
            continue
        for wanted in signs.keys:
            if (
                _folded(wanted) <= keys
                and (not signs.only or _folded(wanted) == keys)
                and not (best and best[0] >= len(wanted))
            ):
                best = len(wanted), Found(kind, f"its entries have {', '.join(wanted)}")
    return best[1] if best else None


def _by_classes(batch: Batch, policy: Policy) -> Found | None:
    """Tell that an entry is the permissions of one role by the names of object classes; its file is called like it."""
    classes = {fold(name) for c in policy.classes.values() for name in (c.name, *c.synonyms)}
    if batch.head and batch.head.keys() <= classes and all(isinstance(v, str) for v in batch.head.values()):
        return Found(policy.exports["configmgr.role-permissions"], "its keys are object classes", Path(batch.file).stem)
    return None


def _empty(batch: Batch, exports: Mapping[str, Export]) -> Found | None:
    """Tell what a list without entries is by the name of its file: it has nothing else."""
    if batch.head or batch.single or batch.context:
        return None
    name = fold(re.sub(r"-?\d*$", "", Path(batch.file).stem))
    for kind in exports.values():
        known = {fold(context.rpartition("/")[2]) for context in kind.signs.contexts}
        if name in known:
            return Found(kind, "an empty list in a file of this name")
    return None


def _folded(keys: Iterable[str]) -> frozenset[str]:
    return frozenset(map(fold, keys))


def _members(batch: Batch, found: Found | None, exports: Mapping[str, Export]) -> Found | None:
    """Tell that a list of users and groups is the members of one group: by its address, or where it was saved."""
    if found is not None and found.kind.id not in PEOPLE:
        return None
    if batch.head and {"members", "transitivemembers"} & batch.head.keys() and "groupid" in batch.head:
        return None
    for address in (batch.request, batch.next_link):
        matched = _MEMBERS.search(address)
        if matched:
            kind = exports[MEMBERS[matched[2].casefold()]]
            return Found(kind, f"it answers a request for {matched[2]}", matched[1])
    named = _named_owner(batch.file)
    if named is None:
        return None
    owner, word = named
    return Found(exports[MEMBERS[word]], "users and groups, saved as the members of a group", owner)


def _downloaded(batch: Batch, found: Found) -> Found:
    """Add whose members a download of the Entra admin center is: its rows don't say it."""
    named = _named_owner(batch.file) if found.kind.id == DOWNLOAD else None
    return found if named is None else found._replace(owner=named[0])


def _named_owner(file: str) -> tuple[str, str] | None:
    """Return the group and the word for its members from `groups/ID/members.json` or `members-ID.json`."""
    parts = re.split(r"[\\/]", file)
    word = _SEGMENT.match(parts[-1])
    if word is None:
        return None
    kind = "transitivemembers" if word[1] else "members"
    guid = _GUID.search(parts[-1])
    if guid:
        return guid[0], kind
    named = re.match(r"(?:transitive)?members?[ _-]+(?:of[ _-]+)?(.+?)(?:-\d+)?\.\w+$", parts[-1], re.IGNORECASE)
    if named and not named[1].isdigit():
        return named[1], kind
    return (parts[-2], kind) if len(parts) > 1 and _parent_says_groups(parts) else None


def _parent_says_groups(parts: list[str]) -> bool:
    """Tell whether a file is `groups/NAME/members.json`, or lies in a folder that is called like an id."""
    above = parts[-3].casefold() if parts[:-2] else ""
    return _GUID.fullmatch(parts[-2]) is not None or above in {"groups", "directoryroles"}
