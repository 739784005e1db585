"""Options that several commands share. Same name, same meaning everywhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from permcheck.cli import complete

F = TypeVar("F", bound=Callable[..., Any])


def question_options(command: F) -> F:
    """Everything that a question takes besides its words."""
    return _with(command, (estate, _OBJECT, *_READING, *_WHAT_IF, format_))


def reading_options(command: F) -> F:
    """How to open an estate and read the documents."""
    return _with(command, (estate, *_READING, *_WHAT_IF))


def reading_options_without_estate(command: F) -> F:
    """How to read the documents."""
    return _with(command, _READING)


def selectors(command: F) -> F:
    """Whom, what and where a question about everybody is about."""
    return _with(command, _SELECTORS)


def _with(command: F, chosen: tuple[Callable[[F], F], ...]) -> F:
    for option in reversed(chosen):
        command = option(command)
    return command


def pair(context: click.Context, _parameter: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    """Split NAME=VALUE options; those of the configuration come first and may be overridden one by one."""
    result = {}
    for value in (*(context.default_map or {}).get("readings", ()), *values):
        name, equals, choice = value.partition("=")
        if not equals:
            message = f"`{value}` is not NAME=VALUE"
            raise click.BadParameter(message)
        result[name.strip()] = choice.strip()
    return result


estate = click.option(
    "-e",
    "--estate",
    metavar="PATH",
    envvar="PERMCHECK_ESTATE",
    show_envvar=True,
    type=click.Path(),
    help="File or folder with the facts about the tenant.",
)
format_ = click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "json", "markdown"]),
    default="text",
    show_default=True,
    help="How to print the answer.",
)
_READING = (
    click.option(
        "--edition",
        metavar="ID",
        shell_complete=complete.editions,
        help="Judge by what the documents said then. Default: by the hierarchy's version.",
    ),
    click.option(
        "--reading",
        "readings",
        metavar="NAME=VALUE",
        multiple=True,
        callback=pair,
        shell_complete=complete.readings,
        help="Choose how to read a passage on which the documents disagree. Repeatable.",
    ),
    click.option("--strict", is_flag=True, help="Allow only if every edition and every reading allows."),
)
_WHAT_IF = (
    click.option(
        "--what-if",
        "what_if",
        metavar="KEY=VALUE",
        multiple=True,
        help="Ask as if this were so, such as use-intune-rbac=on. Repeatable.",
    ),
)
_OBJECT = click.option("--object", "object_", metavar="NAME", help="Script or application that the action is about.")
_SELECTORS = (
    click.option(
        "-u", "--users", metavar="USER", multiple=True,
        help="User, pattern or group:NAME. Repeatable; default: all.",
    ),
    click.option(
        "-a", "--actions", metavar="ACTION", multiple=True,
        help="Action, effect:act or target:device. Repeatable; default: all.",
    ),
    click.option(
        "-d", "--devices", metavar="DEVICE", multiple=True,
        help="Device, pattern, collection:NAME or hierarchy:NAME. Repeatable; default: all.",
    ),
)  # fmt: skip
