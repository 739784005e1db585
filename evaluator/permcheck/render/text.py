"""An explanation for a terminal."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from permcheck.model.decision import Decision
from permcheck.model.policy_index import Policy
from permcheck.model.state import Verdict
from permcheck.render.outline import Line, Section, outline, sentence

if TYPE_CHECKING:
    from rich.console import Console

STYLES = {
    "advice": "italic",
    "place": "dim",
    "proof": "dim",
    "missing": "yellow",
    "near": "yellow",
    "error": "red",
    "source": "dim",
    "authority": "bold",
    "fix": "green",
}
MARKS = {"ok": ("✓", "v", "green"), "no": ("✗", "x", "bold red"), "?": ("?", "?", "bold yellow")}
VERDICT_STYLES = {Verdict.ALLOW: "bold green", Verdict.DENY: "bold red", Verdict.UNDETERMINED: "bold yellow"}


def print_explanation(console: Console, decision: Decision, policy: Policy) -> None:
    """Print the whole explanation."""
    from rich.text import Text

    title = Text()
    title.append(decision.verdict.value.upper(), VERDICT_STYLES[decision.verdict])
    title.append(f"  {sentence(decision)}")
    if decision.strict:
        title.append("  (strict: every edition and reading must allow)")
    console.print(title)
    print_sections(console, outline(decision, policy))


def print_sections(console: Console, sections: Iterable[Section]) -> None:
    """Print sections of an outline, wrapped and indented."""
    from rich.text import Text

    for section in sections:
        console.print()
        console.print(Text(section.heading, "bold underline"))
        for line in section.lines:
            _print_line(console, line)


def _print_line(console: Console, line: Line) -> None:
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    indent = 2 + 4 * line.depth
    if not line.mark:
        console.print(Padding(Text(line.text, STYLES.get(line.kind, "")), (0, 0, 0, indent)))
        return
    pretty, plain, style = MARKS[line.mark]
    mark = pretty if (console.encoding or "").casefold().startswith("utf") else plain
    grid = Table.grid(padding=(0, 1))
    grid.add_row(Text(mark, style), Text(line.text, "" if line.mark == "ok" else style.removeprefix("bold ")))
    console.print(Padding(grid, (0, 0, 0, indent)))
