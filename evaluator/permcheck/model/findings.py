"""The form of findings as JSON: `permcheck lint --format json`. Additions only within a version."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from permcheck.model.base import Form, Many, Name

FORMAT = "permcheck-findings/1"
Number = Annotated[int, Field(ge=1)]


class EditDocument(Form):
    """A safe change of a file."""

    file: str
    start: Annotated[int, Field(ge=0, description="Characters from the start of the text, without a byte order mark")]
    end: Annotated[int, Field(ge=0, description="Where what is replaced ends")]
    text: str


class PlacedDocument(Form):
    """Where something stands. Lines and columns count from 1; null where they are not known."""

    file: str
    path: Annotated[str | None, Field(description="Path of an entry in an export")]
    line: Number | None
    column: Number | None


class FindingDocument(PlacedDocument):
    """One finding of a check."""

    check: Annotated[str, Field(pattern=r"^PC[0-9]{3}$")]
    name: Name
    severity: Literal["error", "warning", "info"]
    confidence: Literal["confirmed", "derived", "disputed"]
    message: Name
    end_column: Annotated[Number | None, Field(description="The column behind it, on the same line")]
    help: str
    key: Annotated[Name, Field(description="Stays the same when lines move: for a baseline")]
    edits: Many[EditDocument]


class ProblemDocument(PlacedDocument):
    """What is wrong with a file."""

    id: Name
    severity: Literal["error", "warning"]
    message: Name
    help: str


class NotRunDocument(Form):
    """A check that was not evaluated: that is no pass."""

    check: Name
    name: Name
    why: Name


class FindingsDocument(Form):
    """One run of `permcheck validate` or `permcheck lint`."""

    format: Literal["permcheck-findings/1"]
    findings: Many[FindingDocument]
    problems: Many[ProblemDocument]
    unknown_files: Annotated[Many[str], Field(description="Files by which nothing is known")]
    not_run: Many[NotRunDocument]
    ran: Annotated[Many[str], Field(description="Ids of the checks that were evaluated")]
    files: int
    suppressed: Annotated[int, Field(description="Findings that a suppression or a baseline keeps back")]
