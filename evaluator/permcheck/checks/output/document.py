"""Findings as plain values for JSON: the form is model/findings.py."""

from __future__ import annotations

import json
import re
from typing import Any, Final

from permcheck.checks.lint import Report
from permcheck.checks.output.rows import Row, rows
from permcheck.model.findings import FORMAT

_ESCAPED: Final = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def json_report(report: Report) -> str:
    """Return a report as JSON text."""
    return json_text(findings_document(report))


def json_text(value: Any) -> str:
    """Return JSON; characters that a terminal would obey, and halves of characters, are escapes."""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    return _ESCAPED.sub(lambda found: f"\\u{ord(found[0]):04x}", text) + "\n"


def findings_document(report: Report) -> dict[str, Any]:
    """Return a report as plain dicts and lists."""
    found = tuple(rows(report))
    problems = found[: len(report.problems)]
    return {
        "format": FORMAT,
        "findings": [_finding(row) for row in found[len(problems) + len(report.unknown) :]],
        "problems": [
            {**_place(row), "id": row.name, "severity": row.severity, "message": row.message, "help": row.help}
            for row in problems
        ],
        "unknown_files": list(report.unknown),
        "not_run": [one._asdict() for one in report.not_run],
        "ran": list(report.ran),
        "files": report.files,
        "suppressed": report.hidden,
    }


def _place(row: Row) -> dict[str, Any]:
    file, inside = row.place.split()
    return {"file": file, "path": inside or None, "line": row.place.line or None, "column": row.place.column or None}


def _finding(row: Row) -> dict[str, Any]:
    return {
        "check": row.check,
        "name": row.name,
        "severity": row.severity,
        "confidence": row.confidence,
        "message": row.message,
        **_place(row),
        "end_column": row.place.end_column or None,
        "help": row.help,
        "key": row.key,
        "edits": [edit._asdict() for edit in row.edits],
    }
