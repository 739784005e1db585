"""Findings as issues of Azure Pipelines: logging commands, one on each line."""

from __future__ import annotations

from permcheck.checks.lint import Report
from permcheck.checks.output.rows import Row, rows, shown_file, summary
from permcheck.printable import printable


def azure_report(report: Report) -> str:
    """Return a report as logging commands. Azure Pipelines knows errors and warnings: a note is a plain line."""
    lines = [_command(row) for row in rows(report)]
    lines += [_plain(f"not evaluated: {one.check} {one.name}: {one.why}") for one in report.not_run]
    return "\n".join([*lines, summary(report)]) + "\n"


def _command(row: Row) -> str:
    place, file = row.place, shown_file(row.place)
    where = "" if file else f"{place.file}: "
    message = _data(f"{where}{row.message}" + (f" ({row.help})" if row.help else ""))
    if row.severity == "info":
        return f"note: {_plain(str(place))}: {row.check} {_plain(message)}"
    numbers = {"linenumber": place.line, "columnnumber": place.column}
    properties = [f"type={row.severity}"] + ([f"sourcepath={_property(file)}"] if file else [])
    properties += [f"{key}={number}" for key, number in numbers.items() if number]
    return f"##vso[task.logissue {';'.join([*properties, f'code={row.check}'])};]{message}"


def _data(text: str) -> str:
    return printable(text).replace("%", "%AZP25")


def _property(text: str) -> str:
    return _data(text).replace("]", "%5D").replace(";", "%3B")


def _plain(text: str) -> str:
    """Return text that is no command: the agent looks for them anywhere in a line."""
    return printable(text).replace("##", "#\\#")
