"""`permcheck schema` and `permcheck init`."""

from __future__ import annotations

from pathlib import Path

import click

from permcheck.cli.codes import Exit
from permcheck.errors import LoadError, Problem

STARTER = "estate.yaml"


@click.command(short_help="Print a JSON Schema.")
@click.argument("name", default="estate")
@click.option("--list", "list_", is_flag=True, help="List the schemas.")
def schema(name: str, list_: bool) -> int:  # noqa: FBT001 - click passes flags so
    """Print the JSON Schema of estate files, of a policy file, or of decisions.

    \b
    permcheck schema estate > estate.schema.json
    permcheck schema --list
    """  # noqa: D301 - click's own marker
    from permcheck.loading.data import data_root

    folder = data_root() / "schemas"
    names = sorted(path.name.removesuffix(".schema.json") for path in folder.glob("*.schema.json"))
    if list_:
        click.echo("\n".join(names))
        return Exit.ALLOW
    if name not in names:
        message = f"no schema is called `{name}`; known are {', '.join(names)}"
        raise click.UsageError(message)
    click.echo((folder / f"{name}.schema.json").read_text("utf-8"), nl=False)
    return Exit.ALLOW


@click.command(short_help="Write a commented starter estate.")
@click.argument("folder", type=click.Path(path_type=Path), default=Path("estate"))
def init(folder: Path) -> int:
    """Write a starter estate into FOLDER (default: estate), with its schema for the editor."""
    from permcheck.loading.data import data_root

    target, schema_file = folder / STARTER, folder / "estate.schema.json"
    try:
        for path in (target, schema_file):
            if path.exists():
                problem = Problem(str(path), 0, 0, "exists", "the file is already there", "name another folder")
                raise LoadError((problem,))
        text = (data_root() / "schemas" / "estate.schema.json").read_text("utf-8")
        folder.mkdir(parents=True, exist_ok=True)
        schema_file.write_text(text, "utf-8")
        aside = target.with_name(f".{STARTER}.new")  # half a starter is an estate, too
        aside.write_text(Path(__file__).with_name("starter.yaml").read_text("utf-8"), "utf-8")
        aside.replace(target)
    except OSError as error:
        reason = (error.strerror or "it can't be written").lower()
        raise LoadError((Problem(str(folder), 0, 0, "unwritable", f"can't write here: {reason}"),)) from None
    click.echo(f"wrote {target} and {schema_file}")
    click.echo(f"next: permcheck explain anna@example.com run-cmpivot PC-0001 -e {folder}")
    return Exit.ALLOW
