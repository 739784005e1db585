"""Tell estate files from other files of the same format: those of backups, of deployments, of other tools."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any, Final, get_args

from permcheck.model.base import Form
from permcheck.model.estate import ESTATE_KEYS, SECTIONS, EstateFile

NEAR: Final = 0.85
"""How alike a mistyped key is to the right one."""
_TOP_KEY: Final = re.compile(r"^([A-Za-z_$][\w$]*)[ \t]*:(?=\s|$)", re.MULTILINE)


def is_estate(data: Any) -> bool:
    """Tell whether a parsed file is part of an estate: most keys are those of one, and one holds what it should."""
    if not isinstance(data, dict) or not _has_estate_keys(data):
        return False
    return any(key not in SECTIONS or _is_section(key, item) for key, item in data.items() if _is_near(key))


def is_estate_text(text: str) -> bool:
    """Tell the same of a YAML file that can't be parsed, by the keys that begin its lines."""
    return _has_estate_keys(_TOP_KEY.findall(text))


def _has_estate_keys(keys: Iterable[str]) -> bool:
    every = set(map(str, keys))
    return 0 < len(every) <= 2 * sum(map(_is_near, every))


def _is_near(key: str) -> bool:
    """Tell whether a key is one of an estate file, or a mistyped one."""
    return key in ESTATE_KEYS or bool(get_close_matches(key, ESTATE_KEYS, 1, NEAR))


def _is_section(section: str, records: Any) -> bool:
    """Tell whether a value may be a list of records: a list of objects, of which one has fields of a record."""
    if records is None:
        return True
    if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
        return False
    fields = form_of(section).model_fields.keys()
    return not records or any(_is_record(record, fields) for record in records)


def _is_record(record: Mapping[str, Any], fields: Iterable[str]) -> bool:
    return len(record) <= 2 * len(record.keys() & set(fields))


def form_of(section: str) -> type[Form]:
    """Return the form of a section's records."""
    annotation = EstateFile.model_fields[section].annotation
    while not (isinstance(annotation, type) and issubclass(annotation, Form)):
        annotation = next(argument for argument in get_args(annotation) if argument is not type(None))
    return annotation
