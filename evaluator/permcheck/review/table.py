"""The columns of a review: stable names, what each says, and how it is taken from a row."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from permcheck.model.policy_index import Policy
from permcheck.model.state import Verdict
from permcheck.model.tables import Key, Tables
from permcheck.review.row import Devices, Row

Value: TypeAlias = str | int | bool | tuple[str, ...] | None
FEW = 20
"""So many names are listed in a row; more stand in the table of sets."""
NAMESPACE = uuid.UUID("6f1d4a63-6d0e-5b0e-9d5c-3f6a1c5a7f10")


class NameSet(NamedTuple):
    """The members of a set that is too long for a row."""

    id: str
    kind: str
    """`users` or `devices`."""
    size: int
    names: Callable[[], Iterator[str]]


@dataclass(frozen=True)
class Printer:
    """Turns keys into names, and remembers the sets that rows refer to."""

    tables: Tables
    policy: Policy
    sets: dict[str, NameSet] = field(default_factory=dict)

    def users(self, row: Row) -> str:
        """Return the users of a row: their names, or the name of their set."""
        return self._listed("users", len(row.users), lambda: (self.user(key) for key in row.users))

    def devices(self, devices: Devices) -> str:
        """Return the devices of a row: their names, or the name of their set."""
        if not devices.area.on_devices:
            return ""
        return self._listed("devices", devices.count, lambda: (self.device(key) for key in devices.each()))

    def _listed(self, kind: str, count: int, names: Callable[[], Iterator[str]]) -> str:
        if count <= FEW:
            return "; ".join(sorted(names()))
        digest = uuid.uuid5(NAMESPACE, "\n".join(sorted(names())))
        found = self.sets.setdefault(str(digest), NameSet(f"{kind}-{digest}", kind, count, names))
        return found.id

    def user(self, key: Key) -> str:
        """Return the UPN of a user."""
        found = self.tables.users.get(key)
        return found.upn if found else key

    def device(self, key: Key) -> str:
        """Return the name of a device."""
        found = self.tables.devices.get(key)
        return found.name if found else key

    def hierarchy(self, key: Key | None) -> str:
        """Return the id of a hierarchy; empty for the tenant."""
        if key is None:
            return ""
        found = self.tables.hierarchies.get(key)
        return found.id if found else key

    def fact(self, row: Row, name: str) -> Value:
        """Return a fact of the user, where a row is about one."""
        if len(row.users) != 1:
            return None
        value: Value = getattr(self.tables.users.get(row.users[0]), name, None)
        return value


class Column(NamedTuple):
    """A column: its name, what it says, and how it is read from a row."""

    name: str
    says: str
    read: Callable[[Printer, Row], Value]


def _reason(_: Printer, row: Row) -> Value:
    if row.verdict is Verdict.ALLOW:
        return ""
    return row.evidence.unmet


def _access(_: Printer, row: Row) -> Value:
    if row.verdict is not Verdict.ALLOW:
        return ""
    if row.evidence.direct:
        return "direct"
    most = max((len(trail.names("group")) for trail in row.evidence.trails), default=0)
    return ("none", "group", "nested group")[min(most, 2)]


def _readings(_: Printer, row: Row) -> Value:
    return row.evidence.contested


def _id(printer: Printer, row: Row) -> Value:
    """Return the same id for the same capability of the same people over the same devices."""
    path = "|".join(map(str, row.evidence.trails))
    parts = (printer.users(row), str(row.act), printer.hierarchy(row.hierarchy), printer.devices(row.devices), path)
    return str(uuid.uuid5(NAMESPACE, "\n".join((*parts, row.verdict.value, row.evidence.authority))))


COLUMNS = (
    Column("row_id", "the same for the same users, action, devices, verdict and path in every review", _id),
    Column("verdict", "`allow`, `deny` or `undetermined`", lambda _, r: r.verdict.value),
    Column("action", "id of the action, as in `permcheck actions`", lambda _, r: str(r.act)),
    Column("action_title", "the action as people call it", lambda _, r: r.act.action.title),
    Column("effect", "`view`, `act` or `administer`", lambda _, r: r.act.action.effect),
    Column("authority", "who decides: `configmgr`, `intune` or `both`", lambda _, r: r.evidence.authority),
    Column("hierarchy", "id of the hierarchy; empty for the tenant", lambda p, r: p.hierarchy(r.hierarchy)),
    Column("users", "UPNs, or a set of the second table", lambda p, r: p.users(r)),
    Column("user_count", "how many users", lambda _, r: len(r.users)),
    Column("devices", "names, or a set of the second table; empty without devices", lambda p, r: p.devices(r.devices)),
    Column("device_count", "how many devices", lambda _, r: r.devices.count),
    Column("cells", "how many single answers the row stands for", lambda _, r: r.cells),
    Column("path", "groups, assignments, roles and collections", lambda _, r: tuple(map(str, r.evidence.trails))),
    Column("access", "`direct`, `group`, `nested group`, or `none` where no grant is needed", _access),
    Column("groups", "groups on the path", lambda _, r: r.evidence.groups),
    Column("roles", "roles on the path", lambda _, r: r.evidence.roles),
    Column("role_assignments", "Intune role assignments on the path", lambda _, r: r.evidence.assignments),
    Column("collections", "collections on the path", lambda _, r: r.evidence.collections),
    Column("reason", "requirements that fail", _reason),
    Column("missing", "facts that would settle an undetermined answer", lambda _, r: r.evidence.missing),
    Column("assumed", "requirements that the estate takes as met", lambda _, r: r.evidence.assumed),
    Column("error", "what the person sees", lambda _, r: r.evidence.error),
    Column("editions", "editions of the documents that were applied", lambda _, r: r.evidence.editions),
    Column("readings", "contested passages on which it rests", _readings),
    Column("name", "display name, where the row is about one user", lambda p, r: p.fact(r, "name")),
    Column("account", "on-premises account, likewise", lambda p, r: p.fact(r, "account")),
    Column("object_id", "object id in Microsoft Entra ID, likewise", lambda p, r: p.fact(r, "id")),
    Column("enabled", "whether the account is enabled, likewise", lambda p, r: p.fact(r, "enabled")),
    Column("synced", "whether it is synced from Active Directory, likewise", lambda p, r: p.fact(r, "synced")),
    Column("last_sign_in", "day of the last sign-in, likewise", lambda p, r: p.fact(r, "last_sign_in")),
    Column("sources", "passages of Microsoft's documents", lambda _, r: r.evidence.sources),
)
"""What permcheck says."""
SIGN_OFF = {
    "decision": "`keep` or `remove`; empty: not decided",
    "reviewer": "who decided",
    "decided_at": "when",
    "comment": "why; the ticket",
}
"""What people say."""


def record(printer: Printer, row: Row) -> Mapping[str, Value]:
    """Return a row with its columns by name; those of the sign-off are empty."""
    return {column.name: column.read(printer, row) for column in COLUMNS} | dict.fromkeys(SIGN_OFF, "")
