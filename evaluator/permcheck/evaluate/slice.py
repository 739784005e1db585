"""The part of an estate that one question needs: small enough to change and ask again many times."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from permcheck.evaluate.engine import Engine
from permcheck.evaluate.question import Question
from permcheck.graph.build import administrators, draw
from permcheck.graph.membership import Membership
from permcheck.graph.node import Adjacency, Grant, Node
from permcheck.graph.rights import GrantGraph
from permcheck.model.tables import Key, Principals, RoleHolders, Tables

DRAWN: Final = (
    "users",
    "groups",
    "members",
    "indirect",
    "entra_roles",
    "app_roles",
    "intune_roles",
    "intune_assignments",
    "security_roles",
    "admins",
    "admin_known",
    "rows",
    "collections",
    "limited_to",
    "places",
)
"""What grants are drawn from, besides one fact of the tenant."""


def sliced(tables: Tables, question: Question) -> Tables:
    """Keep the user and the device of a question, and everything that is neither user nor device."""
    device = question.device
    return replace(
        of_user(tables, question.user),
        devices={device: tables.devices[device]} if device else {},
        device_collections=_of_device(tables, device),
    )


def of_user(tables: Tables, user: Key) -> Tables:
    """Keep one user, and everything that is no user."""
    others = _administrators_besides(tables, user)
    return replace(
        tables,
        users={user: tables.users[user]},
        members={key: _only(who, user) for key, who in tables.members.items()},
        indirect={key: _only(who, user) for key, who in tables.indirect.items()},
        eligible={key: _only(who, user) for key, who in tables.eligible.items()},
        entra_roles={key: _only_holder(holders, user) for key, holders in tables.entra_roles.items()},
        app_roles={key: _only_holder(holders, user) for key, holders in tables.app_roles.items()},
        admins={key: admin for key, admin in tables.admins.items() if key not in others},
        rows={key: row for key, row in tables.rows.items() if row.admin not in others},
    )


def _of_device(tables: Tables, device: Key | None) -> dict[Key, frozenset[Key]]:
    inside = tables.device_collections.get(device) if device else None
    return {} if device is None or inside is None else {device: inside}


def _only(who: Principals, user: Key) -> Principals:
    return who._replace(users=tuple(key for key in who.users if key == user))


def _only_holder(holders: RoleHolders, user: Key) -> RoleHolders:
    active, eligible, within_unit = (
        _only(who, user) for who in (holders.active, holders.eligible, holders.within_unit)
    )
    return holders._replace(active=active, eligible=eligible, within_unit=within_unit)


def _administrators_besides(tables: Tables, user: Key) -> frozenset[Key]:
    """Administrative users who are known to be another user."""
    return frozenset(admin for node, admin in administrators(tables) if node.kind == "user" and node.key != user)


def engine_of(engine: Engine, tables: Tables) -> Engine:
    """Return an engine like another one, for changed tables; what no change touches is shared."""
    if _drawn_alike(engine.tables, tables):
        return engine.over(tables, engine.graph, Membership(tables))
    known = _lasting(engine, tables)
    graph = GrantGraph(tables, draw(tables, engine.policy, Adjacency(known), known))
    return engine.over(tables, graph, Membership(tables))


def _lasting(engine: Engine, tables: Tables) -> dict[Node, dict[Node, dict[str, Grant]]]:
    """Return the grants that no change touches: those of roles that are as they were."""
    changed = {
        Node(kind, key)
        for kind, section in (("intune-role", "intune_roles"), ("security-role", "security_roles"))
        if getattr(tables, section) is not getattr(engine.tables, section)
        for key, role in getattr(tables, section).items()
        if getattr(engine.tables, section).get(key) is not role
    }
    return {node: grants for node, grants in engine.graph.lasting.items() if node not in changed}


def _drawn_alike(one: Tables, two: Tables) -> bool:
    """Tell whether two estates have the same grants, because a change touched nothing that makes them."""
    same = all(getattr(one, section) is getattr(two, section) for section in DRAWN)
    return same and one.tenant.entra_premium == two.tenant.entra_premium
