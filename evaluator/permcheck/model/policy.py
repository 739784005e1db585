"""The forms of the files in policy/: what Microsoft's documents state, as data.

Every fact carries `sources`. A list's own `sources`, where it has one, hold for
each entry that names none. The forms of what is read for exports and checks alone
are in modules of their own.
"""

# No `from __future__ import annotations`: pydantic would evaluate every annotation from text, a third of the import.

from typing import Annotated, Literal

from pydantic import Field

from permcheck.model.base import Date, EditionId, Form, Many, Name, Release, Slug, Some, SourceId
from permcheck.model.policy_facts import BuiltInRole as BuiltInRole
from permcheck.model.policy_facts import ByReading as ByReading
from permcheck.model.policy_facts import Document as Document
from permcheck.model.policy_facts import Effect as Effect
from permcheck.model.policy_facts import Gate as Gate
from permcheck.model.policy_facts import ObjectClass as ObjectClass
from permcheck.model.policy_facts import Permission as Permission
from permcheck.model.policy_facts import PermissionsFile as PermissionsFile
from permcheck.model.policy_facts import Plane as Plane
from permcheck.model.policy_facts import RecommendedRole as RecommendedRole
from permcheck.model.policy_facts import RoleGrant as RoleGrant
from permcheck.model.policy_facts import RolesFile as RolesFile
from permcheck.model.policy_facts import Side as Side
from permcheck.model.policy_facts import Source as Source
from permcheck.model.policy_facts import SourcesFile as SourcesFile
from permcheck.model.policy_rules import Action as Action
from permcheck.model.policy_rules import ActionsFile as ActionsFile
from permcheck.model.policy_rules import AnyRoleTest as AnyRoleTest
from permcheck.model.policy_rules import AppRoleGroupTest as AppRoleGroupTest
from permcheck.model.policy_rules import Combined as Combined
from permcheck.model.policy_rules import EditionSpan as EditionSpan
from permcheck.model.policy_rules import FactTest as FactTest
from permcheck.model.policy_rules import FactValue as FactValue
from permcheck.model.policy_rules import GrantTest as GrantTest
from permcheck.model.policy_rules import GroupTypeTest as GroupTypeTest
from permcheck.model.policy_rules import LeafTest as LeafTest
from permcheck.model.policy_rules import Need as Need
from permcheck.model.policy_rules import Place as Place
from permcheck.model.policy_rules import ReleaseSpan as ReleaseSpan
from permcheck.model.policy_rules import Requirement as Requirement
from permcheck.model.policy_rules import RequirementsFile as RequirementsFile
from permcheck.model.policy_rules import RightTest as RightTest
from permcheck.model.policy_rules import RoleExistsTest as RoleExistsTest
from permcheck.model.policy_rules import Rules as Rules
from permcheck.model.policy_rules import SameCollectionTest as SameCollectionTest
from permcheck.model.policy_rules import SameTest as SameTest
from permcheck.model.policy_rules import ScopeTagTest as ScopeTagTest
from permcheck.model.policy_rules import SwitchTest as SwitchTest
from permcheck.model.policy_rules import Test as Test
from permcheck.model.policy_rules import TestCase as TestCase
from permcheck.model.policy_rules import UndocumentedTest as UndocumentedTest
from permcheck.model.policy_rules import Variant as Variant
from permcheck.model.policy_rules import VersionTest as VersionTest
from permcheck.model.policy_rules import Wait as Wait
from permcheck.model.policy_rules import When as When


class AuthorityRow(Form):
    """One row of the switch table; the first that fits decides."""

    toggle: Literal["on", "off"] | None = None
    checkbox: Literal["checked", "cleared"] | None = None
    below_version: Release | None = None
    before_edition: Annotated[Slug | None, Field(description="The first edition that knows Intune RBAC")] = None
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
    takes: Wait | None = None
    sources: Some[SourceId]


class AuthorityFile(Form):
    """policy/authority.yaml."""

    toggle: SwitchDefault
    checkbox: SwitchDefault
    switch_requirements: Annotated[Some[Need], Field(description="What makes Intune the only authority, in order")]
    table: Some[AuthorityRow]


class Edition(Form):
    """What the documents said at a date."""

    id: EditionId
    date: Date
    title: Name
    default_from: Annotated[Release | None, Field(description="Default for hierarchies from this release")] = None
    default_below: Annotated[Release | None, Field(description="... and below this one")] = None
    sources: Some[SourceId]


class Version(Form):
    """One release of Configuration Manager."""

    release: Release
    build: Annotated[str | None, Field(description="Client and site build, such as 5.00.9088")] = None
    early_build: Annotated[str | None, Field(description="Another build, of the early update ring")] = None
    support_ends: Annotated[Date | None, Field(description="Day on which support ends; null: not known")] = None
    sources: Some[SourceId]


class Feature(Form):
    """A behaviour that came with a release."""

    id: Literal["upload-limited-collections"]
    since: Release
    says: Name
    sources: Some[SourceId]


class Note(Form):
    """What is said beside an answer, because a reader would not expect it."""

    id: Slug
    says: Annotated[Name, Field(description="Fields: {user} {device} {hierarchy}")]
    surface: Annotated[Literal["admin-center", "console"] | None, Field(description="Of actions there")] = None
    actions: Annotated[Many[Slug], Field(description="Of these actions; empty: of all")] = ()
    when: When | None = None
    fact: Annotated[Name | None, Field(description="Said where this fact is true")] = None
    sources: Some[SourceId]


class NotesFile(Form):
    """policy/notes.yaml."""

    notes: Some[Note]


class EditionsFile(Form):
    """policy/editions.yaml."""

    editions: Some[Edition]
    versions: Some[Version]
    features: Some[Feature]


class Alternative(Form):
    """One way to read a passage."""

    id: Slug
    says: Name
    enables: Annotated[
        Literal["all-scope-covers-collections", "assigned-and-limited-restores", "tags-merge-over-categories"] | None,
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


class ErrorText(EditionSpan):
    """A message that the products show, in the editions of the span, and everything that may be behind it."""

    id: Slug
    text: Name
    actions: Annotated[Many[Slug], Field(description="Actions where it is shown; empty: all")] = ()
    elsewhere: Annotated[
        Name | None, Field(description="Where it is shown, if in none of the actions: then no answer tells it")
    ] = None
    causes: Annotated[Some[Name], Field(description="Documented causes, our words")]
    requirements: Annotated[Many[str], Field(description="Requirement ids behind it")] = ()
    sources: Some[SourceId]

    @property
    def everywhere(self) -> bool:
        """Whether every action may show it."""
        return not self.actions and not self.elsewhere


class ErrorsFile(Form):
    """policy/errors.yaml."""

    errors: Some[ErrorText]


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
        Literal["every-device", "every-user", "every-object", "new-objects"] | None,
        Field(description="What it contains by definition"),
    ] = None
    sources: Some[SourceId]


class GroupUse(Form):
    """What groups of a type can be used for."""

    id: Name
    assignable: Annotated[bool, Field(description="An Intune role may be assigned to it")] = False
    in_token: Annotated[
        bool,
        Field(
            description="It stands in the token of its members: it can be an administrative user, and its members have "
            "what the groups hold that it is in"
        ),
    ] = False
    sources: Some[SourceId]


class GuestMark(Form):
    """What the UPN of an account of another tenant contains."""

    text: Name
    sources: Some[SourceId]


class OtherAction(Form):
    """What people ask about that is no action of tenant attach."""

    id: Slug
    words: Annotated[Some[Name], Field(description="What people call it")]
    says: Annotated[Name, Field(description="Whose action it is, and what decides there; one sentence")]
    sources: Some[SourceId]


class NamesFile(Form):
    """policy/names.yaml."""

    terms: Some[Term]
    builtins: Some[Builtin]
    group_types: Some[GroupUse]
    guest_mark: GuestMark
    other_actions: Some[OtherAction]
