"""The first sheet of a workbook: of what, when, by which, and totals that add up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

from permcheck.review.write.listing import Listing
from permcheck.review.write.markdown import FACTS, ordered
from permcheck.review.write.population import Plain
from permcheck.review.write.sheets import Book, Sheet

FILES: Final = "Files it was read from (SHA-256)"
NUMBERS: Final = ("allow", "undetermined", "deny", "cells", "listed")


class _Writer:
    """Writes line after line."""

    def __init__(self, sheet: Sheet, book: Book) -> None:
        self.sheet, self.book, self.row = sheet, book, 0

    def line(self, *cells: str | int, formats: Sequence[str] = ("plain",)) -> None:
        """Write a line; the last format is that of the further cells, too."""
        for index, value in enumerate(cells):
            chosen = self.book.format(formats[min(index, len(formats) - 1)])
            if isinstance(value, int):
                self.sheet.write_number(self.row, index, value, chosen)
            else:
                self.sheet.write_string(self.row, index, value, chosen)
        self.row += 1

    def heading(self, text: str, note: str = "") -> None:
        """Begin a part."""
        self.row += 1
        self.line(text, formats=("heading",))
        if note:
            self.line(note, formats=("note",))

    def facts(self, facts: Mapping[str, str | int]) -> None:
        """Write names and values; what is empty is left out."""
        for name, value in facts.items():
            if value != "":
                self.line(name, str(value), formats=("name", "plain"))


def summary_sheet(sheet: Sheet, book: Book, listing: Listing, told: Plain, cut: Mapping[str, int]) -> None:
    """Write the summary. `cut` says how many cells of which sheet were cut."""
    writer = _Writer(sheet, book)
    sheet.set_column(0, 0, 38)
    sheet.set_column(1, 1, 16)
    sheet.set_column(2, 6, 14)
    sheet.hide_gridlines(2)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    writer.line(f"Access review: {told['estate']['name']}", formats=("title",))
    writer.facts(facts_of(told))
    _totals(writer, told)
    _not_listed(writer, told, cut)
    _found(writer, listing)
    _population(writer, told)
    if told["not_looked_at"]:
        writer.heading("What no answer looks at")
        for text in told["not_looked_at"]:
            writer.line(text)


def facts_of(told: Plain) -> dict[str, str | int]:
    """Return what the summary says of a review in general, by its labels."""
    tool, estate, asked, table = told["tool"], told["estate"], told["asked"], told["table"]
    listed = {f"Asked for {kind}": ", ".join(texts) for kind, texts in asked["filters"].items()}
    return {
        "Made at (UTC)": told["made_at"],
        "Made by": f"permcheck {tool['version']}",
        "Policy (SHA-256)": tool["policy_sha256"],
        "Estate": estate["path"],
        "As if": "; ".join(estate["changes"]),
        "Review id": told["review_id"],
        **listed,
        "Verdicts listed": ", ".join(asked["verdicts"]),
        "A row is": {"class": "users and devices that are alike", "user": "one user", "cell": "one cell"}[asked["by"]],
        "Edition of the documents": asked["edition"] or "by the version of each hierarchy",
        "Strict": "allow only if every edition and reading allows" if asked["strict"] else "",
        "Rows": f"{table['rows']:,}, which stand for {table['cells']:,} cells",
        "Rows as JSON lines (SHA-256)": table["rows_sha256"],
        "Long sets": f"{table['sets']:,}, on the sheet Sets" if table["sets"] else "none",
    }


def _totals(writer: _Writer, told: Plain) -> None:
    writer.heading("Totals", "A cell is one user, one action and one device: allow + undetermined + deny = cells.")
    header = ("Action", "Effect", *(name.capitalize() for name in NUMBERS))
    writer.line(*header, formats=("header",))
    first = writer.row + 1
    for one in told["actions"]:
        writer.line(*totals_of(one), formats=("cell", "cell", "count"))
    writer.line("All", "", formats=("sum name",))
    for index, name in enumerate(NUMBERS, 2):
        letter, value = chr(ord("A") + index), sum(one[name] for one in told["actions"])
        sheet, chosen = writer.sheet, writer.book.format("sum")
        if told["actions"]:
            formula = f"=SUM({letter}{first}:{letter}{writer.row - 1})"
            sheet.write_formula(writer.row - 1, index, formula, chosen, value)


def totals_of(action: Mapping[str, Any]) -> tuple[str | int, ...]:
    """Return the line of an action in the totals."""
    return (action["title"], action["effect"], *(action[name] for name in NUMBERS))


def _not_listed(writer: _Writer, told: Plain, cut: Mapping[str, int]) -> None:
    writer.heading("What is not listed, and why")
    for one in told["not_listed"]:
        writer.line(f"{one['what']}: {one['why']}")
    for section in told["estate"]["may_lack_entries"]:
        writer.line(f"{section}: the estate does not tell all entries")
    for name, count in cut.items():
        writer.line(f"{count:,} cells of the sheet {name} end in “cut”: a cell holds 32,767 characters")
    if not (told["not_listed"] or told["estate"]["may_lack_entries"] or cut):
        writer.line("Nothing: every answer of the estate is listed.")


def _found(writer: _Writer, listing: Listing) -> None:
    """Say what the listed answers wait for and rest on."""
    found = listing.found
    readings = Counter({listing.reading(key): count for key, count in found.readings.items()})
    missing = Counter({listing.printer.open(fact): count for fact, count in found.missing.items()})
    parts: tuple[tuple[str, str, Counter[str]], ...] = (
        ("Facts that would settle most of what is undetermined", "Fact", missing),
        ("Readings of passages on which the documents disagree", "Reading", readings),
        ("Taken as met, because the estate says so", "Requirement", found.assumed),
    )
    for heading, name, counter in parts:
        if counter:
            writer.heading(heading)
            writer.line("Cells", name, formats=("header",))
            for text, count in ordered(counter)[:FACTS]:
                writer.line(count, text, formats=("count", "plain"))
            if len(counter) > FACTS:
                writer.line(f"and {len(counter) - FACTS:,} more", formats=("note",))


def _population(writer: _Writer, told: Plain) -> None:
    estate: Mapping[str, Any] = told["estate"]
    writer.heading("What the estate holds")
    for name, count in estate["counts"].items():
        writer.line(name.replace("_", " "), count, formats=("cell", "count"))
    if estate["collected"]:
        writer.heading("When it was collected")
        for one in estate["collected"]:
            writer.line(one["source"], one["at"])
    writer.heading(FILES)
    for one in estate["sources"]:
        writer.line(one["file"], one["sha256"] or "not a file that can be hashed")
