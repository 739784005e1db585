"""PC120: a built-in role that a file changes, or makes up."""

from __future__ import annotations

from collections.abc import Iterator

from permcheck.checks.context import Context
from permcheck.checks.definitions import Definition
from permcheck.checks.finding import Finding
from permcheck.checks.roles import Roles, roles_of
from permcheck.checks.wording import listed
from permcheck.model.fold import fold_case
from permcheck.model.policy import BuiltInRole

SHOWN = 3


def check(context: Context) -> Iterator[Finding]:
    """Find definitions of built-in roles that the policy states otherwise, or of which it knows nothing."""
    roles = roles_of(context)
    for role in context.definitions:
        shipped = roles.shipped(role)
        if role.built_in and shipped is None:
            message = f"`{role.name}` says that it is built in, but no built-in role has its id or name"
            yield context.finding(role.place, message, f"{role.name}/says")
        for what in _differences(roles, role, shipped) if shipped and not role.masks else ():
            message = f"`{shipped.name}` is built in, but this file {what}" if shipped else ""
            yield context.finding(role.place, message, f"{role.name}/{what.split()[0]}")


def _differences(roles: Roles, role: Definition, shipped: BuiltInRole) -> Iterator[str]:
    names = {fold_case(name) for name in (shipped.id, shipped.name, *shipped.synonyms)}
    if fold_case(role.name) not in names:
        yield f"calls it `{role.name}`"
    if role.granted:
        yield from _told(roles, "lacks", sorted(p for p in roles.set_of(shipped) if roles.lacks(role, p)))
        if shipped.complete and role.plane == "intune":
            yield from _told(roles, "adds", sorted(role.permissions - roles.reach_of(shipped)))


def _told(roles: Roles, verb: str, permissions: list[str]) -> Iterator[str]:
    if permissions:
        names = listed([roles.policy.title(p) for p in permissions[:SHOWN]])
        more = len(permissions) - SHOWN
        yield f"{verb} {names}" + (f" and {more} more" if more > 0 else "")
