"""Resolve every name of an estate: from joined files to tables."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final, TypeVar

from permcheck.errors import LoadError, Problem, UnknownNameError
from permcheck.loading import resolve_configmgr, resolve_cycles, resolve_people, resolve_usage
from permcheck.loading.estate import Joined, Record
from permcheck.loading.identities import Claims, warn_of_lookalikes
from permcheck.loading.text import Path_
from permcheck.model.estate import SECTIONS, VOCABULARIES, Tenant, is_day
from permcheck.model.fold import fold_case
from permcheck.model.inventory import Devices
from permcheck.model.names import Names
from permcheck.model.policy_index import Policy
from permcheck.model.provenance import Places
from permcheck.model.tables import Key, Tables
from permcheck.model.vocabulary import Vocabulary

T = TypeVar("T")
FEW: Final = 5
"""So many candidates are named."""


@dataclass(slots=True)
class Resolver:
    """What the parts of resolving share: the joined files, the policy, keys given so far, the result's fields."""

    joined: Joined
    policy: Policy
    fields: dict[str, Any] = field(default_factory=dict)
    at: dict[tuple[str, Key], tuple[int, int]] = field(default_factory=dict)
    placed: dict[str, list[tuple[Key, Record]]] = field(default_factory=dict)
    names: dict[str, Names] = field(default_factory=dict)
    principals: dict[str, tuple[str, Key] | None] = field(default_factory=dict)
    """Text -> kind and key of the one user or group that it names; None where there is none, or several."""
    claims: Claims = field(default_factory=Claims)

    def report(self, record: Record, section: str, path: Path_, id_: str, message: str, help_: str = "") -> None:
        """Note an error inside a record."""
        self.joined.report(record.file, (section, record.index, *path), id_, message, help_)

    def warn(self, record: Record, section: str, path: Path_, id_: str, message: str, help_: str = "") -> None:
        """Note a warning inside a record."""
        self.joined.report(record.file, (section, record.index, *path), id_, message, help_, "warning")

    def key(self, section: str, key_of: Callable[[Any], Key]) -> dict[Key, Any]:
        """Give every record of a section its key; report keys that are taken. Returns key -> form."""
        result: dict[Key, Any] = {}
        placed = self.placed.setdefault(section, [])
        for record in self.joined.values(section):
            key = key_of(record.value)
            if key in result:
                message = f"there is already one called `{key}` in `{section}`, in {self.place(section, key)}"
                self.report(record, section, (), "duplicate", message, "keep one of them, or give them different ids")
                continue
            result[key] = record.value
            self.at[section, key] = (record.file, record.index)
            placed.append((key, record))
        return result

    def place(self, section: str, key: Key) -> str:
        """Return where a record stands, to name it in the report of another one."""
        file, index = self.at[section, key]
        name, line, column = self.joined.parsed[file].place((section, index))
        return f"{name}:{line}:{column}" if line else name

    def find(self, kind: str, record: Record, section: str, path: Path_, name: str) -> Key | None:
        """Return what a record means by a name; report one that nothing, or several things, are called."""
        names = self.names[kind]
        meant = names.meant(name)
        if len(meant) > 1:
            self.ambiguous(record, section, path, name, [f"{kind} `{key}`" for key in sorted(meant)])
        if meant:
            return meant[0] if len(meant) == 1 else None
        try:
            return names.find(name)
        except UnknownNameError as error:
            self.report(record, section, path, "unknown-name", str(error), error.help)
            return None

    def ambiguous(self, record: Record, section: str, path: Path_, name: str, candidates: Iterable[str]) -> None:
        """Report a name that could be of several things."""
        found = list(candidates)
        message = f"`{name}` could be any of {len(found)}: {', '.join(found[:FEW])}"
        self.report(record, section, path, "ambiguous-name", message, "write the id of the one that is meant")

    def find_all(self, kind: str, record: Record, section: str, field_: str, names: Iterable[str]) -> tuple[Key, ...]:
        """Resolve a list of names, the same way."""
        found = (self.find(kind, record, section, (field_, index), name) for index, name in enumerate(names))
        return tuple(dict.fromkeys(key for key in found if key is not None))

    def owned(self, kind: str, record: Record, section: str, path: Path_, hierarchy: Key, name: str) -> Key | None:
        """Return what a record means by a name inside a hierarchy; report one that nothing, or several, are called."""
        names, full = self.names[kind], f"{hierarchy}/{name}"
        meant = names.meant(full)
        if len(meant) > 1:
            self.ambiguous(record, section, path, name, [f"{kind} `{key}`" for key in sorted(meant)])
        elif not meant:
            near = [n.partition("/")[2] for n in names.near(fold_case(full))]
            message = f"hierarchy `{hierarchy}` has no {kind} called `{name}`"
            help_ = f"did you mean `{near[0]}`?" if near else f"list it under `{kind.replace(' ', '_')}s:`"
            self.report(record, section, path, "unknown-name", message, help_)
        return meant[0] if len(meant) == 1 else None

    def all_owned(
        self, kind: str, record: Record, section: str, field_: str, hierarchy: Key, names: Iterable[str]
    ) -> tuple[Key, ...]:
        """Resolve a list of names inside a hierarchy."""
        found = (self.owned(kind, record, section, (field_, i), hierarchy, name) for i, name in enumerate(names))
        return tuple(dict.fromkeys(key for key in found if key is not None))

    def term(self, known: Vocabulary, record: Record, section: str, path: Path_, text: str) -> str:
        """Return the id of a scope tag or security scope; report one that can't be meant.

        Where an estate does not list them, one that is not built in has no id but its name.
        """
        meant = known.names.meant(text)
        if len(meant) > 1:
            self.ambiguous(record, section, path, text, [f"{known.kind} `{id_}`" for id_ in sorted(meant)])
        near = known.near(text) if not meant else ()
        if not meant and (known.whole or near):
            help_ = f"did you mean `{near[0]}`?" if near else f"list it under `{known.kind.replace(' ', '_')}s:`"
            exported = self.joined.parsed[record.file].is_exported((section, record.index, *path))
            tell = self.warn if exported else self.report  # an export may lack some
            tell(record, section, path, "unknown-name", f"no {known.kind} is called `{text}`", help_)
        return known.id_of(text)


def resolve(joined: Joined, policy: Policy) -> tuple[Tables, tuple[Problem, ...]]:
    """Make the tables of an estate; returns them with the warnings. Raises LoadError with every error."""
    resolver = Resolver(joined, policy)
    if joined.parsed:
        _refuse_useless(resolver)
    resolve_people.run(resolver)
    resolve_configmgr.run(resolver)
    resolve_usage.run(resolver)
    _check_readings(resolver)
    _check_day(resolver)
    _check_collected(resolver)
    _check_assumptions(resolver)
    tables = Tables(places=_places(resolver), **_scalars(joined), **resolver.fields)
    warn_of_lookalikes(resolver)
    resolve_cycles.run(resolver, tables)
    errors = tuple(p for p in joined.problems if p.severity == "error")
    if errors:
        raise LoadError(errors)
    return tables, tuple(sorted(joined.problems))


def _refuse_useless(resolver: Resolver) -> None:
    if not any(resolver.joined.values("users")):
        first = resolver.joined.parsed[0]
        file = first.file if first.exported or len(resolver.joined.parsed) == 1 else "estate"
        help_ = "export the users; docs/collect.md has the commands" if first.exported else "list them under `users:`"
        problem = Problem(file, 0, 0, "no-users", "the estate lists no users", help_)
        resolver.joined.problems.append(problem)


def _check_readings(resolver: Resolver) -> None:
    for name, alternative in resolver.joined.scalars.get("readings", {}).items():
        reading = resolver.policy.readings.get(name)
        file = next(i for i, p in enumerate(resolver.joined.parsed) if name in (p.data.get("readings") or {}))
        if reading is None:
            near = Names("reading", ((r, (r,)) for r in resolver.policy.readings)).near(name)
            help_ = f"did you mean `{near[0]}`?" if near else "`permcheck show policy` lists them"
            resolver.joined.report(file, ("readings", name), "unknown-name", f"no reading is called `{name}`", help_)
        elif alternative not in {a.id for a in reading.alternatives}:
            help_ = "it is one of " + ", ".join(f"`{a.id}`" for a in reading.alternatives)
            message = f"the reading `{name}` has no alternative `{alternative}`"
            resolver.joined.report(file, ("readings", name), "unknown-name", message, help_)


def _check_day(resolver: Resolver) -> None:
    day = resolver.joined.scalars.get("as_of")
    if day is None:
        return
    file = next(i for i, p in enumerate(resolver.joined.parsed) if "as_of" in p.data)
    try:
        date.fromisoformat(day)
        resolver.policy.edition_at(day)
    except UnknownNameError as error:
        message = f"no documents are known from `{day}` or before"
        resolver.joined.report(file, ("as_of",), "unknown-name", message, error.help)
    except ValueError:
        resolver.joined.report(file, ("as_of",), "date", f"`{day}` is no day of the calendar")


def _check_collected(resolver: Resolver) -> None:
    for file, parsed in enumerate(resolver.joined.parsed):
        for index, one in enumerate(parsed.data.get("collected") or ()):
            if not is_day(one["at"]):
                message = f"`{one['at']}` is no day of the calendar"
                resolver.joined.report(file, ("collected", index, "at"), "date", message)


def _check_assumptions(resolver: Resolver) -> None:
    known = resolver.policy.requirements
    for file, parsed in enumerate(resolver.joined.parsed):
        for index, pattern in enumerate(parsed.data.get("assume") or ()):
            fits = [id_ for id_ in known if id_ == pattern or (pattern[-1] == "*" and id_.startswith(pattern[:-1]))]
            if not fits:
                near = Names("requirement", ((id_, (id_,)) for id_ in known)).near(fold_case(pattern))
                help_ = f"did you mean `{near[0]}`?" if near else "`permcheck show policy` tells where they are listed"
                message = f"no requirement is called `{pattern}`"
                resolver.joined.report(file, ("assume", index), "unknown-name", message, help_)


def _scalars(joined: Joined) -> dict[str, Any]:
    complete = joined.scalars.get("complete", False)
    closed = set(SECTIONS) if complete is True else set(complete or ())
    return {
        "name": joined.scalars.get("estate") or "estate",
        "as_of": joined.scalars.get("as_of"),
        "readings": joined.scalars.get("readings", {}),
        "assume": joined.scalars.get("assume", ()),
        "collected": joined.scalars.get("collected", ()),
        "unstated": frozenset(s for s in SECTIONS if s not in joined.sections and s not in closed) - VOCABULARIES,
        "incomplete": joined.incomplete - VOCABULARIES,
        "tenant": joined.scalars.get("tenant") or Tenant(),
    }


def _places(resolver: Resolver) -> Places:
    parsed = resolver.joined.parsed
    at = dict(resolver.at)
    for key in ("tenant", "assume", "readings", "collected", "usage"):
        file = next((i for i, p in enumerate(parsed) if isinstance(p.data, dict) and key in p.data), None)
        if file is not None:
            at[key, ""] = (file, -1)
    devices = resolver.fields["devices"]
    if isinstance(devices, Devices):
        return Places((*(p.source() for p in parsed), devices.inventory), at, devices.inventory.row)
    return Places(tuple(p.source() for p in parsed), at)
