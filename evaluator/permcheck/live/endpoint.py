"""Whom to ask: a host over https. Plain http is for this machine alone."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from urllib.parse import SplitResult, urljoin, urlsplit

from permcheck.errors import LiveError

PORTS = {"https": 443, "http": 80}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A host; `base` is its address without a path."""

    scheme: str
    host: str
    port: int

    @property
    def base(self) -> str:
        """The address that paths are joined to."""
        return f"{self.scheme}://{self.name}"

    @property
    def name(self) -> str:
        """Host as people write it, with the port only where it is not the usual one."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"

    def next(self, page: str, link: str) -> str:
        """Address of the page that `page` links to. Raises LiveError if it lies on another host."""
        try:
            address = urljoin(page, link)
            same = parse(address) == self
        except (LiveError, ValueError):
            address, same = link, False
        if not same:
            message = f"a page of `{self.name}` leads to another host, `{_host_of(address)}`"
            raise LiveError(message, "nothing was asked there; name the server as it calls itself, or look for a proxy")
        return address


def endpoint(text: str) -> Endpoint:
    """Read a host name or an address. Raises LiveError."""
    written = text.strip().rstrip("/")
    address = written if "://" in written else f"https://{written}"
    try:
        found = parse(address)
    except ValueError:
        found = None
    if found is None or any(character in address.partition("://")[2] for character in "/?#"):
        raise LiveError(f"`{text}` is not a server", "write its name, such as cm01.contoso.com")
    return found


def parse(address: str) -> Endpoint:
    """Take the host out of an address. Raises LiveError for http to another machine, ValueError for nonsense."""
    parts = urlsplit(address)
    scheme, host = parts.scheme, (parts.hostname or "").rstrip(".")
    if scheme not in PORTS or not host or _has_user(parts) or any(c.isspace() or c in "\\%" for c in parts.netloc):
        message = f"{address!r} has no host"
        raise ValueError(message)
    if scheme == "http" and not _is_here(host):
        message = f"`{host}` was to be asked over http, where anybody on the way can read along"
        raise LiveError(message, "use https; http is only for this machine")
    return Endpoint(scheme, host, parts.port or PORTS[scheme])


def _has_user(parts: SplitResult) -> bool:
    return "@" in parts.netloc


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _host_of(address: str) -> str:
    try:
        return urlsplit(address).hostname or "?"
    except ValueError:
        return "?"
