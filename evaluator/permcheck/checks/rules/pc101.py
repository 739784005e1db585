"""PC101: a permission that nobody knows."""

from __future__ import annotations

from collections.abc import Iterator

from permcheck.checks.context import Context
from permcheck.checks.definitions import Definition, Granted
from permcheck.checks.finding import Finding
from permcheck.checks.roles import Roles, find, roles_of
from permcheck.errors import UnknownNameError
from permcheck.model.policy import Plane
from permcheck.model.policy_index import Policy

WORDS: dict[Plane, str] = {"intune": "Intune permission", "configmgr": "operation of Configuration Manager"}


def check(context: Context) -> Iterator[Finding]:
    """Find permissions of role definitions that the policy does not know, and that are no other check's matter."""
    roles = roles_of(context)
    for role in roles.custom():
        for one in (*role.granted, *role.denied):
            if one.id is None and _is_ours(context, roles, role, one):
                message = f"no {WORDS[role.plane]} is called `{one.text}`"
                help_ = _help(context.policy, role.plane, one.text)
                yield context.finding(role.source.place(one.path), message, f"{role.name}/{one.text}", help_=help_)


def _is_ours(context: Context, roles: Roles, role: Definition, one: Granted) -> bool:
    """Tell whether a name is neither another spelling, nor one of a known class, nor one of another service."""
    if role.plane == "configmgr":
        return roles.class_of(one) is None
    prefixes = context.data("prefixes")
    theirs = one.text.startswith(prefixes["any"]) and not one.text.startswith(prefixes["ours"])
    return not theirs and not roles.respelled(one)


def _help(policy: Policy, plane: Plane, text: str) -> str:
    try:
        policy.find_permission(plane, text.replace(": ", "\\"))
    except UnknownNameError as error:
        if error.near:
            near = error.near[0].replace("\\", ": ") if plane == "configmgr" else error.near[0]
            return f"did you mean `{near}`?"
    other: Plane = "configmgr" if plane == "intune" else "intune"
    if find(policy, other, text.replace(": ", "\\")):
        return f"it is an {WORDS[other]}" if other == "intune" else f"it is a permission of {WORDS[other][13:]}"
    group = text.rpartition("_")[0] + "_"
    known = [key.removeprefix(group) for key in policy.permissions if group != "_" and key.startswith(group)]
    return f"known with `{group}` are {', '.join(f'`{name}`' for name in known)}" if known else ""
