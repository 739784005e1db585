"""`permcheck diff` and `permcheck what-if`."""

from __future__ import annotations

import io
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import click

from permcheck.cli import options
from permcheck.cli.codes import Exit
from permcheck.cli.session import Asked, open_estate, path_of

if TYPE_CHECKING:
    from permcheck.review.diff import Difference, Unit
    from permcheck.review.reasons import OtherReason

F = TypeVar("F", bound=Callable[..., Any])
FAILING = {
    "any": ("gained", "opened", "lost", "closed"),
    "gained": ("gained", "opened"),
    "lost": ("lost", "closed"),
    "none": (),
}
"""What is a failure. What may be allowed now counts as gained: nobody can say that it is not."""


class What(NamedTuple):
    """What a comparison is about, and what it does with the answer."""

    users: tuple[str, ...]
    actions: tuple[str, ...]
    devices: tuple[str, ...]
    fail_on: str
    reasons: bool
    output: Path | None
    format_: str


def _common(fail_on: str) -> Callable[[F], F]:
    def add(command: F) -> F:
        choice = click.option(
            "--fail-on", type=click.Choice(list(FAILING)), default=fail_on, show_default=True,
            help="Exit 1 if this is among the differences.",
        )  # fmt: skip
        reasons = click.option(
            "--reasons", is_flag=True, help="Also list answers that stay, for another reason or by another authority."
        )
        output = click.option(
            "-o", "--output", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False),
            help="Write to FILE: whole, or not at all.",
        )  # fmt: skip
        own = choice(reasons(output(options.format_(command))))
        return options.selectors(options.reading_options_without_estate(own))

    return add


@click.command(short_help="Compare two estates by what people can do.")
@click.argument("old", type=click.Path())
@click.argument("new", type=click.Path())
@_common("any")
def diff(old: str, new: str, edition: str | None, readings: dict[str, str], strict: bool, **what: Any) -> int:  # noqa: FBT001 - click passes flags so
    """Tell which answers differ between the estates OLD and NEW, and which edit is responsible.

    \b
    permcheck diff estate/ exports/
    permcheck diff main:estate/ estate/ --fail-on gained
    permcheck diff v1.0:estate/ v1.1:estate/ -a effect:act

    OLD and NEW are files or folders with an estate or exports, or REVISION:PATH of the git
    repository here.

    Exit codes: 0 no difference that --fail-on names, 1 there is one.
    """  # noqa: D301 - click's own marker
    chosen = What(**what)
    how = {"edition": edition, "readings": readings, "strict": strict}
    with tempfile.TemporaryDirectory(prefix="permcheck-") as folder:
        one = open_estate(Asked(path_of(old, Path(folder) / "old"), **how))  # type: ignore[arg-type]
        two = open_estate(Asked(path_of(new, Path(folder) / "new"), **how))  # type: ignore[arg-type]
        return _answer(one.diff(two, chosen.users, chosen.actions, chosen.devices), chosen)


@click.command("what-if", short_help="Tell what a change that has not been made would do.")
@click.option("--set", "changes", metavar="KEY=VALUE", multiple=True, required=True, help="A change. Repeatable.")
@options.estate
@_common("none")
def what_if(
    changes: tuple[str, ...],
    estate: str | None,
    edition: str | None,
    readings: dict[str, str],
    strict: bool,  # noqa: FBT001 - click passes flags so
    **what: Any,
) -> int:
    """Tell which answers would differ after a change, and whose.

    \b
    permcheck what-if --set use-intune-rbac=off -e estate
    permcheck what-if --set hierarchy:PRD.enforce-cm-rbac=off -a run-script -e estate

    Keys are those of --what-if; docs/whole-estate.md lists them.
    """  # noqa: D301 - click's own marker
    chosen = What(**what)
    asked = Asked(estate, edition, readings, strict)
    now = open_estate(asked)
    difference = now.diff_of(*now.changes(*changes), users=chosen.users, actions=chosen.actions, devices=chosen.devices)
    return _answer(difference, chosen)


def _answer(difference: Difference, what: What) -> int:
    from permcheck.review.reasons import other_reasons

    difference = difference.watched(_watched) if sys.stderr.isatty() else difference
    others = other_reasons(difference) if what.reasons else None
    pieces = _json(difference, others) if what.format_ == "json" else _printed(difference, others, what)
    if what.output is None:
        for piece in pieces:
            click.echo(piece, nl=False)
    else:
        _write(what.output, pieces)
    failing = sum(count for kind, count in difference.counts.items() if kind in FAILING[what.fail_on])
    return Exit.DENY if failing else Exit.ALLOW


def _watched(units: Iterator[Unit], size: int) -> Iterator[Unit]:
    """Show on stderr how far a comparison is."""
    with click.progressbar(units, length=size, label="comparing", file=sys.stderr) as bar:
        yield from bar


def _write(output: Path, pieces: Iterator[str]) -> None:
    """Write a file, whole or not at all. Raises WriteError."""
    from permcheck.printable import printable
    from permcheck.review.write.together import together

    target = Path(os.path.realpath(output))
    with together(target) as files, files.add(target.name).open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(pieces)
    click.echo(printable(f"wrote {output}"), err=True)


def _json(difference: Difference, others: Iterator[OtherReason] | None) -> Iterator[str]:
    from permcheck.review.stream import difference_json

    return difference_json(difference, others)


def _printed(difference: Difference, others: Iterator[OtherReason] | None, what: What) -> Iterator[str]:
    from permcheck.review.outline_diff import difference_outline, reasons_section

    sections = difference_outline(difference)
    if others is not None:
        sections = (*sections, reasons_section(difference, others))
    if what.format_ == "markdown":
        from permcheck.render.markdown import sections_markdown

        yield sections_markdown(difference.word, sections)
        return
    from permcheck.cli.terminal import console
    from permcheck.render.text import print_sections

    written = None if what.output is None else io.StringIO()
    print_sections(console(written), sections)
    yield written.getvalue() if written else ""
