"""Findings as a Markdown table, for a pull request."""

from __future__ import annotations

from permcheck.checks.lint import Report
from permcheck.checks.output.rows import Row, rows, summary
from permcheck.render.markdown import escape

MARKS = {"error": "❌ error", "warning": "⚠️ warning", "info": "📝 note"}


def markdown_report(report: Report) -> str:
    """Return a report as a table, with what was not evaluated below it. Names are escaped."""
    lines = ["# permcheck", "", cell(summary(report))]
    table = [_line(row) for row in rows(report)]
    if table:
        lines += ["", "| Severity | Check | Where | What | What to do |", "|---|---|---|---|---|", *table]
    if report.not_run:
        lines += ["", "Not evaluated, which is no pass:", ""]
        lines += [f"- {cell(f'{one.check} {one.name}: {one.why}')}" for one in report.not_run]
    return "\n".join(lines) + "\n"


def _line(row: Row) -> str:
    cells = (cell(row.title), cell(str(row.place)), cell(row.message), cell(row.help))
    return f"| {MARKS[row.severity]} | {' | '.join(cells)} |"


def cell(text: str) -> str:
    """Escape what Markdown takes for markup, and what it makes a link or a mention of."""
    return escape(text).replace("@", "&#64;").replace("://", "&#58;//").replace("www.", "www&#46;")
