"""Find things by any of their names, whatever the case; say what was meant when there is no such thing."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping

from permcheck.errors import AmbiguousNameError, UnknownNameError


class Names:
    """The names of one kind of thing. Keys are what the program uses, names what people write."""

    def __init__(self, kind: str, entries: Iterable[tuple[str, Iterable[str | None]]]) -> None:
        self.kind = kind
        self._keys: dict[str, tuple[str, ...]] = {}
        for key, names in entries:
            for name in names:
                if name:
                    self._add(name.casefold(), key)

    def _add(self, folded: str, key: str) -> None:
        keys = self._keys.get(folded)
        if keys is None:
            self._keys[folded] = (key,)
        elif key not in keys:
            self._keys[folded] = (*keys, key)

    def get(self, name: str) -> str | None:
        """Key of the one thing called `name`; None if there is none or more than one."""
        keys = self._keys.get(name.casefold(), ())
        return keys[0] if len(keys) == 1 else None

    def find(self, name: str, hints: Mapping[str, str] | None = None) -> str:
        """Key of the one thing called `name`. Raises UnknownNameError or AmbiguousNameError."""
        folded = name.strip().casefold()
        keys = self._keys.get(folded, ())
        if len(keys) == 1:
            return keys[0]
        if keys:
            raise AmbiguousNameError(self.kind, name, tuple(sorted(keys)))
        hint = next((text for other, text in (hints or {}).items() if other.casefold() == folded), "")
        raise UnknownNameError(self.kind, name, self.near(folded), hint)

    def near(self, folded: str) -> tuple[str, ...]:
        """Names that look like `folded`, at most three."""
        pool = self._keys if len(self._keys) <= 20_000 else [n for n in self._keys if n[:2] == folded[:2]]  # noqa: PLR2004
        return tuple(difflib.get_close_matches(folded, pool, n=3, cutoff=0.7))

    def all(self) -> tuple[str, ...]:
        """Every name, sorted, folded."""
        return tuple(sorted(self._keys))
