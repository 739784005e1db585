"""Say what an import read, what it left out, what is missing, and what that leaves open."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Final, NamedTuple

from permcheck.exports.folder import Imported
from permcheck.model import policy as form
from permcheck.model.base import Form
from permcheck.model.estate import SECTIONS
from permcheck.model.policy_exports import Export
from permcheck.model.policy_index import Policy

FEW: Final = 3
SUBJECTS: Final = {
    "tenant": "tenant",
    "hierarchy": "hierarchies",
    "user": "users",
    "device": "devices",
    "script": "scripts",
    "application": "applications",
}
RESTS_ON: Final[dict[str, tuple[str, ...]]] = {
    "hierarchy.version": ("hierarchies.version",),
    "hierarchy.lowest_version": ("hierarchies.version", "hierarchies.sites"),
    "hierarchy.tenant_attached": ("hierarchies.tenant_attached",),
    "user.discovered_upn_kind": ("users.discovered_upn", "users.on_premises_upn"),
    "user.guest": (),
    "user.sign_in_matches": (),
    "user.direct_role_member": ("groups.members",),
    "device.uploaded": ("devices.uploaded", "hierarchies.upload", "hierarchies.tenant_attached"),
    "device.in_tenant": ("devices.uploaded", "hierarchies.upload", "hierarchies.tenant_attached"),
    "device.client_current": ("devices.client_version",),
    "script.authored_by_user": ("scripts.author",),
    "application.user_targeted": ("applications.deployed_to",),
    "action.entity_documented": (),
}
"""What facts rest on that follow from others."""
PEOPLE: Final = ("users", "groups", "groups.members")
CLOUD: Final = (*PEOPLE, "groups.type", "intune_roles", "intune_assignments", "entra_roles")
SECURITY: Final = (
    *PEOPLE,
    "users.account",
    "groups.account",
    "security_roles",
    "security_roles.permissions",
    "security_roles.undecided",
    "administrative_users",
    "administrative_users.assignments",
    "collections",
    "collections.limited_to",
    "devices",
    "devices.collections",
)
KINDS: Final[dict[str, tuple[str, ...]]] = {
    "right": SECURITY,
    "same-collection": SECURITY,
    "role-exists": ("security_roles", "security_roles.permissions"),
    "grant": (*CLOUD, "app_roles"),
    "any-role": CLOUD,
    "scope-tag": ("intune_assignments", "groups.members"),
    "group-type": ("groups.type", "intune_assignments"),
    "app-role-group": ("app_roles", "tenant.entra_premium", "groups.members"),
    "switch": ("tenant.use_intune_rbac", "hierarchies.enforce_configmgr_rbac", "hierarchies.version"),
}
"""What tests look at that compare no single fact."""


class ReadList(NamedTuple):
    """A list that was read, and why it was taken for what it is."""

    title: str
    file: str
    path: str
    entries: int
    why: str


class Gap(NamedTuple):
    """Something that is not known, what it leaves open, and how it is filled."""

    title: str
    facts: tuple[str, ...]
    actions: tuple[str, ...]
    powershell: str
    rest: str
    manual: str
    permission: str


class Report(NamedTuple):
    """Everything that is worth saying of an import."""

    read: tuple[ReadList, ...]
    left_out: tuple[str, ...]
    notes: tuple[str, ...]
    gaps: tuple[Gap, ...]
    actions: int
    """How many actions there are."""


def report(imported: Imported, policy: Policy) -> Report:
    """Make the report of an import."""
    gathered = imported.gathered
    read = tuple(
        ReadList(found.kind.title, batch.file, batch.path, batch.length, found.why)
        for batch, found in gathered.batches
        if batch.format != "estate"
    )
    unknown = (Path(batch.file) for batch in imported.unknown)
    left_out = (*_by_folder(unknown, "nothing is known by"), *_by_folder(imported.ignored, "not read are"))
    notes = tuple(_counted(text, len(places)) for text, places in gathered.notes.items())
    return Report(read, left_out, notes, tuple(gaps(imported, policy)), len(policy.actions))


def _by_folder(paths: Iterable[Path], said: str) -> Iterator[str]:
    """Say what was left out in one line a folder."""
    folders: dict[Path, dict[str, None]] = {}
    for path in paths:
        folders.setdefault(path.parent, {})[path.name] = None
    for folder, files in folders.items():
        few, more = ", ".join(list(files)[:FEW]), len(files) - FEW
        yield f"{folder}: {said} {few}" + (f" and {more} more" if more > 0 else "")


def _counted(text: str, count: int) -> str:
    return text if count == 1 else f"{text} ({count} times)"


def gaps(imported: Imported, policy: Policy) -> Iterator[Gap]:
    """Return what the estate does not tell, though a tool exports it or a console shows it."""
    known, assumed = known_facts(imported), _assumed(imported, policy)
    for kind in (*policy.exports.values(), *policy.unexported):
        needed = kind.needed or kind.id.startswith("fact.")
        facts = tuple(fact for fact in kind.fills if fact not in known and _asked(imported, fact))
        if needed and facts and kind.id not in imported.gathered.read - imported.gathered.partial:
            gap = _gap(kind, facts, policy, assumed)
            if gap.actions:
                yield gap


def _asked(imported: Imported, fact: str) -> bool:
    """Tell whether somebody could state a fact: a field of a section without records can't be stated."""
    section, _, name = fact.partition(".")
    return not name or section == "tenant" or any(imported.joined.values(section))


def _assumed(imported: Imported, policy: Policy) -> frozenset[str]:
    """Return requirements that the estate vouches for."""
    patterns = imported.joined.scalars.get("assume", ())
    return frozenset(id_ for id_ in policy.requirements if any(fnmatchcase(id_, pattern) for pattern in patterns))


def _gap(kind: Export, facts: tuple[str, ...], policy: Policy, assumed: frozenset[str]) -> Gap:
    actions = tuple(action for action in policy.actions if looks_at(policy, action, assumed) & set(facts))
    commands = kind.powershell or "", kind.rest or "", kind.manual or ""
    return Gap(kind.title, facts, actions, *commands, kind.permission or "")


def known_facts(imported: Imported) -> frozenset[str]:
    """Return sections, and fields of sections, that every record states."""
    joined = imported.joined
    incomplete = set(joined.scalars.get("incomplete", ()))
    found: set[str] = set()
    tenant = joined.scalars.get("tenant")
    if tenant is not None:
        found |= {f"tenant.{name}" for name in tenant.model_fields_set}
    for section in SECTIONS:
        if section in joined.sections and section not in incomplete:
            found.add(section)
        forms = [record.value for record in joined.values(section)]
        if forms:
            every = set.intersection(*(_stated(one) for one in forms))
            found |= {f"{section}.{name}" for name in every}
    told = (kind for kind in imported.gathered.read - imported.gathered.partial)
    optional = {fill for kind in told if kind in imported.gathered.policy.exports for fill in _optional(imported, kind)}
    return frozenset(found | optional)


def _optional(imported: Imported, kind: str) -> Iterator[str]:
    """Fields that an export tells by leaving them out: what it does not list is not so."""
    for fill in imported.gathered.policy.exports[kind].fills:
        if fill.partition(".")[2] in {"eligible", "undecided", "include", "exclude", "limited_to", "account", "sid"}:
            yield fill


def _stated(one: Any) -> set[str]:
    return {name for name in one.model_fields_set if getattr(one, name) is not None}


def looks_at(policy: Policy, action: str, assumed: frozenset[str] = frozenset()) -> frozenset[str]:
    """Return the facts that some requirement of an action looks at, besides those that are assumed."""
    found: set[str] = set()
    for id_ in _requirements(policy, policy.actions[action]) - assumed:
        for test in _tests(policy.requirements[id_]):
            found |= _facts(test)
    return frozenset(found)


def _requirements(policy: Policy, action: form.Action) -> frozenset[str]:
    """Return what an action needs, and what decides who decides."""
    switches = policy.authority.switch_requirements if action.authority else ()
    return policy.requirements_of(action) | policy.requirement_ids(switches)


def _tests(requirement: form.Requirement) -> Iterator[Form]:
    stack: list[Any] = [case.test for case in requirement.tests]
    while stack:
        test = stack.pop()
        if isinstance(test, form.Combined):
            stack += [case.test for case in test.of]
        else:
            yield test


def _facts(test: Any) -> set[str]:
    names = [*getattr(test, "facts", ()), *([test.fact] if hasattr(test, "fact") else [])]
    found = set(KINDS.get(test.kind, ()))
    for name in names:
        subject, _, attribute = name.partition(".")
        found |= set(RESTS_ON.get(name, (f"{SUBJECTS.get(subject, subject)}.{attribute}",)))
    return found


def as_document(found: Report) -> Mapping[str, Any]:
    """Return a report as plain values."""
    return {
        "format": "permcheck-import/1",
        "read": [one._asdict() for one in found.read],
        "left_out": list(found.left_out),
        "notes": list(found.notes),
        "gaps": [one._asdict() for one in found.gaps],
    }
