"""What a command needs to ask: the estate, opened as the options say."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from permcheck.cli.config import find_config
from permcheck.cli.terminal import tell
from permcheck.errors import PermcheckError

if TYPE_CHECKING:
    from permcheck.api import Estate
    from permcheck.model.tables import Tables


class Asked(NamedTuple):
    """How to open the estate."""

    estate: str | None
    edition: str | None = None
    readings: Mapping[str, str] | None = None
    strict: bool = False
    what_if: tuple[str, ...] = ()


def open_estate(asked: Asked) -> Estate:
    """Load the estate, print its warnings to stderr, and apply the options. Raises PermcheckError."""
    from permcheck.api import load
    from permcheck.graph.node import Adjacency

    if asked.estate is None:
        message = "no estate was named"
        raise click.UsageError(f"{message}\n\nName one with -e PATH, with PERMCHECK_ESTATE, or in permcheck.toml.")
    estate = load(Path(asked.estate), container=Adjacency)
    for warning in estate.warnings:
        tell("warning", f"{warning.place}: {warning.message}", warning.help)
    if asked.what_if:
        estate = estate.what_if(*asked.what_if)
    if asked.edition or asked.readings or asked.strict:
        estate = estate.with_settings(edition=asked.edition, readings=asked.readings, strict=asked.strict)
    return estate


def path_of(text: str, folder: Path) -> str:
    """Return the path of an estate; that of a git revision is written to a folder first."""
    if Path(text).exists() or ":" not in text:
        return text
    from permcheck.loading.revision import checked_out

    return str(checked_out(text, folder))


def load_quietly(context: click.Context) -> Tables | None:
    """Return the tables of the estate that is named somewhere, for completion; None on any fault."""
    import os

    from permcheck.loading.estate import read_estate
    from permcheck.loading.policy import load_policy
    from permcheck.loading.resolve import resolve

    try:
        defaults = context.default_map or find_config(Path.cwd())
    except PermcheckError:
        defaults = {}
    path = context.params.get("estate") or os.environ.get("PERMCHECK_ESTATE") or defaults.get("estate")
    if not path:
        return None
    try:
        return resolve(read_estate(Path(str(path))), load_policy())[0]
    except PermcheckError:
        return None
