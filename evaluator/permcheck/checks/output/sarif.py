"""Findings as SARIF 2.1.0, for code scanning and editors."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from typing import Any, Final
from urllib.parse import quote

from permcheck import __version__
from permcheck.checks.facts import load_checks
from permcheck.checks.finding import Edit, Place
from permcheck.checks.lint import Report
from permcheck.checks.output.document import json_text
from permcheck.checks.output.rows import UNREADABLE, UNREADABLE_NAME, Row, rows, shown_file
from permcheck.model.policy_checks import CheckFacts
from permcheck.printable import printable

SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
FINGERPRINT: Final = "permcheckKey/v1"
LEVELS: Final = {"error": "error", "warning": "warning", "info": "note"}
PRECISION: Final = {"confirmed": "very-high", "derived": "high", "disputed": "medium"}


def sarif_report(report: Report) -> str:
    """Return a report as one SARIF log with one run."""
    found = tuple(rows(report))
    checks = load_checks()
    ids = sorted({*report.ran, *(row.check for row in found), *(one.check for one in report.not_run)})
    rules = [_rule(checks[id_]) if id_ in checks else _bare(id_, found) for id_ in ids]
    run = {
        "tool": {"driver": {"name": "permcheck", "semanticVersion": __version__, "rules": rules}},
        "invocations": [
            {
                "executionSuccessful": not report.unusable,
                "toolExecutionNotifications": [
                    {
                        "descriptor": {"id": one.check},
                        "associatedRule": {"id": one.check, "index": ids.index(one.check)},
                        "level": "note",
                        "message": {"text": f"{one.check} {one.name} was not evaluated: {one.why}"},
                    }
                    for one in report.not_run
                ],
            }
        ],
        "columnKind": "unicodeCodePoints",
        "results": [_result(row, ids.index(row.check)) for row in found],
    }
    return json_text({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]})


def _rule(facts: CheckFacts) -> dict[str, Any]:
    return {
        "id": facts.id,
        "name": facts.name,
        "shortDescription": {"text": facts.summary},
        "fullDescription": {"text": facts.why},
        "help": {"text": facts.fix},
        "defaultConfiguration": {"level": LEVELS[facts.severity], "enabled": facts.default},
        "properties": {"precision": PRECISION[facts.confidence], "tags": ["permcheck", facts.needs]},
    }


def _bare(id_: str, found: Iterable[Row]) -> dict[str, Any]:
    if id_ == UNREADABLE:
        return {"id": id_, "name": UNREADABLE_NAME, "shortDescription": {"text": "A file that can't be used."}}
    name = next((row.name for row in found if row.check == id_), id_)
    return {"id": id_, "name": name, "shortDescription": {"text": name}}


def _result(row: Row, index: int) -> dict[str, Any]:
    text = printable(row.message) + (f"\n\n{printable(row.help)}" if row.help else "")
    return {
        "ruleId": row.check,
        "ruleIndex": index,
        "level": LEVELS[row.severity],
        "message": {"text": text},
        "locations": [_location(row.place)],
        "partialFingerprints": {FINGERPRINT: hashlib.sha256(row.key.encode()).hexdigest()[:32]},
        **({"fixes": [_fix(row)]} if row.edits else {}),
    }


def _uri(file: str) -> dict[str, str]:
    """Return a file relative to the current folder; anything in its name that an URI can't hold is escaped."""
    if file.startswith("/"):
        return {"uri": "file://" + quote(file, errors="surrogateescape")}
    first, _, _ = file.partition("/")
    prefix = "./" if ":" in first else ""
    return {"uri": prefix + quote(file, errors="surrogateescape"), "uriBaseId": "%SRCROOT%"}


def _location(place: Place) -> dict[str, Any]:
    file, inside = shown_file(place), place.split()[1]
    if not file:
        return {"logicalLocations": [{"fullyQualifiedName": printable(place.file)}]}
    physical: dict[str, Any] = {"artifactLocation": _uri(file)}
    if place.line:
        physical["region"] = dict(_region(place))
    logical = {"logicalLocations": [{"fullyQualifiedName": printable(inside)}]} if inside else {}
    return {"physicalLocation": physical, **logical}


def _region(place: Place) -> Iterator[tuple[str, int]]:
    yield "startLine", place.line
    if place.column:
        yield "startColumn", place.column
        if place.end_column > place.column:
            yield "endColumn", place.end_column


def _fix(row: Row) -> dict[str, Any]:
    files: dict[str, list[Edit]] = {}
    for edit in row.edits:
        files.setdefault(edit.file, []).append(edit)
    changes = [
        {
            "artifactLocation": _uri(shown_file(Place(file, 1))),
            "replacements": [
                {
                    "deletedRegion": {"charOffset": edit.start, "charLength": edit.end - edit.start},
                    "insertedContent": {"text": edit.text},
                }
                for edit in sorted(edits)
            ],
        }
        for file, edits in files.items()
    ]
    return {"description": {"text": printable(row.help or row.message)}, "artifactChanges": changes}
