"""Choose users, actions and devices by name, pattern, group, collection or hierarchy."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import NamedTuple, TypeVar

from permcheck.ask import Asker
from permcheck.bulk.act import Act
from permcheck.bulk.answers import Selection
from permcheck.errors import NothingSelectedError, PermcheckError, UnknownNameError
from permcheck.graph.node import Node
from permcheck.graph.rights import GrantGraph
from permcheck.loading.resolve_people import group_names
from permcheck.model.fold import fold_case
from permcheck.model.names import Names
from permcheck.model.tables import Key, hierarchy_of

T = TypeVar("T")
WILD = frozenset("*?[")
EFFECT, TARGET = "effect:", "target:"


class Chosen(NamedTuple):
    """What a review is about, as people write it. Nothing chosen is everything."""

    users: Sequence[str] = ()
    actions: Sequence[str] = ()
    devices: Sequence[str] = ()


def select(asker: Asker, graph: GrantGraph, chosen: Chosen) -> Selection:
    """Resolve every selector. Raises UnknownNameError, AmbiguousNameError or NothingSelectedError."""
    picker = _Picker(asker, graph)
    return Selection(
        picker.users(chosen.users),
        picker.acts(chosen.actions, on_devices=bool(chosen.devices)),
        picker.devices(chosen.devices) if chosen.devices else None,
    )


def select_in_both(sides: Sequence[tuple[Asker, GrantGraph]], chosen: Chosen) -> Selection:
    """Resolve selectors in two estates: what only one of them has is chosen there. Raises like `select`."""
    found: list[Selection] = []
    problem: PermcheckError | None = None
    for asker, graph in sides:
        try:
            found.append(select(asker, graph, chosen))
        except (UnknownNameError, NothingSelectedError) as error:
            problem = error
    if problem is not None and not found:
        raise problem
    devices = [key for one in found for key in one.devices or ()]
    return Selection(
        tuple(dict.fromkeys(user for one in found for user in one.users)),
        tuple(dict.fromkeys(act for one in found for act in one.acts)),
        tuple(dict.fromkeys(devices)) if chosen.devices else None,
    )


class _Picker:
    def __init__(self, asker: Asker, graph: GrantGraph) -> None:
        self._asker, self._graph, self._tables = asker, graph, asker.tables

    def users(self, texts: Sequence[str]) -> tuple[Key, ...]:
        """Users by any name, by a pattern over the UPN, or `group:NAME` with everybody in it."""
        if not texts:
            return _some("user", "the estate", tuple(self._tables.users))
        by = {"group:": self._in_group}
        names = ((key, record.upn) for key, record in self._tables.users.items())
        return _picked("user", texts, by, names, self._asker.users.find)

    def _in_group(self, name: str) -> Iterator[Key]:
        group = Node("group", group_names(self._tables.groups).find(name))
        return (user for user in self._tables.users if group in self._graph.groups(Node("user", user)))

    def devices(self, texts: Sequence[str]) -> tuple[Key, ...]:
        """Devices by any name, by a pattern over the name, `collection:NAME` or `hierarchy:NAME`."""
        by = {"collection:": self._in_collection, "hierarchy:": self._in_hierarchy}
        names = ((key, record.name) for key, record in self._tables.devices.items())
        return _picked("device", texts, by, names, self._asker.devices.find)

    def _in_collection(self, name: str) -> Iterator[Key]:
        collection = self._collections().find(name)
        return (key for key, inside in self._tables.device_collections.items() if collection in inside)

    def _collections(self) -> Names:
        return Names(
            "collection",
            (
                (key, (form.name, form.id, f"{hierarchy_of(key)}/{form.name}", f"{hierarchy_of(key)}/{form.id}"))
                for key, form in self._tables.collections.items()
                if form.kind == "device"
            ),
        )

    def _in_hierarchy(self, name: str) -> Iterator[Key]:
        hierarchy = self._asker.hierarchies.find(name)
        return (key for key in self._tables.devices if hierarchy_of(key) == hierarchy)

    def acts(self, texts: Sequence[str], *, on_devices: bool) -> tuple[Act, ...]:
        """Actions by any name, with a variant behind a colon, `effect:act` or `target:device`."""
        known = self._asker.policy.actions.values()
        everything = [Act(action) for action in known if action.target == "device" or not on_devices]
        if not texts:
            return tuple(everything)
        found: dict[Act, None] = {}
        for text in texts:
            if text.startswith((EFFECT, TARGET)):
                kind, _, value = text.partition(":")
                mine = [act for act in everything if getattr(act.action, kind) == value]
                found |= dict.fromkeys(_some("action", text, tuple(mine)))
            else:
                found[Act(*self._asker.act(text))] = None
        return tuple(found)


def _picked(
    kind: str,
    texts: Sequence[str],
    by: Mapping[str, Callable[[str], Iterator[Key]]],
    names: Iterable[tuple[Key, str]],
    find: Callable[[str], Key],
) -> tuple[Key, ...]:
    found: dict[Key, None] = {}
    known: list[tuple[Key, str]] | None = None
    for text in texts:
        prefix = next((p for p in by if text.startswith(p)), None)
        if prefix is not None:
            mine = tuple(by[prefix](text.removeprefix(prefix)))
        elif WILD.isdisjoint(text):
            mine = (find(text),)
        else:
            known = list(names) if known is None else known
            mine = tuple(key for key, name in known if fnmatchcase(fold_case(name), fold_case(text)))
        found |= dict.fromkeys(_some(kind, text, mine))
    return tuple(found)


def _some(kind: str, text: str, found: tuple[T, ...]) -> tuple[T, ...]:
    if not found:
        raise NothingSelectedError(kind, text)
    return found
