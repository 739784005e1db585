"""An estate that was written by hand, as plain values, and the ids that Microsoft's services would have given.

The writers beside this module turn it into the shapes of real exports, so that a test can hold "a folder of
exports" against "the same estate by hand". It is an oracle: it reads files, the policy and nothing else of
permcheck, and resolves names in its own few lines. Ids that the estate lacks are made from the names, always alike.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from permcheck.loading.policy import load_policy
from permcheck.loading.text import parse_file
from permcheck.model.estate import SECTIONS

Data: TypeAlias = dict[str, Any]

OURS = uuid.UUID("6d0a5c1e-0b8e-4f5b-9a70-7065726d6368")
FIRST_DEVICE, FIRST_USER, FIRST_GROUP = 0x0100_0000, 0x7B00_0000, 0x7C00_0000
"""Resource ids begin here in a real site."""
ALL_SYSTEMS = "SMS00001"
SCOPES = {"all": "SMS00ALL", "default": "SMS00UNA"}


def read_folder(root: Path) -> Data:
    """Join the files of an estate. A list that `complete` closes is there, and empty; an unknown list is not there."""
    joined: Data = {}
    for path in sorted(
        p for p in ([root] if root.is_file() else root.rglob("*")) if p.suffix in {".yaml", ".yml", ".json"}
    ):
        for key, value in parse_file(path).data.items():
            if isinstance(value, list) and isinstance(joined.get(key), list):
                joined[key] = joined[key] + value
            elif isinstance(value, dict) and isinstance(joined.get(key), dict):
                joined[key] = joined[key] | value
            else:
                joined[key] = value
    return closed(joined)


def closed(estate: Data) -> Data:
    """Add the lists that `complete` says are empty."""
    complete = estate.get("complete") or []
    empty = [s for s in SECTIONS if complete is True or s in complete]
    return {s: [] for s in empty} | {
        key: value for key, value in estate.items() if value is not None and key != "$schema"
    }


def made_id(*names: object) -> str:
    """Make a GUID from names."""
    return str(uuid.uuid5(OURS, "/".join(str(name).casefold() for name in names)))


def is_on(switch: Any) -> bool | None:
    """Read a switch of an estate file."""
    return None if switch is None else switch is True or str(switch).casefold() in {"on", "checked"}


def known(**facts: Any) -> Data:
    """Keep what is known: a property that was not asked for isn't in an answer."""
    return {key: value for key, value in facts.items() if value is not None}


def write_json(path: Path, value: Any, indent: int | None = 2, encoding: str = "utf-8") -> None:
    """Write one JSON file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, ensure_ascii=False, indent=indent), encoding=encoding)


class Principal(NamedTuple):
    """A user or a group with its object id."""

    kind: str
    id: str
    record: Data


@dataclass(frozen=True)
class Book:
    """Looks things up in an estate by any of their names."""

    data: Data
    _owned: dict[tuple[str, str], list[Data] | None] = field(default_factory=dict)

    def all(self, section: str) -> list[Data]:
        """Return the records of a list, none if it is unknown."""
        return list(self.data.get(section) or ())

    @cached_property
    def tenant(self) -> Data:
        return dict(self.data.get("tenant") or {})

    @cached_property
    def principals(self) -> dict[str, Principal]:
        """Every name of every user and group, folded; users first."""
        found: dict[str, Principal] = {}
        for kind, section, keys in (
            ("user", "users", ("upn", "id", "sid", "account")),
            ("group", "groups", ("name", "id", "sid", "account")),
        ):
            for record in self.all(section):
                principal = Principal(
                    kind, record.get("id") or made_id(kind, record[keys[0]], record.get("sid") or ""), record
                )
                for name in (record.get(key) for key in keys):
                    if name:
                        found.setdefault(str(name).casefold(), principal)
        return found

    def of(self, section: str) -> Iterator[Principal]:
        """Every user or group, once."""
        seen: set[int] = set()
        for principal in self.principals.values():
            if principal.kind == section.removesuffix("s") and id(principal) not in seen:
                seen.add(id(principal))
                yield principal

    def find(self, names: Iterable[str]) -> list[Principal]:
        """Users and groups by name; one that the estate doesn't list is a group without members."""
        return [
            self.principals.get(n.casefold()) or Principal("other", made_id("group", n, ""), {"name": n}) for n in names
        ]

    def hierarchy(self, name: str | None) -> Data:
        """Return a hierarchy by id or name; the only one where a record names none."""
        everyone = self.all("hierarchies")
        return next(
            h
            for h in everyone
            if name is None or name.casefold() in {h["id"].casefold(), str(h.get("name")).casefold()}
        )

    def own(self, section: str, hierarchy: str) -> list[Data] | None:
        """Return what belongs to a hierarchy, or None if nobody knows."""
        if section not in self.data:
            return None
        mine = self.hierarchy(hierarchy)["id"]
        return [r for r in self.all(section) if self.hierarchy(r.get("hierarchy"))["id"] == mine]

    def collection(self, hierarchy: str, name: str) -> Data:
        """Return a collection by name or id."""
        mine = self.own("collections", hierarchy) or ()
        return next(c for c in mine if name.casefold() in {c["id"].casefold(), c["name"].casefold()})

    def resource_ids(self, hierarchy: str) -> list[tuple[int, Data]]:
        """Every device of a hierarchy with its resource id; the third has a made one that nobody else has."""
        devices = self.own("devices", hierarchy) or []
        taken = {int(d["resource_id"]) for d in devices if str(d.get("resource_id") or "").isdigit()}
        free = (n for n in range(FIRST_DEVICE + 4096, FIRST_DEVICE + 10**7) if n not in taken)
        return [
            (int(d["resource_id"]) if str(d.get("resource_id") or "").isdigit() else next(free), d) for d in devices
        ]

    def members(self, hierarchy: str) -> dict[str, list[tuple[int, Data]]]:
        """Collection id -> its devices. All Systems contains them all."""
        result: dict[str, list[tuple[int, Data]]] = {}
        for collection in self.own("collections", hierarchy) or ():
            names = {collection["id"].casefold(), collection["name"].casefold()}
            listed = {str(name).casefold() for name in collection.get("members") or ()}
            result[collection["id"]] = [
                (number, device)
                for number, device in self.resource_ids(hierarchy)
                if collection["id"] == ALL_SYSTEMS
                or names & {c.casefold() for c in device.get("collections") or ()}
                or listed & {device["name"].casefold(), str(device.get("resource_id")).casefold()}
            ]
        return result

    @cached_property
    def tags(self) -> dict[str, str]:
        """Scope tag, folded -> id. Default is 0."""
        names = [t for r in (*self.all("intune_assignments"), *self.all("devices")) for t in r.get("scope_tags") or ()]
        others = dict.fromkeys(n for n in names if n.casefold() not in {"default", "0"})
        made = {n.casefold(): n if n.isdigit() else str(100 + i) for i, n in enumerate(others)}
        return {"default": "0", "0": "0"} | made

    def tag_rows(self) -> list[Data]:
        """Every scope tag with its name as it was written."""
        names = {
            str(t).casefold(): str(t)
            for r in (*self.all("intune_assignments"), *self.all("devices"))
            for t in r.get("scope_tags") or ()
        }
        return [
            {"id": id_, "displayName": "Default" if id_ == "0" else names[name], "isBuiltIn": id_ == "0"}
            for name, id_ in self.tags.items()
            if name != "0"
        ]

    def entra_id(self, device: Data) -> str | None:
        """Entra device id: of a device that Intune manages there is always one."""
        managed = device.get("management") in {"co-managed", "intune"}
        return device.get("entra_id") or (
            made_id("entra device", device.get("hierarchy"), device["name"]) if managed else None
        )


def build_of(release: int | None) -> str | None:
    """Version of a site of a release, such as 5.00.9088.1000."""
    version = load_policy().versions.get(release or 0)
    return f"{version.build}.1000" if version else None
