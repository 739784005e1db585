"""Say what an import read, left out and misses."""

from __future__ import annotations

from collections.abc import Iterator

from permcheck.exports.report import Gap, ReadList, Report
from permcheck.render.outline import Line, Section

FEW = 4


def import_outline(report: Report) -> Iterator[Section]:
    """Return the report of an import, section by section."""
    kinds: dict[tuple[str, str], list[ReadList]] = {}
    for one in report.read:
        kinds.setdefault((one.title, one.why), []).append(one)
    read = [line for (title, why), lists in kinds.items() for line in _kind(title, why, lists)]
    sections = (
        ("Read", read),
        ("Left out", [Line(0, text, "missing") for text in report.left_out]),
        ("Worth knowing", [Line(0, text) for text in report.notes]),
        ("Missing", [line for gap in report.gaps for line in _gap(gap, report.actions)]),
    )
    for heading, lines in sections:
        if lines:
            yield Section(heading, tuple(lines))


def _kind(title: str, why: str, lists: list[ReadList]) -> Iterator[Line]:
    """Say how many entries of a kind were read, why they were taken for it, and where they stand."""
    count = sum(one.entries for one in lists)
    yield Line(0, f"{title}: {count} {'entry' if count == 1 else 'entries'} ({why})", "", "ok")
    shown = lists if len(lists) <= FEW else lists[: FEW - 1]
    for one in shown:
        yield Line(1, f"{one.file}, {one.path}" if one.path else one.file, "place")
    if len(shown) < len(lists):
        yield Line(1, f"and {len(lists) - len(shown)} more files", "place")


def _gap(gap: Gap, actions: int) -> Iterator[Line]:
    yield Line(0, f"{gap.title}: {', '.join(gap.facts)}", "", "?")
    if len(gap.actions) > FEW:
        yield Line(1, f"without it, answers about {len(gap.actions)} of {actions} actions may be undetermined")
    elif gap.actions:
        yield Line(1, f"without it, answers about {', '.join(gap.actions)} may be undetermined")
    if gap.powershell or gap.rest:
        yield Line(1, gap.powershell or gap.rest, "command")
    elif gap.manual:
        yield Line(1, f"look it up: {gap.manual}", "advice")
    if gap.permission and (gap.powershell or gap.rest):
        yield Line(1, f"least privilege: {gap.permission}", "place")
