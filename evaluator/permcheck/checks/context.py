"""What checks look at, and how one is made."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from permcheck.checks.definitions import Definition
from permcheck.checks.finding import Edit, Finding, Place
from permcheck.model.policy_checks import CheckFacts
from permcheck.model.policy_index import Policy

if TYPE_CHECKING:
    from permcheck.api import Estate

Check: TypeAlias = Callable[["Context"], Iterator[Finding]]
"""A check: yields what it finds. The runner sorts, selects and suppresses."""


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

    @property
    def estate(self) -> Estate:
        """The estate; only checks that need one may ask for it."""
        assert self._estate is not None
        return self._estate

    def option(self, name: str) -> Any:
        """Return an option as configured, or its default."""
        return self.options.get(name, self.facts.options[name])

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

    def of(self, plane: str) -> Iterator[Definition]:
        """Return the definitions of a plane."""
        return (one for one in self.definitions if one.plane == plane)

    def origin(self, section: str, key: str) -> Place:
        """Return where a record of the estate stands."""
        found = self.estate.tables.places.of(section, key)
        if found is None:
            return Place(self.estate.name)
        file = found.file if found.line else f"{found.file}, {found.path}"
        return Place(file, found.line, found.column)
