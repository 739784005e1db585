"""The columns of a review: stable names, what each says, and how it is taken from a row."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, TypeAlias

from permcheck.loading.inventory_names import written_names
from permcheck.model.policy_index import Policy
from permcheck.model.state import Verdict
from permcheck.model.tables import Key, Tables, Usage
from permcheck.review.directory import Directory
from permcheck.review.row import Devices, Row

Value: TypeAlias = str | int | bool | tuple[str, ...] | None
Record: TypeAlias = Mapping[str, Value]
"""Column -> value. A text or a flag that says nothing is None; a list, an empty tuple."""
Kind: TypeAlias = Literal["text", "list", "count", "flag"]
FACT = re.compile(r"\w+(\[.*\])?(\.\w+)*", re.DOTALL)
"""How a fact of an estate is called; what else is missing is a sentence."""
FEW = 20
"""So many names are listed in a row; more stand in the table of sets."""
NAMESPACE = uuid.UUID("6f1d4a63-6d0e-5b0e-9d5c-3f6a1c5a7f10")


class NameSet(NamedTuple):
    """The members of a set that is too long for a row."""

    id: str
    kind: str
    """`users` or `devices`."""
    size: int
    members: Callable[[], list[str]]
    """Returns their names, sorted."""


@dataclass(frozen=True)
class Printer:
    """Turns keys into names, and remembers the sets that rows refer to."""

    tables: Tables
    policy: Policy
    sets: dict[str, NameSet] = field(default_factory=dict)
    _known: dict[object, str] = field(default_factory=dict, repr=False)
    """What a long set is made of -> its id: naming half a million devices takes a second."""
    _directories: dict[int, Directory] = field(default_factory=dict, repr=False)

    def users(self, row: Row) -> tuple[str, ...]:
        """Return the users of a row: their names, or the one name of their set."""
        return self._listed("users", len(row.users), row.users, lambda: sorted(map(self.user, row.users)))

    def devices(self, devices: Devices) -> tuple[str, ...]:
        """Return the devices of a row: their names, or the one name of their set."""
        if not devices.area.on_devices:
            return ()
        made_of = (id(devices.area.ground), devices.bits, devices.only)
        return self._listed("devices", devices.count, made_of, lambda: self._names(devices))

    def _names(self, devices: Devices) -> list[str]:
        if devices.count <= FEW:
            return sorted(map(self.device, devices.each()))
        ground = devices.area.ground
        directory = self._directories.get(id(ground))
        if directory is None:
            written = dict(written_names(self.tables.devices))
            directory = self._directories[id(ground)] = Directory(ground.members, written)
        return directory.of(devices.bits)

    def _listed(self, kind: str, count: int, made_of: object, names: Callable[[], list[str]]) -> tuple[str, ...]:
        if count <= FEW:
            return tuple(names())
        found = self._known.get((kind, made_of))
        if found is None:
            digest = uuid.uuid5(NAMESPACE, "\n".join(names()))
            found = self._known[kind, made_of] = f"{kind}-{digest}"
            self.sets.setdefault(found, NameSet(found, kind, count, names))
        return (found,)

    def user(self, key: Key) -> str:
        """Return the UPN of a user."""
        found = self.tables.users.get(key)
        return found.upn if found else key

    def device(self, key: Key) -> str:
        """Return the name of a device."""
        found = self.tables.devices.get(key)
        return found.name if found else key

    def hierarchy(self, key: Key | None) -> str | None:
        """Return the id of a hierarchy; None for the tenant."""
        if key is None:
            return None
        found = self.tables.hierarchies.get(key)
        return found.id if found else key

    def fact(self, row: Row, name: str) -> Value:
        """Return a fact of the user, where a row is about one."""
        if len(row.users) != 1:
            return None
        value: Value = getattr(self.tables.users.get(row.users[0]), name, None)
        return value

    def open(self, fact: str) -> str:
        """Say in words what is not known."""
        found = self.policy.readings.get(fact.removeprefix("reading "))
        if found:
            return f"the documents disagree: {found.question}"
        return f"not known: {fact}" if FACT.fullmatch(fact) else fact

    def meaning(self, requirement: str) -> str:
        """Say in words what a requirement is about."""
        id_, _, of = requirement.partition(":")
        found = self.policy.requirements.get(id_)
        return (f"{found.meaning}: {of}" if of else found.meaning) if found else requirement


class Column(NamedTuple):
    """A column: its name, what it says, and how it is read from a row."""

    name: str
    kind: Kind
    says: str
    read: Callable[[Printer, Row], Value]

    @property
    def title(self) -> str:
        """The name as people read it."""
        return title(self.name)


def title(name: str) -> str:
    """Return a column's name as people read it."""
    return name.replace("_", " ").capitalize()


def name_of(header: str) -> str:
    """Return the name of the column that a header stands for: its name, or its title."""
    return header.strip().casefold().replace(" ", "_")


def _reason(printer: Printer, row: Row) -> Value:
    if row.verdict is Verdict.DENY:
        return tuple(dict.fromkeys(map(printer.meaning, row.evidence.unmet)))
    return tuple(dict.fromkeys(map(printer.open, row.evidence.missing)))


def _unmet(_: Printer, row: Row) -> Value:
    return () if row.verdict is Verdict.ALLOW else row.evidence.unmet


def _access(_: Printer, row: Row) -> Value:
    if row.verdict is not Verdict.ALLOW:
        return None
    if row.evidence.direct:
        return "direct"
    most = max((len(trail.names("group")) for trail in row.evidence.trails), default=0)
    return ("none", "group", "nested group")[min(most, 2)]


def _logs(printer: Printer, row: Row) -> list[Usage]:
    """Return the logs that record every use of the action there, where a row is about one user."""
    logs = printer.tables.usage if len(row.users) == 1 else ()
    return [log for log in logs if row.act.action.id in log.actions and row.hierarchy in (*log.hierarchies, None)]


def _used(printer: Printer, row: Row) -> Value:
    """Tell whether a log has it. A log with a use that it can't tell, and not this one, leaves it open."""
    logs, user, action = _logs(printer, row), row.users[0], row.act.action.id
    if any((user, action) in log.used for log in logs):
        return True
    return False if logs and not any((user, "") in log.used for log in logs) else None


def _used_in(printer: Printer, row: Row) -> Value:
    return tuple(f"{log.source}, {log.since} to {log.until}" for log in _logs(printer, row))


def _advice(printer: Printer, row: Row) -> Value:
    """Say what speaks for keeping or removing it. What nothing speaks about stays with the reviewer."""
    if row.verdict is Verdict.DENY:
        return None
    if row.verdict is Verdict.UNDETERMINED:
        return "investigate: facts are missing"
    match _used(printer, row):
        case True:
            return "keep: it is used"
        case False:
            return "remove: its use is logged, and there is none"
    return None


def _id(printer: Printer, row: Row) -> Value:
    """Return the same id for the same capability of the same people over the same devices."""
    path = "|".join(map(str, row.evidence.trails))
    users, devices = "; ".join(printer.users(row)), "; ".join(printer.devices(row.devices))
    parts = (users, str(row.act), printer.hierarchy(row.hierarchy) or "", devices, path)
    return str(uuid.uuid5(NAMESPACE, "\n".join((*parts, row.verdict.value, row.evidence.authority))))


def _fact(name: str) -> Callable[[Printer, Row], Value]:
    return lambda printer, row: printer.fact(row, name)


SAID = (
    Column("verdict", "text", "`allow`, `deny` or `undetermined`", lambda _, r: r.verdict.value),
    Column("users", "list", "UPNs; of more than 20, the name of a set", lambda p, r: p.users(r)),
    Column("action_title", "text", "the action as people call it", lambda _, r: r.act.action.title),
    Column("user_count", "count", "how many users", lambda _, r: len(r.users)),
    Column("name", "text", "display name, where the row is about one user", _fact("name")),
    Column("effect", "text", "`view`, `act` or `administer`", lambda _, r: r.act.action.effect),
    Column("hierarchy", "text", "id of the hierarchy; nothing for the tenant", lambda p, r: p.hierarchy(r.hierarchy)),
    Column("devices", "list", "names; of more than 20, the name of a set", lambda p, r: p.devices(r.devices)),
    Column("device_count", "count", "how many devices; 0 for an action on none", lambda _, r: r.devices.count),
    Column("access", "text", "`direct`, `group`, `nested group`; `none` where no grant is needed", _access),
    Column(
        "path", "list", "groups, assignments, roles and collections, in order",
        lambda _, r: tuple(map(str, r.evidence.trails)),
    ),
    Column("reason", "list", "in words: what fails, or what is not known", _reason),
    Column(
        "authority", "text", "who decides, if a switch does: `configmgr`, `intune` or `both`",
        lambda _, r: r.evidence.authority or None,
    ),
    Column("enabled", "flag", "whether the account is enabled, where the row is about one user", _fact("enabled")),
    Column("last_sign_in", "text", "day of the last sign-in, likewise", _fact("last_sign_in")),
    Column("used", "flag", "whether a log says that the user did this, on any device, likewise", _used),
    Column(
        "advice", "text", "`keep`, `remove` or `investigate`, and why; nothing where no fact speaks for one", _advice,
    ),
)  # fmt: skip
"""What permcheck says, for people."""
DETAILS = (
    Column("row_id", "text", "the same for the same users, action, devices, verdict and path in every review", _id),
    Column("cells", "count", "how many single answers the row stands for", lambda _, r: r.cells),
    Column("action", "text", "id of the action, as in `permcheck actions`", lambda _, r: str(r.act)),
    Column("account", "text", "on-premises account, where the row is about one user", _fact("account")),
    Column("sid", "text", "on-premises security identifier, likewise", _fact("sid")),
    Column("object_id", "text", "object id in Microsoft Entra ID, likewise", _fact("id")),
    Column("synced", "flag", "whether it is synced from Active Directory, likewise", _fact("synced")),
    Column("used_in", "list", "logs in which `used` was looked up, and the days that they cover", _used_in),
    Column("groups", "list", "groups on the path", lambda _, r: r.evidence.groups),
    Column("roles", "list", "roles on the path", lambda _, r: r.evidence.roles),
    Column("role_assignments", "list", "Intune role assignments on the path", lambda _, r: r.evidence.assignments),
    Column("collections", "list", "collections on the path", lambda _, r: r.evidence.collections),
    Column("unmet", "list", "ids of the requirements that fail", _unmet),
    Column("missing", "list", "facts that would settle an undetermined answer", lambda _, r: r.evidence.missing),
    Column("assumed", "list", "requirements that the estate takes as met", lambda _, r: r.evidence.assumed),
    Column("error", "text", "what the person sees", lambda _, r: r.evidence.error or None),
    Column("editions", "list", "editions of the documents that were applied", lambda _, r: r.evidence.editions),
    Column("readings", "list", "contested passages on which it rests", lambda _, r: r.evidence.contested),
    Column("sources", "list", "passages of Microsoft's documents", lambda _, r: r.evidence.sources),
)
"""What permcheck says besides, for filters and programs."""
COLUMNS = SAID + DETAILS
SIGN_OFF = {
    "decision": "`keep` or `remove`; empty: not decided",
    "reviewer": "who decided",
    "decided_at": "when",
    "comment": "why; the ticket",
}
"""What people say, in the formats that people fill in: between the two."""


def record(printer: Printer, row: Row) -> Record:
    """Return a row with its columns by name."""
    return {column.name: column.read(printer, row) for column in COLUMNS}
