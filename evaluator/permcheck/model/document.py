"""The form of a decision as JSON: `permcheck check --format json`. Additions only within a version."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from permcheck.model.base import Form, Many, Name
from permcheck.model.decision import Console, FixKind

FORMAT = "permcheck-decision/1"
StateName = Literal["met", "unmet", "unknown"]


class OriginDocument(Form):
    """A place in the estate. Lines and columns count from 1; null where they are not known."""

    file: str
    path: Annotated[str, Field(description="JSON path of the record")]
    line: int | None
    column: int | None


class SourceDocument(Form):
    """A passage of a document of Microsoft's."""

    id: Name
    document: Name
    heading: Name
    date: Name
    says: Annotated[Name, Field(description="What the passage states, in permcheck's words")]
    place: Name


class StepDocument(Form):
    """One sentence of a proof."""

    text: str
    origin: OriginDocument | None
    sources: Many[str]


class ProofDocument(Form):
    """A chain of steps."""

    kind: Literal["grant", "fact", "assumption"]
    steps: Many[StepDocument]


class MissingDocument(Form):
    """A fact that the estate does not state."""

    fact: str
    text: str


class PlaceDocument(Form):
    """Where something is changed."""

    console: str
    path: str
    releases: Annotated[str, Field(description="Releases that have the place, where that of the hierarchy is unknown")]
    sources: Many[str]


class RequirementDocument(Form):
    """One requirement."""

    id: Name
    needs: str
    state: StateName
    side: Literal["common", "configmgr", "intune", "switch"]
    counts: Annotated[bool, Field(description="The authority in force looks at it")]
    group: Annotated[str, Field(description="Not empty for one of several alternatives")]
    assumed: bool
    contested: Annotated[Many[str], Field(description="Readings on which it depends")]
    proofs: Many[ProofDocument]
    missing: Many[MissingDocument]
    sources: Many[str]
    where: Many[PlaceDocument]
    fix: str
    takes: Annotated[str, Field(description="How long the change takes; empty where no page says so")]


class AuthorityDocument(Form):
    """Who decides."""

    names: Many[Literal["configmgr", "intune", "both"]]
    toggle: Annotated[bool | None, Field(description="Use Intune RBAC; null: unknown")]
    checkbox: Annotated[bool | None, Field(description="Enforce Configuration Manager RBAC; null: unknown")]
    version: int | None
    why: Many[StepDocument]


class FixDocument(Form):
    """A set of changes after which the answer is allow."""

    changes: Many[str]
    kind: Annotated[FixKind, Field(description="What it takes; fixes come in the order of these kinds")]
    done_in: Annotated[Many[Console], Field(description="Consoles of those who must do it")]
    remarks: Annotated[Many[str], Field(description="What whoever does it should know")]
    gained: Annotated[int, Field(description="Permissions that the user gains")]
    opens: Annotated[int, Field(description="Further answers (a user, an action, a device each) that become allow")]
    opens_possible: Annotated[int, Field(description="... and those that become undetermined")]
    opens_people: Annotated[int, Field(description="Users whose answers open")]
    requirements: Many[str]
    takes: Many[str]


class TurnDocument(Form):
    """Another edition or reading that gives another verdict."""

    kind: Literal["edition", "reading"]
    name: str
    alternative: str
    verdict: Literal["allow", "deny", "undetermined"]


class ErrorDocument(Form):
    """The message that the person sees."""

    id: str
    text: str
    causes: Many[str]


class DecisionDocument(Form):
    """One decision."""

    format: Literal["permcheck-decision/1"]
    user: str
    action: str
    device: str | None
    hierarchy: str | None
    object: str | None
    verdict: Literal["allow", "deny", "undetermined"]
    strict: bool
    authority: AuthorityDocument | None
    editions: Many[str]
    readings: dict[str, str]
    requirements: Many[RequirementDocument]
    unmet: Annotated[Many[str], Field(description="Ids of requirements that count and fail")]
    unknown: Annotated[Many[str], Field(description="Ids of requirements that count and are not settled")]
    missing: Many[MissingDocument]
    near_misses: Many[str]
    error: ErrorDocument | None
    fixes: Many[FixDocument]
    no_fix: str
    revocations: Annotated[Many[Many[str]], Field(description="Minimal sets of grants without which an allow ends")]
    turns: Many[TurnDocument]
    notes: Many[str]
    not_modelled: Many[str]
    sources: Many[SourceDocument]
