"""Read a long JSON file entry by entry, as strictly as a short one: no key stands twice, and nothing behind the end."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from json import JSONDecodeError
from pathlib import Path
from typing import IO, Any, Final

from permcheck.errors import LoadError, Problem
from permcheck.loading.files import BOMS, file_problem
from permcheck.loading.syntax import JSON_WHOLE_TEXT, is_too_deep, nested_too_deeply
from permcheck.loading.text import holds_halves, no_constant, said_twice

CHUNK: Final = 2**20
"""Characters that are read at once."""
NEAR: Final = 16
"""Where reading fails so near the end of what was read, the rest of a word may only be missing."""
NO_SPACE: Final = re.compile(r"[ \t\n\r]*", re.ASCII)
COMMA: Final = re.compile(r"[ \t\n\r]*,[ \t\n\r]*", re.ASCII)
TAIL: Final = 4096
CLOSES: Final = {"[": "]", "{": "}"}
LISTS: Final = frozenset({"value", "Value"})
"""Keys of the list of a page."""


class TwiceError(Exception):
    """Keys stand twice in one object."""


class LongFile:
    """A file that is one list, or one page with a list. Everything raises LoadError."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.where = "$"
        """JSON path of the list."""
        self.beside: dict[str, Any] = {}
        """What stands beside the list, as far as the file was read."""

    def entries(self) -> Iterator[Any]:
        """Read the entries, and what stands beside them, to the end of the file."""
        try:
            with self._path.open(encoding=_encoding(self._path), newline="") as stream:
                yield from self._all(_Text(stream))
        except TwiceError as error:
            raise LoadError((Problem(str(self._path), 0, 0, "duplicate-key", *error.args),)) from None
        except RecursionError:
            raise file_problem(self._path, *nested_too_deeply()) from None
        except UnicodeDecodeError:
            raise file_problem(self._path, "encoding", "the file is not UTF-8", "save it as UTF-8") from None
        except UnicodeEncodeError:
            raise holds_halves(self._path) from None
        except ValueError:  # JSONDecodeError, too
            raise _broken(self._path) from None

    def _all(self, text: _Text) -> Iterator[Any]:
        self.where, self.beside = "$", {}
        if text.peek() == "[":
            yield from self._list(text)
        else:
            yield from self._page(text)
        if text.peek():
            raise ValueError

    def _page(self, text: _Text) -> Iterator[Any]:
        found = False
        for key in text.fields():
            if key in self.beside or (found and key in LISTS):
                raise TwiceError(*said_twice((key, key)))
            nested = text.peek() in CLOSES
            if key in LISTS and text.peek() == "[":
                found, self.where = True, f"$.{key}"
                yield from self._list(text)
            elif nested and not found and not key.startswith("@"):
                raise self._no_page()
            else:
                self.beside[key] = text.value()
        if not found:
            raise self._no_page()

    def _list(self, text: _Text) -> Iterator[Any]:
        for item in text.items():
            if is_too_deep(item):
                raise RecursionError
            yield item

    def _no_page(self) -> LoadError:
        message, help_ = "a file of this size must be one list of entries", "export it as a list, or as pages"
        return file_problem(self._path, "shape", message, f"{help_} with a `value`")

    def tail(self) -> dict[str, Any]:
        """Guess from the end of the file what stands behind the list, before it is read."""
        with self._path.open("rb") as stream:
            stream.seek(-min(TAIL, self._path.stat().st_size), 2)
            text = stream.read().decode("utf-8", "replace")
        close = text.rpartition("]")[2]
        try:
            found = json.loads("{" + close.strip().removeprefix(",").removesuffix("}") + "}")
        except ValueError:
            return {}
        return {key: value for key, value in found.items() if key not in self.beside}


class _Text:
    """The text of a file, from the place where it is read."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream
        self._text, self._at = "", 0
        self._odd = False
        """Whether escapes in the text may be halves of characters."""
        decoder = json.JSONDecoder(object_pairs_hook=_once, parse_constant=no_constant)
        self._decode = decoder.raw_decode

    def _more(self) -> bool:
        """Read on, as much as there is already at least; tell whether there was anything."""
        left = self._text[self._at :]
        part = self._stream.read(max(CHUNK, len(left)))
        self._text, self._at = left + part, 0
        self._odd = "\\ud" in self._text.lower()
        return bool(part)

    def peek(self) -> str:
        """Go to the next character that is no space, and return it; nothing at the end."""
        while True:
            self._at = NO_SPACE.match(self._text, self._at).end()  # type: ignore[union-attr]
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._more():
                return ""

    def value(self) -> Any:
        """Read one value. Raises ValueError."""
        if self._text[self._at : self._at + 1] != "{":  # nearly always it is an entry
            self.peek()
        while True:
            try:
                found, end = self._decode(self._text, self._at)
            except JSONDecodeError as error:
                if self._is_cut(error.pos) and self._more():
                    continue
                raise
            if end == len(self._text) and self._more():  # a number may go on
                continue
            self._at = end
            if self._odd:
                json.dumps(found, ensure_ascii=False).encode()
            return found

    def _is_cut(self, place: int) -> bool:
        """Tell whether what can't be read may only lack its end."""
        unended = self._text[place : place + 1] == '"' and not JSON_WHOLE_TEXT.match(self._text, place)
        return unended or place + NEAR >= len(self._text)

    def _take(self, *wanted: str) -> str:
        found = self.peek()
        if found not in wanted:
            raise ValueError
        self._at += 1
        return found

    def items(self) -> Iterator[Any]:
        """Read a list. Raises ValueError."""
        self._take("[")
        if self.peek() == "]":
            self._take("]")
            return
        yield self.value()
        while self._comma() or self._take(",", "]") == ",":
            yield self.value()

    def _comma(self) -> bool:
        """Go behind a comma, if it is the next character and nothing has to be read for it: nearly always."""
        found = COMMA.match(self._text, self._at)
        if found is None:
            return False
        self._at = found.end()
        return True

    def fields(self) -> Iterator[str]:
        """Read the keys of an object; whoever takes one reads its value. Raises ValueError."""
        self._take("{")
        if self.peek() == "}":
            self._take("}")
            return
        yield self._key()
        while self._take(",", "}") == ",":
            yield self._key()

    def _key(self) -> str:
        if self.peek() != '"':
            raise ValueError
        key = self.value()
        self._take(":")
        return str(key)


def _once(items: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(items)
    if len(found) != len(items):
        raise TwiceError(*said_twice(key for key, _ in items))
    return found


def _encoding(path: Path) -> str:
    with path.open("rb") as stream:
        start = stream.read(4)
    return next((name for bom, name in BOMS if start.startswith(bom)), "utf-8")


def _broken(path: Path) -> LoadError:
    """Make the error for a long file that is not JSON; one that was cut does not end as it begins."""
    with path.open(encoding=_encoding(path), errors="replace") as stream:
        first = stream.read(CHUNK).lstrip()[:1]
    with path.open("rb") as file:
        file.seek(-min(TAIL, path.stat().st_size), 2)
        last = file.read().rstrip(b"\0 \t\r\n")[-1:].decode("latin-1")
    cut = last != CLOSES.get(first, last)
    message = "the JSON ends too early: the file was cut" if cut else "the file is not JSON"
    return file_problem(path, "syntax", message, "export it again")
