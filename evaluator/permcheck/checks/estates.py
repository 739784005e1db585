"""Resolve the estates that files belong to: report what is wrong in those files, and what they break in others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from permcheck.checks.finding import from_root
from permcheck.checks.own import is_estate, states_tenant
from permcheck.errors import LoadError, Problem
from permcheck.loading.estate import Joined, add_file, ahead
from permcheck.loading.files import found_files, holds_exports
from permcheck.loading.resolve import resolve
from permcheck.loading.whole import refuse_unfinished
from permcheck.model.policy_index import Policy

FRAGMENT: Final = {"no-users": "users", "no-hierarchy": "hierarchies"}
"""Problems of an estate without a section: roles may be kept in files of their own, and that is no fault of them."""


def estate_problems(named: Iterable[Path], folders: Iterable[Path], policy: Policy, root: Path | None) -> list[Problem]:
    """Resolve each estate once; return the problems of the named files, and errors elsewhere that come of them.

    `root` is the folder that permcheck.toml calls the estate. Elsewhere, files belong together that lie in a folder and
    those below it, whose top is the folder that states the tenant, or else that of the named files; no estate reaches
    above a folder of `folders`, which were named. If several files of it state a tenant, each file is an estate.
    """
    spelled = {path.resolve(): path for path in named}
    homes = _Homes(root, frozenset(one.resolve() for one in folders), frozenset(path.parent for path in spelled))
    ours: dict[Path, list[Path]] = {}
    for full, path in spelled.items():
        ours.setdefault(homes.home(full), []).append(path)
    return [problem for folder, mine in ours.items() for problem in _of_folder(folder, mine, spelled, homes, policy)]


def _of_folder(
    folder: Path, ours: list[Path], spelled: Mapping[Path, Path], homes: _Homes, policy: Policy
) -> Iterator[Problem]:
    if folder.is_dir():
        refuse_unfinished(folder)
    joined = _joined(_members(folder, homes, spelled).values())
    ahead(folder)(joined)
    if len(_with_tenant(joined)) > 1 and folder != homes.root:
        for path in ours:
            yield from _of_one(_joined([path]), {str(path)}, policy)
        return
    known = {str(path) for path in ours}
    found = list(_of_one(joined, known, policy))
    if any(problem.severity == "error" for problem in found) and holds_exports(folder):
        more = _with_exports(folder, policy)  # the names may be those of exports
        found = list(_of_one(more, known, policy)) if more is not None else found
    yield from found


@dataclass(frozen=True)
class _Homes:
    """Tells which folder is the estate of a file."""

    root: Path | None
    """The estate of permcheck.toml."""
    named: frozenset[Path]
    of_files: frozenset[Path]
    """Folders of named files."""
    _known: dict[Path, tuple[bool, bool]] = field(default_factory=dict)

    def home(self, file: Path) -> Path:
        """Return the top folder of the estate of a file; every folder down to the file directly holds some of it."""
        if self.root is not None and file.is_relative_to(self.root):
            return self.root
        home = folder = file.parent
        while not self._is_top(folder) and self._of(folder.parent)[0]:
            folder = folder.parent
            if self._of(folder)[1] or folder in self.of_files or self._is_inside(folder):
                home = folder
        return home

    def below(self, folder: Path) -> _Homes:
        """Return the same where a folder is an estate, whoever named it."""
        return replace(self, named=self.named | {folder})

    def _is_top(self, folder: Path) -> bool:
        """Tell whether no estate reaches above a folder: it was named, or states a tenant."""
        return folder in self.named or folder.parent == folder or self._of(folder)[1]

    def _is_inside(self, folder: Path) -> bool:
        return any(folder.is_relative_to(one) for one in self.named)

    def _of(self, folder: Path) -> tuple[bool, bool]:
        """Tell whether a folder directly holds estate files, and whether one of them states a tenant."""
        if folder not in self._known:
            try:
                files = [path for path in sorted(folder.iterdir()) if path.is_file() and is_estate(path)]
            except OSError:
                files = []
            self._known[folder] = bool(files), any(map(states_tenant, files))
        return self._known[folder]


def _members(folder: Path, homes: _Homes, spelled: Mapping[Path, Path]) -> dict[Path, Path]:
    """List the files of an estate, as they were named, or else from here."""
    if folder.is_file():
        return {folder: spelled.get(folder, folder)}
    inside = homes.below(folder)
    found = (path.resolve() for path in found_files(folder))
    mine = [path for path in found if (path in spelled or is_estate(path)) and inside.home(path) == folder]
    return {path: spelled.get(path, Path(from_root(str(path), Path.cwd()))) for path in mine}


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
