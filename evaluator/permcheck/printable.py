"""Make names from outside safe to print: a terminal must not obey them."""

from __future__ import annotations

import re
from typing import Final

# Control characters, and what reorders or hides text.
UNSAFE: Final = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def printable(text: str) -> str:
    r"""Return the text with every unsafe character and line feed as its escape, such as `\x1b`."""
    return UNSAFE.sub(lambda match: match.group().encode("unicode_escape").decode("ascii"), text)


def one_line(text: str, limit: int = 300) -> str:
    """Return a message as one safe line; a very long one loses its middle."""
    safe = printable(text)
    return safe if len(safe) <= limit else f"{safe[: limit - 60]} ... {safe[-50:]}"
