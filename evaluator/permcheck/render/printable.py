"""Make names from outside safe to print: a terminal must not obey them."""

from __future__ import annotations

import re
from typing import Final

# Control characters but the line feed, and what reorders or hides text.
UNSAFE: Final = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def printable(text: str, *, lines: bool = False) -> str:
    r"""Return the text with every unsafe character as its escape, such as `\x1b`; line feeds stay if `lines`."""
    safe = UNSAFE.sub(lambda match: match.group().encode("unicode_escape").decode("ascii"), text)
    return safe if lines else safe.replace("\n", "\\n")
