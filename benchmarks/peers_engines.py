"""Other engines, each with its fast path. The encodings are ours; whoever knows an engine better may improve its one.

A way to ask is made ready by a call (which parses and indexes whatever can be parsed and indexed before), and then
asked. What an engine can't follow quickly, its caller follows for it: `Facts.holders` and `Facts.above`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import casbin
import cedarpy
import oso
import regopy
from casbin.model.model_fast import FastModel
from peers_cerbos import cerbos
from peers_estate import Ask, Asked, Facts, Grant, one_by_one
from permcheck.graph.node import Node
from permcheck.model.tables import Key

CASBIN_MODEL = """
[request_definition]
r = sub, obj, act
[policy_definition]
p = sub, obj, act
[role_definition]
g = _, _
g2 = _, _
[policy_effect]
e = some(where (p.eft == allow))
[matchers]
m = r.act == p.act && g(r.sub, p.sub) && g2(r.obj, p.obj)
"""
DEEPEST = 64
"""Groups in groups, or collections below collections, that casbin follows."""
CASBIN_SLICED = CASBIN_MODEL.replace("g = _, _\ng2", "g").replace("g(r.sub, p.sub) && g2(", "g(")
POLAR = """
allow(user, permission, device) if
    grant in user.grants and permission in grant.permissions and grant.reaches(device);
"""
REGO = """package access
import rego.v1
default allow := false
allow if {
    some holder in input.holders
    some collection in input.above
    data.grants[holder][input.permission][collection]
}
"""
REGO_SLICED = """package access
import rego.v1
default allow := false
allow if {
    some role in data.roles[input.permission]
    some collection in input.grants[role]
    input.above[collection]
}
"""


def ways_of_peers(facts: Facts, asked: Iterable[Asked]) -> dict[str, Callable[[], Ask]]:
    """Return the engines by name."""
    questions = tuple(asked)
    ways: dict[str, Callable[[], Ask]] = {
        "cedarpy, sliced": lambda: cedar_sliced(facts, questions, at_once=False),
        "cedarpy, sliced, 20 at once": lambda: cedar_sliced(facts, questions, at_once=True),
        "casbin FastEnforcer, sliced": lambda: casbin_sliced(facts, questions),
        "regopy, sliced": lambda: rego_sliced(facts, questions),
        "oso, sliced": lambda: polar(facts, questions),
        "cedarpy": lambda: cedar(facts),
        "casbin FastEnforcer": lambda: fast_casbin(facts),
        "regopy": lambda: rego(facts, questions),
    }
    program = os.environ.get("CERBOS")
    if program:
        ways["Cerbos over HTTP, sliced"] = lambda: cerbos(facts, program, at_once=False)
        ways["Cerbos, sliced, 20 at once"] = lambda: cerbos(facts, program, at_once=True)
    return ways


def _said(node: Node) -> str:
    return f"{node.kind}:{node.key}"


def _cedar_uid(kind: str, key: str) -> str:
    return f"{kind}::{json.dumps(key)}"


def _cedar_policies(grants: Iterable[Grant]) -> str:
    return "\n".join(
        f"permit(principal in {_cedar_uid(grant.holder.kind.capitalize(), grant.holder.key)},"
        f" action in {_cedar_uid('Action', grant.role)}, resource)"
        f" when {{ resource in [{', '.join(_cedar_uid('Collection', one) for one in grant.collections)}] }};"
        for grant in grants
    )


def _cedar_entities(facts: Facts) -> cedarpy.Entities:
    def entity(kind: str, key: str, parents: Iterable[tuple[str, str]]) -> dict[str, Any]:
        return {
            "uid": {"type": kind, "id": key},
            "attrs": {},
            "parents": [{"type": parent, "id": id_} for parent, id_ in parents],
        }

    by_permission: dict[str, list[tuple[str, str]]] = {}
    for role, permissions in facts.permissions.items():
        for permission in permissions:
            by_permission.setdefault(permission, []).append(("Action", role))
    found = [entity("Action", role, ()) for role in facts.permissions]
    found += [entity("Action", permission, roles) for permission, roles in by_permission.items()]
    for node, groups in facts.member_of.items():
        found.append(entity(node.kind.capitalize(), node.key, [("Group", group.key) for group in groups]))
    collections = {one for inside in facts.inside.values() for one in inside} | {*facts.limited_to}
    collections |= {*facts.limited_to.values()} | {one for grant in facts.grants for one in grant.collections}
    for key in collections:
        above = facts.limited_to.get(key)
        found.append(entity("Collection", key, [("Collection", above)] if above else ()))
    found += [entity("Device", key, [("Collection", one) for one in inside]) for key, inside in facts.inside.items()]
    return cedarpy.Entities.from_json_str(json.dumps(found))


def _cedar_request(asked: Asked) -> dict[str, Any]:
    return {
        "principal": {"type": "User", "id": asked.user},
        "action": {"type": "Action", "id": asked.permission},
        "resource": {"type": "Device", "id": asked.device},
    }


def cedar(facts: Facts) -> Ask:
    """One policy for each grant; policies and entities parsed before."""
    policies, entities = cedarpy.PolicySet.from_str(_cedar_policies(facts.grants)), _cedar_entities(facts)
    return one_by_one(lambda asked: cedarpy.is_authorized(_cedar_request(asked), policies, entities).allowed)


def cedar_sliced(facts: Facts, questions: Iterable[Asked], *, at_once: bool) -> Ask:
    """Use only the policies that name the user or its groups: its caller keeps a parsed set for each user."""
    entities = _cedar_entities(facts)
    sets = {
        user: cedarpy.PolicySet.from_str(_cedar_policies(facts.grants_of(user)))
        for user in {asked.user for asked in questions}
    }
    if not at_once:
        return one_by_one(lambda one: cedarpy.is_authorized(_cedar_request(one), sets[one.user], entities).allowed)

    def many(questions: Sequence[Asked]) -> list[bool]:
        requests = list(map(_cedar_request, questions))
        found = cedarpy.is_authorized_batch(requests, sets[questions[0].user], entities)
        return [one.allowed for one in found]

    return Ask(many, at_once)


def fast_casbin(facts: Facts) -> Ask:
    """Policies kept by permission; groups and collections as two hierarchies of roles."""
    model = FastModel([2])
    model.load_model_from_text(CASBIN_MODEL)
    model.add_def("g", "g2", "_, _")  # FastModel.add_def returns nothing, so that the parser stops at `g`
    enforcer = casbin.FastEnforcer(model, cache_key_order=[2])
    enforcer.add_policies(_casbin_policies(facts, facts.grants))
    groups = ((_said(node), _said(group)) for node, found in facts.member_of.items() for group in found)
    _link(enforcer, "g", groups)
    _link(enforcer, "g2", _links(facts))
    return one_by_one(lambda asked: enforcer.enforce(f"user:{asked.user}", asked.device, asked.permission))


def casbin_sliced(facts: Facts, questions: Iterable[Asked]) -> Ask:
    """Keep an enforcer for each user, with the policies that name the user or its groups; collections are shared."""
    enforcers: dict[Key, casbin.FastEnforcer] = {}
    shared = None
    for user in {asked.user for asked in questions}:
        model = FastModel([2])
        model.load_model_from_text(CASBIN_SLICED)
        enforcer = enforcers[user] = casbin.FastEnforcer(model, cache_key_order=[2])
        enforcer.add_policies(_casbin_policies(facts, facts.grants_of(user)))
        if shared is None:
            _link(enforcer, "g", _links(facts))
            shared = enforcer.get_named_role_manager("g")
        enforcer.model["g"]["g"].rm = shared
    return one_by_one(lambda asked: enforcers[asked.user].enforce(asked.user, asked.device, asked.permission))


def _casbin_policies(facts: Facts, grants: Iterable[Grant]) -> list[tuple[str, str, str]]:
    found = (
        (_said(grant.holder), collection, permission)
        for grant in grants
        for collection in grant.collections
        for permission in facts.permissions[grant.role]
    )
    return list(dict.fromkeys(found))


def _links(facts: Facts) -> Iterable[tuple[str, str]]:
    yield from facts.limited_to.items()
    yield from ((key, one) for key, inside in facts.inside.items() for one in inside)


def _link(enforcer: casbin.FastEnforcer, kind: str, links: Iterable[tuple[str, str]]) -> None:
    manager = enforcer.get_named_role_manager(kind)
    manager.max_hierarchy_level = DEEPEST
    for link in links:
        manager.add_link(*link)


@dataclass(frozen=True)
class PolarUser:
    """A user, with all grants of the user and of its groups."""

    grants: list[PolarGrant]


@dataclass(frozen=True)
class PolarGrant:
    """What a role gives, and where."""

    permissions: list[str]
    collections: frozenset[Key]

    def reaches(self, device: PolarDevice) -> bool:
        """Tell whether one of the collections is above a device."""
        return not self.collections.isdisjoint(device.above)


@dataclass(frozen=True)
class PolarDevice:
    """A device, with the collections that contain it and those above."""

    above: frozenset[Key]


def polar(facts: Facts, questions: Iterable[Asked]) -> Ask:
    """Objects of the caller's, who follows groups and collections; only those that are asked about."""
    engine = oso.Oso()
    for kind in (PolarUser, PolarGrant, PolarDevice):
        engine.register_class(kind)
    engine.load_str(POLAR)
    users: dict[Key, PolarUser] = {}
    devices: dict[Key, PolarDevice] = {}
    for asked in questions:
        if asked.user not in users:
            held = facts.grants_of(asked.user)
            grants = [PolarGrant(list(facts.permissions[one.role]), frozenset(one.collections)) for one in held]
            users[asked.user] = PolarUser(grants)
        if asked.device not in devices:
            devices[asked.device] = PolarDevice(frozenset(facts.above(asked.device)))
    return one_by_one(lambda asked: engine.is_allowed(users[asked.user], asked.permission, devices[asked.device]))


def rego(facts: Facts, questions: Iterable[Asked]) -> Ask:
    """Grants as data, by holder, permission and collection; groups and collections come with the question."""
    found: dict[str, dict[str, dict[str, bool]]] = {}
    for grant in facts.grants:
        for permission in facts.permissions[grant.role]:
            reached = found.setdefault(_said(grant.holder), {}).setdefault(permission, {})
            reached.update(dict.fromkeys(grant.collections, True))
    holders: dict[Key, list[str]] = {}
    above: dict[Key, list[Key]] = {}
    for asked in questions:
        if asked.user not in holders:
            known = (_said(holder) for holder in facts.holders(asked.user))
            holders[asked.user] = [name for name in known if name in found]
        if asked.device not in above:
            above[asked.device] = list(facts.above(asked.device))
    evaluate = _rego_program(REGO, {"grants": found})
    return one_by_one(
        lambda asked: evaluate(
            {"holders": holders[asked.user], "above": above[asked.device], "permission": asked.permission}
        )
    )


def rego_sliced(facts: Facts, questions: Iterable[Asked]) -> Ask:
    """Keep only the roles as data; the grants of the user come with the question as well."""
    grants: dict[Key, dict[Key, list[Key]]] = {}
    above: dict[Key, dict[Key, bool]] = {}
    for asked in questions:
        if asked.user not in grants:
            held = grants[asked.user] = {}
            for grant in facts.grants_of(asked.user):
                held.setdefault(grant.role, []).extend(grant.collections)
        if asked.device not in above:
            above[asked.device] = dict.fromkeys(facts.above(asked.device), True)
    permissions = {one for found in facts.permissions.values() for one in found}
    roles = {one: [role for role, found in facts.permissions.items() if one in found] for one in permissions}
    evaluate = _rego_program(REGO_SLICED, {"roles": roles})
    return one_by_one(
        lambda asked: evaluate(
            {"grants": grants[asked.user], "above": above[asked.device], "permission": asked.permission}
        )
    )


def _rego_program(source: str, data: dict[str, Any]) -> Callable[[dict[str, Any]], bool]:
    interpreter = regopy.Interpreter()
    interpreter.add_module("access", source)
    interpreter.add_data(data)
    bundle = interpreter.build(None, ["access/allow"])

    def evaluate(told: dict[str, Any]) -> bool:
        interpreter.set_input(regopy.Input(told))
        output = interpreter.query_bundle_entrypoint(bundle, "access/allow")
        return bool(output.results[0].expressions[0])

    return evaluate
