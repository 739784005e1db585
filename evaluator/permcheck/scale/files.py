"""The files of a review of many tenants: where each lies, and how it gets there whole or not at all.

OUT/rows/tenant=NAME/part-K.parquet    the rows
OUT/sets/tenant=NAME/part-K.parquet    the members of long sets
OUT/manifest.json                      written last: every file, the totals, and what failed
OUT/.parts/                            what is being written, and what is known of each finished part
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from permcheck.errors import Problem, WriteError
from permcheck.review.review import Total
from permcheck.review.table import NameSet, Record
from permcheck.review.write.frames import batches, needed, schema
from permcheck.review.write.parquet import COMPRESSION, write_sets
from permcheck.review.write.population import sha256_of
from permcheck.scale.key import key_of
from permcheck.scale.values import Shard, ShardResult, Written
from permcheck.system import reason_of

ROWS: Final = "rows"
SETS: Final = "sets"
PARTS: Final = ".parts"
MANIFEST: Final = "manifest.json"
UNFINISHED: Final = ".new"
RESERVED: Final = re.compile(r'[\x00-\x1f\x7f"#%\'*/:<=>?\[\\\]^{|}]')
"""What the name of a folder of a partitioned set writes as %XX."""

Plain = dict[str, Any]


def name_of(kind: str, shard: Shard) -> str:
    """Return where the rows or the sets of a shard lie below the folder."""
    tenant = RESERVED.sub(lambda found: f"%{ord(found[0]):02X}", shard.tenant)
    return f"{kind}/tenant={tenant}/part-{shard.part}.parquet"


def put_rows(shard: Shard, records: Iterable[Record]) -> Written:
    """Write the rows of a shard. Raises WriteError."""

    def write(path: Path) -> int:
        parquet, count = needed("pyarrow.parquet"), 0
        with path.open("wb") as file, parquet.ParquetWriter(file, schema(), compression=COMPRESSION) as writer:
            for batch in batches(records):
                writer.write_batch(batch)
                count += batch.num_rows
        return count

    return _put(shard, ROWS, write)


def put_sets(shard: Shard, sets: Iterable[NameSet]) -> Written:
    """Write the members of the sets that rows of a shard refer to: also if there are none. Raises WriteError."""

    def write(path: Path) -> int:
        every = tuple(sets)
        write_sets(path, every)
        return sum(one.size for one in every)

    return _put(shard, SETS, write)


def _put(shard: Shard, kind: str, write: Callable[[Path], int]) -> Written:
    name, target = name_of(kind, shard), Path(shard.folder, name_of(kind, shard))
    with _new(Path(shard.folder), target) as path:
        rows = write(path)
        size, digest = path.stat().st_size, sha256_of(path)
    return Written(name, rows, size, digest)


def put_text(folder: Path, name: str, text: str) -> Path:
    """Write a text. Raises WriteError."""
    with _new(folder, folder / name) as path:
        path.write_text(text, "utf-8")
    return folder / name


@contextmanager
def _new(folder: Path, target: Path) -> Iterator[Path]:
    """Give a place to write to. What is there in the end gets its name at once, also if the computer stops."""
    path = folder / PARTS / f"{uuid4().hex}{UNFINISHED}"
    try:
        for needed_folder in (path.parent, target.parent):
            needed_folder.mkdir(parents=True, exist_ok=True)
        yield path
        with path.open("rb+") as file:
            os.fsync(file.fileno())
        path.replace(target)
    except OSError as error:
        reason = reason_of(error, "it can't be written")
        help_ = "make room, or name another folder; finished parts are kept, and the next run goes on"
        raise WriteError(str(target), reason, help_) from None
    finally:
        with suppress(OSError):
            path.unlink(missing_ok=True)


def is_here(folder: Path, file: Written) -> bool:
    """Tell whether a file is there, as long as it was written."""
    try:
        return (folder / file.name).stat().st_size == file.size
    except OSError:
        return False


# --- what is known of finished parts -----------------------------------------


def put_receipt(shard: Shard, result: ShardResult) -> None:
    """Remember a finished part. Raises WriteError."""
    plain = result._asdict() | {"files": [one._asdict() for one in result.files]}
    plain["warnings"] = [[getattr(one, name) for name in Problem.__slots__] for one in result.warnings]
    put_text(Path(shard.folder), f"{PARTS}/{result.key}.json", json.dumps(plain))


def finished(shard: Shard) -> ShardResult | None:
    """Return what an earlier run made of a shard, if its files are there, unchanged."""
    folder, key = Path(shard.folder), key_of(shard)
    try:
        data = json.loads((folder / PARTS / f"{key}.json").read_text("utf-8"))
        result = _result(data)
        there = all(sha256_of(folder / one.name) == one.sha256 for one in result.files)
    except (OSError, ValueError, TypeError, KeyError):
        return None
    names = tuple(name_of(kind, shard) for kind in (ROWS, SETS))
    return result if there and result.key == key and tuple(one.name for one in result.files) == names else None


def _result(data: Plain) -> ShardResult:
    return ShardResult(**data)._replace(
        totals=tuple((action, Total(*counts)) for action, counts in data["totals"]),
        files=tuple(Written(**one) for one in data["files"]),
        problems=(),
        warnings=tuple(Problem(*one) for one in data["warnings"]),
    )


# --- the folder ---------------------------------------------------------------


def prepare(folder: Path, kept: Iterable[ShardResult]) -> None:
    """Make the folder ready: nothing is left in it but the files of finished parts.

    Raises WriteError: also where the folder holds something else, and then nothing was changed.
    """
    try:
        if folder.exists() and not (folder / PARTS).is_dir() and any(folder.iterdir()):
            raise WriteError(str(folder), "the folder holds other files", "name another folder, or an empty one")
        (folder / PARTS).mkdir(parents=True, exist_ok=True)
        (folder / MANIFEST).unlink(missing_ok=True)
    except OSError as error:
        raise WriteError(str(folder), reason_of(error, "it can't be used"), "name another folder") from None
    keep_only(folder, kept)


def keep_only(folder: Path, kept: Iterable[ShardResult]) -> None:
    """Remove files of parts that are not finished, and what a worker that was killed left behind.

    Raises WriteError: a reader would take them for data.
    """
    names = set()
    for result in kept:
        names |= {one.name for one in result.files} | {f"{PARTS}/{result.key}.json"}
    try:
        for path in _ours(folder):
            if path.relative_to(folder).as_posix() not in names:
                path.unlink(missing_ok=True)
    except OSError as error:
        reason = reason_of(error, "it can't be removed")
        raise WriteError(str(folder), reason, "close what has its files open") from None
    for path in (found for kind in (ROWS, SETS) for found in (*(folder / kind).glob("tenant=*"), folder / kind)):
        with suppress(OSError):  # it is not empty
            path.rmdir()


def _ours(folder: Path) -> Iterator[Path]:
    yield from (folder / PARTS).iterdir()
    for kind in (ROWS, SETS):
        yield from (folder / kind).glob("tenant=*/part-*.parquet")
