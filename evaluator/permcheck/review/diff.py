"""Compare two estates by what people can do: which answers differ, and which edit is responsible."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from operator import itemgetter
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from permcheck.bulk.act import Act
from permcheck.bulk.alike import seen_otherwise
from permcheck.bulk.answers import Answers, Area, Selection, View
from permcheck.bulk.regions import Bits, RegionId, Regions
from permcheck.model.state import Verdict
from permcheck.model.tables import Key
from permcheck.review.row import Devices

if TYPE_CHECKING:
    from permcheck.review.edits import Edit

Kind: TypeAlias = Literal["gained", "lost", "opened", "closed"]
"""What became of an answer. Opened: deny became undetermined. Closed: undetermined became deny."""
Word: TypeAlias = Literal["equivalent", "more permissive", "less permissive", "incomparable"]

KINDS: Mapping[tuple[Verdict, Verdict], Kind] = {
    (Verdict.DENY, Verdict.ALLOW): "gained",
    (Verdict.UNDETERMINED, Verdict.ALLOW): "gained",
    (Verdict.ALLOW, Verdict.DENY): "lost",
    (Verdict.ALLOW, Verdict.UNDETERMINED): "lost",
    (Verdict.DENY, Verdict.UNDETERMINED): "opened",
    (Verdict.UNDETERMINED, Verdict.DENY): "closed",
}
MORE: frozenset[Kind] = frozenset({"gained", "opened"})
SEVERAL = "several edits together"
PAIR = ("before", "after")
"""What is compared; further views are those after single edits."""
UNASKED = "edits, too many to ask about each alone"
MOST = 64
"""With more edits than this, nobody asks which of them is responsible for what."""


class Alone(NamedTuple):
    """One edit, and how the old estate would be read after it alone."""

    text: str
    view: Callable[[], View]
    edit: Edit | None = None
    """What it replaces, where it is one between two estates."""


class Part(NamedTuple):
    """Classes of devices of which answers changed in one way, by the same cause."""

    before: Verdict
    after: Verdict
    causes: tuple[str, ...]
    bits: Bits


class Changed(NamedTuple):
    """Answers that differ: for all of these users and devices in the same way, by the same cause."""

    users: tuple[Key, ...]
    act: Act
    devices: Devices
    before: Verdict
    after: Verdict
    causes: tuple[str, ...] = ()
    """Edits each of which is enough alone; else what `SEVERAL` says."""

    @property
    def kind(self) -> Kind:
        """What became of the answers."""
        return KINDS[self.before, self.after]

    @property
    def cells(self) -> int:
        """How many single answers it stands for."""
        return len(self.users) * (self.devices.count if self.devices.area.on_devices else 1)


class Alike(NamedTuple):
    """Classes of users, by number, for whom an action in an area changed in the same way."""

    persons: tuple[int, ...]
    act: Act
    area: Area
    regions: tuple[RegionId, ...]
    """By view: before, after, and after each edit alone."""


class Unit(NamedTuple):
    """What is compared in one step: everybody's answers about an action in an area."""

    act: Act
    area: int


Watch: TypeAlias = Callable[[Iterator[Unit], int], Iterator[Unit]]
"""Passes on what is compared, of which there is a number, and may show how far it is."""


def _unseen(units: Iterator[Unit], _size: int) -> Iterator[Unit]:
    """Pass on what is compared: nobody looks."""
    return units


@dataclass(frozen=True)
class Difference:
    """Every answer of a selection that differs between two views."""

    old: View
    new: View
    selection: Selection
    edits: Sequence[Alone] = ()
    watch: Watch = _unseen

    def watched(self, watch: Watch) -> Difference:
        """Return the same difference, watched by something that shows how far it is."""
        return replace(self, watch=watch)

    @cached_property
    def changes(self) -> tuple[Changed, ...]:
        """The differences, with their causes: those of people who are alike, class by class."""
        answers = self._answers
        found = [(person, alike, part) for alike in self._alike(answers) for part in self._parts(alike)
                 for person in alike.persons]  # fmt: skip
        found.sort(key=itemgetter(0))
        return tuple(self._changed(answers, (person,), alike, part) for person, alike, part in found)

    def rectangles(self) -> Iterator[Changed]:
        """Return the same, worked out as it is read: everybody in one for whom an action changed in the same way."""
        answers = self._answers
        for alike in self._alike(answers):
            for part in self._parts(alike):
                yield self._changed(answers, alike.persons, alike, part)

    @property
    def attributed(self) -> bool:
        """Whether it is told which edit is responsible: not where there are very many."""
        return len(self.edits) <= MOST

    @cached_property
    def counts(self) -> Mapping[Kind, int]:
        """How many single answers changed in each way."""
        return self._changed_at_all[0]

    @property
    def word(self) -> Word:
        """The difference in one word."""
        kinds = {kind for kind, count in self.counts.items() if count}
        if not kinds:
            return "equivalent"
        if kinds <= MORE:
            return "more permissive"
        return "incomparable" if kinds & MORE else "less permissive"

    @cached_property
    def moved(self) -> Mapping[str, tuple[str, str]]:
        """Hierarchies for which another authority decides than before: who did, and who does."""
        engines = self.old.engine, self.new.engine
        found = {}
        for key, form in self.new.engine.tables.hierarchies.items():
            if key in self.old.engine.tables.hierarchies:
                before, after = (
                    " or ".join(dict.fromkeys(w.row.authority for w in engine.worlds(key) if w.row))
                    for engine in engines
                )
                if before != after:
                    found[form.id] = (before, after)
        return found

    @cached_property
    def _plain(self) -> Answers:
        return Answers((self.old, self.new), self._touched)

    @property
    def _touched(self) -> Selection:
        """Those of the selection whose answers may differ: where members of groups moved, nobody but them."""
        others = seen_otherwise(self.old.engine, self.new.engine) if self.old.strict is self.new.strict else None
        if others is None:
            return self.selection
        return self.selection._replace(users=tuple(user for user in self.selection.users if user in others))

    @cached_property
    def _changed_at_all(self) -> tuple[Mapping[Kind, int], Selection]:
        """How many answers changed in each way, and those of the selection to whom and what it happened."""
        counts: Counter[Kind] = Counter()
        persons, acts, answers = set[int](), dict[Act, None](), self._plain
        for alike in self._alike(answers):
            people = sum(len(answers.persons[person].members) for person in alike.persons)
            for before, after, bits in differing(alike.area.regions, alike.regions):
                counts[KINDS[before, after]] += people * alike.area.regions.count(bits)
            persons.update(alike.persons)
            acts[alike.act] = None
        users = tuple(user for person in sorted(persons) for user in answers.persons[person].members)
        found = {kind: counts[kind] for kind in dict.fromkeys(KINDS.values())}
        return found, Selection(users, tuple(acts), self.selection.devices)

    @property
    def _answers(self) -> Answers:
        """What is asked for causes: what changed, with each edit alone beside the two."""
        if len(self.edits) < 2 or not self.attributed:  # noqa: PLR2004 - one edit is the cause of everything
            return self._plain
        changed = self._changed_at_all[1]
        if not changed.users:
            return self._plain
        return Answers((self.old, self.new, *(edit.view() for edit in self.edits)), changed)

    def _alike(self, answers: Answers) -> Iterator[Alike]:
        units = [Unit(act, area) for act in answers.selection.acts for area in answers.areas_of(act)]
        for act, area in self.watch(iter(units), len(units)):
            columns = [answers.column(place, act, area) for place in range(len(answers.views))]
            if columns[0] == columns[1]:
                continue
            found: dict[tuple[RegionId, ...], list[int]] = {}
            for person, regions in enumerate(zip(*columns, strict=True)):
                if regions[0] != regions[1]:
                    found.setdefault(regions, []).append(person)
            for regions, persons in found.items():
                yield Alike(tuple(persons), act, answers.areas[area], regions)

    def _parts(self, alike: Alike) -> Iterator[Part]:
        """Return sets of devices of which the answers changed in one way, by the same cause."""
        for before, after, bits in differing(alike.area.regions, alike.regions):
            if len(self.edits) == 1:
                yield Part(before, after, (self.edits[0].text,), bits)
            elif len(alike.regions) > len(PAIR):
                yield from (Part(before, after, *found) for found in self._caused(alike, after, bits))
            else:
                yield Part(before, after, (), bits)

    def _caused(self, alike: Alike, after: Verdict, bits: Bits) -> Iterator[tuple[tuple[str, ...], Bits]]:
        """Divide changed answers by the edits that are enough alone."""
        parts: dict[tuple[str, ...], Bits] = {(): bits}
        for region, edit in zip(alike.regions[len(PAIR) :], self.edits, strict=True):
            enough = alike.area.regions.bits(region, after)
            divided: dict[tuple[str, ...], Bits] = {}
            for causes, part in parts.items():
                if part & enough:
                    divided[(*causes, edit.text)] = part & enough
                if part & ~enough:
                    divided[causes] = part & ~enough
            parts = divided
        for causes, part in parts.items():
            yield causes or (SEVERAL,), part

    def _changed(self, answers: Answers, persons: Sequence[int], alike: Alike, part: Part) -> Changed:
        users = tuple(user for person in persons for user in answers.persons[person].members)
        return Changed(users, alike.act, Devices(alike.area, part.bits), part.before, part.after, part.causes)


def differing(regions: Regions, views: Sequence[RegionId]) -> Iterator[tuple[Verdict, Verdict, Bits]]:
    """Return device classes whose answers differ between the first two views, by both verdicts."""
    for before, after in KINDS:
        bits = regions.bits(views[0], before) & regions.bits(views[1], after)
        if bits:
            yield before, after, bits
