"""The terminal: one console for answers (width, colour and NO_COLOR are rich's business), stderr for talk."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, TextIO

import click

from permcheck.printable import inert, printable

if TYPE_CHECKING:
    from rich.console import Console

PIPED_WIDTH = 100


def tell(severity: str, message: str, help_: str = "") -> None:
    """Print a message to stderr, and its way out on a line of its own."""
    click.echo(inert(printable(f"{severity}: {message}")), err=True)
    if help_:
        click.echo(inert(printable(f"  help: {help_}")), err=True)


def console(file: TextIO | None = None) -> Console:
    """Return a console on stdout, or on a file. Piped output is not cut: it is wrapped at a fixed width."""
    from rich.console import Console

    if file is not None:
        return Console(file=file, width=PIPED_WIDTH, highlight=False, emoji=False, markup=False, soft_wrap=False)
    force = True if os.environ.get("CLICOLOR_FORCE", "0") != "0" else None
    width = None if sys.stdout.isatty() or os.environ.get("COLUMNS") else PIPED_WIDTH
    return Console(force_terminal=force, width=width, highlight=False, emoji=False, markup=False, soft_wrap=False)
