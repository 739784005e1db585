"""Draw the grant graph: every edge that an estate and the policy state."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from permcheck.graph.identity import NO_SID, OTHER_SID, in_domain, is_account
from permcheck.graph.node import Condition, Container, Grant, Node
from permcheck.model.estate import AdministrativeUser
from permcheck.model.fold import fold_case
from permcheck.model.policy import BuiltInRole
from permcheck.model.policy_index import Policy
from permcheck.model.state import UNKNOWN, UNMET
from permcheck.model.tables import IntuneRole, Key, Principals, RoleHolders, Tables, hierarchy_of

WRONG_TYPE = Condition(fixed=UNMET, fault="group-type")


def draw(tables: Tables, policy: Policy, container: Container, known: Collection[Node] = ()) -> Container:
    """Add every grant of an estate to a container and return it; what starts at `known` nodes is in it already."""
    adj, add = container.adj, container.add_edge
    for grant in edges(tables, policy, known):
        start, end = grant.start, grant.end
        ends = adj.get(start)
        drawn = None if ends is None else ends.get(end)
        if drawn is None or (drawn["grant"].condition is not None and grant.condition is None):
            add(start, end, grant=grant)
    return container


def edges(tables: Tables, policy: Policy, known: Collection[Node] = ()) -> Iterator[Grant]:
    """Every grant, in the order of the estate."""
    drawn = set(known)
    yield from memberships(tables, policy)
    yield from _intune(tables, policy, drawn)
    yield from _holders(tables, policy, drawn)
    yield from _security(tables, policy, drawn)
    if not known:
        yield from _limits(tables)
        yield from _implied(policy)


def _users_and_groups(tables: Tables, who: Principals) -> Iterator[tuple[Node, str]]:
    for user in who.users:
        yield Node("user", user), tables.users[user].upn
    for group in who.groups:
        yield Node("group", group), f"group {tables.groups[group].name}"


def memberships(tables: Tables, policy: Policy, only: Collection[Key] | None = None) -> Iterator[Grant]:
    """Return who is a member of a group, or in it; of some users, or of all users and groups."""
    users = {key: (Node("user", key), tables.users[key].upn) for key in (tables.users if only is None else only)}
    groups = {key: (Node("group", key), f"group {form.name}") for key, form in tables.groups.items()}
    kinds = (("member", tables.members, "is a member of"), ("inside", tables.indirect, "is in"))
    for kind, lists, verb in kinds:
        further = "" if kind == "member" else ", directly or through other groups"
        for key, members in lists.items():
            (node, name), record = groups[key], ("groups", key)
            says = f" {verb} {name}{further}"
            doubt = _passed_on_by_any(tables, policy, key) if kind == "inside" else None
            for user in members.users if only is None else [user for user in members.users if user in only]:
                start, who = users[user]
                yield Grant(kind, start, node, who + says, record, (), doubt)
            for inner in members.groups if only is None else ():
                condition = _group_type(tables, inner, policy.token_groups)
                if condition is not WRONG_TYPE:  # who is in it is not in what it is in
                    start, who = groups[inner]
                    yield Grant(kind, start, node, who + says, record, (), condition)


def _passed_on_by_any(tables: Tables, policy: Policy, group: Key) -> Condition | None:
    """Return what it depends on that somebody in a group, nobody told how, has what it has.

    The way may lead through a group in it that passes nothing on.
    """
    inner = {*tables.members[group].groups, *tables.indirect[group].groups}
    if all(_group_type(tables, one, policy.token_groups) is None for one in inner):
        return None
    return Condition(fixed=UNKNOWN, fault="passing-on", missing=f"groups[{tables.groups[group].name}].members")


def _intune(tables: Tables, policy: Policy, drawn: set[Node]) -> Iterator[Grant]:
    for key, assignment in tables.intune_assignments.items():
        node, record = Node("intune-assignment", key), ("intune_assignments", key)
        for group in assignment.members:
            condition = _group_type(tables, group, policy.assignable_groups)
            reason = f"group {tables.groups[group].name} is a member of the role assignment {assignment.name}"
            yield Grant("assigned", Node("group", group), node, reason, record, (), condition)
        role = Node("intune-role", assignment.role)
        name = (policy.roles if assignment.built_in else tables.intune_roles)[assignment.role].name
        yield Grant("role", node, role, f"the role assignment {assignment.name} assigns the Intune role {name}", record)
        if role not in drawn:
            drawn.add(role)
            if assignment.built_in:
                yield from _built_in(policy, policy.roles[assignment.role], role)
            else:
                yield from _custom(policy, tables.intune_roles[assignment.role], role)
            yield _any_role(policy, role, name)


def _group_type(tables: Tables, group: Key, right: Collection[str]) -> Condition | None:
    """Return what it depends on that a group of some type counts."""
    kind = tables.groups[group].type
    if kind is None:
        return Condition(fixed=UNKNOWN, fault="group-type", missing=f"groups[{tables.groups[group].name}].type")
    return None if kind in right else WRONG_TYPE


def _any_role(policy: Policy, role: Node, name: str) -> Grant:
    gate = policy.gates["intune"]
    return Grant("gives", role, Node("permission", gate.id), f"{name} is an Intune role", None, gate.sources)


def _custom(policy: Policy, custom: IntuneRole, role: Node) -> Iterator[Grant]:
    for permission in sorted(custom.permissions):
        reason = f"the custom role {custom.name} has {policy.title(permission)}"
        yield Grant("gives", role, Node("permission", permission), reason, ("intune_roles", role.key))
    missing = Condition(fixed=UNKNOWN, fault="undecided", missing=f"intune_roles[{custom.name}].permissions")
    for permission in sorted(custom.undecided):
        reason = f"the custom role {custom.name} may have {policy.title(permission)}: the lists of its export differ"
        yield Grant("gives", role, Node("permission", permission), reason, ("intune_roles", role.key), (), missing)


def _built_in(policy: Policy, role: BuiltInRole, node: Node) -> Iterator[Grant]:
    for grant in role.grants:
        condition = None
        if grant.by_reading or grant.since:
            condition = Condition(by_reading=grant.by_reading, since=grant.since)
        for permission in policy.granted(role, grant):
            reason = f"{role.name} has {policy.title(permission)}"
            yield Grant("gives", node, Node("permission", permission), reason, None, grant.sources, condition)


def _holders(tables: Tables, policy: Policy, drawn: set[Node]) -> Iterator[Grant]:
    for key, holders in tables.entra_roles.items():
        role, node = policy.roles[holders.role], Node("entra-role", holders.role)
        for who, text in _users_and_groups(tables, holders.active):
            reason = f"{text} holds the Entra role {role.name}"
            yield Grant("holds", who, node, reason, ("entra_roles", key))
        yield from _within_unit(tables, holders, node, role.name)
        if node not in drawn:
            drawn.add(node)
            yield from _built_in(policy, role, node)
    for key, holders in tables.app_roles.items():
        yield from _app_role(tables, policy, key, holders)


def _within_unit(tables: Tables, holders: RoleHolders, node: Node, role: str) -> Iterator[Grant]:
    """Draw holders within an administrative unit, but for those who hold the role in the whole tenant besides."""
    everywhere = {who for who, _ in _users_and_groups(tables, holders.active)}
    open_ = Condition(fixed=UNKNOWN, fault="unit", missing=f"entra_roles[{holders.key}].unit_members")
    for who, text in _users_and_groups(tables, holders.within_unit):
        if who not in everywhere:
            reason = f"{text} holds the Entra role {role} within an administrative unit only"
            yield Grant("holds", who, node, reason, ("entra_roles", holders.key), (), open_)


def _app_role(tables: Tables, policy: Policy, key: Key, holders: RoleHolders) -> Iterator[Grant]:
    node, title = Node("app-role", holders.role), policy.title(holders.role)
    for who, text in _users_and_groups(tables, holders.active):
        condition = _premium(tables) if who.kind == "group" else None
        reason = f"{text} is assigned the app role {title}"
        yield Grant("assigned", who, node, reason, ("app_roles", key), (), condition)
    sources = policy.permissions[holders.role].sources
    yield Grant("gives", node, Node("permission", holders.role), f"the app role is {title}", None, sources)


def _premium(tables: Tables) -> Condition | None:
    premium = tables.tenant.entra_premium
    if premium is None:
        return Condition(fixed=UNKNOWN, fault="premium", missing="tenant.entra_premium")
    return None if premium else Condition(fixed=UNMET, fault="premium")


def _security(tables: Tables, policy: Policy, drawn: set[Node]) -> Iterator[Grant]:
    yield from _administrators(tables, policy)
    for key, row in tables.rows.items():
        node, record = Node("security-assignment", key), ("rows", key)
        admin, role = tables.admins[row.admin], tables.security_roles[row.role]
        reason = f"{admin.name} has the security role {role.name} in hierarchy {row.hierarchy.upper()}"
        yield Grant("pair", Node("admin", row.admin), node, reason, record)
        role_node = Node("security-role", row.role)
        yield Grant("role", node, role_node, f"the assignment is of the security role {role.name}", record)
        for collection in row.collections:
            name = tables.collections[collection].name
            reason = f"{role.name} is assigned on collection {name}"
            yield Grant("over", node, Node("collection", collection), reason, record)
        for scope in sorted(row.scopes):
            scope_node = Node("scope", f"{row.hierarchy}/{scope}")
            called = tables.scope_name(row.hierarchy, scope)
            yield Grant("within", node, scope_node, f"{role.name} is assigned for the security scope {called}", record)
        if role_node not in drawn:
            drawn.add(role_node)
            yield from _security_role(tables, policy, role_node)


def _security_role(tables: Tables, policy: Policy, node: Node) -> Iterator[Grant]:
    role = tables.security_roles[node.key]
    if role.permissions is None and role.built_in:
        yield from _built_in(policy, policy.roles[role.built_in], node)
    for permission in sorted(role.permissions or ()):
        reason = f"{role.name} has {policy.title(permission)}"
        yield Grant("gives", node, Node("permission", permission), reason, ("security_roles", node.key))
    missing = Condition(fixed=UNKNOWN, fault="undecided", missing=f"security_roles[{role.name}].permissions")
    for permission in sorted(role.undecided):
        reason = f"{role.name} may have {policy.title(permission)}: the bits of its export don't tell"
        node_ = Node("permission", permission)
        yield Grant("gives", node, node_, reason, ("security_roles", node.key), (), missing)


def administrators(tables: Tables) -> Iterator[tuple[Node, Key]]:
    """Yield users and groups with the administrative users that have their SID, or else their account."""
    by_sid: dict[str, Node] = {}
    by_account: dict[str, Node] = {}
    users = [(key, user) for key, user in tables.users.items() if in_domain(user) is not UNMET]
    for kind, records in (("user", users), ("group", tables.groups.items())):
        for key, record in records:
            node = Node(kind, key)
            if record.sid:
                by_sid[fold_case(record.sid)] = node
            if record.account:
                by_account[fold_case(record.account)] = node
    for key, admin in tables.admins.items():
        found = by_sid.get(fold_case(admin.sid or "")) or by_account.get(fold_case(admin.name))
        if found is not None:
            yield found, key


def _administrators(tables: Tables, policy: Policy) -> Iterator[Grant]:
    for node, key in administrators(tables):
        admin, hierarchy = tables.admins[key], hierarchy_of(key).upper()
        who = tables.users[node.key].upn if node.kind == "user" else f"group {tables.groups[node.key].name}"
        reason = f"{who} is the administrative user {admin.name} in hierarchy {hierarchy}"
        condition = _is_admin(tables, policy, node, admin)
        yield Grant("is-admin", node, Node("admin", key), reason, ("administrative_users", key), (), condition)


def _is_admin(tables: Tables, policy: Policy, node: Node, admin: AdministrativeUser) -> Condition | None:
    """Return what it depends on that a user or group is an administrative user, whose SID or name it has."""
    record = tables.users[node.key] if node.kind == "user" else tables.groups[node.key]
    same = is_account(record, admin)
    if same is UNKNOWN and record.sid:
        return Condition(fixed=UNKNOWN, fault=OTHER_SID, missing=f"administrative_users[{admin.name}].sid")
    if same is UNKNOWN:
        return Condition(fixed=UNKNOWN, fault=NO_SID, missing=f"{_label(tables, node)}.sid")
    return None if node.kind == "user" else _group_type(tables, node.key, policy.token_groups)


def _label(tables: Tables, node: Node) -> str:
    """Return how a missing fact names a user or group."""
    return f"users[{tables.users[node.key].upn}]" if node.kind == "user" else f"groups[{tables.groups[node.key].name}]"


def _limits(tables: Tables) -> Iterator[Grant]:
    for key, parent in tables.limited_to.items():
        if parent is not None:
            child, above = tables.collections[key].name, tables.collections[parent].name
            reason = f"permissions on collection {above} extend to {child}, which is limited to it"
            yield Grant("limits", Node("collection", parent), Node("collection", key), reason, ("collections", key))


def _implied(policy: Policy) -> Iterator[Grant]:
    for permission in policy.permissions.values():
        for other in permission.implies:
            condition = Condition(since=permission.implied_since) if permission.implied_since else None
            reason = f"{policy.title(permission.id)} includes {policy.title(other)}"
            nodes = Node("permission", permission.id), Node("permission", other)
            yield Grant("implies", *nodes, reason, None, permission.sources, condition)
