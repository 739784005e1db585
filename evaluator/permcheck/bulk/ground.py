"""The devices of a hierarchy as classes: devices that no question can tell apart are one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import TypeAlias

from permcheck.bulk.partition import Members, Seen, divide
from permcheck.bulk.regions import Bits, bits_of, few
from permcheck.bulk.rows import Rows
from permcheck.graph.membership import climb
from permcheck.model.estate import Device
from permcheck.model.inventory import Devices, Inventory
from permcheck.model.tables import Key, Tables, hierarchy_of

Atom: TypeAlias = tuple[str, Key]
"""One thing that a device's collections say of it: under a collection, in it, or open."""
Signature: TypeAlias = tuple[int, Bits]
"""The number of a device's facts, and its atoms."""

NAMES = {"name", "hierarchy", "resource_id", "entra_id", "intune_id", "collections"}
"""What tells devices apart for people and decides nothing, and their collections, of which atoms are made."""
FACT_NAMES = tuple(name for name in Device.model_fields if name not in NAMES)
FACTS = attrgetter(*FACT_NAMES)
OPEN: Atom = ("open", "")
"""Further collections may contain it."""


class Signer:
    """Says everything of a device on which an answer can depend, under one estate: as two numbers.

    `assigned` are the collections on which somebody who is asked about holds a role. `whole` keeps
    collections apart that lie under others of these, for readings and permissions that look at more
    than which of them cover a device.
    """

    def __init__(self, tables: Tables, hierarchy: Key, assigned: frozenset[Key], *, whole: bool) -> None:
        self._tables, self._whole, self._assigned = tables, whole, assigned
        self._uploads = _upload_collections(tables, hierarchy)
        self.atoms: list[Atom] = []
        self._alike: dict[frozenset[Key], Key] = {}
        """Collections that a role on some collections reaches -> the first of them."""
        self._numbers: dict[Atom, int] = {}
        self.open = self._bits((OPEN,))
        found = ((key, self._bits(self._atoms(key))) for key in tables.collections if hierarchy_of(key) == hierarchy)
        self.of_collection: dict[Key, Bits] = {key: bits for key, bits in found if bits}
        """Collection -> what it says of the devices in it, if anything that matters."""
        self._facts: dict[tuple[object, ...], int] = {}
        of_facts = (number for atom, number in self._numbers.items() if atom == OPEN or atom[1] in self._uploads)
        self.of_facts = sum(1 << number for number in of_facts)
        """The atoms on which a test of a fact can depend."""

    @property
    def inventory(self) -> Inventory:
        """The inventory of an estate that has one."""
        assert isinstance(self._tables.devices, Devices)
        return self._tables.devices.inventory

    def _bits(self, atoms: Iterable[Atom]) -> Bits:
        found = 0
        for atom in sorted(atoms):
            number = self._numbers.setdefault(atom, len(self.atoms))
            if number == len(self.atoms):
                self.atoms.append(atom)
            found |= 1 << number
        return found

    def _atoms(self, collection: Key) -> set[Atom]:
        path, ends = climb(self._tables, collection)
        relevant = [top for top in path if top in self._assigned or top in self._uploads]
        atoms = {("under", top) for top in relevant}
        if collection in self._uploads:
            atoms.add(("in", collection))
        if not ends:
            atoms.add(OPEN)
        if self._whole and relevant:
            atoms |= {("strictly", top) for top in relevant if top != collection}
            upload = collection in self._uploads
            atoms.add(("in", collection if upload else self._alike.setdefault(frozenset(relevant), collection)))
        return atoms

    def sign(self, device: Key) -> Signature:
        """Return everything that an answer can depend on."""
        tables, known, atoms = self._tables, self.of_collection, 0
        for key in tables.device_collections.get(device, ()):
            atoms |= known.get(key, 0)
        if device in tables.membership_open:
            atoms |= self.open
        return self.facts(tables.devices[device]), atoms

    def inside(self, device: Key) -> Iterable[Key]:
        """Return the collections that contain a device; one without a name stands for further ones."""
        tables = self._tables
        found = tables.device_collections.get(device, frozenset())
        return (*found, "") if device in tables.membership_open else found

    def facts(self, device: Device) -> int:
        """Return the number of the facts of a device: the same for the same facts."""
        return self._facts.setdefault(FACTS(device), len(self._facts))


def signers_of(
    tables: Sequence[Tables], hierarchy: Key, assigned: Sequence[frozenset[Key]], *, whole: bool
) -> list[Signer | None]:
    """Return what says of devices what matters under each of some estates; None where one lacks the hierarchy.

    `assigned`: by estate, the collections on which somebody who is asked about holds a role. Estates that
    share their devices and collections share what says it, as an estate and one with another group or role do.
    """
    alike: dict[tuple[object, ...], list[int]] = {}
    for place, one in enumerate(tables):
        if hierarchy in one.hierarchies:
            shared = (one.devices, one.device_collections, one.membership_open, one.limited_to, one.collections)
            key = (*map(id, shared), _upload_collections(one, hierarchy))
            alike.setdefault(key, []).append(place)
    found: list[Signer | None] = [None] * len(tables)
    for places in alike.values():
        joined = frozenset[Key]().union(*(assigned[place] for place in places))
        signer = Signer(tables[places[0]], hierarchy, joined, whole=whole)
        for place in places:
            found[place] = signer
    return found


def _upload_collections(tables: Tables, hierarchy: Key) -> frozenset[Key]:
    """Return the collections that the upload of a hierarchy may be limited to."""
    found = tables.uploaded_collection(hierarchy)
    return frozenset() if found is None else frozenset({found})


@dataclass(frozen=True, eq=False)
class Ground:
    """Device classes of a hierarchy; for several estates at once, devices that none of them tells apart."""

    hierarchy: Key | None
    members: Sequence[Sequence[Key]]
    """Class -> its devices, the largest first. A question without a device has one class that stands for itself."""
    atoms: Sequence[dict[Atom, Bits]]
    """By estate: the classes of which something is said."""
    alike: Sequence[Sequence[tuple[Key, Bits]]]
    """By estate: classes with equal facts, and a device of them."""
    there: Sequence[Bits]
    """By estate: the classes whose devices it has."""

    @property
    def sizes(self) -> list[int]:
        """How many devices each class has."""
        members = self.members
        return members.sizes if isinstance(members, Members) else [len(one) for one in members]

    @property
    def size(self) -> int:
        """How many classes there are."""
        return len(self.members)


def ground(
    signers: Sequence[Signer | None], tables: Sequence[Tables], hierarchy: Key, devices: Iterable[Key] | Rows
) -> Ground:
    """Divide the devices of a hierarchy into classes, under one estate or several."""
    known = dict(zip(signers, tables, strict=True))
    order = {signer: place for place, signer in enumerate(known)}
    members: Sequence[Sequence[Key]]
    if isinstance(devices, Rows):
        members, parts = divide(tuple(known), hierarchy, devices)
    else:
        members, parts = _divided(known, devices)
    seen = [parts[order[signer]] for signer in signers]
    return Ground(
        hierarchy, members, [one.atoms for one in seen], [one.alike for one in seen], [one.there for one in seen]
    )


def _divided(
    known: Mapping[Signer | None, Tables], devices: Iterable[Key]
) -> tuple[Sequence[Sequence[Key]], list[Seen]]:
    classes: dict[tuple[Signature | None, ...], list[Key]] = {}
    for device in devices:
        signed = tuple(
            signer.sign(device) if signer and device in tables.devices else None for signer, tables in known.items()
        )
        classes.setdefault(signed, []).append(device)
    ordered = sorted(classes.items(), key=lambda item: -len(item[1]))  # to count is quick where the large come first
    members = tuple(found for _, found in ordered)
    return members, [_seen(signer, [key[place] for key, _ in ordered], members) for place, signer in enumerate(known)]


def _seen(signer: Signer | None, signatures: Sequence[Signature | None], members: Sequence[Sequence[Key]]) -> Seen:
    if signer is None:
        return Seen({}, [], 0)
    size = len(signatures)
    there: list[int] = []
    alike: dict[Signature, list[int]] = {}
    inside: dict[Key, list[int]] = defaultdict(list)
    for index, signature in enumerate(signatures):
        if signature is not None:
            facts, said = signature
            there.append(index)
            alike.setdefault((facts, said & signer.of_facts), []).append(index)
            for collection in signer.inside(members[index][0]):
                inside[collection].append(index)
    return Seen(
        _by_atom(signer, inside, size),
        [(members[found[0]][0], bits_of(found, size)) for found in alike.values()],
        bits_of(there, size),
    )


def _by_atom(signer: Signer, inside: Mapping[Key, Sequence[int]], size: int) -> dict[Atom, Bits]:
    """Return the classes of which each atom is said: what a collection says is said of all the classes in it."""
    found = [0] * len(signer.atoms)
    for collection, places in inside.items():
        said = signer.of_collection.get(collection, 0) if collection else signer.open
        classes = bits_of(places, size) if said else 0
        for number in few(said):
            found[number] |= classes
    return {atom: bits for atom, bits in zip(signer.atoms, found, strict=True) if bits}


def itself(hierarchy: Key | None, there: Sequence[int]) -> Ground:
    """Return the ground of questions without a device; `there` tells by estate whether it has the hierarchy."""
    return Ground(hierarchy, (("",),), [{} for _ in there], [[("", one)] for one in there], there)
