"""PC114: a value of an estate file that an older YAML parser reads as something else."""

from __future__ import annotations

import re
from collections.abc import Iterator

import yaml

from permcheck.checks.context import Context
from permcheck.checks.finding import Edit, Finding, Place
from permcheck.loading.files import read_text
from permcheck.loading.text import Loader

OTHERWISE = {
    "yes or no": r"yes|Yes|YES|no|No|NO|on|On|ON|off|Off|OFF",
    "an octal number": r"[-+]?0[0-7_]*[1-7][0-7_]*",
    "a number to the base 60": r"[-+]?[1-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?",
    "a number": r"[-+]?(?:0x[0-9a-fA-F_]+|0b[01_]+|[1-9][0-9]*_[0-9_]*)",
}
"""What YAML 1.1 takes such a plain value for. Dates are left out: they stay the same day."""
NEAR = 40
"""Characters in which the key before a value ends."""
INT = "tag:yaml.org,2002:int"
ANY = re.compile(r"(?<![^\s,\[\]{}])(?:" + "|".join(OTHERWISE.values()) + r")(?![^\s,\[\]{}])")


def check(context: Context) -> Iterator[Finding]:
    """Find plain values that YAML 1.1 and 1.2 read differently, but for the switches, which take both readings."""
    switches = context.data("switches")
    for path in context.files:
        text = read_text(path) if path.suffix.lower() != ".json" else ""
        if any(not key.endswith(tuple(switches)) for key in _keys_of_suspicious(text)):
            for key, node in _scalars(yaml.compose(text, Loader), ""):
                what = next((name for name, pattern in OTHERWISE.items() if re.fullmatch(pattern, node.value)), "")
                if what and not node.style and key not in switches:
                    start, end = node.start_mark, node.end_mark
                    place = Place(str(path), start.line + 1, start.column + 1, end.column + 1)
                    message = f"`{node.value}` of `{key}` is {what} to a YAML 1.1 parser"
                    plain = str(int(node.value)) if node.tag == INT else f'"{node.value}"'
                    edits = (Edit(str(path), start.index, end.index, plain),)
                    yield context.finding(place, message, f"{key}/{node.value}", edits=edits)


def _keys_of_suspicious(text: str) -> Iterator[str]:
    """Return what stands before such words: most files have none that matters, and need no second parse."""
    for match in ANY.finditer(text):
        yield text[max(0, match.start() - NEAR) : match.start()].rstrip(": \"'")


def _scalars(node: yaml.Node | None, key: str) -> Iterator[tuple[str, yaml.ScalarNode]]:
    if isinstance(node, yaml.ScalarNode):
        yield key, node
    elif isinstance(node, yaml.SequenceNode):
        for child in node.value:
            yield from _scalars(child, key)
    elif isinstance(node, yaml.MappingNode):
        for name, child in node.value:
            yield from _scalars(name, key)
            yield from _scalars(child, str(name.value))
