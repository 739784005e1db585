"""Seals: a page of compiled answers is believed only with the seal of this user's key."""

from __future__ import annotations

from typing import Final

try:  # hashlib would bring OpenSSL in, a twentieth of the time of an answer; `random` of the standard library does so
    from _blake2 import blake2b
except ImportError:  # pragma: no cover - another Python
    from hashlib import blake2b

SIZE: Final = 32


def digest(data: bytes) -> str:
    """Return what stands for the content of a file."""
    return blake2b(data, digest_size=SIZE).hexdigest()


def seal(key: bytes, *parts: bytes) -> bytes:
    """Return the seal of some parts, in this order and so divided."""
    maker = blake2b(key=key, digest_size=SIZE)
    for part in parts:
        maker.update(len(part).to_bytes(8, "little"))
        maker.update(part)
    return maker.digest()
