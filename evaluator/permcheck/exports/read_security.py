"""Read security roles and administrative users of Configuration Manager."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import combinations
from typing import Any, Final, NamedTuple, TypeAlias

from permcheck.errors import UnknownNameError
from permcheck.exports.batch import Batch, Row, flag, fold, folded, has, names, parts, text, texts, value, whole
from permcheck.exports.gathered import NOTHING, At, Called, Gathered, Register, RoleOperations, by_class, called
from permcheck.exports.masks import Masks, Site, operations_in, operations_of
from permcheck.exports.read_configmgr import AGAIN, BITS
from permcheck.exports.recognise import Found
from permcheck.model.fold import fold_case
from permcheck.model.policy_index import Policy

Named: TypeAlias = Mapping[str, Iterable[str]]
"""Class -> names of operations."""
Pairs: TypeAlias = frozenset[tuple[str, str]]
"""Classes and operations, as the policy calls them."""


class Flat(NamedTuple):
    """How a table says what consists of parts: each part is a line, with the record that it belongs to."""

    section: str
    name: str
    ids: tuple[str, ...]
    """What identifies a record: lines are of one record only if they agree in all of them."""
    inner: str
    """Where the parts would stand in the record."""
    signs: tuple[str, ...]
    """What a part consists of; the last is in no record."""


ROLES: Final = Flat("security_roles", "RoleName", ("RoleID",), "Operations", ("GrantedOperations", "ObjectTypeID"))
ADMINS: Final = Flat(
    "administrative_users",
    "LogonName",
    ("AdminID", "AdminSid"),
    "Permissions",
    ("RoleID", "RoleName", "CategoryID", "CategoryName", "CategoryTypeID"),
)


class Key(NamedTuple):
    """What a line says of whose it is."""

    name: str
    site: str
    ids: tuple[str, ...]


def security_roles(into: Gathered, batch: Batch, _found: Found, number: int) -> None:
    """Read security roles. A list query leaves `Operations` empty, so an empty one tells nothing."""
    for entry, row in _joined(into, batch, number, ROLES):
        site, operations = text(row, "SourceSite"), parts(row, "Operations")
        if into.left_out((number, entry), "security_roles", site):
            continue
        owner = into.hierarchy(batch, site)
        put_role(into, owner, row, _masks(into, operations, (number, entry)) if operations else None, (number, entry))


def _joined(into: Gathered, batch: Batch, number: int, flat: Flat) -> Iterator[tuple[int, Row]]:
    """Read entries; where each line is one part of a record, as a CSV file has to say it, join the parts.

    What the further lines say of the record itself is read, too.
    """
    apart: dict[Key, list[tuple[int, Row]]] = {}
    for entry, row in batch.entries():
        if has(row, flat.inner) or not has(row, flat.signs[-1]):
            yield entry, row
        else:
            apart.setdefault(_key(row, flat), []).append((entry, row))
    unclear = _unclear(apart)
    for key, lines in apart.items():
        (first, row), *further = lines
        if key in unclear:
            _tell_unclear(into, (number, first), text(row, flat.name), flat)
            continue
        told = [line for _, line in lines if any(text(line, sign) for sign in flat.signs)]
        yield first, {**row, fold(flat.inner): told}
        yield from further


def _tell_unclear(into: Gathered, at: At, name: str, flat: Flat) -> None:
    message = f"lines about `{name}` lack an id that others state, or share one of two: whose they are is unknown"
    into.left_open(at, flat.section, message, f"export {' and '.join(flat.ids)} with every line")


def _key(row: Row, flat: Flat) -> Key:
    ids = tuple(text(row, id_).upper() for id_ in flat.ids)
    return Key(text(row, flat.name).casefold(), text(row, "SourceSite").casefold(), ids)


def _unclear(keys: Collection[Key]) -> set[Key]:
    """Return records of one name that can't be told apart: they share an id, or no id is stated by both."""
    named: dict[tuple[str, str], list[Key]] = {}
    for key in keys:
        named.setdefault((key.name, key.site), []).append(key)
    pairs = (pair for several in named.values() for pair in combinations(several, 2))
    return {key for pair in pairs if not _are_two(*pair) for key in pair}


def _are_two(one: Key, other: Key) -> bool:
    equal = {a == b for a, b in zip(one.ids, other.ids, strict=True) if a and b}
    return equal == {False}


def _masks(into: Gathered, operations: tuple[Row, ...], at: At) -> Masks | None:
    """Return the masks of a role; None where one can't be read. A signed mask is one of 32 bits."""
    masks: dict[int, int] = {}
    for item in operations:
        type_, mask = whole(item, "ObjectTypeID"), whole(item, "GrantedOperations")
        if type_ is None or mask is None or not -BITS // 2 <= mask < BITS:
            into.problem(at, "value", "an operation of the role can't be read, so all of them are unknown", AGAIN)
            return None
        if masks.setdefault(type_, mask % BITS) != mask % BITS:
            message = f"the role has two masks for the object type {type_}, so its operations are unknown"
            into.problem(at, "value", message, AGAIN)
            return None
    return masks


def put_role(into: Gathered, owner: str, row: Row, masks: Masks | None, at: At) -> None:
    """Add a security role with what its masks say."""
    name = text(row, "RoleName")
    fields: dict[str, Any] = {
        "hierarchy": owner,
        "name": name,
        "id": text(row, "RoleID") or None,
        "copied_from": text(row, "CopiedFromID") or None,
    }
    if not name:
        into.left_open(at, "security_roles", "the role has no RoleName", "export it")
        return
    id_ = f"{owner}/{fields['id']}" if fields["id"] else ""
    thing = into.security_roles.put((("id", id_), ("name", f"{owner}/{name}")), fields, at)
    if masks is not None:
        found = operations_of(into.policy, masks, into.site_operations(owner))
        into.operations_of.setdefault(id(thing), []).append(RoleOperations(found.named, found.undecided, at))
        for text_ in found.notes:
            into.note(text_, at)


def role_xml(into: Gathered, batch: Batch, _found: Found, number: int) -> None:
    """Read roles exported from the console: without operations only where their list is there and empty."""
    for entry, row in batch.entries():
        operations = parts(row, "Operations")
        if operations is None and text(row, "RoleName"):
            message = "the role has no list of operations, so they are unknown"
            into.problem((number, entry), "value", message, AGAIN, "warning")
        masks = None if operations is None else _masks(into, operations, (number, entry))
        put_role(into, into.hierarchy(batch), row, masks, (number, entry))


def role_permissions(into: Gathered, batch: Batch, found: Found, number: int) -> None:
    """Read permissions of roles by name: one entry an object type, or one an operation."""
    if found.owner:
        named_role(into, found.owner, batch.head, into.hierarchy(batch), (number, 0))
        return
    named: dict[Key, tuple[At, dict[str, list[str]], dict[str, list[str]]]] = {}
    unreadable: set[Key] = set()
    for entry, row in batch.entries():
        at, role = (number, entry), text(row, "RoleName", "SecurityRole", "role")
        if not role:
            help_ = "add the role's name: Select-Object @{n='RoleName';e={$role}}, *"
            into.problem(at, "no-owner", "nothing tells whose permissions these are", help_)
            return
        inner = value(row, "RolePermission", "RolePermissions", "Permissions")
        if isinstance(inner, dict):
            named_role(into, role, folded(inner), into.hierarchy(batch), at)
            continue
        class_ = _class(into, text(row, "ObjectTypeDisplayName", "ObjectTypeName", "ObjectType"))
        allowed = texts(row, "OperationName", "OperationNames", "Operations", "GrantedOperationNames")
        counts = flag(row, "Allow") if text(row, "Allow") else not has(row, "Allow")
        key = Key(role, "", (text(row, "RoleID").upper(),))
        _, permissions, denied = named.setdefault(key, (at, {}, {}))
        if counts is None or not class_ or allowed is None:
            unreadable.add(key)
            message = f"an entry of the role `{role}` can't be read, so its permissions are unknown"
            into.problem(at, "value", message, AGAIN, "warning")
        else:
            (permissions if counts else denied).setdefault(class_, []).extend(allowed)
    unclear = _unclear(named)
    for key, (at, permissions, denied) in named.items():
        if key in unclear:
            _tell_unclear(into, at, key.name, ROLES)
            put_named(into, into.hierarchy(batch), key.name, None, at)
            continue
        told = None if key in unreadable else permissions
        put_named(into, into.hierarchy(batch), key.name, told, at, id_=key.ids[0], denied=denied)


def named_role(into: Gathered, role: str, row: Row, owner: str, at: At) -> None:
    """Add a role of the form that Set-CMSecurityRolePermission takes: object class, then operations with commas."""
    classes = {fold(name): c.name for c in into.policy.classes.values() for name in (c.name, *c.synonyms)}
    found = {classes.get(key, key): list(texts(row, key) or ()) for key in row if not key.startswith("@")}
    put_named(into, owner, role, found, at)


def _class(into: Gathered, name: str) -> str:
    """Return the policy's name of an object class that may be called by its WMI name."""
    for known in into.policy.classes.values():
        if known.wmi_class and name.casefold() in {known.wmi_class.casefold(), known.wmi_class[4:].casefold()}:
            return known.name
    return name


def put_named(
    into: Gathered,
    owner: str,
    role: str,
    permissions: Named | None,
    at: At,
    *,
    id_: str = "",
    denied: Named = NOTHING,
) -> None:
    """Add a role whose permissions are listed by name. A name that nobody knows may be any that is not listed."""
    names = (("id", f"{owner}/{id_}" if id_ else ""), ("name", f"{owner}/{role}"))
    thing = into.security_roles.put(names, {"hierarchy": owner, "name": role, "id": id_ or None}, at)
    if permissions is None:
        return
    site = into.site_operations(owner)
    sure: set[tuple[str, str]] = set()
    open_: set[tuple[str, str]] = set()
    for class_, name in _pairs_of(permissions):
        known, may = _meant(into.policy, class_, name, site)
        sure |= known
        open_ |= may
        if not known:
            into.note(f"no operation of `{class_}` is called `{name}`, so it is open what it allows", at)
    no = {pair for class_, name in _pairs_of(denied) for pair in _meant(into.policy, class_, name, site)[0]}
    order = tuple((p.category, p.name) for p in into.policy.permissions.values())
    said, left = (by_class(pair for pair in order if pair in few) for few in (sure, open_ - sure - no))
    into.operations_of.setdefault(id(thing), []).append(RoleOperations(said, left, at))


def _pairs_of(permissions: Named) -> Iterator[tuple[str, str]]:
    return ((class_, name) for class_, names in permissions.items() for name in names)


def _meant(policy: Policy, class_: str, name: str, site: Site) -> tuple[Pairs, Pairs]:
    """Return the operation that a name stands for, and those that it may stand for, each with its class.

    Where the site lists the name, its bit tells more; where nobody knows the class, it may be one of any class.
    """
    found = _known(policy, class_, name)
    if found:
        return found, frozenset()
    known = next((c for c in policy.classes.values() if fold(class_) in map(fold, (c.name, *c.synonyms))), None)
    if known is None:
        return frozenset(), frozenset().union(*(_possible(policy, c.name, name) for c in policy.classes.values()))
    bits = {} if known.object_type is None else site.bits.get(known.object_type, {})
    bit = next((bit for bit, said in bits.items() if fold_case(said) == fold_case(name)), None)
    if known.object_type is None or bit is None:
        return frozenset(), _possible(policy, known.name, name)
    told = operations_of(policy, {known.object_type: bit}, site)
    return frozenset(_pairs_of(told.named)), frozenset(_pairs_of(told.undecided))


def _known(policy: Policy, class_: str, name: str) -> Pairs:
    try:
        found = policy.permissions[policy.find_permission("configmgr", f"{class_}\\{name}")]
    except UnknownNameError:
        return frozenset()
    return frozenset({(found.category, found.name)})


def _possible(policy: Policy, class_: str, name: str) -> Pairs:
    """Return the operations of a class that a name may stand for: all of them, if none is called so."""
    return _known(policy, class_, name) or frozenset((class_, one.name) for one in operations_in(policy, class_))


def administrative_users(into: Gathered, batch: Batch, _found: Found, number: int) -> None:
    """Read administrative users; which role goes with which collection is in Permissions alone."""
    for entry, row in _joined(into, batch, number, ADMINS):
        at = (number, entry)
        name = text(row, "LogonName", "name")
        if not name:
            into.left_open(at, "administrative_users", "the administrative user has no LogonName", "export it")
            continue
        site = text(row, "SourceSite")
        if into.left_out(at, "administrative_users", site):
            continue
        owner = into.hierarchy(batch, site)
        group = flag(row, "IsGroup")
        account, group_account = whole(row, "AccountType"), into.values.group_account
        fields: dict[str, Any] = {
            "hierarchy": owner,
            "name": name,
            "sid": text(row, "AdminSid", "SID").upper() or None,
            "assignments": None if _lacks_pairs(into, batch, row, at) else _pairs(into, owner, row, at),
            "only_role": _single_role(into, batch, row),
            **{key: told or None for key, told in _flat(into, batch, row).items()},
            "is_group": group if group is not None else (None if account is None else account in group_account),
        }
        ids = {"id": text(row, "AdminID"), "sid": fields["sid"]}
        sure = tuple((kind, f"{owner}/{id_}") for kind, id_ in ids.items() if id_)
        into.admins.put((*sure, ("name", f"{owner}/{name}")), fields, at)


def _pairs(into: Gathered, owner: str, row: Row, at: At) -> tuple[dict[str, object], ...] | None:
    """Return each role with its own scopes and collections; None where they were not exported, or one is broken."""
    roles: dict[str, dict[str, object]] = {}
    for item in parts(row, "Permissions") or ():
        role = _role_of(item)
        kind = into.values.category_type.says(whole(item, "CategoryTypeID"))
        category = text(item, "CategoryID").upper() or Called(text(item, "CategoryName"))
        if not (role and category and kind):
            message = "an entry of Permissions lacks its role, its category or the type of it, so all are unknown"
            into.problem(at, "value", message, AGAIN, "warning")
            return None
        found = roles.setdefault(role, {"role": role, "scopes": (), "collections": ()})
        if kind == "scope" and text(item, "CategoryID") and text(item, "CategoryName"):
            into.scopes.put((owner, category), text(item, "CategoryName"), at)
        found[f"{kind}s"] = (*found[f"{kind}s"], category)  # type: ignore[misc]
    return tuple(roles.values()) or None


def _lacks_pairs(into: Gathered, batch: Batch, row: Row, at: At) -> bool:
    """Tell whether Permissions is visibly short: it lacks a role, a collection or a scope that a flat list has."""
    permissions = parts(row, "Permissions") or ()
    named = {fold_case(text(item, key)) for item in permissions for key in ("RoleName", "CategoryName")}
    flat = (name for told in _flat(into, batch, row).values() for name in told or ())
    lacking = [name for name in flat if fold_case(name) not in named]
    if not permissions or "" in named or not lacking:
        return False
    message = f"Permissions lacks `{lacking[0]}`, which a flat list has, so nothing tells which role goes with what"
    into.problem(at, "value", message, AGAIN, "warning")
    return True


def _role_of(item: Row) -> str:
    return text(item, "RoleID").upper() or Called(text(item, "RoleName"))


def _flat(into: Gathered, batch: Batch, row: Row) -> dict[str, tuple[Called, ...] | None]:
    """Return the roles, collections and scopes of an administrative user, of which nobody tells what goes with what."""

    def known(register: Register) -> Iterator[str]:
        return (str(thing.fields.get("name", "")) for thing in register.things)

    roles = names(batch, lambda: known(into.security_roles), row, "RoleNames", "roles")
    places = names(batch, lambda: known(into.collections), row, "CollectionNames", "collections")
    scopes = names(batch, lambda: (said for said, _ in into.scopes.told.values()), row, "CategoryNames")
    return {"RoleNames": called(roles), "CollectionNames": called(places), "CategoryNames": called(scopes)}


def _single_role(into: Gathered, batch: Batch, row: Row) -> tuple[dict[str, object], ...] | None:
    """Return the pairs of somebody with one role: everything belongs to it. With several, nobody may guess.

    Permissions, where there are any, must speak of one role as well, though what they say of it may be broken.
    """
    flat = _flat(into, batch, row)
    roles, places = flat["RoleNames"], flat["CollectionNames"]
    paired = {_role_of(item) for item in parts(row, "Permissions") or ()}
    unread = not paired and bool(value(row, "Permissions"))
    if roles is None or places is None or len(set(roles)) != 1 or unread or len(paired) > 1 or "" in paired:
        return None
    return ({"role": roles[0], "scopes": flat["CategoryNames"], "collections": places},)


def security_assignments(into: Gathered, batch: Batch, _found: Found, number: int) -> None:
    """Read the report of administrative users. It has no collections, so it tells only that they are there."""
    for entry, row in batch.entries():
        at, name = (number, entry), text(row, "Administrative User", "LogonName", "UserName", "AdminName")
        if not name:
            into.left_open(at, "administrative_users", "nothing tells whose role this is", "export the report again")
            continue
        owner = into.hierarchy(batch)
        into.admins.put((("name", f"{owner}/{name}"),), {"hierarchy": owner, "name": name}, at)
