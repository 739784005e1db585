"""Write a review in a format. Each has a module of its own that is imported when it is asked for."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from permcheck.errors import QuestionError
from permcheck.model.state import Verdict
from permcheck.review.review import VERDICTS, Review
from permcheck.review.write.listing import About, Listing, What
from permcheck.review.write.population import population, population_text
from permcheck.review.write.together import Together, together

FORMATS: Final = {"csv": ".csv", "jsonl": ".jsonl", "parquet": ".parquet", "xlsx": ".xlsx", "markdown": ".md"}
"""Format -> how the name of its file ends."""


ALL: Final = What()


def format_of(target: Path) -> str:
    """Tell the format by the name of a file. Raises QuestionError."""
    found = next((kind for kind, end in FORMATS.items() if target.suffix.casefold() == end), None)
    if found is None:
        known = ", ".join(FORMATS.values())
        raise QuestionError(f"the format of `{target.name}` is not known by its name", f"name it {known}, or say which")
    return found


def write_review(
    review: Review, target: Path, about: About, what: What = ALL, *, format_: str | None = None
) -> tuple[Path, ...]:
    """Write a review, and return its files: all or none. Raises WriteError, or QuestionError for a missing extra."""
    kind = format_ or format_of(target)
    if kind not in FORMATS:
        raise QuestionError(f"no format is called `{kind}`", "known are " + ", ".join(FORMATS))
    listing = Listing(review, _with_rights(what) if kind == "markdown" else what)
    target = Path(os.path.realpath(target)) if target.is_symlink() else target
    with together(target) as files:
        {"csv": _csv, "jsonl": _jsonl, "parquet": _parquet, "xlsx": _xlsx, "markdown": _markdown}[kind](
            files, target, listing, about
        )
    return files.paths


def _with_rights(what: What) -> What:
    """Add what a summary must know to say who may do something, and what is open."""
    wanted = {Verdict.ALLOW, Verdict.UNDETERMINED, *what.verdicts}
    return what._replace(verdicts=tuple(verdict for verdict in VERDICTS if verdict in wanted))


def _csv(files: Together, target: Path, listing: Listing, about: About) -> None:
    from permcheck.review.write.csv_file import csv_lines, csv_sets

    table = _text(files.add(target.name), csv_lines(listing))
    _sets(files, f"{target.stem}.sets.csv", listing, lambda path: _text(path, csv_sets(listing.sets)))
    _population(files, target, listing, about, table)


def _jsonl(files: Together, target: Path, listing: Listing, about: About) -> None:
    from permcheck.review.write.jsonl import json_lines

    table = _text(files.add(target.name), json_lines(listing))
    _population(files, target, listing, about, table)


def _parquet(files: Together, target: Path, listing: Listing, about: About) -> None:
    from permcheck.review.write.parquet import write_rows, write_sets

    table = files.add(target.name)
    write_rows(table, listing)
    _sets(files, f"{target.stem}.sets.parquet", listing, lambda path: write_sets(path, listing.sets))
    _population(files, target, listing, about, table)


def _xlsx(files: Together, target: Path, listing: Listing, about: About) -> None:
    from permcheck.review.write.csv_file import csv_sets
    from permcheck.review.write.xlsx import write_book

    beside = f"{target.stem}.sets.csv"
    left = write_book(files.add(target.name), files.scratch, listing, about, beside)
    if left or files.is_there(beside):
        _text(files.add(beside), csv_sets(left))


def _markdown(files: Together, target: Path, listing: Listing, about: About) -> None:
    from permcheck.review.write.markdown import markdown_summary

    text, told = markdown_summary(listing, about)
    _text(files.add(target.name), (text,))
    _text(files.add(f"{target.stem}.population.json"), (population_text(told),))


def _sets(files: Together, name: str, listing: Listing, write: Callable[[Path], object]) -> None:
    """Write the second table if there are sets, or if an earlier one would be taken for it."""
    if listing.printer.sets or files.is_there(name):
        write(files.add(name))


def _population(files: Together, target: Path, listing: Listing, about: About, table: Path) -> None:
    _text(files.add(f"{target.stem}.population.json"), (population_text(population(listing, about, table)),))


def _text(path: Path, lines: Iterable[str]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        file.writelines(lines)
    return path
