"""Tell a person how far it is. What is told never holds a token or a record of somebody."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Protocol

from permcheck.printable import printable

if TYPE_CHECKING:
    from rich.progress import Progress as Bars


class Progress(Protocol):
    """Somebody who is told."""

    def start(self, title: str, total: int | None = None) -> None:
        """Begin something of `total` steps, if that is known; what was begun before is over."""

    def advance(self, count: int = 1) -> None:
        """Go some steps on."""

    def tell(self, message: str) -> None:
        """Show one line that has to be read, such as the code of a sign-in."""

    def stop(self) -> None:
        """End, well or not."""


class Silent:
    """Nobody listens."""

    def start(self, title: str, total: int | None = None) -> None:
        """Ignore it."""

    def advance(self, count: int = 1) -> None:
        """Ignore it."""

    def tell(self, message: str) -> None:
        """Ignore it."""

    def stop(self) -> None:
        """Ignore it."""


class Lines(Silent):
    """Only what has to be read, on stderr."""

    def tell(self, message: str) -> None:
        """Print the line."""
        sys.stderr.write(printable(message) + "\n")
        sys.stderr.flush()


class Terminal:
    """Bars on stderr."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, SpinnerColumn, TextColumn
        from rich.progress import Progress as Bars

        columns = SpinnerColumn(), TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn()
        self._bars: Bars = Bars(*columns, console=Console(stderr=True), transient=True)

    def start(self, title: str, total: int | None = None) -> None:
        """Show a bar, and only this one."""
        for task in self._bars.task_ids:
            self._bars.remove_task(task)
        self._bars.start()
        self._bars.add_task(printable(title), total=total)

    def advance(self, count: int = 1) -> None:
        """Move the bar."""
        for task in self._bars.task_ids:
            self._bars.advance(task, count)

    def tell(self, message: str) -> None:
        """Print the line above the bar."""
        self._bars.console.print(printable(message), markup=False, highlight=False)

    def stop(self) -> None:
        """Take the bar away."""
        self._bars.stop()


def on_stderr() -> Progress:
    """Bars if stderr is a terminal, else only the lines that have to be read."""
    return Terminal() if sys.stderr.isatty() else Lines()
