"""What a policy must be besides its names: needs of one thing with a source, no circles, nothing missing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from permcheck.errors import Problem
from permcheck.loading.policy_names import Read, Spot, spots, words_of
from permcheck.model import policy as form
from permcheck.model.base import Form
from permcheck.model.fold import fold_case
from permcheck.model.policy_checks import CheckFacts
from permcheck.model.policy_table import Path as Path_
from permcheck.model.policy_values import Value, ValuesFile

SINGLE: Final = (form.AuthorityFile, ValuesFile)
"""Forms of which a policy has one file."""
PARTS: Final = ("id", "all", "any", "use")
WAYS: Final = ("equals", "one_of", "contains", "at_least")
FILLED: Final = (("permission", "permission"), ("at_least", "at_least"), ("contains", "value"))
"""A field of a test that may say `$name`, and the field of the need that is put in."""
SCOPES: Final = ("every-object", "new-objects")
"""What the code asks for by what it holds."""


class _Needed(NamedTuple):
    """A need, with the sources of those around it."""

    spot: Spot
    need: form.Need
    path: Path_
    sources: tuple[str, ...]

    def problem(self, id_: str, message: str, help_: str = "") -> Problem:
        return self.spot.problem(self.path, id_, message, help_)


def shape_problems(files: Iterable[Read]) -> Iterator[Problem]:
    """Return what is wrong in files whose forms and names are right."""
    every = tuple(files)
    found = [spot for read in every for spot in spots(read)]
    for spot in found:
        yield from _RULES.get(type(spot.form), _nothing)(spot)
        if isinstance(spot.form, Value):
            yield from _words(spot)
    yield from _needs(found)
    yield from _circles(found)
    yield from _missing(every, found)


def circle(edges: Mapping[str, Iterable[str]]) -> tuple[str, ...]:
    """Return the nodes of a circle, the first one again at its end; empty if there is none."""
    done: set[str] = set()
    for start in edges:
        path: list[str] = []
        todo = [(start, False)]
        while todo:
            node, left = todo.pop()
            if left:
                path.pop()
                done.add(node)
            elif node in path:
                return (*path[path.index(node) :], node)
            elif node not in done:
                path.append(node)
                todo.append((node, True))
                todo += ((other, False) for other in edges.get(node, ()))
    return ()


# --- one form by itself -----------------------------------------------------------------------------------------------


def _nothing(_: Spot) -> Iterator[Problem]:
    return iter(())


def _fact_test(spot: Spot) -> Iterator[Problem]:
    assert isinstance(spot.form, form.FactTest)
    words = words_of(spot.form.fact)
    for way, said in (("equals", spot.form.equals), *(("one_of", one) for one in spot.form.one_of)):
        if words and isinstance(said, str) and said not in words:
            yield spot.problem((way,), "enum", f"`{spot.form.fact}` is never `{said}`", _one_of(sorted(words)))
    ways = [way for way in WAYS if getattr(spot.form, way) not in (None, ())]
    if len(ways) != 1:
        yield spot.problem((), "comparison", f"a fact is compared in one way, and here in {len(ways)}", _one_of(WAYS))


def _permissions(spot: Spot) -> Iterator[Problem]:
    """Find permissions over securable objects that are not named after their class."""
    assert isinstance(spot.form, form.PermissionsFile)
    classes = {one.name for one in spot.form.classes}
    for index, one in enumerate(spot.form.permissions if classes else ()):
        path = ("permissions", index)
        if one.category not in classes:
            yield spot.problem((*path, "category"), "unknown-name", f"no object class is called `{one.category}`")
        elif one.id != f"{one.category}/{one.name}":
            message = f"`{one.id}` must be called `{one.category}/{one.name}`"
            yield spot.problem((*path, "id"), "name", message, "a permission over a class is Class/Operation")


def _check(spot: Spot) -> Iterator[Problem]:
    assert isinstance(spot.form, CheckFacts)
    if spot.form.id != Path(spot.parsed.file).stem:
        yield spot.problem(("id",), "name", f"the file of `{spot.form.id}` must be called so")


def _authority(spot: Spot) -> Iterator[Problem]:
    """Find ways in which the switches may stand of which no row holds without a condition."""
    assert isinstance(spot.form, form.AuthorityFile)
    rows = [row for row in spot.form.table if not (row.below_version or row.before_edition or row.reading)]
    for toggle in ("on", "off"):
        for checkbox in ("checked", "cleared"):
            if not any(row.toggle in (None, toggle) and row.checkbox in (None, checkbox) for row in rows):
                message = f"no row says who decides where the toggle is `{toggle}` and the checkbox `{checkbox}`"
                help_ = "add one that states no release, edition or reading"
                yield spot.problem(("table",), "missing-entry", message, help_)


def _words(spot: Spot) -> Iterator[Problem]:
    assert isinstance(spot.form, Value)
    meaning: dict[str, str] = {}
    for name, word in spot.form.words():
        if meaning.setdefault(fold_case(str(word)), name) != name:
            yield spot.problem((name,), "name-twice", f"`{word}` means `{meaning[fold_case(str(word))]}`, too")


_RULES: Final[dict[type[Form], Callable[[Spot], Iterator[Problem]]]] = {
    form.FactTest: _fact_test,
    form.PermissionsFile: _permissions,
    form.AuthorityFile: _authority,
    CheckFacts: _check,
}


def _one_of(names: Iterable[str]) -> str:
    return "it takes one of " + ", ".join(f"`{name}`" for name in names)


# --- needs ------------------------------------------------------------------------------------------------------------


def _needs(found: list[Spot]) -> Iterator[Problem]:
    wanted = {spot.form.id: _filled(spot.form) for spot in found if isinstance(spot.form, form.Requirement)}
    for needed in (inner for spot in found for inner in _needs_of(spot)):
        need, parts = needed.need, [part for part in PARTS if getattr(needed.need, part)]
        if len(parts) != 1:
            yield needed.problem("need", f"a need is one thing, and this is {len(parts)}", _one_of(PARTS))
        elif need.id and not needed.sources:
            help_ = "name it under `sources`, here or at the need around it"
            yield needed.problem("no-source", f"no passage is named that asks for `{need.id}`", help_)
        for field in sorted(wanted.get(need.id or "", ())):
            if not getattr(need, field):
                yield needed.problem("missing-key", f"the key `{field}` is missing: `{need.id}` is tested with it")


def _needs_of(spot: Spot) -> Iterator[_Needed]:
    """Return the needs that a form lists, and those inside them."""
    for path, listed in _lists(spot.form):
        yield from _inside(spot, path, listed, ())


def _lists(one: Form) -> Iterator[tuple[Path_, tuple[form.Need, ...]]]:
    if isinstance(one, form.Rules):
        yield from (((side,), getattr(one, side)) for side in form.Rules.model_fields)
    elif isinstance(one, form.ActionsFile):
        yield from ((("bundles", name), needs) for name, needs in one.bundles.items())
    elif isinstance(one, form.AuthorityFile):
        yield ("switch_requirements",), one.switch_requirements


def _inside(spot: Spot, path: Path_, listed: tuple[form.Need, ...], above: tuple[str, ...]) -> Iterator[_Needed]:
    for index, need in enumerate(listed):
        here, sources = (*path, index), need.sources or above
        yield _Needed(spot, need, here, sources)
        yield from _inside(spot, (*here, "all"), need.all, sources)
        yield from _inside(spot, (*here, "any"), need.any, sources)


def _filled(requirement: form.Requirement) -> set[str]:
    """Return the fields of a need that the tests of its requirement take."""
    return {name for case in requirement.tests for test in _tests(case) for name in _taken(test)}


def _tests(case: form.TestCase) -> Iterator[Any]:
    yield case.test
    if isinstance(case.test, form.Combined):
        for inner in case.test.of:
            yield from _tests(inner)


def _taken(test: Any) -> Iterator[str]:
    if isinstance(test, form.VersionTest):
        yield "at_least"
    yield from (name for field, name in FILLED if getattr(test, field, None) == f"${name}")


# --- the whole --------------------------------------------------------------------------------------------------------


def _circles(found: list[Spot]) -> Iterator[Problem]:
    uses: dict[str, list[str]] = {}
    includes: dict[str, list[str]] = {}
    at: dict[str, tuple[Spot, Path_]] = {}
    for spot in found:
        if isinstance(spot.form, form.ActionsFile):
            at |= {name: (spot, ("bundles", name)) for name in spot.form.bundles}
            for needed in _needs_of(spot):
                if needed.need.use:
                    uses.setdefault(str(needed.path[1]), []).append(needed.need.use)
        elif isinstance(spot.form, form.Permission):
            at[spot.form.id] = spot, ("implies",)
            includes[spot.form.id] = list(spot.form.implies)
    for what, edges in (("bundles use", uses), ("permissions include", includes)):
        nodes = circle(edges)
        if nodes:
            spot, path = at[nodes[0]]
            shown = ", ".join(f"`{node}`" for node in nodes)
            yield spot.problem(path, "circle", f"{what} each other in a circle: {shown}", "take one of them out")


def _missing(every: tuple[Read, ...], found: list[Spot]) -> Iterator[Problem]:
    for kind in SINGLE:
        for read in [read for read in every if isinstance(read.form, kind)][1:]:
            yield Problem(read.parsed.file, 0, 0, "file-twice", "the policy has another file of this kind", "join them")
    held = {spot.form.holds for spot in found if isinstance(spot.form, form.Builtin) and spot.form.kind == "scope"}
    for spot in found:
        if isinstance(spot.form, form.NamesFile):
            for holds in SCOPES:
                if holds not in held:
                    message = f"no built-in scope holds `{holds}`"
                    yield spot.problem(("builtins",), "missing-entry", message, "say which one does, under `holds`")
