"""What is said of a broken file is ours, word for word: no parser's sentence decides it, or gets out."""

from __future__ import annotations

import csv
import json
import subprocess
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from commands import Cli
from permcheck import LoadError, Problem
from permcheck.exports import json_file
from permcheck.exports.csv_file import csv_batches
from permcheck.loading.forms import BULK, as_form
from permcheck.loading.syntax import DEPTH_LIMIT
from permcheck.loading.text import parse_json, parse_yaml
from permcheck.model.estate import EstateFile

JSON = [
    ('{"a": [1,\n  2,\n]}', "2:4", "a comma stands before a closing bracket"),
    ('{"a": 1,}', "1:8", "a comma stands before a closing bracket"),
    ('{"a": 1\n "b": 2}', "2:2", '`"b"` can\'t stand here'),
    ('{"a": x}', "1:7", "`x` can't stand here"),
    ('{"a": "b\nc"}', "1:9", "a line feed, tab or control character stands in a text"),
    ('{"a": "b', "1:7", "the text that begins here has no end"),
    ('{"a": "b\\q"}', "1:9", "JSON does not know this escape"),
    ("{'a': 1}", "1:2", "a quote of JSON is double"),
    ('{"a": 1} {"b": 2}', "1:10", "more text stands behind the end of the JSON"),
    ('{"a": 1, // one\n"b": 2}', "1:10", "JSON has no comments"),
    ('{"a":\n', "2:1", "the JSON ends too early: the file was cut"),
    ('{"a": [1, 2', "1:12", "the JSON ends too early: the file was cut"),
    ('["NaN", -Infinity]', "1:9", "`-Infinity` is not a JSON value"),
    ('{"a":\n1' + "0" * 5000 + "}", "2:1", "a number has thousands of digits"),
    ("<html>", "1:1", "this is HTML or XML, not JSON; a saved error page looks like this"),
]
YAML = [
    ("a: 1\n\tb: 2\n", "2:1", "a tab stands where YAML wants spaces"),
    ("a: `x`\n", "1:4", "a value can't begin with ```"),
    ("a: b: c\n", "1:5", "a second `:` can't stand here"),
    ("a: [1, 2\n", "2:1", "the file ends too early"),
    ('a: "x\n', "2:1", "the file ends too early"),
    ("a: [1\nb: 2\n", "2:2", "a second `:` can't stand here"),
    ("a: {b: 1]\n", "1:9", "`]` can't stand here"),
    ("a: 1\n  b: 2\n", "2:4", "a second `:` can't stand here"),
    ("a:\n - 1\n b: 2\n", "3:2", "`b` can't stand here"),
    ('a: "\\q"\n', "1:5", "YAML does not know this escape"),
    ("a: 1\nb: \x07\n", "2:4", "the character U+0007 can't stand in a YAML file"),
    ("a: *b\n", "1:4", "no alias `b` was made"),
    ("a: 1\n---\nb: 2\n", "2:1", "the file holds more than one YAML document"),
]


def raised(call: Callable[[], Any]) -> Problem:
    """The one problem that is told."""
    with pytest.raises(LoadError) as caught:
        call()
    (problem,) = caught.value.problems
    return problem


def told(problem: Problem) -> tuple[str, str]:
    return f"{problem.line}:{problem.column}", problem.message


@pytest.mark.parametrize(("text", "place", "message"), JSON)
def test_broken_json(text: str, place: str, message: str) -> None:
    assert told(raised(lambda: parse_json("x.json", text))) == (place, message)


@pytest.mark.parametrize(("text", "place", "message"), YAML)
def test_broken_yaml(text: str, place: str, message: str) -> None:
    assert told(raised(lambda: parse_yaml("x.yaml", text))) == (place, message)


@pytest.mark.parametrize("parse", [parse_json, parse_yaml])
@pytest.mark.parametrize("pair", ["[]", '{"a": }'], ids=["lists", "mappings"])
def test_nesting_ends_at_our_own_limit(parse: Callable[[str, str], Any], pair: str) -> None:
    """However deep: what the parser bears, and says, differs by release."""
    begin, end = pair[:-1], pair[-1]
    innermost = "1" if len(begin) > 1 else ""
    parse("x", begin * DEPTH_LIMIT + innermost + end * DEPTH_LIMIT)
    for depth in (DEPTH_LIMIT + 1, 900, 1500, 200_000):
        problem = raised(lambda depth=depth: parse("x", begin * depth + innermost + end * depth))
        assert told(problem) == (f"1:{len(begin) * DEPTH_LIMIT + 1}", "the file is nested more than 64 levels deep")
        assert problem.id == "too-deep"


def test_lists_by_dashes_end_at_the_same_limit() -> None:
    assert raised(lambda: parse_yaml("x", "- " * 2000 + "1")).id == "too-deep"


def test_brackets_in_texts_and_comments_nest_nothing() -> None:
    for odd in ('"' + "[" * 99 + '"', "'" + "[" * 99 + "'", "x # " + "[" * 99):
        assert raised(lambda odd=odd: parse_yaml("x", f"a: {odd}\nb: @\n")).id == "syntax"
    assert raised(lambda: parse_json("x", '["' + "[" * 99 + '", x]')).id == "syntax"


def test_brackets_in_texts_of_json_hide_no_depth() -> None:
    """The quick look knows nothing where a text holds a bracket: the values are looked at."""
    hidden = '["]", ' * (DEPTH_LIMIT + 1) + "1" + ', "["]' * (DEPTH_LIMIT + 1)
    assert raised(lambda: parse_json("x", hidden)).id == "too-deep"
    for text in ('["[[", "\\"]", {"a": "{\\\\"}]', "[" * DEPTH_LIMIT + '"]"' + "]" * DEPTH_LIMIT):
        assert parse_json("x", text).data == json.loads(text)


def test_a_key_that_stands_twice_in_json_that_is_no_yaml() -> None:
    problem = raised(lambda: parse_json("x.json", '{"a": "\x7f\ufffe", "b": 1, "b": 2}'))
    assert (problem.id, problem.line) == ("duplicate-key", 0)


WORDS = "Zwroty tej biblioteki EOF incomplete nested digits"
"""What another release, or another language, might say."""


def test_no_sentence_of_a_parser_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same places under other words give the same messages."""

    def loads(text: str, **named: Any) -> Any:
        try:
            return json.JSONDecoder(**named).decode(text)
        except json.JSONDecodeError as error:
            raise json.JSONDecodeError(WORDS, text, error.pos) from None
        except ValueError:
            raise ValueError(WORDS) from None

    def other(call: Callable[..., Any]) -> Callable[..., Any]:
        def run(*arguments: Any) -> Any:
            try:
                result = call(*arguments)
                return result if isinstance(result, yaml.Node) else iter(list(result))
            except yaml.MarkedYAMLError as error:
                raise type(error)(WORDS, error.context_mark, WORDS, error.problem_mark) from None

        return run

    monkeypatch.setattr(json, "loads", loads)
    monkeypatch.setattr(yaml, "parse", other(yaml.parse))
    monkeypatch.setattr(yaml, "compose", other(yaml.compose))
    for text, place, message in JSON:
        assert told(raised(lambda text=text: parse_json("x.json", text))) == (place, message)
    for text, place, message in YAML:
        assert told(raised(lambda text=text: parse_yaml("x.yaml", text))) == (place, message)


def test_a_long_export_was_cut_or_is_no_json(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its end tells, whatever the parser says."""
    monkeypatch.setattr(json_file, "STREAMED", 1)
    path = tmp_path / "x.json"
    for text, says in (
        ('[{"a": 1}, {"b"', "cut"),
        ('[{"a": 1}, {"b" 2}]\n', "not JSON"),
        ('{"value": [}\n', "not JSON"),
    ):
        path.write_text(text)
        assert says in raised(lambda: [list(batch.rows()) for batch in json_file.json_batches(path, "")]).message


def test_a_long_export_has_the_same_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_file, "STREAMED", 1)
    path = tmp_path / "x.json"
    path.write_text('[{"a": 1}, {"b": ' + "[" * 500 + "]" * 500 + "}]")
    assert raised(lambda: [list(batch.rows()) for batch in json_file.json_batches(path, "")]).id == "too-deep"


def test_a_broken_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.csv"
    path.write_text('id,name\n1,a\n2,"b\n')
    before = told(raised(lambda: list(csv_batches(path, ""))))
    assert before[0] == "3:1"
    reader = csv.reader

    class Other:
        """A reader of another release."""

        def __init__(self, *arguments: Any, **named: Any) -> None:
            self._reader = reader(*arguments, **named)

        line_num = property(lambda self: self._reader.line_num)

        def __iter__(self) -> Other:
            return self

        def __next__(self) -> list[str]:
            try:
                return next(self._reader)
            except csv.Error:
                raise csv.Error(WORDS) from None

    monkeypatch.setattr(csv, "reader", Other)
    assert told(raised(lambda: list(csv_batches(path, "")))) == before


def test_a_configuration_that_is_no_toml(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "permcheck.toml"
    file.write_text('estate = "x"\nstrict = yes\n')
    result = cli("check", "a", "run-script", "b")
    assert (result.code, result.err.splitlines()[0]) == (3, f"error: {file}:2:10: the file is not TOML")

    def refuse(_: str) -> None:
        raise tomllib.TOMLDecodeError(WORDS)

    monkeypatch.setattr(tomllib, "loads", refuse)
    result = cli("check", "a", "run-script", "b")
    assert (result.code, result.err.splitlines()[0]) == (3, f"error: {file}: the file is not TOML")


def test_git_is_not_quoted(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It speaks the language of its user."""

    def fail(command: tuple[str, ...], **_: Any) -> subprocess.CompletedProcess[bytes]:
        code = 0 if "rev-parse" in command else 128
        return subprocess.CompletedProcess(command, code, b"", f"fatal: {WORDS}\n".encode())

    monkeypatch.setattr(subprocess, "run", fail)
    (tmp_path / "here.yaml").write_text("users: [{upn: a}]\n")
    result = cli("diff", "main:estate", "here.yaml")
    assert (result.code, result.out) == (3, "")
    assert "git finds no revision `main`" in result.err
    assert WORDS not in result.err


def test_a_long_list_is_explained_as_a_short_one_is() -> None:
    """Of a long list only what the model refused is held against the schema; the words are the schema's."""
    bad = [
        {"upn": 7},
        {"name": "Anna"},
        {"upn": "b@contoso.com", "typ": "x"},
        {"upn": "c@contoso.com", "sid": "S-1-x"},
        {"upn": "d@contoso.com", "synced": "yes"},
    ]
    good = [{"upn": f"{n}@contoso.com"} for n in range(BULK)]

    def explained(users: list[dict[str, Any]]) -> list[tuple[int, int, str, str, str]]:
        with pytest.raises(LoadError) as caught:
            as_form(parse_yaml("x.yaml", json.dumps({"users": users}, indent=0)), EstateFile, "estate")
        return [(one.line, one.column, one.id, one.message, one.help) for one in caught.value.problems]

    assert explained([*bad, *good]) == explained(bad)
    assert len(explained(bad)) == 5
