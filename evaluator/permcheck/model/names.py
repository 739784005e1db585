"""Find things by any of their names, whatever the case; say what was meant when there is no such thing.

What identifies a thing is its id. A name is for people: it finds an id, and only where exactly one thing is called so.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TypeAlias

from permcheck.errors import AmbiguousNameError, UnknownNameError
from permcheck.model.fold import fold_case, is_identity

FEW = 12
POOL = 20_000
"""With more names than this, only those with the same beginning are compared."""

Entries: TypeAlias = Iterable[tuple[str, Iterable[str | None]]]
"""Keys, each with the names of one thing."""


class Names:
    """The names of one kind of thing. Keys are what the program uses, names what people write.

    `ids` are names that nobody chose: where a record refers to one, no thing that is merely called so is meant.
    """

    def __init__(self, kind: str, entries: Entries, ids: Entries = ()) -> None:
        self.kind = kind
        self._keys: dict[str, tuple[str, ...]] = {}
        self._ids: dict[str, tuple[str, ...]] = {}
        self._written: dict[str, str] = {}
        self._near: dict[str, tuple[str, ...]] = {}
        for key, names in ids:
            self._add_all(self._ids, key, names)
        for key, names in entries:
            self._add_all(self._keys, key, names)

    def _add_all(self, keys_of: dict[str, tuple[str, ...]], key: str, names: Iterable[str | None]) -> None:
        for name in names:
            if name:
                folded = fold_case(name)
                if name != folded:
                    self._written.setdefault(folded, name)
                keys = keys_of.get(folded)
                if keys is None:
                    keys_of[folded] = (key,)
                elif key not in keys:
                    keys_of[folded] = (*keys, key)

    def get(self, name: str) -> str | None:
        """Key of the one thing that a record means by `name`; None if there is none or more than one."""
        keys = self.meant(name)
        return keys[0] if len(keys) == 1 else None

    def with_id(self, name: str) -> tuple[str, ...]:
        """Keys of what has an id."""
        return self._ids.get(fold_case(name), ())

    def meant(self, name: str) -> tuple[str, ...]:
        """Keys of everything that a record may mean by `name`: what has that id, else what is called so."""
        return self.with_id(name) or self.keys_of(fold_case(name))

    def keys_of(self, folded: str) -> tuple[str, ...]:
        """Keys of everything with a name or an id, which is folded."""
        named, known = self._keys.get(folded, ()), self._ids.get(folded, ())
        return tuple(dict.fromkeys((*known, *named))) if known and named else known or named

    def single(self) -> Iterator[tuple[str, str]]:
        """Return names, folded, that stand for one thing alone, each with its key; in no order, and not always all."""
        for folded in (*self._ids, *self._keys):
            keys = self.keys_of(folded)
            if len(keys) == 1:
                yield folded, keys[0]

    def find(self, name: str, hints: Mapping[str, str] | None = None) -> str:
        """Key of the one thing called `name`. Raises UnknownNameError or AmbiguousNameError.

        Only for what has the form of an object id or a SID does the thing with that id come before one that is
        called so.
        """
        folded = fold_case(name)
        keys = self.meant(name) if is_identity(name) else self.keys_of(folded)
        if len(keys) == 1:
            return keys[0]
        if keys:
            raise AmbiguousNameError(self.kind, name, tuple(sorted(keys)))
        hint = next((text for other, text in (hints or {}).items() if fold_case(other) == folded), "")
        near = self.near(folded)
        if not near and not hint and 0 < len(self._keys) <= FEW:
            hint = "known are " + ", ".join(f"`{self._written.get(known, known)}`" for known in sorted(self._keys))
        raise UnknownNameError(self.kind, name, near, hint)

    def near(self, folded: str) -> tuple[str, ...]:
        """Return names that look like `folded`, at most three, one for each thing."""
        if folded not in self._near:  # the same mistake may stand in ten thousand files
            self._near[folded] = self._like(folded)
        return self._near[folded]

    def _like(self, folded: str) -> tuple[str, ...]:
        from difflib import get_close_matches  # only a mistake pays for it

        every = {**self._ids, **self._keys}
        pool = every if len(every) <= POOL else [name for name in every if name[:2] == folded[:2]]
        found: dict[tuple[str, ...], str] = {}
        for name in get_close_matches(folded, pool, n=9, cutoff=0.7):
            found.setdefault(every[name], name)
        return tuple(self._written.get(name, name) for name in found.values())[:3]

    def all(self) -> tuple[str, ...]:
        """Every name and id, sorted, folded."""
        return tuple(sorted({*self._ids, *self._keys}))
