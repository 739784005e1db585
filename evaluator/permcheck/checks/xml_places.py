"""Where roles and operations stand in a role export: the n-th role, the n-th operation in it."""

from __future__ import annotations

import re
from bisect import bisect_right
from functools import cached_property
from typing import Final

from permcheck.loading.text import Path_

_ROLE: Final = re.compile(r"<SMS_Role[\s>/]")
_OPERATION: Final = re.compile(r"<Operation[\s>/]")
DEEP: Final = 3
"""Steps of a path to an operation: role, the list, number."""


class XmlPlaces:
    """The text of a role export that was parsed without fault."""

    def __init__(self, text: str) -> None:
        self._text = text

    @cached_property
    def _lines(self) -> list[int]:
        return [0, *(match.end() for match in re.finditer("\n", self._text))]

    def position(self, path: Path_) -> tuple[int, int]:
        """Return line and column of a role or of an operation in it; (0, 0) if it is not found."""
        roles = [match.start() for match in _ROLE.finditer(self._text)]
        number = path[0] if path and isinstance(path[0], int) else 0
        if number >= len(roles):
            return (0, 0)
        start = roles[number]
        if len(path) >= DEEP and isinstance(path[2], int):
            end = roles[number + 1] if number + 1 < len(roles) else len(self._text)
            operations = [match.start() for match in _OPERATION.finditer(self._text, start, end)]
            start = operations[path[2]] if path[2] < len(operations) else start
        line = bisect_right(self._lines, start)
        return line, start - self._lines[line - 1] + 1
