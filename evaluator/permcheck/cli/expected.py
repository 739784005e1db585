"""`permcheck test`."""

from __future__ import annotations

from pathlib import Path

import click

from permcheck.cli.codes import Exit


@click.command("test", short_help="Compare decisions with those that are expected.")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--if-any", is_flag=True, help="Exit 0 where there is no such file, as hooks want it.")
@click.option("--format", "format_", type=click.Choice(["text", "json", "junit"]), default="text", show_default=True)
def test(paths: tuple[Path, ...], if_any: bool, format_: str) -> int:  # noqa: FBT001 - click passes flags so
    """Ask the questions of PATHS, files that end in .permcheck-test.yaml, and compare the answers.

    \b
    permcheck test tests/
    permcheck test helpdesk.permcheck-test.yaml

    Exit codes: 0 every answer is the expected one, 1 one is not, 3 a file can't be used
    or a question can't be asked.
    """  # noqa: D301 - click's own marker
    from permcheck.checks.expected import is_without_any, run_expected
    from permcheck.checks.output import expected
    from permcheck.cli.terminal import tell

    if if_any and is_without_any(paths):
        tell("note", "there are no expected decisions here, so nothing was compared")
        return Exit.ALLOW
    result = run_expected(paths)
    write = {"text": expected.expected_text, "json": expected.expected_json, "junit": expected.expected_junit}
    click.echo(write[format_](result), nl=False)
    if result.failed:
        return Exit.DENY
    return Exit.UNUSABLE if result.problems else Exit.ALLOW
