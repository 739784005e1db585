"""Options of `permcheck import` that collect the exports first, from the live services."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

import click

from permcheck.cli.terminal import tell
from permcheck.model.fold import fold_case

F = TypeVar("F", bound=Callable[..., Any])
SERVICES: Final = ("graph", "adminservice")
CLOUDS: Final = ("public", "us-government", "dod", "china")
WAYS: Final = ("default", "device-code", "azure-cli", "managed-identity", "certificate")


class Live(NamedTuple):
    """How to collect from a live service."""

    live: str | None = None
    cloud: str = "public"
    sign_in: str = "default"
    tenant: str | None = None
    client: str | None = None
    certificate: Path | None = None


_OPTIONS: Final = (
    click.option("--live", type=click.Choice(SERVICES), help="Collect from this service first, into PATH."),
    click.option(
        "--cloud", type=click.Choice(CLOUDS), default="public", show_default=True, help="Cloud of the tenant."
    ),
    click.option("--sign-in", type=click.Choice(WAYS), default="default", show_default=True, help="How to sign in."),
    click.option("--tenant", metavar="ID", help="Tenant to sign in to."),
    click.option("--client", metavar="ID", help="Application, or managed identity, to sign in as."),
    click.option("--certificate", type=click.Path(path_type=Path), help="Certificate of the application (PEM)."),
)


def options(command: F) -> F:
    """Add the options of a live collection."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def collected(names: tuple[str, ...], how: dict[str, Any]) -> tuple[Path, ...]:
    """Return the paths to import, after collecting into the first of them if that was asked for.

    Raises LiveError, or a usage error.
    """
    chosen = Live(**how)
    servers = [name for name in names if fold_case(name).startswith(("https://", "http://"))]
    paths = tuple(Path(name) for name in names if name not in servers)
    if chosen.live is None:
        if servers:
            message = f"`{servers[0]}` is an address: collect from it with --live adminservice"
            raise click.UsageError(message)
        return paths
    if not paths:
        message = "name a folder for what is collected, such as exports/"
        raise click.UsageError(message)
    if chosen.live == "adminservice" and len(servers) != 1:
        message = "name the server: permcheck import --live adminservice https://SERVER exports/"
        raise click.UsageError(message)
    _collect(chosen, paths[0], servers)
    return paths


def _collect(chosen: Live, folder: Path, servers: list[str]) -> None:
    from permcheck.live import collect_adminservice, collect_graph, on_stderr

    if chosen.live == "graph":
        result = collect_graph(
            folder / "graph",
            cloud=chosen.cloud,
            sign_in=chosen.sign_in,  # type: ignore[arg-type]
            tenant=chosen.tenant,
            client=chosen.client,
            certificate=chosen.certificate,
            progress=on_stderr(),
        )
    else:
        host = servers[0].partition("://")[2].partition("/")[0].partition(":")[0]
        result = collect_adminservice(folder / host, servers[0], progress=on_stderr())
    tell("collected", f"{result.responses} responses of {result.endpoint} in {result.folder}")
    for refused in result.refused:
        help_ = f"it takes {refused.needs}" if refused.needs else ""
        tell("warning", f"not answered ({refused.status}): {refused.url}", help_)
