"""`permcheck validate`, `permcheck lint` and `permcheck rule`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

import click

from permcheck.cli import options
from permcheck.cli.codes import Exit
from permcheck.cli.config_file import LINT_TABLE, options_in
from permcheck.cli.terminal import tell
from permcheck.errors import LoadError

if TYPE_CHECKING:
    from permcheck.api import Estate
    from permcheck.checks.lint import Report
    from permcheck.checks.settings import Settings

F = TypeVar("F", bound=Callable[..., Any])
LEVELS: Final = ("info", "warning", "error")
FORMATS: Final = ("text", "json", "sarif", "junit", "github", "azuredevops", "markdown")
PASSES: Final = 5
"""A fix may make room for another one; so often they are looked for."""
_OPTIONS: Final = (
    click.option(
        "--select", metavar="CHECK", multiple=True, envvar="PERMCHECK_SELECT",
        help="Run these checks only, or `all`. Repeatable.",
    ),
    click.option(
        "--ignore", metavar="CHECK", multiple=True, envvar="PERMCHECK_IGNORE",
        help="Leave these checks out. Repeatable.",
    ),
    click.option(
        "--fail-on", type=click.Choice(LEVELS), default="warning", show_default=True, envvar="PERMCHECK_FAIL_ON",
        help="Exit 1 from this severity on.",
    ),
    click.option("--exit-zero", is_flag=True, help="Exit 0 whatever is found."),
    click.option(
        "--format", "format_", type=click.Choice(FORMATS), default="text", show_default=True,
        help="How to print what is found.",
    ),
    click.option("--fix", is_flag=True, help="Make the changes that are safe."),
    click.option("--diff", is_flag=True, help="Print what --fix would change, and change nothing."),
    click.option(
        "--baseline", metavar="FILE", type=click.Path(path_type=Path), envvar="PERMCHECK_BASELINE",
        help="Keep back the findings that this file lists.",
    ),
    click.option(
        "--write-baseline", metavar="FILE", type=click.Path(path_type=Path), help="List every finding in this file."
    ),
)  # fmt: skip


class How(NamedTuple):
    """The options that validate and lint share."""

    select: tuple[str, ...]
    ignore: tuple[str, ...]
    fail_on: str
    exit_zero: bool
    format_: str
    fix: bool
    diff: bool
    baseline: Path | None
    write_baseline: Path | None


def check_options(command: F) -> F:
    """Everything that validate and lint take besides what they look at."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@click.command(short_help="Check the shape and the names of role and estate files.")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@check_options
def validate(paths: tuple[Path, ...], **how: Any) -> int:
    """Check PATHS: shape, references and ids of role definitions and estate files.

    \b
    permcheck validate roles/ estate/
    permcheck validate roles/helpdesk.json --format github

    Exit codes: 0 clean, 1 findings, 3 a file can't be used, or none was found.
    """  # noqa: D301 - click's own marker
    from permcheck.checks import lint as checks
    from permcheck.loading.policy import load_policy

    def once(settings: Settings) -> Report:
        broken = checks.broken_policies(paths, settings)
        return broken or _with_configurations(checks.validate(paths, load_policy(), settings))

    return _run(once, How(**how), shape=True)


def _with_configurations(report: Report) -> Report:
    """Add what is wrong with configuration files among those that were looked at."""
    if not report.configurations:
        return report
    from permcheck.checks.settings import read_settings

    problems = set(report.problems)
    for path in report.configurations:
        try:
            _, table = options_in(path).get(LINT_TABLE, (path, {}))
            read_settings(path, table)
        except LoadError as error:
            problems |= set(error.problems)
    return replace(report, problems=tuple(sorted(problems)))


@click.command(short_help="Check what role definitions and an estate mean.")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@options.estate
@click.option(
    "--against",
    metavar="PATH",
    type=click.Path(),
    help="The estate before the change: a path, or REVISION:PATH of git.",
)
@check_options
def lint(paths: tuple[Path, ...], estate: str | None, against: str | None, **how: Any) -> int:
    """Check the meaning of the role definitions in PATHS, of an estate, and of policies.

    \b
    permcheck lint roles/
    permcheck lint policy/
    permcheck lint -e estate/
    permcheck lint roles/ -e exports/ --select PC3 --format sarif
    permcheck lint -e estate/ --against main:estate/

    Exit codes: 0 clean, 1 findings, 3 a file can't be used, or nothing was checked.
    """  # noqa: D301 - click's own marker
    from permcheck.checks import lint as checks
    from permcheck.cli.session import Asked, open_estate
    from permcheck.loading.policy import load_policy

    if not paths and estate is None:
        message = "name files, or an estate with -e"
        raise click.UsageError(message)
    if not paths and estate is not None:  # the roles of an estate are role definitions, too
        paths = (Path(estate),)

    before = _before(against) if estate is not None and against is not None else None

    def once(settings: Settings) -> Report:
        broken = checks.broken_policies(paths, settings)
        if broken is not None:
            return broken
        opened = open_estate(Asked(estate)) if estate is not None else None
        return checks.lint(paths, load_policy(), settings, opened, before)

    return _run(once, How(**how), shape=False)


def _before(against: str) -> Estate:
    """Open the estate to compare with. What git has of it is there as long as the command runs."""
    import tempfile

    from permcheck.cli.session import Asked, open_estate, path_of

    folder = click.get_current_context().with_resource(tempfile.TemporaryDirectory(prefix="permcheck-"))
    return open_estate(Asked(path_of(against, Path(folder))))


def _run(once: Callable[[Settings], Report], how: How, *, shape: bool) -> int:
    """Look, fix, look again, and print. `shape`: the files themselves are an answer, without any check."""
    from permcheck.checks.output.formats import report_text

    settings = _settings(how)
    report = once(settings)
    if how.write_baseline is not None:
        return _write_baseline(report, how.write_baseline)
    if how.diff:
        _print_diff(report)
        return _code(report, how, shape=shape)
    if how.fix:
        report = _fixed(report, lambda: once(settings))
    if _is_about_nothing(report, how) and not shape:
        tell("note", "these files are parts of an estate, and no check is about them alone", "name the estate with -e")
    click.echo(report_text(report, how.format_), nl=False)
    return _code(report, how, shape=shape)


def _settings(how: How) -> Settings:
    """Join the options and the table [lint] of the configuration. Raises PermcheckError."""
    from permcheck.checks.settings import Settings, read_settings

    defaults = click.get_current_context().default_map or {}
    file, table = defaults.get(LINT_TABLE, (None, {}))
    settings = read_settings(file, table) if file is not None else Settings()
    known: frozenset[str] = frozenset()
    if how.baseline is not None and how.write_baseline is None:
        from permcheck.checks.baseline import read_baseline

        known = read_baseline(how.baseline)
    estate = Path(defaults["estate"]) if "estate" in defaults else None
    return replace(settings, select=how.select, ignore=how.ignore, baseline=known, estate=estate)


def _write_baseline(report: Report, path: Path) -> int:
    from permcheck.checks.baseline import write_baseline

    if report.unusable:
        for problem in report.problems:
            tell(problem.severity, f"{problem.place}: {problem.message}", problem.help)
        return Exit.UNUSABLE
    click.echo(f"wrote {path} with {write_baseline(report, path)} findings", err=True)
    return Exit.ALLOW


def _print_diff(report: Report) -> None:
    from permcheck.checks.apply import changes_of, diff
    from permcheck.checks.output.rows import summary

    changes = list(changes_of(report.findings))
    click.echo("".join(map(diff, changes)), nl=False)
    click.echo(summary(report), err=True)
    click.echo(f"would change {len(changes)} files; nothing was written", err=True)


def _fixed(report: Report, again: Callable[[], Report]) -> Report:
    from permcheck.checks.apply import changes_of, write

    for _ in range(PASSES):
        changes = list(changes_of(report.findings))
        if not changes:
            break
        for changed in changes:
            write(changed)
            click.echo(f"changed {changed.file} in {changed.edits} places", err=True)
        report = again()
    return report


def _code(report: Report, how: How, *, shape: bool) -> int:
    """Return the exit code: findings beat files that can't be used, and those are never hidden."""
    counted = any(LEVELS.index(one.severity) >= LEVELS.index(how.fail_on) for one in report.findings)
    if (counted or report.unknown or report.wrong) and not how.exit_zero:
        return Exit.DENY
    looked = report.ran or report.wrong or shape or _is_about_nothing(report, how)
    return Exit.UNUSABLE if report.unusable or not looked else Exit.ALLOW


def _is_about_nothing(report: Report, how: How) -> bool:
    """Tell whether no check had anything to look at, and nobody asked for one that had."""
    return report.parts and not report.ran and not how.select


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
    from permcheck.checks.output.rule import rule_sections
    from permcheck.cli.terminal import console
    from permcheck.render.text import print_sections

    if list_ or check is None:
        for facts in load_checks().values():
            click.echo(f"{facts.id} {facts.severity:8} {facts.name}: {facts.summary}")
        return Exit.ALLOW
    for facts in chosen((check,), ()):
        print_sections(console(), rule_sections(facts))
    return Exit.ALLOW
