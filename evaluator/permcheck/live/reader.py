"""Ask, keep what comes, follow the pages."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from permcheck.errors import LiveError
from permcheck.live.asks import Ask
from permcheck.live.collection import Collection, Refused
from permcheck.live.endpoint import Endpoint
from permcheck.live.errors import CutError
from permcheck.live.names import page_name, safe_name
from permcheck.live.progress import Progress

Row = dict[str, Any]
OK: Final = 200
BAD, UNAUTHORIZED, FORBIDDEN, GONE_AWAY, GONE = 400, 401, 403, 404, 410
BUSY: Final = frozenset({429, 500, 502, 503, 504})
STALE: Final = frozenset({BAD, GONE_AWAY, GONE})
"""How a service says that it no longer knows a link to a next page."""
TRIES: Final = 3
PAGES: Final = 100_000
"""No list has more."""
CODE: Final = re.compile(r"[A-Za-z0-9_.-]{1,60}")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a service said."""

    status: int
    body: bytes


class Transport(Protocol):
    """A way to a service, signed in. It waits and tries again where the service asks for that."""

    @property
    def endpoint(self) -> Endpoint:
        """Whom it asks."""

    def get(self, url: str) -> Answer:
        """Ask. Raises LiveError: no connection, no sign-in; CutError: the answer broke off."""

    def denied(self, ask: Ask) -> str:
        """One line for a person whom the service refused `ask`."""


@dataclass(frozen=True, slots=True)
class Reader:
    """One run through a service."""

    transport: Transport
    collection: Collection
    progress: Progress
    page_size: int = 0
    """If a list without a link to a next page may go on: how many rows were asked for."""
    told: set[str] = field(default_factory=set)

    def one(self, ask: Ask, **keys: str) -> Row | None:
        """Return an object, or None if it was refused and that is bearable."""
        url, file = self._where(ask, keys)
        name = self.transport.endpoint.name
        self.progress.advance()
        stored = self.collection.stored(url)
        if stored is not None:
            return _object(stored, name)
        answer = self._ask(url)
        if answer.status != OK:
            self._refused(ask, url, answer)
            return None
        document = _object(answer.body, name)
        self.collection.save(page_name(file, 1), url, answer.status, answer.body)
        return document

    def rows(self, ask: Ask, *, fresh: bool = False, **keys: str) -> Iterator[Row]:
        """Yield the rows of all pages; none if the list was refused and that is bearable."""
        first, file = self._where(ask, keys)
        if fresh:
            self.collection.forget({first})
        yield from _List(self, ask, first, file).rows()

    def walk(self, ask: Ask) -> None:
        """Keep all pages of a list."""
        self.progress.start(ask.name)
        for _ in self.rows(ask):
            pass

    def _where(self, ask: Ask, keys: dict[str, str]) -> tuple[str, str]:
        file = (ask.file or ask.name).format(**{key: safe_name(value) for key, value in keys.items()})
        return ask.url(self.transport.endpoint.base, **keys), file

    def _ask(self, url: str) -> Answer:
        """Ask again if the answer breaks off: what retries requests doesn't look at bodies."""
        for _ in range(TRIES - 1):
            try:
                return self.transport.get(url)
            except CutError:
                continue
        return self.transport.get(url)

    def _refused(self, ask: Ask, url: str, answer: Answer) -> None:
        """Note a refusal that is bearable. Raises LiveError for any other."""
        name, path = self.transport.endpoint.name, url.removeprefix(self.transport.endpoint.base)
        if answer.status == UNAUTHORIZED:
            raise LiveError(f"`{name}` doesn't accept the sign-in for `{path}`", self.transport.denied(ask))
        if answer.status == FORBIDDEN and ask.required:
            raise LiveError(f"`{name}` refuses `{path}`: {ask.permission} is missing", self.transport.denied(ask))
        bearable = {GONE_AWAY} if ask.per and ask.required else set() if ask.required else {BAD, FORBIDDEN, GONE_AWAY}
        if answer.status not in bearable:
            raise self._failed(path, answer)
        needs = ask.permission if answer.status == FORBIDDEN else ""
        self.collection.refuse(Refused(url, answer.status, needs))
        why = f"it needs {needs}" if needs else f"the service answers {answer.status}"
        self._tell_once(f"not collected: {ask.name}; {why}")

    def _tell_once(self, line: str) -> None:
        if line not in self.told:
            self.told.add(line)
            self.progress.tell(line)

    def _failed(self, path: str, answer: Answer) -> LiveError:
        name = self.transport.endpoint.name
        if answer.status in BUSY:
            message = f"`{name}` is too busy or broken: it answers {answer.status} for `{path}`"
            return LiveError(message, "run it again later; what was received is kept")
        return LiveError(
            f"`{name}` answers {answer.status}{_code(answer.body)} for `{path}`", "see what the service says of this"
        )


class _List:
    """One list, page by page."""

    def __init__(self, reader: Reader, ask: Ask, first: str, file: str) -> None:
        self.reader, self.ask, self.first, self.file = reader, ask, first, file
        self.seen: set[str] = set()
        self.linked = self.resumed = False
        self.received = 0

    def rows(self) -> Iterator[Row]:
        """Yield rows. After a stale link all come again."""
        url: str | None = self.first
        before: list[Row] | None = None
        while url:
            if url in self.seen or len(self.seen) > PAGES:
                message = f"the pages of {self.ask.name} lead in a circle"
                raise LiveError(message, "this is a fault of the service; run it again later")
            self.seen.add(url)
            document = self._page(url)
            if document is None:
                url = self._again() if len(self.seen) > 1 else None
                continue
            page: list[Row] = document["value"]
            if page and page == before and not self.linked:
                self._repeated(url, page)
                return
            yield from page
            if self.ask.per is None:
                self.reader.progress.advance(len(page))
            self.received += len(page)
            url, before = self._next(url, document, page), page

    def _page(self, url: str) -> Row | None:
        """Return a page, or None if it is not to be had."""
        collection, name = self.reader.collection, self.reader.transport.endpoint.name
        stored = collection.stored(url)
        if stored is not None:
            self.resumed = True
            return _page(stored, name)
        answer = self.reader._ask(url)  # noqa: SLF001 - one class in two parts
        if answer.status == OK:
            document = _page(answer.body, name)
            collection.save(page_name(self.file, len(self.seen)), url, answer.status, answer.body)
            return document
        if len(self.seen) == 1:
            self.reader._refused(self.ask, url, answer)  # noqa: SLF001
        elif not (self.resumed and answer.status in STALE):
            raise self.reader._failed(url.removeprefix(self.reader.transport.endpoint.base), answer)  # noqa: SLF001
        return None

    def _again(self) -> str:
        """Begin anew: the link to the next page is of an earlier run, and the service has forgotten it."""
        self.reader.collection.forget(self.seen)
        self.seen.clear()
        self.linked = self.resumed = False
        self.received = 0
        return self.first

    def _next(self, url: str, document: Row, page: list[Row]) -> str | None:
        link = document.get("@odata.nextLink")
        if link:
            self.linked = True
            return self.reader.transport.endpoint.next(url, str(link))
        if self.reader.page_size and page and not self.linked:
            return f"{self.first}&$skip={self.received}"
        return None

    def _repeated(self, url: str, page: list[Row]) -> None:
        """Stop: a service that knows no `$skip` gives its first page again, which is all if it is short."""
        self.reader.collection.forget({url})
        if len(page) >= self.reader.page_size:
            message = f"the service gives the same page of {self.ask.name} again and again"
            raise LiveError(message, "it can't be read as a whole; export it by other means")


def _object(body: bytes, name: str) -> Row:
    try:
        document = json.loads(body)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        message = f"what `{name}` answers is not what the service would say"
        raise LiveError(message, "a proxy or a sign-in page may stand between; look at the address in a browser")
    return document


def _page(body: bytes, name: str) -> Row:
    document = _object(body, name)
    value = document.get("value")
    if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
        raise LiveError(f"`{name}` answers no list where one was asked for", "look for a proxy that stands between")
    return document


def _code(body: bytes) -> str:
    """Return the error's code, never its text, which may name people."""
    try:
        code = json.loads(body)["error"]["code"]
    except (ValueError, KeyError, TypeError):
        return ""
    return f" ({code})" if isinstance(code, str) and CODE.fullmatch(code) else ""
