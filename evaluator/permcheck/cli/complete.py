"""Shell completion: names of the estate and of the policy. Never prints, never fails."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

from permcheck.model.fold import fold_case
from permcheck.printable import printable

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

MANY = 200


def _estate_names(context: click.Context, kind: str) -> Iterable[str]:
    from permcheck.cli.session import load_quietly

    tables = load_quietly(context)
    if tables is None:
        return ()
    if kind == "user":
        return [user.upn for user in tables.users.values()]
    return [device.name for device in tables.devices.values()]


def _matching(names: Iterable[str], incomplete: str) -> list[CompletionItem]:
    from click.shell_completion import CompletionItem  # only a shell asks

    folded = fold_case(incomplete)
    found = sorted({name for name in names if fold_case(name).startswith(folded) and printable(name) == name})
    return [CompletionItem(name) for name in found[:MANY]]


def users(context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """UPNs of the estate."""
    return _matching(_estate_names(context, "user"), incomplete)


def devices(context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Device names of the estate."""
    return _matching(_estate_names(context, "device"), incomplete)


def actions(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return action ids with their titles; behind a colon the variants."""
    from click.shell_completion import CompletionItem

    from permcheck.loading.policy import load_policy

    policy = load_policy()
    action, colon, _ = incomplete.partition(":")
    if colon and action in policy.actions:
        return _matching((f"{action}:{v.id}" for v in policy.actions[action].variants), incomplete)
    found = [a for a in policy.actions.values() if a.id.startswith(fold_case(incomplete))]
    return [CompletionItem(a.id, help=a.title) for a in found]


def editions(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Edition ids."""
    from permcheck.loading.policy import load_policy

    return _matching(load_policy().editions, incomplete)


def readings(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """NAME=ALTERNATIVE of every reading."""
    from permcheck.loading.policy import load_policy

    known = load_policy().readings.values()
    return _matching((f"{r.id}={a.id}" for r in known for a in r.alternatives), incomplete)
