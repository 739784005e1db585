"""An explanation as Markdown, for a ticket or a pull request."""

from __future__ import annotations

import re
from collections.abc import Iterable

from permcheck.model.decision import Decision
from permcheck.model.policy_index import Policy
from permcheck.printable import printable
from permcheck.render.brief import brief, sentence
from permcheck.render.outline import Line, Section, outline

MARKS = {"ok": "✅ ", "no": "❌ ", "?": "❔ "}
SPECIAL = re.compile(r"([\\`*_\[\]<>|~&#])")


def decision_markdown(decision: Decision, policy: Policy) -> str:
    """Return the whole explanation. Names are escaped."""
    title = f"{decision.verdict.value.upper()}: {sentence(brief(decision))}"
    return sections_markdown(title, outline(decision, policy))


def sections_markdown(title: str, sections: Iterable[Section]) -> str:
    """Return an outline under a title."""
    lines = [f"# {escape(title)}"]
    for section in sections:
        lines += ["", f"## {section.heading}", "", *(_line(line) for line in section.lines)]
    return "\n".join(lines) + "\n"


def escape(text: str) -> str:
    """Escape what Markdown would take for markup."""
    return SPECIAL.sub(r"\\\1", printable(text))


def _line(line: Line) -> str:
    return f"{'  ' * line.depth}- {MARKS.get(line.mark, '')}{escape(line.text)}"
