"""The part of an estate that one question needs: small enough to change and ask again many times."""

from __future__ import annotations

from dataclasses import replace

from permcheck.evaluate.engine import Engine
from permcheck.evaluate.question import Question
from permcheck.graph.build import draw
from permcheck.graph.membership import Membership
from permcheck.graph.node import Adjacency
from permcheck.graph.rights import GrantGraph
from permcheck.model.tables import Key, Principals, RoleHolders, Tables


def sliced(tables: Tables, question: Question) -> Tables:
    """Keep the user and the device of a question, and everything that is neither user nor device."""
    user, device = question.user, question.device
    others = _administrators_besides(tables, user)
    return replace(
        tables,
        users={user: tables.users[user]},
        devices={device: tables.devices[device]} if device else {},
        device_collections=_of_device(tables, device),
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
    return holders._replace(active=_only(holders.active, user), eligible=_only(holders.eligible, user))


def _administrators_besides(tables: Tables, user: Key) -> frozenset[Key]:
    """Administrative users who are known to be somebody else."""
    people = [record for key, record in tables.users.items() if key != user and record.synced is not False]
    sids = {record.sid.upper() for record in people if record.sid}
    accounts = {record.account.casefold() for record in people if record.account}
    return frozenset(
        key
        for key, admin in tables.admins.items()
        if (admin.sid or "").upper() in sids or admin.name.casefold() in accounts
    )


def engine_of(engine: Engine, tables: Tables) -> Engine:
    """Return an engine like another one, for changed tables; what the roles of both give is shared."""
    known = engine.graph.roles()
    graph = GrantGraph(tables, draw(tables, engine.policy, Adjacency(known), known))
    return engine.over(tables, graph, Membership(tables))
