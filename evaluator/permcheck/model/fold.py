"""How names compare: as a directory does, letter by letter, whatever the case."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

GUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
SID: Final = re.compile(r"S-1-[0-9]+(-[0-9]+)+", re.IGNORECASE)


def fold_case(name: str) -> str:
    """Return a name as it compares with others: equal names fold alike, and no others do.

    A letter stands for its capital, one for one: `ß` is not `ss`, and no letter beyond ASCII is one
    of ASCII (U+212A, the Kelvin sign, is not `k`). White space counts.
    """
    return name.lower() if name.isascii() else "".join(map(_fold_letter, name))


@lru_cache(4096)
def _fold_letter(letter: str) -> str:
    if letter.isascii():
        return letter.lower()
    capital = letter.upper() if not letter.upper().isascii() and len(letter.upper()) == 1 else letter
    small = capital.lower()
    return small if small.upper() == capital else capital


def is_identity(name: str) -> bool:
    """Tell whether a text has the form of an object id or a SID: it then names by that before anything else."""
    return GUID.fullmatch(name) is not None or SID.fullmatch(name) is not None


def skeleton(name: str) -> str:
    """Return what of a name can be seen: names that differ in invisible or compatible characters have one skeleton."""
    if name.isascii():
        return " ".join(name.lower().split())
    import unicodedata  # only names beyond ASCII pay for it

    plain = unicodedata.normalize("NFKC", name)
    shown = "".join(letter for letter in plain if unicodedata.category(letter) not in {"Cf", "Cc"})
    return " ".join(shown.casefold().split())


def code_points(name: str) -> str:
    """Return the characters beyond ASCII of a name, and white space at its ends, as code points."""
    odd = [letter for letter in name if not letter.isascii()]
    if name != name.strip():
        odd += [letter for letter in name[0] + name[-1] if letter.isspace() and letter.isascii()]
    return ", ".join(dict.fromkeys(f"U+{ord(letter):04X}" for letter in odd))
