"""Expected decisions, printed: text, JUnit or JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final
from xml.etree.ElementTree import Element, SubElement

from permcheck.checks.expected import Expected, Outcome
from permcheck.checks.output.document import json_text
from permcheck.checks.output.junit import clean, xml_text
from permcheck.printable import inert, one_line, printable

FORMAT: Final = "permcheck-tests/1"


def expected_text(result: Expected) -> str:
    """Return the differences, and a last line of counts."""
    lines = [line for problem in result.problems for line in _problem(problem.place, problem.message, problem.help)]
    lines += [line for one in result.failed for line in _difference(one)]
    passed = len(result.outcomes) - len(result.failed)
    counts = f"{passed} passed, {len(result.failed)} failed"
    counts += f", {len(result.problems)} not answered" if result.problems else ""
    return "".join(f"{inert(printable(line))}\n" for line in (*lines, f"{counts} ({result.files} files)"))


def _problem(place: str, message: str, help_: str) -> Iterator[str]:
    yield f"{place}: error: {one_line(message)}"
    if help_:
        yield f"  help: {one_line(help_)}"


def _difference(one: Outcome) -> Iterator[str]:
    yield f"{one.place}: error: {one.question}: expected {one.case.expect}, got {one.got}"
    yield f"  {one_line(one.said)}"
    if one.case.why:
        yield f"  why it must be {one.case.expect}: {one_line(one.case.why)}"


def expected_json(result: Expected) -> str:
    """Return every case with its answer as JSON."""
    document: dict[str, Any] = {
        "format": FORMAT,
        "cases": [
            {
                "file": one.place.file,
                "line": one.place.line or None,
                "column": one.place.column or None,
                **one.case.model_dump(),
                "got": one.got,
                "said": one.said,
            }
            for one in result.outcomes
        ],
        "problems": [{"place": p.place, "message": p.message, "help": p.help} for p in result.problems],
        "passed": len(result.outcomes) - len(result.failed),
        "failed": len(result.failed),
    }
    return json_text(document)


def expected_junit(result: Expected) -> str:
    """Return every case as a case of JUnit."""
    counts = {
        "tests": len(result.outcomes) + len(result.problems),
        "failures": len(result.failed),
        "errors": len(result.problems),
    }
    root = Element("testsuites", name="permcheck test")
    suite = SubElement(root, "testsuite", name="permcheck test")
    for key, number in counts.items():
        suite.set(key, str(number))
    for one in result.outcomes:
        case = SubElement(suite, "testcase", classname=clean(one.place.file), name=clean(one.question))
        if not one.passed:
            message = f"expected {one.case.expect}, got {one.got}"
            failure = SubElement(case, "failure", type="difference", message=message)
            failure.text = clean("\n".join(_difference(one)))
    for problem in result.problems:
        case = SubElement(suite, "testcase", classname=clean(problem.file), name=clean(problem.place))
        SubElement(case, "error", type=problem.id, message=clean(problem.message)).text = clean(problem.help)
    return xml_text(root)
