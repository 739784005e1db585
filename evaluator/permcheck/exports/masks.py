"""Turn operation masks of a role into the names of operations, and say what they leave open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypeAlias

from permcheck.errors import UnknownNameError
from permcheck.model.policy import Permission
from permcheck.model.policy_index import Policy

Masks: TypeAlias = Mapping[int, int]
"""Object type -> granted bits."""


class Operations(NamedTuple):
    """What the masks of a role say."""

    named: dict[str, tuple[str, ...]]
    undecided: dict[str, tuple[str, ...]]
    """Operations that a bit without a public meaning may stand for."""
    notes: tuple[str, ...]


def operations_of(policy: Policy, masks: Masks, site: Mapping[int, Mapping[int, str]]) -> Operations:
    """Return the operations of a role; `site` is the site's own list: object type -> bit -> name."""
    classes = {c.object_type: c.name for c in policy.classes.values() if c.object_type is not None}
    named: dict[str, tuple[str, ...]] = {}
    undecided: dict[str, tuple[str, ...]] = {}
    notes: list[str] = []
    permissions: dict[str, list[Permission]] = {}
    for permission in policy.permissions.values():
        if policy.planes[permission.id] == "configmgr":
            permissions.setdefault(permission.category, []).append(permission)
    for type_, mask in sorted(masks.items()):
        name = classes.get(type_)
        if name is None:
            notes.append(f"object type {type_} has no public name; its operations were left out")
        else:
            told = site.get(type_, {})
            theirs = [one for one in permissions.get(name, ()) if one.name not in _names(policy, name, told)]
            granted, open_, rest = _by_policy(theirs, mask & ~sum(told))
            named[name] = (*_by_site(policy, name, mask, told), *granted)
            if open_:
                undecided[name] = open_
            if rest:
                bits = ", ".join(str(bit) for bit in rest)
                notes.append(f"no public document says what the bits {bits} of {name} mean")
    return Operations({k: v for k, v in named.items() if v}, undecided, tuple(notes))


def _by_site(policy: Policy, class_: str, mask: int, bits: Mapping[int, str]) -> tuple[str, ...]:
    return _names(policy, class_, {bit: name for bit, name in sorted(bits.items()) if mask & bit})


def _names(policy: Policy, class_: str, bits: Mapping[int, str]) -> tuple[str, ...]:
    """Return the names that the policy has for operations; the others decide nothing here."""
    found = []
    for name in bits.values():
        try:
            found.append(policy.permissions[policy.find_permission("configmgr", f"{class_}\\{name}")].name)
        except UnknownNameError:
            continue
    return tuple(found)


def _by_policy(
    permissions: Sequence[Permission], mask: int
) -> tuple[tuple[str, ...], tuple[str, ...], tuple[int, ...]]:
    granted = tuple(p.name for p in permissions if p.bit is not None and mask & p.bit)
    known = sum({p.bit for p in permissions if p.bit is not None})
    rest = tuple(1 << n for n in range(mask.bit_length()) if mask >> n & 1 and not known >> n & 1)
    return granted, tuple(p.name for p in permissions if p.bit is None) if rest else (), rest
