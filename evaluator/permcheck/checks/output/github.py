"""Findings as annotations of GitHub Actions: workflow commands, one on each line."""

from __future__ import annotations

from permcheck.checks.lint import Report
from permcheck.checks.output.rows import Row, rows, shown_file, summary
from permcheck.printable import printable

LEVELS = {"error": "error", "warning": "warning", "info": "notice"}


def github_report(report: Report) -> str:
    """Return a report as workflow commands; the last line is for people."""
    lines = [_command(row) for row in rows(report)]
    if report.not_run:
        names = ", ".join(f"{one.check} ({one.why})" for one in report.not_run)
        lines.append(f"::notice title=permcheck::not evaluated: {_data(names)}")
    return "\n".join([*lines, summary(report)]) + "\n"


def _command(row: Row) -> str:
    place, file = row.place, shown_file(row.place)
    numbers = {"line": place.line, "col": place.column, "endColumn": place.end_column}
    properties = ([f"file={_property(file)}"] if file else []) + [f"{key}={n}" for key, n in numbers.items() if n]
    properties.append(f"title={_property(row.title)}")
    where = "" if file else f"{place.file}: "
    message = _data(f"{where}{row.message}") + (f"%0A{_data(row.help)}" if row.help else "")
    return f"::{LEVELS[row.severity]} {','.join(properties)}::{message}"


def _data(text: str) -> str:
    return printable(text).replace("%", "%25")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
