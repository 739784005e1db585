"""The administration service over requests: Windows authentication, waiting and trying again by urllib3."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from permcheck.errors import LiveError
from permcheck.live.asks import Ask
from permcheck.live.endpoint import Endpoint
from permcheck.live.errors import CutError, missing_extra
from permcheck.live.graph_transport import BACKOFF, LONGEST_WAIT, OTHERS, RETRIES, TIMEOUT
from permcheck.live.reader import Answer

if TYPE_CHECKING:
    from requests import Session

WAITED_FOR: Final = (429, 500, 502, 503, 504)


class AdminServiceTransport:
    """A way to the administration service of a site."""

    def __init__(self, endpoint: Endpoint, auth: object | None = None) -> None:
        """Set it up; nobody is asked yet. `auth`: as requests takes it. Raises LiveError if a package is missing."""
        self._endpoint = endpoint
        self._session = _session(auth)

    @property
    def endpoint(self) -> Endpoint:
        """Whom it asks."""
        return self._endpoint

    def get(self, url: str) -> Answer:
        """Ask. Raises LiveError and CutError."""
        result = self._try(url)
        if isinstance(result, LiveError):
            raise result
        return result

    def _try(self, url: str) -> Answer | LiveError:
        """Return errors, so that none carries what requests knows of the request."""
        from requests import exceptions
        from urllib3.exceptions import HTTPError

        name = self._endpoint.name
        others: tuple[type[Exception], ...] = (*OTHERS, *_windows_errors())
        try:
            answer = self._session.get(url, timeout=(30, TIMEOUT), allow_redirects=False)
            return Answer(answer.status_code, answer.content)
        except (exceptions.ChunkedEncodingError, exceptions.ContentDecodingError):
            return CutError(f"the answers of `{name}` break off", "run it again; what came is kept")
        except exceptions.SSLError:
            return LiveError(
                f"the certificate of `{name}` is not trusted here",
                "trust the authority that issued it; REQUESTS_CA_BUNDLE names a file of authorities",
            )
        except (exceptions.RequestException, HTTPError) as error:
            if type(error).__module__.startswith("requests_kerberos"):
                return self._not_signed_in()
            return LiveError(f"`{name}` can't be reached", "look at the name of the server and at the network")
        except others:
            return self._not_signed_in()

    def _not_signed_in(self) -> LiveError:
        way_out = "sign in to the domain: on Linux with `kinit`, on Windows as one of its users"
        return LiveError(f"nobody is signed in to `{self._endpoint.name}`", way_out)

    def denied(self, ask: Ask) -> str:
        """Name the security role."""
        return f"add the account that signs in as an administrative user: {ask.permission}"

    def close(self) -> None:
        """End the connections."""
        self._session.close()


def _session(auth: object | None) -> Session:
    """Make a session. TLS is verified: it is the default of requests, and nothing here changes it."""
    session = _patient_session()
    if session is None:
        raise missing_extra("asking the administration service", "live")
    session.auth = auth or windows_authentication()  # type: ignore[assignment]
    session.headers.update({"Accept": "application/json", "User-Agent": "permcheck"})
    return session


def _patient_session() -> Session | None:
    """Make a session that waits and tries again; None if requests is not installed."""
    try:
        from requests import Session
        from requests.adapters import HTTPAdapter
        from urllib3 import BaseHTTPResponse, Retry
    except ImportError:
        return None

    class Patient(Retry):
        """Waits as long as it is told, up to a limit."""

        def get_retry_after(self, response: BaseHTTPResponse) -> float | None:
            told = super().get_retry_after(response)
            return None if told is None else min(told, LONGEST_WAIT)

    retries = Patient(
        total=RETRIES,
        backoff_factor=BACKOFF,
        backoff_max=LONGEST_WAIT,
        status_forcelist=WAITED_FOR,
        allowed_methods=("GET",),
        raise_on_status=False,
    )
    session = Session()
    for scheme in ("https://", "http://"):
        session.mount(scheme, HTTPAdapter(max_retries=retries))
    return session


def windows_authentication() -> Any:
    """Return Negotiate as the person who is signed in to this machine. Raises LiveError if its package is missing."""
    module, name = (
        ("requests_negotiate_sspi", "HttpNegotiateAuth")
        if sys.platform == "win32"
        else ("requests_kerberos", "HTTPKerberosAuth")  # which wants the server to prove itself, too
    )
    try:
        return getattr(import_module(module), name)()
    except (ImportError, OSError):  # OSError: the system's Kerberos library is not there
        failure = missing_extra("signing in to the administration service", "kerberos")
    raise failure


def _windows_errors() -> tuple[type[Exception], ...]:
    """Return what Windows raises when nobody is signed in: a class of its own, known there only."""
    windows = sys.modules.get("pywintypes")
    return (windows.error,) if windows else ()
