"""Seals: a page of compiled answers is believed only with the seal of this user's key."""

from __future__ import annotations

from permcheck.loading.digest import SIZE, blake2b


def seal(key: bytes, *parts: bytes) -> bytes:
    """Return the seal of some parts, in this order and so divided."""
    maker = blake2b(key=key, digest_size=SIZE)
    for part in parts:
        maker.update(len(part).to_bytes(8, "little"))
        maker.update(part)
    return maker.digest()
