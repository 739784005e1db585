"""What every document form has in common: closed, frozen, no silent conversion."""

from __future__ import annotations

from typing import Annotated, TypeAlias, TypeVar

from pydantic import BaseModel, ConfigDict, Field


class Form(BaseModel):
    """A mapping in a file: unknown keys are refused, values are never converted."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, defer_build=True)


T = TypeVar("T")
# Files hold lists; a loaded form holds tuples, so that it can't be changed.
Many: TypeAlias = Annotated[tuple[T, ...], Field(strict=False)]
Some: TypeAlias = Annotated[tuple[T, ...], Field(strict=False, min_length=1)]

Name = Annotated[str, Field(min_length=1, pattern=r"\S")]
Slug = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]*$")]
EditionId = Annotated[
    str,
    Field(pattern=r"^\d{4}-\d{2}$", description="An edition by its month: ids are in the order of time"),
]
Release = Annotated[int, Field(ge=1511, le=9912, description="Configuration Manager release, such as 2207")]
Date = Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$", description="A day: year-month-day")]
SourceId = Annotated[
    str,
    Field(
        pattern=r"^[a-z0-9][a-z0-9.-]*/[a-z0-9][a-z0-9.-]*$",
        description="An entry of policy/sources.yaml: document/passage",
    ),
]
