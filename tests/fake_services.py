"""Microsoft Graph and the administration service on this machine: small pages, and every way of going wrong."""

from __future__ import annotations

import json
import re
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

TOKEN = "eyJ-THIS-IS-A-SECRET-TOKEN-0123456789"
MOST_REQUESTS = 5_000
LIFETIME = 60.0

Row = dict[str, Any]
Query = dict[str, str]


@dataclass
class Fault:
    """What goes wrong with one answer."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False
    """The connection is closed in the middle of the body."""
    body: bytes | None = None
    link: str | None = None
    """A link to a next page instead of the right one."""
    wait: threading.Event | None = None


class Fake:
    """A service. `with fake:` starts it; it stops by itself after a minute or some thousand requests."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.faults: dict[str, deque[Fault]] = {}
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.timer = threading.Timer(LIFETIME, self.server.shutdown)
        self.timer.daemon = True

    def __enter__(self) -> Any:
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        self.timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.timer.cancel()
        self.server.shutdown()
        self.server.server_close()

    def goes_wrong(self, part: str, *faults: Fault) -> None:
        """The next answers to addresses that contain `part` go wrong, one fault each."""
        self.faults.setdefault(part, deque()).extend(faults)

    def fault(self, address: str) -> Fault | None:
        """What goes wrong now."""
        for part, waiting in self.faults.items():
            if part in address and waiting:
                return waiting.popleft()
        return None

    def paths(self) -> list[str]:
        """What was asked, without options."""
        return [urlsplit(address).path for address in self.asked]

    def signed_in(self, _header: str | None) -> bool:
        """Whether the caller may ask at all."""
        return True

    def answer(self, path: str, query: Query, address: str) -> tuple[int, Any]:
        """Status and document."""
        raise NotImplementedError


class FakeGraph(Fake):
    """Microsoft Graph. `lists` and `objects`: path -> rows or object; keys may be segments or in parentheses."""

    page = 2

    def __init__(self, lists: dict[str, list[Row]], objects: dict[str, Row]) -> None:
        super().__init__()
        self.lists, self.objects = lists, objects
        self.tokens = {f"Bearer {TOKEN}"}
        self.stale = False
        """Whether links to next pages of before are forgotten."""
        self.run = 0

    def signed_in(self, header: str | None) -> bool:
        return header in self.tokens

    def answer(self, path: str, query: Query, address: str) -> tuple[int, Any]:
        if path in self.objects:
            return 200, {
                "@odata.context": f"{self.context(self.around(path))}/$entity",
                **_chosen(self.objects[path], query),
            }
        if path not in self.lists:
            return 404, {"error": {"code": "Request_ResourceNotFound", "message": f"no {TOKEN} there"}}
        run, _, start = query.get("$skiptoken", f"{self.run}.0").partition(".")
        if int(run) != self.run:
            return 400, {"error": {"code": "Directory_ExpiredPageToken", "message": "expired"}}
        first = int(start)
        rows = self.lists[path]
        if "$filter" in query:
            group = re.fullmatch(r"groupId eq '(.*)'", query["$filter"]).group(1)
            rows = [row for row in rows if row["groupId"] == group]
        document: Row = {"@odata.context": self.context(path), "value": []}
        document["value"] = [_chosen(row, query) for row in rows[first : first + self.page]]
        if first + self.page < len(rows):
            plain = re.sub(r"[?&]\$skiptoken=[^&]*", "", address)
            joint = "&" if "?" in plain else "?"
            document["@odata.nextLink"] = f"{self.url}{plain}{joint}$skiptoken={self.run}.{first + self.page}"
        return 200, document

    def around(self, path: str) -> str:
        """The list that one thing is in, which its context names without the key of the thing."""
        outside = path.rpartition("/")[0]
        return outside if outside in self.lists else re.sub(r"\([^()]*\)$", "", path)

    def context(self, path: str) -> str:
        """What a list is of, as the service says it."""
        version, _, rest = path.lstrip("/").partition("/")
        what = (
            "directoryObjects"
            if rest.endswith("/members")
            else re.sub(r"Definitions/([^/]+)/", r"Definitions('\1')/", rest)
        )
        return f"{self.url}/{version}/$metadata#{what}"


class FakeAdminService(Fake):
    """The administration service. `classes`: class -> rows; `keys`: class -> key; `lazy`: class -> lazy properties."""

    linked = False
    """Whether it gives links to next pages."""
    most = 1000
    """Rows of a page at most, whatever is asked for."""
    skips = True

    def __init__(self, classes: dict[str, list[Row]], keys: dict[str, str], lazy: dict[str, tuple[str, ...]]) -> None:
        super().__init__()
        self.classes, self.keys, self.lazy = classes, keys, lazy

    def answer(self, path: str, query: Query, address: str) -> tuple[int, Any]:
        match = re.fullmatch(r"/AdminService/wmi/(\w+?)(?:\((.*)\)|/(.+))?", path)
        if not match or match.group(1) not in self.classes:
            return 404, {"error": {"code": "", "message": "not found"}}
        name, key = match.group(1), match.group(2) or match.group(3)
        rows = self.classes[name]
        if key is not None:
            found = [row for row in rows if str(row[self.keys[name]]) == key.strip("'")]
            return (200, {"@odata.context": self.context(name), "value": found}) if found else (404, {})
        shown = [self._shown(name, row) for row in rows]
        first = int(query.get("$skip", "0")) if self.skips else 0
        size = min(self.most, int(query.get("$top", "1000")))
        document: Row = {"@odata.context": self.context(name), "value": shown[first : first + size]}
        if self.linked and first + size < len(shown):
            plain = re.sub(r"[?&]\$skip=\d+", "", address)
            document["@odata.nextLink"] = f"{self.url}{plain}&$skip={first + size}"
        return 200, document

    def context(self, name: str) -> str:
        return f"{self.url}/AdminService/wmi/$metadata#{name}"

    def _shown(self, name: str, row: Row) -> Row:
        """Lists leave lazy properties out."""
        lazy = self.lazy.get(name, ())
        return {"__LAZYPROPERTIES": list(lazy), **{k: None if k in lazy else v for k, v in row.items()}}


def _chosen(row: Row, query: Query) -> Row:
    if "$select" not in query:
        return row
    wanted = set(query["$select"].split(","))
    return {key: value for key, value in row.items() if key in wanted or key.startswith("@")}


def _handler(fake: Fake) -> Callable[..., BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def log_message(self, *_: object) -> None:
            pass

        def do_GET(self) -> None:
            fake.asked.append(self.path)
            if len(fake.asked) > MOST_REQUESTS:
                self.close_connection = True
                return
            parts = urlsplit(self.path)
            query = {key: values[0] for key, values in parse_qs(parts.query).items()}
            fault = fake.fault(self.path) or Fault()
            if fault.wait:
                fault.wait.wait(5)
            if not fake.signed_in(self.headers.get("Authorization")):
                status, document = 401, {"error": {"code": "InvalidAuthenticationToken", "message": "no"}}
            elif fault.status:
                status, document = fault.status, {"error": {"code": "Some_Code", "message": f"not for {TOKEN}"}}
            else:
                status, document = fake.answer(unquote(parts.path), query, self.path)
            if fault.link is not None:
                document["@odata.nextLink"] = fault.link
            body = json.dumps(document).encode() if fault.body is None else fault.body
            with suppress(ConnectionError):  # the caller didn't wait
                self.send(status, fault, body)

        def send(self, status: int, fault: Fault, body: bytes) -> None:
            self.send_response(status)
            for name, value in fault.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[: len(body) // 2] if fault.cut else body)
            if fault.cut:
                self.close_connection = True

    return Handler
