"""The folder of a collection: raw pages, byte for byte, and a manifest that says what each page answers.

All is written to `<folder>.partial` first. A journal there has one line for each page, so that a broken run is resumed;
what is not in the journal, or doesn't fit its hash, is asked again. Only a finished collection gets the real name.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from permcheck.errors import LiveError
from permcheck.live import shelf

FORMAT: Final = "collection/1"
JOURNAL: Final = "journal.jsonl"
TOO_OLD: Final = timedelta(days=1)
"""A collection is of one day: older pages of a broken run are asked again."""


@dataclass(frozen=True, slots=True)
class Response:
    """A page that was received."""

    file: str
    url: str
    status: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Refused:
    """A request without which the collection is finished all the same. `needs`: the permission, if one is missing."""

    url: str
    status: int
    needs: str


@dataclass(frozen=True, slots=True)
class Collected:
    """A finished collection."""

    folder: Path
    service: str
    endpoint: str
    tenant: str | None
    responses: int
    refused: tuple[Refused, ...]


class Collection:
    """A collection in the making."""

    def __init__(self, folder: Path, service: str, endpoint: str) -> None:
        """Begin or resume. Raises LiveError if something else is in the way."""
        self.folder = shelf.checked(folder)
        self.service, self.endpoint = service, endpoint
        self.partial = self.folder.with_name(self.folder.name + shelf.PARTIAL)
        self.started = datetime.now(UTC)
        self.tenant: str | None = None
        self._known: dict[str, Response] = {}
        self._used: dict[str, Response] = {}
        self._names: dict[str, str] = {}
        self._refused: dict[str, Refused] = {}
        self._resume()

    def _resume(self) -> None:
        lines = _lines(self.partial)
        if lines:
            head = lines[0]
            if (head.get("service"), head.get("endpoint")) != (self.service, self.endpoint):
                message = f"`{self.partial}` is an unfinished collection of `{head.get('endpoint')}`"
                raise LiveError(message, "remove it, or choose another folder")
            began = datetime.fromisoformat(head["started"])
            if self.started - began < TOO_OLD:
                self.started = began
                self._read(lines[1:])
                return
            shelf.remove(self.partial)
        self.partial.mkdir(mode=0o700, parents=True, exist_ok=True)
        began_at = self.started.isoformat(timespec="seconds")
        self._note({"permcheck": FORMAT, "service": self.service, "endpoint": self.endpoint, "started": began_at})

    def _read(self, lines: list[dict[str, Any]]) -> None:
        self._note({})  # ends a line that was cut
        for line in lines:
            if isinstance(line.get("tenant"), str):
                self.tenant = line["tenant"]
            elif {"file", "url", "status", "sha256"} == line.keys() and self._is_inside(str(line["file"])):
                self._known[str(line["url"])] = Response(**line)

    def _is_inside(self, file: str) -> bool:
        return (self.partial / file).resolve().is_relative_to(self.partial.resolve())

    def belongs_to(self, tenant: str) -> None:
        """Say which tenant answers. Raises LiveError if the pages of a broken run are of another one."""
        if self.tenant not in {None, tenant}:
            message = f"`{self.partial}` is an unfinished collection of tenant `{self.tenant}`, not of `{tenant}`"
            raise LiveError(message, "remove it, choose another folder, or sign in to the other tenant")
        if self.tenant is None:
            self.tenant = tenant
            self._note({"tenant": tenant})

    def stored(self, url: str) -> bytes | None:
        """Return the page that an earlier run received for this address, if it is whole."""
        known = self._known.get(url)
        if known is None:
            return None
        try:
            body = (self.partial / known.file).read_bytes()
        except OSError:
            return None
        if sha256(body).hexdigest() != known.sha256:
            return None
        self._use(known)
        return body

    def save(self, file: str, url: str, status: int, body: bytes) -> None:
        """Keep a page under a name, or one like it if another page has it."""
        name = self._free(file, url)
        shelf.write(self.partial / name, body)
        response = Response(name, url, status, sha256(body).hexdigest())
        self._note(asdict(response))
        self._use(response)

    def forget(self, urls: set[str]) -> None:
        """Take pages back: they will be asked again."""
        for url in urls:
            self._known.pop(url, None)
            gone = self._used.pop(url, None)
            if gone is not None:
                self._names.pop(gone.file.casefold(), None)

    def refuse(self, refused: Refused) -> None:
        """Note a request that was refused."""
        self._refused[refused.url] = refused

    def finish(self) -> Collected:
        """Write the manifest and give the folder its name, in one step."""
        responses = list(self._used.values())
        refused = tuple(self._refused.values())
        shelf.write(self.partial / shelf.MANIFEST, self._manifest(responses, refused))
        shelf.keep_only(self.partial, {r.file for r in responses} | {shelf.MANIFEST})
        shelf.put(self.partial, self.folder)
        return Collected(self.folder, self.service, self.endpoint, self.tenant, len(responses), refused)

    def _manifest(self, responses: list[Response], refused: tuple[Refused, ...]) -> bytes:
        document = {
            "permcheck": FORMAT,
            "service": self.service,
            "endpoint": self.endpoint,
            "tenant": self.tenant,
            "started": self.started.isoformat(timespec="seconds"),
            "finished": datetime.now(UTC).isoformat(timespec="seconds"),
            "responses": [asdict(r) for r in responses],
            "refused": [asdict(r) for r in refused],
        }
        return json.dumps(document, indent=1).encode() + b"\n"

    def _use(self, response: Response) -> None:
        self._used[response.url] = response
        self._names[response.file.casefold()] = response.url

    def _free(self, file: str, url: str) -> str:
        """Find a name that no other page has, even where `a` and `A` are one name."""
        name, count = file, 1
        while self._names.get(name.casefold(), url) != url:
            count += 1
            name = f"{file.removesuffix('.json')}~{count}.json"
        return name

    def _note(self, line: dict[str, Any]) -> None:
        text = json.dumps(line) + "\n" if line else "\n"
        with os.fdopen(os.open(self.partial / JOURNAL, shelf.APPEND, 0o600), "a", encoding="utf-8") as journal:
            journal.write(text)


def _lines(partial: Path) -> list[dict[str, Any]]:
    """Read the journal of a broken run; a line that was cut is left out. Raises LiveError if the folder has none."""
    if shelf.is_collection(partial):  # killed after the last page: that it is whole is not known
        shelf.remove(partial)
    if not partial.is_dir() or not any(partial.iterdir()):
        return []
    lines = []
    try:
        for line in (partial / JOURNAL).read_text(encoding="utf-8", errors="replace").splitlines():
            try:
                lines.append(json.loads(line))
            except ValueError:
                continue
    except FileNotFoundError:
        pass
    entries = [line for line in lines if isinstance(line, dict)]
    if not entries or entries[0].get("permcheck") != FORMAT or not _is_time(entries[0].get("started")):
        raise LiveError(f"`{partial}` is in the way: no collection began there", "remove it, or choose another folder")
    return entries


def _is_time(text: object) -> bool:
    try:
        return isinstance(text, str) and datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False
