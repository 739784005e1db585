"""What is asked of a service, and what may read it: the table behind docs/live.md."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote

Per = Literal["assignment", "group", "role", "administrator"]


@dataclass(frozen=True, slots=True)
class Ask:
    """One request, or one for each thing of a kind: `{id}` in `path` and `file` is then its id."""

    name: str
    """Unique; what a person reads while it runs."""
    path: str
    """Below the endpoint."""
    permission: str
    """The least that may read it."""
    file: str = ""
    """Where pages go, without number and suffix; default: the name."""
    per: Per | None = None
    required: bool = False
    """Whether a refusal ends the run."""
    application: str = ""
    """The least for an application that signs in without a person, if that is another permission."""
    single: bool = False
    """The answer is one object, no list."""

    def url(self, base: str, **keys: str) -> str:
        """Address, with ids made safe."""
        quoted = {key: quote(value.replace("'", "''"), safe="") for key, value in keys.items()}
        return f"{base}/{self.path.format(**quoted)}"
