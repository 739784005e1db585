"""Every check with the function that runs it. A new one is policy/checks/PCnnn.yaml, a file in rules, and a line."""

from __future__ import annotations

from typing import Final

from permcheck.checks.context import Check
from permcheck.checks.rules import pc101, pc104

CHECKS: Final[dict[str, Check]] = {
    "PC101": pc101.check,
    "PC104": pc104.check,
}
