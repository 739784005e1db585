"""`permcheck actions` and `permcheck show`: the policy, offline, with its sources."""

from __future__ import annotations

import click

from permcheck.cli.codes import Exit

KINDS = ("policy", "action", "permission", "role", "requirement", "reading", "error", "export")


@click.command(short_help="List every action that can be asked about.")
def actions() -> int:
    """List every action that can be asked about."""
    from rich.table import Table

    from permcheck.cli.terminal import console
    from permcheck.loading.policy import load_policy

    table = Table(box=None, pad_edge=False, header_style="bold underline")
    for heading in ("action", "title", "about", "where"):
        table.add_column(heading, no_wrap=heading == "action")
    for action in load_policy().actions.values():
        table.add_row(action.id, action.title, action.target, action.surface)
    console().print(table)
    return Exit.ALLOW


@click.command(short_help="Look something up in the policy.")
@click.argument("kind", type=click.Choice(KINDS))
@click.argument("name", required=False)
def show(kind: str, name: str | None) -> int:
    """Show what the policy says of an action, permission, role, requirement, reading, error text or export.

    \b
    permcheck show policy
    permcheck show role "Help Desk Operator"
    permcheck show permission "Cloud attached devices\\Run script"
    permcheck show action run-cmpivot
    """  # noqa: D301 - click's own marker
    from permcheck.cli.terminal import console
    from permcheck.loading.policy import load_policy
    from permcheck.render.reference import reference
    from permcheck.render.text import print_sections

    print_sections(console(), reference(load_policy(), kind, name))
    return Exit.ALLOW
