"""What was gathered from exports, before it is joined to one estate.

Each fact keeps the number of its batch and of its entry there: that is its provenance.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Generic, NamedTuple, TypeAlias, TypeVar

from permcheck.errors import Problem
from permcheck.exports.batch import Batch, Row, text
from permcheck.exports.gone import Marks
from permcheck.exports.masks import Site
from permcheck.exports.recognise import Found
from permcheck.model.fold import fold_case
from permcheck.model.policy_index import Policy
from permcheck.model.policy_values import ValuesFile
from permcheck.model.provenance import Memberships

At: TypeAlias = tuple[int, int]
"""Number of a batch, number of an entry in it."""
NamesOf: TypeAlias = Iterable[tuple[str, str]]
"""Kinds of names and names, the surest first."""


SHOWN: Final = frozenset(
    {("users", "name"), ("hierarchies", "name"), ("intune_roles", "description"), ("tenant", "name")}
)
"""Fields that are only shown: no answer is refused for them."""
SWITCHES: Final = frozenset({"use_intune_rbac", "enforce_configmgr_rbac"})
_SWITCHED: Final[Mapping[Any, bool]] = {"on": True, "checked": True, "off": False, "cleared": False}
NOTHING: Final[Mapping[str, Any]] = {}
K = TypeVar("K")

IDENTITIES: Final = frozenset({"id", "sid", "resource"})
"""Kinds of names that identify: no two records share one, and none has two of a kind."""
HAND: Final = "hand"
"""Kind of a name that several may share: it only finds what people wrote, who meant one."""


class Called(str):
    """A name that an export tells without an id: it finds the one thing that is called so."""

    __slots__ = ()


def called(names: Iterable[str] | None) -> tuple[Called, ...] | None:
    """Return names that an export tells without ids."""
    return None if names is None else tuple(map(Called, names))


class Written(str):
    """What people wrote into an estate file: an id or a name, which is read as it is there."""

    __slots__ = ()


class Conflict(NamedTuple):
    """Two exports state one fact differently. Nobody tells which of them is newer."""

    section: str
    name: str
    field: str
    old: At
    new: At


@dataclass(slots=True)
class Facts(Generic[K]):
    """Facts of one kind, each under a key; whatever states one goes through `put`."""

    section: str
    property: str
    told: dict[K, tuple[str, At]] = field(default_factory=dict)
    conflicts: list[Conflict] = field(default_factory=list)

    def put(self, key: K, said: str, at: At) -> None:
        """State a fact; it must be what was stated before."""
        known = self.told.setdefault(key, (said, at))
        if differ(self.property, known[0], said):
            name = str(key[-1] if isinstance(key, tuple) else key)
            self.conflicts.append(Conflict(self.section, name, self.property, known[1], at))

    def get(self, key: K) -> str | None:
        """Return what was stated; None if nothing was."""
        found = self.told.get(key)
        return None if found is None else found[0]

    def move(self, to: Callable[[K], K]) -> None:
        """State everything under another key."""
        before, self.told = self.told, {}
        for key, (said, at) in before.items():
            self.put(to(key), said, at)


@dataclass(slots=True, eq=False)
class Thing:
    """What several exports say about one user, group, device or other record."""

    fields: dict[str, Any]
    at: At
    details: dict[str, At] = field(default_factory=dict)
    """Where a field stands, if not at `at`."""
    assumed: set[str] = field(default_factory=set)
    """Fields that stand in until somebody states them, such as an id in the place of a name."""
    ids: dict[str, str] = field(default_factory=dict)
    """Kind of an identity -> what it is: a record that states another one is another record."""

    def where(self, name: str) -> At:
        """Return where a field stands."""
        return self.details.get(name, self.at)

    def assume(self, name: str, item: Any, at: At) -> None:
        """Let a value stand in for a field that nobody states."""
        if item is not None and name not in self.fields:
            self.fields[name] = item
            self.stands(name, at)
            self.assumed.add(name)

    def stands(self, name: str, at: At) -> None:
        """Keep where a field stands, if not with the record."""
        if at != self.at:
            self.details[name] = at
        else:
            self.details.pop(name, None)


@dataclass(slots=True)
class Register:
    """Records of one section, found by what identifies them, or by a name that only one of them has."""

    section: str
    things: list[Thing] = field(default_factory=list)
    index: dict[tuple[str, str], Thing] = field(default_factory=dict)
    shared: dict[tuple[str, str], list[Thing]] = field(default_factory=dict)
    """Names that several records have: they find none."""
    conflicts: list[Conflict] = field(default_factory=list)
    ambiguous: list[tuple[str, Thing]] = field(default_factory=list)
    """Names that people wrote without an id, where several entries are called so, and the record that people wrote."""
    by_hand: set[int] = field(default_factory=set)
    """Numbers of the batches that people wrote: whoever contradicts them is told."""

    def find(self, kind: str, name: str) -> Thing | None:
        """Return the one record that has a name; None if there is none, or more than one."""
        key = (kind, fold_case(name))
        return None if not name or key in self.shared else self.index.get(key)

    def put(self, names: NamesOf, fields: Mapping[str, Any], at: At, assumed: Mapping[str, Any] = NOTHING) -> Thing:
        """Add what an entry says to the record that is meant by its names, or make a new one."""
        known = [(kind, fold_case(name)) for kind, name in names if name]
        found = self._meant(known)
        if found is None:
            found = Thing({}, at)
            self.things.append(found)
            self.ambiguous += [(key[1], self.index[key]) for key in known if key[0] == HAND and key in self.index]
        self.state(found, fields, at)
        for name, item in assumed.items():
            found.assume(name, item, at)
        for key in known:
            if key[0] != HAND or at[0] in self.by_hand:
                self._call(key, found)
        return found

    def _meant(self, known: list[tuple[str, str]]) -> Thing | None:
        """Return the record that has one of the names, the surest first, and no other id than an entry states."""
        ids = {kind: name for kind, name in known if kind in IDENTITIES}
        for key in known:
            for thing in self.shared.get(key) or filter(None, [self.index.get(key)]):
                same = all(thing.ids.get(kind, name) == name for kind, name in ids.items())
                if same and (key[0] in ids or key not in self.shared):
                    return thing
        return None

    def _call(self, key: tuple[str, str], thing: Thing) -> None:
        """Let a record have a name, which others may have, too."""
        if key[0] in IDENTITIES:
            thing.ids.setdefault(*key)
        first = self.index.setdefault(key, thing)
        if first is not thing:
            several = self.shared.setdefault(key, [first])
            if thing not in several:
                several.append(thing)

    def rehome(self, home: str) -> None:
        """Let every name of a record without a hierarchy be one in a hierarchy, too."""
        for (kind, name), thing in list(self.index.items()):
            if name.startswith("/"):
                thing.ids.pop(kind, None)
                self._call((kind, fold_case(f"{home}{name}")), thing)

    def state(self, thing: Thing, fields: Mapping[str, Any], at: At) -> None:
        """Add facts to a record; None states nothing. What another entry stated must be the same."""
        if thing.at[0] in self.by_hand and at[0] not in self.by_hand:
            thing.details = dict.fromkeys(thing.fields, thing.at) | thing.details
            thing.at = at
        for key, item in fields.items():
            if item is None:
                continue
            if key not in thing.fields or key in thing.assumed:
                thing.fields[key] = item
                thing.stands(key, at)
                thing.assumed.discard(key)
            elif differ(key, thing.fields[key], item) and (self.section, key) not in SHOWN:
                name = str(next((thing.fields[k] for k in ("upn", "name", "id") if k in thing.fields), self.section))
                self.conflicts.append(Conflict(self.section, name, key, thing.where(key), at))


def differ(key: str, one: Any, two: Any) -> bool:
    """Tell whether two values of a field say different things: neither case nor the order of a list says anything."""
    plain = (_plain(one), _plain(two))
    if key in SWITCHES:
        plain = (_SWITCHED.get(plain[0], plain[0]), _SWITCHED.get(plain[1], plain[1]))
    return bool(plain[0] != plain[1])


def _plain(item: Any) -> Any:
    if isinstance(item, bool):
        return item
    if isinstance(item, str | int | float):
        return str(item).lower()
    if isinstance(item, Mapping):
        return frozenset((key, _plain(inner)) for key, inner in item.items() if inner is not None)
    return frozenset(map(_plain, item)) if isinstance(item, list | tuple | set | frozenset) else item


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
    told: dict[int, At] = field(default_factory=dict)
    """Numbers of the batches that list the direct members, and where."""


class Discovered(NamedTuple):
    """What an entry says of how Configuration Manager discovered an account."""

    methods: tuple[str, ...]
    incomplete: bool
    """Whether there may be further methods, which the export doesn't tell."""
    upn: str | None
    at: At


class RoleOperations(NamedTuple):
    """What one list says that a security role may do."""

    named: Mapping[str, tuple[str, ...]]
    undecided: Mapping[str, tuple[str, ...]]
    """What it may do besides, because nobody tells what a bit means."""
    at: At


def by_class(pairs: Iterable[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    """Put operations under their classes."""
    found: dict[str, tuple[str, ...]] = {}
    for class_, name in pairs:
        found[class_] = (*found.get(class_, ()), name)
    return found


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
    open: set[str] = field(default_factory=set)
    """Sections that lack an entry which could not be read."""
    notes: dict[str, list[At]] = field(default_factory=dict)
    """What is worth saying of what was read, and where."""
    tenants: dict[str, str] = field(default_factory=dict)
    """Tenant id -> the first file that names it."""
    tenant_facts: Register = field(default_factory=lambda: Register("tenant"))
    plans: Register = field(default_factory=lambda: Register("subscribed licences"))
    """Licences by id, with what their service plans mean, and whether they can be used."""
    maybe_intune: set[str] = field(default_factory=set)
    """Ids of service plans that may be a licence for Intune, as a subscription calls them."""
    day: str = ""
    """The day of the estate, such as 2026-01-31; empty where nobody tells it."""
    licences: list[tuple[Thing, tuple[tuple[str, frozenset[str] | None], ...], At]] = field(default_factory=list)
    """Users with the licences assigned to them, and the plans that are switched off in each."""
    users: Register = field(default_factory=lambda: Register("users"))
    groups: Register = field(default_factory=lambda: Register("groups"))
    members: dict[str, MemberList] = field(default_factory=dict)
    eligible: dict[str, list[Principal]] = field(default_factory=dict)
    by_discovery: dict[str, list[Principal]] = field(default_factory=dict)
    """Group, DOMAIN\\name -> users that Configuration Manager saw in it."""
    discovery: dict[int, dict[str, list[Discovered]]] = field(default_factory=dict)
    """User (the identity of the thing) -> hierarchy -> what discovered the account there."""
    directory_roles: Facts[str] = field(default_factory=lambda: Facts("directory roles", "roleTemplateId"))
    """Id of a directory role in this tenant -> its template id."""
    holders: dict[str, RoleHolding] = field(default_factory=dict)
    applications: Facts[str] = field(default_factory=lambda: Facts("applications", "appId"))
    """Id of a service principal -> appId."""
    named_applications: dict[str, str] = field(default_factory=dict)
    """Id of a service principal -> appId of the application that has its name; its id is surer."""
    app_roles: Register = field(default_factory=lambda: Register("app roles of applications"))
    """App roles by service principal and id, with value and name."""
    app_assignments: list[tuple[str, str, Principal]] = field(default_factory=list)
    """Service principal, app role, holder."""
    entra_by_hand: Register = field(default_factory=lambda: Register("entra_roles"))
    apps_by_hand: Register = field(default_factory=lambda: Register("app_roles"))
    scope_tags: Facts[str] = field(default_factory=lambda: Facts("scope tags", "displayName"))
    intune_roles: Register = field(default_factory=lambda: Register("intune_roles"))
    assignments: Register = field(default_factory=lambda: Register("intune_assignments"))
    hierarchies: Register = field(default_factory=lambda: Register("hierarchies"))
    sites: Register = field(default_factory=lambda: Register("sites"))
    site_folders: dict[str, set[str]] = field(default_factory=dict)
    """Site code -> folders in which the site was exported."""
    top_site: dict[str, str] = field(default_factory=dict)
    """Site code -> code of the top site of its hierarchy."""
    unlisted_sites: dict[str, At] = field(default_factory=dict)
    """Site code -> the first entry that states it, where no list of sites was exported."""
    by_folder: dict[str, set[str]] = field(default_factory=dict)
    """Folder -> hierarchies whose sites were exported there."""
    operations: Facts[tuple[str, int, int]] = field(default_factory=lambda: Facts("operations", "OperationName"))
    """Hierarchy, object type and bit -> operation, as the site has them."""
    unread_operations: dict[tuple[str, int], list[tuple[str, int]]] = field(default_factory=dict)
    """Hierarchy and object type -> operations with a flag that is not one bit."""
    scopes: Facts[tuple[str, str]] = field(default_factory=lambda: Facts("security scopes", "CategoryName"))
    """Hierarchy and id of a security scope -> its name."""
    object_scopes: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    open_objects: set[tuple[str, str]] = field(default_factory=set)
    """Objects of which an entry of their scopes can't be read; an empty key stands for every object."""
    operations_of: dict[int, list[RoleOperations]] = field(default_factory=dict)
    """Security role (the identity of the thing) -> what each list says that it may do."""
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
    open_inside: set[tuple[str, str, str]] = field(default_factory=set)
    """Hierarchy, resource id and collection of entries that lack one of the two, which is empty then."""

    gone: dict[tuple[str, str], At] = field(default_factory=dict)
    """Kind of an identity and what it is, of what some list says was deleted, and where."""
    gone_names: dict[str, At] = field(default_factory=dict)
    """Names of users and groups that were deleted; somebody living may have them now."""
    left: dict[str, list[str]] = field(default_factory=dict)
    """What a list tells -> names of its entries that were left out, because they are marked as deleted or removed."""
    marks: Marks = field(init=False)

    def __post_init__(self) -> None:
        self.marks = Marks(self.policy.values)

    @property
    def values(self) -> ValuesFile:
        """What words and numbers in exports mean."""
        return self.policy.values

    @property
    def tenant(self) -> Thing:
        """What is known of the tenant."""
        found = self.tenant_facts.find("tenant", "tenant")
        return Thing({}, (-1, 0)) if found is None else found

    def state_tenant(self, at: At, **facts: Any) -> None:
        """State facts of the tenant."""
        if any(fact is not None for fact in facts.values()):
            self.tenant_facts.put((("tenant", "tenant"),), facts, at)

    def conflicts(self) -> Iterator[Conflict]:
        """Return every fact that two exports state differently."""
        records = (*self.registers(), self.tenant_facts, self.plans, self.app_roles, self.sites)
        facts: tuple[Facts[Any], ...] = (self.directory_roles, self.applications, self.scope_tags)
        facts += (self.operations, self.scopes)
        for found in (*(one.conflicts for one in records), *(one.conflicts for one in facts)):
            yield from found

    def left_open(self, at: At, section: str, message: str, help_: str = "") -> None:
        """Note an entry that can't be read: what it belongs to lacks something, and nobody knows what."""
        self.open.add(section)
        self.problem(at, "no-name", message, help_, "warning")

    def say_gone(self, row: Row, at: At) -> None:
        """Keep the id and the names of somebody who was deleted."""
        id_ = text(row, "id", "objectId", "object id")
        if id_:
            self.gone.setdefault(("id", fold_case(id_)), at)
        for key in ("userPrincipalName", "user principal name", "displayName"):
            if text(row, key):
                self.gone_names.setdefault(fold_case(text(row, key)), at)

    def is_gone(self, name: str) -> bool:
        """Tell whether an id is that of something that was deleted, or a name that of somebody who was."""
        folded = fold_case(name)
        return ("id", folded) in self.gone or folded in self.gone_names

    def is_there(self, row: Row, at: At, section: str, title: str) -> bool:
        """Tell whether an entry inside another one counts, and note one that does not."""
        mark = self.marks.of(row)
        if mark is None:
            self.left_open(at, section, "nothing tells whether the entry was deleted", "export it again")
        elif mark:
            self.note(f"{title} that are marked as deleted or removed give nothing, and were left out", at)
        return mark is False

    def elsewhere(self, site: str) -> bool:
        """Tell whether a site that an entry states is in no list of sites, though sites were exported."""
        return bool(site and self.top_site) and site.upper() not in self.top_site

    def left_out(self, at: At, section: str, site: str) -> bool:
        """Leave out an entry that is of a site which no list has: it is of another hierarchy, or of a former site."""
        if site and not self.top_site:
            self.unlisted_sites.setdefault(site.upper(), at)
        if not self.elsewhere(site):
            return False
        message = f"the entry is of the site `{site}`, which is in no list of sites, so it was left out"
        help_ = "export SMS_Site of its hierarchy as well, or take its exports away"
        self.open.add(section)
        self.problem(at, "other-site", message, help_, "warning")
        return True

    def put_inside(self, owner: str, resource: str, collection: str, at: At) -> None:
        """Put a device into a collection; into none that is known, where it has no name."""
        key = (owner, resource)
        found = self.inside.get(key)
        if found is None:
            found = self.inside[key] = Memberships([], array("I"), array("I"))
        if collection:
            found.collections.append(collection)
            found.batches.append(at[0])
            found.entries.append(at[1])

    def registers(self) -> tuple[Register, ...]:
        """Return every register."""
        people = (self.users, self.groups, self.entra_by_hand, self.apps_by_hand, self.intune_roles, self.assignments)
        places = (self.hierarchies, self.security_roles, self.admins, self.collections)
        return (*people, *places, self.scripts, self.software, self.devices)

    def site_operations(self, owner: str) -> Site:
        """Return what bits mean at the site of a hierarchy, by object type."""
        bits: dict[int, dict[int, str]] = {}
        for (hierarchy, type_, bit), (name, _) in self.operations.told.items():
            if hierarchy == owner:
                bits.setdefault(type_, {})[bit] = name
        return Site(bits, {type_: told for (at, type_), told in self.unread_operations.items() if at == owner})

    def note(self, said: str, at: At) -> None:
        """Keep something worth saying."""
        self.notes.setdefault(said, []).append(at)

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
        """Return the hierarchy that an entry belongs to: by its site, else by the folder of its file.

        A site that is in no list of sites is to be `left_out` before.
        """
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
