"""Join devices: what Configuration Manager and Intune say of them, and the collections that contain them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from permcheck.exports.contradicted import conflict, id_of, place_of
from permcheck.exports.gathered import At, Gathered, Thing, differ
from permcheck.exports.join import NO_HIERARCHY, Section, tag_text, tags_of
from permcheck.model.fold import fold_case
from permcheck.model.provenance import Memberships

MEMBERS: Final = "configmgr.collection-members"


def join_cloud_devices(gathered: Gathered) -> None:
    """Join what the cloud says of devices to the devices of Configuration Manager: by Entra id, else by name."""
    by_entra: dict[str, list[Thing]] = {}
    by_name: dict[str, list[Thing]] = {}
    for thing in gathered.devices.things:
        by_entra.setdefault(_entra_id(thing), []).append(thing)
        by_name.setdefault(str(thing.fields.get("name", "")).casefold(), []).append(thing)
    by_entra.pop("", None)
    claims: dict[int, tuple[Thing, list[tuple[dict[str, Any], At]]]] = {}
    for name, entra, fields, at in gathered.cloud_devices:
        known = by_entra.get((entra or "").casefold(), [])
        named = [one for one in by_name.get(name.casefold(), []) if not (entra and _entra_id(one))]
        same = known or named
        if len(same) == 1:
            claims.setdefault(id(same[0]), (same[0], []))[1].append(({**fields, "entra_id": entra}, at))
        elif fields["management"] in {"configmgr", "co-managed"}:
            _add_cloud_device(gathered, name, entra, fields, at)
        else:
            gathered.note("devices that only Intune manages were left out: they belong to no hierarchy", at)
    for thing, rows in claims.values():
        _state_cloud(gathered, thing, rows)


def _entra_id(thing: Thing) -> str:
    return str(thing.fields.get("entra_id") or "").casefold()


def _state_cloud(gathered: Gathered, thing: Thing, rows: list[tuple[dict[str, Any], At]]) -> None:
    """State what Intune says of a device. Where several records in Intune claim it, only what they agree on counts."""
    several = len({fields["intune_id"] for fields, _ in rows} - {None}) > 1
    if several:
        gathered.note("several records in Intune claim one device: what they don't agree on is unknown", rows[0][1])
    for fields, at in rows:
        agreed = {key: item for key, item in fields.items() if not any(differ(key, item, o.get(key)) for o, _ in rows)}
        gathered.devices.state(thing, agreed if several else fields, at)


def _add_cloud_device(gathered: Gathered, name: str, entra: str | None, fields: dict[str, Any], at: At) -> None:
    known = [str(thing.fields["id"]) for thing in gathered.hierarchies.things]
    if len(known) > 1:
        gathered.note("devices that no export of Configuration Manager has could be of several hierarchies", at)
        return
    owner = known[0] if known else NO_HIERARCHY
    gathered.hierarchies.put((("id", owner),), {"id": owner}, at)
    every = {"hierarchy": owner, "name": name, "entra_id": entra, **fields}
    gathered.devices.put((("intune", str(fields["intune_id"] or name)),), every, at)


def devices(gathered: Gathered) -> Section:
    """Join devices with the collections that contain them, if the members of all were exported.

    A list that does not have a device in what holds every device by definition is not the whole list.
    """
    section = Section()
    whole = _hierarchies_with_all_members(gathered)
    lacking, tags, everywhere = _Lacking(gathered), tags_of(gathered), gathered.policy.all_devices
    told: set[tuple[str, str]] = set()
    for thing in gathered.devices.things:
        fields = dict(thing.fields)
        if fields.get("scope_tags") is not None:
            fields["scope_tags"] = tuple(map(tag_text(tags), fields["scope_tags"]))
        owner, resource = str(fields["hierarchy"]), str(fields.get("resource_id") or "")
        found = gathered.inside.get((owner, resource))
        inside = found.collections if found else ()
        open_ = lacking.may_be_elsewhere(owner, resource, inside) or everywhere.isdisjoint(inside)
        if owner in whole and resource and not open_:
            _compare_collections(gathered, thing, found)
        if owner in whole and resource and "collections" not in fields and not open_:
            told.add((owner, resource))
            fields["collections"] = tuple(found.collections) if found else ()
            if found:
                section.memberships[len(section.records)] = found
        section.add(thing, fields)
    _compare_members(gathered, whole, lacking)
    _list_members(gathered, told, lacking)
    return section


def _compare_collections(gathered: Gathered, thing: Thing, found: Memberships | None) -> None:
    """Tell a device that people put into collections, and the members of all collections into others.

    What holds every device by definition needs no word.
    """
    owner, register = str(thing.fields["hierarchy"]), gathered.devices
    if "collections" not in thing.fields or thing.where("collections")[0] not in register.by_hand:
        return
    written = {id_of(gathered.collections, owner, str(said)) for said in thing.fields["collections"]}
    told = {fold_case(id_) for id_ in found.collections} if found else set[str]()
    if (written ^ told) - set(map(fold_case, gathered.policy.all_devices)):
        at = (found.batches[0], found.entries[0]) if found and found.batches else place_of(gathered, MEMBERS, owner)
        conflict(register, thing, "collections", at or thing.at)


def _compare_members(gathered: Gathered, whole: set[str], lacking: _Lacking) -> None:
    """Tell a collection of which people wrote other members than the members of all collections say."""
    known = {(thing.fields["hierarchy"], str(thing.fields.get("resource_id"))) for thing in gathered.devices.things}
    for thing in gathered.collections.things:
        owner, id_ = str(thing.fields["hierarchy"]), fold_case(str(thing.fields["id"]))
        by_hand = "members" in thing.fields and thing.where("members")[0] in gathered.collections.by_hand
        if not by_hand or owner not in whole or owner in lacking.owners:
            continue
        inside = (key for key, found in gathered.inside.items() if id_ in map(fold_case, found.collections))
        told = {resource for at, resource in inside if at == owner and (owner, resource) in known}
        if {id_of(gathered.devices, owner, str(said), "resource_id") for said in thing.fields["members"]} != told:
            conflict(gathered.collections, thing, "members", place_of(gathered, MEMBERS, owner) or thing.at)


class _Lacking:
    """What entries of memberships say that lack the device or the collection, and may be about any."""

    def __init__(self, gathered: Gathered) -> None:
        self.devices: set[tuple[str, str]] = set()
        self.collections: dict[str, set[str]] = {}
        """Hierarchy -> collections that have a further member; an empty text stands for any of them."""
        for owner, resource, collection in gathered.open_inside:
            if resource:
                self.devices.add((owner, resource))
            else:
                self.collections.setdefault(owner, set()).add(collection)
        self.owners = {owner for owner, _, _ in gathered.open_inside}

    def may_be_elsewhere(self, owner: str, resource: str, inside: Iterable[str]) -> bool:
        """Tell whether a device may be in a collection in which nobody says that it is."""
        return (owner, resource) in self.devices or not self.collections.get(owner, set()) <= set(inside)


def _hierarchies_with_all_members(gathered: Gathered) -> set[str]:
    """Return hierarchies of which the members of every collection were exported."""
    if MEMBERS in gathered.partial:
        return set()
    all_of_them = gathered.values.all_memberships
    lists = {
        number
        for number, (batch, found) in enumerate(gathered.batches)
        if (all_of_them.part_of(found.why) or all_of_them.part_of(batch.context) or found.kind.id == "file.lab")
        and "collectionid" not in batch.request.casefold()  # a question about one collection
    }
    return {owner for (owner, _), members in gathered.inside.items() if not lists.isdisjoint(members.batches)}


def _list_members(gathered: Gathered, told: set[tuple[str, str]], lacking: _Lacking) -> None:
    """Let each exported collection list its members, where a device doesn't tell its collections."""
    if MEMBERS in gathered.partial:
        return
    members: dict[str, dict[str, list[str]]] = {}
    for (owner, resource), inside in gathered.inside.items():
        if (owner, resource) not in told and gathered.devices.find("resource", f"{owner}/{resource}"):
            for collection in inside.collections:
                members.setdefault(owner, {}).setdefault(collection, []).append(resource)
    for owner, lists in members.items():
        for collection in lacking.collections.get(owner, ()):
            lists.pop(collection, None)
        if owner in lacking.owners and _device_collections(gathered, owner) <= lists.keys():
            continue  # where every collection lists its members, a device is in no other
        for collection, names in lists.items():
            fields = {"hierarchy": owner, "id": collection, "members": tuple(names)}
            gathered.collections.put((("id", f"{owner}/{collection}"),), fields, (-1, 0))


def _device_collections(gathered: Gathered, owner: str) -> set[str]:
    """Return the collections of a hierarchy that hold some of its devices."""
    here = [thing.fields for thing in gathered.collections.things if thing.fields["hierarchy"] == owner]
    devices = {str(fields["id"]) for fields in here if fields.get("kind", "device") == "device"}
    return devices - set(gathered.policy.all_devices)
