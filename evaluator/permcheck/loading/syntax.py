"""Say in our own words what is wrong with the syntax of a file, and where.

The parsers tell where they stopped; their sentences differ from release to release, so nothing here reads them.
"""

from __future__ import annotations

import re
from json import JSONDecodeError
from typing import Any, Final

import yaml

from permcheck.errors import LoadError, Problem

DEPTH_LIMIT: Final = 64
"""Levels of nesting. No file of ours has a tenth of it, and every parser has some limit of its own."""
JSON_TEXT: Final = r'"[^"\\]*(?:\\.[^"\\]*)*"'
JSON_WHOLE_TEXT: Final = re.compile(JSON_TEXT, re.DOTALL)
JSON_TOKEN: Final = re.compile(rf"{JSON_TEXT}|[\[\]{{}}]", re.DOTALL)
JSON_ODD: Final = re.compile(rf"{JSON_TEXT}|(?P<odd>-?Infinity|NaN|\d{{1000,}})", re.DOTALL)
YAML_TOKEN: Final = re.compile(
    r"""(?<![^\s\[\]{},:])(?:"[^"\\]*(?:\\.[^"\\]*)*"|'[^']*'|\#[^\n]*|[\[{])|[\]}]""", re.DOTALL
)
NO_BRACKETS: Final = bytes(set(range(256)) - set(b'[]{}"'))
NOT_YAML: Final = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
RESERVED: Final = "@`%"
"""Characters that begin no value in YAML."""
WORD: Final = re.compile(r'"[^"\n]{0,40}"?|\w{1,40}|\S?')


def refuse(file: str, text: str, index: int, id_: str, message: str, help_: str = "") -> LoadError:
    """Make the error for one character of a text."""
    line, begin = text.count("\n", 0, index) + 1, text.rfind("\n", 0, index) + 1
    return LoadError((Problem(file, line, index - begin + 1, id_, message, help_),))


def nested_too_deeply() -> tuple[str, str]:
    """Return id and message of a file that is."""
    return "too-deep", f"the file is nested more than {DEPTH_LIMIT} levels deep"


def depth_in(text: str, token: re.Pattern[str], end: int) -> tuple[int, int]:
    """Return how many brackets are open before `end`, or at the first that is a level too deep, and where that is."""
    depth = 0
    for found in token.finditer(text, 0, end):
        depth += (found[0] in {"[", "{"}) - (found[0] in {"]", "}"})
        if depth > DEPTH_LIMIT:
            return depth, found.start()
    return depth, end


def is_plainly_shallow(text: str) -> bool:
    """Tell whether JSON is surely not nested too deeply, in a tenth of the time that a look at its values takes.

    Texts without brackets vanish with their quotes, and each round takes the innermost brackets away. Where a quote
    or a bracket is left over, nothing is known.
    """
    plain = text.replace("\\\\", "").replace('\\"', "").encode("utf-8", "surrogatepass")
    left = plain.translate(None, NO_BRACKETS).replace(b'""', b"")
    for _ in range(DEPTH_LIMIT):
        left = left.replace(b"[]", b"").replace(b"{}", b"")
        if not left:
            return True
    return False


def is_too_deep(data: Any) -> bool:
    """Tell whether parsed lists and mappings are nested too deeply."""
    level = [data]
    for _ in range(DEPTH_LIMIT):
        below = (value.values() if type(value) is dict else value for value in level if type(value) in {dict, list})
        level = [child for children in below for child in children if type(child) in {dict, list}]
        if not level:
            return False
    return True


def broken_json(file: str, text: str, error: JSONDecodeError) -> LoadError:
    """Make the error for JSON that could not be parsed."""
    if text.lstrip()[:1] == "<":
        message = "this is HTML or XML, not JSON; a saved error page looks like this"
        return refuse(file, text, 0, "not-json", message, "export the file again")
    index, before = error.pos, text[: error.pos].rstrip()
    depth, place = depth_in(text, JSON_TOKEN, index)
    if depth > DEPTH_LIMIT:
        return refuse(file, text, place, *nested_too_deeply())
    if index >= len(text.rstrip()):
        return refuse(file, text, index, "syntax", "the JSON ends too early: the file was cut", "export it again")
    if before[-1:] == "," and text[index] in "]}":  # some Pythons point at the comma, some behind it
        index = len(before) - 1
    return refuse(file, text, index, "syntax", *_json_words(text, index, before, depth))


def _json_words(text: str, index: int, before: str, depth: int) -> tuple[str, str]:
    """Return message and help."""
    at, help_ = text[index], "look for a comma, colon, quote or bracket that is missing before it"
    if at == "," and text[index + 1 :].lstrip()[:1] in {"]", "}"}:
        return "a comma stands before a closing bracket", "remove it"
    if at == '"' and not JSON_WHOLE_TEXT.match(text, index):
        return "the text that begins here has no end", "close its quote"
    if at < " ":
        return "a line feed, tab or control character stands in a text", r"write it as \n, \t or \u0000"
    if "\\" in text[max(index - 1, 0) : index + 1]:
        return "JSON does not know this escape", r"write a backslash as \\"
    if at == "'":
        return "a quote of JSON is double", 'write "'
    if before and not depth:
        return "more text stands behind the end of the JSON", "one file holds one list or object"
    if at in "/#":
        return "JSON has no comments", "remove it"
    return f"`{_word(text, index)}` can't stand here", help_


def _word(text: str, index: int) -> str:
    found = WORD.match(text, index)
    return found[0] if found else ""


def refused_json(file: str, text: str) -> LoadError:
    """Make the error for JSON that holds what is no value of JSON, or a number beyond all bounds."""
    odd = next((found for found in JSON_ODD.finditer(text) if found["odd"]), None)
    if odd is None:
        return LoadError((Problem(file, 0, 0, "syntax", "the file is not JSON"),))
    if odd["odd"][0].isdigit():
        return refuse(file, text, odd.start(), "syntax", "a number has thousands of digits", "put it in quotes")
    return refuse(file, text, odd.start(), "syntax", f"`{odd[0]}` is not a JSON value", "put it in quotes")


def broken_yaml(file: str, text: str, error: Exception) -> LoadError:
    """Make the error for YAML that could not be parsed."""
    odd = NOT_YAML.search(text)
    if odd is not None:
        message = f"the character U+{ord(odd[0]):04X} can't stand in a YAML file"
        return refuse(file, text, odd.start(), "syntax", message, "remove it")
    mark = error.problem_mark if isinstance(error, yaml.MarkedYAMLError) else None
    depth, place = depth_in(text, YAML_TOKEN, len(text) if mark is None else mark.index)
    if depth > DEPTH_LIMIT:
        return refuse(file, text, place, *nested_too_deeply())
    if mark is None:
        return LoadError((Problem(file, 0, 0, "syntax", "the file is not YAML"),))
    begin = error.context_mark if isinstance(error, yaml.MarkedYAMLError) else None
    message, help_ = _yaml_words(text, mark, begin)
    return LoadError((Problem(file, mark.line + 1, mark.column + 1, "syntax", message, help_),))


def _yaml_words(text: str, mark: yaml.Mark, begin: yaml.Mark | None) -> tuple[str, str]:
    """Return message and help; `begin` is where that begins which could not be finished."""
    at = text[mark.index : mark.index + 1]
    since = f"line {begin.line + 1}" if begin is not None and begin.line != mark.line else "this line"
    if at == "\t":
        return "a tab stands where YAML wants spaces", "indent with spaces"
    if at and at in RESERVED:
        return f"a value can't begin with `{at}`", "put the value in quotes"
    if not text[mark.index :].strip():
        return "the file ends too early", f"look for a bracket or quote that is not closed, from {since} on"
    if at == "\\":
        return "YAML does not know this escape", r"write a backslash as \\, or put the text in single quotes"
    if at == ":":
        return "a second `:` can't stand here", "put a text that holds `: ` in quotes, or begin a line"
    if not at.strip():
        return "the line can't end here", f"look for a colon, bracket or quote that is missing, from {since} on"
    return (
        f"`{_word(text, mark.index)}` can't stand here",
        f"look at the indentation, and for a colon, bracket or quote that is missing, from {since} on",
    )
