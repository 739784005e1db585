"""`permcheck test`."""

from __future__ import annotations

from pathlib import Path

import click

from permcheck.cli.codes import Exit


@click.command("test", short_help="Compare decisions with those that are expected.")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--format", "format_", type=click.Choice(["text", "json", "junit"]), default="text", show_default=True)
def test(paths: tuple[Path, ...], format_: str) -> int:
    """Ask the questions of PATHS, files that end in .permcheck-test.yaml, and compare the answers.

    \b
    permcheck test tests/
    permcheck test helpdesk.permcheck-test.yaml

    Exit codes: 0 every answer is the expected one, 1 one is not, 3 a file can't be used
    or a question can't be asked.
    """  # noqa: D301 - click's own marker
    from permcheck.checks.expected import run_expected
    from permcheck.checks.output import expected

    result = run_expected(paths)
    write = {"text": expected.expected_text, "json": expected.expected_json, "junit": expected.expected_junit}
    click.echo(write[format_](result), nl=False)
    if result.failed:
        return Exit.DENY
    return Exit.UNUSABLE if result.problems else Exit.ALLOW
