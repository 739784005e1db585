"""Findings for a terminal: one line that an editor can follow, the line of the file, what to do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from permcheck.checks.finding import Finding
from permcheck.checks.lint import Report
from permcheck.model.policy_checks import CheckFacts
from permcheck.printable import one_line, printable
from permcheck.render.outline import Line, Section

WIDE = 120


def finding_lines(finding: Finding, frame: str = "") -> Iterator[str]:
    """Return the lines of one finding."""
    yield printable(
        f"{finding.place}: {finding.severity}: {finding.check} {one_line(finding.message)} [{finding.name}]"
    )
    if frame:
        yield f"    {printable(frame)}"
    if finding.help:
        yield printable(f"  help: {one_line(finding.help)}")


def text_report(report: Report) -> str:
    """Return the whole report as text."""
    lines: list[str] = []
    frames = _Frames()
    for problem in report.problems:
        lines += [printable(f"{problem.place}: {problem.severity}: {problem.message}")]
        lines += [printable(f"  help: {problem.help}")] if problem.help else []
    for file in report.unknown:
        lines += [printable(f"{file}: warning: nothing is known by this file"), f"  help: {UNKNOWN}"]
    for finding in report.findings:
        lines += finding_lines(finding, frames.line(finding))
    lines += [f"not evaluated: {one.check} {one.name}: {one.why}" for one in report.not_run]
    lines.append(summary(report))
    return "\n".join(lines) + "\n"


UNKNOWN = "it is neither a role definition, nor an export, nor an estate file; leave it out, or say what it is"


def summary(report: Report) -> str:
    """Return the last line: counts of everything."""
    count = {level: sum(one.severity == level for one in report.findings) for level in ("error", "warning", "info")}
    parts = [f"{count['error']} errors, {count['warning']} warnings, {count['info']} notes"]
    parts += [f"{len(report.problems)} problems"] if report.problems else []
    parts += [f"{report.hidden} suppressed"] if report.hidden else []
    parts += [f"{len(report.not_run)} checks not evaluated"] if report.not_run else []
    return f"{'; '.join(parts)} ({len(report.ran)} checks, {report.files} files)"


class _Frames:
    """Lines of files, read once."""

    def __init__(self) -> None:
        self._files: dict[str, list[str]] = {}

    def line(self, finding: Finding) -> str:
        place = finding.place
        if not place.line:
            return ""
        if place.file not in self._files:
            try:
                self._files[place.file] = Path(place.file).read_text("utf-8-sig").splitlines()
            except (OSError, UnicodeDecodeError):
                self._files[place.file] = []
        lines = self._files[place.file]
        text = lines[place.line - 1] if place.line <= len(lines) else ""
        start = max(place.column - 1 - WIDE // 2, 0) if len(text) > WIDE else 0
        return text[start : start + WIDE].strip()


def rule_sections(facts: CheckFacts) -> Iterator[Section]:
    """Return what the policy says of a check."""
    head = f"{facts.id} {facts.name}  ({facts.severity}, {facts.confidence}; looks at: {facts.needs})"
    yield Section(head, (Line(0, facts.summary),))
    yield Section("Why", (Line(0, facts.why),))
    yield Section("What to do", (Line(0, facts.fix),))
    options = tuple(Line(0, f"{name} = {value}") for name, value in facts.options.items())
    if options:
        yield Section("Options", options)
    for heading, examples in (("Fires on", facts.bad), ("Silent on", facts.good)):
        lines = [Line(1, text, "command") for one in examples for text in (one.file, *one.text.splitlines())]
        yield Section(heading, tuple(lines))
