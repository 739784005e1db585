"""The form of policy/checks/*.yaml: what a check looks for, why, and how it looks when it fires."""

# No `from __future__ import annotations`: pydantic would evaluate every annotation from text, a third of the import.

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field

from permcheck.model.base import Form, Many, Name, Slug, Some, SourceId

Severity: TypeAlias = Literal["error", "warning", "info"]
Needs: TypeAlias = Literal["definitions", "files", "estate", "usage", "expectations", "before", "policy"]


class Example(Form):
    """A file on which a check fires, or is silent."""

    file: Annotated[Name, Field(description="Its name, such as role.json; the suffix says how it is read")]
    text: Name


class CheckFacts(Form):
    """policy/checks/PCnnn.yaml: one check."""

    id: Annotated[str, Field(pattern=r"^PC[0-9]{3}$")]
    name: Slug
    severity: Severity
    confidence: Annotated[
        Literal["confirmed", "derived", "disputed"],
        Field(description="confirmed: a source says so; derived: it follows from what sources say"),
    ]
    needs: Annotated[Needs, Field(description="What it looks at; without it, the check is not evaluated")]
    cheap: Annotated[bool, Field(description="Looks at one file alone: `permcheck validate` runs it too")] = False
    default: Annotated[bool, Field(description="Runs without being selected")] = True
    summary: Annotated[Name, Field(description="What it finds, one sentence")]
    why: Annotated[Name, Field(description="Why that matters, in permcheck's words")]
    fix: Annotated[Name, Field(description="What to do")]
    options: Annotated[dict[Slug, int | str | bool], Field(description="Option: default")] = {}
    data: Annotated[dict[str, Any], Field(description="Names of permissions and roles that it looks for")] = {}
    bad: Some[Example]
    good: Some[Example]
    maps: Annotated[Many[Name], Field(description="Ids of like checks in other catalogues")] = ()
    sources: Some[SourceId]
