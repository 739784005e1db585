"""`permcheck review`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import click

from permcheck.cli import options
from permcheck.cli.codes import Exit
from permcheck.cli.session import Asked, open_estate
from permcheck.cli.terminal import tell

if TYPE_CHECKING:
    from permcheck.api import Estate
    from permcheck.bulk.answers import Cell
    from permcheck.review.review import Review, Total
    from permcheck.review.write.listing import About, What

FORMATS: Final = ("text", "json", "csv", "jsonl", "parquet", "xlsx", "markdown")
ON_STDOUT: Final = frozenset({"text", "json"})
VERDICTS: Final = ("allow", "undetermined", "deny")


class Wanted(NamedTuple):
    """The options of a review besides the estate."""

    users: tuple[str, ...]
    actions: tuple[str, ...]
    devices: tuple[str, ...]
    verdicts: tuple[str, ...]
    by: str
    output: Path | None
    format_: str | None
    verify: int
    decisions: Path | None


class Many(NamedTuple):
    """The options of a review of many tenants."""

    tenants: Path | None
    engine: str
    jobs: int
    parts: int


@click.command(short_help="List every answer with its reasons, for people who review access.")
@options.selectors
@options.reading_options
@click.option(
    "--verdict",
    "verdicts",
    type=click.Choice(VERDICTS),
    multiple=True,
    help="List these answers only. Repeatable; default: all.",
)
@click.option(
    "--by",
    type=click.Choice(["class", "user", "cell"]),
    default="class",
    show_default=True,
    help="A row for users who are alike, for each user, or for each user and device.",
)
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the rows: .csv, .jsonl, .parquet, .xlsx or .md.",
)
@click.option(
    "--format", "format_", type=click.Choice(FORMATS), help="How to write or print. Default: by FILE, or text."
)
@click.option(
    "--verify",
    metavar="N",
    type=click.IntRange(min=0),
    default=0,
    help="Ask N answers, drawn at random, again one by one; fail if one differs.",
)
@click.option(
    "--decisions",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Hold a signed CSV or XLSX against this review, and work its removals out.",
)
@click.option(
    "--tenants",
    metavar="FOLDER",
    type=click.Path(path_type=Path),
    help="Review every estate in FOLDER into one set of files.",
)
@click.option(
    "--engine",
    type=click.Choice(["local", "ray"]),
    default="local",
    show_default=True,
    help="What does the work of --tenants.",
)
@click.option("--jobs", metavar="N", type=click.IntRange(min=0), default=0, help="Processes. Default: one a processor.")
@click.option(
    "--parts",
    metavar="N",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Divide each tenant by its devices.",
)
def review(**how: Any) -> int:
    """List every answer of an estate: who can do what on which devices, through what, and why.

    \b
    permcheck review -e estate -o review.xlsx
    permcheck review -e estate -u group:Contractors -a effect:act --by user -o review.csv
    permcheck review -e estate -u group:Contractors -a effect:act --by user --decisions review.csv
    permcheck review --tenants tenants -o reviewed

    Without -o, only how many answers there are of each kind. docs/review.md describes the columns.

    Exit codes: 0 done; with --decisions 1 if the sheet is not the review that was written, or a
    removal does not work or ends what is to be kept.
    """  # fmt: skip  # noqa: D301 - click's own marker
    many = Many(**{name: how.pop(name) for name in Many._fields})
    wanted = Wanted(**{name: how.pop(name) for name in Wanted._fields})
    if many.tenants is not None:
        return _tenants(many.tenants, many, wanted, Asked(**how))
    estate = open_estate(Asked(**how))
    found = estate.review(wanted.users, wanted.actions, wanted.devices)
    if wanted.verify:
        _verify(found, wanted.verify)
    if wanted.decisions is not None:
        return _decisions(estate, found, wanted, Asked(**how))
    if wanted.output is None and wanted.format_ not in {None, *ON_STDOUT}:
        message = f"--format {wanted.format_} needs a file: name it with -o"
        raise click.UsageError(message)
    if wanted.output is None:
        _summary(found, wanted.format_ or "text")
    else:
        _write(estate, found, wanted, wanted.output, Asked(**how))
    return Exit.ALLOW


def _tenants(folder: Path, many: Many, wanted: Wanted, asked: Asked) -> int:
    """Review every tenant of a folder."""
    from datetime import UTC, datetime

    from permcheck.live.progress import on_stderr
    from permcheck.model.state import Verdict
    from permcheck.printable import printable
    from permcheck.scale.run import How, review_tenants
    from permcheck.scale.values import Asked as Questions

    if wanted.output is None or wanted.decisions is not None or wanted.verify:
        message = "--tenants needs a folder for its files: name it with -o; --verify and --decisions ask one estate"
        raise click.UsageError(message)
    questions = Questions(
        wanted.users,
        wanted.actions,
        wanted.devices,
        tuple(Verdict(name) for name in wanted.verdicts or VERDICTS),
        wanted.by,  # type: ignore[arg-type]
        asked.edition,
        tuple(sorted((asked.readings or {}).items())),
        asked.strict,
        asked.what_if,
    )
    how = How(many.engine, many.jobs, many.parts)
    outcome = review_tenants(folder, wanted.output, datetime.now(UTC), questions, how, on_stderr())
    for problem in (*outcome.merged.warnings, *outcome.merged.problems):
        tell(problem.severity, f"{problem.place}: {problem.message}", problem.help)
    click.echo(total_of(outcome.merged.total, len(outcome.tenants)))
    click.echo(printable(f"wrote {outcome.manifest}"), err=True)
    return Exit.UNUSABLE if outcome.merged.problems else Exit.ALLOW


def total_of(total: Total, tenants: int) -> str:
    """Say how many answers there are, and of how many tenants."""
    from permcheck.review.outline import total_line

    return f"{tenants:,} tenant{'s'[: tenants != 1]}, {total_line(total)}"


def _verify(found: Review, number: int) -> None:
    from random import SystemRandom

    from permcheck.review.verify import verify

    click.echo(f"{verify(found, number, SystemRandom())} answers drawn at random: the same when asked alone", err=True)


def _summary(found: Review, format_: str) -> None:
    if format_ == "json":
        import json

        totals = {str(act): total._asdict() for act, total in found.totals.items()}
        document = {"format": "permcheck-totals/1", "totals": found.total._asdict(), "actions": totals}
        click.echo(json.dumps(document, indent=1))
        return
    from permcheck.cli.terminal import console
    from permcheck.render.text import print_sections
    from permcheck.review.outline import totals_outline

    print_sections(console(), totals_outline(found))
    click.echo("next: permcheck review -o review.xlsx (or .csv, .jsonl, .parquet, .md)", err=True)


def _write(estate: Estate, found: Review, wanted: Wanted, output: Path, asked: Asked) -> None:
    from permcheck.printable import printable
    from permcheck.review.signed import refuse_decided
    from permcheck.review.write.formats import write_review

    refuse_decided(output)
    about, what = _asked_for(estate, wanted, asked)
    format_ = wanted.format_ if wanted.format_ not in ON_STDOUT else None
    paths = write_review(_progress(found), output, about, what, format_=format_)
    for path in paths:
        click.echo(printable(f"wrote {path}"), err=True)


def _asked_for(estate: Estate, wanted: Wanted, asked: Asked) -> tuple[About, What]:
    """Return what a review is of, and which answers it lists."""
    from datetime import UTC, datetime

    from permcheck import __version__
    from permcheck.model.state import Verdict
    from permcheck.review.write.listing import About, What

    filters = {name: texts for name in ("users", "actions", "devices") if (texts := getattr(wanted, name))}
    about = About(datetime.now(UTC), __version__, asked.estate or estate.name, filters, asked.what_if)
    return about, What(tuple(Verdict(name) for name in wanted.verdicts or VERDICTS), wanted.by)  # type: ignore[arg-type]


def _progress(found: Review) -> Review:
    """Return a review that shows on a terminal how far it is."""
    if not sys.stderr.isatty():
        return found
    size = len(found.answers.persons) * sum(len(found.answers.areas_of(act)) for act in found.selection.acts)
    return found.watched(lambda cells: _shown(cells, size))


def _shown(cells: Iterator[Cell], size: int) -> Iterator[Cell]:
    with click.progressbar(cells, length=size, label="reviewing", file=sys.stderr) as bar:
        yield from bar


def _decisions(estate: Estate, found: Review, wanted: Wanted, asked: Asked) -> int:
    from permcheck.cli.terminal import console
    from permcheck.render.text import print_sections
    from permcheck.review.as_written import compared
    from permcheck.review.beside import look_beside
    from permcheck.review.outline_signed import outcome_outline
    from permcheck.review.removals import work_out
    from permcheck.review.signed import read_signed
    from permcheck.review.write.listing import Listing
    from permcheck.review.write.population import population

    sheet = read_signed(wanted.decisions or Path())
    about, what = _asked_for(estate, wanted, asked)
    listing = Listing(found, what)
    rows = compared(((row, one.record) for row, one in listing.pairs()), sheet)
    rows = rows._replace(beside=look_beside(sheet, population(listing, about), listing.sets))
    outcome = work_out(found, rows)
    if wanted.format_ == "json":
        import json

        from permcheck.review.document import outcome_document

        click.echo(json.dumps(outcome_document(found, outcome), ensure_ascii=False, indent=1))
    else:
        print_sections(console(), outcome_outline(found, outcome))
    return Exit.ALLOW if outcome.clean else Exit.DENY
