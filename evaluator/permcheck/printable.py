"""Make names from outside safe to print: a terminal must not obey them."""

from __future__ import annotations

import re
from typing import Final

# Control characters, what reorders or hides text, and what can't be told from a space or from nothing.
UNSAFE: Final = re.compile(
    "[\x00-\x1f\x7f-\xa0\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u2000-\u200f\u2028-\u202f\u205f-\u2064"
    "\u2066-\u2069\u3000\u3164\ufeff\uffa0]"
)


def printable(text: str) -> str:
    r"""Return the text with every unsafe character and line feed as its escape, such as `\x1b`."""
    return UNSAFE.sub(lambda match: match.group().encode("unicode_escape").decode("ascii"), text)


def inert(line: str) -> str:
    """Return a line of a log that no pipeline takes for a command: GitHub reads the start, Azure DevOps all of it."""
    safe = line.replace("##vso[", "#\\#vso[")
    text = safe.lstrip()
    return f"{safe[: len(safe) - len(text)]}\\{text}" if text.startswith(("::", "##[")) else safe


def one_line(text: str, limit: int = 300) -> str:
    """Return a message as one safe line; a very long one loses its middle."""
    safe = printable(text)
    return safe if len(safe) <= limit else f"{safe[: limit - 60]} ... {safe[-50:]}"
