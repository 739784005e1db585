"""Look facts up: those that the estate states, and those that follow from them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

from permcheck.evaluate.cloud import by_directory_role
from permcheck.evaluate.outcome import Context
from permcheck.evaluate.worlds import switch_value
from permcheck.graph.rights import is_nested
from permcheck.model.builds import dotted
from permcheck.model.fold import fold_case
from permcheck.model.provenance import Origin
from permcheck.model.state import MET, UNKNOWN
from permcheck.model.tables import Key

FactValue: TypeAlias = bool | int | str | tuple[str, ...] | None


class Fact(NamedTuple):
    """A fact: its value (None: unknown), how the estate would state it, and where it does."""

    value: FactValue
    name: str
    origin: Origin | None = None
    text: str = ""


def fact(context: Context, name: str) -> Fact:
    """Look up `subject.fact`, such as `device.online`."""
    subject, _, attribute = name.partition(".")
    section, key, label = _subject(context, subject)
    value = _value(context, name, section, key)
    shown = f"{subject}[{label}].{attribute}" if label else name
    stated = value is not None and section is not None
    origin = context.origin(section or "", key, attribute) if stated else None
    return Fact(value, shown, origin, f"{shown} is {_shown(value)}")


def _value(context: Context, name: str, section: str | None, key: Key) -> FactValue:
    derived, record = DERIVED.get(name), _record(context, section, key)
    return derived(context, record) if derived else getattr(record, name.partition(".")[2], None)


def _shown(value: FactValue) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return ", ".join(value) or "empty"
    return str(value) if value != "" else "empty"


def _subject(context: Context, subject: str) -> tuple[str | None, Key, str]:
    """Section, key and label of what a fact is about."""
    question, tables = context.question, context.tables
    match subject:
        case "tenant":
            return "tenant", "", ""
        case "hierarchy" if question.hierarchy:
            return "hierarchies", question.hierarchy, tables.hierarchies[question.hierarchy].id
        case "user":
            return "users", question.user, tables.users[question.user].upn
        case "device" if question.device:
            return "devices", question.device, tables.devices[question.device].name
        case "script" | "application" if question.object:
            section = subject + "s"
            return section, question.object, getattr(tables, section)[question.object].name
    return None, "", ""


def _record(context: Context, section: str | None, key: Key) -> Any:
    if section is None:
        return None
    return context.tables.tenant if section == "tenant" else getattr(context.tables, section)[key]


def _toggle(context: Context, tenant: Any) -> FactValue:
    value = context.world.toggle if context.world.toggle is not None else switch_value(tenant.use_intune_rbac)
    return None if value is None else ("on" if value else "off")


def _version(context: Context, _: Any) -> FactValue:
    return context.world.version


def _lowest_version(context: Context, hierarchy: Any) -> FactValue:
    sites = [site.version for site in (hierarchy.sites if hierarchy else None) or ()]
    own = [context.world.version] if context.world.version is not None else []
    return min([*sites, *own], default=None)


def _guest(context: Context, user: Any) -> FactValue:
    return context.policy.is_guest(user.upn)


def _sign_in_matches(context: Context, user: Any) -> FactValue:
    if user.signs_in_with is None:
        return None
    return fold_case(user.signs_in_with) == context.question.user


def _discovered_upn_kind(_: Context, user: Any) -> FactValue:
    if user.discovered_upn is None:
        told = user.discovered_by is not None and not user.discovery_incomplete
        never = told and "ad" not in user.discovered_by
        return "empty" if never else None
    if not user.discovered_upn:
        return "empty"
    if user.on_premises_upn is None:
        return None
    same = fold_case(user.discovered_upn) == fold_case(user.on_premises_upn)
    return "on-premises" if same else "cloud"


def _direct_role_member(context: Context, _: Any) -> FactValue:
    """Tell whether no Intune role of the user comes through nested groups only."""
    ways, directory = context.rights.intune, by_directory_role(context)
    if directory is MET or any(w.state is MET and is_nested(w.grants) is False for w in ways):
        return True
    unsure = any(w.state is UNKNOWN or (w.state is MET and is_nested(w.grants) is None) for w in ways)
    if unsure or directory is UNKNOWN or context.tables.doubtful("groups", "intune_assignments"):
        return None
    return not any(w.state is MET for w in ways)


def _uploaded(context: Context, device: Any) -> FactValue:
    """Stated, or from the upload scope of the hierarchy."""
    hierarchy = context.tables.hierarchies.get(context.question.hierarchy or "")
    if device is None or device.uploaded is not None or hierarchy is None:
        return None if device is None else device.uploaded
    if hierarchy.tenant_attached is False:
        return False
    if hierarchy.tenant_attached is None or hierarchy.upload is None:
        return None
    if hierarchy.upload == "all":
        return True
    return _in_upload_collection(context, context.tables.uploaded_collection(context.question.hierarchy or ""))


def _tenant_attached(context: Context, hierarchy: Any) -> FactValue:
    """Stated, or shown by a device that is uploaded."""
    device = context.tables.devices.get(context.question.device or "")
    shown = True if device is not None and device.uploaded else None
    return None if hierarchy is None else _agreed(hierarchy.tenant_attached, shown)


def _in_upload_collection(context: Context, collection: Key | None) -> FactValue:
    coverage = context.membership.coverage(context.question.device or "")
    inside = context.tables.device_collections.get(context.question.device or "", frozenset())
    if collection in coverage.above:
        since = context.policy.features["upload-limited-collections"].since
        return collection in inside or (context.world.version is not None and context.world.version >= since)
    return None if coverage.open else False


def _client_current(context: Context, device: Any) -> FactValue:
    """Stated, or the client's build against that of the hierarchy's release."""
    if device is None or device.client_current is not None or device.client_version is None:
        return None if device is None else device.client_current
    hierarchy = context.tables.hierarchies.get(context.question.hierarchy or "")
    lowest = _lowest_version(context, hierarchy)
    release = context.policy.versions.get(lowest) if isinstance(lowest, int) else None
    if release is None or release.build is None:
        return None
    build = dotted(release.build)
    return dotted(device.client_version)[: len(build)] >= build


def _authored(context: Context, script: Any) -> FactValue:
    if script is None or script.author is None:
        return None
    user = context.tables.users[context.question.user]
    names = {fold_case(n) for n in (user.upn, user.id, user.sid, user.account) if n}
    return fold_case(script.author) in names


def _user_targeted(context: Context, application: Any) -> FactValue:
    if application is None:
        return None
    targets = context.tables.deployed_to.get(context.question.object or "")
    kinds = {context.tables.collections[key].kind for key in targets or ()}
    unknown = targets is None or ("user" not in kinds and None in kinds)
    return _agreed(application.user_targeted, None if unknown else "user" in kinds)


def _agreed(stated: bool | None, follows: bool | None) -> bool | None:  # noqa: FBT001 - both are facts
    """Return a fact that is stated, and follows from others; None where nobody knows, or they contradict."""
    if stated is None or follows is None:
        return follows if stated is None else stated
    return stated if stated == follows else None


def _entity_documented(context: Context, _: Any) -> FactValue:
    question = context.question
    return question.variant is None or any(v.id == question.variant for v in question.action.variants)


DERIVED: dict[str, Callable[[Context, Any], FactValue]] = {
    "tenant.use_intune_rbac": _toggle,
    "hierarchy.version": _version,
    "hierarchy.lowest_version": _lowest_version,
    "user.guest": _guest,
    "user.sign_in_matches": _sign_in_matches,
    "user.discovered_upn_kind": _discovered_upn_kind,
    "user.direct_role_member": _direct_role_member,
    "hierarchy.tenant_attached": _tenant_attached,
    "device.uploaded": _uploaded,
    "device.in_tenant": _uploaded,
    "device.client_current": _client_current,
    "script.authored_by_user": _authored,
    "application.user_targeted": _user_targeted,
    "action.entity_documented": _entity_documented,
}
"""Facts that follow from others."""
FROM_ROLES = frozenset({"user.direct_role_member"})
"""Facts of a user that follow from the roles that the user holds in the cloud."""
