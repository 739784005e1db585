"""A review as a summary in Markdown: totals, who has acting rights, what is open, what it rests on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from permcheck.model.state import Verdict
from permcheck.render.markdown import escape
from permcheck.review.review import Total
from permcheck.review.table import Record
from permcheck.review.write.listing import About, Listing
from permcheck.review.write.population import Plain, population

MOST: Final = 100
"""So many people with acting rights are listed; of the rest there is a number."""
FACTS: Final = 20
EFFECTS: Final = ("act", "administer")
NAMED: Final = 5


class Acting(NamedTuple):
    """What some users may do, through which roles."""

    users: tuple[str, ...]
    actions: dict[str, None]
    through: dict[str, None]


def markdown_summary(listing: Listing, about: About) -> tuple[str, Plain]:
    """Return the summary and the record of what it was made of. Reads every row."""
    acting = _acting(one.record for one in listing)
    told = population(listing, about)
    lines = [
        *_head(told),
        *_totals(listing),
        *_people(acting),
        *_open(listing),
        *_rests_on(listing),
        *_not_listed(told),
    ]
    return "\n".join(lines) + "\n", told


def _acting(records: Iterable[Record]) -> list[Acting]:
    found: dict[tuple[str, ...], Acting] = {}
    for one in records:
        users, through = one["users"], one["roles"]
        if one["effect"] in EFFECTS and one["verdict"] == Verdict.ALLOW.value:
            assert isinstance(users, tuple)
            assert isinstance(through, tuple)
            mine = found.setdefault(users, Acting(users, {}, {}))
            mine.actions[str(one["action"])] = None
            mine.through.update(dict.fromkeys(through))
    return sorted(found.values(), key=lambda one: (-len(one.actions), one.users))


def _head(told: Plain) -> Iterator[str]:
    tool, estate = told["tool"], told["estate"]
    yield f"# Access review: {_cell(estate['name'])}"
    yield ""
    yield f"- Made {told['made_at']} by permcheck {tool['version']}, policy `{tool['policy_sha256'][:16]}`"
    yield f"- Estate: {_cell(estate['path'])}"
    yield from (f"- As if: {_cell(change)}" for change in estate["changes"])
    yield from (f"- Collected from {_cell(one['source'])}: {one['at']}" for one in estate["collected"])
    yield from (f"- Asked for {kind}: {_cell(', '.join(texts))}" for kind, texts in told["asked"]["filters"].items())
    yield f"- Review {told['review_id']}"
    yield ""


def _totals(listing: Listing) -> Iterator[str]:
    yield from ("## Totals", "", "One user, one action and one device are a cell.", "")
    yield from _table(("Action", "Effect", "Allow", "Undetermined", "Deny", "Cells"), "llrrrr")
    for act, found in listing.review.totals.items():
        yield _row((str(act), act.action.effect, *_numbers(found)))
    yield _row(("All", "", *_numbers(listing.review.total)))
    yield ""


def _numbers(found: Total) -> tuple[str, ...]:
    return tuple(f"{number:,}" for number in (*found, found.cells))


def _people(acting: Sequence[Acting]) -> Iterator[str]:
    yield from ("## Who may act or administer", "")
    if not acting:
        yield from ("Nobody, for certain.", "")
        return
    yield from _table(("Who", "Actions", "Through"), "lll")
    for one in acting[:MOST]:
        who = ", ".join(one.users[:NAMED]) + (f" and {len(one.users) - NAMED} more" if len(one.users) > NAMED else "")
        yield _row((who, ", ".join(one.actions), ", ".join(one.through) or "no role is needed"))
    if len(acting) > MOST:
        yield from ("", f"{len(acting) - MOST:,} more are in the table.")
    yield ""


def _open(listing: Listing) -> Iterator[str]:
    yield from ("## Undetermined", "")
    count = listing.review.total.undetermined
    if not count:
        yield from ("Nothing.", "")
        return
    yield from (f"{count:,} cells. A cell may wait for several facts; those that would settle most of them:", "")
    facts = listing.found.missing.items()
    yield from _counted("Fact", Counter({listing.printer.open(fact): count for fact, count in facts}))


def _rests_on(listing: Listing) -> Iterator[str]:
    """Say what the answers rest on besides the estate."""
    yield from ("## What it rests on", "")
    readings, assumed = listing.found.readings, listing.found.assumed
    if readings:
        yield from ("Readings of passages on which the documents disagree:", "")
        yield from _counted("Reading", Counter({listing.reading(key): count for key, count in readings.items()}))
    if assumed:
        yield from ("Requirements that the estate takes as met where the facts are missing:", "")
        yield from _counted("Requirement", assumed)
    if not readings and not assumed:
        yield from ("No contested reading and no assumption.", "")


def _counted(what: str, counter: Counter[str]) -> Iterator[str]:
    yield from _table((what, "Cells"), "lr")
    for name, count in ordered(counter)[:FACTS]:
        yield _row((name, f"{count:,}"))
    if len(counter) > FACTS:
        yield _row((f"{len(counter) - FACTS:,} more", ""))
    yield ""


def ordered(counter: Counter[str]) -> list[tuple[str, int]]:
    """Return what counts most first, and what counts equally by name."""
    return sorted(counter.items(), key=lambda item: (-item[1], item[0]))


def _not_listed(told: Plain) -> Iterator[str]:
    yield from ("## What is not in it", "")
    for one in told["not_listed"]:
        yield f"- {_cell(one['what'])}: {_cell(one['why'])}"
    for section in told["estate"]["may_lack_entries"]:
        yield f"- Entries of `{section}` that the estate does not tell"
    if told["not_looked_at"]:
        yield f"- {len(told['not_looked_at'])} conditions that no answer looks at: the population record lists them"
    if not (told["not_listed"] or told["estate"]["may_lack_entries"] or told["not_looked_at"]):
        yield "Nothing was left out."


def _table(header: Sequence[str], align: str) -> Iterator[str]:
    yield _row(header)
    yield "|" + "|".join({"l": "---", "r": "---:"}[one] for one in align) + "|"


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(map(_cell, cells)) + " |"


def _cell(text: str) -> str:
    """Escape what Markdown takes for markup, and what it makes a link or a mention of."""
    return escape(text).replace("@", "&#64;").replace("://", "&#58;//").replace("www.", "www&#46;")
