"""PC402: a grant to a group that no list of groups has."""

from __future__ import annotations

from collections.abc import Iterator

from permcheck.checks.context import Context
from permcheck.checks.finding import Finding, NotRun, Place
from permcheck.checks.wording import lacking
from permcheck.model.fold import fold_case
from permcheck.model.tables import Key


def check(context: Context) -> Iterator[Finding | NotRun]:
    """Find grants to groups of which nothing is known but the id, though the list of groups is whole."""
    tables = context.estate.tables
    yield from lacking(context, "groups")
    if tables.doubtful("groups"):
        return
    gone = {key for key, group in tables.groups.items() if _is_bare(group.name, group.id) and group.type is None}
    for name, place, groups in _grants(context):
        for key in groups:
            if key in gone and not tables.members[key].known:
                message = f"`{name}` is assigned to `{tables.groups[key].name}`, which is in no list of groups"
                yield context.finding(place, message, f"{name}/{key}")


def _is_bare(name: str, id_: str | None) -> bool:
    return id_ is not None and fold_case(name) == fold_case(id_)


def _grants(context: Context) -> Iterator[tuple[str, Place, tuple[Key, ...]]]:
    tables, policy = context.estate.tables, context.policy
    for key, one in tables.intune_assignments.items():
        yield one.name, context.origin("intune_assignments", key), one.members
    for key, holders in tables.entra_roles.items():
        groups = (*holders.active.groups, *holders.eligible.groups)
        yield policy.roles[holders.role].name, context.origin("entra_roles", key), groups
    for key, holders in tables.app_roles.items():
        yield policy.title(holders.role), context.origin("app_roles", key), holders.active.groups
