"""What an answer depends on, as hashes: a finished part is done again only if one of them differs."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Final

from permcheck import __version__
from permcheck.errors import Problem
from permcheck.loading.data import data_root
from permcheck.loading.files import found_files
from permcheck.loading.policy import COMPILED, COMPILED_EXPORTS, digest
from permcheck.review.write.population import sha256_of
from permcheck.scale.values import Shard, ShardResult

FORMAT: Final = "permcheck-part/1"


def hash_of(path: Path) -> str:
    """Hash the files of a tenant, with their names; nothing if one can't be read: loading says why."""
    found = hashlib.sha256()
    try:
        for file in (path,) if path.is_file() else found_files(path):
            name = file.name if file == path else file.relative_to(path).as_posix()
            found.update(f"{name}\0{sha256_of(file)}\n".encode("utf-8", "surrogateescape"))
    except OSError:
        return ""
    return found.hexdigest()


def key_of(shard: Shard) -> str:
    """Hash everything that the result of a shard depends on, but for where its files are."""
    asked = json.dumps(shard.asked.plain(), sort_keys=True)
    said = (FORMAT, __version__, *_facts(), shard.tenant, shard.sources, str(shard.part), str(shard.parts), asked)
    return hashlib.sha256("\0".join(said).encode()).hexdigest()


def empty(shard: Shard) -> ShardResult:
    """Return a result without answers."""
    return ShardResult(shard.tenant, shard.part, shard.parts, key_of(shard))


def failed(shard: Shard, id_: str, message: str, help_: str = "") -> ShardResult:
    """Return the result of a shard that has no answers, and why."""
    return empty(shard)._replace(problems=(Problem(shard.path, 0, 0, id_, message, help_),))


@cache
def _facts() -> tuple[str, str]:
    folder = data_root() / "policy"
    return digest(folder, COMPILED), digest(folder, COMPILED_EXPORTS)
