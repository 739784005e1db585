"""What the policy says of a check, for `permcheck rule`."""

from __future__ import annotations

from collections.abc import Iterator

from permcheck.model.policy_checks import CheckFacts
from permcheck.render.outline import Line, Section


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
