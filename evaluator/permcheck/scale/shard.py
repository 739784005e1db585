"""One part of the review of one tenant: a plain value goes in, and one comes out. Any process can work it out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Final
from zlib import crc32

from permcheck.api import Estate, load
from permcheck.errors import LoadError, NothingSelectedError, QuestionError, UnknownNameError
from permcheck.graph.node import Adjacency
from permcheck.model.tables import Key
from permcheck.review.review import Review, Total
from permcheck.review.write.listing import Listing, What
from permcheck.scale.files import put_receipt, put_rows, put_sets
from permcheck.scale.key import empty, failed, hash_of
from permcheck.scale.values import Shard, ShardResult

QUESTIONS: Final = (UnknownNameError, NothingSelectedError, QuestionError)
"""What may be so in one tenant alone: it lacks something that was named."""


def review_shard(shard: Shard) -> ShardResult:
    """Review one part, and write its files. The same shard has the same result, whoever does it, and how often.

    What is wrong with the tenant is part of the result. Raises WriteError.
    """
    try:
        estate = opened(shard)
        reviews = tuple(reviews_of(estate, shard))
        if not shard.sources or hash_of(Path(shard.path)) != shard.sources:
            return failed(shard, "changed", "the files were changed while they were read", "run again")
    except LoadError as error:
        return empty(shard)._replace(problems=error.problems)
    except QUESTIONS as error:
        return failed(shard, "question", str(error), error.help)
    result = _written(shard, reviews)._replace(warnings=tuple(sorted(estate.warnings)))
    put_receipt(shard, result)
    return result


def opened(shard: Shard) -> Estate:
    """Load the tenant, and read it as was asked. Raises LoadError and what a question raises."""
    asked, estate = shard.asked, load(shard.path, container=Adjacency)
    if asked.changes:
        estate = estate.what_if(*asked.changes)
    if asked.edition or asked.readings or asked.strict:
        estate = estate.with_settings(edition=asked.edition, readings=dict(asked.readings), strict=asked.strict)
    return estate


def reviews_of(estate: Estate, shard: Shard) -> Iterator[Review]:
    """Yield what a shard is about: its devices and, in part 0, the hierarchies and the tenant.

    All parts together are the whole review, and no two of them have a cell in common.
    """
    whole = estate.review(shard.asked.users, shard.asked.actions, shard.asked.devices)
    if shard.parts == 1:
        yield whole
        return
    selection = whole.selection
    every = estate.tables.devices if selection.devices is None else selection.devices
    mine = tuple(key for key in every if part_of(key, shard.parts) == shard.part)
    yield replace(whole, selection=selection._replace(devices=mine))
    if shard.part == 0:
        elsewhere = tuple(act for act in selection.acts if act.action.target != "device")
        yield replace(whole, selection=selection._replace(acts=elsewhere))


def part_of(device: Key, parts: int) -> int:
    """Return the part that a device belongs to: the same on every machine, whichever other devices there are."""
    return crc32(device.encode("utf-8", "surrogatepass")) % parts


def _written(shard: Shard, reviews: tuple[Review, ...]) -> ShardResult:
    what = What(shard.asked.verdicts, shard.asked.by)
    listings = [Listing(review, what) for review in reviews]
    rows = put_rows(shard, (one.record for one in chain(*listings)))
    sets = {one.id: one for listing in listings for one in listing.sets}
    members = put_sets(shard, (sets[id_] for id_ in sorted(sets)))
    totals: dict[str, Total] = {}
    for review in reviews:
        for act, total in review.totals.items():
            totals[str(act)] = totals.get(str(act), Total()) + total
    return empty(shard)._replace(totals=tuple(totals.items()), files=(rows, members))
