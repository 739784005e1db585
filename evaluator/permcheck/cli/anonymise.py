"""`permcheck anonymise`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from permcheck.cli.codes import Exit

if TYPE_CHECKING:
    from permcheck.anonymise.run import Written


@click.command(short_help="Write an estate with other names, to attach to a bug report.")
@click.argument("estate", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    "folder",
    metavar="FOLDER",
    required=True,
    type=click.Path(path_type=Path),
    help="Folder to write into: a new or empty one, or one that this command wrote.",
)
@click.option(
    "--map",
    "map_file",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Write what is called how into a new file, for you alone. Never send it.",
)
@click.option(
    "--seed", metavar="TEXT", help="Deal the same names every time. For tests: who knows it learns the order."
)
def anonymise(estate: Path, folder: Path, map_file: Path | None, seed: str | None) -> int:
    """Write ESTATE (estate files, or a folder of exports) with other names and the same decisions.

    \b
    permcheck anonymise estate -o case --map names.json
    """  # noqa: D301 - click's own marker
    from permcheck.anonymise import run

    written = run.anonymise(estate, folder, salt=seed, map_file=map_file)
    click.echo("\n".join(_said(written, map_file)))
    return Exit.ALLOW


def _said(written: Written, map_file: Path | None) -> list[str]:
    made = written.made
    left_out = [f"{number} {kind}{'s' * (number != 1)}" for kind, number in sorted(made.dropped.items())]
    lines = [f"wrote {path}" for path in written.files]
    lines.append(
        f"replaced {len(made.names)} names and parts of names; {written.compared} verdicts are the same as before"
    )
    if left_out:
        lines.append(f"left out, because permcheck does not know what it is: {', '.join(left_out)}")
    lines += [
        "what stays: who is in what and may do what, dates, versions, switches, and the names of what is built in",
        "next: read every file before you send it",
    ]
    if map_file is not None:
        lines.append(f"keep {map_file} to yourself: it tells who is who")
    return lines
