"""Estates and exports by people who want in, each asked in every way in which an estate can be asked.

`attacks/<kind>.yaml` is a list of cases. Each begins with a base, `attacks/bases/estate.yaml` or the folder
examples/exports, changes some of it, asks one question and states the right answer:

    right:   allow, deny, undetermined, refused, or not-allow (any of the three others)
    change:  paths and values in the estate
    files:   files that are changed, added (a text, data, or {long: text}, which is streamed) or taken away (null)
    imported: the right answer after import, where what nobody lists becomes a record of which nothing is known
    honest:  what stands in place of change and files where nobody attacks; then the answer is allow

A path chooses an entry of a list by any text in it, `[*]` every one, `[+]` adds one. null takes away, and
the text <null> states null. `attacks/open.yaml` has the cases whose answer is not yet right.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from commands import Cli
from permcheck.api import Estate, load
from permcheck.cache import changes
from permcheck.cache.compile import compiled
from permcheck.cache.pages import open_pages, write_pages
from permcheck.cache.recall import recall
from permcheck.cli.codes import Exit
from permcheck.cli.main import guarded
from permcheck.errors import PermcheckError
from permcheck.exports.json_file import STREAMED
from permcheck.model.state import Verdict
from recalled import KEY

ATTACKS: Final = Path(__file__).parent / "attacks"
EXPORTS: Final = Path(__file__).parent.parent / "examples" / "exports"
ESTATE: Final = "estate.yaml"
OPEN: Final = "open"
REFUSED, NOT_ALLOW = "refused", "not-allow"
ANSWERS: Final = {*(verdict.value for verdict in Verdict), REFUSED, NOT_ALLOW}
TOKEN: Final = re.compile(r"(@odata\.\w+|[^.\[\]]+)|\[([^\]]*)\]")
NULL: Final = "<null>"
LEAST: Final = {"absence": 60, "exports": 90, "files": 40, "identity": 70}
"""So many cases a kind has at least."""
ANSWER_OF: Final[Mapping[int, str]] = {
    Exit.ALLOW: "allow",
    Exit.DENY: "deny",
    Exit.UNDETERMINED: "undetermined",
    Exit.USAGE: REFUSED,
    Exit.UNUSABLE: REFUSED,
}


@dataclass(frozen=True)
class Case:
    """One attempt to get in, and what it must come to."""

    place: str
    ask: tuple[str, ...]
    right: str
    tries: str
    why: str
    base: str = "estate"
    change: Mapping[str, Any] = field(default_factory=dict)
    files: Mapping[str, Any] = field(default_factory=dict)
    object: str | None = None
    honest: Mapping[str, Any] | None = None
    imported: str = ""

    @property
    def kind(self) -> str:
        """The kind of attempt."""
        return self.place.partition("/")[0]

    def right_by(self, way: str) -> str:
        """Return the right answer by one way of asking."""
        return self.imported if self.imported and way == "after import" else self.right


def read(path: Path) -> Any:
    """Parse one YAML file."""
    return yaml.load(path.read_text("utf-8"), yaml.CSafeLoader)


def discover() -> Iterator[Case]:
    """Every case of every kind, in the order of the files."""
    for path in sorted(ATTACKS.glob("*.yaml")):
        for entry in read(path) or ():
            ask = entry.pop("ask")
            yield Case(f"{path.stem}/{entry.pop('id')}", tuple(ask), **entry)


EVERY: Final = tuple(discover())
HONEST: Final = tuple(case for case in EVERY if case.honest is not None)
LONG_AGO: Final = 1_000_000_000_000_000_000
"""Nanoseconds: files that are so old have settled."""


# --- what a case changes ---------------------------------------------------------


def chosen(here: Any, key: str, selector: str) -> list[tuple[Any, Any]]:
    """Return the places that one step of a path leads to, each as what holds it and its key or index there."""
    if key:
        return [(here, key)]
    if selector in {"*", "+"}:
        return [(here, index) for index in (range(len(here)) if selector == "*" else [len(here)])]
    found = [(here, index) for index, entry in enumerate(here) if selector in texts(entry)]
    if not found:
        message = f"nothing has the text {selector}"
        raise LookupError(message)
    return found[:1]


def texts(entry: Any) -> list[str]:
    """Return an entry as a text, or the texts in it."""
    return [str(one) for one in entry.values()] if isinstance(entry, dict) else [str(entry)]


def put(data: Any, path: str, value: Any) -> None:
    """Change one place of parsed data, or several."""
    places: list[tuple[Any, Any]] = [([data], 0)]
    for key, selector in TOKEN.findall(path):
        places = [place for holder, at in places for place in chosen(holder[at], key, selector)]
    for holder, at in reversed(places):
        if isinstance(holder, list) and at == len(holder):
            holder.append(deepcopy(value))
        elif value is None:
            del holder[at]
        else:
            holder[at] = None if value == NULL else deepcopy(value)


@cache
def base(path: Path) -> Any:
    """One file of a base, parsed once."""
    return read(path)


def dumped(data: Any, name: str) -> str:
    """Return data as the text of a file."""
    return yaml.safe_dump(data, allow_unicode=True, width=10**6) if name.endswith("ml") else json.dumps(data)


def change_file(folder: Path, origin: Path, name: str, value: Any) -> None:
    """Change, add or take away one file of a folder."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if value is None:
        path.unlink()
    elif isinstance(value, str):
        path.write_text(value, "utf-8")
    elif isinstance(value, dict) and "long" in value:
        path.write_text(" " * STREAMED + value["long"], "utf-8")
    elif isinstance(value, dict) and path.exists():
        data = deepcopy(base(origin / name))
        for place, new in value.items():
            put(data, place, new)
        path.write_text(dumped(data, name), "utf-8")
    elif isinstance(value, dict) and "link" in value:
        path.symlink_to(value["link"])
    elif isinstance(value, dict) and "encoded" in value:
        path.write_text(value["text"], value["encoded"])
    else:
        path.write_text(dumped(value, name), "utf-8")


def made(case: Case, parent: Path, *, honest: bool = False) -> Path:
    """Write the estate or the exports of a case; `honest` is how they are where nobody attacks."""
    said = {"change": case.change, "files": case.files}
    said = dict(case.honest or {}) if honest else said
    files = dict(said.get("files") or {})
    folder = parent / case.base
    if case.base == "exports":
        shutil.copytree(EXPORTS, folder)
        origin = EXPORTS
    else:
        folder.mkdir(parents=True)
        origin = ATTACKS / "bases"
        shutil.copy(origin / ESTATE, folder / ESTATE)
        if said.get("change"):
            files = {ESTATE: said["change"], **files}
    for name, value in files.items():
        change_file(folder, origin, name, value)
    return folder


# --- the ways of asking ----------------------------------------------------------


def loaded(folder: Path) -> Estate | None:
    """Load a folder; None where it is refused."""
    try:
        return load(folder)
    except PermcheckError:
        return None


def asked(estate: Estate | None, case: Case) -> str:
    """Ask one question, with its reasons and without."""
    if estate is None:
        return REFUSED
    try:
        decision = estate.check(*case.ask, object=case.object)
    except PermcheckError:
        return REFUSED
    assert estate.verdict(*case.ask, object=case.object) is decision.verdict
    return decision.verdict.value


def in_bulk(folder: Path, case: Case, _: Path) -> str:
    """Ask for the one row of a review."""
    estate = loaded(folder)
    if estate is None:
        return REFUSED
    user, action, *device = case.ask
    try:
        rows = tuple(estate.review([user], [action], device).rows(by="cell"))
    except PermcheckError:
        return REFUSED
    assert len(rows) == 1
    return rows[0].verdict.value


def singly(folder: Path, case: Case, _: Path) -> str:
    """Ask as `permcheck check` does."""
    return asked(loaded(folder), case)


def from_the_cache(folder: Path, case: Case, aside: Path) -> str:
    """Ask the compiled pages; what they leave to the evaluator is its answer."""
    estate = loaded(folder)
    said = asked(estate, case)
    if estate is None or case.object is not None:
        return said
    path = str(aside / "pages.sqlite")
    assert write_pages(path, KEY, {}, compiled(estate))
    pages = open_pages(path, KEY)
    assert pages is not None
    user, action, *device = case.ask
    found = recall(pages, user, action, device[0] if device else None)
    pages.close()
    assert (found is not None) <= (said in {"allow", "deny"})
    return said if found is None else found.answer.verdict.value


def after_import(folder: Path, case: Case, aside: Path) -> str:
    """Write the estate that the folder tells, and ask that one."""
    code = guarded(["import", str(folder), "-o", str(aside / "written")])
    if code != Exit.ALLOW:
        assert code == Exit.UNUSABLE
        return REFUSED
    return asked(loaded(aside / "written"), case)


WAYS: Final[Mapping[str, Callable[[Path, Case, Path], str]]] = {
    "singly": singly,
    "in bulk": in_bulk,
    "from the cache": from_the_cache,
    "after import": after_import,
}


def answers(case: Case, parent: Path, *, honest: bool = False) -> dict[str, str]:
    """Ask a case in every way; a review has no script or application to ask for."""
    folder = made(case, parent, honest=honest)
    ways = {way: ask for way, ask in WAYS.items() if not (case.object and way == "in bulk")}
    return {way: ask(folder, case, parent) for way, ask in ways.items()}


def fits(said: str, right: str) -> bool:
    """Tell whether an answer is a right one."""
    return said != "allow" if right == NOT_ALLOW else said == right


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(case, id=case.place, marks=[pytest.mark.xfail(strict=True)] if case.kind == OPEN else [])
        for case in EVERY
    ],
)
def test_nobody_gets_in(case: Case, tmp_path: Path) -> None:
    said = answers(case, tmp_path)
    assert {way: answer for way, answer in said.items() if not fits(answer, case.right_by(way))} == {}, case.why


@pytest.mark.parametrize("case", HONEST, ids=lambda case: case.place)
def test_who_may_gets_in(case: Case, tmp_path: Path) -> None:
    said = answers(case, tmp_path, honest=True)
    assert {way: answer for way, answer in said.items() if answer != "allow"} == {}


# --- the compiled answers of before ----------------------------------------------


@pytest.mark.parametrize(
    "case", {case.kind: case for case in HONEST if case.kind != OPEN}.values(), ids=lambda case: case.place
)
def test_what_was_compiled_before_the_attack_is_not_believed(
    case: Case, cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable, value in {"CACHE": "cache", "STATE": "state"}.items():
        monkeypatch.setenv(f"XDG_{variable}_HOME", str(tmp_path / value))
    monkeypatch.setenv("PERMCHECK_CACHE", "1")
    monkeypatch.setattr(changes, "SETTLED", -(10**12))
    folder = made(case, tmp_path / "asked", honest=True)
    question = ("check", *case.ask, *(("--object", case.object) if case.object else ()), "-e", folder)
    as_of_old(folder)
    assert [cli(*question).code for _ in range(3)] == [Exit.ALLOW] * 3
    shutil.rmtree(folder)
    made(case, tmp_path / "attacked").rename(folder)
    as_of_old(folder)
    assert fits(ANSWER_OF[cli(*question).code], case.right)


def as_of_old(folder: Path) -> None:
    """Give all files one time, as `touch -r` and `rsync -t` do."""
    for path in folder.rglob("*"):
        os.utime(path, ns=(LONG_AGO, LONG_AGO), follow_symlinks=False)


# --- the corpus itself -----------------------------------------------------------


def test_cases_have_names_of_their_own() -> None:
    assert [place for place, count in Counter(case.place for case in EVERY).items() if count > 1] == []


def test_every_kind_has_its_cases() -> None:
    count = Counter(case.kind for case in EVERY)
    assert count.keys() - {OPEN} == LEAST.keys()
    assert {kind: count[kind] for kind, least in LEAST.items() if count[kind] < least} == {}


@pytest.mark.parametrize("case", EVERY, ids=lambda case: case.place)
def test_a_case_says_what_it_tries_what_is_right_and_why(case: Case) -> None:
    assert {case.right, case.imported or case.right} <= ANSWERS
    assert min(len(case.tries), len(case.why)) >= len("nothing")


@pytest.mark.parametrize("kind", LEAST)
def test_a_test_that_refuses_everything_fails(kind: str) -> None:
    """Every kind has people who may get in, and who may not."""
    cases = [case for case in EVERY if case.kind == kind]
    assert {"allow", "deny", REFUSED} <= {case.right for case in cases}
    assert sum(case.honest is not None for case in cases) >= len(cases) // 8
