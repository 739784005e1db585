"""Read `KEY=VALUE` as a change of an estate.

use-intune-rbac=on                      the tenant-wide toggle
tenant.entra_premium=yes                any fact of the tenant
hierarchy:P01.enforce-cm-rbac=cleared   the checkbox; or any fact of a hierarchy
user:anna@contoso.com.synced=no         any fact of a user, device, script or application
group:SG-Helpdesk.add=anna@contoso.com  a member more; `.remove` one less (a user or a group)
group:SG-Helpdesk.type=security         any fact of a group
intune-role:Help Desk Operator.add=anna@contoso.com
entra-role:Intune Administrator.add=anna@contoso.com
app-role:Configuration Manager Microservice/Admin User.add=anna@contoso.com
security-role:P01/Remote Tools Operator@All Systems.add=anna@contoso.com
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from permcheck.ask import Asker
from permcheck.errors import AmbiguousNameError, QuestionError
from permcheck.evaluate.change import require_fact
from permcheck.loading.resolve_people import group_names
from permcheck.model import change as c
from permcheck.model.fold import fold_case
from permcheck.model.names import Names
from permcheck.model.tables import hierarchy_of

SHORT = {"use-intune-rbac": "tenant.use_intune_rbac"}
FACT_NAMES = {"enforce-cm-rbac": "enforce_configmgr_rbac", "enforce_cm_rbac": "enforce_configmgr_rbac"}
WORDS = {"true": True, "yes": True, "false": False, "no": False}
FORM = "write KEY=VALUE, such as use-intune-rbac=on or hierarchy:P01.enforce-cm-rbac=off"


def read_changes(asker: Asker, texts: Iterable[str]) -> tuple[c.Change, ...]:
    """Read several changes. Raises QuestionError or UnknownNameError."""
    return tuple(read_change(asker, text) for text in texts)


def read_change(asker: Asker, text: str) -> c.Change:
    """Read one change. Raises QuestionError or UnknownNameError."""
    key, equals, value = text.partition("=")
    subject, _, name = SHORT.get(key, key).partition(":")
    if not equals:
        message = f"`{text}` is not a change"
        raise QuestionError(message, FORM)
    if subject.startswith("tenant."):
        return c.SetFact("tenant", "", _fact("tenant", subject.removeprefix("tenant.")), _value(value))
    head, dot, last = name.rpartition(".")
    if not dot:
        message = f"`{key}` names no fact"
        raise QuestionError(message, FORM)
    if subject == "group" and last in {"add", "remove"}:
        return _group(asker, head, last, value)
    if subject in RECORDS:
        return c.SetFact(subject, RECORDS[subject](asker).find(head), _fact(subject, last), _value(value))
    if subject in GRANTS and last == "add":
        return GRANTS[subject](asker, head, value)
    if subject in GRANTS:
        message = f"`{key}` says nothing that can be done"
        raise QuestionError(message, f"write {subject}:{head}.add=USER; `group:NAME.remove=USER` takes rights away")
    message = f"`{subject}` is nothing that can be changed"
    raise QuestionError(message, "known are tenant, " + ", ".join((*RECORDS, *GRANTS)))


def _fact(subject: str, name: str) -> str:
    fact = FACT_NAMES.get(name, name.replace("-", "_"))
    require_fact(subject, fact)
    return fact


def _value(text: str) -> Any:
    plain = text.strip()
    folded = fold_case(plain)
    if folded in {"unknown", "null", ""}:
        return None
    if folded in WORDS:
        return WORDS[folded]
    if "," in plain:
        return [part.strip() for part in plain.split(",") if part.strip()]
    return int(plain) if plain.isdigit() else plain


def _objects(kind: str, section: str) -> Callable[[Asker], Names]:
    def names(asker: Asker) -> Names:
        records = getattr(asker.tables, section)
        return Names(kind, ((key, (form.name, f"{hierarchy_of(key)}/{form.name}")) for key, form in records.items()))

    return names


RECORDS: dict[str, Callable[[Asker], Names]] = {
    "hierarchy": lambda asker: asker.hierarchies,
    "user": lambda asker: asker.users,
    "device": lambda asker: asker.devices,
    "group": lambda asker: group_names(asker.tables.groups),
    "script": _objects("script", "scripts"),
    "application": _objects("application", "applications"),
}
"""What has facts of its own."""


def _group(asker: Asker, name: str, verb: str, value: str) -> c.Change:
    groups = group_names(asker.tables.groups)
    group, inner = groups.find(name), groups.get(value)
    if verb == "add":
        return c.AddMember(group, asker.users.find(value))
    return c.RemoveMember(group, inner, "group") if inner else c.RemoveMember(group, asker.users.find(value))


def _intune_role(asker: Asker, name: str, value: str) -> c.Change:
    custom = Names("Intune role", ((key, (role.name, key)) for key, role in asker.tables.intune_roles.items()))
    listed, built_in = custom.meant(name), asker.policy.role_names("intune").meant(name)
    if listed and built_in:
        raise AmbiguousNameError("Intune role", name, (*listed, *built_in))
    user = asker.users.find(value)
    if listed:
        return c.AssignIntuneRole(custom.find(name), built_in=False, user=user)
    return c.AssignIntuneRole(asker.policy.find_role("intune", name), built_in=True, user=user)


def _entra_role(asker: Asker, name: str, value: str) -> c.Change:
    return c.AssignEntraRole(asker.policy.find_role("entra", name), asker.users.find(value))


def _app_role(asker: Asker, name: str, value: str) -> c.Change:
    return c.AssignAppRole(asker.policy.find_permission("entra", name), asker.users.find(value))


def _security_role(asker: Asker, name: str, value: str) -> c.Change:
    where, at, collection = name.partition("@")
    hierarchy_name, slash, role_name = where.partition("/")
    if not at or not slash:
        message = f"`{name}` names no role on a collection"
        raise QuestionError(message, "write security-role:HIERARCHY/ROLE@COLLECTION.add=USER")
    hierarchy = asker.hierarchies.find(hierarchy_name)
    tables = asker.tables
    roles = ((k, (r.name,)) for k, r in tables.security_roles.items() if r.hierarchy == hierarchy)
    collections = ((k, (x.name, x.id)) for k, x in tables.collections.items() if hierarchy_of(k) == hierarchy)
    return c.AssignSecurityRole(
        hierarchy,
        Names("security role", roles).find(role_name),
        asker.users.find(value),
        Names("collection", collections).find(collection),
        asker.policy.default_scope,
    )


GRANTS: dict[str, Callable[[Asker, str, str], c.Change]] = {
    "intune-role": _intune_role,
    "entra-role": _entra_role,
    "app-role": _app_role,
    "security-role": _security_role,
}
"""What can be given."""
