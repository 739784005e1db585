"""A value as the text of a cell, and back."""

from __future__ import annotations

import re
from typing import Final

from permcheck.review.table import Value

JOINT: Final = "; "
FORMULA: Final = re.compile("'*[=+\\-@\t\r\n\uff0b\uff0d\uff1d\uff20]")
"""What a spreadsheet may take for a formula, with apostrophes in front or without."""


def text_of(value: Value) -> str:
    """Return a value as text: lists joined, flags as `true` and `false`, nothing where nothing is known."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case tuple():
            return JOINT.join(value)
    return str(value)


def neutral(text: str) -> str:
    """Put an apostrophe before what a spreadsheet may take for a formula."""
    return f"'{text}" if FORMULA.match(text) else text


def original(cell: str) -> str:
    """Return the text of a cell that `neutral` made."""
    return cell[1:] if cell.startswith("'") and FORMULA.match(cell) else cell
