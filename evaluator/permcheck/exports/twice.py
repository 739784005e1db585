"""Find lists that were exported twice, and are not the same: who is in one of them only may have been removed since.

A list may come in pages, and people may save its parts: parts have no entry in common. Two lists that have some
entries in common and others not are two states of one list, and nobody tells which is newer.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import combinations
from typing import Final, NamedTuple

from permcheck.errors import Problem
from permcheck.exports.batch import Batch, Row, text
from permcheck.exports.gathered import Gathered
from permcheck.exports.recognise import ASSIGNMENTS
from permcheck.printable import one_line

KEYS: Final[Mapping[str, tuple[tuple[str, ...], ...]]] = {
    "configmgr.object-scopes": (("ObjectKey", "CategoryID"),),
    "graph.users": (("id",), ("objectId",), ("userPrincipalName",)),
    "graph.groups": (("id",), ("objectId",)),
    "graph.directory-role-assignments": (("roleDefinitionId", "principalId", "directoryScopeId"),),
    "graph.app-role-assignments": (("resourceId", "appRoleId", "principalId"),),
    "graph.role-definitions": (("id",),),
    "graph.role-assignments": (("id",),),
    "configmgr.collections": (("CollectionID",),),
    "configmgr.security-roles": (("RoleID",),),
    "configmgr.administrative-users": (("LogonName",),),
    "configmgr.discovered-users": (("UniqueUserName",), ("SID",)),
    "configmgr.scripts": (("ScriptGuid",),),
    "configmgr.devices": (("ResourceID",),),
    "configmgr.systems": (("ResourceID",),),
    "configmgr.collection-members": (("CollectionID", "ResourceID"),),
    "file.entra-role-assignments": (
        ("roleTemplateId", "principalId"),
        ("roleName", "userPrincipalName"),
        ("role", "userPrincipalName"),
    ),
}
"""What tells the entries of a list apart. Lists of a kind that is not here have one record only, or state fields."""
IDS: Final[Mapping[str, tuple[str, ...]]] = {"configmgr.administrative-users": ("AdminID", "AdminSid")}
"""What identifies entries that are told apart by name: one name with two ids is another entry in each list."""
ALONE: Final = frozenset(
    {
        "graph.users",
        "graph.groups",
        "graph.role-definitions",
        "configmgr.collections",
        "configmgr.security-roles",
        "configmgr.administrative-users",
        "configmgr.scripts",
        "configmgr.devices",
        "configmgr.systems",
    }
)
"""Kinds whose entries are also asked for one by one: a list of one is not the whole list."""


class Saved(NamedTuple):
    """One list: its pages."""

    pages: tuple[Batch, ...]
    folder: str
    linked: bool


def saved_lists(batches: Iterable[Batch]) -> list[Saved]:
    """Put pages together: those of one folder are one list, where links or requests join them."""
    folders: dict[str, list[Batch]] = {}
    for batch in batches:
        folders.setdefault(batch.folder, []).append(batch)
    found: list[Saved] = []
    for folder, pages in folders.items():
        if any(page.next_link or page.request for page in pages):
            found.append(Saved(tuple(pages), folder, linked=True))
        else:
            found += (Saved((page,), folder, linked=False) for page in pages)
    return found


def refuse_lists_that_differ(gathered: Gathered) -> None:
    """Tell two lists of one kind, and of one hierarchy, that share entries but are not the same."""
    kinds: dict[tuple[str, str, str], list[Batch]] = {}
    for batch, found in gathered.batches:
        whole = not (batch.single or batch.broken or (found.owner and found.kind.id == ASSIGNMENTS))
        if whole and found.kind.id in KEYS:
            owner = gathered.hierarchy(batch) if found.kind.service == "configmgr" else ""
            kinds.setdefault((found.kind.id, found.owner.casefold(), owner), []).append(batch)
    for (kind, _, _), batches in kinds.items():
        lists = saved_lists(batches) if len(batches) > 1 else []
        told = [(one, frozenset(_entries(kind, one.pages))) for one in lists if len(lists) > 1]
        for (one, its), (other, others) in combinations(told, 2):
            same = its == others and not _other_ids(kind, one, other)
            if min(len(its), len(others)) > (kind in ALONE) and its & others and not same:
                _refuse(gathered, kind, one, other)


def _entries(kind: str, pages: Iterable[Batch]) -> Iterator[tuple[str, ...]]:
    for page in pages:
        for _, row in page.entries():
            key = _key(row, KEYS[kind])
            if key:
                yield key


def _key(row: Row, alternatives: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    for names in alternatives:
        said = tuple(text(row, name).lower() for name in names)
        if all(said):
            return said
    return ()


def _other_ids(kind: str, one: Saved, other: Saved) -> bool:
    """Tell whether two lists have an entry of one name with other ids."""
    return any(
        not (known[name] & ids)
        for id_ in IDS.get(kind, ())
        for known in [_ids(kind, one, id_)]
        for name, ids in _ids(kind, other, id_).items()
        if name in known
    )


def _ids(kind: str, saved: Saved, id_: str) -> dict[tuple[str, ...], set[str]]:
    found: dict[tuple[str, ...], set[str]] = {}
    for page in saved.pages:
        for _, row in page.entries():
            said, key = text(row, id_).lower(), _key(row, KEYS[kind])
            if said and key:
                found.setdefault(key, set()).add(said)
    return found


def _refuse(gathered: Gathered, kind: str, one: Saved, other: Saved) -> None:
    title, old = gathered.policy.exports[kind].title, one.pages[0].file
    message = f"this list ({title}) has other entries than the one in {old}, and nobody tells which is newer"
    help_ = "keep one of the two; they may be from different days, or one of them has only some of the entries"
    problem = Problem(other.pages[0].file, 0, 0, "conflict", one_line(message), help_)
    gathered.problems.append(problem)
