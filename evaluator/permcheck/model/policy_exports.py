"""The form of policy/exports.yaml: what Microsoft's tools export, how to know it, and what it tells."""

# No `from __future__ import annotations`: pydantic would evaluate every annotation from text, a third of the import.

from typing import Annotated, Literal

from pydantic import Field

from permcheck.model.base import Form, Many, Name, Some, SourceId


class Signs(Form):
    """What an export is recognised by; the first that fits, in this order. Names are compared without case or marks."""

    contexts: Annotated[Many[Name], Field(description="Ends of @odata.context, without keys in brackets")] = ()
    types: Annotated[Many[Name], Field(description="@odata.type or WMI class of an entry")] = ()
    keys: Annotated[Many[Many[Name]], Field(description="Sets of keys; an entry that has every key of one fits")] = ()
    without: Annotated[Many[Name], Field(description="Keys that no such entry has")] = ()
    only: Annotated[bool, Field(description="The entry has no other keys")] = False


class Export(Form):
    """One kind of list that a tool exports."""

    id: Annotated[str, Field(pattern=r"^[a-z]+(\.[a-z0-9-]+)+$")]
    title: Name
    service: Literal["graph", "configmgr", "file"]
    signs: Signs = Signs()
    fills: Annotated[Many[Name], Field(description="Sections of an estate, or section.field, that it tells")] = ()
    needed: Annotated[bool, Field(description="Reported as missing where it is not there")] = False
    rest: Annotated[str | None, Field(description="Request that returns it")] = None
    powershell: Annotated[str | None, Field(description="Command that writes it")] = None
    manual: Annotated[str | None, Field(description="Where a console shows or exports it")] = None
    permission: Annotated[str | None, Field(description="Least privilege that reads it")] = None
    sources: Some[SourceId]


class ServicePlan(Form):
    """A service plan that says something about rights."""

    id: Name
    name: Name
    means: Literal["intune", "entra-premium"]
    sources: Some[SourceId]


class ExportsFile(Form):
    """policy/exports.yaml."""

    exports: Some[Export]
    unexported: Annotated[Many[Export], Field(description="Facts that no tool exports: where to look them up")] = ()
    service_plans: Some[ServicePlan]
