"""Resolve the estates that files belong to: report what is wrong in those files, and what they break in others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from permcheck.checks.finding import from_root
from permcheck.checks.own import is_estate
from permcheck.errors import LoadError, Problem
from permcheck.loading.estate import Joined, add_file, ahead
from permcheck.loading.files import found_files, holds_exports
from permcheck.loading.resolve import resolve
from permcheck.loading.whole import refuse_unfinished
from permcheck.model.policy_index import Policy

FRAGMENT: Final = {"no-users": "users", "no-hierarchy": "hierarchies"}
"""Problems of an estate without a section: roles may be kept in files of their own, and that is no fault of them."""


def estate_problems(named: Iterable[Path], policy: Policy, root: Path | None) -> list[Problem]:
    """Resolve each estate once; return the problems of the named files, and errors elsewhere that come of them.

    `root` is the folder that permcheck.toml calls the estate. Elsewhere, files belong together that lie in one
    folder and those below it; a folder in which several files state a tenant holds an estate in each file.
    """
    spelled = {path.resolve(): path for path in named}
    problems: list[Problem] = []
    for folder, ours in _by_folder(spelled, root).items():
        files = _members(folder, root, spelled)
        if folder.is_dir():
            refuse_unfinished(folder)
        joined = _joined(files.values())
        ahead(folder)(joined)
        if len(_with_tenant(joined)) > 1 and folder != root:
            for path in ours:
                problems += _of_one(_joined([path]), {str(path)}, policy)
        else:
            known = {str(path) for path in ours}
            found = list(_of_one(joined, known, policy))
            if any(problem.severity == "error" for problem in found) and holds_exports(folder):
                more = _with_exports(folder, policy)  # the names may be those of exports
                found = list(_of_one(more, known, policy)) if more is not None else found
            problems += found
    return problems


def _by_folder(spelled: Mapping[Path, Path], root: Path | None) -> dict[Path, list[Path]]:
    known: dict[Path, bool] = {}
    result: dict[Path, list[Path]] = {}
    for full, path in spelled.items():
        result.setdefault(_home(full, root, known), []).append(path)
    return result


def _home(file: Path, root: Path | None, known: dict[Path, bool]) -> Path:
    """Return the topmost folder above a file that directly holds estate files, without a gap between."""
    if root is not None and file.is_relative_to(root):
        return root
    folder = file.parent
    while folder.parent != folder and _holds_estate(folder.parent, known):
        folder = folder.parent
    return folder


def _holds_estate(folder: Path, known: dict[Path, bool]) -> bool:
    if folder not in known:
        try:
            known[folder] = any(path.is_file() and is_estate(path) for path in sorted(folder.iterdir()))
        except OSError:
            known[folder] = False
    return known[folder]


def _members(folder: Path, root: Path | None, spelled: Mapping[Path, Path]) -> dict[Path, Path]:
    """List the files of an estate, as they were named, or else from here."""
    if folder.is_file():
        return {folder: spelled.get(folder, folder)}
    known: dict[Path, bool] = {}
    found = (path.resolve() for path in found_files(folder))
    inside = [path for path in found if path in spelled or (is_estate(path) and _home(path, root, known) == folder)]
    return {path: spelled.get(path, Path(from_root(str(path), Path.cwd()))) for path in inside}


def _joined(files: Iterable[Path]) -> Joined:
    joined = Joined()
    for path in files:
        add_file(joined, path)
    return joined


def _with_tenant(joined: Joined) -> list[str]:
    return [given.file for given in joined.parsed if "tenant" in given.data]


def _with_exports(folder: Path, policy: Policy) -> Joined | None:
    from permcheck.exports.folder import read_exports

    try:
        imported = read_exports((Path(from_root(str(folder), Path.cwd())),), policy)
    except LoadError:
        return None
    return imported.joined if imported.gathered.read else None


def _of_one(joined: Joined, ours: set[str], policy: Policy) -> Iterator[Problem]:
    """Resolve one estate. Where another file can't be read, names that it may hold are not missed."""
    read = tuple(joined.problems)
    broken = sorted({p.file for p in read if p.severity == "error" and p.file not in ours})
    try:
        _, problems = resolve(joined, policy)
    except LoadError as error:
        problems = error.problems
    if broken:
        yield from (p for p in read if p.file in ours)
        message = f"names in it were not looked up: `{broken[0]}`, of the same estate, can't be read"
        yield from (Problem(file, 0, 0, "not-resolved", message, "", "warning") for file in sorted(ours))
        return
    for problem in problems:
        if FRAGMENT.get(problem.id, "") and not joined.sections.get(FRAGMENT[problem.id]):
            continue
        if problem.file in ours:
            yield problem
        elif problem.severity == "error" and problem not in read:
            yield replace(problem, help=problem.help or "the files under review and this one are one estate")
