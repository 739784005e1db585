"""What each field of a policy form defines, or names: the one table by which the policy is held together.

A kind is what a message calls it. What stands in braces comes from the forms around it: an alternative belongs to its
reading. A field that is in neither table is text for people, or is compared with an estate; a test lists those.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from string import Formatter
from typing import Any, Final, NamedTuple, TypeAlias

from permcheck.model import policy as form
from permcheck.model.base import Form
from permcheck.model.policy_checks import CheckFacts
from permcheck.model.policy_exports import Export, ServicePlan

Path: TypeAlias = tuple[str | int, ...]
Said: TypeAlias = tuple[Path, str]
"""A name, and where it stands below the field."""
Field: TypeAlias = tuple[type[Form], str]


def texts(value: Any) -> Iterator[Said]:
    """Return the texts of a field: its own, those of its list, or the keys of its mapping. Numbers count as texts."""
    if isinstance(value, dict):
        yield from (((key,), key) for key in value)
    elif isinstance(value, tuple):
        yield from (((index,), str(item)) for index, item in enumerate(value))
    elif value is not None:
        yield (), str(value)


def document_of(value: Any) -> Iterator[Said]:
    """Return the document of each passage."""
    return ((path, text.partition("/")[0]) for path, text in texts(value))


def placeholders(value: str) -> Iterator[Said]:
    """Return the fields that a sentence leaves open; all of it, if its braces don't fit."""
    try:
        return iter([((), name) for _, name, _, _ in Formatter().parse(value) if name is not None])
    except ValueError:
        return iter([((), value)])


def looked_for(*beginnings: str) -> Callable[[Any], Iterator[Said]]:
    """Return what a check looks for under keys that begin so, whether in lists or mappings."""

    def found(value: Any) -> Iterator[Said]:
        for key, item in value.items():
            if key.startswith(beginnings):
                yield from (((key, *path), text) for path, text in _all_of(item))

    return found


def _all_of(value: Any) -> Iterator[Said]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield (key,), key
            yield from (((key, *path), text) for path, text in _all_of(item))
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from (((index, *path), text) for path, text in _all_of(item))
    else:
        yield (), str(value)


class Defines(NamedTuple):
    """The field is what its form is called by others: the id, or another name of it."""

    kind: str
    alone: bool = True
    """Nothing else of the kind is called so."""


class Names(NamedTuple):
    """The field names something of one of these kinds."""

    kinds: tuple[str, ...]
    besides: frozenset[str] = frozenset()
    """Words with a meaning of their own."""
    read: Callable[[Any], Iterator[Said]] = texts


class Chooses(NamedTuple):
    """The field maps readings to one or several of their alternatives."""

    reading: str
    alternative: str


READING: Final = "reading"
ALTERNATIVE: Final = "alternative of reading `{reading}`"
PERMISSION: Final = "permission"
OF_CONFIGMGR: Final = "permission of plane configmgr"
EDITION: Final = "edition"
FACT: Final = "fact of an estate"
SECTION: Final = "section or fact of an estate"
PLACEHOLDER: Final = "placeholder"

DEFINED: Final[dict[Field, tuple[Defines, ...]]] = {
    (form.SourcesFile, "documents"): (Defines("document"),),
    (form.SourcesFile, "sources"): (Defines("passage"),),
    (form.Permission, "id"): (Defines("permission"), Defines("permission of plane {plane}")),
    (form.Permission, "guid"): (Defines("app role id"),),
    (form.Permission, "bit"): (Defines("operation bit of `{category}`"),),
    (form.Permission, "category"): (Defines("category of plane {plane}", alone=False),),
    (form.ObjectClass, "name"): (Defines("object class"),),
    (form.ObjectClass, "object_type"): (Defines("object type"),),
    (form.ObjectClass, "wmi_class"): (Defines("WMI class"),),
    (form.ObjectClass, "synonyms"): (Defines("object class"),),
    (form.Gate, "id"): (Defines("gate"),),
    (form.PermissionsFile, "application_id"): (Defines("application id"),),
    (form.BuiltInRole, "id"): (Defines("role"), Defines("role of plane {plane}")),
    (form.BuiltInRole, "name"): (Defines("role of plane {plane}"), Defines("role", alone=False)),
    (form.BuiltInRole, "synonyms"): (Defines("role of plane {plane}"),),
    (form.RecommendedRole, "name"): (Defines("role of plane {plane}"),),
    (form.Requirement, "id"): (Defines("requirement"),),
    (form.Action, "id"): (Defines("action"), Defines("action by any name")),
    (form.Action, "title"): (Defines("action by any name"),),
    (form.Action, "synonyms"): (Defines("action by any name"),),
    (form.Variant, "id"): (Defines("variant", alone=False), Defines("variant of `{action}`")),
    (form.Variant, "name"): (Defines("name of a variant of `{action}`"),),
    (form.Variant, "synonyms"): (Defines("name of a variant of `{action}`"),),
    (form.ActionsFile, "bundles"): (Defines("bundle"),),
    (form.Edition, "id"): (Defines(EDITION),),
    (form.Edition, "date"): (Defines("date of an edition"),),
    (form.Version, "release"): (Defines("release"),),
    (form.Version, "build"): (Defines("build"),),
    (form.Feature, "id"): (Defines("feature"),),
    (form.Note, "id"): (Defines("note"),),
    (form.Reading, "id"): (Defines(READING),),
    (form.Alternative, "id"): (Defines(ALTERNATIVE), Defines("alternative", alone=False)),
    (form.ErrorText, "id"): (Defines("error"),),
    (form.Term, "name"): (Defines("term"),),
    (form.Builtin, "id"): (Defines("built-in {builtin}"),),
    (form.Builtin, "name"): (Defines("name of a built-in {builtin}"),),
    (form.OtherAction, "id"): (Defines("action of another service"),),
    (form.OtherAction, "words"): (Defines("action by any name"),),
    (form.GroupUse, "id"): (Defines("type of group"),),
    (Export, "id"): (Defines("export"),),
    (ServicePlan, "id"): (Defines("service plan"),),
    (CheckFacts, "id"): (Defines("check"),),
    (CheckFacts, "name"): (Defines("check"),),
}
"""Field -> what others call its form by."""

NAMED: Final[dict[Field, tuple[Names | Chooses, ...]]] = {
    (Form, "sources"): (Names(("passage",)),),
    (form.SourcesFile, "sources"): (Names(("document",), read=document_of),),
    (form.Permission, "implies"): (Names(("permission of plane {plane}",)),),
    (form.RoleGrant, "permissions"): (Names((PERMISSION,)),),
    (form.RoleGrant, "besides"): (Names((PERMISSION, "category of plane {plane}")),),
    (form.RecommendedRole, "permissions"): (Names(("permission of plane {plane}",)),),
    (form.ByReading, "reading"): (Names((READING,)),),
    (form.ByReading, "granted"): (Names((ALTERNATIVE,)),),
    (form.ByReading, "unknown"): (Names((ALTERNATIVE,)),),
    (form.When, "from_edition"): (Names((EDITION,)),),
    (form.When, "before_edition"): (Names((EDITION,)),),
    (form.When, "variants"): (Names(("variant of `{action}`",)),),
    (form.When, "not_variants"): (Names(("variant of `{action}`",)),),
    (form.When, "readings"): (Chooses(READING, ALTERNATIVE),),
    (form.FactTest, "fact"): (Names((FACT,)),),
    (form.SameTest, "facts"): (Names((FACT,)),),
    (form.RightTest, "permission"): (Names((OF_CONFIGMGR,), frozenset({"any"})),),
    (form.GrantTest, "permission"): (
        Names(("permission of plane intune", "permission of plane entra"), frozenset({"$permission"})),
    ),
    (form.ScopeTagTest, "tag"): (Names(("built-in scope-tag",)),),
    (form.RoleExistsTest, "permissions"): (Names((OF_CONFIGMGR,)),),
    (form.Requirement, "needs"): (Names((PLACEHOLDER,), read=placeholders),),
    (form.Requirement, "errors"): (Names(("error",)),),
    (form.Need, "id"): (Names(("requirement",)),),
    (form.Need, "use"): (Names(("bundle",)),),
    (form.Need, "permission"): (Names((PERMISSION,)),),
    (form.Action, "documented_from"): (Names((EDITION,)),),
    (form.AuthorityRow, "before_edition"): (Names((EDITION,)),),
    (form.AuthorityRow, "reading"): (Chooses(READING, ALTERNATIVE),),
    (form.AuthorityRow, "because"): (Names(("placeholder of the switch table",), read=placeholders),),
    (form.Note, "says"): (Names(("placeholder of a note",), read=placeholders),),
    (form.Note, "actions"): (Names(("action",)),),
    (form.Note, "fact"): (Names((FACT,)),),
    (form.Reading, "default"): (Names((ALTERNATIVE,)),),
    (form.ErrorText, "actions"): (Names(("action",)),),
    (form.ErrorText, "requirements"): (Names(("requirement",)),),
    (form.ErrorText, "from_edition"): (Names((EDITION,)),),
    (form.ErrorText, "before_edition"): (Names((EDITION,)),),
    (Export, "fills"): (Names((SECTION,)),),
    (CheckFacts, "data"): (
        Names((PERMISSION, "role"), read=looked_for("permission", "role")),
        Names((PERMISSION, "role", "action"), read=looked_for("actions")),
        Names((EDITION,), read=looked_for("from_edition", "before_edition")),
        Names((READING,), read=looked_for("reading")),
        Names(("alternative",), read=looked_for("alternative")),
    ),
}
"""Field -> what it names. A field of `Form` is that of every form."""

AROUND: Final[dict[type[Form], tuple[tuple[str, str], ...]]] = {
    form.PermissionsFile: (("plane", "plane"),),
    form.RolesFile: (("plane", "plane"),),
    form.Permission: (("category", "category"),),
    form.Action: (("action", "id"),),
    form.Reading: (("reading", "id"),),
    form.ByReading: (("reading", "reading"),),
    form.Builtin: (("builtin", "kind"),),
}
"""What a form tells about the kinds inside it: a field in braces, and the field of the form that fills it."""


def lookup(table: dict[Field, tuple[Any, ...]], kind: type[Form], field: str) -> tuple[Any, ...]:
    """Return the entries for a field: those of the form, else those of every form."""
    return table.get((kind, field)) or table.get((Form, field), ())
