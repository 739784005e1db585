"""Assemble an estate of what was gathered: joined sections, validated by the forms, with every origin."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from pydantic import ValidationError

from permcheck.errors import Problem
from permcheck.exports import join, join_configmgr, join_devices, join_roles
from permcheck.exports.contradicted import refuse_unlisted_records
from permcheck.exports.foreign import form_of
from permcheck.exports.gathered import Gathered
from permcheck.exports.join import People, Section
from permcheck.exports.left_out import settle_gone
from permcheck.exports.read_people import settle_subscriptions
from permcheck.loading.estate import Joined, Record
from permcheck.loading.text import Path_
from permcheck.model.base import Form
from permcheck.model.estate import SECTIONS, Collected, Tenant
from permcheck.model.provenance import ExportedList, Exports
from permcheck.printable import one_line

FEW: Final = 5
SUBSCRIPTIONS: Final = "graph.subscriptions"


@dataclass(slots=True)
class Assembled:
    """An estate made of exports; it stands where a file of an estate would."""

    gathered: Gathered
    file: str
    data: dict[str, Any] = field(default_factory=dict)
    sections: dict[str, Section] = field(default_factory=dict)
    exported: bool = True

    def place(self, path: Path_) -> tuple[str, int, int]:
        """Return the file and JSON path of the entry that a record comes from."""
        detail = str(path[2]) if len(path) > 2 else ""  # noqa: PLR2004 - section, record, field
        origin = self.source().origin(str(path[0]), int(path[1]), detail) if len(path) > 1 else None
        if origin is None:
            return self.file, 0, 0
        return (origin.file, origin.line, 1) if origin.line else (f"{origin.file}, {origin.path}", 0, 0)

    def is_exported(self, path: Path_) -> bool:
        """Tell whether a field of a record comes from an export, and not from a file that people wrote beside it."""
        section, (index, name, *_) = self.sections[str(path[0])], path[1:]
        at = section.details.get((int(index), str(name)), section.at[int(index)])
        return at[0] not in self.gathered.users.by_hand

    def source(self) -> Exports:
        """Return what knows where each record, field and member stands."""
        lists = [ExportedList(b.file, b.path, b.single, b.first_line, b.lines) for b, _ in self.gathered.batches]
        details = {
            (name, index, key): at
            for name, section in self.sections.items()
            for (index, key), at in section.details.items()
        }
        for name, section in self.sections.items():
            details |= {(name, i, who): at for i, members in section.members.items() for who, at in members.items()}
        records = {name: section.at for name, section in self.sections.items()}
        known = self.gathered.tenant
        told = {key: known.where(key) for key in known.fields}
        records["tenant"] = [told["name"]] if "name" in told else list(told.values())[:1]
        tenant = {("tenant", -1, key): at for key, at in told.items()}
        return Exports(lists, records, details | tenant, self.sections["devices"].memberships)


def assemble(gathered: Gathered, by_hand: Joined, root: str, collected: tuple[Collected, ...] = ()) -> Joined:
    """Join everything to one estate, as reading its files would."""
    settle_gone(gathered)
    join_configmgr.settle_hierarchies(gathered)
    join_devices.join_cloud_devices(gathered)
    settle_subscriptions(gathered, SUBSCRIPTIONS)
    refuse_unlisted_records(gathered, by_hand.scalars.get("incomplete", ()))
    sections, incomplete = _sections(gathered)
    assembled = Assembled(gathered, root, sections=sections)
    joined = Joined(parsed=[assembled, *by_hand.parsed], problems=[*by_hand.problems, *gathered.problems])
    joined.scalars = {key: value for key, value in by_hand.scalars.items() if key != "tenant"}
    complete = joined.scalars.get("complete")
    stated = {name for name in sections if name in by_hand.sections or _is_stated(gathered, name, sections[name])}
    if collected:
        joined.scalars["collected"] = (*joined.scalars.get("collected", ()), *collected)
    for name, section in sections.items():
        if name in stated:
            joined.sections[name] = _records(joined, name, section, gathered)
    incomplete |= gathered.open
    joined.scalars["incomplete"] = (
        *dict.fromkeys((*joined.scalars.get("incomplete", ()), *sorted(incomplete & stated))),
    )
    if complete is not None:
        joined.scalars["complete"] = complete
    tenant = {key: value for key, value in gathered.tenant.fields.items() if value is not None}
    if tenant:
        joined.scalars["tenant"] = Tenant.model_validate(tenant)
        assembled.data["tenant"] = tenant
    _report_conflicts(gathered, joined)
    return joined


def _sections(gathered: Gathered) -> tuple[dict[str, Section], set[str]]:
    """Join every section, and tell which are known to lack entries.

    The groups come last of the people, and the collections last of a hierarchy: what the others
    mention, but nobody describes, is added to them.
    """
    people, places = People(gathered), join_configmgr.Hierarchies(gathered)
    sections = {
        "entra_roles": join_roles.entra_roles(people),
        "app_roles": join_roles.app_roles(people),
    }
    sections["intune_roles"], roles = join_roles.intune_roles(gathered)
    sections["intune_assignments"], lost = join_roles.assignments(people, roles)
    sections["administrative_users"] = join_configmgr.administrative_users(people, places)
    sections["groups"] = join.groups(people)
    sections["users"] = join.users(people)
    sections["scripts"] = join_configmgr.scripts(people, places)
    sections["applications"] = join_configmgr.applications(gathered, places)
    sections["devices"] = join_devices.devices(gathered)
    sections["collections"] = join_configmgr.collections(gathered, places)
    sections["security_roles"] = join_configmgr.security_roles(gathered)
    sections["scope_tags"] = join_roles.scope_tags(gathered)
    sections["security_scopes"] = join_configmgr.security_scopes(gathered)
    sections["hierarchies"] = join_configmgr.hierarchies(gathered)
    incomplete = {name for name, section in sections.items() if _is_partial(gathered, name, section)}
    if lost:
        incomplete.add("intune_assignments")
    for what, stubs in sorted(people.stubs.items()):
        few = ", ".join(dict.fromkeys(stubs[:FEW])) + (f" and {len(stubs) - FEW} more" if len(stubs) > FEW else "")
        gathered.note(f"{what} that the exports mention, but do not describe: {few}", (-1, 0))
    return {name: sections[name] for name in SECTIONS}, incomplete


def _lists_read(gathered: Gathered, name: str) -> tuple[str, ...]:
    """Return the kinds that were read of those that list every record of a section."""
    return tuple(kind for kind in gathered.policy.known_exports.lists_of(name) if kind in gathered.read)


def _is_partial(gathered: Gathered, name: str, section: Section) -> bool:
    """Tell whether entries may be missing: exports mention some, but no complete list was read."""
    read = _lists_read(gathered, name)
    if read:
        return all(kind in gathered.partial for kind in read)
    return any(at[0] not in gathered.users.by_hand for at in section.at)


def _is_stated(gathered: Gathered, name: str, section: Section) -> bool:
    """Tell whether anything was exported about a section: an empty list counts if it was read."""
    return bool(section.records or _lists_read(gathered, name))


def _records(joined: Joined, name: str, section: Section, gathered: Gathered) -> list[Record]:
    form = form_of(name)
    known = set(form.model_fields)
    result = []
    for index, fields in enumerate(section.records):
        if fields.get("hierarchy") == "":  # reported once, for all of them
            continue
        stated = {key: item for key, item in fields.items() if key in known}
        try:
            result.append(Record(form.model_validate(stated), 0, index))
        except ValidationError as error:
            _report(joined, name, index, error)
            kept = _without(form, stated, error)
            if kept is None:
                gathered.open.add(name)
            else:
                result.append(Record(kept, 0, index))
    return result


def _without(form: type[Form], stated: dict[str, Any], error: ValidationError) -> Form | None:
    """Make a record without what can't be used, which is unknown then; None where it can't be without it."""
    bad = {str(one["loc"][0]) for one in error.errors()}
    if any(form.model_fields[name].is_required() or form.model_fields[name].default is not None for name in bad):
        return None
    try:
        return form.model_validate({key: item for key, item in stated.items() if key not in bad})
    except ValidationError:
        return None


def _report(joined: Joined, section: str, index: int, error: ValidationError) -> None:
    for one in error.errors():
        path = ".".join(str(step) for step in one["loc"])
        message = f"`{str(one['input'])[:60]}` can't be used as `{path}`"
        joined.report(0, (section, index), "value", message, "`permcheck schema estate` says what can", "warning")


def _report_conflicts(gathered: Gathered, joined: Joined) -> None:
    for register in gathered.registers():
        for name, thing in register.ambiguous:
            message = f"`{name}` in `{register.section}` could be any of several: people wrote no id"
            gathered.problem(thing.at, "ambiguous-name", message, "write the id of the one that is meant")
    for conflict in gathered.conflicts():
        old_file, old_path, old_line = gathered.origin(conflict.old)
        file, path, line = gathered.origin(conflict.new)
        here = file if line else f"{file}, {path}"
        there = f"{old_file}:{old_line}" if old_line else f"{old_file}, {old_path}"
        message = f"`{conflict.field}` of `{conflict.name}` in `{conflict.section}` is another than in {there}"
        help_ = "keep one of the two; they may be from different days or tenants"
        joined.problems.append(Problem(here, line, 1 if line else 0, "conflict", one_line(message), help_))
