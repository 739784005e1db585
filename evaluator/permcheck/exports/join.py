"""Join what was gathered to the records of an estate: the people, then their roles, then Configuration Manager.

Each step returns plain fields of forms; nothing that was not exported is made up. A name
that an export mentions, but that no export describes, becomes a record of which nothing
else is known.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any, Final

from permcheck.exports.gathered import At, Conflict, Discovered, Gathered, MemberList, Principal, Thing, differ
from permcheck.exports.twice import saved_lists
from permcheck.model.provenance import Memberships

GUID: Final = re.compile(r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", re.IGNORECASE)
SID: Final = re.compile(r"^S-1-[0-9]+(-[0-9]+)+$")
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


class People:
    """Users and groups with the names that records refer to them by."""

    def __init__(self, gathered: Gathered) -> None:
        self.gathered = gathered
        self.by_name: dict[str, list[Thing]] = {}
        for thing in gathered.groups.things:
            self.by_name.setdefault(str(thing.fields.get("name", "")).casefold(), []).append(thing)
        self._user_names = {str(t.fields.get("upn", "")).casefold() for t in gathered.users.things}
        self.stubs: dict[str, list[str]] = {}

    def group(self, name: str) -> Thing | None:
        """Return the group that has an id, SID, account or (if no other has it) name."""
        for kind in ("id", "sid", "account"):
            found = self.gathered.groups.find(kind, name)
            if found is not None:
                return found
        named = self.by_name.get(name.casefold(), [])
        return named[0] if len(named) == 1 else None

    def user(self, name: str) -> Thing | None:
        """Return the user that has an id, UPN, SID or account."""
        for kind in ("id", "upn", "sid", "account"):
            found = self.gathered.users.find(kind, name)
            if found is not None:
                return found
        return None

    def group_or_stub(self, name: str, at: At, **more: Any) -> Thing:
        """Return a group; one that no export describes is made, with nothing known but its name."""
        found = self.group(name)
        if found is not None:
            return found
        self.stubs.setdefault("groups", []).append(name)
        id_, sid = name if GUID.match(name) else "", name.upper() if SID.match(name.upper()) else ""
        fields = {"name": name, "id": id_.lower() or None, "sid": sid or None, **more}
        names = (("id", id_), ("sid", sid), ("account", str(more.get("account") or "")))
        thing = self.gathered.groups.put(names, fields, at)
        self.by_name.setdefault(name.casefold(), []).append(thing)
        return thing

    def group_name(self, thing: Thing) -> str:
        """Return how records refer to a group: by its name if that is enough, else by id or SID."""
        name = str(thing.fields["name"])
        alone = len(self.by_name.get(name.casefold(), ())) <= 1 and name.casefold() not in self._user_names
        return name if alone else str(thing.fields.get("id") or thing.fields.get("sid") or name)

    def user_name(self, thing: Thing) -> str:
        """Return how records refer to a user."""
        return str(thing.fields.get("upn") or thing.fields.get("id") or thing.fields.get("account"))

    def named(self, who: Principal) -> str | None:
        """Return how records refer to somebody in a list; None for somebody of whom nobody tells what they are."""
        if not who.name:
            return None
        user = self.user(who.name) if who.kind != "group" else None
        if user is not None:
            return self.user_name(user)
        group = self.group(who.name) if who.kind != "user" else None
        if group is not None:
            return self.group_name(group)
        if who.kind == "group":
            return self.group_name(self.group_or_stub(who.name, who.at))
        if who.kind == "user":
            self.stubs.setdefault("users", []).append(who.name)
            id_ = who.name.lower() if GUID.match(who.name) else None
            names = (("id", id_ or ""), ("upn", who.name))
            return self.user_name(self.gathered.users.put(names, {"upn": who.name, "id": id_}, who.at))
        return None

    def is_nobody(self, who: Principal) -> bool:
        """Tell whether an id is that of a device or a service: every user and every group was exported."""
        read, lacking = self.gathered.read, self.gathered.partial
        whole = all(kind in read and kind not in lacking for kind in ("graph.users", "graph.groups"))
        return (
            whole and not who.kind and GUID.match(who.name) is not None and not self.gathered.open & {"users", "groups"}
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


def users(people: People) -> Section:
    """Join users; licences count if one has a service plan of Intune that is on."""
    gathered = people.gathered
    plans = {p.id: p.means for p in gathered.policy.service_plans}
    if "graph.subscriptions" in gathered.read:
        intune = {plan for plan, means in plans.items() if means == "intune"}
        for thing, licences, at in gathered.licences:
            known = [(gathered.plans.find("id", sku), off) for sku, off in licences]
            theirs = [off for sku, off in known if sku is not None and "intune" in sku.fields["plans"]]
            held = any(off is not None and not intune & off for off in theirs)
            unknown = None in theirs or any(sku is None for sku, _ in known)
            gathered.users.state(thing, {"licensed": held or (None if unknown else False)}, at)
    section = Section()
    listed = _discovery_is_whole(gathered)
    for thing in gathered.users.things:
        fields = dict(thing.fields)
        fields |= _discovered(gathered, thing)
        fields["upn"] = people.user_name(thing)
        if listed and "account" not in fields and "discovered_by" not in fields and "sid" in fields:
            fields["discovered_by"] = ()
        if not SID.match(str(fields.get("sid", ""))):
            fields.pop("sid", None)
        if not GUID.match(str(fields.get("id", ""))):
            fields.pop("id", None)
        section.add(thing, fields)
    return section


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
    kind = "configmgr.discovered-users"
    told = {gathered.hierarchy(batch) for batch, found in gathered.batches if found.kind.id == kind}
    known = {str(thing.fields["id"]) for thing in gathered.hierarchies.things}
    seen = [thing.fields.keys() for thing in gathered.users.things if "account" in thing.fields]
    named = all("sid" in fields or "id" in fields for fields in seen)
    return bool(told) and named and kind not in gathered.partial and (len(known) == 1 or told >= known)


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
        if listed is not None and fields.keys().isdisjoint({"members", "all_members"}):
            where = _members_into(fields, listed, people)
        eligible = gathered.eligible.get(str(thing.fields.get("id", "")).casefold())
        if eligible:
            fields["eligible"] = tuple(people.names(eligible)[0])
        named.append((thing, fields, where))
    for thing, fields, where in named:
        if not GUID.match(str(fields.get("id", ""))):
            fields.pop("id", None)
        if not SID.match(str(fields.get("sid", ""))):
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
        group = people.group_or_stub(owner, at)
        result[id(group)] = listed
    for account, seen in people.gathered.by_discovery.items():
        found = people.gathered.groups.find("account", account)
        if found is not None and id(found) not in result:
            result[id(found)] = MemberList(direct=seen, stated=True, partial=True)
    return result


def unique(records: list[dict[str, Any]], key: Callable[[dict[str, Any]], str]) -> None:
    """Give records of the same name different ones: their ids are added."""
    count = Counter(key(record).casefold() for record in records)
    for record in records:
        if count[key(record).casefold()] > 1 and record.get("id"):
            record["name"] = f"{record['name']} ({record['id']})"
