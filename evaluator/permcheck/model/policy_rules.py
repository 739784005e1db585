"""The forms of policy/requirements.yaml and policy/actions: what an action needs, and how it is tested."""

# No `from __future__ import annotations`: pydantic would evaluate every annotation from text, a third of the import.

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from permcheck.model.base import Form, Many, Name, Release, Slug, Some, SourceId
from permcheck.model.policy_facts import Effect, Plane


class EditionSpan(Form):
    """The editions from one on, and before another; each end is open where it is not stated."""

    from_edition: Annotated[Slug | None, Field(description="This edition and those after it")] = None
    before_edition: Annotated[Slug | None, Field(description="Editions before this one")] = None

    def covers(self, edition: str) -> bool:
        """Whether an edition lies in the span."""
        after, before = self.from_edition, self.before_edition
        return (after is None or edition >= after) and (before is None or edition < before)


class ReleaseSpan(Form):
    """The releases of a hierarchy from one on, and below another; each end is open where it is not stated."""

    from_version: Annotated[Release | None, Field(description="Hierarchy release at least")] = None
    below_version: Annotated[Release | None, Field(description="Hierarchy release below")] = None

    def holds_for(self, version: int | None) -> bool:
        """Whether a release lies in the span; one that is not known may lie in any."""
        after, below = self.from_version, self.below_version
        return version is None or ((after is None or version >= after) and (below is None or version < below))

    @property
    def releases(self) -> str:
        """The span in words; empty where it holds for every release."""
        after, below = self.from_version, self.below_version
        parts = [*([f"from {after}"] if after else []), *([f"before {below}"] if below else [])]
        return " and ".join(parts)


class When(EditionSpan, ReleaseSpan):
    """Where a part of a rule applies. All stated conditions must hold."""

    variants: Annotated[Some[Slug] | None, Field(description="Variants of the action asked about")] = None
    not_variants: Annotated[Some[Slug] | None, Field(description="Any variant (or none) but these")] = None
    object_named: Annotated[bool | None, Field(description="Whether the question names a script or application")] = None
    readings: Annotated[dict[Slug, Some[Slug]], Field(description="Reading: alternatives under which it applies")] = {}


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


class Place(ReleaseSpan):
    """Where a person changes something, and the releases of the hierarchy for which it is there."""

    console: Literal["configmgr", "intune", "entra", "microsoft365", "windows", "server"]
    path: Annotated[Name, Field(description="Nodes, tabs and buttons, separated by ` > `; a passage names each")]
    sources: Some[SourceId]


class Wait(Form):
    """How long a change takes to work."""

    time: Annotated[Name, Field(description="As in `takes about 10 minutes`, without the first word")]
    sources: Some[SourceId]


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
    takes: Annotated[Wait | None, Field(description="How long the change takes to work, where a page says so")] = None
    errors: Annotated[Many[Slug], Field(description="Ids of errors.yaml that people see without it")] = ()
    sources: Some[SourceId]


class RequirementsFile(Form):
    """policy/requirements.yaml, in the order in which to look for a fault."""

    requirements: Some[Requirement]


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
        str | None,
        Field(
            description="What a variant names where any text is allowed, such as an entity; a text that looks like a"
            " variant of an action with the same word is mistyped"
        ),
    ] = None
    authority: Annotated[
        bool,
        Field(description="True: toggle and checkbox decide which of `configmgr` and `intune` count"),
    ] = True
    documented_from: Annotated[Slug, Field(description="The first edition whose pages describe the action")]
    requires: Rules
    not_modelled: Annotated[Many[Name], Field(description="Conditions that permcheck does not look at")] = ()
    sources: Some[SourceId]


class ActionsFile(Form):
    """policy/actions/*.yaml."""

    bundles: dict[Slug, Some[Need]] = {}
    actions: Many[Action] = ()
