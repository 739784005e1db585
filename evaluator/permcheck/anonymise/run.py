"""Read an estate or exports, give it other names, make sure that it decides the same, and write it."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from random import SystemRandom
from time import monotonic
from typing import Final

from permcheck.anonymise.estate import Anonymised, anonymised
from permcheck.api import Estate, _read
from permcheck.errors import LoadError, PermcheckError, Problem
from permcheck.exports.put import ASIDE
from permcheck.exports.write import HEADER, sections_of, texts_of, write_estate, written_before
from permcheck.loading.estate import collector_off, read_estate
from permcheck.loading.files import PROVENANCE
from permcheck.loading.policy import load_policy
from permcheck.loading.resolve import resolve
from permcheck.loading.whole import WRITING
from permcheck.model.tables import hierarchy_of

ABOVE: Final = (
    "# Written by `permcheck anonymise`: the names are made up, the decisions are those of the estate behind it.\n"
)
MADE: Final = {"made_by": "anonymise"}
"""Tells a folder that this command wrote from one that an import wrote."""
UNFINISHED: Final = (WRITING, ASIDE)
"""What is left where writing was killed; the next time takes it away."""
TRIED: Final = 200
"""Pairs of a user and a device whose verdicts are compared before anything is written."""
PATIENCE: Final = 5.0
"""Seconds after which enough was compared: where much is unknown, a verdict takes long."""


@dataclass(frozen=True)
class Written:
    """What was written."""

    files: tuple[Path, ...]
    made: Anonymised
    compared: int
    """Verdicts that were compared, and are the same."""


def anonymise(root: Path, folder: Path, *, salt: str | None = None, map_file: Path | None = None) -> Written:
    """Write the estate in a file or folder, or that of exports, with other names.

    Raises LoadError; then nothing was written.
    """
    _refuse_places(root, folder, map_file)
    policy = load_policy()
    with collector_off():
        joined = _read(root, policy)
        before = Estate(resolve(joined, policy)[0], policy)
        if joined.inventory is not None:
            from permcheck.loading.inventory import list_devices  # only such an estate pays for it

            list_devices(joined)
        made = anonymised(sections_of(joined), policy, salt)
    texts = {
        name: ABOVE + text.removeprefix(HEADER) if text.startswith(HEADER) else text
        for name, text in texts_of(made.data).items()
    }
    compared = _compare(root, before, texts, made)
    if map_file is not None:
        _write_map(map_file, made)
    try:
        return Written(write_estate(folder, texts, MADE), made, compared)
    except LoadError:
        if map_file is not None:
            map_file.unlink(missing_ok=True)
        raise


# --- where to ----------------------------------------------------------------------


def _refuse_places(root: Path, folder: Path, map_file: Path | None) -> None:
    """Refuse places where the result would be mixed with something else, or the map be sent or read with an estate."""
    source, target = root.resolve(), folder.resolve()
    if source.is_relative_to(target) or (source.is_dir() and target.is_relative_to(source)):
        raise _refused(folder, "exists", "the folder holds the estate, or lies in it", "name another folder")
    if folder.exists() and not folder.is_dir():
        raise _refused(folder, "exists", "this is a file", "name a folder")
    foreign = (
        sorted(p.name for p in folder.iterdir() if p.name not in {*_own(folder), *UNFINISHED})
        if folder.exists()
        else []
    )
    if foreign:
        message = "there is something else in the folder: it would be sent, too"
        raise _refused(folder / foreign[0], "exists", message, "name another folder, or move it away")
    if map_file is None:
        return
    if os.path.lexists(map_file):
        raise _refused(map_file, "exists", "the file is already there", "name another file")
    place = map_file.resolve()
    if place.is_relative_to(target) or (source.is_dir() and place.is_relative_to(source)):
        help_ = "keep the map where it is neither sent nor read as part of an estate"
        raise _refused(map_file, "misplaced", "the map would lie in the estate, or beside what is sent", help_)


def _own(folder: Path) -> frozenset[str]:
    """Return the names of the files that this command wrote into a folder, or left there when it was killed."""
    written = written_before(folder, MADE["made_by"])
    return written | {PROVENANCE} if written else written


def _write_map(path: Path, made: Anonymised) -> None:
    """Write what was called how, for its owner alone."""
    text = json.dumps(dict(sorted(made.names.items())), ensure_ascii=False, indent=0)
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as stream:
            stream.write(text + "\n")
    except OSError as error:
        reason = (error.strerror or "it can't be written").lower()
        raise _refused(path, "unwritable", f"can't write here: {reason}") from None


def _refused(path: Path, id_: str, message: str, help_: str = "") -> LoadError:
    return LoadError((Problem(str(path), 0, 0, id_, message, help_),))


# --- does it decide the same -------------------------------------------------------


def _compare(root: Path, before: Estate, texts: Mapping[str, str], made: Anonymised) -> int:
    """Load what will be written and compare verdicts; return how many. Raises LoadError if one is another."""
    help_ = "please report it, without the estate"
    with tempfile.TemporaryDirectory(prefix="permcheck-") as folder:
        for name, text in texts.items():
            (Path(folder) / name).write_text(text, "utf-8")
        try:
            after = Estate(resolve(read_estate(Path(folder)), before.policy)[0], before.policy)
        except LoadError as error:
            first = error.problems[0]
            message = f"with other names it does not load: {first.message}"
            raise _refused(root, "not-the-same", message, first.help or help_) from None
    asks = list(_questions(before, made))
    SystemRandom().shuffle(asks)
    until, compared = monotonic() + PATIENCE, 0
    for old, new in asks:
        if monotonic() > until:
            break
        compared += 1
        if _verdict(before, old) != _verdict(after, new):
            raise _refused(root, "not-the-same", f"with other names `{old[1]}` is decided otherwise", help_)
    return compared


Ask = tuple[str, str, str | None]


def _questions(before: Estate, made: Anonymised) -> Iterator[tuple[Ask, Ask]]:
    """Ask about some users and devices, the same by their old and their new names."""
    tables, call = before.tables, made.renamer.name
    chance = SystemRandom()
    users = [user.upn for user in tables.users.values()]
    devices = list(tables.devices)
    pairs = [*product(users, devices)] if len(users) * len(devices) <= TRIED else []
    if devices and not pairs:
        pairs = [(chance.choice(users), chance.choice(devices)) for _ in range(TRIED)]
    for user, key in pairs:
        hierarchy = tables.hierarchies[hierarchy_of(key)].id
        now = f"{call('hierarchy', hierarchy)}/{made.renamer.reference('device', key.partition('/')[2])}"
        for action in before.policy.actions.values():
            if action.target == "device":
                yield (user, action.id, key), (call("account", user), action.id, now)
    for user in users[:TRIED]:
        for action in before.policy.actions.values():
            for site in tables.hierarchies.values() if action.target == "hierarchy" else ():
                yield (user, action.id, site.id), (call("account", user), action.id, call("hierarchy", site.id))


def _verdict(estate_: Estate, ask: Ask) -> str:
    try:
        return estate_.verdict(*ask).value
    except PermcheckError as error:  # two devices of one name
        return type(error).__name__
