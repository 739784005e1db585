"""Findings as JUnit XML: a failed case for each, a passed one for each check that found nothing."""

from __future__ import annotations

import re
from typing import Final
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from permcheck.checks.lint import Report
from permcheck.checks.output.rows import UNREADABLE, Row, rows
from permcheck.printable import printable

_NO_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit_report(report: Report) -> str:
    """Return a report as one test suite."""
    found = tuple(rows(report))
    failed = {row.check for row in found}
    passed = [check for check in report.ran if check not in failed]
    broken = sum(row.check == UNREADABLE for row in found)
    cases = len(found) + len(passed) + len(report.not_run)
    counts = {"tests": cases, "failures": len(found) - broken, "errors": broken, "skipped": len(report.not_run)}
    suites = Element("testsuites", name="permcheck")
    suite = SubElement(suites, "testsuite", name="permcheck")
    for key, number in counts.items():
        suite.set(key, str(number))
    for row in found:
        _failed(suite, row)
    for check in passed:
        SubElement(suite, "testcase", classname="permcheck", name=check)
    for one in report.not_run:
        case = SubElement(suite, "testcase", classname="permcheck", name=f"{one.check} {one.name}")
        SubElement(case, "skipped", message=clean(one.why))
    return xml_text(suites)


def _failed(suite: Element, row: Row) -> None:
    case = SubElement(suite, "testcase", classname=clean(row.place.file), name=clean(f"{row.title}: {row.message}"))
    if row.place.line:
        case.set("line", str(row.place.line))
    kind = "error" if row.check == UNREADABLE else "failure"
    inner = SubElement(case, kind, type=row.severity, message=clean(row.message))
    inner.text = clean(f"{row.place}: {row.message}") + (f"\nhelp: {clean(row.help)}" if row.help else "")


def clean(text: str) -> str:
    """Escape what XML can't hold, and what a terminal would obey."""
    return _NO_XML.sub(lambda found: ascii(found[0])[1:-1], printable(text))


def xml_text(root: Element) -> str:
    """Return an element as the text of a file."""
    indent(root)
    return f"<?xml version='1.0' encoding='utf-8'?>\n{tostring(root, 'unicode')}\n"
