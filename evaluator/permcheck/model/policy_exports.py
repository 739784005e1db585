"""The form of policy/exports.yaml: what Microsoft's tools export, how to know it, and what it tells."""

# No `from __future__ import annotations`: pydantic would evaluate every annotation from text, a third of the import.

from collections.abc import Iterable, Mapping
from typing import Annotated, Literal, NamedTuple

from pydantic import Field

from permcheck.model.base import Form, Many, Name, Some, SourceId
from permcheck.model.policy_values import ValuesFile


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
    signs: Signs = Signs.model_construct()  # without validation, which would be set up on import
    fills: Annotated[Many[Name], Field(description="Sections of an estate, or section.field, that it tells")] = ()
    whole: Annotated[bool, Field(description="It lists every record of the sections that it fills")] = False
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
    means: Annotated[
        Literal["intune", "entra-premium", "other"],
        Field(description="`other` is one whose name may mislead: it is no licence for Intune"),
    ]
    sources: Some[SourceId]


class ExportsFile(Form):
    """policy/exports.yaml."""

    exports: Some[Export]
    unexported: Annotated[Many[Export], Field(description="Facts that no tool exports: where to look them up")] = ()
    service_plans: Some[ServicePlan]


class KnownExports(NamedTuple):
    """What the policy says of exports."""

    exports: Mapping[str, Export]
    """Every kind by its id, in the order in which they are read."""
    unexported: tuple[Export, ...]
    service_plans: tuple[ServicePlan, ...]
    values: ValuesFile

    def lists_of(self, section: str) -> tuple[str, ...]:
        """Return the kinds of which one is the whole list of a section."""
        return tuple(id_ for id_, kind in self.exports.items() if kind.whole and section in kind.fills)


def known_exports(files: Iterable[Form]) -> KnownExports:
    """Join the files that are about exports; others are passed over."""
    every = tuple(files)
    lists = [one for one in every if isinstance(one, ExportsFile)]
    return KnownExports(
        {export.id: export for one in lists for export in one.exports},
        tuple(export for one in lists for export in one.unexported),
        tuple(plan for one in lists for plan in one.service_plans),
        next(one for one in every if isinstance(one, ValuesFile)),
    )
