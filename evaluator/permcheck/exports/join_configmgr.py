"""Join the Configuration Manager side: hierarchies, collections, security, objects, devices."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from permcheck.exports.by_hand import OWNED
from permcheck.exports.contradicted import conflict, id_of, place_of
from permcheck.exports.gathered import (
    At,
    Called,
    Conflict,
    Gathered,
    Register,
    RoleOperations,
    Thing,
    Written,
    by_class,
)
from permcheck.exports.join import NO_HIERARCHY, People, Section
from permcheck.exports.read_configmgr import written_sites
from permcheck.model.fold import GUID, SID, fold_case
from permcheck.model.vocabulary import Vocabulary, vocabulary

FLAT: Final = {"role": "RoleNames", "collections": "CollectionNames", "scopes": "CategoryNames"}
"""Part of an assignment -> the list of all of them, which doesn't tell what goes with what."""


def settle_hierarchies(gathered: Gathered) -> None:
    """Give every record without a hierarchy the only one there is, or one that is made for it."""
    known = [str(thing.fields["id"]) for thing in gathered.hierarchies.things]
    _refuse_unlisted_sites(gathered)
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
        register.rehome(home)
    _move(gathered, home)


def _refuse_unlisted_sites(gathered: Gathered) -> None:
    """Tell entries of several sites, where nothing tells whether these are of one hierarchy."""
    written = written_sites(gathered)
    sites = {written.get(site, site): at for site, at in gathered.unlisted_sites.items()}
    if len(sites) > 1:
        message = f"entries are of sites {', '.join(sorted(gathered.unlisted_sites))}, and no list of sites is there"
        help_ = "export SMS_Site: it tells which of them are of one hierarchy"
        gathered.problem(max(sites.values()), "no-hierarchy", message, help_)


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
    """Finds collections, roles and scopes of a hierarchy, by id or by a name that only one has."""

    def __init__(self, gathered: Gathered) -> None:
        self.gathered = gathered
        self._scopes: dict[str, Vocabulary] = {}

    def collection(self, owner: str, said: str, at: At) -> str | None:
        """Return how records refer to a collection; one that has an id, and that no export describes, is made."""
        if isinstance(said, Written):
            return str(said)
        if isinstance(said, Called):
            return _only([str(thing.fields["id"]) for thing in self._called("collections", owner, said)])
        found = self.gathered.collections.find("id", f"{owner}/{said}")
        if found is None:
            fields = {"hierarchy": owner, "id": said, "name": said}
            found = self.gathered.collections.put((("id", f"{owner}/{said}"),), fields, at)
        return str(found.fields["id"])

    def role(self, owner: str, said: str, at: At) -> str | None:
        """Return how records refer to a security role; one that no export describes is made."""
        if isinstance(said, Written):
            return str(said)
        known = self.gathered.policy.role_names("configmgr")
        if isinstance(said, Called):
            found = self._roles_called(owner, said)
            if not found:
                self.gathered.security_roles.put((("name", f"{owner}/{said}"),), {"hierarchy": owner, "name": said}, at)
            return str(said) if len(found) <= 1 else None
        thing = self.gathered.security_roles.find("id", f"{owner}/{said}")
        if thing is None and not known.with_id(said):
            fields = {"hierarchy": owner, "name": said, "id": said}
            thing = self.gathered.security_roles.put((("id", f"{owner}/{said}"),), fields, at)
        roles = self.gathered.policy.roles
        name = str(thing.fields["name"]) if thing is not None else roles[known.with_id(said)[0]].name
        return name if self._roles_called(owner, name) == {fold_case(said)} else str(said)

    def scope(self, owner: str, said: str) -> str | None:
        """Return how records refer to a security scope."""
        if isinstance(said, Written):
            return str(said)
        known = self.scopes(owner)
        if not known.names.meant(said):
            self.gathered.open.add("security_scopes")
        if isinstance(said, Called):
            found = _only([id_ for id_, name in known.listed.items() if fold_case(name) == fold_case(said)])
            return None if found is None else known.text_of(found)
        return known.text_of(said.upper())

    def id_of(self, part: str, owner: str, said: str) -> str:
        """Return the id of a role, a collection or a scope that is written by name or by id, folded."""
        policy = self.gathered.policy
        if part == "scopes":
            return fold_case(next(iter(self.scopes(owner).names.meant(said)), said))
        built_in = policy.role_names("configmgr").meant(said) if part == "role" else ()
        return fold_case(next(iter(built_in), id_of(self._register(part), owner, said)))

    def _register(self, part: str) -> Register:
        return self.gathered.security_roles if part == "role" else self.gathered.collections

    def _roles_called(self, owner: str, name: str) -> set[str]:
        """Return ids (or names, of roles without one) of the roles that have a name."""
        listed = (thing.fields for thing in self._called("security_roles", owner, name))
        built_in = self.gathered.policy.role_names("configmgr").meant(name)
        return {fold_case(str(f.get("id") or (built_in or (name,))[0])) for f in listed} | set(map(fold_case, built_in))

    def scopes(self, owner: str) -> Vocabulary:
        """Return the security scopes of a hierarchy."""
        if owner not in self._scopes:
            built_in = (b for b in self.gathered.policy.builtins if b.kind == "scope")
            told = ((id_, name) for (at, id_), (name, _) in self.gathered.scopes.told.items() if at == owner)
            self._scopes[owner] = vocabulary("security scope", built_in, told)
        return self._scopes[owner]

    def _called(self, register: str, owner: str, name: str) -> list[Thing]:
        things = getattr(self.gathered, register).things
        return [t for t in things if t.fields.get("hierarchy") == owner and _is_called(t, name)]


def _only(found: list[str]) -> str | None:
    return found[0] if len(found) == 1 else None


def _is_called(thing: Thing, name: str) -> bool:
    return fold_case(str(thing.fields.get("name", ""))) == fold_case(name)


def administrative_users(people: People, places: Hierarchies) -> Section:
    """Join administrative users; every group among them is a group of the estate."""
    section, everybody = Section(), people.gathered.admins.things
    called = Counter((thing.fields["hierarchy"], fold_case(str(thing.fields["name"]))) for thing in everybody)
    for thing in everybody:
        fields = dict(thing.fields)
        owner, name = str(thing.fields["hierarchy"]), str(thing.fields["name"])
        if "sid" not in fields and called[owner, fold_case(name)] > 1:
            message = f"several administrative users are called `{name}`, and nothing tells which account this one is"
            people.gathered.left_open(thing.at, "administrative_users", message, "export AdminSid of each")
            continue
        _compare_assignments(people.gathered, thing, owner, places)
        fields["assignments"] = _assignments(thing, owner, places)
        if not SID.fullmatch(str(fields.get("sid") or "")):
            fields["sid"] = None
        _group_of(people, thing)
        section.add(thing, fields)
    return section


def _compare_assignments(gathered: Gathered, thing: Thing, owner: str, places: Hierarchies) -> None:
    """Tell an administrative user to whom people gave other roles, collections or scopes than the flat lists have."""
    pairs = thing.fields.get("assignments")
    if pairs is None or thing.where("assignments")[0] not in gathered.admins.by_hand:
        return
    for part, flat in FLAT.items():
        said, told = [pair.get(part) for pair in pairs], thing.fields.get(flat)
        if told is None or None in said:
            continue
        every = (name for one in said for name in ((one,) if part == "role" else one))
        written = {places.id_of(part, owner, str(name)) for name in every}
        if written != {places.id_of(part, owner, str(name)) for name in told}:
            conflict(gathered.admins, thing, "assignments", thing.where(flat))


def _assignments(thing: Thing, owner: str, places: Hierarchies) -> tuple[dict[str, Any], ...] | None:
    """Return each role with its scopes and collections; None where they, or what a name stands for, are unknown."""
    stated = thing.fields.get("assignments", thing.fields.get("only_role"))
    pairs = [_pair(pair, owner, places, thing.at) for pair in stated or ()]
    return None if stated is None or None in pairs else tuple(pair for pair in pairs if pair is not None)


def _pair(pair: Mapping[str, Any], owner: str, places: Hierarchies, at: At) -> dict[str, Any] | None:
    """Return a role with its scopes and collections; what is absent stays so. None where one of them is unknown."""
    role, said = places.role(owner, pair["role"], at), pair.get("collections")
    named = None if said is None else [places.collection(owner, one, at) for one in dict.fromkeys(said)]
    if role is None or (named is not None and None in named):
        return None
    collections = None if named is None else tuple(dict.fromkeys(named))
    found = {"role": role, "scopes": _scopes(owner, pair.get("scopes"), places), "collections": collections}
    return {key: item for key, item in found.items() if item is not None}


def _scopes(owner: str, said: Iterable[str] | None, places: Hierarchies) -> tuple[str, ...] | None:
    """Return how records refer to some security scopes; None where one of them is unknown."""
    found = None if said is None else [places.scope(owner, one) for one in dict.fromkeys(said)]
    return None if found is None or None in found else tuple(one for one in found if one is not None)


def _group_of(people: People, thing: Thing) -> None:
    """Make the group that an administrative user is, if no export describes it: its members are then unknown.

    An account of its name that has another SID is another one.
    """
    name, sid = str(thing.fields["name"]), str(thing.fields.get("sid") or "")
    found = people.meant(sid) if sid else people.meant(name)
    if found or thing.fields.get("is_group") is False:
        return
    called = people.meant(name)
    if sid and any(not one.fields.get("sid") for _, one in called):  # it may be that account: nobody states its SID
        return
    taken = {"name": f"{name} ({sid})"} if called else {"account": name}
    people.stub(sid or name, thing.at, **{"name": name, **taken})


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
    return {"permissions": by_class(sure), "undecided": by_class(open_pairs) or None}


def _pairs(operations: Mapping[str, Iterable[str]]) -> Iterator[tuple[str, str]]:
    return ((class_, name) for class_, names in operations.items() for name in names)


def _sure(told: RoleOperations) -> frozenset[tuple[str, str]]:
    return frozenset(_pairs(told.named))


def _possible(told: RoleOperations) -> frozenset[tuple[str, str]]:
    return _sure(told) | frozenset(_pairs(told.undecided))


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
            said = fields.get(key) or ()
            found = tuple(str(id_) for id_ in said if isinstance(id_, Written) or known.find("id", f"{owner}/{id_}"))
            fields[key] = tuple(dict.fromkeys(found)) or None
        above = fields.get("limited_to")
        if above and not (isinstance(above, Written) or known.find("id", f"{owner}/{above}")):
            fields["limited_to"] = None
        section.add(thing, fields)
    return section


def scripts(people: People, places: Hierarchies) -> Section:
    """Join scripts; an author who is nobody of the estate is left out."""
    gathered, section = people.gathered, Section()
    for thing in gathered.scripts.things:
        fields = dict(thing.fields)
        fields["name"] = fields.get("name") or fields.get("id")
        if not isinstance(fields.get("author"), Written):
            author = people.user(str(fields.get("author") or ""))
            fields["author"] = None if author is None else people.user_name(author)
        owner = str(fields["hierarchy"])
        scopes = _scopes_of(gathered, owner, str(fields.get("id") or ""))
        _compare_scopes(gathered, thing, owner, places, scopes)
        fields["scopes"] = _scopes(owner, fields.get("scopes") if scopes is None else scopes, places)
        if not GUID.fullmatch(str(fields.get("id") or "")):
            fields["id"] = None
        section.add(thing, fields)
    return section


def _compare_scopes(
    gathered: Gathered, thing: Thing, owner: str, places: Hierarchies, told: tuple[str, ...] | None
) -> None:
    """Tell a script that people put into other security scopes than an export."""
    if told is None or "scopes" not in thing.fields or thing.where("scopes")[0] not in gathered.scripts.by_hand:
        return
    both = (thing.fields["scopes"], told)
    written, listed = ({places.id_of("scopes", owner, str(one)) for one in few} for few in both)
    if written != listed:
        conflict(gathered.scripts, thing, "scopes", place_of(gathered, "configmgr.object-scopes", owner) or thing.at)


def _scopes_of(gathered: Gathered, owner: str, script: str) -> tuple[str, ...] | None:
    """Return the scopes of a script. It is in one at least; None where they, or the name of one, were not exported."""
    open_ = {(owner, ""), (owner, script.casefold())} & gathered.open_objects
    if open_ or "configmgr.object-scopes" in gathered.partial:
        return None
    built_in = {known.id for known in gathered.policy.builtins}
    ids = [id_.upper() for id_ in gathered.object_scopes.get((owner, script.casefold()), ())]
    known = all(id_ in built_in or gathered.scopes.get((owner, id_)) for id_ in ids)
    return tuple(ids) if ids and known else None


def applications(gathered: Gathered, places: Hierarchies) -> Section:
    """Join applications."""
    section = Section()
    for thing in gathered.software.things:
        scopes = _scopes(str(thing.fields["hierarchy"]), thing.fields.get("scopes"), places)
        section.add(thing, {**thing.fields, "scopes": scopes})
    return section


def security_scopes(gathered: Gathered) -> Section:
    """Join the names of security scopes."""
    section = Section()
    for (owner, id_), (name, at) in gathered.scopes.told.items():
        section.add(Thing({}, at), {"hierarchy": owner, "id": id_, "name": name})
    return section
