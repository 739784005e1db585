"""Repositories of role files, and estates, for measuring `permcheck validate` and `permcheck lint`."""

from __future__ import annotations

import json
import random
from pathlib import Path

from generate import estate
from permcheck.loading.policy import load_policy

ESTATE = {"users": 2_000, "groups": 500, "collections": 2_000, "devices": 50_000, "assignments": 300}
"""The largest estate that is linted in one go: at most 10 s."""


def write_roles(folder: Path, count: int) -> list[Path]:
    """Write role files of Microsoft Graph's form, one role each; every tenth has an unknown permission."""
    chance = random.Random(3)
    known = sorted(id_ for id_, plane in load_policy().planes.items() if plane == "intune")
    folder.mkdir(parents=True)
    paths = []
    for number in range(count):
        actions = chance.sample(known, 12) + (["Microsoft.Intune_No_Such"] if number % 10 == 0 else [])
        inner = [{"resourceActions": [{"allowedResourceActions": actions, "notAllowedResourceActions": []}]}]
        role = {"id": f"{number:032x}", "displayName": f"Role {number}", "isBuiltIn": False, "rolePermissions": inner}
        paths.append(folder / f"role-{number:05}.json")
        paths[-1].write_text(json.dumps(role, indent=2), "utf-8")
    return paths


def write_estate(path: Path) -> None:
    """Write a large estate."""
    path.write_text(json.dumps(estate(**ESTATE)), "utf-8")
