"""Ids with the names that people gave them, where records refer to either: scope tags and security scopes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from permcheck.model.fold import fold_case
from permcheck.model.names import Names
from permcheck.model.policy import Builtin


@dataclass(frozen=True)
class Vocabulary:
    """The scope tags of a tenant, or the security scopes of a hierarchy: id -> name, those built in among them."""

    kind: str
    listed: Mapping[str, str]
    built_in: frozenset[str] = frozenset()
    whole: bool = False
    """Whether the estate lists them: then there is no other."""

    @cached_property
    def names(self) -> Names:
        """Ids, and names that find one."""
        entries = ((id_, (name,)) for id_, name in self.listed.items())
        return Names(self.kind, entries, ((id_, (id_,)) for id_ in self.listed))

    def id_of(self, text: str) -> str:
        """Return the id that a text stands for; of what nobody lists, its own name, folded."""
        return self.names.get(text) or fold_case(text)

    def near(self, text: str) -> tuple[str, ...]:
        """Return names that `text` may be a slip of; of those that are not listed as a whole, only built-in ones."""
        folded = fold_case(text)
        near = [name for name in self.names.near(folded) if abs(len(name) - len(folded)) <= 1]
        return tuple(name for name in near if self.whole or self.names.get(name) in self.built_in)

    def text_of(self, id_: str) -> str:
        """Return how records refer to an id: by its name if that is enough."""
        name = self.listed.get(id_)
        return name if name and self.names.meant(name) == (id_,) else id_

    def name_of(self, id_: str) -> str:
        """Return what people call the thing with an id; the id itself where that is not listed."""
        return self.listed.get(id_, id_)


def vocabulary(
    kind: str, builtins: Iterable[Builtin], listed: Iterable[tuple[str, str]], *, whole: bool = False
) -> Vocabulary:
    """Return the built-in ones, which nobody has to list, and those that an estate lists."""
    known = {one.id: one.name for one in builtins}
    capitals = {fold_case(id_): id_ for id_ in known}
    every = known | {capitals.get(fold_case(id_), id_): name for id_, name in listed}
    return Vocabulary(kind, every, frozenset(known), whole)
