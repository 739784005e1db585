"""Parse YAML 1.2 and JSON into plain values that know where they stand."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Final, TypeAlias

import yaml

from permcheck.errors import LoadError, Problem
from permcheck.loading.files import file_problem, read_text
from permcheck.loading.syntax import (
    DEPTH_LIMIT,
    JSON_TOKEN,
    broken_json,
    broken_yaml,
    depth_in,
    is_plainly_shallow,
    is_too_deep,
    nested_too_deeply,
    refuse,
    refused_json,
)
from permcheck.model.provenance import Lines

Path_: TypeAlias = tuple[str | int, ...]
Value: TypeAlias = Any

SIZE_LIMIT: Final = 5_000_000
REPARSE_LIMIT: Final = 8 * 2**20


class Loader(yaml.CSafeLoader):
    """YAML with the 1.2 core rules: `On`, `NO` and dates are text, `010` is ten."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}


for _tag, _pattern, _first in (
    ("bool", r"^(?:true|True|TRUE|false|False|FALSE)$", "tTfF"),
    ("null", r"^(?:~|null|Null|NULL|)$", ["~", "n", "N", ""]),
    ("int", r"^[-+]?[0-9]+$", "-+0123456789"),
    ("float", r"^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$", "-+0123456789."),
):
    Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(_pattern), list(_first))

STANDARD: Final = "tag:yaml.org,2002:"
OPENING: Final = (yaml.MappingStartEvent, yaml.SequenceStartEvent)
CLOSING: Final = (yaml.MappingEndEvent, yaml.SequenceEndEvent)
COLLECTIONS: Final = frozenset({STANDARD + "seq", STANDARD + "map"})
_SCALARS: Final[dict[str, Callable[[str], Value]]] = {
    "tag:yaml.org,2002:null": lambda _: None,
    "tag:yaml.org,2002:bool": lambda text: text.lower() == "true",
    "tag:yaml.org,2002:int": int,
    "tag:yaml.org,2002:float": float,
    "tag:yaml.org,2002:str": str,
}


@dataclass(slots=True)
class _Reader:
    """Turns composed nodes into values; collects duplicate keys and odd tags."""

    file: str
    problems: list[Problem] = field(default_factory=list)
    sizes: dict[int, int] = field(default_factory=dict)
    open: set[int] = field(default_factory=set)
    values: dict[int, Value] = field(default_factory=dict)

    def report(self, node: yaml.Node, id_: str, message: str, help_: str = "") -> None:
        mark = node.start_mark
        self.problems.append(Problem(self.file, mark.line + 1, mark.column + 1, id_, message, help_))

    def read(self, node: yaml.Node) -> Value:
        if isinstance(node, yaml.ScalarNode):
            return self.scalar(node)
        if node.tag not in COLLECTIONS:
            self.refuse_tag(node)
        key = id(node)
        if key in self.open:
            self.report(node, "recursive-alias", "the alias contains itself")
            return None
        if key not in self.values:
            self.open.add(key)
            self.values[key] = self.sequence(node) if isinstance(node, yaml.SequenceNode) else self.mapping(node)
            self.open.discard(key)
        return self.values[key]

    def refuse_tag(self, node: yaml.Node) -> None:
        tag = str(node.tag).replace(STANDARD, "!!")
        self.report(node, "tag", f"the tag `{tag}` is not supported", "remove it")

    def scalar(self, node: yaml.ScalarNode) -> Value:
        convert = _SCALARS.get(node.tag)
        if convert is None:
            self.refuse_tag(node)
            return None
        try:
            return convert(node.value)
        except ValueError:
            self.report(node, "scalar", f"`{node.value[:40]}` can't be read as a number", "put it in quotes")
            return None

    def sequence(self, node: yaml.SequenceNode) -> list[Value]:
        return [self.read(child) for child in node.value]

    def mapping(self, node: yaml.Node) -> dict[str, Value]:
        result: dict[str, Value] = {}
        for key_node, value_node in node.value:
            key = self.key(key_node)
            if key in result:
                self.report(key_node, "duplicate-key", f"the key `{key}` stands twice", "keep one of them")
            result[key] = self.read(value_node)
        return result

    def key(self, node: yaml.Node) -> str:
        if not isinstance(node, yaml.ScalarNode):
            self.report(node, "key", "a key must be a plain text")
            return ""
        return str(node.value)


@dataclass(frozen=True)
class Parsed:
    """One parsed file. `data` holds dict, list, str, int, float, bool and None only."""

    file: str
    data: Value
    root: yaml.Node | None
    text: str
    exported: bool = False
    noted: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Section -> for each record the export that it was imported from."""

    def is_exported(self, _path: Path_) -> bool:
        """Tell whether what it says comes from exports: an import wrote the file, or nobody did."""
        return self.exported

    def locate(self, path: Path_) -> tuple[int, int]:
        """Line and column of the value at `path`, from 1; (0, 0) if the file is too large to say."""
        node = self.root if self.root is not None else self._recomposed
        if node is None:
            return (0, 0)
        mark = node.start_mark
        for step in path:
            node, mark = _step(node, step, mark)
            if node is None:
                break
        return (mark.line + 1, mark.column + 1)

    def span(self, path: Path_) -> tuple[int, int, int, int] | None:
        """Line, column, and the characters from where to where, of the value at `path`; None if that is not known."""
        node = self.root if self.root is not None else self._recomposed
        for step in path:
            node = _step(node, step, node.start_mark)[0] if node is not None else None
        if node is None:
            return None
        start, end = node.start_mark, node.end_mark
        return start.line + 1, start.column + 1, start.index, end.index

    def place(self, path: Path_) -> tuple[str, int, int]:
        """File, line and column of the value at `path`."""
        return (self.file, *self.locate(path))

    def source(self) -> Lines:
        """Return where the records begin; in a JSON file, nobody waits for that."""
        return Lines(self.file, dict(self._lines()) if self.root is not None else {}, self.noted)

    def _lines(self) -> Iterator[tuple[str, tuple[tuple[int, int], ...]]]:
        for section, value in self.data.items():
            if isinstance(value, list):
                yield section, tuple(self.locate((section, index)) for index in range(len(value)))
            else:
                yield section, (self.locate((section,)),)

    @cached_property
    def _recomposed(self) -> yaml.Node | None:
        if len(self.text) > REPARSE_LIMIT:
            return None
        try:
            return yaml.compose(self.text, Loader)
        except (yaml.YAMLError, RecursionError):
            return None


def _step(node: yaml.Node, step: str | int, mark: yaml.Mark) -> tuple[yaml.Node | None, yaml.Mark]:
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        child = node.value[step]
        return child, child.start_mark
    if isinstance(node, yaml.MappingNode):
        for key, child in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value == str(step):
                return child, key.start_mark
    return None, mark


def parse_file(path: Path) -> Parsed:
    """Parse a YAML or JSON file. Raises LoadError with every problem."""
    text = read_text(path)
    if not text.strip():
        raise file_problem(path, "empty-file", "the file is empty", "delete it, or start from `permcheck init`")
    return parse_json(str(path), text) if path.suffix.lower() == ".json" else parse_yaml(str(path), text)


def parse_json(file: str, text: str) -> Parsed:
    """Parse JSON text; a key that stands twice is a problem."""
    problems: list[Problem] = []

    def pairs(items: list[tuple[str, Value]]) -> dict[str, Value]:
        result = dict(items)
        if len(result) != len(items):
            problems.append(Problem(file, 0, 0, "duplicate-key", *said_twice(key for key, _ in items)))
        return result

    shallow = is_plainly_shallow(text)
    try:
        data = json.loads(text, object_pairs_hook=pairs, parse_constant=no_constant)
    except json.JSONDecodeError as error:
        raise broken_json(file, text, error) from None
    except RecursionError:
        raise _deep_json(file, text) from None
    except ValueError:
        raise refused_json(file, text) from None
    if not shallow and is_too_deep(data):
        raise _deep_json(file, text)
    if problems:
        raise LoadError(_placed(file, text) or tuple(problems))
    _refuse_halves(file, text, data)
    return Parsed(file, data, None, text)


def said_twice(keys: Iterable[str]) -> tuple[str, str]:
    """Return what to say of the keys that stand twice among those of one object, and what helps."""
    twice = sorted(key for key, times in Counter(keys).items() if times > 1)
    return "the key " + ", ".join(f"`{key}`" for key in twice) + " stands twice in one object", "keep one of them"


def _deep_json(file: str, text: str) -> LoadError:
    return refuse(file, text, depth_in(text, JSON_TOKEN, len(text))[1], *nested_too_deeply())


def _placed(file: str, text: str) -> tuple[Problem, ...]:
    """Return the keys that stand twice with their places: most JSON is YAML, and that reader knows where a key is."""
    try:
        if len(text) <= REPARSE_LIMIT:
            parse_yaml(file, text)
    except LoadError as error:
        return tuple(problem for problem in error.problems if problem.id == "duplicate-key")
    return ()


def _refuse_halves(file: str, text: str, data: Value) -> None:
    """Refuse an escape for half of a character: nothing can print it."""
    if "\\ud" in text.lower():
        try:
            json.dumps(data, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            raise holds_halves(file) from None


def holds_halves(file: str | Path) -> LoadError:
    """Make the error for a file with an escape for half of a character."""
    return file_problem(file, "encoding", "the file holds half of a character, such as `\\ud800`")


def no_constant(_: str) -> Value:
    """Refuse what JSON has no word for. Raises ValueError."""
    raise ValueError


def parse_yaml(file: str, text: str) -> Parsed:
    """Parse YAML text, one document, with positions of every value."""
    try:
        _look_through(file, text)
        root = yaml.compose(text, Loader)
    except (yaml.YAMLError, RecursionError) as error:
        raise broken_yaml(file, text, error) from None
    if root is None:
        raise file_problem(file, "empty-file", "the file holds only comments", "fill it in, or delete it")
    reader = _Reader(file)
    size, depth = _measure(root, {}, set())
    if size > SIZE_LIMIT or depth > DEPTH_LIMIT:
        message = "aliases blow the file up to millions of values, or nest them too deeply"
        raise file_problem(file, "alias-bomb", message, "write the values out")
    data = reader.read(root)
    if reader.problems:
        raise LoadError(tuple(reader.problems))
    return Parsed(file, data, root, text)


def _look_through(file: str, text: str) -> None:
    """Refuse what a parser may refuse, or not: deep nesting, an alias of nothing, a second document."""
    depth, documents, anchors = 0, 0, set()
    for event in _events(text):
        if isinstance(event, OPENING):
            depth += 1
            if depth > DEPTH_LIMIT:
                raise _at(file, event, *nested_too_deeply())
        elif isinstance(event, CLOSING):
            depth -= 1
        elif isinstance(event, yaml.AliasEvent) and event.anchor not in anchors:
            raise _at(file, event, "syntax", f"no alias `{event.anchor}` was made", "write the value out")
        elif isinstance(event, yaml.DocumentStartEvent):
            documents += 1
            if documents > 1:
                raise _at(file, event, "syntax", "the file holds more than one YAML document", "split it at `---`")
        if isinstance(event, yaml.NodeEvent):
            anchors.add(event.anchor)


def _at(file: str, event: yaml.Event, id_: str, message: str, help_: str = "") -> LoadError:
    mark = event.start_mark
    line, column = (mark.line + 1, mark.column + 1) if mark is not None else (0, 0)
    return LoadError((Problem(file, line, column, id_, message, help_),))


def _events(text: str) -> Iterator[yaml.Event]:
    return iter(yaml.parse(text, Loader))


def _measure(node: yaml.Node, known: dict[int, tuple[int, int]], open_: set[int]) -> tuple[int, int]:
    """Count the values that `node` stands for when every alias is written out, and how deep they lie."""
    if isinstance(node, yaml.ScalarNode) or id(node) in open_:
        return 1, 0
    if id(node) not in known:
        open_.add(id(node))
        children = (
            node.value if isinstance(node, yaml.SequenceNode) else [child for pair in node.value for child in pair]
        )
        sizes = [_measure(child, known, open_) for child in children]
        known[id(node)] = 1 + sum(size for size, _ in sizes), 1 + max((depth for _, depth in sizes), default=0)
        open_.discard(id(node))
    return known[id(node)]
