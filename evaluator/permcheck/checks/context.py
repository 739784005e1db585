"""What checks look at, and how one is made."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from permcheck.checks.definitions import Definition
from permcheck.checks.finding import Edit, Finding, NotRun, Place
from permcheck.model.policy_checks import CheckFacts
from permcheck.model.policy_index import Policy

if TYPE_CHECKING:
    from permcheck.api import Estate

Check: TypeAlias = Callable[["Context"], Iterator[Finding | NotRun]]
"""A check: yields what it finds, or why it can't tell. The runner sorts, selects and suppresses."""


@dataclass(frozen=True)
class Context:
    """Everything that one check may look at."""

    facts: CheckFacts
    policy: Policy
    definitions: tuple[Definition, ...] = ()
    _estate: Estate | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    shared: dict[str, Any] = field(default_factory=dict)
    """What checks of one run work out once for all of them."""
    files: tuple[Path, ...] = ()
    """Estate files, for checks of how they are written."""
    expectations: tuple[Path, ...] = ()
    """Files of expected decisions."""
    today: date = field(default_factory=date.today)
    _before: Estate | None = None

    @property
    def estate(self) -> Estate:
        """The estate; only checks that need one may ask for it."""
        assert self._estate is not None
        return self._estate

    @property
    def before(self) -> Estate:
        """The estate before the change; only checks that need it may ask for it."""
        assert self._before is not None
        return self._before

    def option(self, name: str) -> Any:
        """Return an option as configured, or its default."""
        return self.options.get(name, self.facts.options[name])

    def listed(self, name: str) -> tuple[str, ...]:
        """Return an option that is a list of names, or a text with commas."""
        value = self.option(name)
        names = value.split(",") if isinstance(value, str) else value
        return tuple(str(one).strip() for one in names if str(one).strip())

    def data(self, name: str) -> Any:
        """Return the names of permissions or roles that the policy gives this check."""
        return self.facts.data[name]

    def finding(
        self, place: Place, message: str, subject: str, *, help_: str = "", edits: tuple[Edit, ...] = ()
    ) -> Finding:
        """Make a finding of this check."""
        facts = self.facts
        return Finding(
            place, facts.id, facts.name, facts.severity, facts.confidence, message, subject, help_ or facts.fix, edits
        )

    def not_run(self, why: str) -> NotRun:
        """Say that this check, or a part of it, can't be evaluated: that is no pass."""
        return NotRun(self.facts.id, self.facts.name, why)

    def of(self, plane: str) -> Iterator[Definition]:
        """Return the definitions of a plane."""
        return (one for one in self.definitions if one.plane == plane)

    def origin(self, section: str, key: str, detail: str = "") -> Place:
        """Return where a record of the estate stands, or a field of it that an export of its own told."""
        found = self.estate.tables.places.of(section, key, detail)
        if found is None:
            return Place(self.estate.name)
        file = found.file if found.line else f"{found.file}, {found.path}"
        return Place(file, found.line, found.column)
