"""What a command needs to ask: the estate, opened as the options say."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

import click

from permcheck.cli.config import find_config
from permcheck.cli.terminal import tell

if TYPE_CHECKING:
    from pathlib import Path

    from permcheck.api import Estate
    from permcheck.cache.cache import Cache
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
    if asked.estate is None:
        message = "no estate was named"
        raise click.UsageError(f"{message}\n\nName one with -e PATH, with PERMCHECK_ESTATE, or in permcheck.toml.")
    from permcheck.api import load
    from permcheck.graph.node import Adjacency

    estate = load(asked.estate, container=Adjacency)
    for warning in estate.warnings:
        tell("warning", f"{warning.place}: {warning.message}", warning.help)
    if asked.what_if:
        estate = estate.what_if(*asked.what_if)
    if asked.edition or asked.readings or asked.strict:
        estate = estate.with_settings(edition=asked.edition, readings=asked.readings, strict=asked.strict)
    return estate


def cache_of(asked: Asked) -> Cache | None:
    """Return what is kept of an estate; None where the question is about another one, or another way to read it."""
    if asked.estate is None or asked.edition or asked.readings or asked.strict or asked.what_if:
        return None
    from permcheck.cache.cache import Cache  # not every command needs it

    return Cache(asked.estate)


def keep(cache: Cache, estate: Estate) -> None:
    """Keep what the next question will need. The answer is out by then."""
    if cache.compiles and sys.stderr.isatty():
        tell("note", "compiling the estate, so that the next question is answered at once; --no-cache leaves that out")
    cache.keep(estate)


def path_of(text: str, folder: Path) -> str:
    """Return the path of an estate; that of a git revision is written to a folder first."""
    if os.path.exists(text) or ":" not in text:
        return text
    from permcheck.loading.revision import checked_out

    return str(checked_out(text, folder))


def load_quietly(context: click.Context) -> Tables | None:
    """Return the tables of the estate that is named somewhere, for completion; None on any fault."""
    from pathlib import Path

    from permcheck.errors import PermcheckError
    from permcheck.loading.estate import read_estate
    from permcheck.loading.policy import load_policy
    from permcheck.loading.resolve import resolve

    try:
        defaults = context.default_map or find_config(os.getcwd())
    except PermcheckError:
        defaults = {}
    path = context.params.get("estate") or os.environ.get("PERMCHECK_ESTATE") or defaults.get("estate")
    if not path:
        return None
    try:
        return resolve(read_estate(Path(str(path))), load_policy())[0]
    except PermcheckError:
        return None
