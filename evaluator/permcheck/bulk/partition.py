"""Divide the rows of an inventory into classes with numpy: exactly what is done device by device without it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from permcheck.bulk.regions import Bits, bits_of, few
from permcheck.bulk.rows import NOT_THERE, Rows
from permcheck.model.inventory import Inventory
from permcheck.model.tables import Key

if TYPE_CHECKING:
    import numpy as np

    from permcheck.bulk.ground import Atom, Signer

WIDE: Final = 2**40
"""Codes above it are numbered anew, so that further facts fit beside them."""
BLOCK: Final = 2**14
"""So many rows are looked at together."""
FEW: Final = 64
"""So many classes make a set sooner without numpy."""
TRIES: Final = 8
"""Hashes that are tried: that one confuses two devices happens once in a million estates, and is noticed."""


class Members(Sequence[Sequence[Key]]):
    """Class -> keys of its devices, made when they are asked for."""

    def __init__(self, rows: Rows, order: np.ndarray, starts: list[int]) -> None:
        self._rows, self._order, self._starts = rows, order, starts

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self[one] for one in range(*index.indices(len(self)))]
        if not -len(self) <= index < len(self):
            raise IndexError(index)
        index %= len(self)
        numbers = self._order[self._starts[index] : self._starts[index + 1]].tolist()
        return tuple(self._rows.key(number) for number in numbers)

    def __iter__(self) -> Iterator[Sequence[Key]]:
        keys, order = self._rows.keys, self._order.tolist()
        for start, end in zip(self._starts, self._starts[1:], strict=False):
            yield tuple([keys[number] for number in order[start:end]])

    def __len__(self) -> int:
        return len(self._starts) - 1

    def each(self) -> Iterator[tuple[Key, int]]:
        """Return every device with the number of its class."""
        keys = self._rows.keys
        order = self._order.tolist()
        for index, (start, end) in enumerate(zip(self._starts, self._starts[1:], strict=False)):
            for number in order[start:end]:
                yield keys[number], index

    @property
    def sizes(self) -> list[int]:
        """How many devices each class has."""
        return [end - start for start, end in zip(self._starts, self._starts[1:], strict=False)]


class Pairs(NamedTuple):
    """Things and what is said of them, ordered by thing and then by what is said; nothing twice."""

    starts: np.ndarray
    said: np.ndarray


class Seen(NamedTuple):
    """What one estate says of the classes."""

    atoms: dict[Atom, Bits]
    alike: list[tuple[Key, Bits]]
    there: Bits


def divide(signers: Sequence[Signer | None], hierarchy: Key, rows: Rows) -> tuple[Members, list[Seen]]:
    """Divide rows into classes that none of some estates, which take their devices from them, tells apart."""
    import numpy as np

    views = [_Signed(signer, hierarchy, rows) if signer else None for signer in signers]
    classes = np.zeros(len(rows), np.int64)
    for view in views:
        if view is not None:
            classes = view.classes if not classes.any() else joined(classes, view.classes)
    sizes = np.bincount(classes)
    count, rank = len(sizes), np.empty(len(sizes), np.int64)
    rank[np.lexsort((np.arange(count), -sizes))] = np.arange(count)
    order, starts = grouped(rank[classes], count)
    first = order[starts[:-1]]
    members = Members(rows, order, starts.tolist())
    return members, [Seen({}, [], 0) if view is None else view.seen(first) for view in views]


class _Signed:
    """The rows as one estate sees them."""

    def __init__(self, signer: Signer, hierarchy: Key, rows: Rows) -> None:
        import numpy as np

        inventory = signer.inventory
        places = rows.of(inventory)
        there = (places != NOT_THERE).nonzero()[0]
        self._rows = places[there]
        self._at = np.full(len(rows), NOT_THERE, np.int64)
        """Where each of all rows stands among those that this estate has."""
        self._at[there] = np.arange(len(there))
        self._signer, self._inventory = signer, inventory
        self._facts = facts_of(inventory)[self._rows]
        self._open = inventory.open[self._rows]
        masks = [signer.of_collection.get(key, 0) for key in inventory.collections]
        groups: dict[Bits, int] = {0: 0}
        self._group_of = np.asarray([groups.setdefault(mask, len(groups)) for mask in masks], np.int32)
        self._masks = list(groups)
        self._root: Bits = 0
        for key in inventory.roots.get(hierarchy, ()):
            self._root |= signer.of_collection.get(key, 0)
        self._pairs = self._groups()
        classes = self._classes(self._facts * 2 + self._open)
        self.classes = classes if len(there) == len(rows) else self._with_others(there, classes)
        """The class of each of all rows; what the estate does not have is one."""

    def _with_others(self, there: np.ndarray, classes: np.ndarray) -> np.ndarray:
        import numpy as np

        found = np.zeros(len(self._at), np.int64)
        found[there] = 1 + classes
        return found

    def _classes(self, codes: np.ndarray) -> np.ndarray:
        """Join rows whose collections say the same, then those of which the same is said by other collections."""
        rough, first = partition(codes, self._pairs)
        fine, left = partition(codes[first], self._atoms(taken(self._pairs, first)))
        return rough if len(left) == len(first) else fine[rough]

    def _groups(self) -> Pairs:
        """Return the groups of collections that each row is in; some rows after the other, which needs less memory."""
        import numpy as np

        inventory, starts, said, before = self._inventory, [np.zeros(1, np.int64)], [np.zeros(0, np.int32)], 0
        for start in range(0, len(self._rows), BLOCK):
            rows = self._rows[start : start + BLOCK]
            counts, inside = gathered(inventory.starts, inventory.inside, rows)
            found = self._group_of.take(inside)
            entries = found.nonzero()[0]
            owners = np.repeat(np.arange(len(rows), dtype=np.int64), counts)[entries]
            pairs = pairs_of(owners, found[entries], len(rows), len(self._masks))
            starts.append(pairs.starts[1:] + before)
            said.append(pairs.said)
            before += len(pairs.said)
        return Pairs(np.concatenate(starts), np.concatenate(said))

    def _atoms(self, pairs: Pairs) -> Pairs:
        """Return what is said of things by the groups that they are in."""
        import numpy as np

        lists = [list(few(mask)) for mask in self._masks]
        sizes = np.asarray([len(one) for one in lists], np.int64)
        starts = np.concatenate([[0], np.cumsum(sizes)])
        flat = np.asarray([atom for one in lists for atom in one], np.int32)
        owners = np.repeat(np.arange(len(pairs.starts) - 1, dtype=np.int64), np.diff(pairs.starts))
        counts, said = gathered(starts, flat, pairs.said)
        return pairs_of(np.repeat(owners, counts), said, len(pairs.starts) - 1, len(self._signer.atoms))

    def seen(self, first: np.ndarray) -> Seen:
        """Return what is said of the classes, of each of which one row is given."""
        import numpy as np

        signer, size = self._signer, len(first)
        at = self._at[first]
        classes = (at != NOT_THERE).nonzero()[0]
        mine, there = at[classes], packed(classes, size)
        pairs = self._atoms(taken(self._pairs, mine))
        owners = np.repeat(classes, np.diff(pairs.starts))
        order, ends = grouped(pairs.said, len(signer.atoms))
        by_atom = owners[order]
        bits = [packed(by_atom[ends[i] : ends[i + 1]], size) for i in range(len(signer.atoms))]
        opened = packed(classes[self._open[mine].nonzero()[0]], size)
        for number in few(signer.open):
            bits[number] |= opened
        for number in few(self._root):
            bits[number] = there
        atoms = {atom: found for atom, found in zip(signer.atoms, bits, strict=True) if found}
        alike = [(key, packed(classes[which], size)) for key, which in self._alike(mine, pairs)]
        return Seen(atoms, alike, there)

    def _alike(self, rows: np.ndarray, pairs: Pairs) -> Iterator[tuple[Key, np.ndarray]]:
        """Return rows on which a test of a fact comes out the same, with the device of one of them."""
        import numpy as np

        size = len(rows)
        codes = self._facts[rows] * 2 + self._open[rows]  # that of further collections is one of the facts
        counted = np.zeros(len(self._signer.atoms), bool)
        counted[list(few(self._signer.of_facts))] = True
        right = counted[pairs.said]
        owners = np.repeat(np.arange(size), np.diff(pairs.starts))[right]
        looks, shown = partition(codes, pairs_of(owners, pairs.said[right], size, len(counted)))
        order, ends = grouped(looks, len(shown))
        for i, row in enumerate(shown.tolist()):
            yield self._inventory.noted_key(int(self._rows[rows[row]])), order[ends[i] : ends[i + 1]]


def facts_of(inventory: Inventory) -> np.ndarray:
    """Return a number for the facts of every row: the same for the same facts."""
    import numpy as np

    from permcheck.bulk.ground import FACT_NAMES

    codes = np.zeros(len(inventory), np.int64)
    for name in FACT_NAMES:
        if name in inventory.columns:
            column = coded(inventory.columns[name])
            codes = codes * (int(column.max(initial=0)) + 1) + column
            if int(codes.max(initial=0)) > WIDE:
                codes = numbered(codes)[0]
    return codes


def coded(column: Any) -> np.ndarray:
    """Return a number for every value of a column; nothing is 0."""
    import numpy as np
    import pyarrow as pa

    if pa.types.is_list(column.type) or pa.types.is_large_list(column.type):
        known: dict[Any, int] = {None: 0}
        lists = (None if value is None else tuple(value) for value in column.to_pylist())
        return np.asarray([known.setdefault(value, len(known)) for value in lists], np.int64)
    if pa.types.is_boolean(column.type):
        return np.asarray(column.cast(pa.int8()).fill_null(-1)).astype(np.int64) + 1
    encoded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    values = {value: number for number, value in enumerate(dict.fromkeys(encoded.dictionary.to_pylist()), 1)}
    same = np.asarray([*(values[value] for value in encoded.dictionary.to_pylist()), 0], np.int64)
    codes: np.ndarray = same[np.asarray(encoded.indices.fill_null(len(same) - 1))]
    return codes


def pairs_of(owners: np.ndarray, said: np.ndarray, count: int, most: int) -> Pairs:
    """Order what is said of things, and drop what is said twice."""
    import numpy as np

    most = max(most, 1)
    keys = np.sort(owners * most + said)
    if len(keys):
        keys = keys[np.concatenate([[True], keys[1:] != keys[:-1]])]
    things = keys // most
    starts = np.concatenate([[0], np.cumsum(np.bincount(things, minlength=count))])
    return Pairs(starts, (keys - things * most).astype(np.int32))


def gathered(starts: np.ndarray, values: np.ndarray, chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return how many values each chosen thing has, and those values one after the other."""
    import numpy as np

    begin = starts[chosen]
    counts = starts[chosen + 1] - begin
    ends = np.cumsum(counts)
    total = int(ends[-1]) if len(ends) else 0
    return counts, values[np.arange(total) + np.repeat(begin - (ends - counts), counts)]


def taken(pairs: Pairs, chosen: np.ndarray) -> Pairs:
    """Return what is said of some things."""
    import numpy as np

    counts, said = gathered(pairs.starts, pairs.said, chosen)
    return Pairs(np.concatenate([[0], np.cumsum(counts)]), said)


def partition(codes: np.ndarray, pairs: Pairs) -> tuple[np.ndarray, np.ndarray]:
    """Give things with one code, of which the same is said, one number, in order of appearance.

    Returns the numbers, and the first thing of each. They are found by a hash, and every thing is compared
    with the first of its number; if one differs, another hash is tried.
    """
    import numpy as np

    for seed in range(TRIES):
        draw = np.random.default_rng(seed)
        value = draw.integers(1, 2**63, int(pairs.said.max(initial=0)) + 1, np.uint64)
        total = np.concatenate([np.zeros(1, np.uint64), np.cumsum(value[pairs.said], dtype=np.uint64)])
        hashes = total[pairs.starts[1:]] - total[pairs.starts[:-1]]
        hashes = hashes * np.uint64(0x9E3779B97F4A7C15) + codes.astype(np.uint64)
        numbers, first = numbered(hashes)
        if _verified(codes, pairs, first[numbers]):
            return numbers, first
    message = "no hash tells the devices apart"
    raise AssertionError(message)


def _verified(codes: np.ndarray, pairs: Pairs, like: np.ndarray) -> bool:
    """Tell whether everything is what it is taken for."""
    import numpy as np

    counts = np.diff(pairs.starts)
    if not (np.array_equal(codes, codes[like]) and np.array_equal(counts, counts[like])):
        return False
    return np.array_equal(gathered(pairs.starts, pairs.said, like)[1], pairs.said)


def joined(one: np.ndarray, two: np.ndarray) -> np.ndarray:
    """Return numbers that are the same where both are the same, in order of appearance."""
    return numbered(one * (int(two.max(initial=0)) + 1) + two)[0]


def numbered(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return a number for every value, in order of appearance, and where each appears first."""
    import numpy as np
    import pyarrow as pa

    encoded = pa.array(values).dictionary_encode()
    numbers = encoded.indices.to_numpy().astype(np.int64)
    first = np.empty(len(encoded.dictionary), np.int64)
    first[numbers[::-1]] = np.arange(len(values) - 1, -1, -1)
    return numbers, first


def grouped(numbers: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the places of each of some numbers below `count`, one number after the other, and where each starts."""
    import numpy as np

    size = max(len(numbers), 1)
    order = np.sort(numbers * np.int64(size) + np.arange(len(numbers))) % size
    return order, np.concatenate([[0], np.cumsum(np.bincount(numbers, minlength=count))])


def packed(numbers: np.ndarray, size: int) -> Bits:
    """Make a set of class numbers below `size`."""
    if len(numbers) < FEW:
        return bits_of(numbers.tolist(), size)
    import numpy as np

    flags = np.zeros(size, np.uint8)
    flags[numbers] = 1
    return int.from_bytes(np.packbits(flags, bitorder="little").tobytes(), "little")
