"""What a command did, run in this process as its user would."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, NamedTuple

VARIABLES = (
    "PERMCHECK_ESTATE",
    "PERMCHECK_SELECT",
    "PERMCHECK_IGNORE",
    "PERMCHECK_FAIL_ON",
    "PERMCHECK_BASELINE",
    "PERMCHECK_DEBUG",
    "NO_COLOR",
    "FORCE_COLOR",
    "CLICOLOR_FORCE",
    "COLUMNS",
    "TERM",
)
"""What of the user's environment a command looks at."""


class Result(NamedTuple):
    """Exit code and streams."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """What was printed as JSON."""
        return json.loads(self.out)


Cli = Callable[..., Result]
"""Takes the words of a command line."""
