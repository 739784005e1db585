"""Find lists of which a page is missing, by what the pages say of themselves; the names of their files are a hint."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import PurePath
from typing import Final
from urllib.parse import parse_qs, urlsplit

from permcheck.errors import Problem
from permcheck.exports.batch import Batch
from permcheck.exports.gathered import Gathered

SKIPS: Final = ("$skip", "$skiptoken")
_NUMBERED: Final = re.compile(r"^(.*?\D)?(\d{1,4})$")
_PART_OF: Final = re.compile(r"(?<!\d)(\d{1,4})[ _-]*of[ _-]*(\d{1,4})(?!\d)", re.IGNORECASE)
_PART: Final = re.compile(r"(?:page|part)[ _-]*$", re.IGNORECASE)


def note_missing_pages(gathered: Gathered, lost: Iterable[str]) -> None:
    """Note lists that lack pages. `lost` are addresses whose answers a collection names, and that are not there."""
    gone = set(map(_list_of, lost))
    lists: dict[tuple[str, str, str], list[Batch]] = {}
    for batch, found in gathered.batches:
        if batch.format != "estate" and not batch.single:
            lists.setdefault((found.kind.id, found.owner, batch.folder), []).append(batch)
    for (kind, owner, _), pages in lists.items():
        if not _lacks_page(pages) and not any(page.request and _list_of(page.request) in gone for page in pages):
            continue
        gathered.partial.add(kind)
        _leave_members_open(gathered, owner, pages)
        message = f"pages are missing of this list ({gathered.policy.exports[kind].title})"
        help_ = "export every page: follow @odata.nextLink until it is absent"
        gathered.problems.append(Problem(pages[-1].file, 0, 0, "missing-pages", message, help_, "warning"))


def _leave_members_open(gathered: Gathered, owner: str, pages: list[Batch]) -> None:
    """Note that the members of a group may be on a page that is missing; without an owner, those of every group."""
    listed = gathered.members.get(owner.casefold())
    if listed is not None:
        listed.partial = True
    here = {number for number, (batch, _) in enumerate(gathered.batches) if any(batch is page for page in pages)}
    for one in gathered.members.values():
        if here & {*one.told, *(who.at[0] for who in one.anyhow)}:
            one.partial = True


def _lacks_page(pages: list[Batch]) -> bool:
    return (
        any(page.short for page in pages)
        or _not_counted(pages)
        or _chain_is_broken(pages)
        or _rows_are_skipped(pages)
        or _numbers_have_gaps(pages)
    )


def _list_of(address: str) -> str:
    """Return what all pages of a list have in common in their addresses: everything but the place in it."""
    parts = urlsplit(address)
    options = sorted((key, said) for key, said in parse_qs(parts.query).items() if key not in SKIPS)
    return f"{parts.path.casefold()}?{options}"


def _not_counted(pages: list[Batch]) -> bool:
    """Tell whether there are fewer entries than the service counted."""
    counted = [page.count for page in pages if page.count is not None]
    return bool(counted) and sum(page.length for page in pages) < max(counted)


def _chain_is_broken(pages: list[Batch]) -> bool:
    """Tell whether a link leads to a page that is not there. Each list ends with a page without a link."""
    asked = {page.request for page in pages if page.request}
    links = {page.next_link for page in pages if page.next_link}
    if asked:
        return bool(links - asked)
    return sum(not page.next_link for page in pages) < len(set(map(_list_of, links)))


def _rows_are_skipped(pages: list[Batch]) -> bool:
    """Tell whether links skip more entries than the pages hold that have one."""
    skipped: dict[str, int] = {}
    held: dict[str, int] = {}
    for page in {page.next_link: page for page in pages if page.next_link}.values():
        told = parse_qs(urlsplit(page.next_link).query).get("$skip", [""])[0]
        if re.fullmatch(r"[0-9]{1,12}", told, re.ASCII):
            name = _list_of(page.next_link)
            skipped[name] = max(skipped.get(name, 0), int(told))
            held[name] = held.get(name, 0) + page.length
    return any(held[name] < count for name, count in skipped.items())


def _numbers_have_gaps(pages: list[Batch]) -> bool:
    """Tell whether the files of one list are numbered, and a number is missing between them."""
    linked = any(page.next_link for page in pages)
    numbers: dict[str, set[int]] = {}
    for name in {PurePath(page.file).stem for page in pages}:
        total = _PART_OF.search(name)
        if total is not None:
            known = numbers.setdefault(f"of {total[2]}", {0, int(total[2]) + 1})
            known.add(int(total[1]))
        elif (numbered := _NUMBERED.match(name)) and (linked or _PART.search(numbered[1] or "")):
            numbers.setdefault((numbered[1] or "").casefold(), set()).add(int(numbered[2]))
    return any(_has_gap(found, first_too=linked) for found in numbers.values())


def _has_gap(numbers: set[int], *, first_too: bool) -> bool:
    lowest = min(numbers)
    return max(numbers) - lowest + 1 > len(numbers) or (first_too and lowest > 1)


def lost_pages(manifest: dict[str, str], folder: PurePath, there: set[str]) -> Iterator[str]:
    """Return the addresses of a collection's answers that are no longer in its folder."""
    for file, address in manifest.items():
        if str(folder / file) not in there:
            yield address
