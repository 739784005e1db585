"""Hold the files of a policy together: every name that one uses is defined in one, and stands for one thing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final, Literal, NamedTuple, get_args, get_origin

from permcheck.errors import Problem
from permcheck.evaluate.facts import DERIVED
from permcheck.loading.text import Parsed
from permcheck.model.base import Form
from permcheck.model.estate import SECTIONS, EstateFile
from permcheck.model.fold import fold_case
from permcheck.model.names import Names as Known
from permcheck.model.policy_table import (
    AROUND,
    DEFINED,
    FACT,
    NAMED,
    PLACEHOLDER,
    SECTION,
    Chooses,
    Defines,
    Names,
    Path,
    lookup,
    texts,
)
from permcheck.printable import one_line

SUBJECTS: Final = {"hierarchies": "hierarchy", "users": "user", "devices": "device", "scripts": "script",
                   "applications": "application", "tenant": "tenant"}  # fmt: skip
"""Section of an estate: what a fact of one of its records begins with."""
OPEN: Final = {
    PLACEHOLDER: frozenset({"user", "device", "hierarchy", "object", "value", "at_least", "permission"}),
    "placeholder of the switch table": frozenset({"hierarchy", "version"}),
    "placeholder of a note": frozenset({"user", "device", "hierarchy"}),
}
"""What sentences may leave open: the code fills it in."""


class Read(NamedTuple):
    """A policy file: as it was parsed, and its form."""

    parsed: Parsed
    form: Form


class Spot(NamedTuple):
    """A form inside a file, and what the forms around it tell."""

    parsed: Parsed
    form: Form
    path: Path
    around: Mapping[str, str]

    def problem(self, path: Path, id_: str, message: str, help_: str = "") -> Problem:
        """Make a problem of this form, at a path below it."""
        place = self.parsed.place((*self.path, *path))
        return Problem(*place, id_, one_line(message), one_line(help_))

    def kind(self, kind: str) -> str:
        """Return a kind with what stands around this form filled in; outside of any action, a variant is one of any."""
        try:
            return kind.format_map(self.around)
        except KeyError:
            return kind.partition(" of ")[0]


def spots(read: Read) -> Iterator[Spot]:
    """Return every form of a file."""
    return _spots(read.parsed, read.form, (), {})


def _spots(parsed: Parsed, value: Any, path: Path, around: Mapping[str, str]) -> Iterator[Spot]:
    if isinstance(value, Form):
        around = {**around, **{name: str(getattr(value, key)) for name, key in AROUND.get(type(value), ())}}
        yield Spot(parsed, value, path, around)
        for key in sorted(value.model_fields_set):
            yield from _spots(parsed, getattr(value, key), (*path, key), around)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _spots(parsed, item, (*path, key), around)
    elif isinstance(value, tuple):
        for index, item in enumerate(value):
            yield from _spots(parsed, item, (*path, index), around)


class _Definition(NamedTuple):
    spot: Spot
    path: Path

    @property
    def owner(self) -> tuple[str, Path]:
        """What is defined: one form, or one entry of a mapping."""
        return self.spot.parsed.file, (*self.spot.path, *self.path[1:]) if self._is_mapping else self.spot.path

    @property
    def _is_mapping(self) -> bool:
        return isinstance(getattr(self.spot.form, str(self.path[0])), dict)


@dataclass
class _Defined:
    """What the policy, and the form of an estate, define."""

    names: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    first: dict[tuple[str, str], _Definition] = field(default_factory=dict)
    twice: dict[tuple[str, Path], Problem] = field(default_factory=dict)

    def add(self, spot: Spot, key: str, entry: Defines) -> None:
        kind = spot.kind(entry.kind)
        for path, text in texts(getattr(spot.form, key)):
            self.names[kind].add(text)
            if entry.alone:
                self._alone(kind, text, _Definition(spot, (key, *path)))

    def _alone(self, kind: str, text: str, here: _Definition) -> None:
        before = self.first.setdefault((kind, fold_case(text)), here)
        if before.owner != here.owner and here.owner not in self.twice:
            file, line, column = before.spot.parsed.place((*before.spot.path, *before.path))
            help_ = f"the other one is at {file}:{line}:{column}; keep one of them, or give it another name"
            message = f"another {kind} is called `{text}`, too"
            self.twice[here.owner] = here.spot.problem(here.path, "name-twice", message, help_)

    @cached_property
    def searched(self) -> dict[str, Known]:
        return {kind: Known(kind, ((name, (name,)) for name in sorted(names))) for kind, names in self.names.items()}

    def near(self, kinds: Iterable[str], text: str) -> str:
        """Say what may have been meant."""
        found = [name for kind in kinds if kind in self.searched for name in self.searched[kind].near(fold_case(text))]
        return "did you mean " + " or ".join(f"`{name}`" for name in dict.fromkeys(found)) + "?" if found else ""


def name_problems(files: Iterable[Read]) -> Iterator[Problem]:
    """Return what stands twice, and every name that leads nowhere."""
    every = [spot for read in files for spot in spots(read)]
    defined = _Defined()
    for kind, names in {**OPEN, FACT: _facts(), SECTION: _sections()}.items():
        defined.names[kind].update(names)
    for spot in every:
        for key in type(spot.form).model_fields:
            for entry in lookup(DEFINED, type(spot.form), key):
                defined.add(spot, key, entry)
    yield from defined.twice.values()
    for spot in every:
        for key in spot.form.model_fields_set:
            for entry in lookup(NAMED, type(spot.form), key):
                yield from _unknown(spot, key, entry, defined)


def _unknown(spot: Spot, key: str, entry: Names | Chooses, defined: _Defined) -> Iterator[Problem]:
    value = getattr(spot.form, key)
    if isinstance(entry, Names):
        for path, text in entry.read(value) if value is not None else ():
            if text not in entry.besides:
                yield from _missed(spot, (key, *path), text, entry.kinds, defined)
        return
    for reading, chosen in value.items():
        yield from _missed(spot, (key, reading), reading, (entry.reading,), defined)
        inner = spot._replace(around={**spot.around, "reading": reading})
        if reading in defined.names[entry.reading]:
            for path, text in texts(chosen):
                yield from _missed(inner, (key, reading, *path), text, (entry.alternative,), defined)


def _missed(spot: Spot, path: Path, text: str, kinds: tuple[str, ...], defined: _Defined) -> Iterator[Problem]:
    named = [spot.kind(kind) for kind in kinds]
    if not any(text in defined.names.get(kind, ()) for kind in named):
        message = f"no {' or '.join(named)} is called `{text}`"
        yield spot.problem(path, "unknown-name", message, defined.near(named, text))


def _facts() -> Iterator[str]:
    """Return what a test may ask of an estate: a field of a record, or what follows from such."""
    yield from DERIVED
    for section, subject in SUBJECTS.items():
        yield from (f"{subject}.{name}" for name in _form_of(section).model_fields)


def words_of(fact: str) -> frozenset[str]:
    """Return the words of which an estate states one for a fact; empty where any text may be stated."""
    subject, _, name = fact.partition(".")
    section = next((key for key, value in SUBJECTS.items() if value == subject), None)
    field_ = _form_of(section).model_fields.get(name) if section and fact not in DERIVED else None
    parts = list(_parts(field_.annotation)) if field_ else []
    listed = [get_args(part) for part in parts if get_origin(part) is Literal]
    return frozenset() if str in parts else frozenset(word for words in listed for word in words)


def _sections() -> Iterator[str]:
    """Return what a list of an export may tell: sections, and fields of their records."""
    for section in (*SECTIONS, "tenant"):
        yield section
        yield from (f"{section}.{name}" for name in _form_of(section).model_fields)


def _form_of(section: str) -> type[Form]:
    """Return the form of the records of a section."""
    found: type[Form] = next(filter(_is_form, _parts(EstateFile.model_fields[section].annotation)))
    return found


def _parts(annotation: Any) -> Iterator[Any]:
    yield annotation
    for inner in get_args(annotation) if get_origin(annotation) is not Literal else ():
        yield from _parts(inner)


def _is_form(one: Any) -> bool:
    return isinstance(one, type) and issubclass(one, Form)
