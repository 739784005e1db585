"""The pages docs/checks/*.md: what the policy says of each check."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from permcheck.model.policy_checks import CheckFacts, Example
from permcheck.model.policy_index import Policy
from permcheck.render.markdown import escape

INDEX: Final = "README.md"
_LANGUAGES: Final = {"json": "json", "xml": "xml", "yaml": "yaml", "yml": "yaml", "toml": "toml"}
_MADE: Final = "<!-- made from policy/checks by `make schemas` -->"
_NEEDS: Final = {
    "definitions": "role definitions",
    "files": "estate files",
    "estate": "an estate",
    "usage": "an estate, and what was used in it",
    "expectations": "expected decisions, and an estate",
    "before": "an estate, and the one before the change",
    "policy": "the policy itself",
}


def pages(checks: Mapping[str, CheckFacts], policy: Policy) -> Iterator[tuple[str, str]]:
    """Return the name and the text of every page, the index first."""
    yield INDEX, _index(checks.values())
    for facts in checks.values():
        yield f"{facts.id}.md", page(facts, policy)


def page(facts: CheckFacts, policy: Policy) -> str:
    """Return the page of a check."""
    return "\n".join(_lines(facts, policy)).rstrip("\n") + "\n"


def _lines(facts: CheckFacts, policy: Policy) -> Iterator[str]:
    yield from (_MADE, "", f"# {facts.id}: {facts.name}", "", escape(facts.summary), "")
    yield from ("| Severity | Confidence | Looks at | Runs |", "|---|---|---|---|")
    yield f"| {facts.severity} | {facts.confidence} | {_NEEDS[facts.needs]} | {_runs(facts)} |"
    yield from ("", "## Why", "", escape(facts.why), "", "## What to do", "", escape(facts.fix), "")
    if facts.options:
        yield from ("## Options", "", "```toml", f"[lint.options.{facts.id}]")
        yield from (f"{name} = {_toml(value)}" for name, value in facts.options.items())
        yield from ("```", "")
    yield from ("## Fires on", "", *_examples(facts.bad), "## Silent on", "", *_examples(facts.good))
    yield from ("## Sources", "")
    for id_ in (id_ for id_ in facts.sources if id_ in policy.sources):
        passage, document = policy.sources[id_], policy.document_of(id_)
        heading = f"{escape(document.title)}, “{escape(passage.heading)}” ({document.date})"
        yield f"- {heading}: {escape(passage.says)}"


def _runs(facts: CheckFacts) -> str:
    how = "`validate` and `lint`" if facts.cheap else "`lint`"
    return how if facts.default else f"{how}, where it is selected"


def _toml(value: int | str | bool) -> str:  # noqa: FBT001 - an option has one of these types
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int) else '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _examples(examples: Iterable[Example]) -> Iterator[str]:
    for one in examples:
        fence = "`" * max(3, *(len(run) + 1 for run in one.text.replace("\n", " ").split() if set(run) == {"`"}), 3)
        language = _LANGUAGES.get(one.file.rpartition(".")[2], "")
        yield from (f"`{one.file}`:", "", f"{fence}{language}", *one.text.rstrip("\n").splitlines(), fence, "")


def _index(checks: Iterable[CheckFacts]) -> str:
    lines = [_MADE, "", "# Checks", "", "`permcheck rule PC101` prints one of these pages without a network.", ""]
    lines += ["| Check | Severity | Looks at | What it finds |", "|---|---|---|---|"]
    lines += [
        f"| [{one.id} {one.name}]({one.id}.md) | {one.severity} | {_NEEDS[one.needs]} | {escape(one.summary)} |"
        for one in checks
    ]
    return "\n".join(lines) + "\n"
