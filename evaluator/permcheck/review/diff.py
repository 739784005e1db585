"""Compare two estates by what people can do: which answers differ, and which edit is responsible."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from permcheck.bulk.act import Act
from permcheck.bulk.answers import Answers, Cell, Selection, View
from permcheck.bulk.regions import Bits
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
MOST = 64
"""With more edits than this, nobody asks which of them is responsible for what."""


class Alone(NamedTuple):
    """One edit, and how the old estate would be read after it alone."""

    text: str
    view: Callable[[], View]
    edit: Edit | None = None
    """What it replaces, where it is one between two estates."""


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


@dataclass(frozen=True)
class Difference:
    """Every answer of a selection that differs between two views."""

    old: View
    new: View
    selection: Selection
    edits: Sequence[Alone] = ()

    @cached_property
    def changes(self) -> tuple[Changed, ...]:
        """The differences, with their causes."""
        plain = tuple(self._plain())
        if not plain or not self.edits:
            return plain
        if len(self.edits) == 1:
            return tuple(change._replace(causes=(self.edits[0].text,)) for change in plain)
        return tuple(self._with_causes(plain)) if self.attributed else plain

    @property
    def attributed(self) -> bool:
        """Whether it is told which edit is responsible: not where there are very many."""
        return len(self.edits) <= MOST

    @property
    def counts(self) -> Mapping[Kind, int]:
        """How many single answers changed in each way."""
        found: Counter[Kind] = Counter()
        for change in self.changes:
            found[change.kind] += change.cells
        return {kind: found[kind] for kind in dict.fromkeys(KINDS.values())}

    @property
    def word(self) -> Word:
        """The difference in one word."""
        kinds = {change.kind for change in self.changes}
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

    def _plain(self) -> Iterator[Changed]:
        for cell in Answers((self.old, self.new), self.selection).changed():
            for before, after, bits in differing(cell, 0, 1):
                yield Changed(cell.person.members, cell.act, Devices(cell.area, bits), before, after)

    def _with_causes(self, plain: Sequence[Changed]) -> Iterator[Changed]:
        """Ask again about what changed, with each edit alone beside the two."""
        users = tuple(dict.fromkeys(user for change in plain for user in change.users))
        acts = tuple(dict.fromkeys(change.act for change in plain))
        views = (self.old, self.new, *(edit.view() for edit in self.edits))
        for cell in Answers(views, Selection(users, acts, self.selection.devices)).changed():
            for before, after, bits in differing(cell, 0, 1):
                for causes, part in self._caused(cell, after, bits):
                    devices = Devices(cell.area, part)
                    yield Changed(cell.person.members, cell.act, devices, before, after, causes)

    def _caused(self, cell: Cell, after: Verdict, bits: Bits) -> Iterator[tuple[tuple[str, ...], Bits]]:
        """Divide changed answers by the edits that are enough alone."""
        parts: dict[tuple[str, ...], Bits] = {(): bits}
        for place, edit in enumerate(self.edits, start=2):
            enough = cell.area.regions.bits(cell.regions[place], after)
            divided: dict[tuple[str, ...], Bits] = {}
            for causes, part in parts.items():
                if part & enough:
                    divided[(*causes, edit.text)] = part & enough
                if part & ~enough:
                    divided[causes] = part & ~enough
            parts = divided
        for causes, part in parts.items():
            yield causes or (SEVERAL,), part


def differing(cell: Cell, one: int, two: int) -> Iterator[tuple[Verdict, Verdict, Bits]]:
    """Return device classes whose answers differ between two views, by both verdicts."""
    regions = cell.area.regions
    for before, after in KINDS:
        bits = regions.bits(cell.regions[one], before) & regions.bits(cell.regions[two], after)
        if bits:
            yield before, after, bits
