"""PC125: bits of a mask that no public document explains."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path

from permcheck.checks.context import Context
from permcheck.checks.finding import Finding
from permcheck.checks.roles import roles_of
from permcheck.checks.wording import counted
from permcheck.exports.masks import operations_of

SHOWN = 2
HEAD = 4096
"""Characters that tell what a list is."""


def check(context: Context) -> Iterator[Finding]:
    """Find what the masks of a role leave open, unless the site's own list of operations lies beside it."""
    roles = roles_of(context)
    listed: dict[Path, bool] = {}
    for role in roles.custom("configmgr"):
        notes = operations_of(context.policy, role.masks).notes if role.masks else ()
        folder = Path(role.source.file).parent
        if notes and folder not in listed:
            listed[folder] = any(map(partial(_has, context.data("keys")), sorted(folder.iterdir())))
        if notes and not listed[folder]:
            told = "; ".join(notes[:SHOWN]) + ("; ..." if len(notes) > SHOWN else "")
            message = f"{counted(len(notes), 'mask')} of `{role.name}` can't be read in full: {told}"
            yield context.finding(role.place, message, role.name)


def _has(keys: Iterable[str], path: Path) -> bool:
    """Tell whether a file is a list of operations, by the keys of its entries."""
    try:
        with path.open("rb") as file:
            head = file.read(HEAD).decode("utf-8", "ignore").replace("\0", "")
    except OSError:
        return False
    return all(key in head for key in keys)
