"""The policy as a reference: what is stated about one thing, and where."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from permcheck.errors import QuestionError, UnknownNameError
from permcheck.model import policy as form
from permcheck.model.decision import places
from permcheck.model.fold import fold_case
from permcheck.model.names import Names
from permcheck.model.policy_index import Policy, plain_permission
from permcheck.render.outline import Line, Notes, Section, place_text


@dataclass(slots=True)
class Writer:
    """Collects sections and the sources that they cite."""

    policy: Policy
    notes: Notes
    sections: list[Section] = field(default_factory=list)

    def add(self, heading: str, lines: list[Line]) -> None:
        """Add a section unless it is empty."""
        if lines:
            self.sections.append(Section(heading, tuple(lines)))

    def cite(self, text: str, sources: tuple[str, ...]) -> Line:
        """Return a line with its sources."""
        return Line(0, f"{text} {self.notes.cite(sources, limit=4)}".rstrip())


def reference(policy: Policy, kind: str, name: str | None) -> Iterator[Section]:
    """Return the sections about one thing. Raises UnknownNameError."""
    writer = Writer(policy, Notes(policy))
    if kind != "policy" and not name:
        message = f"no {kind} was named"
        raise QuestionError(message, f"permcheck show {kind} NAME")
    WRITERS[kind](writer, name or "")
    yield from writer.sections
    lines = []
    for source, number in writer.notes.numbers.items():
        passage, document = policy.sources[source], policy.document_of(source)
        text = f"[{number}] {document.title}, “{passage.heading}”, {document.date}: {passage.says} ({document.place})"
        lines.append(Line(0, text, "source"))
    if lines:
        yield Section("Sources", tuple(lines))


def _policy(writer: Writer, _: str) -> None:
    p = writer.policy
    counts = {
        "permissions": p.permissions, "roles": p.roles, "actions": p.actions, "requirements": p.requirements,
        "error texts": p.errors, "documents": p.documents, "passages": p.sources,
    }  # fmt: skip
    writer.add("What is in it", [Line(0, f"{len(things)} {name}") for name, things in counts.items()])
    writer.add("Editions", [writer.cite(f"{e.id}  {e.title}", e.sources) for e in p.editions.values()])
    writer.add("Readings", [Line(0, f"{r.id} = {r.default}  {r.question}") for r in p.readings.values()])
    specification = [d for d in p.documents.values() if d.specification]
    writer.add("Exports that are read", [Line(0, f"{e.id}  {e.title}") for e in p.exports.values()])
    writer.add("Specification", [Line(0, f"{d.title}, {d.date} ({d.place})") for d in specification])


def _action(writer: Writer, name: str) -> None:
    p = writer.policy
    a = p.actions[p.find_action(name)]
    about = [
        writer.cite(f"{a.id}: {a.title}", a.sources),
        Line(0, f"about a {a.target}, in the {a.surface.replace('-', ' ')}"),
    ]
    if a.synonyms:
        about.append(Line(0, "also called " + ", ".join(a.synonyms)))
    about.append(Line(0, "described by the documents of " + ", ".join(p.describing(a))))
    if a.variants:
        about.append(Line(0, "variants: " + ", ".join(f"{v.id}" for v in a.variants)))
    writer.add("Action", about)
    headings = {
        "common": "Needed in any case",
        "configmgr": "Where Configuration Manager decides",
        "intune": "Where Intune decides",
    }
    for side, heading in headings.items():
        writer.add(heading, list(_needs(writer, getattr(a.requires, side), 0)))
    writer.add("Not looked at", [Line(0, text) for text in a.not_modelled])


def _needs(writer: Writer, needs: tuple[form.Need, ...], depth: int) -> Iterator[Line]:
    p = writer.policy
    for need in needs:
        when = _when(need.when)
        if need.use:
            yield from _needs(writer, p.bundles[need.use], depth)
        elif need.id:
            what = p.title(need.permission) if need.permission else p.requirements[need.id].meaning
            bound = f" (at least {need.at_least})" if need.at_least else ""
            cited = writer.notes.cite(need.sources or p.requirements[need.id].sources)
            yield Line(depth, f"{need.id}  {what}{bound}{when} {cited}".rstrip())
        else:
            yield Line(depth, ("all of" if need.all else "one of") + when)
            yield from _needs(writer, need.all or need.any, depth + 1)


def _when(when: form.When | None) -> str:
    if when is None:
        return ""
    parts = []
    if when.from_edition:
        parts.append(f"from edition {when.from_edition}")
    if when.before_edition:
        parts.append(f"before edition {when.before_edition}")
    if when.from_version:
        parts.append(f"from {when.from_version}")
    if when.below_version:
        parts.append(f"before {when.below_version}")
    if when.variants:
        parts.append("for " + ", ".join(when.variants))
    if when.not_variants:
        parts.append("except for " + ", ".join(when.not_variants))
    if when.object_named is not None:
        parts.append("if one is named" if when.object_named else "if none is named")
    parts += [f"if {name} is {' or '.join(values)}" for name, values in when.readings.items()]
    return f" [{'; '.join(parts)}]"


def _permission(writer: Writer, name: str) -> None:
    p = writer.policy
    folded = plain_permission(name)
    found = [id_ for plane in ("intune", "configmgr", "entra") if (id_ := p.permission_names(plane).get(folded))]
    if not found:
        same = [p.title(x.id) for x in p.permissions.values() if fold_case(x.name) == fold_case(folded)]
        planes: tuple[form.Plane, ...] = ("intune", "configmgr", "entra")
        near = same or [n for plane in planes for n in p.permission_names(plane).near(fold_case(folded))]
        raise UnknownNameError("permission", name, tuple(near[:3]))
    for id_ in found:
        x = p.permissions[id_]
        lines = [writer.cite(f"{p.title(id_)}  ({p.planes[id_]}, id {x.id})", x.sources)]
        lines += [Line(0, "also written " + ", ".join(x.synonyms))] if x.synonyms else []
        lines += [Line(0, f"includes {p.title(other)}") for other in x.implies]
        lines += [Line(0, f"is included in {p.title(other)}") for other in p.implied_by.get(id_, ())]
        if p.planes[id_] == "configmgr":
            lines.append(
                Line(0, f"operation bit {x.bit}" if x.bit is not None else "its operation bit is not publicly known")
            )
        writer.add("Permission", lines)
        writer.add("Built-in roles that have it", list(_roles_with(writer, id_)))


def _roles_with(writer: Writer, permission: str) -> Iterator[Line]:
    p = writer.policy
    for role in p.roles.values():
        for grant in role.grants:
            if permission in p.granted(role, grant):
                disputed = f"  (reading {grant.by_reading.reading})" if grant.by_reading else ""
                yield writer.cite(f"{role.name} ({p.role_planes[role.id]}){disputed}", grant.sources)


def _role(writer: Writer, name: str) -> None:
    p = writer.policy
    planes: tuple[form.Plane, ...] = ("intune", "configmgr", "entra")
    found = [id_ for plane in planes if (id_ := p.role_names(plane).get(name))]
    if not found:
        near = [near for plane in planes for near in p.role_names(plane).near(fold_case(name))]
        hints = (why for role in p.roles.values() for other, why in role.confused_with.items() if other == name)
        hint = f"`{name}` is not built in: the documents say to create it" if name in p.recommended else next(hints, "")
        raise UnknownNameError("role", name, tuple(near[:3]), hint)
    for id_ in found:
        role = p.roles[id_]
        known = "its contents are documented" if role.complete else "documented in part: what is not listed is unknown"
        lines = [writer.cite(f"{role.name}  ({p.role_planes[id_]}, id {id_})", role.sources), Line(0, known)]
        lines += [Line(0, f"not to be confused with {other}: {why}") for other, why in role.confused_with.items()]
        writer.add("Role", lines)
        writer.add("Gives", [line for grant in role.grants for line in _grant(writer, grant)])
        writer.add("Named on a page, id not known", [Line(0, text) for text in role.unidentified])


def _grant(writer: Writer, grant: form.RoleGrant) -> Iterator[Line]:
    disputed = ""
    if grant.by_reading:
        disputed = f"  (if {grant.by_reading.reading} is {' or '.join(grant.by_reading.granted)})"
    if grant.every:
        besides = f", besides {', '.join(grant.besides)}" if grant.besides else ""
        yield writer.cite(f"every permission of this kind: {grant.every}{besides}{disputed}", grant.sources)
    if grant.any_role:
        yield writer.cite(f"counts as a role{disputed}", grant.sources)
    for permission in grant.permissions:
        yield writer.cite(writer.policy.title(permission) + disputed, grant.sources)


def _requirement(writer: Writer, name: str) -> None:
    r = writer.policy.requirements[_find("requirement", name, tuple(writer.policy.requirements))]
    lines = [writer.cite(f"{r.id}: {r.meaning}", r.sources)]
    lines += [Line(0, r.fix)] if r.fix else []
    lines += [Line(0, place_text(place, writer.notes)) for place in places(r.where, None)]
    lines += [writer.cite(f"takes {r.takes.time}", r.takes.sources)] if r.takes else []
    writer.add("Requirement", lines)
    errors = [writer.policy.errors[e] for e in r.errors]
    writer.add("Without it people see", [writer.cite(f"{e.id}: “{e.text}”", e.sources) for e in errors])
    users = [a.id for a in writer.policy.actions.values() if r.id in writer.policy.requirements_of(a)]
    writer.add("Needed by", [Line(0, ", ".join(users))] if users else [])


def _reading(writer: Writer, name: str) -> None:
    r = writer.policy.readings[_find("reading", name, tuple(writer.policy.readings))]
    writer.add("Reading", [Line(0, r.question), Line(0, f"default: {r.default}, because {r.why}")])
    writer.add("Alternatives", [writer.cite(f"{a.id}: {a.says}", a.sources) for a in r.alternatives])


def _error(writer: Writer, name: str) -> None:
    e = writer.policy.errors[_find("error", name, tuple(writer.policy.errors))]
    writer.add("Error", [writer.cite(f"{e.id}: “{e.text}”", e.sources)])
    writer.add("Shown", [Line(0, e.elsewhere)] if e.elsewhere else [])
    writer.add("Causes", [Line(0, cause) for cause in e.causes])
    writer.add("Requirements behind it", [Line(0, ", ".join(e.requirements))] if e.requirements else [])


def _export(writer: Writer, name: str) -> None:
    p = writer.policy
    kind = p.exports[_find("export", name, tuple(p.exports))]
    writer.add("Export", [writer.cite(f"{kind.id}: {kind.title}", kind.sources)])
    signs = kind.signs
    known = [f"@odata.context ends in {context}" for context in signs.contexts]
    known += [f"entries are of type {type_}" for type_ in signs.types]
    known += [f"entries have {', '.join(keys)}" for keys in signs.keys]
    writer.add("Known by", [Line(0, text) for text in known])
    writer.add("Tells", [Line(0, ", ".join(kind.fills))] if kind.fills else [])
    ways = ((kind.powershell, "command"), (kind.rest, "command"), (kind.manual, ""))
    writer.add("How to export it", [Line(0, text, style) for text, style in ways if text])
    writer.add("Least privilege", [Line(0, kind.permission)] if kind.permission else [])


def _find(kind: str, name: str, known: tuple[str, ...]) -> str:
    return Names(kind, ((key, (key,)) for key in known)).find(name)


WRITERS: dict[str, Callable[[Writer, str], None]] = {
    "policy": _policy,
    "action": _action,
    "permission": _permission,
    "role": _role,
    "requirement": _requirement,
    "reading": _reading,
    "error": _error,
    "export": _export,
}
"""A writer for every kind of thing."""
