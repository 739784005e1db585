"""Who is who: what identifies a record, records that claim one identity, and names that only look alike."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from permcheck.loading.estate import Record
from permcheck.model.fold import code_points, fold_case, skeleton
from permcheck.model.tables import Key

if TYPE_CHECKING:
    from permcheck.loading.resolve import Resolver

WORDS: Final = {"id": "the id", "sid": "the SID", "account": "the account", "upn": "the UPN"}
"""What identifies a user or group, and how it is called: no two share one."""
LOOKED_AT: Final = ("users", "groups", "intune_roles", "intune_assignments", "administrative_users", "scope_tags")
OWNED: Final = ("security_roles", "collections", "security_scopes", "scripts", "applications")


def key_of_named(
    records: Iterable[Record],
    owner: Callable[[Any], str] = lambda _: "",
    taken: Callable[[Any], bool] = lambda _: False,
) -> Callable[[Any], Key]:
    """Return what gives records their keys: owner and name, with the id where several have a name, or it is taken."""
    count = Counter((owner(record.value), fold_case(record.value.name)) for record in records)

    def key(form: Any) -> Key:
        home, name = owner(form), fold_case(form.name)
        extra = getattr(form, "id", None) or getattr(form, "sid", None)
        start = f"{home}/{name}" if home else name
        return f"{start} ({extra})" if extra and (count[home, name] > 1 or taken(form)) else start

    return key


class Identity(NamedTuple):
    """Something that one record of a kind has and no other: an object id, a SID, an account or a UPN."""

    space: str
    """`id`, `sid`, `account` or `upn`, with what it is told within (a hierarchy, or a section of its own)."""
    value: str


class Claims:
    """Which record has which identity."""

    def __init__(self) -> None:
        self._by: dict[Identity, tuple[str, Key]] = {}

    def claim(self, resolver: Resolver, section: str, key: Key, record: Record, within: str = "") -> None:
        """Note what identifies a record; report what another one has already, with both places."""
        for field, word in WORDS.items():
            value = getattr(record.value, field, None)
            if not value:
                continue
            owner = self._by.setdefault(Identity(f"{within}{field}", fold_case(value)), (section, key))
            if owner != (section, key):
                message = f"{word} `{value}` is that of another record, in {resolver.place(*owner)}"
                help_ = "no two records have one identity: keep one of them, or correct it"
                resolver.report(record, section, (field,), "identity-taken", message, help_)


def warn_of_lookalikes(resolver: Resolver) -> None:
    """Warn of names that differ only in characters that cannot be seen, or that look like others."""
    for section in (*LOOKED_AT, *OWNED):
        for within in _hierarchies(resolver, section):
            _warn_in(resolver, section, within)


def _hierarchies(resolver: Resolver, section: str) -> tuple[str, ...]:
    keys = (key for key, _ in resolver.placed.get(section, ()))
    return tuple(dict.fromkeys(key.partition("/")[0] for key in keys)) if section in OWNED else ("",)


def _warn_in(resolver: Resolver, section: str, within: str) -> None:
    first: dict[str, str] = {}
    for key, record in resolver.placed.get(section, ()):
        if section not in OWNED or key.partition("/")[0] == within:
            for field, name in _names(record.value):
                other = first.setdefault(skeleton(name), name)
                if fold_case(other) != fold_case(name):
                    odd = " against ".join(code_points(one) or "none" for one in (name, other))
                    message = f"`{name}` looks like `{other}`, and is another name (code points: {odd})"
                    resolver.warn(record, section, (field,), "lookalike", message, "make sure that both are meant")


def _names(value: Any) -> Iterator[tuple[str, str]]:
    """Return names by which records are referred to; the display name of a user is none."""
    for field in ("upn", "account") if hasattr(value, "upn") else ("name", "account"):
        name = getattr(value, field, None)
        if name:
            yield field, name
