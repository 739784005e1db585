"""Where Microsoft Graph is in each cloud, and who signs people in there."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from permcheck.errors import LiveError
from permcheck.live.endpoint import Endpoint, endpoint


@dataclass(frozen=True, slots=True)
class Cloud:
    """A deployment of Microsoft's cloud."""

    graph: str
    authority: str

    @property
    def scope(self) -> str:
        """What a token is asked for: whatever the application was granted on this Graph."""
        return f"https://{self.graph}/.default"


CLOUDS: Final = MappingProxyType(
    {
        "public": Cloud("graph.microsoft.com", "login.microsoftonline.com"),
        "us-government": Cloud("graph.microsoft.us", "login.microsoftonline.us"),
        "dod": Cloud("dod-graph.microsoft.us", "login.microsoftonline.us"),
        "china": Cloud("microsoftgraph.chinacloudapi.cn", "login.chinacloudapi.cn"),
    }
)


def cloud_named(name: str) -> Cloud:
    """Return a cloud by name. Raises LiveError."""
    found = CLOUDS.get(name)
    if found is None:
        raise LiveError(f"no cloud is called `{name}`", "use one of " + ", ".join(CLOUDS))
    return found


def graph_of(cloud: Cloud, base_url: str | None) -> Endpoint:
    """Return where to ask. Another address than the cloud's must be on this machine: tokens go there."""
    if base_url is None:
        return endpoint(cloud.graph)
    found = endpoint(base_url)
    if found.scheme != "http":
        message = f"`{found.name}` is not Microsoft Graph, and a token would be sent to it"
        raise LiveError(message, "name the cloud instead of an address")
    return found
