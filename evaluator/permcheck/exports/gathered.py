"""What was gathered from exports, before it is joined to one estate.

Each fact keeps the number of its batch and of its entry there: that is its provenance.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, TypeAlias

from permcheck.errors import Problem
from permcheck.exports.batch import Batch
from permcheck.exports.recognise import Found
from permcheck.model.policy_index import Policy
from permcheck.model.policy_values import ValuesFile
from permcheck.model.provenance import Memberships

At: TypeAlias = tuple[int, int]
"""Number of a batch, number of an entry in it."""
NamesOf: TypeAlias = Iterable[tuple[str, str]]
"""Kinds of names and names, the surest first."""


HAND: Final = "hand"
"""Kind of a name that several may share: it only finds what people wrote, who meant one."""


SHOWN: Final = frozenset({("users", "name"), ("hierarchies", "name"), ("intune_roles", "description")})
"""Fields that are only shown: no answer is refused for them."""


@dataclass(slots=True)
class Thing:
    """What several exports say about one user, group, device or other record."""

    fields: dict[str, Any]
    at: At
    details: dict[str, At] = field(default_factory=dict)
    """Where a field stands, if not at `at`."""

    def where(self, name: str) -> At:
        """Return where a field stands."""
        return self.details.get(name, self.at)


class Conflict(NamedTuple):
    """Two exports of one kind say different things of one record."""

    section: str
    name: str
    field: str
    old: At
    new: At


@dataclass(slots=True)
class Register:
    """Records of one section, found by any of their names."""

    section: str
    things: list[Thing] = field(default_factory=list)
    index: dict[tuple[str, str], Thing] = field(default_factory=dict)
    conflicts: list[Conflict] = field(default_factory=list)
    by_hand: set[int] = field(default_factory=set)
    """Numbers of the batches that people wrote: whoever contradicts them is told."""

    def find(self, kind: str, name: str) -> Thing | None:
        """Return the record called so; None if there is none."""
        return self.index.get((kind, name.casefold())) if name else None

    def put(self, names: NamesOf, fields: Mapping[str, Any], at: At) -> Thing:
        """Add what an entry says to the record that has one of its names, or make a new one."""
        known = [(kind, name.casefold()) for kind, name in names if name]
        found = next((self.index[key] for key in known if key in self.index), None)
        stated = {key: item for key, item in fields.items() if item is not None}
        if found is None:
            found = Thing(stated, at)
            self.things.append(found)
        else:
            self._merge(found, stated, at)
        for key in known:
            if key[0] != HAND or at[0] in self.by_hand:
                self.index.setdefault(key, found)
        return found

    def _merge(self, thing: Thing, stated: Mapping[str, Any], at: At) -> None:
        """Add new fields. One kind of export must not contradict itself, and none what people wrote."""
        if thing.at[0] in self.by_hand and at[0] not in self.by_hand:
            thing.details = dict.fromkeys(thing.fields, thing.at) | thing.details
            thing.at = at
        for key, item in stated.items():
            if key not in thing.fields:
                thing.fields[key] = item
                thing.details[key] = at
                continue
            old = thing.where(key)
            shown = (self.section, key) in SHOWN or stated.get("discovery_incomplete")
            contradicts = _differ(thing.fields[key], item) and not shown
            if contradicts and (old[0] in self.by_hand or self.rivals(old[0], at[0])):
                name = str(thing.fields.get("upn") or thing.fields.get("name") or thing.fields.get("id"))
                self.conflicts.append(Conflict(self.section, name, key, old, at))

    rivals: Callable[[int, int], bool] = field(default=lambda one, two: one == two)
    """Whether two batches are of one kind: then one of them is wrong, rather than less well informed."""


def _differ(one: Any, two: Any) -> bool:
    if isinstance(one, str) and isinstance(two, str):
        return one.casefold() != two.casefold()
    return bool(one != two)


class Principal(NamedTuple):
    """Somebody in a list: an object id or another name, the kind where it is told, and where it stands."""

    name: str
    kind: str
    at: At


@dataclass(slots=True)
class MemberList:
    """Members of one group, as far as they were exported."""

    direct: list[Principal] = field(default_factory=list)
    anyhow: list[Principal] = field(default_factory=list)
    stated: bool = False
    all_stated: bool = False
    partial: bool = False


@dataclass(slots=True)
class RoleHolding:
    """Who holds a directory role: by template id or id."""

    role: str
    active: list[Principal] = field(default_factory=list)
    eligible: list[Principal] = field(default_factory=list)
    stated: bool = True


@dataclass(slots=True)
class Gathered:
    """Everything that was read."""

    policy: Policy
    batches: list[tuple[Batch, Found]] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    read: set[str] = field(default_factory=set)
    """Kinds of export that were read."""
    partial: set[str] = field(default_factory=set)
    """Kinds of export of which pages are missing."""
    notes: dict[str, list[At]] = field(default_factory=dict)
    """What is worth saying of what was read, and where."""
    tenants: dict[str, str] = field(default_factory=dict)
    """Tenant id -> the first file that names it."""
    tenant: Thing = field(default_factory=lambda: Thing({}, (-1, 0)))
    plans: dict[str, set[str]] = field(default_factory=dict)
    """Licence -> what its service plans mean."""
    licences: list[tuple[Thing, tuple[tuple[str, frozenset[str]], ...]]] = field(default_factory=list)
    """Users with the licences assigned to them, and the plans that are switched off in each."""
    users: Register = field(default_factory=lambda: Register("users"))
    groups: Register = field(default_factory=lambda: Register("groups"))
    members: dict[str, MemberList] = field(default_factory=dict)
    eligible: dict[str, list[Principal]] = field(default_factory=dict)
    by_discovery: dict[str, list[Principal]] = field(default_factory=dict)
    """Group, DOMAIN\\name -> users that Configuration Manager saw in it."""
    discovery: dict[int, dict[str, tuple[str, ...]]] = field(default_factory=dict)
    """User (the identity of the thing) -> hierarchy -> methods that discovered the account there."""
    directory_roles: dict[str, str] = field(default_factory=dict)
    """Id of a directory role in this tenant -> its template id."""
    holders: dict[str, RoleHolding] = field(default_factory=dict)
    applications: dict[str, str] = field(default_factory=dict)
    """Id of a service principal -> appId."""
    app_roles: dict[tuple[str, str], tuple[str, str]] = field(default_factory=dict)
    """Service principal and app role -> its value and name."""
    app_assignments: list[tuple[str, str, Principal]] = field(default_factory=list)
    """Service principal, app role, holder."""
    entra_by_hand: Register = field(default_factory=lambda: Register("entra_roles"))
    apps_by_hand: Register = field(default_factory=lambda: Register("app_roles"))
    scope_tags: dict[str, str] = field(default_factory=dict)
    intune_roles: Register = field(default_factory=lambda: Register("intune_roles"))
    assignments: Register = field(default_factory=lambda: Register("intune_assignments"))
    hierarchies: Register = field(default_factory=lambda: Register("hierarchies"))
    top_site: dict[str, str] = field(default_factory=dict)
    """Site code -> code of the top site of its hierarchy."""
    by_folder: dict[str, set[str]] = field(default_factory=dict)
    """Folder -> hierarchies whose sites were exported there."""
    operations: dict[str, dict[int, dict[int, str]]] = field(default_factory=dict)
    """Hierarchy -> object type -> bit -> operation, as the site has them."""
    scopes: dict[tuple[str, str], str] = field(default_factory=dict)
    """Hierarchy and id of a security scope -> its name."""
    object_scopes: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    security_roles: Register = field(default_factory=lambda: Register("security_roles"))
    admins: Register = field(default_factory=lambda: Register("administrative_users"))
    collections: Register = field(default_factory=lambda: Register("collections"))
    scripts: Register = field(default_factory=lambda: Register("scripts"))
    software: Register = field(default_factory=lambda: Register("applications"))
    devices: Register = field(default_factory=lambda: Register("devices"))
    cloud_devices: list[tuple[str, str | None, dict[str, Any], At]] = field(default_factory=list)
    """Name, Entra id and facts of devices as the cloud knows them."""
    inside: dict[tuple[str, str], Memberships] = field(default_factory=dict)
    """Hierarchy and resource id -> collections that contain the device."""

    @property
    def values(self) -> ValuesFile:
        """What words and numbers in exports mean."""
        return self.policy.values

    def __post_init__(self) -> None:
        """Let every record know which lists must not contradict each other."""
        for register in self.registers():
            register.rivals = self._rivals

    def _rivals(self, one: int, two: int) -> bool:
        """Tell whether two batches are parts of one list; each hierarchy has its own."""
        (batch, found), (other, found_too) = self.batches[one], self.batches[two]
        if found.kind.id != found_too.kind.id:
            return False
        return found.kind.service != "configmgr" or self.hierarchy(batch) == self.hierarchy(other)

    def put_inside(self, owner: str, resource: str, collection: str, at: At) -> None:
        """Put a device into a collection."""
        key = (owner, resource)
        found = self.inside.get(key)
        if found is None:
            found = self.inside[key] = Memberships([], array("I"), array("I"))
        found.collections.append(collection)
        found.batches.append(at[0])
        found.entries.append(at[1])

    def registers(self) -> tuple[Register, ...]:
        """Return every register."""
        people = (self.users, self.groups, self.entra_by_hand, self.apps_by_hand, self.intune_roles, self.assignments)
        places = (self.hierarchies, self.security_roles, self.admins, self.collections)
        return (*people, *places, self.scripts, self.software, self.devices)

    def note(self, text: str, at: At) -> None:
        """Keep something worth saying."""
        self.notes.setdefault(text, []).append(at)

    def origin(self, at: At) -> tuple[str, str, int]:
        """Return file, JSON path and line of an entry."""
        batch = self.batches[at[0]][0]
        return batch.file, batch.place(at[1]), batch.line(at[1])

    def problem(self, at: At, id_: str, message: str, help_: str = "", severity: str = "error") -> None:
        """Note a problem with an entry."""
        file, path, line = self.origin(at)
        place = file if line else f"{file}, {path}"
        self.problems.append(Problem(place, line, 1 if line else 0, id_, message, help_, severity))

    def hierarchy(self, batch: Batch, site: str = "") -> str:
        """Return the hierarchy that an entry belongs to: by its site, else by the folder of its file."""
        top = self.top_site.get(site.upper())
        if top:
            return top
        folder = batch.folder
        while True:
            found = self.by_folder.get(folder, set())
            if len(found) == 1:
                return next(iter(found))
            if not folder:
                break
            folder = folder.rpartition("/")[0]
        everywhere = {top for tops in self.by_folder.values() for top in tops}
        return next(iter(everywhere)) if len(everywhere) == 1 else ""
