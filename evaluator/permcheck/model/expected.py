"""The form of *.permcheck-test.yaml: decisions that an estate must give."""

# No `from __future__ import annotations`: pydantic would evaluate every annotation from text, a third of the import.

from typing import Annotated, Literal

from pydantic import Field

from permcheck.model.base import Form, Name, Slug, Some


class Expectation(Form):
    """One question and the answer that it must have."""

    user: Annotated[Name, Field(description="UPN, object id, SID or DOMAIN\\name")]
    action: Annotated[Name, Field(description="Id, title or another name, with a variant behind a colon")]
    device: Annotated[Name | None, Field(description="Name or id; for an action on a hierarchy, the hierarchy")] = None
    object: Annotated[Name | None, Field(description="The script or application that the action is about")] = None
    expect: Literal["allow", "deny", "undetermined"]
    why: Annotated[Name | None, Field(description="Why it must be so: printed where it is not")] = None
    edition: Annotated[Name | None, Field(description="Judge by what the documents said then")] = None
    readings: Annotated[dict[Slug, Slug], Field(description="Reading: alternative")] = {}


class ExpectedFile(Form):
    """Decisions that an estate must give."""

    schema_: Annotated[str | None, Field(alias="$schema", description="For editors")] = None
    estate: Annotated[Name, Field(description="File or folder of the estate, relative to this file")]
    cases: Some[Expectation]
