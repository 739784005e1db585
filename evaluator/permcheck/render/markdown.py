"""An explanation as Markdown, for a ticket or a pull request."""

from __future__ import annotations

import re

from permcheck.model.decision import Decision
from permcheck.model.policy_index import Policy
from permcheck.printable import printable
from permcheck.render.outline import Line, outline, sentence

MARKS = {"ok": "✅ ", "no": "❌ ", "?": "❔ "}
SPECIAL = re.compile(r"([\\`*_\[\]<>|~&#])")


def decision_markdown(decision: Decision, policy: Policy) -> str:
    """Return the whole explanation. Names are escaped."""
    lines = [f"# {decision.verdict.value.upper()}: {escape(sentence(decision))}"]
    for section in outline(decision, policy):
        lines += ["", f"## {section.heading}", "", *(_line(line) for line in section.lines)]
    return "\n".join(lines) + "\n"


def escape(text: str) -> str:
    """Escape what Markdown would take for markup."""
    return SPECIAL.sub(r"\\\1", printable(text))


def _line(line: Line) -> str:
    return f"{'  ' * line.depth}- {MARKS.get(line.mark, '')}{escape(line.text)}"
