"""`permcheck import`: exports of other tools to an estate."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from permcheck.cli import live
from permcheck.cli.codes import Exit
from permcheck.cli.terminal import tell
from permcheck.errors import LoadError, Problem
from permcheck.printable import printable

if TYPE_CHECKING:
    from permcheck.exports.folder import Imported
    from permcheck.model.tables import Tables


NO_USERS: Final = "no-users"


@click.command("import", short_help="Make an estate of exports.")
@click.argument("names", metavar="PATHS...", nargs=-1)
@click.option("-o", "--output", metavar="FOLDER", type=click.Path(path_type=Path), help="Write the estate here.")
@click.option("--check", metavar="ESTATE", type=click.Path(path_type=Path), help="Compare with this estate; 1: drift.")
@click.option("--format", "format_", type=click.Choice(["text", "json"]), default="text", show_default=True)
@live.options
def import_(names: tuple[str, ...], output: Path | None, check: Path | None, format_: str, **how: object) -> int:
    """Read PATHS, files and folders of exports, and report what they tell and what is missing.

    \b
    permcheck import exports/
    permcheck import exports/ -o estate/
    permcheck import exports/ --check estate/
    permcheck import exports/ --live graph

    docs/collect.md has a command for every export. Estate files among the exports
    state what no tool exports. Exit codes: 0 done, 1 drift, 3 an export can't be used.
    """  # noqa: D301 - click's own marker
    if output is not None and check is not None:
        message = "-o writes an estate, --check compares with one: choose"
        raise click.UsageError(message)
    paths = live.collected(names, how)
    if not paths:
        message = "no folder of exports was named"
        raise click.UsageError(message)
    if output is not None:
        _refuse_inside(output, paths)
    imported = _read(paths)
    try:
        tables = _resolved(imported)
    except LoadError as error:
        if check is None and {problem.id for problem in error.problems if problem.severity == "error"} == {NO_USERS}:
            _show(imported, format_)  # what was read is worth knowing all the same
        raise
    if check is not None:
        return _drift(check, tables, format_)
    if output is not None:
        _write(output, imported)
    _show(imported, format_)
    return Exit.ALLOW


def _read(paths: tuple[Path, ...]) -> Imported:
    """Read exports. Raises LoadError where nothing is there, or nothing is known."""
    from permcheck.exports.folder import read_exports
    from permcheck.loading.estate import collector_off
    from permcheck.loading.policy import load_policy

    missing = [
        Problem(str(p), 0, 0, "no-such-file", "there is no such file or folder") for p in paths if not p.exists()
    ]
    if missing:
        raise LoadError(tuple(missing))
    with collector_off():
        imported = read_exports(paths, load_policy())
    nothing = not (imported.gathered.read or imported.joined.sections)
    broken = tuple(problem for problem in imported.joined.problems if problem.severity == "error")
    if nothing and broken:
        raise LoadError(broken)
    if nothing:
        help_ = "docs/collect.md has a command for every export that is known"
        problem = Problem(", ".join(map(str, paths)), 0, 0, "no-exports", "no export was recognised here", help_)
        raise LoadError((problem,))
    return imported


def _refuse_inside(output: Path, paths: tuple[Path, ...]) -> None:
    """Refuse to write among the exports: the next import would take the estate for one of them."""
    target = output.resolve()
    for path in paths:
        source = path.resolve()
        if target == source or source in target.parents or target in source.parents:
            message = f"the estate can't be written to `{output}`: the exports are there"
            raise LoadError((Problem(str(path), 0, 0, "inside", message, "name another folder with -o"),))


def _resolved(imported: Imported) -> Tables:
    """Resolve every name, and print the warnings. Raises LoadError."""
    from permcheck.loading.policy import load_policy
    from permcheck.loading.resolve import resolve

    tables, warnings = resolve(imported.joined, load_policy())
    for warning in warnings:
        tell("warning", f"{warning.place}: {warning.message}", warning.help)
    return tables


def _write(output: Path, imported: Imported) -> None:
    from permcheck.exports.write import provenance_of, sections_of, texts_of, write_estate

    for path in write_estate(output, texts_of(sections_of(imported.joined)), provenance_of(imported.joined)):
        click.echo(printable(f"wrote {path}"), err=True)
    click.echo(printable(f"next: permcheck check USER ACTION DEVICE -e {output}"), err=True)


def _show(imported: Imported, format_: str) -> None:
    from permcheck.exports.report import as_document, report
    from permcheck.loading.policy import load_policy

    found = report(imported, load_policy())
    if format_ == "json":
        import json

        click.echo(json.dumps(as_document(found), ensure_ascii=False, indent=1))
        return
    from permcheck.cli.terminal import console
    from permcheck.render.imported import import_outline
    from permcheck.render.text import print_sections

    print_sections(console(), import_outline(found))


def _drift(estate: Path, fresh: Tables, format_: str) -> int:
    from permcheck.api import load
    from permcheck.exports.drift import drift
    from permcheck.graph.node import Adjacency
    from permcheck.printable import one_line

    found = drift(load(estate, container=Adjacency).tables, fresh)
    if format_ == "json":
        import json

        click.echo(json.dumps({"format": "permcheck-drift/1", "drift": [one._asdict() for one in found]}, indent=1))
    else:
        for one in found:
            click.echo(one_line(str(one), 1000))
        if not found:
            click.echo("no drift: the estate says what the exports say")
    return Exit.DENY if found else Exit.ALLOW
