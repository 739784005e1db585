"""Count everything that everybody may do on every device: permcheck, and the same classes joined by DuckDB and Polars.

Others get more than a join needs: the classes of users and devices that permcheck made, and the outcome of every
requirement for each of them. Users with the same grants are one *face*, devices under the same collections one *spot*;
others join the grants of faces with the collections of spots, and add the permissions up as bits. What is left is
whether an action needs them, for a few kinds of users, devices and permissions: that is ours, and the same for all.

A cell that needs no collection is in no join. So the pairs that were joined are taken from all pairs, and the rest is
counted as pairs without permissions.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, TypeAlias

import duckdb
import polars as pl
from permcheck.api import Estate
from permcheck.bulk.act import Act
from permcheck.bulk.answers import Answers, Area, Selection
from permcheck.evaluate.leaf import run_test
from permcheck.evaluate.outcome import Context
from permcheck.evaluate.plan import Leaf, Tree, device_test
from permcheck.evaluate.question import Question
from permcheck.evaluate.security import row_of, with_permission
from permcheck.model import policy as form
from permcheck.model.state import MET, UNKNOWN, State
from permcheck.model.tables import Key

Kind: TypeAlias = tuple[int, int, int]
"""The number of a kind of user, that of a kind of device, and permissions as bits."""
Counts: TypeAlias = dict[Kind, int]
"""How many pairs of a user and a device are of a kind."""
Needs: TypeAlias = Callable[[int, int, int], bool]
"""Whether what a user meets, what a device meets, and permissions satisfy an action; all are bits."""
JOIN = """
with held as (
    select face, spot, bit_or(bits) as bits from grants join covers using (collection) group by face, spot
)
select users.kind, devices.kind, bits, sum(users.number * devices.number)
from held join users using (face) join devices using (spot) group by all
"""


class Classes(NamedTuple):
    """The classes of one hierarchy as tables."""

    users: list[tuple[int, int, int]]
    """Face, kind, number."""
    devices: list[tuple[int, int, int]]
    """Spot, kind, number."""
    grants: list[tuple[int, Key, int]]
    """Face, collection, permissions."""
    covers: list[tuple[int, Key]]
    """Spot, collection."""
    needs: dict[Act, Needs]
    kinds: tuple[list[int], list[int]]
    """What the numbers of kinds of users, and of devices, stand for: the requirements that they meet, as bits."""


COLUMNS = {
    "users": ("face", "kind", "number"),
    "devices": ("spot", "kind", "number"),
    "grants": ("face", "collection", "bits"),
    "covers": ("spot", "collection"),
}


def make_answers(estate: Estate) -> Answers:
    """Divide users and devices into classes, and work no answer out yet."""
    fresh = Estate(estate.tables, estate.policy)
    acts = tuple(Act(action) for action in estate.policy.actions.values() if action.target == "device")
    return Answers([fresh.view], Selection(tuple(estate.tables.users), acts))


def by_permcheck(answers: Answers) -> dict[str, int]:
    """Work every answer out, and count what is allowed by action."""
    weights = [len(person.members) for person in answers.persons]
    found: dict[str, int] = {}
    for act in answers.selection.acts:
        for index in answers.areas_of(act):
            people = Counter[int]()
            for region, weight in zip(answers.column(0, act, index), weights, strict=True):
                people[region] += weight
            counts = answers.areas[index].regions.counts
            certain = sum(counts(region)[0] * weight for region, weight in people.items())
            found[str(act)] = found.get(str(act), 0) + certain
    return found


class _Maker:
    """Makes tables of the classes of one hierarchy."""

    def __init__(self, answers: Answers, area: Area) -> None:
        self._answers, self._area = answers, area
        self._engine = answers.views[0].engine
        self._firsts = [area.ground.members[place][0] for place in range(area.ground.size)]
        self._persons = [person.members[0] for person in answers.persons]
        self._atoms: tuple[dict[Any, int], ...] = ({}, {}, {})
        self._met: tuple[list[int], list[int]] = ([0] * len(self._persons), [0] * area.ground.size)

    def make(self) -> Classes:
        """Return the classes with what each action needs."""
        needs = {act: self._action(act) for act in self._answers.selection.acts}
        kinds: tuple[dict[int, int], dict[int, int]] = ({}, {})
        faces: dict[Any, int] = {}
        spots: dict[Any, int] = {}
        users: Counter[tuple[int, int]] = Counter()
        devices: Counter[tuple[int, int]] = Counter()
        for place, person in enumerate(self._answers.persons):
            face = faces.setdefault(self._grants(person.members[0]), len(faces))
            kind = kinds[0].setdefault(self._met[0][place], len(kinds[0]))
            users[face, kind] += len(person.members)
        assigned = {collection for face in faces for collection, _ in face}
        for place, number in enumerate(self._area.ground.sizes):
            above = self._engine.membership.coverage(self._firsts[place]).above
            spot = spots.setdefault(frozenset(assigned & above.keys()), len(spots))
            devices[spot, kinds[1].setdefault(self._met[1][place], len(kinds[1]))] += number
        return Classes(
            [(*key, number) for key, number in users.items()],
            [(*key, number) for key, number in devices.items()],
            [(number, *pair) for face, number in faces.items() for pair in sorted(face)],
            [(number, one) for spot, number in spots.items() for one in sorted(spot)],
            needs,
            (list(kinds[0]), list(kinds[1])),
        )

    def _grants(self, user: Key) -> frozenset[tuple[Key, int]]:
        found: dict[Key, int] = {}
        question = Question(user, self._answers.selection.acts[0].action, None, self._area.hierarchy)
        context = self._context(question)
        for permission, number in self._atoms[2].items():
            for one in with_permission(context, permission):
                if one.state is MET:
                    for collection in row_of(context, one).collections:
                        found[collection] = found.get(collection, 0) | 1 << number
        return frozenset(found.items())

    def _context(self, question: Question) -> Context:
        (world,) = self._engine.worlds(self._area.hierarchy)
        return self._engine.context(question, world, self._engine.plan(question, world))

    def _action(self, act: Act) -> Needs:
        context = self._context(Question(self._persons[0], act.action, act.variant, self._area.hierarchy))
        plan = context.plan
        parts = [self._tree(context, plan.sides[side]) for side in plan.deciding]
        return _joined("all", [*parts, *([] if plan.documented else [_never])])

    def _tree(self, context: Context, tree: Tree) -> Needs:
        if isinstance(tree, State):
            return _always if tree is MET else _never
        if isinstance(tree, Leaf):
            return self._test(context, tree.test, tree)
        return _joined(tree.kind, [self._tree(context, child) for child in tree.children])

    def _test(self, context: Context, test: form.Test, leaf: Leaf) -> Needs:
        """Give a number to a test by what it looks at, and run it for everything of that sort."""
        if isinstance(test, form.Combined) and device_test(test):
            return _joined(test.kind, [self._test(context, case.test, leaf) for case in test.of])
        if isinstance(test, form.RightTest) and test.over == "device":
            number = self._atoms[2].setdefault(test.permission, len(self._atoms[2]))
            return lambda _user, _device, held: bool(held >> number & 1)
        sort = 1 if isinstance(test, form.FactTest) and device_test(test) else 0
        known, met = self._atoms[sort], self._met[sort]
        told = leaf.need.permission, leaf.need.value, leaf.need.at_least, leaf.need.updates
        asked = context.plan.asked_permission if isinstance(test, form.ScopeTagTest) else None
        of_action = context.question.action.id if "action." in repr(test) else None
        key = repr((test, told, asked, self._engine.assumes(leaf.requirement.id), of_action))
        if key not in known:
            known[key] = len(known)
            for place in range(len(met)):
                met[place] |= self._holds(context, test, leaf, sort, place) << known[key]
        number = known[key]
        if sort:
            return lambda _user, device, _held: bool(device >> number & 1)
        return lambda user, _device, _held: bool(user >> number & 1)

    def _holds(self, context: Context, test: form.Test, leaf: Leaf, sort: int, place: int) -> bool:
        user, device = (self._persons[0], self._firsts[place]) if sort else (self._persons[place], self._firsts[0])
        question = context.question._replace(user=user, device=device)
        state = run_test(context._replace(question=question), test, leaf.need).state
        return state is MET or (state is UNKNOWN and self._engine.assumes(leaf.requirement.id))


def _always(_user: int, _device: int, _held: int) -> bool:
    return True


def _never(_user: int, _device: int, _held: int) -> bool:
    return False


def _joined(kind: str, parts: list[Needs]) -> Needs:
    if kind == "all":
        return lambda user, device, held: all(part(user, device, held) for part in parts)
    return lambda user, device, held: any(part(user, device, held) for part in parts)


def classes_of(answers: Answers) -> list[Classes]:
    """Return the classes of each hierarchy as tables."""
    return [_Maker(answers, area).make() for area in answers.areas if area.on_devices]


def allowed(classes: Classes, joined: Counts) -> dict[str, int]:
    """Count what is allowed by action: over the pairs that were joined, and over the rest."""
    counts = Counter(joined)
    users, devices = Counter[int](), Counter[int]()
    for _, kind, number in classes.users:
        users[kind] += number
    for _, kind, number in classes.devices:
        devices[kind] += number
    for user, many in users.items():
        for device, number in devices.items():
            counts[user, device, 0] += many * number
    for (user, device, _), number in joined.items():
        counts[user, device, 0] -= number
    found = dict.fromkeys(map(str, classes.needs), 0)
    for (user, device, held), number in counts.items():
        met = classes.kinds[0][user], classes.kinds[1][device], held
        for act, needs in classes.needs.items():
            if number and needs(*met):
                found[str(act)] += number
    return found


def total(found: Iterable[dict[str, int]]) -> dict[str, int]:
    """Add up hierarchies."""
    result: Counter[str] = Counter()
    for one in found:
        result.update(one)
    return dict(result)


def ready_duckdb(parts: list[Classes]) -> Callable[[], dict[str, int]]:
    """Put the classes into tables of DuckDB, in memory."""
    bases = []
    for part in parts:
        base = duckdb.connect()
        for name, frame in _frames(part).items():
            arrow = frame.to_arrow()
            base.register("arrow", arrow)
            base.execute(f"create table {name} as select * from arrow")
            base.unregister("arrow")
        bases.append(base)

    def count() -> dict[str, int]:
        found = []
        for part, base in zip(parts, bases, strict=True):
            rows = base.execute(JOIN).fetchall()
            found.append(allowed(part, {(user, device, bits): int(number) for user, device, bits, number in rows}))
        return total(found)

    return count


def ready_polars(parts: list[Classes]) -> Callable[[], dict[str, int]]:
    """Put the classes into frames of Polars."""
    prepared = [_frames(part) for part in parts]

    def count() -> dict[str, int]:
        found = []
        for part, frames in zip(parts, prepared, strict=True):
            lazy = {name: frame.lazy() for name, frame in frames.items()}
            held = lazy["grants"].join(lazy["covers"], on="collection").group_by("face", "spot")
            pairs = (
                held.agg(pl.col("bits").bitwise_or())
                .join(lazy["users"], on="face")
                .join(lazy["devices"], on="spot")
                .group_by("kind", "kind_right", "bits")
                .agg((pl.col("number") * pl.col("number_right")).sum())
            )
            rows = pairs.collect().rows()
            found.append(allowed(part, {(user, device, bits): number for user, device, bits, number in rows}))
        return total(found)

    return count


def _frames(part: Classes) -> dict[str, pl.DataFrame]:
    """Make frames; kinds and collections are numbered anew so that they fit into whole numbers of 32 bits."""
    frames = {name: pl.DataFrame(getattr(part, name), names, orient="row") for name, names in COLUMNS.items()}
    known = {key: number for number, key in enumerate(dict.fromkeys(key for _, key, _ in part.grants))}
    for name in ("grants", "covers"):
        frames[name] = frames[name].with_columns(
            pl.col("collection").replace_strict(known, default=None, return_dtype=pl.Int32)
        )
    return frames
