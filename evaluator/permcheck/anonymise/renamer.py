"""Give names others: the same name, in any case, gets the same one, and two names never share one.

A name is taken apart where its parts are compared with parts of others (DOMAIN and name, the two sides of a UPN,
domain and RID of a SID, the site code of an id), and each part is replaced for itself. Every name is heard before the
first is replaced, so that numbers can be dealt in an order that tells nothing.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from itertools import count, product
from random import Random
from string import ascii_uppercase, digits
from typing import Final, NamedTuple

from permcheck.anonymise.known import Known
from permcheck.model.fold import fold_case

GUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
SID: Final = re.compile(r"s-1-[0-9]+(-[0-9]+)+", re.ASCII)
CODE: Final = re.compile(r"[0-9a-z]{3}", re.ASCII)
SITE_ID: Final = re.compile(r"[0-9a-z]{3}[0-9a-f]{5}", re.ASCII)
NUMBER: Final = re.compile(r"[0-9]+", re.ASCII)
KEYED: Final = re.compile(r"(.+) \((.+)\)")
"""A device by its name and one of its ids, as the second of two devices of one name is called."""
SMALL: Final = 3
"""Digits of a part of a SID that is the same everywhere, such as the 544 of Administrators."""
WIDTHS: Final = {"user": 3, "group": 3, "device": 4}
FORMATS: Final = {
    "guid": "00000000-0000-4000-8000-{:012x}",
    "domain": "domain-{}.example",
    "forest": "AD-{}",
    "tail": "{:05}",
}
FIRST: Final = {"rid": 100_001, "number": 16_900_001}


class Heard(NamedTuple):
    """What a name, or a part of one, is called after, and how it was written first."""

    label: str
    written: str


class Renamer:
    """Hears every name, deals others, then tells what each is called."""

    def __init__(self, known: Known, order: Random) -> None:
        self._known = known
        self._order = order
        self._heard: dict[str, dict[str, Heard]] = {}
        self._given: dict[str, dict[str, str]] | None = None
        self.names: dict[str, str] = {}
        """What is called otherwise, by what it is called now."""

    def name(self, space: str, text: str, label: str = "") -> str:
        """Return what a name is called now. Blanks around it stay."""
        core = text.strip()
        if not core or self._known.name(space, core):
            return text
        told = self._told(space, core, label or space)
        if self._given is not None and fold_case(told) != fold_case(core):
            self.names.setdefault(told, core)
        start = text.index(core)
        return f"{text[:start]}{told}{text[start + len(core) :]}"

    def reference(self, space: str, text: str) -> str:
        """Return what something is called now that was named before, or by its name and an id."""
        keyed = KEYED.fullmatch(text.strip())
        if keyed and fold_case(text.strip()) not in self._heard.get(space, {}):
            return f"{self.name(space, keyed[1])} ({self.name(space, keyed[2])})"
        return self.name(space, text)

    def deal(self) -> None:
        """Give everything that was heard another name; in no order that the old ones have."""
        taken = frozenset(folded for tokens in self._heard.values() for folded in tokens)
        given: dict[str, dict[str, str]] = {}
        for space, tokens in self._heard.items():
            order = list(tokens)
            self._order.shuffle(order)
            totals = Counter(one.label for one in tokens.values())
            fresh = {label: _candidates(label, len(str(total))) for label, total in totals.items()}
            given[space] = {
                folded: next(
                    name
                    for name in fresh[tokens[folded].label]
                    if fold_case(name) not in taken and not self._known.name(space, name)
                )
                for folded in order
            }
        self._given = given

    def _told(self, space: str, core: str, label: str) -> str:
        folded = fold_case(core)
        if GUID.fullmatch(folded):
            return self._token("guid", core)
        if SID.fullmatch(folded):
            return self._sid(folded)
        if space == "account":
            return self._account(core, label)
        if space == "hierarchy" and CODE.fullmatch(folded):
            return self._token("code", core)
        if space in {"collection", "security-role", "scope"} and SITE_ID.fullmatch(folded):
            return self._token("code", folded[:3].upper()) + self._token("tail", core)
        if space in {"device", "scope-tag"} and NUMBER.fullmatch(folded):
            return core if core == "0" else self._token("number", core)
        return self._token(space, core, label)

    def _account(self, core: str, label: str) -> str:
        r"""Replace the parts of `DOMAIN\name` or `name@domain`, or a plain name."""
        before, slash, rest = core.rpartition("\\")
        if slash:
            inner = rest.strip()
            told = self._told("account", inner, label) if inner else ""
            return f"{self._part('forest', before)}\\{rest.replace(inner, told) if inner else rest}"
        local, at, domain = core.rpartition("@")
        if at:
            return f"{self._part('account', local, label)}@{self._part('domain', domain)}"
        return self._token("account", core, label)

    def _part(self, space: str, text: str, label: str = "") -> str:
        core = text.strip()
        return text.replace(core, self._token(space, core, label)) if core else text

    def _sid(self, folded: str) -> str:
        """Replace what of a SID belongs to one domain, account or cloud object; its shape stays."""
        head, tail = folded.upper().split("-")[:3], folded.split("-")[3:]
        if tail[0] == "21" and head[2] == "5" and len(tail) > 1:
            *domain, rid = tail[1:]
            mapped = [self._token("sid", "-".join(domain), f"sid:{len(domain)}")] if domain else []
            return "-".join([*head, "21", *mapped, rid if len(rid) <= SMALL else self._token("rid", rid)])
        if all(len(part) <= SMALL for part in tail):
            return folded.upper()
        kind, own = (tail[:1], tail[1:]) if len(tail) > 1 else ([], tail)
        return "-".join([*head, *kind, self._token("sid", "-".join(own), f"sid:{len(own)}")])

    def _token(self, space: str, core: str, label: str = "") -> str:
        folded = fold_case(core)
        if self._given is None:
            tokens = self._heard.setdefault(space, {})
            one = tokens.get(folded)
            if one is None:
                tokens[folded] = Heard(label or space, core)
            elif one.label == space and label:  # it was referred to before it was named
                tokens[folded] = one._replace(label=label)
            return core
        told = self._given[space][folded]
        if space not in {"tail", "sid", "rid"}:
            self.names.setdefault(told, self._heard[space][folded].written)
        return told


def _candidates(label: str, width: int) -> Iterator[str]:
    """Names for a kind of thing, one after another."""
    if label == "code":
        signs = digits + ascii_uppercase
        return ("".join(code) for code in product(reversed(ascii_uppercase), signs, signs))
    if label.startswith("sid:"):
        return ("-".join([str(number)] * int(label[4:])) for number in count(2_000_000_001))
    if label in FORMATS:
        return (FORMATS[label].format(number) for number in count(1))
    if label in FIRST:
        return (str(number) for number in count(FIRST[label]))
    wide = max(width, WIDTHS.get(label, 1))
    return (f"{label}-{number:0{wide}}" for number in count(1))
