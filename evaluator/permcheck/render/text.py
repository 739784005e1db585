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
    """Print one line, wrapped, with a hanging indent behind a mark."""
    from rich.text import Text

    lead = Text(" " * (2 + 4 * line.depth))
    style = STYLES.get(line.kind, "")
    if line.mark:
        pretty, plain, colour = MARKS[line.mark]
        mark = pretty if (console.encoding or "").casefold().startswith("utf") else plain
        lead.append(f"{mark} ", colour)
        style = "" if line.mark == "ok" else colour.removeprefix("bold ")
    hang = " " * lead.cell_len
    for number, chunk in enumerate(Text(line.text, style).wrap(console, max(console.width - lead.cell_len, 20))):
        chunk.rstrip()
        console.print((lead if number == 0 else Text(hang)) + chunk, soft_wrap=True)
