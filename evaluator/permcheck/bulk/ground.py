"""The devices of a hierarchy as classes: devices that no question can tell apart are one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import NamedTuple, TypeAlias

from permcheck.bulk.regions import Bits, bits_of
from permcheck.model.estate import Device
from permcheck.model.tables import Key, Tables, hierarchy_of

Atom: TypeAlias = tuple[str, Key]
"""One thing that a device's collections say of it: under a collection, in it, or open."""
Signature: TypeAlias = tuple[object, frozenset[Atom]]
"""The facts of a device, and its atoms."""

NAMES = {"name", "hierarchy", "resource_id", "entra_id", "intune_id", "collections"}
"""What tells devices apart for people and decides nothing, and their collections, of which atoms are made."""
FACTS = attrgetter(*(name for name in Device.model_fields if name not in NAMES))
OPEN: Atom = ("open", "")
"""Further collections may contain it."""


class Signer:
    """Says everything of a device on which an answer can depend, under one estate.

    `whole` keeps every collection apart, for readings and permissions that look at more
    than which assigned collections cover a device.
    """

    def __init__(self, tables: Tables, hierarchy: Key, *, whole: bool) -> None:
        self._tables, self._whole = tables, whole
        self._assigned = {key for row in tables.rows.values() if row.hierarchy == hierarchy for key in row.collections}
        self._uploads = _upload_collections(tables, hierarchy)
        found = ((key, self._atoms(key)) for key in tables.collections if hierarchy_of(key) == hierarchy)
        self._of_collection = {key: atoms for key, atoms in found if atoms}

    def _atoms(self, collection: Key) -> frozenset[Atom]:
        path, ends = climb(self._tables, collection)
        relevant = [top for top in path if top in self._assigned or top in self._uploads]
        atoms = {("under", top) for top in relevant}
        if collection in self._uploads:
            atoms.add(("in", collection))
        if not ends:
            atoms.add(OPEN)
        if self._whole and relevant:
            atoms |= {("strictly", top) for top in relevant if top != collection}
            atoms.add(("in", collection))
        return frozenset(atoms)

    def sign(self, device: Key) -> Signature:
        """Return everything that an answer can depend on."""
        tables, known = self._tables, self._of_collection
        inside = tables.device_collections.get(device, frozenset())
        found = [known[key] for key in inside if key in known]
        atoms = found[0] if len(found) == 1 else frozenset[Atom]().union(*found)
        if device in tables.membership_open:
            atoms |= {OPEN}
        return FACTS(tables.devices[device]), atoms

    def facts_of(self, signature: Signature) -> tuple[object, ...]:
        """Return the part of a signature on which a test of a fact can depend."""
        facts, atoms = signature
        return facts, frozenset(atom for atom in atoms if atom == OPEN or atom[1] in self._uploads)


def climb(tables: Tables, collection: Key) -> tuple[list[Key], bool]:
    """Return a collection with those that it is limited to, upwards, and whether the estate tells them all."""
    path = [collection]
    while True:
        if path[-1] not in tables.limited_to:
            return path, False
        parent = tables.limited_to[path[-1]]
        if parent is None or parent in path:
            return path, True
        path.append(parent)


def _upload_collections(tables: Tables, hierarchy: Key) -> frozenset[Key]:
    """Return the collections that the upload of a hierarchy may be limited to."""
    upload = tables.hierarchies[hierarchy].upload
    if upload is None or isinstance(upload, str):
        return frozenset()
    name = upload.collection.casefold()
    return frozenset(
        key
        for key, form in tables.collections.items()
        if hierarchy_of(key) == hierarchy and name in {form.id.casefold(), form.name.casefold()}
    )


@dataclass(frozen=True, eq=False)
class Ground:
    """Device classes of a hierarchy; for several estates at once, devices that none of them tells apart."""

    hierarchy: Key | None
    members: Sequence[Sequence[Key]]
    """Class -> its devices. A question without a device has one class that stands for itself."""
    atoms: Sequence[dict[Atom, Bits]]
    """By estate: the classes of which something is said."""
    alike: Sequence[Sequence[tuple[Key, Bits]]]
    """By estate: classes with equal facts, and a device of them."""
    there: Sequence[Bits]
    """By estate: the classes whose devices it has."""

    @property
    def size(self) -> int:
        """How many classes there are."""
        return len(self.members)


def ground(
    signers: Sequence[Signer | None], tables: Sequence[Tables], hierarchy: Key, devices: Iterable[Key]
) -> Ground:
    """Divide the devices of a hierarchy into classes, under one estate or several."""
    classes: dict[tuple[Signature | None, ...], list[Key]] = {}
    for device in devices:
        signed = tuple(
            signer.sign(device) if signer and device in one.devices else None
            for signer, one in zip(signers, tables, strict=True)
        )
        classes.setdefault(signed, []).append(device)
    members, size = tuple(classes.values()), len(classes)
    parts = [_part(signer, [key[place] for key in classes], members) for place, signer in enumerate(signers)]
    return Ground(
        hierarchy,
        members,
        [{atom: bits_of(found, size) for atom, found in part.atoms.items()} for part in parts],
        [[(device, bits_of(found, size)) for device, found in part.alike.values()] for part in parts],
        [bits_of(part.there, size) for part in parts],
    )


class _Part(NamedTuple):
    """What one estate says of the classes, by class numbers."""

    atoms: dict[Atom, list[int]]
    alike: dict[tuple[object, ...], tuple[Key, list[int]]]
    there: list[int]


def _part(signer: Signer | None, signatures: list[Signature | None], members: Sequence[Sequence[Key]]) -> _Part:
    part = _Part({}, {}, [])
    for index, signature in enumerate(signatures):
        if signer is not None and signature is not None:
            part.there.append(index)
            for atom in signature[1]:
                part.atoms.setdefault(atom, []).append(index)
            part.alike.setdefault(signer.facts_of(signature), (members[index][0], []))[1].append(index)
    return part


def itself(hierarchy: Key | None, there: Sequence[int]) -> Ground:
    """Return the ground of questions without a device; `there` tells by estate whether it has the hierarchy."""
    return Ground(hierarchy, (("",),), [{} for _ in there], [[("", one)] for one in there], there)
