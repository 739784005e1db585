"""Find things by any of their names, whatever the case; say what was meant when there is no such thing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from permcheck.errors import AmbiguousNameError, UnknownNameError

FEW = 12
POOL = 20_000
"""With more names than this, only those with the same beginning are compared."""


class Names:
    """The names of one kind of thing. Keys are what the program uses, names what people write."""

    def __init__(self, kind: str, entries: Iterable[tuple[str, Iterable[str | None]]]) -> None:
        self.kind = kind
        self._keys: dict[str, tuple[str, ...]] = {}
        self._written: dict[str, str] = {}
        self._near: dict[str, tuple[str, ...]] = {}
        for key, names in entries:
            for name in names:
                if name:
                    self._add(name, key)

    def _add(self, name: str, key: str) -> None:
        folded = name.casefold()
        if name != folded:
            self._written.setdefault(folded, name)
        keys = self._keys.get(folded)
        if keys is None:
            self._keys[folded] = (key,)
        elif key not in keys:
            self._keys[folded] = (*keys, key)

    def get(self, name: str) -> str | None:
        """Key of the one thing called `name`; None if there is none or more than one."""
        keys = self.keys_of(name.strip().casefold())
        return keys[0] if len(keys) == 1 else None

    def keys_of(self, folded: str) -> tuple[str, ...]:
        """Keys of everything with a name, which is folded."""
        return self._keys.get(folded, ())

    def single(self) -> Iterator[tuple[str, str]]:
        """Return names, folded, that stand for one thing alone, each with its key; in no order, and not always all."""
        return ((folded, keys[0]) for folded, keys in self._keys.items() if len(keys) == 1)

    def find(self, name: str, hints: Mapping[str, str] | None = None) -> str:
        """Key of the one thing called `name`. Raises UnknownNameError or AmbiguousNameError."""
        folded = name.strip().casefold()
        keys = self.keys_of(folded)
        if len(keys) == 1:
            return keys[0]
        if keys:
            raise AmbiguousNameError(self.kind, name, tuple(sorted(keys)))
        hint = next((text for other, text in (hints or {}).items() if other.casefold() == folded), "")
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

        pool = self._keys if len(self._keys) <= POOL else [name for name in self._keys if name[:2] == folded[:2]]
        found: dict[tuple[str, ...], str] = {}
        for name in get_close_matches(folded, pool, n=9, cutoff=0.7):
            found.setdefault(self._keys[name], name)
        return tuple(self._written.get(name, name) for name in found.values())[:3]

    def all(self) -> tuple[str, ...]:
        """Every name, sorted, folded."""
        return tuple(sorted(self._keys))
