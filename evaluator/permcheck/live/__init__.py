"""Raw exports of the live services in.

Nothing of azure or requests is imported before something is collected.
"""

from __future__ import annotations

from permcheck.errors import LiveError
from permcheck.live.adminservice import collect_adminservice
from permcheck.live.collection import Collected, Refused
from permcheck.live.credentials import Way
from permcheck.live.graph import collect_graph
from permcheck.live.progress import Progress, Silent, on_stderr

__all__ = [
    "Collected",
    "LiveError",
    "Progress",
    "Refused",
    "Silent",
    "Way",
    "collect_adminservice",
    "collect_graph",
    "on_stderr",
]
