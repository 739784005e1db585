"""Hold a parsed file against its form: the model accepts, the schema explains.

The models validate in one quick pass. Only a file that they refuse is held against
the JSON Schema generated from them, whose errors are what an editor shows too.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, TypeVar

from pydantic import ValidationError

from permcheck.errors import LoadError, Problem
from permcheck.loading.data import data_root
from permcheck.loading.text import Parsed, Path_
from permcheck.model.base import Form
from permcheck.printable import one_line

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError as SchemaError

F = TypeVar("F", bound=Form)
BULK: Final = 2_000
"""Of a longer list, only entries that the model refused are held against the JSON Schema (all would take minutes)."""

TYPE_WORDS: Final = {
    "object": "a mapping",
    "array": "a list",
    "string": "a text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "null": "nothing",
}


def as_form(parsed: Parsed, form: type[F], schema: str) -> F:
    """Turn a parsed file into its form. Raises LoadError with every problem and its position."""
    try:
        return form.model_validate(parsed.data)
    except ValidationError as error:
        places = [item["loc"] for item in error.errors(include_url=False, include_context=False, include_input=False)]
        raise LoadError(tuple(_explain(parsed, schema, places) or _refusals(parsed, places))) from None


def _sections(parsed: Parsed) -> Iterable[tuple[str, Any]]:
    return parsed.data.items() if isinstance(parsed.data, dict) else ()


def _is_bulk(value: Any) -> bool:
    return isinstance(value, list) and len(value) > BULK


def _explain(parsed: Parsed, schema: str, places: Sequence[Path_]) -> tuple[Problem, ...]:
    from jsonschema import Draft202012Validator  # only a broken file pays for it

    document = json.loads((data_root() / "schemas" / f"{schema}.schema.json").read_text("utf-8"))
    kept = {key: _refused(key, places) for key, value in _sections(parsed) if _is_bulk(value)}
    errors = Draft202012Validator(document).iter_errors(_shortened(parsed, kept))
    found = (problem for error in errors for problem in _schema_problems(parsed, kept, error))
    return tuple(dict.fromkeys(found))


def _refused(section: str, places: Iterable[Path_]) -> tuple[int, ...]:
    """Return which entries of a long list the model refused, as many as are explained."""
    steps = (place[1] for place in places if len(place) > 1 and place[0] == section)
    return tuple(islice(dict.fromkeys(step for step in steps if isinstance(step, int)), BULK))


def _shortened(parsed: Parsed, kept: Mapping[str, Sequence[int]]) -> Any:
    if not kept:
        return parsed.data
    return {key: [value[index] for index in kept[key]] if key in kept else value for key, value in _sections(parsed)}


def _schema_problems(parsed: Parsed, kept: Mapping[str, Sequence[int]], error: SchemaError) -> Iterator[Problem]:
    meant = _meant(error)
    if meant:
        for inner in meant:
            yield from _schema_problems(parsed, kept, inner)
        return
    path = tuple(error.absolute_path)
    if len(path) > 1 and path[0] in kept:
        path = (path[0], kept[str(path[0])][int(path[1])], *path[2:])
    keyword = str(error.validator)
    found: Any = error.instance
    wanted: Any = error.validator_value
    schema: Any = error.schema
    if keyword == "additionalProperties" and isinstance(found, dict):
        known = list(schema.get("properties", {}))
        for key in sorted(set(found) - set(known)):
            yield _problem(parsed, (*path, key), "unknown-key", f"unknown key `{key}`", _near(key, known))
    elif keyword == "required":
        for key in (key for key in wanted if key not in found):  # an error for each tells all: twins are dropped
            yield _problem(parsed, path, "missing-key", f"the key `{key}` is missing")
    else:
        message, help_ = _value_message(keyword, wanted, found, schema)
        yield _problem(parsed, path, keyword, message, help_)


def _meant(error: SchemaError) -> list[SchemaError]:
    """Errors inside the branch of anyOf that the value was meant for: the one whose type fits."""
    branches: dict[Any, list[SchemaError]] = {}
    for child in error.context or ():
        branches.setdefault(child.schema_path[0], []).append(child)
    fitting = [errors for errors in branches.values() if not any(_is_wrong_type(child) for child in errors)]
    return fitting[0] if fitting else []


def _is_wrong_type(error: SchemaError) -> bool:
    return error.validator in {"type", "const"} and not error.relative_path


def _value_message(keyword: str, wanted: Any, found: Any, schema: Mapping[str, Any]) -> tuple[str, str]:
    shown = f"`{_short(found)}`"
    hint = str(schema.get("description", ""))
    match keyword:
        case "type":
            number = wanted == "string" and isinstance(found, int | float) and not isinstance(found, bool)
            return f"{shown} is not {_types(wanted)}", "put it in quotes" if number else ""
        case "anyOf":
            return f"{shown} is not {_types([s.get('type', s.get('const', '')) for s in wanted])}", hint
        case "enum":
            return f"{shown} is not one of " + ", ".join(f"`{w}`" for w in wanted), _near(str(found), map(str, wanted))
        case "const":
            return f"{shown} is not `{wanted}`", ""
        case "pattern":
            return f"{shown} does not have the right form", hint or f"it must match {wanted}"
        case "minItems" | "minLength":
            return "this must not be empty", ""
        case "minimum" | "maximum":
            return f"{shown} is out of range", hint
    return f"{shown} is not allowed here", hint


def _types(wanted: str | Sequence[str]) -> str:
    names = [wanted] if isinstance(wanted, str) else wanted
    return " or ".join(TYPE_WORDS.get(name, f"`{name}`") for name in names if name and name != "null")


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else text[:57] + "..."  # noqa: PLR2004 - a line's worth


def _near(word: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(word, list(known), n=1)
    return f"did you mean `{close[0]}`?" if close else ""


def _refusals(parsed: Parsed, places: Iterable[Path_]) -> tuple[Problem, ...]:
    """Say where the model refused what the schema takes."""
    found = dict.fromkeys(_path_in(parsed.data, place) for place in places)
    help_ = "`permcheck schema` says what can stand there"
    return tuple(_problem(parsed, path, "value", "this value can't be used here", help_) for path in found)


def _path_in(data: Any, loc: Path_) -> Path_:
    """Keep the steps of `loc` that are in the file; pydantic mixes the names of union branches in."""
    path: list[str | int] = []
    for step in loc:
        here = (isinstance(data, dict) and step in data) or (isinstance(data, list) and isinstance(step, int))
        if here:
            data = data[step]
            path.append(step)
    return tuple(path)


def _problem(parsed: Parsed, path: Path_, id_: str, message: str, help_: str = "") -> Problem:
    line, column = parsed.locate(path)
    where = "" if line else " (at $" + "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in path) + ")"
    return Problem(parsed.file, line, column, id_.replace("_", "-"), one_line(message) + where, one_line(help_))
