"""The forms of the files in policy/: what Microsoft's documents state, as data.

Every fact carries `sources`. A list's own `sources`, where it has one, hold for
each entry that names none.
"""

# No `from __future__ import annotations`: pydantic would evaluate every annotation from text, a third of the import.

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from permcheck.model.base import Date, Form, Many, Name, Release, Slug, Some, SourceId

Plane: TypeAlias = Literal["intune", "configmgr", "entra"]
Side: TypeAlias = Literal["common", "configmgr", "intune"]
Effect: TypeAlias = Literal["view", "act", "administer"]


# --- sources.yaml ---------------------------------------------------------
class Document(Form):
    """One page, at one date."""

    title: Name
    date: Annotated[str, Field(pattern=r"^\d{4}-\d{2}(-\d{2})?$", description="The page's own date")]
    place: Annotated[Name, Field(description="Where it is published: repository path or site path")]
    specification: Annotated[bool, Field(description="One of the five pages that the evaluator is built on")] = False
    kind: Annotated[
        Literal["page", "export", "code", "statement"],
        Field(description="`export` is a live service's own answer; `statement` a maintainer's word in a thread"),
    ] = "page"


class Source(Form):
    """One passage of a document, in our words."""

    heading: Annotated[Name, Field(description="The heading under which the passage stands")]
    says: Annotated[Name, Field(description="What the passage states, in our words, one sentence")]


class SourcesFile(Form):
    """policy/sources.yaml."""

    documents: dict[Slug, Document]
    sources: dict[SourceId, Source]


# --- permissions/*.yaml ---------------------------------------------------
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


# --- roles/*.yaml ---------------------------------------------------------
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
    plane: Annotated[Plane | None, Field(description="Plane of `every`; default: the file's")] = None
    any_role: Annotated[bool, Field(description="The role counts as a role of `plane`")] = False
    by_reading: ByReading | None = None
    since: Annotated[Release | None, Field(description="First release whose role has it")] = None
    note: str | None = None
    sources: Some[SourceId]


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


# --- conditions -----------------------------------------------------------
class When(Form):
    """Where a part of a rule applies. All stated conditions must hold."""

    editions: Annotated[Some[Slug] | None, Field(description="Editions by id")] = None
    from_version: Annotated[Release | None, Field(description="Hierarchy release at least")] = None
    below_version: Annotated[Release | None, Field(description="Hierarchy release below")] = None
    variants: Annotated[Some[Slug] | None, Field(description="Variants of the action asked about")] = None
    not_variants: Annotated[Some[Slug] | None, Field(description="Any variant (or none) but these")] = None
    object_named: Annotated[bool | None, Field(description="Whether the question names a script or application")] = None
    readings: Annotated[dict[Slug, Some[Slug]], Field(description="Reading: alternatives under which it applies")] = {}


# --- requirements.yaml ----------------------------------------------------
FactValue: TypeAlias = bool | int | str


class FactTest(Form):
    """A fact of the estate has a value."""

    kind: Literal["fact"] = "fact"
    fact: Annotated[Name, Field(description="subject.fact, such as device.online")]
    equals: FactValue | None = None
    one_of: Many[FactValue] = ()
    contains: Annotated[str | None, Field(description="The fact is a list; `$value` takes the action's")] = None
    at_least: Annotated[str | None, Field(description="A version; `$at_least` takes the action's")] = None
    unstated: Annotated[
        Literal["unknown", "met"],
        Field(description="What silence means; `met` only where a source says so"),
    ] = "unknown"


class VersionTest(Form):
    """The hierarchy runs the action's `at_least`, with its `updates` if it runs just that release."""

    kind: Literal["version"] = "version"
    fact: Literal["hierarchy.version", "hierarchy.lowest_version"]


class SameTest(Form):
    """Two facts are equal."""

    kind: Literal["same"] = "same"
    facts: Annotated[tuple[Name, Name], Field(strict=False)]


class RightTest(Form):
    """A Configuration Manager permission, over something."""

    kind: Literal["right"] = "right"
    permission: Annotated[Name, Field(description="Permission id; `any` for whichever")]
    over: Annotated[
        Literal["device", "script", "application", "target-collections", "default-scope", "any"],
        Field(
            description="device: a collection with the device; script, application: an object by its scopes;"
            " target-collections: user collections that the application is deployed to; default-scope: a role"
            " with the permission is held for the Default scope; any: wherever"
        ),
    ]


class SameCollectionTest(Form):
    """All the Configuration Manager permissions hold on one collection with the device."""

    kind: Literal["same-collection"] = "same-collection"


class GrantTest(Form):
    """A permission of the Intune or Entra plane is held."""

    kind: Literal["grant"] = "grant"
    permission: Annotated[Name, Field(description="Permission id; `$permission` takes the action's")]


class AnyRoleTest(Form):
    """Some role of the plane is held, whatever it gives."""

    kind: Literal["any-role"] = "any-role"
    plane: Plane


class ScopeTagTest(Form):
    """The role assignments of the user see the tag that the device carries."""

    kind: Literal["scope-tag"] = "scope-tag"
    tag: Annotated[Name, Field(description="Id of the tag, `0` is Default")]


class GroupTypeTest(Form):
    """No role assignment is lost because its member group is of the wrong type."""

    kind: Literal["group-type"] = "group-type"


class AppRoleGroupTest(Form):
    """Where the app role comes through a group, that way works."""

    kind: Literal["app-role-group"] = "app-role-group"


class RoleExistsTest(Form):
    """A security role with these permissions exists in the hierarchy."""

    kind: Literal["role-exists"] = "role-exists"
    permissions: Some[Name]


class SwitchTest(Form):
    """A switch that decides the authority stands as Intune RBAC needs it."""

    kind: Literal["switch"] = "switch"
    switch: Literal["toggle", "checkbox"]


class UndocumentedTest(Form):
    """No document says what is needed: always unknown."""

    kind: Literal["undocumented"] = "undocumented"


class Combined(Form):
    """Tests of which all, or any, must hold."""

    kind: Literal["all", "any"]
    of: "Some[TestCase]"


LeafTest: TypeAlias = (
    FactTest
    | VersionTest
    | SameTest
    | RightTest
    | SameCollectionTest
    | GrantTest
    | AnyRoleTest
    | ScopeTagTest
    | GroupTypeTest
    | AppRoleGroupTest
    | RoleExistsTest
    | SwitchTest
    | UndocumentedTest
)
Test: TypeAlias = Annotated[LeafTest | Combined, Field(discriminator="kind")]


class TestCase(Form):
    """A test, and where it applies."""

    __test__ = False
    when: When | None = None
    test: Test


class Place(Form):
    """Where a person changes something."""

    console: Literal["configmgr", "intune", "entra", "windows", "server"]
    path: Annotated[Name, Field(description="Nodes, tabs and buttons, separated by ` > `")]


class Requirement(Form):
    """One thing that an action may need."""

    id: Annotated[str, Field(pattern=r"^[A-Z0-9]+(-[A-Z0-9]+)*$")]
    meaning: Name
    needs: Annotated[
        Name,
        Field(
            description="The requirement as a phrase. Fields: {user} {device} {hierarchy} {object} {value}"
            " {at_least} {permission}"
        ),
    ]
    plane: Literal["identity", "intune", "entra", "configmgr", "script", "device", "tenant", "switch", "site"]
    tests: Annotated[
        Some[TestCase],
        Field(description="The first case whose `when` holds decides; if none holds, nothing is needed"),
    ]
    where: Annotated[Many[Place], Field(description="Where it is put right")] = ()
    fix: Annotated[str | None, Field(description="What to do there, one sentence")] = None
    takes: Annotated[str | None, Field(description="How long the change takes to work")] = None
    errors: Annotated[Many[Slug], Field(description="Ids of errors.yaml that people see without it")] = ()
    sources: Some[SourceId]


class RequirementsFile(Form):
    """policy/requirements.yaml, in the order in which to look for a fault."""

    requirements: Some[Requirement]


# --- actions/*.yaml -------------------------------------------------------
class Need(Form):
    """A requirement of an action, or several of which all or any are needed.

    Exactly one of `id`, `all`, `any` and `use` is stated.
    """

    id: str | None = None
    all: "Many[Need]" = ()
    any: "Many[Need]" = ()
    use: Annotated[Slug | None, Field(description="A bundle of this folder, by name")] = None
    when: When | None = None
    permission: Annotated[str | None, Field(description="Permission id, for INTUNE-PERM")] = None
    at_least: Annotated[str | None, Field(description="Version for DEV-PS, CM-VERSION")] = None
    updates: Annotated[Many[Name], Field(description="Update rollups that release `at_least` needs")] = ()
    value: Annotated[str | None, Field(description="Value for the requirement's `$value`")] = None
    sources: Many[SourceId] = ()


class Variant(Form):
    """One form of an action."""

    id: Slug
    name: Name
    synonyms: Many[Name] = ()


class Rules(Form):
    """What an action needs under one authority."""

    common: Many[Need] = ()
    configmgr: Many[Need] = ()
    intune: Many[Need] = ()


class Action(Form):
    """Something that a person may do."""

    id: Slug
    title: Name
    surface: Literal["admin-center", "console"]
    target: Literal["device", "hierarchy", "tenant"]
    object: Annotated[
        Literal["script", "application"] | None, Field(description="What the question may name besides the device")
    ] = None
    page: str | None = None
    synonyms: Many[Name] = ()
    effect: Effect
    variants: Many[Variant] = ()
    free_variant: Annotated[
        str | None, Field(description="What a variant names where any text is allowed, such as an entity")
    ] = None
    authority: Annotated[
        bool,
        Field(description="True: toggle and checkbox decide which of `configmgr` and `intune` count"),
    ] = True
    documented: Annotated[Some[Slug], Field(description="Editions whose pages describe the action")]
    requires: Rules
    not_modelled: Annotated[Many[Name], Field(description="Conditions that permcheck does not look at")] = ()
    sources: Some[SourceId]


class ActionsFile(Form):
    """policy/actions/*.yaml."""

    bundles: dict[Slug, Some[Need]] = {}
    actions: Many[Action] = ()


# --- authority.yaml -------------------------------------------------------
class AuthorityRow(Form):
    """One row of the switch table; the first that fits decides."""

    toggle: Literal["on", "off"] | None = None
    checkbox: Literal["checked", "cleared"] | None = None
    below_version: Release | None = None
    not_editions: Annotated[Many[Slug], Field(description="Editions that don't know Intune RBAC")] = ()
    reading: Annotated[dict[Slug, Slug], Field(description="Reading: alternative under which the row holds")] = {}
    authority: Literal["configmgr", "intune", "both"]
    because: Annotated[Name, Field(description="Why, one sentence. Fields: {hierarchy} {version}")]
    note: Annotated[str | None, Field(description="What a reader of the answer would not expect")] = None
    sources: Some[SourceId]


class SwitchDefault(Form):
    """What a switch is called and how it comes out of the box."""

    name: Name
    extent: Name
    default: str | None = None
    where: Place
    takes: str | None = None
    sources: Some[SourceId]


class AuthorityFile(Form):
    """policy/authority.yaml."""

    toggle: SwitchDefault
    checkbox: SwitchDefault
    switch_requirements: Annotated[Some[Need], Field(description="What makes Intune the only authority, in order")]
    table: Some[AuthorityRow]


# --- editions.yaml --------------------------------------------------------
class Edition(Form):
    """What the documents said at a date."""

    id: Slug
    date: Date
    title: Name
    default_from: Annotated[Release | None, Field(description="Default for hierarchies from this release")] = None
    default_below: Annotated[Release | None, Field(description="... and below this one")] = None
    sources: Some[SourceId]


class Version(Form):
    """One release of Configuration Manager."""

    release: Release
    build: Annotated[str | None, Field(description="Client and site build, such as 5.00.9088")] = None
    sources: Some[SourceId]


class Feature(Form):
    """A behaviour that came with a release."""

    id: Literal["upload-limited-collections"]
    since: Release
    says: Name
    sources: Some[SourceId]


class EditionsFile(Form):
    """policy/editions.yaml."""

    editions: Some[Edition]
    versions: Some[Version]
    features: Some[Feature]


# --- readings.yaml --------------------------------------------------------
class Alternative(Form):
    """One way to read a passage."""

    id: Slug
    says: Name
    enables: Annotated[
        Literal["all-scope-covers-collections", "assigned-and-limited-restores"] | None,
        Field(description="A way of evaluation that this alternative switches on"),
    ] = None
    sources: Some[SourceId]


class Reading(Form):
    """A place where documents disagree or are silent, with its alternatives."""

    id: Slug
    question: Name
    default: Slug
    why: Annotated[Name, Field(description="Why this is the default")]
    alternatives: Annotated[tuple[Alternative, ...], Field(strict=False, min_length=2)]


class ReadingsFile(Form):
    """policy/readings.yaml."""

    readings: Some[Reading]


# --- errors.yaml ----------------------------------------------------------
class ErrorText(Form):
    """A message that the products show, and everything that may be behind it."""

    id: Slug
    text: Name
    actions: Annotated[Many[Slug], Field(description="Actions where it is shown; empty: all")] = ()
    causes: Annotated[Some[Name], Field(description="Documented causes, our words")]
    requirements: Annotated[Many[str], Field(description="Requirement ids behind it")] = ()
    editions: Annotated[Many[Slug], Field(description="Editions in which it is shown; empty: all")] = ()
    sources: Some[SourceId]


class ErrorsFile(Form):
    """policy/errors.yaml."""

    errors: Some[ErrorText]


# --- names.yaml -----------------------------------------------------------
class Term(Form):
    """A name with its other names."""

    name: Name
    also: Some[Name]
    sources: Some[SourceId]


class Builtin(Form):
    """An object that every hierarchy has."""

    id: Name
    name: Name
    kind: Literal["collection", "scope", "scope-tag"]
    holds: Annotated[
        Literal["every-device", "every-object", "new-objects"] | None,
        Field(description="What it contains by definition"),
    ] = None
    sources: Some[SourceId]


class NamesFile(Form):
    """policy/names.yaml."""

    terms: Some[Term]
    builtins: Some[Builtin]


FORMS: dict[str, type[Form]] = {
    "sources": SourcesFile,
    "permissions": PermissionsFile,
    "roles": RolesFile,
    "requirements": RequirementsFile,
    "actions": ActionsFile,
    "authority": AuthorityFile,
    "editions": EditionsFile,
    "readings": ReadingsFile,
    "errors": ErrorsFile,
    "names": NamesFile,
}
"""Form of each file of policy/, by the first part of its path."""
