"""What a change lets people do that they could not do before, by the edit that is responsible."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cache
from typing import Final, NamedTuple

from permcheck.checks.context import Context
from permcheck.checks.finding import NotRun, Place
from permcheck.checks.wording import counted, lacking, listing
from permcheck.model.state import Verdict
from permcheck.model.tables import Key, Tables
from permcheck.review.diff import MORE, SEVERAL, UNASKED, Alone, Changed, Difference

_LISTS: Final = ("users", "devices")
"""Who or what is not on the list of one estate would pass for new in the other."""
_FEW: Final = 3


class Widening(NamedTuple):
    """Answers that a change opens, and what was edited."""

    changes: tuple[Changed, ...] = ()
    edits: Sequence[Alone] = ()
    attributed: bool = True
    """Whether each edit was asked about alone."""


class Widened(NamedTuple):
    """Answers that an edit opens: it is enough alone, or `SEVERAL` are, or none was asked about alone: `UNASKED`."""

    edit: str
    place: Place
    changes: tuple[Changed, ...]


def widened(
    context: Context, effects: Iterable[str], devices: tuple[Key, ...] | None = None
) -> Generator[NotRun, None, Widening]:
    """Return what people can do now, or may be able to, and could not before. Yields what can't be evaluated."""
    doubtful = context.before.tables.doubtful(*_LISTS)
    if doubtful:
        yield context.not_run(f"the estate to compare with does not have the whole list of {', '.join(doubtful)}")
        return Widening()
    yield from lacking(context, *_LISTS)
    whole = _comparison(context)
    acts = tuple(
        act for effect in dict.fromkeys(effects) for act in whole.selection.acts if act.action.effect == effect
    )
    difference = replace(whole, selection=whole.selection._replace(acts=acts, devices=devices))
    changes = tuple(change for change in difference.changes if change.kind in MORE)
    return Widening(changes, difference.edits, difference.attributed)


def _comparison(context: Context) -> Difference:
    """Return the comparison of the two estates: edits, and the estate after each of them, are worked out once."""
    found: Difference | None = context.shared.get("comparison")
    if found is None:
        whole = context.before.diff(context.estate)
        edits = tuple(one._replace(view=cache(one.view)) for one in whole.edits)
        found = context.shared["comparison"] = replace(whole, edits=edits)
    return found


def by_edit(context: Context, widening: Widening) -> Iterator[Widened]:
    """Return what a change opens by the edits that are responsible."""
    found: dict[str, list[Changed]] = {}
    for change in widening.changes:
        for cause in change.causes or (SEVERAL if widening.attributed else UNASKED,):
            found.setdefault(cause, []).append(change)
    edits = {edit.text: edit for edit in reversed(widening.edits)}
    for text, mine in found.items():
        yield Widened(text, _place(context, edits.get(text)), tuple(mine))


def _place(context: Context, alone: Alone | None) -> Place:
    """Return where the edited record stands in the new estate; the estate itself, where nobody can tell."""
    edit = None if alone is None else alone.edit
    for section, key, field in () if edit is None else edit.subjects():
        if context.estate.tables.places.of(section, key, field) is not None:
            return context.origin(section, key, field)
    return Place(context.estate.name)


def said(tables: Tables, one: Widened) -> str:
    """Say by what, who can do how much more, and who may be able to."""
    certain, possible = (
        [change for change in one.changes if (change.after is Verdict.ALLOW) is certain] for certain in (True, False)
    )
    parts = [
        _part(tables, changes, word)
        for changes, word in ((certain, "can now"), (possible, "may now be able to"))
        if changes
    ]
    return f"by {one.edit if one.edit in {SEVERAL, UNASKED} else f'`{one.edit}`'}, {', and '.join(parts)}"


def _part(tables: Tables, changes: Sequence[Changed], word: str) -> str:
    users = {tables.users[user].upn for change in changes for user in change.users}
    acts = {change.act for change in changes}
    open_before = sum(change.cells for change in changes if change.before is Verdict.UNDETERMINED)
    doubt = f", {open_before:,} of them undetermined before" if open_before else ""
    return (
        f"{counted(len(users), 'user')} ({listing(users, _FEW)}) {word} use {counted(len(acts), 'action')}"
        f" ({counted(sum(change.cells for change in changes), 'answer')}{doubt})"
    )


def advice(context: Context, one: Widened) -> str:
    """Say which actions it is about, and what to do."""
    return f"{context.facts.fix} Actions: {listing(str(change.act) for change in one.changes)}"
