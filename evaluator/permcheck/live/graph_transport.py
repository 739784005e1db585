"""Microsoft Graph over azure-core: it signs in, waits when told to and tries again."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from permcheck.errors import LiveError
from permcheck.live.asks import Ask
from permcheck.live.endpoint import Endpoint
from permcheck.live.errors import CutError, missing_extra
from permcheck.live.reader import Answer

if TYPE_CHECKING:
    from azure.core import PipelineClient
    from azure.core.credentials import TokenCredential
    from azure.core.rest import HttpRequest, HttpResponse

RETRIES: Final = 8
BACKOFF: Final = 0.8
LONGEST_WAIT: Final = 120.0
"""Seconds; a service that asks for more is asked again earlier."""
TIMEOUT: Final = 100.0
"""Seconds without a byte."""
LOGGERS: Final = ("azure", "msal", "urllib3", "requests", "requests_kerberos")
OTHERS: Final = (
    ArithmeticError,
    AttributeError,
    ImportError,
    LookupError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
)
"""What may come out of a way to sign in that is not ours."""
ENTRA_ERROR: Final = re.compile(r"AADSTS\d{4,9}")


@contextmanager
def quiet() -> Iterator[None]:
    """Keep the libraries from logging addresses, headers or accounts meanwhile."""
    loggers = [logging.getLogger(name) for name in LOGGERS]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


class GraphTransport:
    """A way to Microsoft Graph."""

    def __init__(self, endpoint: Endpoint, credential: TokenCredential, scope: str) -> None:
        """Set it up; nobody is asked yet. Raises LiveError if azure-core is not installed."""
        self._endpoint = endpoint
        client = _client(endpoint, credential, scope)
        if client is None:
            raise missing_extra("asking Microsoft Graph", "live")
        self._client = client

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
        """Return errors, so that none carries what azure knows of the request."""
        from azure.core import exceptions as azure
        from azure.core.rest import HttpRequest

        request = HttpRequest("GET", url, headers={"Accept": "application/json"})
        try:
            answer = self._client.send_request(request, enforce_https=self._endpoint.scheme == "https")
            return Answer(answer.status_code, answer.content)
        except azure.ClientAuthenticationError as error:
            return self._not_signed_in(str(error))
        except (azure.IncompleteReadError, azure.DecodeError):
            return CutError(f"the answers of `{self._endpoint.name}` break off", "run it again; what came is kept")
        except azure.AzureError:
            return LiveError(
                f"`{self._endpoint.name}` can't be reached",
                "look at the network, the proxy and the certificates of this machine, then run it again",
            )
        except OTHERS:
            return self._not_signed_in("")

    def _not_signed_in(self, text: str) -> LiveError:
        found = ENTRA_ERROR.search(text)
        code = f" ({found.group()})" if found else ""
        return LiveError(
            f"nobody is signed in to `{self._endpoint.name}`{code}",
            "sign in with `az login`, or choose another way: device-code, managed-identity or certificate",
        )

    def denied(self, ask: Ask) -> str:
        """Name the permission."""
        alone = f", or `{ask.application}` if it signs in without a person," if ask.application else ""
        return (
            f"grant the application that signs in `{ask.permission}`{alone} and consent to it; "
            "a person who signs in also needs a role that may read this"
        )

    def close(self) -> None:
        """End the connections."""
        self._client.close()


def _client(
    endpoint: Endpoint, credential: TokenCredential, scope: str
) -> PipelineClient[HttpRequest, HttpResponse] | None:
    """Make a client without a policy that logs or follows redirects; None if azure-core is not installed.

    TLS is verified: that is the default of azure-core, and nothing here changes it.
    """
    try:
        from azure.core import PipelineClient
        from azure.core.pipeline import PipelineResponse
        from azure.core.pipeline.policies import BearerTokenCredentialPolicy, RetryPolicy, UserAgentPolicy
    except ImportError:
        return None

    class Patient(RetryPolicy[Any, Any]):
        """Waits as long as it is told, up to a limit."""

        def get_retry_after(self, response: PipelineResponse[Any, Any]) -> float | None:
            told = super().get_retry_after(response)
            return None if told is None else min(told, LONGEST_WAIT)

    retries = Patient(
        retry_total=RETRIES,
        retry_status=RETRIES,
        retry_backoff_factor=BACKOFF,
        retry_backoff_max=LONGEST_WAIT,
    )
    policies = [UserAgentPolicy("permcheck"), retries, BearerTokenCredentialPolicy(credential, scope)]
    return PipelineClient(endpoint.base, policies=policies, connection_timeout=30, read_timeout=TIMEOUT)
