"""Tell what people wrote beside exports, and exports contradict: lists that differ, and records that a list lacks.

An estate file completes exports. Where a whole list was exported, there is nothing to complete in it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Final, NamedTuple

from permcheck.exports.gathered import At, Conflict, Gathered, MemberList, Principal, Register, Thing
from permcheck.model.fold import fold_case
from permcheck.model.policy_exports import Export
from permcheck.model.policy_facts import Plane

if TYPE_CHECKING:
    from permcheck.exports.join import People

OF_THE_CLOUD: Final = frozenset({"users", "groups"})
"""Sections that have records of Active Directory, too: only one with an object id has to be in the cloud's list."""
APART: Final = frozenset({"hierarchies", "entra_roles", "app_roles"})
"""Sections whose lists don't name every record: another hierarchy, or a role that nobody holds."""
PLANES: Final[Mapping[str, Plane]] = {"security_roles": "configmgr", "intune_roles": "intune"}
"""Sections of roles, some of which are built in."""
WHO: Final = ("members", "all_members")


def whole_lists(gathered: Gathered, section: str) -> tuple[str, ...]:
    """Return the kinds of list that were read, and that have every record of a section."""
    if section in gathered.open:
        return ()
    kinds = gathered.policy.known_exports.lists_of(section)
    return tuple(kind for kind in kinds if kind in gathered.read - gathered.partial)


def place_of(gathered: Gathered, kind: str, owner: str = "") -> At | None:
    """Return where a list of a kind begins, of one hierarchy if it is one of several; None where there is none."""
    several = len(gathered.hierarchies.things) > 1
    for number, (batch, found) in enumerate(gathered.batches):
        if found.kind.id == kind and (not several or not owner or gathered.hierarchy(batch) == owner):
            return number, 0
    return None


def refuse_unlisted_records(gathered: Gathered, incomplete: Collection[str]) -> None:
    """Tell records that people wrote, and that a whole list would have to hold.

    `incomplete` are the sections of which they say that the list lacks some.
    """
    for register in gathered.registers():
        if register.section in APART or register.section in incomplete:
            continue
        for thing in register.things:
            if thing.at[0] in register.by_hand and not _is_exempt(gathered, register, thing):
                _refuse(gathered, register.section, thing)
    _refuse_names(gathered, incomplete)


def _is_exempt(gathered: Gathered, register: Register, thing: Thing) -> bool:
    """Tell whether a list need not hold a record: it is of Active Directory alone, or built in."""
    if register.section in OF_THE_CLOUD:
        return not thing.fields.get("id")
    names = {str(thing.fields.get(key) or "") for key in ("id", "name")} - {""}
    plane = PLANES.get(register.section)
    if plane is not None:
        return any(gathered.policy.role_names(plane).meant(name) for name in names)
    return bool({fold_case(name) for name in names} & _built_in(gathered))


def _built_in(gathered: Gathered) -> frozenset[str]:
    return frozenset(fold_case(name) for one in gathered.policy.builtins for name in (one.id, one.name))


def _refuse_names(gathered: Gathered, incomplete: Collection[str]) -> None:
    """Tell scope tags and security scopes that people wrote, and that the list of them lacks."""
    by_hand, built_in = gathered.users.by_hand, _built_in(gathered)
    for id_, (name, at) in gathered.scope_tags.told.items():
        if at[0] in by_hand and "scope_tags" not in incomplete and fold_case(id_) not in built_in:
            _refuse(gathered, "scope_tags", Thing({"name": name}, at))
    for (owner, id_), (name, at) in gathered.scopes.told.items():
        if at[0] in by_hand and "security_scopes" not in incomplete and fold_case(id_) not in built_in:
            _refuse(gathered, "security_scopes", Thing({"name": name, "hierarchy": owner}, at))


def _refuse(gathered: Gathered, section: str, thing: Thing) -> None:
    """Tell a record that the whole list of its hierarchy, or of the tenant, does not have."""
    owner = str(thing.fields.get("hierarchy") or "")
    for kind in whole_lists(gathered, section):
        place = place_of(gathered, kind, owner)
        if place is not None:
            name = next((str(thing.fields[key]) for key in ("name", "upn", "id") if thing.fields.get(key)), section)
            _tell(gathered, f"`{name}` in `{section}`", thing.at, gathered.policy.exports[kind], place)
            return


def _tell(gathered: Gathered, what: str, at: At, kind: Export, place: At) -> None:
    file = gathered.origin(place)[0]
    message = f"{what} was written by hand, and is not in the whole list ({kind.title}) in {file}"
    help_ = "take it away; or say that the list lacks some, with `incomplete`"
    gathered.problem(at, "conflict", message, help_)


# --- members of groups -----------------------------------------------------------


class Told(NamedTuple):
    """Somebody in lists, each as what he is found by, and whether there may be others."""

    who: frozenset[str]
    open: bool


def compare_members(people: People, thing: Thing, lists: Mapping[int, MemberList]) -> None:
    """Tell a group of which people wrote other members than exports list.

    What only discovery saw contradicts nobody: it may be members of groups in the group.
    """
    by_hand, listed = people.gathered.groups.by_hand, lists.get(id(thing))
    for field in WHO:
        if listed is None or field not in thing.fields or thing.where(field)[0] not in by_hand:
            continue
        lacks = field == "members" and bool(thing.fields.get("members_incomplete"))
        hand = Told(written(people, thing, field), lacks)
        told = _told(people, thing, field, lists)
        if told is not None and _contradict(hand, *told):
            conflict(people.gathered.groups, thing, field, _where(listed))


def written(people: People, thing: Thing, field: str) -> frozenset[str]:
    """Return the people and groups that people wrote into a list, as the estate calls them."""
    named = ((people.named(Principal(str(name), "", thing.where(field))), name) for name in thing.fields[field])
    return frozenset(fold_case(name or str(said)) for name, said in named)


def _told(people: People, thing: Thing, field: str, lists: Mapping[int, MemberList]) -> tuple[Told, Told] | None:
    """Return who is in a group for sure by the lists of exports, and who may be; None where there is no list."""
    listed = lists[id(thing)]
    if listed.all_stated:
        anyhow = _named(people, listed.anyhow, lacks=listed.partial)
        return (anyhow, anyhow) if field == "all_members" else (Told(frozenset(), open=True), anyhow)
    if not listed.stated or not listed.told:
        return None
    direct = _named(people, listed.direct, lacks=listed.partial)
    if field == "members":
        return direct, direct
    reached = _reached(people, thing, lists)
    return Told(_users(people, direct.who), direct.open), Told(reached.who, reached.open)


def _contradict(hand: Told, sure: Told, possible: Told) -> bool:
    """Tell whether what people wrote lacks somebody, or has somebody whom a whole list does not have."""
    return bool((sure.who - hand.who and not hand.open) or (hand.who - possible.who and not possible.open))


def _named(people: People, everybody: Iterable[Principal], *, lacks: bool = False) -> Told:
    """Return who is in a list, as the estate calls them; `lacks` says that the list is not whole."""
    found, unknown = people.names(everybody)
    return Told(frozenset(map(fold_case, found)), lacks or unknown)


def _users(people: People, names: Iterable[str]) -> frozenset[str]:
    return frozenset(name for name in names if people.group(name) is None)


def _reached(people: People, thing: Thing, lists: Mapping[int, MemberList]) -> Told:
    """Return everybody in a group and in the groups in it, and whether one of these may have others."""
    found: set[str] = set()
    seen: dict[int, Thing] = {}
    ways, open_ = [thing], False
    while ways:
        one = ways.pop()
        if seen.setdefault(id(one), one) is not one or lists.get(id(one)) is None:
            open_ = True
            continue
        listed = lists[id(one)]
        inside = _named(people, (*listed.direct, *listed.anyhow), lacks=listed.partial or not listed.stated)
        open_ = open_ or inside.open
        found |= inside.who
        groups = (people.group(name) for name in inside.who)
        ways += [group for group in groups if group is not None and id(group) not in seen]
    return Told(frozenset(found), open_)


def _where(listed: MemberList) -> At:
    some = (*listed.told.values(), *(who.at for who in (*listed.direct, *listed.anyhow)))
    return next(iter(some), (-1, 0))


def conflict(register: Register, thing: Thing, field: str, at: At) -> None:
    """Tell a list that people wrote, and one of an export that is another."""
    name = str(next((thing.fields[key] for key in ("name", "upn", "role", "id") if thing.fields.get(key)), ""))
    register.conflicts.append(Conflict(register.section, name, field, thing.where(field), at))


def id_of(register: Register, owner: str, said: str, key: str = "id") -> str:
    """Return the id of what people wrote by name or by id, folded; the name where nothing, or more than one, has it."""
    here = [thing.fields for thing in register.things if thing.fields.get("hierarchy") == owner]
    sure = {str(one[key]) for one in here if key in one and fold_case(str(one[key])) == fold_case(said)}
    named = {str(one[key]) for one in here if key in one and fold_case(str(one.get("name") or "")) == fold_case(said)}
    found = sure or named
    return fold_case(found.pop() if len(found) == 1 else said)
