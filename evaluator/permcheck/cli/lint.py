"""`permcheck validate`, `permcheck lint` and `permcheck rule`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from permcheck.cli import options
from permcheck.cli.codes import Exit

if TYPE_CHECKING:
    from permcheck.checks.lint import Report

LEVELS = ("info", "warning", "error")
paths_argument = click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
select_option = click.option(
    "--select", metavar="CHECK", multiple=True, help="Run these checks only, or `all`. Repeatable."
)
ignore_option = click.option("--ignore", metavar="CHECK", multiple=True, help="Leave these checks out. Repeatable.")
fail_option = click.option(
    "--fail-on", type=click.Choice(LEVELS), default="warning", show_default=True, help="Exit 1 from this severity on."
)
zero_option = click.option("--exit-zero", is_flag=True, help="Exit 0 whatever is found.")


@click.command(short_help="Check the shape and the names of role and estate files.")
@paths_argument
@select_option
@ignore_option
@fail_option
@zero_option
def validate(
    paths: tuple[Path, ...],
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    fail_on: str,
    exit_zero: bool,  # noqa: FBT001 - click passes flags so
) -> int:
    """Check PATHS: shape, references and ids of role definitions and estate files.

    \b
    permcheck validate roles/ estate/
    permcheck validate roles/helpdesk.json
    """  # noqa: D301 - click's own marker
    from permcheck.checks import lint as checks
    from permcheck.checks.settings import Settings
    from permcheck.loading.policy import load_policy

    report = checks.validate(paths, load_policy(), Settings(select, ignore))
    return _shown(report, fail_on, exit_zero=exit_zero)


@click.command(short_help="Check what role definitions and an estate mean.")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@options.estate
@select_option
@ignore_option
@fail_option
@zero_option
def lint(
    paths: tuple[Path, ...],
    estate: str | None,
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    fail_on: str,
    exit_zero: bool,  # noqa: FBT001 - click passes flags so
) -> int:
    """Check the meaning of the role definitions in PATHS, and of an estate.

    \b
    permcheck lint roles/
    permcheck lint -e estate/
    permcheck lint roles/ -e exports/ --select PC3
    """  # noqa: D301 - click's own marker
    from permcheck.checks import lint as checks
    from permcheck.checks.settings import Settings
    from permcheck.cli.session import Asked, open_estate
    from permcheck.loading.policy import load_policy

    if not paths and estate is None:
        message = "name files, or an estate with -e"
        raise click.UsageError(message)
    opened = open_estate(Asked(estate), with_networkx=False) if estate is not None else None
    report = checks.lint(paths, load_policy(), Settings(select, ignore), opened)
    return _shown(report, fail_on, exit_zero=exit_zero)


def _shown(report: Report, fail_on: str, *, exit_zero: bool) -> int:
    from permcheck.checks.output.text import text_report

    click.echo(text_report(report), nl=False)
    if any(problem.severity == "error" for problem in report.problems):
        return Exit.UNUSABLE
    if not report.ran:
        return Exit.UNUSABLE
    counted = [one for one in report.findings if LEVELS.index(one.severity) >= LEVELS.index(fail_on)]
    failed = bool(counted) or bool(report.unknown)
    return Exit.DENY if failed and not exit_zero else Exit.ALLOW


@click.command(short_help="Explain a check.")
@click.argument("check", required=False)
@click.option("--list", "list_", is_flag=True, help="List every check.")
def rule(check: str | None, list_: bool) -> int:  # noqa: FBT001 - click passes flags so
    """Explain a CHECK: what it finds, why, what to do, and an example of each.

    \b
    permcheck rule PC101
    permcheck rule --list
    """  # noqa: D301 - click's own marker
    from permcheck.checks.facts import chosen, load_checks
    from permcheck.checks.output.text import rule_sections
    from permcheck.cli.terminal import console
    from permcheck.render.text import print_sections

    if list_ or check is None:
        for facts in load_checks().values():
            click.echo(f"{facts.id} {facts.severity:8} {facts.name}: {facts.summary}")
        return Exit.ALLOW
    for facts in chosen((check,), ()):
        print_sections(console(), rule_sections(facts))
    return Exit.ALLOW
