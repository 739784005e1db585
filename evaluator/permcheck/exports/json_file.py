"""Read a JSON export as batches: pages of a service, lists, single entries, bundles of lists.

A small file is parsed whole, with every problem positioned. A long one is streamed: its
first entry is enough to know what it is.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import IO, Any, Final, Self

import ijson

from permcheck.errors import LoadError, Problem
from permcheck.exports.batch import Batch, Row, fold, folded, whole
from permcheck.loading.files import BOMS, file_problem, read_text
from permcheck.loading.syntax import is_too_deep, nested_too_deeply
from permcheck.loading.text import parse_json

STREAMED: Final = 16 * 2**20
"""Files from this size are not held in memory."""
HEAD: Final = 2**20
TAIL: Final = 4096
CONTEXT: Final = ("@odatacontext", "odatacontext", "@odatatype", "odatatype", "valueodatatype")
"""What names the things in a list, folded: its context, else the type of the list or of its `value`."""
NEXT: Final = ("@odatanextlink", "odatanextlink", "@nextlink", "nextlink")
"""What leads to the next page, folded: tools spell it in several ways."""
COUNT: Final = ("@odatacount", "odatacount", "@count", "count")
"""What tells how many entries a list has, folded."""
ERROR: Final = ("error", "@error", "odataerror", "@odataerror")
"""What a page has beside its entries where the service failed before its end, folded."""
CLOSES: Final = {b"[": b"]", b"{": b"}"}


def json_batches(path: Path, folder: str) -> Iterator[Batch]:
    """Return the batches of a JSON file. Raises LoadError."""
    if path.stat().st_size >= STREAMED:
        return iter([_streamed(path, folder)])
    text = read_text(path)
    if not text.strip():
        raise file_problem(path, "empty-file", "the file is empty", "export it again")
    return batches_in(parse_json(str(path), text).data, str(path), folder)


def batches_in(data: Any, file: str, folder: str = "") -> Iterator[Batch]:
    """Return the batches of a JSON file that is parsed already. Raises LoadError."""
    return _batches(data, file, folder, "$", {})


def _batches(data: Any, file: str, folder: str, path: str, annotations: Mapping[str, Any]) -> Iterator[Batch]:
    if isinstance(data, list):
        yield from _list(data, file, folder, path, annotations)
    elif isinstance(data, dict):
        yield from _object(data, file, folder, path)
    else:
        raise _no_list(file, path)


def _no_list(file: str, path: str) -> LoadError:
    return LoadError((Problem(f"{file}, {path}", 0, 0, "shape", "there is no list of entries", "export it again"),))


def _list(data: list[Any], file: str, folder: str, path: str, annotations: Mapping[str, Any]) -> Iterator[Batch]:
    pages = [item for item in data if isinstance(item, dict) and _is_page(item)]
    if pages and len(pages) == len(data):  # pages put into one list
        for number, page in enumerate(pages):
            yield from _object(page, file, folder, f"{path}[{number}]")
        return
    entries = [item for item in data if isinstance(item, dict)]
    if len(entries) < len(data) - data.count(None) or (data and not entries):
        raise _no_list(file, path)
    yield _batch(entries, file, folder, path, annotations)


def _object(data: dict[str, Any], file: str, folder: str, path: str) -> Iterator[Batch]:
    inner = data.get("value", data.get("Value"))
    if isinstance(inner, list):
        yield from _list(inner, file, folder, f"{path}.value", data)
    elif isinstance(inner, dict) and _only_annotations(data):
        yield _batch([inner], file, folder, f"{path}.value", data, single=True)
    elif isinstance(data.get("responses"), list):  # what $batch answers
        for number, response in enumerate(data["responses"]):
            body = response.get("body") if isinstance(response, dict) else None
            yield from _batches(body, file, folder, f"{path}.responses[{number}].body", {})
    elif _is_bundle(data):
        for key, rows in data.items():
            yield from _list(rows, file, folder, f"{path}.{key}", {"@odata.context": f"#{key}"})
    else:
        yield _batch([data], file, folder, path, data, single=True)


def _is_page(item: Mapping[str, Any]) -> bool:
    return isinstance(item.get("value"), list) and _only_annotations(item)


def _only_annotations(item: Mapping[str, Any]) -> bool:
    return all(key.startswith("@") or _is_annotation(fold(key)) for key in item)


def _is_annotation(key: str) -> bool:
    return key.startswith("odata") or key in {"value", *CONTEXT, *NEXT, *COUNT, *ERROR}


def _is_bundle(data: Mapping[str, Any]) -> bool:
    """Tell whether an object is several lists under the names of their classes."""
    lists = [key for key, value in data.items() if isinstance(value, list) and value and isinstance(value[0], dict)]
    return len(lists) == len(data) > 0 and all(key.startswith("SMS_") for key in lists)


def _batch(
    rows: list[dict[str, Any]],
    file: str,
    folder: str,
    path: str,
    annotations: Mapping[str, Any],
    *,
    single: bool = False,
) -> Batch:
    pascal = _is_pascal(rows[0]) if rows else False
    entries = list(map(folded, rows))
    head: Row = entries[0] if entries else {}
    more = _annotations(annotations, single=single)
    return Batch(file, folder, path, head, lambda: entries, single=single, pascal=pascal, held=True, **more)


def _is_pascal(entry: Mapping[str, Any]) -> bool:
    return next((key[:1].isupper() for key in entry if key[:1].isalpha()), False)


def _annotations(page: Mapping[str, Any], *, single: bool) -> dict[str, Any]:
    """Return what a page says of its list. A single entry that is no page says itself of what type it is."""
    said = dict(zip(map(fold, page), page.values(), strict=True))
    context = next((str(said[key]) for key in CONTEXT[: 2 if single else None] if said.get(key)), "")
    count = next((found for key in COUNT if (found := whole(said, key)) is not None), None)
    return {
        "context": context.rpartition("#")[2],
        "next_link": next((str(said[key]) for key in NEXT if said.get(key)), ""),
        "count": count,
        "short": not single and any(said.get(key) for key in ERROR),
    }


def _streamed(path: Path, folder: str) -> Batch:
    """Make a batch of a long file: the annotations and the first entry are read, the rest when it is asked for."""
    prefix, annotations = _look(path)
    where = "$" if prefix == "item" else "$.value"

    def rows() -> Iterator[Row]:
        with _opened(path) as stream:
            try:
                for item in ijson.items(stream, prefix, use_float=True):
                    if is_too_deep(item):
                        raise file_problem(path, *nested_too_deeply())
                    if isinstance(item, dict):
                        yield folded(item)
                    elif item is not None:
                        raise _no_list(str(path), where)
            except ijson.JSONError:
                raise _stream_problem(path) from None
            except UnicodeDecodeError:
                raise file_problem(path, "encoding", "the file is not UTF-8", "save it as UTF-8") from None

    head = next(iter(islice(rows(), 1)), {})
    return Batch(str(path), folder, where, head, rows, **_annotations(annotations, single=False))


def _look(path: Path) -> tuple[str, dict[str, Any]]:
    """Find where the long list of a file stands, and the annotations before it."""
    annotations: dict[str, Any] = {}
    with _opened(path) as stream:
        try:
            for prefix, event, value in ijson.parse(stream, use_float=True):
                if event == "start_array" and prefix in {"", "value"}:
                    return ("item" if not prefix else "value.item"), annotations | _tail(path)
                if prefix and _is_annotation(fold(prefix).lstrip("@")) and event in {"string", "number"}:
                    annotations[prefix] = value
                if event in {"start_array", "start_map"} and prefix:
                    break
        except ijson.JSONError:
            raise _stream_problem(path) from None
    help_ = "export it as a list, or as pages with a `value`"
    raise file_problem(path, "shape", "a file of this size must be one list of entries", help_)


def _tail(path: Path) -> dict[str, Any]:
    """Return annotations that stand behind the list."""
    with path.open("rb") as stream:
        stream.seek(-min(TAIL, path.stat().st_size), 2)
        text = stream.read().decode("utf-8", "replace")
    close = text.rpartition("]")[2]
    try:
        found = json.loads("{" + close.strip().removeprefix(",").removesuffix("}") + "}")
    except ValueError:
        return {}
    return {key: value for key, value in found.items() if _is_annotation(fold(key).lstrip("@"))}


def _opened(path: Path) -> IO[bytes] | _Recoded:
    """Open a file as UTF-8, whatever its byte order mark says it is."""
    stream = path.open("rb")
    start = stream.read(4)
    mark, encoding = next(((bom, name) for bom, name in BOMS if start.startswith(bom)), (b"", "utf-8"))
    stream.seek(len(mark) if encoding.startswith("utf-8") else 0)
    if encoding.startswith("utf-8"):
        return stream
    stream.close()
    return _Recoded(path, encoding)


class _Recoded:
    """A file of another encoding, read as UTF-8."""

    def __init__(self, path: Path, encoding: str) -> None:
        self._stream = path.open(encoding=encoding)

    def read(self, size: int = -1) -> bytes:
        return self._stream.read(size).encode()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()


def _stream_problem(path: Path) -> LoadError:
    """Make the error for a long file that is not JSON; one that was cut does not end as it begins."""
    with _opened(path) as stream:
        first = stream.read(HEAD).lstrip()[:1]
    with path.open("rb") as file:
        file.seek(-min(TAIL, path.stat().st_size), 2)
        last = file.read().rstrip(b"\0 \t\r\n")[-1:]
    cut = last != CLOSES.get(first, last)
    message = "the JSON ends too early: the file was cut" if cut else "the file is not JSON"
    return file_problem(path, "syntax", message, "export it again")
