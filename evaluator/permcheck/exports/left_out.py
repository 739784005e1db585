"""Leave out what is marked as deleted or removed, and keep what it was: a reference to it gives nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from permcheck.exports.batch import Batch, Row, text
from permcheck.exports.gathered import At, Conflict, Gathered, MemberList, Register, Thing
from permcheck.exports.recognise import MEMBERS, Found
from permcheck.model.fold import fold_case

FEW: Final = 5
NAMES: Final = (
    "userPrincipalName",
    "user principal name",
    "displayName",
    "LogonName",
    "Name",
    "id",
    "objectId",
    "principalId",
)
"""Properties by which people know an entry."""


def leave_out(into: Gathered, batch: Batch, found: Found, number: int) -> None:
    """Tell the entries of a list that are, or may be, deleted or removed."""
    every = into.marks.lists_deleted(batch)
    for entry, row in batch.marked.items():
        at, sure = (number, entry), every or into.marks.of(row)
        owner = found.owner or text(row, "groupId")
        if found.kind.id in MEMBERS.values() and owner:
            into.members.setdefault(owner.casefold(), MemberList()).partial |= not sure or into.marks.removed(row)
        elif sure and into.marks.removed(row):
            into.partial.add(found.kind.id)  # a list of changes need not have everybody
        elif not sure:
            for section in dict.fromkeys(fill.partition(".")[0] for fill in found.kind.fills):
                into.left_open(at, section, "nothing tells whether the entry was deleted", "export it again")
        if not sure:
            continue
        into.left.setdefault(found.kind.title, []).append(_name(row))
        if every or into.marks.deleted(row) or found.kind.id not in MEMBERS.values():
            _keep(into, batch, found, row, at)


def _name(row: Row) -> str:
    return next((said for key in NAMES if (said := text(row, key))), "an entry without a name")


def _keep(into: Gathered, batch: Batch, found: Found, row: Row, at: At) -> None:
    """Keep by what one refers to something that is gone."""
    if found.kind.service != "configmgr":
        into.say_gone(row, at)
        return
    owner = into.hierarchy(batch, text(row, "SourceSite", "SiteCode"))
    for kind, key in (("id", "AdminID"), ("sid", "AdminSid"), ("resource", "ResourceID")):
        if text(row, key):
            into.gone.setdefault((kind, fold_case(f"{owner}/{text(row, key)}")), at)


def settle_gone(into: Gathered) -> None:
    """Take the records away that some list says are gone. Where another one lists them as living, that is told."""
    for register, told in ((into.users, True), (into.groups, True), (into.admins, True), (into.devices, False)):
        gone = {id(thing): at for thing in register.things for at in _gone(into, thing)}
        if told:
            register.conflicts += _contradictions(into, register, gone)
        register.things[:] = [thing for thing in register.things if id(thing) not in gone]
    for title, names in into.left.items():
        few = ", ".join(names[:FEW]) + (f" and {len(names) - FEW} more" if len(names) > FEW else "")
        into.note(f"{title}: what is marked as deleted or removed gives nothing, and was left out: {few}", (-1, 0))


def _gone(into: Gathered, thing: Thing) -> Iterator[At]:
    return (into.gone[key] for key in thing.ids.items() if key in into.gone)


def _contradictions(into: Gathered, register: Register, gone: dict[int, At]) -> Iterator[Conflict]:
    for thing in register.things:
        listed = [at for at in (thing.at, *thing.details.values()) if _lists(into, register, at)]
        if id(thing) in gone and listed:
            name = str(next((thing.fields[key] for key in ("upn", "name", "id") if key in thing.fields), "?"))
            yield Conflict(register.section, name, "deleted", gone[id(thing)], listed[0])


def _lists(into: Gathered, register: Register, at: At) -> bool:
    """Tell whether a fact stands in a list of what is there, rather than in one that only mentions it."""
    kind = into.batches[at[0]][1].kind
    return at[0] in register.by_hand or (kind.whole and register.section in kind.fills)
