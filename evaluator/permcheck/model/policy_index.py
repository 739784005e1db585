"""The whole policy as one value, with every name findable."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from permcheck.errors import UnknownNameError
from permcheck.model import policy as form
from permcheck.model.base import Form
from permcheck.model.fold import fold_case
from permcheck.model.names import Names

if TYPE_CHECKING:
    from permcheck.model.policy_exports import Export, KnownExports, ServicePlan
    from permcheck.model.policy_values import ValuesFile


@dataclass(frozen=True)
class Policy:
    """What Microsoft's documents state. Mappings keep the order of the files."""

    documents: Mapping[str, form.Document]
    sources: Mapping[str, form.Source]
    permissions: Mapping[str, form.Permission]
    planes: Mapping[str, form.Plane]
    """Permission or gate id -> plane."""
    gates: Mapping[form.Plane, form.Gate]
    classes: Mapping[str, form.ObjectClass]
    roles: Mapping[str, form.BuiltInRole]
    role_planes: Mapping[str, form.Plane]
    recommended: Mapping[str, form.RecommendedRole]
    requirements: Mapping[str, form.Requirement]
    bundles: Mapping[str, tuple[form.Need, ...]]
    actions: Mapping[str, form.Action]
    editions: dict[str, form.Edition]
    versions: Mapping[int, form.Version]
    features: Mapping[str, form.Feature]
    readings: Mapping[str, form.Reading]
    notes: tuple[form.Note, ...]
    authority: form.AuthorityFile
    errors: Mapping[str, form.ErrorText]
    terms: tuple[form.Term, ...]
    builtins: tuple[form.Builtin, ...]
    group_types: tuple[form.GroupUse, ...]
    guest_mark: form.GuestMark
    other_actions: tuple[form.OtherAction, ...]
    implied_by: Mapping[str, tuple[str, ...]]
    """Permission -> permissions that include it."""
    applications: Mapping[str, str]
    """Application -> its appId."""
    files_of_exports: Callable[[], Iterable[Form]] = field(compare=False, repr=False)
    """Reads what is known of exports."""

    @cached_property
    def known_exports(self) -> KnownExports:
        """What is known of exports: read when somebody asks, for no question about an estate does."""
        from permcheck.model.policy_exports import known_exports

        return known_exports(self.files_of_exports())

    @property
    def exports(self) -> Mapping[str, Export]:
        """Kinds of export by id, in the order in which they are read."""
        return self.known_exports.exports

    @property
    def unexported(self) -> tuple[Export, ...]:
        """Facts that no tool exports."""
        return self.known_exports.unexported

    @property
    def service_plans(self) -> tuple[ServicePlan, ...]:
        """Service plans that say something about rights."""
        return self.known_exports.service_plans

    @property
    def values(self) -> ValuesFile:
        """What words and numbers in exports mean."""
        return self.known_exports.values

    def document_of(self, source: str) -> form.Document:
        """Return the document that a source is a passage of."""
        return self.documents[source.partition("/")[0]]

    def defaults(self) -> dict[str, str]:
        """Return reading -> its default alternative."""
        return {key: reading.default for key, reading in self.readings.items()}

    def enabled(self, mechanism: str, readings: Mapping[str, str]) -> bool:
        """Whether the chosen readings switch a way of evaluation on."""
        return any(
            alternative.enables == mechanism and readings[key] == alternative.id
            for key, reading in self.readings.items()
            for alternative in reading.alternatives
        )

    def title(self, permission: str) -> str:
        r"""Return a permission or gate as people write it, such as `Cloud attached devices\Run script`."""
        for gate in self.gates.values():
            if gate.id == permission:
                return gate.name
        found = self.permissions.get(permission)
        if found is None:
            return permission
        separator = "\\" if self.planes[permission] == "intune" else " / "
        return f"{found.category}{separator}{found.name}"

    def requirements_of(self, action: form.Action) -> frozenset[str]:
        """Return the ids of everything that an action needs, under whichever authority, edition or variant."""
        return self.requirement_ids((*action.requires.common, *action.requires.configmgr, *action.requires.intune))

    def requirement_ids(self, needs: Iterable[form.Need]) -> frozenset[str]:
        """Return the ids of requirements, those of alternatives and bundles among them."""
        return frozenset(need.id for need in self.every_need(needs) if need.id)

    def every_need(self, needs: Iterable[form.Need]) -> Iterator[form.Need]:
        """Return needs with the alternatives and bundles inside them, in no order that matters."""
        stack = list(needs)
        while stack:
            need = stack.pop()
            stack += [*need.all, *need.any, *self.bundles.get(need.use or "", ())]
            yield need

    @cached_property
    def assignable_groups(self) -> frozenset[str]:
        """Types of group that an Intune role may be assigned to."""
        return frozenset(one.id for one in self.group_types if one.assignable)

    @cached_property
    def token_groups(self) -> frozenset[str]:
        """Types of group that stand in the token of a member."""
        return frozenset(one.id for one in self.group_types if one.in_token)

    def is_guest(self, upn: str) -> bool:
        """Whether a UPN is that of an account of another tenant."""
        return fold_case(self.guest_mark.text) in fold_case(upn)

    def find_action(self, text: str) -> str:
        """Id of an action by id, title or synonym. Raises UnknownNameError, which says what a word means elsewhere."""
        return self.action_names.find(text, {word: one.says for one in self.other_actions for word in one.words})

    @cached_property
    def requirement_order(self) -> dict[str, int]:
        """Requirement -> its place in the order in which to look for a fault."""
        return {id_: index for index, id_ in enumerate(self.requirements)}

    @cached_property
    def action_names(self) -> Names:
        """Actions by id, title and synonym."""
        return Names("action", ((a.id, (a.id, a.title, *a.synonyms)) for a in self.actions.values()))

    def permission_names(self, plane: form.Plane) -> Names:
        """Permissions of a plane by id, UI name (any separator) and synonym."""
        return self._permission_names[plane]

    @cached_property
    def _permission_names(self) -> dict[form.Plane, Names]:
        return {
            plane: Names(
                "permission",
                ((p.id, _spellings(p, self.classes)) for p in self.permissions.values() if self.planes[p.id] == plane),
            )
            for plane in ("intune", "configmgr", "entra")
        }

    def find_permission(self, plane: form.Plane, text: str) -> str:
        """Id of a permission by any spelling. Raises UnknownNameError."""
        return self._permission_names[plane].find(plain_permission(text))

    @cached_property
    def _role_names(self) -> dict[form.Plane, Names]:
        return {
            plane: Names(
                f"{plane} role",
                ((r.id, (r.name, *r.synonyms)) for r in self.roles.values() if self.role_planes[r.id] == plane),
                ((id_, (id_,)) for id_, its_plane in self.role_planes.items() if its_plane == plane),
            )
            for plane in ("intune", "configmgr", "entra")
        }

    def built_in_names(self, plane: form.Plane) -> frozenset[str]:
        """Return ids, names and synonyms of the built-in roles of a plane, folded."""
        return frozenset(self.role_names(plane).all())

    def role_names(self, plane: form.Plane) -> Names:
        """Built-in roles of a plane by id, name and synonym."""
        return self._role_names[plane]

    def find_role(self, plane: form.Plane, text: str) -> str:
        """Id of a built-in role. Raises UnknownNameError with a hint for names that are easily confused."""
        hints = {
            other: why
            for role in self.roles.values()
            if self.role_planes[role.id] == plane
            for other, why in role.confused_with.items()
        }
        for role in self.recommended.values():
            hints[role.name] = f"`{role.name}` is not built in: the documents say to create it"
        return self._role_names[plane].find(text, hints)

    @cached_property
    def all_scope(self) -> str:
        """Id of the security scope that covers every object."""
        return next(b.id for b in self.builtins if b.kind == "scope" and b.holds == "every-object")

    @cached_property
    def default_scope(self) -> str:
        """Id of the security scope that new objects are in."""
        return next(b.id for b in self.builtins if b.kind == "scope" and b.holds == "new-objects")

    @cached_property
    def default_tag(self) -> str:
        """Id of the scope tag that everything carries which has no other."""
        return next(b.id for b in self.builtins if b.kind == "scope-tag")

    @cached_property
    def all_devices(self) -> frozenset[str]:
        """Ids of collections that contain every device by definition."""
        return frozenset(b.id for b in self.builtins if b.kind == "collection" and b.holds == "every-device")

    def granted(self, role: form.BuiltInRole, grant: form.RoleGrant) -> Iterator[str]:
        """Return the permissions of one grant of a built-in role."""
        plane = grant.plane or self.role_planes[role.id]
        yield from grant.permissions
        if grant.any_role:
            yield self.gates[plane].id
        if grant.every:
            for permission in self.permissions.values():
                left_out = permission.id in grant.besides or permission.category in grant.besides
                of_kind = self.planes[permission.id] == plane and grant.every in {"all", permission.effect}
                if of_kind and not left_out:
                    yield permission.id

    @cached_property
    def of_directory_roles(self) -> frozenset[str]:
        """Permissions that some directory role gives, or may give."""
        roles = [role for role in self.roles.values() if self.role_planes[role.id] == "entra"]
        return frozenset(one for role in roles for grant in role.grants for one in self.granted(role, grant))

    def alike(self, permission: str) -> frozenset[str]:
        """Return the permissions of the same category, on the same plane."""
        return self._categories[self.planes[permission], self.permissions[permission].category]

    @cached_property
    def _categories(self) -> Mapping[tuple[str, str], frozenset[str]]:
        found: dict[tuple[str, str], set[str]] = {}
        for one in self.permissions.values():
            found.setdefault((self.planes[one.id], one.category), set()).add(one.id)
        return {key: frozenset(some) for key, some in found.items()}

    @cached_property
    def app_roles(self) -> frozenset[str]:
        """Permissions that are app roles."""
        return frozenset(one.id for one in self.permissions.values() if one.guid)

    @cached_property
    def kind_of_collection(self) -> Mapping[str, str]:
        """Return whether the collections of which documents say it are of devices or of users, by id."""
        kinds = {"every-device": "device", "every-user": "user"}
        return {b.id: kinds[b.holds] for b in self.builtins if b.kind == "collection" and b.holds in kinds}

    def describing(self, action: form.Action) -> tuple[str, ...]:
        """Return the editions whose pages describe an action, in the order of time."""
        return tuple(edition for edition in self.editions if edition >= action.documented_from)

    def edition_for(self, release: int) -> str:
        """Return the edition whose pages a hierarchy of `release` is judged by."""
        for edition in reversed(self.editions.values()):
            low, high = edition.default_from, edition.default_below
            if (low or high) and (low is None or release >= low) and (high is None or release < high):
                return edition.id
        return next(reversed(self.editions))

    def edition_at(self, day: str) -> str:
        """Return the newest edition on a day. Raises UnknownNameError before the first."""
        for edition in reversed(self.editions.values()):
            if edition.date <= day:
                return edition.id
        raise UnknownNameError(
            "edition", day, tuple(self.editions), f"the first edition is {next(iter(self.editions))}"
        )


def plain_permission(text: str) -> str:
    r"""Write a permission name in one way: `Category\Name`, without `(preview)` and a trailing dot."""
    plain = text.strip().removesuffix(".").replace("(preview)", "").strip()
    graph = plain.replace("/", "_") if plain.lower().startswith("microsoft.intune/") else plain
    for separator in (" > ", "\\", "/"):
        graph = graph.replace(separator, "\\")
    return "\\".join(part.strip() for part in graph.split("\\"))


def _spellings(permission: form.Permission, classes: Mapping[str, form.ObjectClass]) -> tuple[str, ...]:
    categories = [permission.category]
    if permission.category in classes:
        categories += classes[permission.category].synonyms
    names = [plain_permission(f"{c}\\{n}") for c in categories for n in (permission.name, *permission.synonyms)]
    return (plain_permission(permission.id), *names, *permission.synonyms)


def build_policy(files: tuple[tuple[str, Form], ...], of_exports: Callable[[], Iterable[Form]] | None = None) -> Policy:
    """Join the policy's files into one value. Entries without sources get those of their list.

    `of_exports` reads the files about exports, if they are not among `files`.
    """

    def of(kind: type[Form]) -> list[Form]:
        return [data for _, data in files if isinstance(data, kind)]

    lists: list[form.PermissionsFile] = of(form.PermissionsFile)  # type: ignore[assignment]
    permissions = {
        p.id: p if p.sources else p.model_copy(update={"sources": file.sources})
        for file in lists
        for p in file.permissions
    }
    planes: dict[str, form.Plane] = {p.id: file.plane for file in lists for p in file.permissions}
    gates = {file.plane: file.any_role for file in lists if file.any_role}
    planes |= {gate.id: plane for plane, gate in gates.items()}
    implied_by: dict[str, tuple[str, ...]] = {}
    for permission in permissions.values():
        for other in permission.implies:
            implied_by[other] = (*implied_by.get(other, ()), permission.id)
    roles: list[form.RolesFile] = of(form.RolesFile)  # type: ignore[assignment]
    actions: list[form.ActionsFile] = of(form.ActionsFile)  # type: ignore[assignment]
    sources: list[form.SourcesFile] = of(form.SourcesFile)  # type: ignore[assignment]
    names: list[form.NamesFile] = of(form.NamesFile)  # type: ignore[assignment]
    editions: list[form.EditionsFile] = of(form.EditionsFile)  # type: ignore[assignment]
    return Policy(
        documents={key: d for file in sources for key, d in file.documents.items()},
        sources={key: s for file in sources for key, s in file.sources.items()},
        permissions=permissions,
        planes=planes,
        gates=gates,
        classes={c.name: c for file in lists for c in file.classes},
        roles={r.id: r for file in roles for r in file.roles},
        role_planes={r.id: file.plane for file in roles for r in file.roles},
        recommended={r.name: r for file in roles for r in file.recommended},
        requirements={r.id: r for file in of(form.RequirementsFile) for r in file.requirements},  # type: ignore[attr-defined]
        bundles={key: b for file in actions for key, b in file.bundles.items()},
        actions={a.id: a for file in actions for a in file.actions},
        editions={e.id: e for file in editions for e in file.editions},
        versions={v.release: v for file in editions for v in file.versions},
        features={f.id: f for file in editions for f in file.features},
        readings={r.id: r for file in of(form.ReadingsFile) for r in file.readings},  # type: ignore[attr-defined]
        notes=tuple(n for file in of(form.NotesFile) for n in file.notes),  # type: ignore[attr-defined]
        authority=next(file for file in of(form.AuthorityFile)),  # type: ignore[arg-type]
        errors={e.id: e for file in of(form.ErrorsFile) for e in file.errors},  # type: ignore[attr-defined]
        terms=tuple(t for file in names for t in file.terms),
        builtins=tuple(b for file in names for b in file.builtins),
        group_types=tuple(g for file in names for g in file.group_types),
        guest_mark=next(file.guest_mark for file in names),
        other_actions=tuple(one for file in names for one in file.other_actions),
        implied_by=implied_by,
        applications={
            p.category: file.application_id for file in lists if file.application_id for p in file.permissions if p.guid
        },
        files_of_exports=of_exports or (lambda: [data for _, data in files]),
    )
