"""JSON lines: a row in each, then the sets that rows refer to."""

from __future__ import annotations

import json
from collections.abc import Iterator

from permcheck.review.write.listing import Listing


def json_lines(listing: Listing) -> Iterator[str]:
    """Yield the lines of a review. Lists are lists; what is not known is null."""
    for one in listing:
        yield one.line + "\n"
    for found in listing.sets:
        data = {"set": found.id, "kind": found.kind, "members": found.members()}
        yield json.dumps(data, ensure_ascii=False, separators=(",", ":")) + "\n"
