"""PC122: a custom role whose name is taken for another role."""

from __future__ import annotations

from collections.abc import Iterator

from permcheck.checks.context import Context
from permcheck.checks.finding import Finding
from permcheck.checks.roles import roles_of
from permcheck.model.fold import fold_case
from permcheck.model.policy_index import Policy

PLANES = {"intune": "Intune", "configmgr": "Configuration Manager", "entra": "Microsoft Entra"}


def check(context: Context) -> Iterator[Finding]:
    """Find names that differ from a built-in role's by a filler word, by spaces, or only by the plane."""
    roles, policy = roles_of(context), context.policy
    fillers = frozenset(context.data("fillers"))
    known = _known(policy, fillers)
    for role in roles.custom():
        if policy.role_names(role.plane).get(role.name) is None:
            meant = known.get(_plain(role.name, fillers), "")
            if meant:
                yield context.finding(role.place, f"`{role.name}` is easily taken for {meant}", role.name)


def _known(policy: Policy, fillers: frozenset[str]) -> dict[str, str]:
    """Return plain name -> what it is. Names of roles that are confused with others come first."""
    result: dict[str, str] = {}
    for role in policy.roles.values():
        for other, why in role.confused_with.items():
            result.setdefault(_plain(other, fillers), f"another role: {why}")
    for role in policy.roles.values():
        for name in (role.name, *role.synonyms):
            plain = _plain(name, fillers)
            known = f"the {PLANES[policy.role_planes[role.id]]} role `{role.name}`"
            before = result.get(plain, "")
            result[plain] = f"{before}, or {known}" if before.startswith("the ") and known not in before else known
    return result


def _plain(name: str, fillers: frozenset[str]) -> str:
    words = "".join(c if c.isalnum() else " " for c in fold_case(name)).split()
    return "".join(word for word in words if word not in fillers)
