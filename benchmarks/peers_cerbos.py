"""Cerbos, a server that is asked over HTTP: its caller sends the grants of a user and the collections of a device."""

from __future__ import annotations

import http.client
import json
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from peers_estate import Ask, Asked, Facts
from permcheck.model.tables import Key


def cerbos(facts: Facts, program: str, *, at_once: bool) -> Ask:
    """Start a server on this computer: a derived role for each security role, what it gives as rules of a resource."""
    folder = tempfile.mkdtemp()
    for name, document in _cerbos_policies(facts).items():
        Path(folder, name).write_text(json.dumps(document), "utf-8")
    with socket.socket() as one, socket.socket() as other:
        one.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        port, inner = one.getsockname()[1], other.getsockname()[1]
    settings = (
        f"server.httpListenAddr=127.0.0.1:{port}",
        f"server.grpcListenAddr=127.0.0.1:{inner}",
        "storage.driver=disk",
        f"storage.disk.directory={folder}",
        "telemetry.disabled=true",
        "audit.enabled=false",
    )
    server = subprocess.Popen([program, "server", "--log-level=error", *(f"--set={one}" for one in settings)])
    connection = http.client.HTTPConnection("127.0.0.1", port)
    for _ in range(200):
        try:
            connection.request("GET", "/_cerbos/health")
            connection.getresponse().read()
            break
        except OSError:
            connection.close()
            time.sleep(0.05)
    grants = {
        user: [{"role": one.role, "collections": list(one.collections)} for one in facts.grants_of(user)]
        for user in (node.key for node in facts.member_of if node.kind == "user")
    }
    above: dict[Key, tuple[Key, ...]] = {}

    def many(questions: Sequence[Asked]) -> list[bool]:
        resources = []
        for asked in questions:
            if asked.device not in above:
                above[asked.device] = facts.above(asked.device)
            resource = {"kind": "device", "id": asked.device, "attr": {"above": above[asked.device]}}
            resources.append({"resource": resource, "actions": [asked.permission]})
        user = questions[0].user
        principal = {"id": user, "roles": ["user"], "attr": {"grants": grants[user]}}
        body = json.dumps({"principal": principal, "resources": resources})
        connection.request("POST", "/api/check/resources", body, {"Content-Type": "application/json"})
        found = json.loads(connection.getresponse().read())["results"]
        return [one["actions"][asked.permission] == "EFFECT_ALLOW" for asked, one in zip(questions, found, strict=True)]

    def close() -> None:
        server.terminate()
        server.wait()
        shutil.rmtree(folder)

    if at_once:
        return Ask(many, at_once, close)
    return Ask(lambda questions: [many((asked,))[0] for asked in questions], at_once, close)


def _cerbos_policies(facts: Facts) -> dict[str, Any]:
    names = {role: f"role_{number}" for number, role in enumerate(facts.permissions) if facts.permissions[role]}
    version = "api.cerbos.dev/v1"
    definitions = [
        {
            "name": name,
            "parentRoles": ["user"],
            "condition": {
                "match": {
                    "expr": f"P.attr.grants.exists(g, g.role == {json.dumps(role)}"
                    " && hasIntersection(g.collections, R.attr.above))"
                }
            },
        }
        for role, name in names.items()
    ]
    permissions = dict.fromkeys(one for found in facts.permissions.values() for one in found)
    rules = [
        {
            "actions": [permission],
            "effect": "EFFECT_ALLOW",
            "derivedRoles": [name for role, name in names.items() if permission in facts.permissions[role]],
        }
        for permission in permissions
    ]
    resource = {"resource": "device", "version": "default", "importDerivedRoles": ["security_roles"], "rules": rules}
    return {
        "roles.json": {"apiVersion": version, "derivedRoles": {"name": "security_roles", "definitions": definitions}},
        "device.json": {"apiVersion": version, "resourcePolicy": resource},
    }
