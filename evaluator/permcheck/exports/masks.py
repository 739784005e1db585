"""Turn operation masks of a role into the names of operations, and say what they leave open."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple, TypeAlias

from permcheck.errors import UnknownNameError
from permcheck.model.policy import Permission
from permcheck.model.policy_index import Policy

Masks: TypeAlias = Mapping[int, int]
"""Object type -> granted bits."""


class Site(NamedTuple):
    """The site's own list of operations, by object type."""

    bits: Mapping[int, Mapping[int, str]]
    """Bit -> name, in the language of the site."""
    unread: Mapping[int, Sequence[tuple[str, int]]]
    """Names with a flag that is not one bit: what it means can't be read."""


class Operations(NamedTuple):
    """What the masks of a role say."""

    named: dict[str, tuple[str, ...]]
    undecided: dict[str, tuple[str, ...]]
    """Operations that a bit without a meaning that is known may stand for."""
    notes: tuple[str, ...]


class _Class(NamedTuple):
    """What a mask says of one class."""

    granted: tuple[str, ...]
    undecided: tuple[str, ...]
    unknown: tuple[int, ...]
    """Bits of which nobody knows what they mean."""


NO_SITE: Final = Site({}, {})


def operations_of(policy: Policy, masks: Masks, site: Site = NO_SITE) -> Operations:
    """Return the operations of a role. A name of the site that nobody knows tells nothing of its bit."""
    classes = {c.object_type: c.name for c in policy.classes.values() if c.object_type is not None}
    named: dict[str, tuple[str, ...]] = {}
    undecided: dict[str, tuple[str, ...]] = {}
    notes: list[str] = []
    for type_, mask in sorted(masks.items()):
        name = classes.get(type_)
        if name is None:
            notes.append(f"object type {type_} has no public name; its operations were left out")
            continue
        bits = site.bits.get(type_, {})
        found = _of_class(policy, name, mask, bits, site.unread.get(type_, ()))
        named[name] = found.granted
        if found.undecided:
            undecided[name] = found.undecided
        notes += _notes(name, found.unknown, bits)
    return Operations({k: v for k, v in named.items() if v}, undecided, tuple(notes))


def _of_class(
    policy: Policy, class_: str, mask: int, bits: Mapping[int, str], unread: Sequence[tuple[str, int]]
) -> _Class:
    understood = {bit: known for bit, name in sorted(bits.items()) if (known := operation(policy, class_, name))}
    others = [one for one in operations_in(policy, class_) if one.name not in understood.values()]
    by_policy, open_, rest = _by_policy(others, mask & ~sum(understood))
    granted = (*(name for bit, name in understood.items() if mask & bit), *by_policy)
    for name, flag in unread:
        known = operation(policy, class_, name)
        may = (known,) if known else tuple(one.name for one in others)
        open_ = (*open_, *(may if mask & flag else ()))
    return _Class(granted, tuple(one for one in dict.fromkeys(open_) if one not in granted), rest)


def _notes(class_: str, unknown: Sequence[int], bits: Mapping[int, str]) -> Iterator[str]:
    silent = ", ".join(str(bit) for bit in unknown if bit not in bits)
    called = ", ".join(f"`{bits[bit]}`" for bit in unknown if bit in bits)
    if silent:
        yield f"no public document says what the bits {silent} of {class_} mean"
    if called:
        yield f"nobody knows the operations of {class_} that the site calls {called}"


def operations_in(policy: Policy, class_: str) -> tuple[Permission, ...]:
    """Return the operations that the policy knows of a class."""
    return tuple(p for p in policy.permissions.values() if p.category == class_ and policy.planes[p.id] == "configmgr")


def operation(policy: Policy, class_: str, name: str) -> str | None:
    """Return the policy's name of an operation; None where it knows none that is called so."""
    try:
        return policy.permissions[policy.find_permission("configmgr", f"{class_}\\{name}")].name
    except UnknownNameError:
        return None


def _by_policy(
    permissions: Sequence[Permission], mask: int
) -> tuple[tuple[str, ...], tuple[str, ...], tuple[int, ...]]:
    granted = tuple(p.name for p in permissions if p.bit is not None and mask & p.bit)
    known = sum({p.bit for p in permissions if p.bit is not None})
    rest = tuple(1 << n for n in range(mask.bit_length()) if mask >> n & 1 and not known >> n & 1)
    return granted, tuple(p.name for p in permissions if p.bit is None) if rest else (), rest
