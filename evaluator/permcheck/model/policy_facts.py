"""The forms of policy/sources, policy/permissions and policy/roles: who has what, and who says so."""

# No `from __future__ import annotations`: pydantic would evaluate every annotation from text, a third of the import.

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from permcheck.model.base import Form, Many, Name, Release, Slug, Some, SourceId

Plane: TypeAlias = Literal["intune", "configmgr", "entra"]
Side: TypeAlias = Literal["common", "configmgr", "intune"]
Effect: TypeAlias = Literal["view", "act", "administer"]


class Document(Form):
    """One page, at one date."""

    title: Name
    date: Annotated[
        str,
        Field(
            pattern=r"^(\d{4}-\d{2}(-\d{2})?|undated)$",
            description="The page's own date; `undated` where it bears none",
        ),
    ]
    place: Annotated[Name, Field(description="Where it is published: repository path or site path")]
    specification: Annotated[bool, Field(description="One of the five pages that the evaluator is built on")] = False
    kind: Annotated[
        Literal["page", "export", "code", "statement", "report"],
        Field(
            description="`export` is a live service's own answer; `statement` a maintainer's word in a thread; `report`"
            " what a reader says that he saw, below all others"
        ),
    ] = "page"


class Source(Form):
    """One passage of a document, in our words."""

    heading: Annotated[Name, Field(description="The heading under which the passage stands")]
    says: Annotated[Name, Field(description="What the passage states, in our words, one sentence")]


class SourcesFile(Form):
    """policy/sources.yaml."""

    documents: dict[Slug, Document]
    sources: dict[SourceId, Source]


class Permission(Form):
    """One permission of one plane."""

    id: Annotated[
        Name,
        Field(
            description="intune: the Graph id; configmgr: `Class/Operation`; entra: `Application/App role`."
            " Unique over all planes."
        ),
    ]
    category: Annotated[Name, Field(description="UI category, object class or application")]
    name: Annotated[Name, Field(description="UI name inside the category")]
    effect: Annotated[Effect | None, Field(description="Whether it shows or does something; null: not classified")] = (
        None
    )
    synonyms: Many[Name] = ()
    implies: Annotated[Many[Name], Field(description="Ids of permissions that this one includes")] = ()
    implied_since: Annotated[Release | None, Field(description="Release from which `implies` holds")] = None
    bit: Annotated[int | None, Field(description="Operation bit in a role export; null: not publicly known")] = None
    guid: Annotated[str | None, Field(description="Id of an app role")] = None
    name_verified: bool = True
    withheld_on_assigned: Annotated[
        bool, Field(description="Not usable on a directly assigned collection, only on those limited to it")
    ] = False
    sources: Many[SourceId] = ()


class ObjectClass(Form):
    """One securable object class of Configuration Manager."""

    name: Name
    object_type: int | None = None
    wmi_class: str | None = None
    scoped: Annotated[bool | None, Field(description="Secured by security scopes; null: not documented")] = None
    synonyms: Many[Name] = ()
    sources: Many[SourceId] = ()


class Gate(Form):
    """Something that any role of a kind gives, without naming a permission."""

    id: Name
    name: Name
    sources: Some[SourceId]


class PermissionsFile(Form):
    """policy/permissions/*.yaml."""

    plane: Plane
    sources: Some[SourceId]
    application_id: Annotated[str | None, Field(description="entra: the application's appId")] = None
    any_role: Annotated[Gate | None, Field(description="What every role of this plane gives by being a role")] = None
    classes: Many[ObjectClass] = ()
    permissions: Some[Permission]


class ByReading(Form):
    """A grant on which the documents disagree: its state under each alternative."""

    reading: Slug
    granted: Annotated[Many[Slug], Field(description="Alternatives under which the role has it")] = ()
    unknown: Annotated[Many[Slug], Field(description="Alternatives under which nobody can say")] = ()


class RoleGrant(Form):
    """Permissions that a role has, and who says so."""

    permissions: Annotated[Many[Name], Field(description="Permission ids")] = ()
    every: Annotated[
        Literal["all", "view", "act"] | None,
        Field(description="Instead of a list: every permission of `plane`, or those with this effect"),
    ] = None
    besides: Annotated[Many[Name], Field(description="Categories and permissions that `every` leaves out")] = ()
    plane: Annotated[Plane | None, Field(description="Plane of `every`; default: the file's")] = None
    any_role: Annotated[bool, Field(description="The role counts as a role of `plane`")] = False
    by_reading: ByReading | None = None
    since: Annotated[Release | None, Field(description="First release whose role has it")] = None
    note: str | None = None
    sources: Some[SourceId]

    @property
    def everything(self) -> bool:
        """Whether nothing of the plane is left out."""
        return self.every == "all" and not self.besides


class BuiltInRole(Form):
    """A role that Microsoft ships."""

    id: Name
    name: Name
    synonyms: Many[Name] = ()
    confused_with: Annotated[dict[Name, str], Field(description="Other name: why it is not this role")] = {}
    complete: Annotated[
        bool,
        Field(description="False: documented in part only; what is not listed is unknown, not withheld"),
    ]
    grants: Many[RoleGrant] = ()
    unidentified: Annotated[Many[Name], Field(description="Permissions named on a page whose id is not known")] = ()
    sources: Some[SourceId]


class RolesFile(Form):
    """policy/roles/*.yaml."""

    plane: Plane
    roles: Some[BuiltInRole]
    recommended: Annotated[
        Many["RecommendedRole"], Field(description="Roles that the documents tell people to create")
    ] = ()


class RecommendedRole(Form):
    """A role that is named in the documents but not built in."""

    name: Name
    permissions: Some[Name]
    sources: Some[SourceId]
