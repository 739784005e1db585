"""File names out of ids that come from outside."""

from __future__ import annotations

import hashlib
import re
from typing import Final
from urllib.parse import quote

LONGEST: Final = 80
RESERVED: Final = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)", re.IGNORECASE)
"""Names that Windows keeps for devices."""


def safe_name(text: str) -> str:
    """Write a text as one part of a path: no separator, no dot, nothing that a system reserves."""
    name = quote(text, safe="", errors="surrogatepass").replace(".", "%2E").replace("~", "%7E")
    if not name or RESERVED.fullmatch(name):
        name = f"%{ord(name[0]):02X}{name[1:]}" if name else "%"
    if len(name) > LONGEST:
        digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
        name = f"{name[: LONGEST - 17].rstrip('%')}~{digest}"
    return name


def page_name(folder: str, number: int) -> str:
    """Name the file of a page; pages count from 1."""
    return f"{folder}-{number:04}.json"
