"""Read a JSON export as batches: pages of a service, lists, single entries, bundles of lists.

A small file is parsed whole, with every problem positioned. A long one is streamed: its
first entry is enough to know what it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from permcheck.errors import LoadError, Problem
from permcheck.exports.batch import Batch, Row, fold, folded, whole
from permcheck.exports.long_json import LISTS, LongFile
from permcheck.loading.files import file_problem, read_text
from permcheck.loading.text import parse_json, said_twice

STREAMED: Final = 16 * 2**20
"""Files from this size are not held in memory."""
CONTEXT: Final = ("@odatacontext", "odatacontext", "@odatatype", "odatatype", "valueodatatype")
"""What names the things in a list, folded: its context, else the type of the list or of its `value`."""
NEXT: Final = ("@odatanextlink", "odatanextlink", "@nextlink", "nextlink")
"""What leads to the next page, folded: tools spell it in several ways."""
COUNT: Final = ("@odatacount", "odatacount", "@count", "count")
"""What tells how many entries a list has, folded."""
ERROR: Final = ("error", "@error", "odataerror", "@odataerror")
"""What a page has beside its entries where the service failed before its end, folded."""


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
    if data.keys() >= LISTS:
        raise LoadError((Problem(f"{file}, {path}", 0, 0, "duplicate-key", *said_twice(("value", "value"))),))
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
    """Make a batch of a long file: what stands before the list and the first entry are read, the rest when asked for.

    What stands behind the list is guessed, since it may tell what the list is, and held against the file once read.
    """
    file = LongFile(path)
    first = next(_entries(file, path), {})
    told = _annotations(file.beside | file.tail(), single=False)
    batch = Batch(str(path), folder, file.where, folded(first), tuple, pascal=_is_pascal(first), **told)
    batch.rows = lambda: _long_rows(file, batch)
    return batch


def _entries(file: LongFile, path: Path | str) -> Iterator[dict[str, Any]]:
    for item in file.entries():
        if isinstance(item, dict):
            yield item
        elif item is not None:
            raise _no_list(str(path), file.where)


def _long_rows(file: LongFile, batch: Batch) -> Iterator[Row]:
    yield from map(folded, _entries(file, batch.file))
    told = _annotations(file.beside, single=False)
    if told["context"] != batch.context:
        message = "what stands behind the list says what the list is, and can't be seen from the end of the file"
        raise file_problem(batch.file, "shape", message, "write `@odata.context` before the list")
    batch.next_link, batch.count, batch.short = told["next_link"], told["count"], told["short"]
