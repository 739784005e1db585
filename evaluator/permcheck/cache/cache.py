"""The compiled answers of one estate: asked before it is loaded, made when it was asked about a second time."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from permcheck.cache.identity import Source, is_noted, program, sources, to_keep, unchanged, with_contents
from permcheck.cache.pages import SUFFIX, Page, Pages, open_pages, write_pages
from permcheck.cache.place import CACHE, folder_of, make_key, read_key
from permcheck.cache.recall import Recalled, recall
from permcheck.loading.digest import digest_of

if TYPE_CHECKING:
    from permcheck.api import Estate

NAME_LENGTH: Final = 32


class Cache:
    """What is kept of an estate that a command names.

    The first question about an estate leaves a note, the second compiles it, and the third is answered
    from that: what asks once, as a pipeline does, does not pay for it.
    """

    def __init__(self, estate: str) -> None:
        self._estate = estate
        named = digest_of(repr((os.path.abspath(estate), estate)).encode())[:NAME_LENGTH]
        self._path = os.path.join(folder_of(CACHE), named + SUFFIX)
        self._program = program()
        self._sources = sources(estate)
        """As they were before anybody read them."""
        self._pages = self._opened()
        if self.compiles and self._sources is not None:
            self._sources = with_contents(estate, self._sources)

    def _opened(self) -> Pages | None:
        """Return the pages, if they were made of what is there now."""
        key = read_key()
        pages = open_pages(self._path, key) if key is not None and self._sources is not None else None
        if pages is None or self._sources is None or pages.identity.get("program") != self._program:
            return None
        known = [Source(name, tuple(mark), *more) for name, mark, *more in pages.identity["sources"]]
        if not pages.identity["compiled"]:
            return pages if is_noted(known, self._sources) else None
        return pages if unchanged(self._estate, known, self._sources) else None

    def answer(self, user: str, action: str, device: str | None) -> Recalled | None:
        """Return the answer to a question; None where the estate must be loaded for it."""
        if self._pages is None or not self._pages.identity["compiled"]:
            return None
        return recall(self._pages, user, action, device)

    @property
    def compiles(self) -> bool:
        """Whether `keep` will compile the estate."""
        return self._pages is not None and not self._pages.identity["compiled"]

    def keep(self, estate: Estate) -> None:
        """Keep what the next question will need, now that the estate was loaded. What can't be kept is not."""
        whole = not estate.tables.unstated and not estate.tables.incomplete
        if not whole or not self._sources or not self._program:
            return
        if self.compiles:
            found = to_keep(self._estate, self._sources)
            if found is not None:
                self._write(found, estate)
        elif self._pages is None:
            self._write(self._sources, None)

    def _write(self, found: list[Source], estate: Estate | None) -> None:
        key = make_key()
        if key is None:
            return
        pages: Iterable[Page] = ()
        if estate is not None:
            from permcheck.cache.compile import compiled  # a question does not need it

            pages = compiled(estate)
        identity = {"program": self._program, "sources": found, "compiled": estate is not None}
        write_pages(self._path, key, identity, pages)
