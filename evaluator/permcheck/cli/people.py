"""`permcheck who-can` and `permcheck what-can`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from permcheck.cli import complete, options
from permcheck.cli.codes import Exit
from permcheck.cli.session import Asked, open_estate

if TYPE_CHECKING:
    from permcheck.review.review import Review
    from permcheck.review.row import Row


@click.command("who-can", short_help="List everybody who can do something, and through what.")
@click.argument("action", shell_complete=complete.actions)
@click.argument("device", required=False, shell_complete=complete.devices)
@click.option("--any", "anywhere", is_flag=True, help="On whichever device, instead of DEVICE.")
@click.option("--explain", "every", is_flag=True, help="Show every path, not only the shortest.")
@options.reading_options
@options.format_
def who_can(action: str, device: str | None, anywhere: bool, every: bool, format_: str, **how: object) -> int:  # noqa: FBT001 - click passes flags so
    """List everybody who can do ACTION on DEVICE, with the path to the right.

    \b
    permcheck who-can run-script SRV-0007 -e estate
    permcheck who-can run-script "collection:Domain Controllers" -e estate
    permcheck who-can run-script --any -e estate
    permcheck who-can set-use-intune-rbac -e estate

    DEVICE is a name, a pattern such as "SRV-*", collection:NAME or hierarchy:NAME.

    Exit codes: 0 somebody can, 1 nobody can, 4 nobody can for certain,
    but somebody may be able to.
    """  # noqa: D301 - click's own marker
    estate = open_estate(Asked(**how))  # type: ignore[arg-type]
    act, _ = estate.find_action(action)
    if act.target == "device" and (device is None) is not anywhere:
        message = "name a device, or say --any" if device is None else "a device and --any exclude each other"
        raise click.UsageError(message)
    chosen = [device] if device is not None and act.target == "device" else []
    return _answer(estate.review(actions=[action], devices=chosen), format_, every=every, about="who")


@click.command("what-can", short_help="List everything that somebody can do, and through what.")
@click.argument("user", shell_complete=complete.users)
@click.argument("device", required=False, shell_complete=complete.devices)
@click.option("--explain", "every", is_flag=True, help="Show every path, not only the shortest.")
@options.reading_options
@options.format_
def what_can(user: str, device: str | None, every: bool, format_: str, **how: object) -> int:  # noqa: FBT001 - click passes flags so
    """List everything that USER can do, on DEVICE or anywhere.

    \b
    permcheck what-can contractor@contoso.com -e estate
    permcheck what-can contractor@contoso.com SRV-0007 -e estate

    Exit codes: 0 something, 1 nothing, 4 nothing for certain, but perhaps something.
    """  # noqa: D301 - click's own marker
    estate = open_estate(Asked(**how))  # type: ignore[arg-type]
    review = estate.review(users=[user], devices=[device] if device is not None else [])
    return _answer(review, format_, every=every, about="what")


def _answer(review: Review, format_: str, *, every: bool, about: str) -> int:
    from permcheck.model.state import Verdict

    rows = tuple(review.rows((Verdict.ALLOW, Verdict.UNDETERMINED), every_path=every))
    _show(review, rows, format_, about)
    if review.total.allow:
        return Exit.ALLOW
    return Exit.UNDETERMINED if review.total.undetermined else Exit.DENY


def _show(review: Review, rows: Sequence[Row], format_: str, about: str) -> None:
    if format_ == "json":
        import json

        from permcheck.review.document import people_document

        click.echo(json.dumps(people_document(review, rows), ensure_ascii=False, indent=1))
        return
    from permcheck.review import outline

    sections = (outline.who_can if about == "who" else outline.what_can)(review, rows)
    if format_ == "markdown":
        from permcheck.render.markdown import sections_markdown

        title = ", ".join(map(str, review.selection.acts)) if about == "who" else "What can be done"
        click.echo(sections_markdown(title, sections), nl=False)
        return
    from permcheck.cli.terminal import console
    from permcheck.render.text import print_sections

    print_sections(console(), sections)
