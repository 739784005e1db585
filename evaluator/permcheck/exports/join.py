"""Join what was gathered to the records of an estate: the people, then their roles, then Configuration Manager.

Each step returns plain fields of forms; nothing that was not exported is made up. A name
that an export mentions, but that no export describes, becomes a record of which nothing
else is known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any, Final

from permcheck.exports.contradicted import compare_members, conflict, place_of, written
from permcheck.exports.gathered import At, Conflict, Discovered, Gathered, MemberList, Principal, Thing, Written, differ
from permcheck.exports.twice import saved_lists
from permcheck.model.fold import GUID, SID, fold_case, is_identity
from permcheck.model.provenance import Memberships
from permcheck.model.vocabulary import Vocabulary, vocabulary

SURE: Final = ("id", "sid")
"""Fields that identify a user or group."""
CALLED: Final = {"user": ("upn", "account"), "group": ("name", "account")}
"""Fields by which people name one."""
DISCOVERED: Final = "configmgr.discovered-users"
NO_HIERARCHY: Final = "CM"
"""Id of the hierarchy where no export names one."""


@dataclass(slots=True)
class Section:
    """Records of one section, ready for the form, with where they stand."""

    records: list[dict[str, Any]] = field(default_factory=list)
    at: list[At] = field(default_factory=list)
    details: dict[tuple[int, str], At] = field(default_factory=dict)
    """Number of a record and field -> where it stands, if not with the record."""
    members: dict[int, dict[str, At]] = field(default_factory=dict)
    """Number of a record -> somebody in it -> where that stands."""
    memberships: dict[int, Memberships] = field(default_factory=dict)
    """Devices: where it stands that they are in their collections."""

    def fields_of(self, index: int) -> tuple[str, ...]:
        """Return the fields of a record that may stand elsewhere than the record."""
        return tuple(self.records[index])

    def add(self, thing: Thing, fields: Mapping[str, Any], members: Iterable[tuple[str, At]] = ()) -> None:
        """Add a record; `members` are names inside it that stand elsewhere."""
        index = len(self.records)
        self.records.append({key: item for key, item in fields.items() if item is not None})
        self.at.append(thing.at)
        for key, at in thing.details.items():
            if key in fields:
                self.details[index, key] = at
        for name, at in members:
            self.members.setdefault(index, {})[name.casefold()] = at


def _has(thing: Thing, name: str, keys: Iterable[str]) -> bool:
    """Tell whether somebody is called so in one of some fields."""
    return any(fold_case(str(thing.fields.get(key) or "")) == fold_case(name) for key in keys)


class People:
    """Users and groups, found by what identifies them, or by a name that only one of them has."""

    def __init__(self, gathered: Gathered) -> None:
        self.gathered = gathered
        self._called: dict[str, list[tuple[str, Thing]]] = {}
        for kind, register in (("user", gathered.users), ("group", gathered.groups)):
            for thing in register.things:
                self._call(kind, thing)
        self.stubs: dict[str, list[str]] = {}

    def _call(self, kind: str, thing: Thing) -> None:
        """Note everything that somebody is called."""
        said = (str(thing.fields.get(key) or "") for key in (*SURE, *CALLED[kind]))
        for name in {fold_case(name) for name in said if name}:
            self._called.setdefault(name, []).append((kind, thing))

    def meant(self, name: str, kind: str = "") -> list[tuple[str, Thing]]:
        """Return the users and groups that a list may mean: who has that id or SID, else who is called so."""
        called = [one for one in self._called.get(fold_case(name), ()) if kind in {"", one[0]}]
        sure = [(its_kind, thing) for its_kind, thing in called if _has(thing, name, SURE)]
        return sure if sure or is_identity(name) else called

    def group(self, name: str) -> Thing | None:
        """Return the one group that is meant; None if there is none, or more than one."""
        found = self.meant(name, "group")
        return found[0][1] if len(found) == 1 else None

    def user(self, name: str) -> Thing | None:
        """Return the one user that is meant; None if there is none, or more than one."""
        found = self.meant(name, "user")
        return found[0][1] if len(found) == 1 else None

    def is_gone(self, name: str) -> bool:
        """Tell whether a list means somebody who was deleted, and nobody who is there."""
        return self.gathered.is_gone(name) and not self.meant(name)

    def group_or_stub(self, name: str, at: At, **more: Any) -> Thing | None:
        """Return the group that is meant; one that no export describes is made.

        None where it may be any of several, or was deleted.
        """
        found = self.meant(name, "group")
        if self.is_gone(name):
            return None
        if found:
            return found[0][1] if len(found) == 1 else None
        return self.stub(name, at, **more)

    def stub(self, called: str, at: At, **more: Any) -> Thing:
        """Make a group of which nothing is known but how it is called."""
        self.stubs.setdefault("groups", []).append(called)
        id_, sid = called if GUID.fullmatch(called) else "", called.upper() if SID.fullmatch(called) else ""
        fields = {"name": called, "id": id_.lower() or None, "sid": sid or None, **more}
        names = (("id", id_), ("sid", sid), ("account", str(more.get("account") or "")))
        thing = self.gathered.groups.put(names, fields, at)
        self._call("group", thing)
        return thing

    def _reference(self, thing: Thing, *keys: str) -> str:
        """Return how records refer to somebody: by the first name that nobody else has, else by an id."""
        said = [str(thing.fields[key]) for key in keys if thing.fields.get(key)]
        alone = (name for name in said if all(one is thing for _, one in self._called.get(fold_case(name), ())))
        return next(alone, said[-1] if said else "")

    def group_name(self, thing: Thing) -> str:
        """Return how records refer to a group."""
        return self._reference(thing, "name", "account", "sid", "id")

    def user_name(self, thing: Thing) -> str:
        """Return how records refer to a user."""
        return self._reference(thing, "upn", "account", "sid", "id")

    def upn(self, thing: Thing) -> str:
        """Return the UPN of a user; another name stands in where none is stated, or only one that another user has.

        How records refer to a user is not his UPN: what a group is called changes the one and not the other.
        """
        said = str(thing.fields.get("upn") or "")
        stated = bool(said) and "upn" not in thing.assumed
        return said if stated or [one for _, one in self.meant(said, "user")] == [thing] else self.user_name(thing)

    def named(self, who: Principal) -> str | None:
        """Return how records refer to somebody in a list; None for one who was deleted, or of whom nobody tells it."""
        if not who.name or self.is_gone(who.name):
            return None
        found = self.meant(who.name, who.kind)
        if len(found) == 1:
            kind, thing = found[0]
            return self.user_name(thing) if kind == "user" else self.group_name(thing)
        if found:
            message = f"`{who.name}` could be any of {len(found)} users and groups of the exports, so the list is open"
            self.gathered.problem(who.at, "ambiguous-name", message, "export their ids", "warning")
            return None
        if who.kind == "group":
            return self.group_name(self.stub(who.name, who.at))
        if who.kind == "user":
            self.stubs.setdefault("users", []).append(who.name)
            id_ = who.name.lower() if GUID.fullmatch(who.name) else None
            names = (("id", id_ or ""), ("upn", who.name))
            thing = self.gathered.users.put(names, {"upn": who.name, "id": id_}, who.at)
            self._call("user", thing)
            return self.user_name(thing)
        return None

    def is_nobody(self, who: Principal) -> bool:
        """Tell whether an id is that of a device or a service, since every user and group was exported, or is gone."""
        if who.name and self.is_gone(who.name):
            return True
        read, lacking = self.gathered.read, self.gathered.partial
        whole = all(kind in read and kind not in lacking for kind in ("graph.users", "graph.groups"))
        return (
            whole
            and not who.kind
            and GUID.fullmatch(who.name) is not None
            and not self.gathered.open & {"users", "groups"}
        )

    def names(self, everybody: Iterable[Principal]) -> tuple[dict[str, At], bool]:
        """Return names with where they stand, and whether somebody could not be told."""
        result: dict[str, At] = {}
        unknown = False
        for who in everybody:
            name = self.named(who)
            if name is None and self.is_nobody(who):
                continue
            if name is None:
                unknown = True
                self.stubs.setdefault("people, or groups,", []).append(who.name or "somebody without a name")
            else:
                result.setdefault(name, who.at)
        return result, unknown


def tags_of(gathered: Gathered) -> Vocabulary:
    """Return the scope tags of the tenant, as far as they were exported."""
    built_in = (b for b in gathered.policy.builtins if b.kind == "scope-tag")
    return vocabulary("scope tag", built_in, ((id_, name) for id_, (name, _) in gathered.scope_tags.told.items()))


def tag_text(tags: Vocabulary) -> Callable[[str], str]:
    """Return what says how records refer to a scope tag: as people wrote it, or by what it is called."""
    return lambda tag: str(tag) if isinstance(tag, Written) else tags.text_of(tag)


def users(people: People) -> Section:
    """Join users; licences count if one has a service plan of Intune that is on."""
    gathered = people.gathered
    if "graph.subscriptions" in gathered.read:
        for thing, licences, at in gathered.licences:
            gathered.users.state(thing, {"licensed": _holds_intune(gathered, licences)}, at)
    section = Section()
    listed = _discovery_is_whole(gathered)
    for thing in gathered.users.things:
        fields = dict(thing.fields)
        fields |= _discovered(gathered, thing)
        fields["upn"] = people.upn(thing)
        if listed and "account" not in fields and "discovered_by" not in fields and "sid" in fields:
            fields["discovered_by"] = ()
        if listed:
            _compare_discovered(gathered, thing)
        if not SID.fullmatch(str(fields.get("sid", ""))):
            fields.pop("sid", None)
        if not GUID.fullmatch(str(fields.get("id", ""))):
            fields.pop("id", None)
        section.add(thing, fields)
    return section


def _holds_intune(gathered: Gathered, licences: Iterable[tuple[str, frozenset[str] | None]]) -> bool | None:
    """Tell whether one of the licences has a plan of Intune that is not switched off; None where one may have it."""
    known = [(gathered.plans.find("id", sku), off) for sku, off in licences]
    if any(off is not None and sku is not None and set(sku.fields["intune"]) - off for sku, off in known):
        return True
    unknown = any(sku is None for sku, _ in known)
    open_ = any(sku.fields["intune"] and off is None for sku, off in known if sku is not None)
    may = any(set(sku.fields["maybe"]) - (off or set()) for sku, off in known if sku is not None)
    return None if unknown or open_ or may else False


def _discovered(gathered: Gathered, thing: Thing) -> dict[str, Any]:
    """Return how an account was discovered: what holds in every hierarchy. What people wrote stands."""
    here = {owner: _in_one(gathered, thing, told) for owner, told in gathered.discovery.get(id(thing), {}).items()}
    if not here:
        return {}
    upns = {one.upn for one in here.values() if one.upn is not None}
    upn = {"discovered_upn": thing.fields.get("discovered_upn", upns.pop() if len(upns) == 1 else None)}
    if "discovered_by" in thing.fields:
        return upn
    told = {owner for entries in gathered.discovery.values() for owner in entries}
    methods = [frozenset(here[owner].methods) if owner in here else frozenset[str]() for owner in sorted(told)]
    if len(set(methods)) > 1:
        return {"discovered_by": tuple(sorted(frozenset.intersection(*methods))), "discovery_incomplete": True} | upn
    incomplete = any(one.incomplete for one in here.values())
    found = next(iter(here.values())).methods
    return {"discovered_by": found, "discovery_incomplete": True if incomplete else None} | upn


def _compare_discovered(gathered: Gathered, thing: Thing) -> None:
    """Tell an account that people say was discovered, and that the whole list of one hierarchy does not have."""
    told = thing.fields.get("discovered_by")
    if not told or thing.where("discovered_by")[0] not in gathered.users.by_hand or not thing.ids:
        return
    lists = {gathered.hierarchy(batch) for batch, found in gathered.batches if found.kind.id == DISCOVERED}
    for owner in sorted(lists - gathered.discovery.get(id(thing), {}).keys()):
        conflict(gathered.users, thing, "discovered_by", place_of(gathered, DISCOVERED, owner) or thing.at)


def _in_one(gathered: Gathered, thing: Thing, entries: list[Discovered]) -> Discovered:
    """Join what the entries of one hierarchy say of an account; a contradiction between them is told."""
    first, *others = entries
    by_hand = thing.fields.get("discovered_by")
    if by_hand is not None:
        first, others = Discovered(tuple(by_hand), incomplete=False, upn=None, at=thing.where("discovered_by")), entries
    for one in others:
        for whole_, part in ((first, one), (one, first)):
            if not whole_.incomplete and not set(part.methods) <= set(whole_.methods):
                name = str(thing.fields.get("upn"))
                gathered.users.conflicts.append(Conflict("users", name, "discovered_by", first.at, one.at))
                return first
        if None not in (first.upn, one.upn) and differ("discovered_upn", first.upn, one.upn):
            name = str(thing.fields.get("upn"))
            gathered.users.conflicts.append(Conflict("users", name, "discovered_upn", first.at, one.at))
        methods = tuple(dict.fromkeys((*first.methods, *one.methods)))
        upn = one.upn if first.upn is None else first.upn
        first = Discovered(methods, first.incomplete and one.incomplete, upn, first.at)
    return first


def _discovery_is_whole(gathered: Gathered) -> bool:
    """Tell whether nothing discovered who is in no list: each hierarchy has its list, and all can be told."""
    told = {gathered.hierarchy(batch) for batch, found in gathered.batches if found.kind.id == DISCOVERED}
    known = {str(thing.fields["id"]) for thing in gathered.hierarchies.things}
    seen = [thing.fields.keys() for thing in gathered.users.things if "account" in thing.fields]
    named = all("sid" in fields or "id" in fields for fields in seen)
    return bool(told) and named and DISCOVERED not in gathered.partial and (len(known) == 1 or told >= known)


def groups(people: People) -> Section:
    """Join groups with their members."""
    gathered = people.gathered
    lists = _member_lists(people)
    section = Section()
    named: list[tuple[Thing, dict[str, Any], dict[str, At]]] = []
    for thing in gathered.groups.things:  # naming members may add groups, which are then in the list, too
        listed = lists.get(id(thing))
        fields = dict(thing.fields)
        where: dict[str, At] = {}
        if listed is not None:
            _compare_members(people, thing, listed)
        compare_members(people, thing, lists)
        if listed is not None and fields.keys().isdisjoint({"members", "all_members"}):
            where = _members_into(fields, listed, people)
        eligible = gathered.eligible.get(str(thing.fields.get("id", "")).casefold())
        if eligible:
            told = people.names(eligible)[0]
            if "eligible" in fields and written(people, thing, "eligible") != set(map(fold_case, told)):
                conflict(gathered.groups, thing, "eligible", next(iter(told.values()), eligible[0].at))
            fields["eligible"] = tuple(told)
        named.append((thing, fields, where))
    for thing, fields, where in named:
        if not GUID.fullmatch(str(fields.get("id", ""))):
            fields.pop("id", None)
        if not SID.fullmatch(str(fields.get("sid", ""))):
            fields.pop("sid", None)
        section.add(thing, fields, where.items())
    return section


def _compare_members(people: People, thing: Thing, listed: MemberList) -> None:
    """Tell lists of the members of one group that are not the same: nobody tells which is newer."""
    numbers = {id(people.gathered.batches[number][0]): number for number in listed.told}
    lists = saved_lists(people.gathered.batches[number][0] for number in listed.told)
    if len(lists) < 2 or listed.partial:  # noqa: PLR2004 - two to compare
        return
    told = []
    for one in lists:
        pages = {numbers[id(page)] for page in one.pages}
        here = [(people.named(who), who) for who in listed.direct if who.at[0] in pages]
        names = {(name or who.name).lower() for name, who in here if name or not people.is_nobody(who)}
        told.append((one, listed.told[min(pages)], names))
    for (one, at, its), (other, at_other, others) in combinations(told, 2):
        parts = one.folder == other.folder and its and others and not its & others
        if its != others and not parts:
            name = str(thing.fields["name"])
            people.gathered.groups.conflicts.append(Conflict("groups", name, "members", at, at_other))


def _members_into(fields: dict[str, Any], listed: MemberList, people: People) -> dict[str, At]:
    direct, unknown = people.names(listed.direct)
    anyhow, unknown_too = people.names(listed.anyhow)
    if listed.stated:
        fields["members"] = tuple(direct)
        fields["members_incomplete"] = True if listed.partial or unknown else None
    if listed.all_stated:
        fields["all_members"] = tuple(anyhow) if not (unknown_too or listed.partial) else None
        if fields["all_members"] is None:
            fields |= {"members": tuple(direct), "members_incomplete": True}
    return anyhow | direct


def _member_lists(people: People) -> dict[int, MemberList]:
    """Return the member list of each group; members that only discovery saw are some of them."""
    result: dict[int, MemberList] = {}
    for owner, listed in people.gathered.members.items():
        at = (listed.direct or listed.anyhow or [Principal("", "", (-1, 0))])[0].at
        if people.is_gone(owner):
            continue
        group = people.group_or_stub(owner, at)
        if group is None:
            people.gathered.note(f"any of several groups is called `{owner}`: the list of its members was left out", at)
        elif id(group) in result and result[id(group)] != listed:
            message = f"the members of `{owner}` are listed twice, by its id and by its name, and the lists differ"
            people.gathered.problem(at, "conflict", message, "keep one of the two")
        else:
            result[id(group)] = listed
    for account, seen in people.gathered.by_discovery.items():
        found = people.gathered.groups.find("account", account)
        if found is not None and id(found) not in result:
            result[id(found)] = MemberList(direct=seen, stated=True, partial=True)
    return result
