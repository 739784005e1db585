"""Read users, groups and their members, as Microsoft Graph and the Entra admin center export them."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Any, Final

from permcheck.exports.batch import CUT, Batch, CutError, Row, flag, folded, has, has_more, parts, text, texts, value
from permcheck.exports.gathered import At, Gathered, MemberList, Principal
from permcheck.exports.recognise import Found, type_of
from permcheck.model.estate import is_day

DAY: Final = len("2026-01-31")
DAYS: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
PREMIUM: Final = "entra-premium"
SIGN_INS: Final = ("lastSignInDateTime", "lastNonInteractiveSignInDateTime", "lastSuccessfulSignInDateTime")


def organization(into: Gathered, batch: Batch, _found: Found, number: int) -> None:
    """Read the tenant's id and name."""
    for entry, row in batch.entries():
        _tenant(into, text(row, "id"), batch)
        name, several = text(row, "displayName"), flag(row, "isMultipleDataLocationsForServicesEnabled")
        into.state_tenant((number, entry), name=name or None, multi_geo=several)


def _tenant(into: Gathered, id_: str, batch: Batch) -> None:
    if id_:
        into.tenants.setdefault(id_.casefold(), batch.file)


def subscriptions(into: Gathered, batch: Batch, found: Found, number: int) -> None:
    """Read which service plans the tenant has."""
    means = {plan.id: plan.means for plan in into.policy.service_plans}
    off, works = into.values.disabled_plan, into.values.usable_plan
    for entry, row in batch.entries():
        at, sku, plans = (number, entry), text(row, "skuId"), parts(row, "servicePlans")
        status = text(row, "capabilityStatus")
        if not sku or plans is None or not all(text(plan, "servicePlanId") for plan in plans):
            into.partial.add(found.kind.id)
            into.problem(at, "no-name", "the licence lacks its skuId or one of its plans", "export both", "warning")
            continue
        here = [p for p in plans if text(p, "provisioningStatus") not in off]
        told = {means[plan] for p in here if (plan := text(p, "servicePlanId").casefold()) in means}
        into.maybe_intune |= {text(p, "servicePlanId").casefold() for p in plans if _may_be_intune(into, p)}
        fields = {
            "id": sku,
            "plans": tuple(sorted(told)),
            "intune": tuple(id_ for p in here if means.get(id_ := text(p, "servicePlanId").casefold()) == "intune"),
            "maybe": tuple(text(p, "servicePlanId").casefold() for p in here if _may_be_intune(into, p)),
            "usable": status in works if status else None,
        }
        into.plans.put((("id", sku),), fields, at)


def _may_be_intune(into: Gathered, plan: Row) -> bool:
    """Tell whether a service plan that the policy lacks may be a licence for Intune: its name speaks of it."""
    known = {one.id for one in into.policy.service_plans}
    return text(plan, "servicePlanId").casefold() not in known and into.values.intune_plan.part_of(
        text(plan, "servicePlanName")
    )


def settle_subscriptions(into: Gathered, kind: str) -> None:
    """Tell whether the tenant has Microsoft Entra ID P1 or P2: a list that lacks entries can't deny it."""
    if kind not in into.read:
        return
    premium = [thing for thing in into.plans.things if PREMIUM in thing.fields["plans"]]
    usable = [thing for thing in premium if thing.fields.get("usable")]
    unknown = kind in into.partial or any("usable" not in thing.fields for thing in premium)
    if usable or not unknown:
        listed = (number for number, (_, found) in enumerate(into.batches) if found.kind.id == kind)
        first = (*usable, *into.plans.things)[:1]
        into.state_tenant(first[0].at if first else (next(listed), 0), entra_premium=bool(usable))


def users(into: Gathered, batch: Batch, _found: Found, number: int) -> None:
    """Read users. A property that was not exported is unknown; so is one that PowerShell left null for everybody."""
    silent = _silent(batch)
    for entry, row in batch.entries():
        user(into, row, (number, entry), silent, batch)


def _silent(batch: Batch) -> frozenset[str]:
    """Return properties of which a PowerShell export tells nothing: they are null or empty for everybody."""
    if not batch.pascal and batch.format != "csv":
        return frozenset()
    told: set[str] = set()
    keys: set[str] = set()
    for _, row in batch.entries():
        keys |= row.keys()
        told |= {key for key, item in row.items() if item not in (None, [], "")}
    return frozenset(keys - told)


def user(into: Gathered, row: Row, at: At, silent: frozenset[str], batch: Batch) -> None:
    """Read one user."""
    row = {key: item for key, item in row.items() if key not in silent}
    _tenant(into, text(row, "organizationId", "tenantId"), batch)
    upn, id_ = text(row, "userPrincipalName", "user principal name"), text(row, "id", "objectId", "object id")
    fields: dict[str, Any] = {
        "upn": upn or None,
        "id": id_ or None,
        "name": text(row, "displayName", "display name") or None,
        "enabled": flag(row, "accountEnabled", "account enabled"),
        "synced": _synced(row),
        "sid": text(row, "onPremisesSecurityIdentifier") or None,
        "on_premises_upn": text(row, "onPremisesUserPrincipalName") or None,
        "licensed": _licensed(into, row),
        "last_sign_in": _last_sign_in(row),
    }
    if not (upn or id_):
        into.left_open(at, "users", "the user has neither userPrincipalName nor id", "export both")
        return
    thing = into.users.put((("id", id_), ("upn", upn), ("sid", fields["sid"] or "")), fields, at)
    licences = parts(row, "assignedLicenses")
    if fields["licensed"] is None and licences is not None:
        held = tuple((text(x, "skuId").casefold(), _off(x)) for x in licences)
        into.licences.append((thing, held, at))


def _last_sign_in(row: Row) -> str | None:
    """Return the day, of a person or of a program for one; None where nobody ever did, or where it was not exported."""
    activity = value(row, "signInActivity")
    told = folded(activity) if isinstance(activity, dict) else {}
    return max((day for key in SIGN_INS if (day := _day(told, key))), default=None)


def _off(licence: Row) -> frozenset[str] | None:
    """Return the plans that are switched off in a licence; None where nobody tells."""
    off = texts(licence, "disabledPlans")
    return None if off is None else frozenset(plan.casefold() for plan in off)


def _synced(row: Row) -> bool | None:
    """Null is cloud-only, where it was asked for; an absent key, and a value that is no yes or no, are unknown."""
    if has(row, "onPremisesSyncEnabled"):
        return False if value(row, "onPremisesSyncEnabled") is None else flag(row, "onPremisesSyncEnabled")
    return True if flag(row, "directorySynced") else None


def _licensed(into: Gathered, row: Row) -> bool | None:
    """Tell whether a plan of Intune is assigned and works; None where one may be, or lacks its id or its state."""
    plans = parts(row, "assignedPlans")
    if plans is None:
        return None
    wanted = {plan.id for plan in into.policy.service_plans if plan.means == "intune"}
    works = into.values.usable_plan
    unknown = False
    for plan in plans:
        id_, status = text(plan, "servicePlanId").casefold(), text(plan, "capabilityStatus")
        if id_ in wanted and status in works:
            return True
        may = id_ in into.maybe_intune and (not status or status in works)
        unknown = unknown or not id_ or may or (id_ in wanted and not status)
    return None if unknown else False


def groups(into: Gathered, batch: Batch, _found: Found, number: int) -> None:
    """Read groups, with the members that were expanded."""
    silent = _silent(batch)
    for entry, row in batch.entries():
        kept = {key: item for key, item in row.items() if key not in silent}
        _tenant(into, text(row, "organizationId"), batch)
        group(into, kept, (number, entry), batch)


def group(into: Gathered, row: Row, at: At, batch: Batch) -> None:
    """Read one group."""
    id_, name = text(row, "id", "objectId"), text(row, "displayName")
    domain, account = text(row, "onPremisesNetBiosName"), text(row, "onPremisesSamAccountName")
    types = {into.values.group_type.says(word) for word in texts(row, "groupTypes") or ()}
    fields: dict[str, Any] = {
        "name": name or None,
        "id": id_ or None,
        "type": _group_type(row, types),
        "dynamic": True if "dynamic" in types else None,
        "role_assignable": flag(row, "isAssignableToRole"),
        "restricted_unit": _restricted(row),
        "sid": text(row, "onPremisesSecurityIdentifier") or None,
        "account": f"{domain}\\{account}" if domain and account else None,
    }
    if not (name or id_):
        into.left_open(at, "groups", "the group has neither displayName nor id", "export both")
        return
    names = (("id", id_), ("sid", fields["sid"] or ""), ("account", fields["account"] or ""))
    into.groups.put((*names, ("hand", name)), fields, at, {"name": id_})
    expanded = parts(row, "members")
    if expanded and id_:
        found = into.members.setdefault(id_.casefold(), MemberList())
        found.stated = True
        found.told.setdefault(at[0], at)
        found.partial = found.partial or has_more(row, "members") or _is_cut_off(into, len(expanded), batch)
        found.partial |= any(map(into.marks.removed, expanded))  # a list of changes need not have everybody
        found.direct += [p for item in expanded if (p := principal(into, item, at, batch)) is not None]


def _is_cut_off(into: Gathered, length: int, batch: Batch) -> bool:
    """Tell whether expanded members may lack some. PowerShell may have asked for more than an expansion has."""
    most = into.values.expanded_members.most
    return length == most if batch.pascal else length >= most


def _restricted(row: Row) -> bool | None:
    """Null is in no such unit, where it was asked for; an absent key is unknown."""
    return bool(flag(row, "isManagementRestricted")) if has(row, "isManagementRestricted") else None


def _group_type(row: Row, types: Collection[str | None]) -> str | None:
    """Return what a group is. Without groupTypes, one that gets mail may be one of Microsoft 365."""
    if "microsoft-365" in types:
        return "microsoft-365"
    secure, mail = flag(row, "securityEnabled"), flag(row, "mailEnabled")
    if secure and mail is False:
        return "security"
    if secure is None or mail is None or not has(row, "groupTypes"):
        return None
    return "mail-enabled-security" if secure else "distribution"


def principal(into: Gathered, row: Row, at: At, batch: Batch) -> Principal | None:
    """Read somebody in a list; what the entry tells about a user or group is kept. None for a device or a service.

    Somebody who has no name is somebody all the same: a principal without a name.
    """
    type_ = type_of(row) or text(row, "principalType", "objectType", "memberType", "member type")
    kind = into.values.principal_type.says(type_) or ""
    upn, id_ = text(row, "userPrincipalName", "user principal name"), text(row, "id", "objectId", "object id")
    if type_ and not kind:
        return None
    if into.marks.of(row) is not False:
        return _gone(into, row, at)
    kind = kind or ("user" if upn else "")
    if not (id_ or upn):
        into.problem(at, "no-name", "somebody in the list has neither an id nor a name", "export `id`", "warning")
    elif kind == "user" and upn:
        user(into, _known(row), at, frozenset(), batch)
    elif kind == "group" and text(row, "displayName"):
        group(into, _known(row), at, batch)
    return Principal(id_ or upn, kind, at)


def _gone(into: Gathered, row: Row, at: At) -> Principal | None:
    """Note somebody in a list who was deleted, or is no longer in it; nobody knows who it is where that is unclear."""
    if into.marks.deleted(row):
        into.say_gone(row, at)
    if into.marks.of(row):
        into.note("members that are marked as deleted or removed are none, and were left out", at)
        return None
    into.problem(at, "no-name", "nothing tells whether somebody in the list was deleted", "export it again", "warning")
    return Principal("", "", at)


def _known(row: Row) -> dict[str, Any]:
    """Keep what a list of members says for sure: PowerShell drops some properties there without a word."""
    kept = {"id", "objectid", "userprincipalname", "displayname", "securityenabled", "mailenabled", "grouptypes"}
    return {key: item for key, item in row.items() if key in kept}


def group_members(into: Gathered, batch: Batch, found: Found, number: int) -> None:
    """Read direct members: one list a group, or entries that name their group."""
    for owner, row, at, whole in _entries(into, batch, found, number):
        key = owner.casefold()
        if into.directory_roles.get(key) is not None:
            if whole and has_more(row, "members"):
                into.open.add("entra_roles")
            _role_holder(into, key, {} if whole else row, at, batch)
            continue
        members = into.members.setdefault(key, MemberList())
        members.stated = True
        members.told.setdefault(at[0], at)
        members.partial |= into.marks.removed(row) or (whole and has_more(row, "members"))
        if not whole:
            found_one = principal(into, row, at, batch)
            members.direct += [found_one] if found_one else []


def _role_holder(into: Gathered, role: str, row: Row, at: At, batch: Batch) -> None:
    from permcheck.exports.read_roles import holding

    holders = holding(into, into.directory_roles.get(role) or "")
    holders.stated = True
    somebody = principal(into, row, at, batch) if row else None
    holders.active += [somebody] if somebody else []


def transitive_members(into: Gathered, batch: Batch, found: Found, number: int) -> None:
    """Read direct and nested members: who is in a group, but not by which way."""
    for owner, row, at, whole in _entries(into, batch, found, number):
        members = into.members.setdefault(owner.casefold(), MemberList())
        members.all_stated = True
        members.partial |= into.marks.removed(row) or (whole and has_more(row, "transitiveMembers"))
        if not whole:
            somebody = principal(into, row, at, batch)
            members.anyhow += [somebody] if somebody else []


def _entries(into: Gathered, batch: Batch, found: Found, number: int) -> Iterator[tuple[str, Row, At, bool]]:
    """Read (group, member, where, whether it only says that the list is there: then it is what holds the list)."""
    if found.owner and batch.head.keys().isdisjoint({"groupid"}):
        yield found.owner, {}, (number, 0), True
        for entry, row in batch.entries():
            yield found.owner, row, (number, entry), False
        return
    for entry, row in batch.entries():
        owner, at = text(row, "groupId", "group"), (number, entry)
        inner = value(row, "transitiveMembers", "members")
        if not owner:
            help_ = "save the members of each group as groups/ID/members.json, or export them with their `groupId`"
            into.problem(at, "no-owner", "nothing tells whose members these are", help_)
            return
        if not has(row, "transitiveMembers", "members"):
            yield owner, {}, at, True
            yield owner, row, at, False
        elif (items := _inner(inner)) is not None:
            yield owner, row, at, True
            for item in items:
                yield owner, folded(item) if isinstance(item, dict) else {"id": item}, at, False


def _inner(members: Any) -> list[Any] | None:
    """Return the members inside an entry; None where they were not exported. Raises CutError."""
    found = [members] if isinstance(members, dict | str) else members
    for item in found if isinstance(found, list) else ():
        if isinstance(item, str) and CUT.match(item):
            raise CutError(item)
    return found if isinstance(found, list) and members else [] if members == [] else None


def entra_members(into: Gathered, batch: Batch, found: Found, number: int) -> None:
    """Read the Entra admin center's download of a group's members; its name tells the group."""
    group_members(into, batch, found, number)


def group_eligibility(into: Gathered, batch: Batch, _found: Found, number: int) -> None:
    """Read who may activate membership of a group; an eligibility that has ended, or not begun, is none."""
    for entry, row in batch.entries():
        at, owner = (number, entry), text(row, "groupId")
        access = text(row, "accessId")
        if access and access not in into.values.member_access:
            continue
        inner = value(row, "principal")
        who = principal(into, folded(inner), at, batch) if isinstance(inner, dict) else None
        if who is None and isinstance(inner, dict) and into.marks.of(folded(inner)):
            continue
        who = who or Principal(text(row, "principalId"), "", at)
        if not (owner and who.name):
            into.problem(
                at, "no-name", "the eligibility lacks its groupId or its principalId", "export both", "warning"
            )
        elif is_current(into, row):
            into.eligible.setdefault(owner.casefold(), []).append(who)


def is_current(into: Gathered, row: Row) -> bool:
    """Tell whether an eligibility holds on the day of the estate, as far as one is known."""
    if text(row, "status") in into.values.ended_eligibility:
        return False
    schedule = value(row, "scheduleInfo")
    told = folded(schedule) if isinstance(schedule, dict) else row
    expiration = value(told, "expiration")
    until = folded(expiration) if isinstance(expiration, dict) else row
    start, end = _day(told, "startDateTime"), _day(until, "endDateTime")
    begun = not into.day or not start or start <= into.day
    over = bool(into.day and end) and end < into.day
    return begun and not over


def _day(row: Row, key: str) -> str:
    """Return the day of a time; empty where there is none that can be read."""
    day = text(row, key)[:DAY]
    return day if DAYS.fullmatch(day) and is_day(day) else ""
