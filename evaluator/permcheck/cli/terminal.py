"""The one console: width, colour and NO_COLOR are rich's business."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

PIPED_WIDTH = 100


def console() -> Console:
    """Return a console on stdout. Piped output is not cut: it is wrapped at a fixed width."""
    from rich.console import Console

    force = True if os.environ.get("CLICOLOR_FORCE", "0") != "0" else None
    width = None if sys.stdout.isatty() or os.environ.get("COLUMNS") else PIPED_WIDTH
    return Console(force_terminal=force, width=width, highlight=False, emoji=False, markup=False, soft_wrap=False)
