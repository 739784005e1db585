"""Review many tenants, or one in parts: find them, have their parts done, and say what there is in the end."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Final, NamedTuple

from permcheck.api import check_settings
from permcheck.ask import act_of
from permcheck.errors import QuestionError
from permcheck.live.progress import Progress, Silent
from permcheck.loading.files import EXPORTS, file_problem
from permcheck.loading.files import UNFINISHED as BROKEN_OFF
from permcheck.loading.policy import load_policy
from permcheck.review.select import EFFECT, TARGET
from permcheck.review.write.frames import needed
from permcheck.scale.files import MANIFEST, finished, is_here, keep_only, prepare, put_text
from permcheck.scale.key import failed, hash_of, key_of
from permcheck.scale.local import run_local
from permcheck.scale.manifest import About, Tenant, manifest, manifest_text
from permcheck.scale.merge import Merged, merge
from permcheck.scale.on_ray import needed_ray, run_on_ray
from permcheck.scale.shard import review_shard
from permcheck.scale.values import Asked, Engine, Shard, ShardResult, Work
from permcheck.system import reason_of

ENGINES: Final[Mapping[str, Engine]] = {"local": run_local, "ray": run_on_ray}
NEEDS: Final[Mapping[str, Callable[[], object]]] = {"ray": needed_ray}


class How(NamedTuple):
    """How the work is done."""

    engine: str = "local"
    jobs: int = 0
    """Processes at once; 0: as many as there are processors. A cluster of Ray knows its own."""
    parts: int = 1
    """Into so many each tenant is divided, by its devices."""
    work: Work = review_shard


EVERYTHING: Final = Asked()
HERE: Final = How()


class Outcome(NamedTuple):
    """What became of a review of many tenants. With problems in `merged`, it is not complete."""

    manifest: Path
    merged: Merged
    tenants: tuple[Tenant, ...]
    skipped: int
    """Parts that an earlier run had finished."""


def review_tenants(
    tenants: Path,
    output: Path,
    at: datetime,
    asked: Asked = EVERYTHING,
    how: How = HERE,
    progress: Progress | None = None,
) -> Outcome:
    """Review every tenant of a folder into one set of files, and return what became of it.

    Parts that an earlier run finished are kept if nothing changed. A tenant that can't be used is
    a problem of the outcome, and the others are done. Raises LoadError if there is no tenant,
    QuestionError, UnknownNameError and WriteError.
    """
    _check(tenants, output, asked, how)
    progress = progress or Silent()
    found = tuple(find_tenants(tenants))
    shards = [shard for tenant in found for shard in _shards(tenant, output, asked, how.parts)]
    known = [result for shard in shards if (result := finished(shard))]
    prepare(output, known)
    done = {(result.tenant, result.part) for result in known}
    merged = merge(known)
    try:
        progress.start("reviewing", total=len(shards))
        progress.advance(len(known))
        left = [shard for shard in shards if (shard.tenant, shard.part) not in done]
        for result in _results(left, how):
            merged |= merge([result])
            progress.advance()
    finally:
        progress.stop()
        keep_only(output, merged.results.values())
    about = About(at, str(tenants), asked, how.parts)
    written = put_text(output, MANIFEST, manifest_text(manifest(merged, found, about)))
    return Outcome(written, merged, found, len(known))


def find_tenants(folder: Path) -> Iterator[Tenant]:
    """Yield the tenants of a folder: each folder in it, and each file that may be an estate or an export.

    Raises LoadError if there is none, or if two have the same name.
    """
    try:
        entries = sorted(entry for entry in folder.iterdir() if _is_tenant(entry))
    except OSError as error:
        reason = reason_of(error, "it can't be read")
        raise file_problem(folder, "unreadable", f"can't look there: {reason}") from None
    if not entries:
        raise file_problem(folder, "no-tenants", "the folder holds no tenant", "each is a folder or a file in it")
    known: dict[str, Path] = {}
    for entry in entries:
        name = entry.name if entry.is_dir() else entry.stem
        other = known.setdefault(name.casefold(), entry)
        if other != entry:
            message = f"`{other.name}` and `{entry.name}` would be the same tenant"
            raise file_problem(entry, "same-tenant", message, "rename one of them")
        yield Tenant(name, str(entry.resolve()), hash_of(entry))


def _is_tenant(entry: Path) -> bool:
    if entry.name.startswith(".") or entry.name.endswith(BROKEN_OFF):
        return False
    return entry.is_dir() or entry.suffix.lower() in EXPORTS


def _shards(tenant: Tenant, output: Path, asked: Asked, parts: int) -> Iterator[Shard]:
    for part in range(parts):
        yield Shard(tenant.name, tenant.path, tenant.sources, str(output.resolve()), asked, part, parts)


def _results(shards: list[Shard], how: How) -> Iterator[ShardResult]:
    """Have the work done, if there is any. When this is left early, so is the engine."""
    if not shards:
        return
    by_id = {(shard.tenant, shard.part): shard for shard in shards}
    with closing(ENGINES[how.engine](how.work, shards, how.jobs or os.cpu_count() or 1)) as results:
        for result in results:
            yield _believed(by_id[result.tenant, result.part], result)


def _believed(shard: Shard, result: ShardResult) -> ShardResult:
    """Return a result of another process, perhaps on another computer, if it is one of this shard, and is here."""
    if result.key != key_of(shard):
        return failed(shard, "version", "a worker has another version of permcheck", "install the same everywhere")
    if not all(is_here(Path(shard.folder), one) for one in result.files):
        return failed(shard, "elsewhere", "a worker wrote files that are not here", "name a folder that all share")
    return result


def _check(tenants: Path, output: Path, asked: Asked, how: How) -> None:
    """Refuse what no tenant could answer, before any is read."""
    if how.engine not in ENGINES:
        raise QuestionError(f"no engine is called `{how.engine}`", "known are " + ", ".join(ENGINES))
    if how.parts < 1 or how.jobs < 0:
        raise QuestionError("there is at least one part, and one job")
    needed("pyarrow.parquet")
    NEEDS.get(how.engine, lambda: None)()
    check_settings(load_policy(), asked.edition, asked.readings)
    for text in asked.actions:
        if not text.startswith((EFFECT, TARGET)):
            act_of(load_policy(), text)
    if output.resolve().is_relative_to(tenants.resolve()):
        raise QuestionError("the output would lie in the folder of the tenants", "name another folder with -o")
