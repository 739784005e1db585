"""Write an estate as files that people read, and where each record came from.

Files of the folder that an import did not write are left alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from permcheck.errors import LoadError, Problem
from permcheck.exports.assemble import Assembled
from permcheck.exports.join import Section
from permcheck.exports.put import alone, files_of, note_of
from permcheck.loading.data import data_root
from permcheck.loading.estate import Joined
from permcheck.loading.files import PROVENANCE
from permcheck.loading.whole import WRITING
from permcheck.model.base import Form
from permcheck.model.estate import SECTIONS
from permcheck.model.provenance import Exports

FORMAT: Final = "permcheck-provenance/1"
SCHEMA_FILE: Final = "estate.schema.json"
KEPT: Final = ("made_by",)
"""What the mark of a folder says as the note does."""
LONG: Final = 2_000
"""Lists longer than this are written as JSON, one record a line: YAML takes ten times as long to load."""
FILES: Final = {
    "tenant": ("tenant", "hierarchies"),
    "people": ("users", "groups"),
    "intune": ("entra_roles", "app_roles", "intune_roles", "intune_assignments"),
    "configmgr": ("security_roles", "administrative_users", "collections", "scripts", "applications"),
    "devices": ("devices",),
}
"""File -> sections in it."""
FEW: Final = 3
SCALARS: Final = ("estate", "as_of", "readings", "assume", "complete", "incomplete", "collected", "usage")
HEADER: Final = (
    "# yaml-language-server: $schema=./estate.schema.json\n"
    "# Written by `permcheck import`, and written again by the next one. State what no tool exports\n"
    "# in a file of its own, and import it together with the exports.\n"
)

Plain = dict[str, Any]


def plain(value: Any) -> Any:
    """Return a form as plain values, without what it does not state."""
    if isinstance(value, Form):
        stated = {
            name: plain(getattr(value, name)) for name in type(value).model_fields if name in value.model_fields_set
        }
        return {name: item for name, item in stated.items() if item is not None}
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, tuple | list) else value


def sections_of(joined: Joined) -> Plain:
    """Return everything that an estate states, as plain values: what an estate file holds."""
    data: Plain = {key: plain(joined.scalars[key]) for key in SCALARS if joined.scalars.get(key)}
    if "tenant" in joined.scalars:
        data["tenant"] = plain(joined.scalars["tenant"])
    for section in SECTIONS:
        if section in joined.sections:
            data[section] = [plain(record.value) for record in joined.values(section)]
    return data


def texts_of(data: Plain) -> dict[str, str]:
    """Return the files of an estate: name -> text."""
    result: dict[str, str] = {}
    top = {key: data[key] for key in SCALARS if key in data}
    for name, keys in FILES.items():
        here = {key: data[key] for key in keys if key in data}
        long = [key for key, value in here.items() if isinstance(value, list) and len(value) > LONG]
        for key in long:
            result[f"{key}.json"] = _json_lines(key, here.pop(key))
        if name == "tenant":
            here = top | here
        if here:
            result[f"{name}.yaml"] = HEADER + _yaml(here)
    return result


def _json_lines(key: str, records: Iterable[Plain]) -> str:
    lines = ",\n".join(json.dumps(record, ensure_ascii=False) for record in records)
    return f'{{"{key}": [\n{lines}\n]}}\n'


def _yaml(data: Plain) -> str:
    text = yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110, default_flow_style=None)
    return str(text)


class _Dumper(yaml.CSafeDumper):
    """Writes texts that YAML 1.1 or 1.2 takes for something else in quotes."""


def _text(dumper: Any, value: str) -> Any:
    odd = value.casefold() in {"on", "off", "yes", "no", "y", "n"}
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style='"' if odd else None)


_Dumper.add_representer(str, _text)


def provenance_of(joined: Joined) -> Plain | None:
    """Return where every record came from, for records that were imported; None for an estate written by hand."""
    made = joined.parsed[0]
    if not isinstance(made, Assembled):
        return None
    source = made.source()
    records = {}
    for section in SECTIONS:
        joined_records = list(joined.values(section))
        if section in made.sections and joined_records:
            records[section] = [_note(source, made.sections[section], section, r.index) for r in joined_records]
    return {"permcheck": FORMAT, "records": records}


def _note(source: Exports, found: Section, section: str, index: int) -> str:
    """Say where a record came from: every entry that told a field, every file that told its members."""
    told = [source.origin(section, index, name) for name in ("", *found.fields_of(index))]
    places = dict.fromkeys(f"{o.file}:{o.line}" if o.line else f"{o.file}, {o.path}" for o in told)
    lists = {at[0] for at in found.members.get(index, {}).values()} | set(_batches(found, index))
    files = dict.fromkeys(source.lists[number].file for number in sorted(lists) if number >= 0)
    more = [file for file in files if not any(place.startswith(file) for place in places)]
    return "from " + "; ".join((*places, *more[:FEW], *([f"{len(more) - FEW} more files"] if len(more) > FEW else [])))


def _batches(found: Section, index: int) -> Iterable[int]:
    memberships = found.memberships.get(index)
    return memberships.batches if memberships is not None else ()


def write_estate(folder: Path, texts: Mapping[str, str], provenance: Plain | None = None) -> tuple[Path, ...]:
    """Write the files of an estate into a folder. Raises LoadError; then nothing was changed.

    A file that is there already is replaced only if an import wrote it.
    """
    written = {**texts, SCHEMA_FILE: (data_root() / "schemas" / SCHEMA_FILE).read_text("utf-8")}
    note = {"permcheck": FORMAT, "records": {}, **(provenance or {}), "files": sorted(written)}
    written[PROVENANCE] = json.dumps(note, ensure_ascii=False, indent=None) + "\n"
    try:
        with alone(folder) as place:
            ours = written_before(folder)
            _refuse_foreign(folder, written, ours)
            place.put(written, sorted(ours - written.keys()), {key: note[key] for key in KEPT if key in note})
    except OSError as error:
        reason = (error.strerror or "it can't be written").lower()
        raise LoadError((Problem(str(folder), 0, 0, "unwritable", f"can't write here: {reason}"),)) from None
    return tuple(folder / name for name in written)


def written_before(folder: Path, made_by: str | None = None) -> frozenset[str]:
    """Return the files that an import wrote into a folder, or was writing when it was killed.

    With `made_by`, those of that command alone.
    """
    notes = [note_of(folder / name) for name in (PROVENANCE, WRITING)]
    return frozenset[str]().union(*(files_of(one) for one in notes if made_by is None or one.get("made_by") == made_by))


def _refuse_foreign(folder: Path, texts: Mapping[str, str], ours: frozenset[str]) -> None:
    foreign = [name for name in texts if name not in ours and name != PROVENANCE and (folder / name).exists()]
    if foreign:
        help_ = "name another folder, or move it away"
        message = "the file is there already, and no import wrote it"
        raise LoadError(tuple(Problem(str(folder / name), 0, 0, "exists", message, help_) for name in foreign))
