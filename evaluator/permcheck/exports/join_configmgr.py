"""Join the Configuration Manager side: hierarchies, collections, security, objects, devices."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from permcheck.exports.by_hand import OWNED
from permcheck.exports.gathered import At, Conflict, Gathered, RoleOperations, Thing
from permcheck.exports.join import GUID, NO_HIERARCHY, SID, People, Section


def settle_hierarchies(gathered: Gathered) -> None:
    """Give every record without a hierarchy the only one there is, or one that is made for it."""
    known = [str(thing.fields["id"]) for thing in gathered.hierarchies.things]
    _note_missing_lists(gathered, frozenset(known))
    registers = (
        gathered.collections,
        gathered.security_roles,
        gathered.admins,
        gathered.scripts,
        gathered.software,
        gathered.devices,
    )
    homeless = [thing for register in registers for thing in register.things if not thing.fields.get("hierarchy")]
    if not homeless and all(owner for owner, _ in gathered.inside):
        return
    if len(known) > 1:
        help_ = "put the exports of each hierarchy into a folder of their own, each with its SMS_Site export"
        message = f"this could be of several hierarchies: {', '.join(sorted(known))}"
        for thing in homeless[:1]:
            gathered.problem(thing.at, "no-hierarchy", message, help_)
        return
    home = known[0] if known else NO_HIERARCHY
    if not known:
        gathered.hierarchies.put((("id", home),), {"id": home}, (-1, 0))
    for thing in homeless:
        thing.fields["hierarchy"] = home
    for register in registers:
        for (kind, name), thing in list(register.index.items()):
            if name.startswith("/"):
                register.index.setdefault((kind, f"{home}{name}".casefold()), thing)
    _move(gathered, home)


def _move(gathered: Gathered, home: str) -> None:
    """Give what has no hierarchy, and is no record, to one."""
    for key in [key for key in gathered.inside if not key[0]]:
        gathered.inside[home, key[1]] = gathered.inside.pop(key)
    gathered.scopes.move(lambda key: (key[0] or home, key[1]))
    gathered.open_objects = {(owner or home, key) for owner, key in gathered.open_objects}
    gathered.open_inside = {(owner or home, device, inside) for owner, device, inside in gathered.open_inside}
    gathered.object_scopes = {(owner or home, key): ids for (owner, key), ids in gathered.object_scopes.items()}


def _note_missing_lists(gathered: Gathered, known: frozenset[str]) -> None:
    """Find lists that were exported of some hierarchies only: what the others have of it is unknown."""
    if len(known) < 2:  # noqa: PLR2004 - one hierarchy has every list
        return
    told: dict[str, set[str]] = {}
    own = _own_lists(gathered)
    for batch, found in gathered.batches:
        if found.kind.id in own:
            told.setdefault(found.kind.id, set()).add(gathered.hierarchy(batch))
    for register in gathered.registers():
        for thing in register.things:
            for number, _ in (thing.at, *thing.details.values()):
                kind = gathered.batches[number][1].kind.id if number >= 0 else ""
                if kind in told:
                    told[kind].add(str(thing.fields.get("hierarchy", "")))
    gathered.partial |= {kind for kind, owners in told.items() if not owners >= known}


def _own_lists(gathered: Gathered) -> frozenset[str]:
    """Return the kinds of list that each hierarchy has for itself."""
    exports, known = gathered.policy.exports, gathered.policy.known_exports
    return frozenset(kind for name in OWNED for kind in known.lists_of(name) if exports[kind].service == "configmgr")


def hierarchies(gathered: Gathered) -> Section:
    """Join hierarchies with their sites."""
    section = Section()
    for thing in gathered.hierarchies.things:
        fields = dict(thing.fields)
        sites = fields.get("sites")
        if isinstance(sites, dict):
            fields["sites"] = tuple({"code": code, "version": version} for code, version in sites.items())
        section.add(thing, fields)
    return section


class Hierarchies:
    """Finds collections and roles of a hierarchy by id or name; makes those that no export describes."""

    def __init__(self, gathered: Gathered) -> None:
        self.gathered = gathered
        self._collections = _by_name(gathered.collections.things)
        self._roles = _by_name(gathered.security_roles.things)

    def collection(self, owner: str, name: str, at: At) -> str:
        """Return the id of a collection."""
        found = self.gathered.collections.find("id", f"{owner}/{name}")
        named = self._collections.get((owner, name.casefold()), [])
        found = found or (named[0] if len(named) == 1 else None)
        if found is None:
            fields = {"hierarchy": owner, "id": name, "name": name}
            found = self.gathered.collections.put((("id", f"{owner}/{name}"),), fields, at)
        return str(found.fields["id"])

    def role(self, owner: str, name: str, at: At) -> str:
        """Return the name of a security role."""
        found = self.gathered.security_roles.find("id", f"{owner}/{name}")
        named = self._roles.get((owner, name.casefold()), [])
        found = found or (named[0] if len(named) == 1 else None)
        if found is not None:
            return str(found.fields["name"])
        built_in = self.gathered.policy.role_names("configmgr").get(name)
        if built_in is not None:
            return self.gathered.policy.roles[built_in].name
        fields = {"hierarchy": owner, "name": name}
        return str(self.gathered.security_roles.put((("name", f"{owner}/{name}"),), fields, at).fields["name"])

    def scope(self, owner: str, name: str) -> str:
        """Return the name of a security scope."""
        return self.gathered.scopes.get((owner, name.upper())) or name


def _by_name(things: Iterable[Thing]) -> dict[tuple[str, str], list[Thing]]:
    result: dict[tuple[str, str], list[Thing]] = {}
    for thing in things:
        key = str(thing.fields.get("hierarchy", "")), str(thing.fields.get("name", "")).casefold()
        result.setdefault(key, []).append(thing)
    return result


def administrative_users(people: People, places: Hierarchies) -> Section:
    """Join administrative users; every group among them is a group of the estate."""
    section = Section()
    for thing in people.gathered.admins.things:
        fields = dict(thing.fields)
        owner = str(thing.fields["hierarchy"])
        fields["assignments"] = _assignments(thing, owner, places)
        if not SID.match(str(fields.get("sid") or "")):
            fields["sid"] = None
        _group_of(people, thing)
        section.add(thing, fields)
    return section


def _assignments(thing: Thing, owner: str, places: Hierarchies) -> tuple[dict[str, Any], ...] | None:
    pairs = thing.fields.get("assignments", thing.fields.get("only_role"))
    if pairs is None:
        return None
    result = []
    for pair in pairs:
        scopes = pair.get("scopes")
        found = {
            "role": places.role(owner, pair["role"], thing.at),
            "scopes": None if scopes is None else tuple(dict.fromkeys(places.scope(owner, name) for name in scopes)),
            "collections": tuple(
                dict.fromkeys(places.collection(owner, n, thing.at) for n in pair.get("collections", ()))
            ),
        }
        result.append({key: item for key, item in found.items() if item is not None})
    return tuple(result)


def _group_of(people: People, thing: Thing) -> None:
    """Make the group that an administrative user is, if no export describes it: its members are then unknown."""
    name, sid = str(thing.fields["name"]), str(thing.fields.get("sid") or "")
    users, groups = people.gathered.users, people.gathered.groups
    if users.find("sid", sid) or users.find("account", name) or thing.fields.get("is_group") is False:
        return
    found = groups.find("sid", sid) or groups.find("account", name)
    if found is None:
        found = people.group_or_stub(sid or name, thing.at, account=name)
        found.fields |= {"name": name, "type": "security"}
    found.assume("account", name, thing.at)
    found.assume("sid", sid if SID.match(sid) else None, thing.at)


def security_roles(gathered: Gathered) -> Section:
    """Join security roles; a built-in one whose operations were not exported is as documented."""
    section = Section()
    for thing in gathered.security_roles.things:
        fields = thing.fields | _operations(gathered, thing)
        if "permissions" in fields or not _is_built_in(gathered, thing):
            section.add(thing, fields)
    return section


def _operations(gathered: Gathered, thing: Thing) -> dict[str, Any]:
    """Join what several lists say that a role may do. What one is sure of, the others must not exclude."""
    told = gathered.operations_of.get(id(thing), [])
    if "permissions" in thing.fields:  # people wrote it
        named, open_ = thing.fields["permissions"], thing.fields.get("undecided", {})
        told = [RoleOperations(named, open_, thing.where("permissions")), *told]
    if not told:
        return {}
    for one in told[1:]:
        if not (_sure(told[0]) <= _possible(one) and _sure(one) <= _possible(told[0])):
            name, section = str(thing.fields["name"]), "security_roles"
            gathered.security_roles.conflicts.append(Conflict(section, name, "permissions", told[0].at, one.at))
    sure = dict.fromkeys(pair for one in told for pair in _pairs(one.named))
    possible = frozenset.intersection(*(_possible(one) for one in told))
    open_pairs = [pair for pair in _pairs(told[0].undecided) if pair in possible and pair not in sure]
    return {"permissions": _by_class(sure), "undecided": _by_class(open_pairs) or None}


def _pairs(operations: Mapping[str, Iterable[str]]) -> Iterator[tuple[str, str]]:
    return ((class_, name) for class_, names in operations.items() for name in names)


def _sure(told: RoleOperations) -> frozenset[tuple[str, str]]:
    return frozenset(_pairs(told.named))


def _possible(told: RoleOperations) -> frozenset[tuple[str, str]]:
    return _sure(told) | frozenset(_pairs(told.undecided))


def _by_class(pairs: Iterable[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for class_, name in pairs:
        found[class_] = (*found.get(class_, ()), name)
    return found


def _is_built_in(gathered: Gathered, thing: Thing) -> bool:
    known = gathered.policy.role_names("configmgr")
    return known.get(str(thing.fields.get("id") or thing.fields["name"])) is not None


def collections(gathered: Gathered, places: Hierarchies) -> Section:
    """Join collections. A limiting collection that was not exported leaves the relation unknown."""
    known = gathered.collections
    for (owner, _), (inside, *_) in gathered.inside.items():
        for id_ in inside:
            if (key := f"{owner}/{id_}".casefold()) and ("id", key) not in known.index:
                places.collection(owner, id_, (-1, 0))
    section = Section()
    for thing in known.things:
        fields = {"name": thing.fields["id"], **thing.fields}
        owner = fields["hierarchy"]
        for key in ("include", "exclude"):
            found = tuple(id_ for id_ in fields.get(key) or () if known.find("id", f"{owner}/{id_}"))
            fields[key] = tuple(dict.fromkeys(found)) or None
        above = fields.get("limited_to")
        if above and not known.find("id", f"{owner}/{above}"):
            fields["limited_to"] = None
        section.add(thing, fields)
    return section


def scripts(people: People) -> Section:
    """Join scripts; an author who is nobody of the estate is left out."""
    gathered, section = people.gathered, Section()
    for thing in gathered.scripts.things:
        fields = dict(thing.fields)
        fields["name"] = fields.get("name") or fields.get("id")
        author = people.user(str(fields.get("author") or ""))
        fields["author"] = None if author is None else people.user_name(author)
        scopes = _scopes_of(gathered, str(fields["hierarchy"]), str(fields.get("id") or ""))
        fields["scopes"] = fields.get("scopes") if scopes is None else scopes
        if not GUID.match(str(fields.get("id") or "")):
            fields["id"] = None
        section.add(thing, fields)
    return section


def _scopes_of(gathered: Gathered, owner: str, script: str) -> tuple[str, ...] | None:
    """Return the scopes of a script. It is in one at least; None where they, or the name of one, were not exported."""
    open_ = {(owner, ""), (owner, script.casefold())} & gathered.open_objects
    if open_ or "configmgr.object-scopes" in gathered.partial:
        return None
    built_in = {known.id for known in gathered.policy.builtins}
    ids = [id_.upper() for id_ in gathered.object_scopes.get((owner, script.casefold()), ())]
    names = tuple(gathered.scopes.get((owner, id_)) or (id_ if id_ in built_in else "") for id_ in ids)
    return names if names and all(names) else None


def applications(gathered: Gathered) -> Section:
    """Join applications."""
    section = Section()
    for thing in gathered.software.things:
        section.add(thing, thing.fields)
    return section
