"""What an answer is made of. Everything is frozen; absence is an empty tuple."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

from permcheck.model.state import State, Verdict

if TYPE_CHECKING:
    from permcheck.model.change import Change
    from permcheck.model.policy import Place as PolicyPlace
    from permcheck.model.provenance import Origin

Side: TypeAlias = Literal["common", "configmgr", "intune", "switch"]
Console: TypeAlias = Literal["configmgr", "intune", "entra", "microsoft365", "windows", "server"]
"""Where an administrator works."""


class Step(NamedTuple):
    """One sentence of a proof, and who says so: a place in the estate, or sources of the policy."""

    text: str
    origin: Origin | None = None
    sources: tuple[str, ...] = ()
    edge: tuple[str, ...] | None = None
    """For a grant of the estate: its kind, start (kind and key), end, and record (section and key)."""


class Proof(NamedTuple):
    """A chain of steps from the person to what is needed; a fact is a chain of one."""

    steps: tuple[Step, ...]
    kind: Literal["grant", "fact", "assumption"] = "fact"


class Missing(NamedTuple):
    """A fact that the estate does not state: its name there, and what it would tell."""

    fact: str
    text: str


class NearMiss(NamedTuple):
    """A right that exists but does not count here."""

    text: str
    requirement: str = ""


class Place(NamedTuple):
    """Where a person changes something: a console, and the way to go in it.

    `releases` names those of the hierarchy that have the place, where its own is not known; else it is empty.
    """

    console: Console
    path: str
    releases: str = ""
    sources: tuple[str, ...] = ()


def places(where: Iterable[PolicyPlace], version: int | None) -> tuple[Place, ...]:
    """Return the places that a release has; of an unknown one all, each with its releases."""
    return tuple(
        Place(one.console, one.path, one.releases if version is None else "", one.sources)
        for one in where
        if one.holds_for(version)
    )


class Requirement(NamedTuple):
    """One requirement of the action and how it stands.

    `counts` tells whether the authority in force looks at it; `group` is not empty for
    one of several alternatives of which one is enough.
    """

    id: str
    needs: str
    state: State
    side: Side
    counts: bool
    group: str = ""
    assumed: bool = False
    contested: tuple[str, ...] = ()
    """Readings on which it depends."""
    proofs: tuple[Proof, ...] = ()
    missing: tuple[Missing, ...] = ()
    near: tuple[NearMiss, ...] = ()
    sources: tuple[str, ...] = ()
    where: tuple[Place, ...] = ()
    fix: str = ""
    takes: str = ""
    """How long a change takes, where a page says so."""
    takes_sources: tuple[str, ...] = ()


class Authority(NamedTuple):
    """Who decides about the device. `names` has several entries where a switch is unknown."""

    names: tuple[Literal["configmgr", "intune", "both"], ...]
    steps: tuple[Step, ...]
    toggle: bool | None = None
    checkbox: bool | None = None
    version: int | None = None

    def __str__(self) -> str:
        return " or ".join(self.names) or "none"


class ErrorShown(NamedTuple):
    """What the person sees, and everything that may be behind it."""

    id: str
    text: str
    causes: tuple[str, ...]
    sources: tuple[str, ...]


class Turn(NamedTuple):
    """Another edition, or another way to read one passage, that gives another verdict."""

    kind: Literal["edition", "reading"]
    name: str
    alternative: str
    verdict: Verdict
    sources: tuple[str, ...] = ()


FixKind: TypeAlias = Literal["activate", "extend", "new-role", "built-in", "account", "infrastructure", "wide"]
"""What a fix takes: an activation, more of what people have, a new or a built-in role, a fact of an account,
infrastructure, or a switch for everybody."""


class Opened(NamedTuple):
    """What changes open besides the answer that was asked for: answers, those that become possible, and to how many."""

    answers: int = 0
    possible: int = 0
    people: int = 0


class Fix(NamedTuple):
    """A set of changes after which the answer is allow: tried on a changed copy of the estate.

    `texts` says each change as an instruction; `gained` counts the permissions that the user gains;
    `opens` counts the further answers (a user, an action and where) that become allow, for anybody.
    """

    changes: tuple[Change, ...]
    texts: tuple[str, ...]
    gained: int
    requirements: tuple[str, ...]
    where: tuple[Place, ...] = ()
    takes: tuple[str, ...] = ()
    kind: FixKind = "extend"
    done_in: tuple[Console, ...] = ()
    """Consoles of those who must do it."""
    remarks: tuple[str, ...] = ()
    opens: Opened = Opened()


class Revocation(NamedTuple):
    """A minimal set of grants without which the answer is no longer allow."""

    grants: tuple[Step, ...]
    changes: tuple[Change, ...]
    """The changes that make it."""


class Further(NamedTuple):
    """The parts of a decision that take longer, made when they are asked for."""

    fixes: Callable[[], tuple[tuple[Fix, ...], str]]
    revocations: Callable[[], tuple[Revocation, ...]]
    turns: Callable[[], tuple[Turn, ...]]


@dataclass(frozen=True)
class Decision:
    """The answer to one question, with everything that explains it.

    It has no truth value: compare `verdict`. `fixes`, `revocations` and `turns` are
    worked out when they are first read.
    """

    user: str
    action: str
    device: str | None
    hierarchy: str | None
    object: str | None
    title: str
    verdict: Verdict
    authority: Authority | None
    editions: tuple[str, ...]
    readings: tuple[tuple[str, str], ...]
    requirements: tuple[Requirement, ...]
    missing: tuple[Missing, ...]
    near_misses: tuple[NearMiss, ...]
    error: ErrorShown | None
    notes: tuple[str, ...]
    not_modelled: tuple[str, ...]
    sources: tuple[str, ...]
    strict: bool = False
    further: Further | None = field(default=None, repr=False, compare=False)

    def __bool__(self) -> bool:
        message = "a decision may be undetermined; compare its verdict with Verdict.ALLOW"
        raise TypeError(message)

    @property
    def unmet(self) -> tuple[Requirement, ...]:
        """Requirements that certainly fail and that the authority in force looks at."""
        return tuple(r for r in self.requirements if r.counts and r.state is State.UNMET)

    @property
    def unknown(self) -> tuple[Requirement, ...]:
        """Requirements that count and that the estate does not settle."""
        return tuple(r for r in self.requirements if r.counts and r.state is State.UNKNOWN)

    @property
    def paths(self) -> tuple[Proof, ...]:
        """Chains of grants behind the requirements that are met."""
        return tuple(dict.fromkeys(p for r in self.requirements if r.counts for p in r.proofs if p.kind == "grant"))

    @cached_property
    def _fixes(self) -> tuple[tuple[Fix, ...], str]:
        return self.further.fixes() if self.further else ((), "")

    @property
    def fixes(self) -> tuple[Fix, ...]:
        """Minimal sets of changes that give an allow, the one that gives away least first; empty for an allow."""
        return self._fixes[0]

    @property
    def no_fix(self) -> str:
        """Why a deny comes without a fix; empty where there is one."""
        return self._fixes[1]

    @cached_property
    def revocations(self) -> tuple[Revocation, ...]:
        """Minimal sets of grants whose removal ends an allow; empty otherwise."""
        return self.further.revocations() if self.further else ()

    @cached_property
    def turns(self) -> tuple[Turn, ...]:
        """Editions and readings under which the verdict would be another."""
        return self.further.turns() if self.further else ()

    def __getstate__(self) -> dict[str, Any]:
        """Work everything out, so that a pickled decision is whole."""
        for name in ("_fixes", "revocations", "turns"):
            getattr(self, name)
        return {**self.__dict__, "further": None}
