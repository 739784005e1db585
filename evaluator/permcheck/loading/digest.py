"""One digest of contents: of what a compiled file is made of, of what a cached answer rests on."""

from __future__ import annotations

from typing import Final

try:  # hashlib would bring OpenSSL in, a twentieth of the time of an answer; `random` of the standard library does so
    from _blake2 import blake2b
except ImportError:  # pragma: no cover - another Python
    from hashlib import blake2b

__all__ = ["SIZE", "blake2b", "digest_of"]

SIZE: Final = 32


def digest_of(*parts: bytes) -> str:
    """Return what stands for some parts, in this order and so divided, on every Python."""
    maker = blake2b(digest_size=SIZE)
    for part in parts:
        maker.update(len(part).to_bytes(8, "little"))
        maker.update(part)
    return maker.hexdigest()
