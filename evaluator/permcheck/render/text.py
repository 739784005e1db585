"""An explanation for a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from permcheck.model.decision import Decision
from permcheck.model.policy_index import Policy
from permcheck.model.state import Verdict
from permcheck.printable import inert, printable
from permcheck.render.brief import brief, sentence
from permcheck.render.outline import Line, Section, outline

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

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
    "command": "cyan",
}
MARKS = {"ok": ("✓", "v", "green"), "no": ("✗", "x", "bold red"), "?": ("?", "?", "bold yellow")}
VERDICT_STYLES = {Verdict.ALLOW: "bold green", Verdict.DENY: "bold red", Verdict.UNDETERMINED: "bold yellow"}


def print_explanation(console: Console, decision: Decision, policy: Policy) -> None:
    """Print the whole explanation."""
    from rich.text import Text

    title = Text()
    title.append(decision.verdict.value.upper(), VERDICT_STYLES[decision.verdict])
    title.append(f"  {printable(sentence(brief(decision)))}")
    if decision.strict:
        title.append("  (strict: every edition and reading must allow)")
    for chunk in _wrap(console, title, console.width):
        console.print(chunk, soft_wrap=True)
    console.print()
    print_sections(console, outline(decision, policy))


def print_sections(console: Console, sections: Iterable[Section]) -> None:
    """Print sections of an outline, wrapped and indented."""
    from rich.text import Text

    pretty = (console.encoding or "").casefold().startswith("utf")
    lines: list[Text] = []
    for section in sections:
        lines += [Text(), Text(section.heading, "bold underline")]
        for line in section.lines:
            safe = line._replace(text=printable(line.text))
            lines += _wrapped(console, safe, pretty=pretty)
    console.print(Text("\n").join(lines[1:]), soft_wrap=True)


def _wrapped(console: Console, line: Line, *, pretty: bool) -> Iterator[Text]:
    """One line, wrapped, with a hanging indent behind a mark."""
    from rich.text import Text

    lead = Text(" " * (2 + 4 * line.depth))
    style = STYLES.get(line.kind, "")
    if line.mark:
        mark, plain, colour = MARKS[line.mark]
        lead.append(f"{mark if pretty else plain} ", colour)
        style = "" if line.mark == "ok" else colour.removeprefix("bold ")
    room = max(console.width - lead.cell_len, 20)
    if line.kind == "command" or (len(line.text) < room and line.text.isascii()):
        yield lead.append(inert(line.text), style)
        return
    hang = " " * lead.cell_len
    for number, chunk in enumerate(_wrap(console, Text(line.text, style), room)):
        yield (lead if number == 0 else Text(hang)) + chunk


def _wrap(console: Console, text: Text, width: int) -> Iterator[Text]:
    """Wrap a text. Where a line begins with a part of a name, that part is no command of a pipeline either."""
    from rich.text import Text

    for chunk in text.wrap(console, width):
        chunk.rstrip()
        safe = inert(chunk.plain)
        yield chunk if safe == chunk.plain else Text(safe, chunk.style)
