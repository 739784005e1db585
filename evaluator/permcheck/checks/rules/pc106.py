"""PC106: two roles of one name, or with the same permissions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterator

from permcheck.checks.context import Context
from permcheck.checks.definitions import Definition
from permcheck.checks.finding import Finding
from permcheck.checks.roles import roles_of
from permcheck.checks.wording import counted
from permcheck.model.fold import fold_case


def check(context: Context) -> Iterator[Finding]:
    """Find roles of one folder and plane that are alike in name, whatever the case, or in every permission."""
    roles = roles_of(context)
    seen: dict[Hashable, list[Definition]] = defaultdict(list)
    for role in context.definitions:
        for key in _keys(role):
            group = seen[(roles.place_key(role), key)]
            first = next((one for one in group if not _same(one, role)), None)
            if first is not None and not roles.is_built_in(role):
                yield context.finding(role.place, _message(role, first, str(key[0])), f"{role.name}/{key[0]}")
                break
            group.append(role)


def _keys(role: Definition) -> Iterator[tuple[Hashable, ...]]:
    if role.name:
        yield "name", " ".join(fold_case(role.name).split())
    if role.granted or any(role.masks.values()):
        given, denied = (frozenset(one.id or one.text for one in part) for part in (role.granted, role.denied))
        masks = frozenset((kind, mask) for kind, mask in role.masks.items() if mask)
        yield "permissions", given, denied, masks


def _same(one: Definition, other: Definition) -> bool:
    """Tell whether two definitions are the same role, exported twice."""
    return bool(one.id) and fold_case(one.id) == fold_case(other.id)


def _message(role: Definition, first: Definition, what: str) -> str:
    if what == "name":
        spelled = "" if first.name == role.name else f", spelled `{first.name}`"
        return f"a role is called `{role.name}` already{spelled}, at {first.place}"
    what = counted(len(role.permissions), "permission") if role.permissions else "masks"
    return f"`{role.name}` has the same {what} as `{first.name}`"
