"""Apply the safe edits of findings: shown as a diff, or written, with encoding and line ends kept."""

from __future__ import annotations

import difflib
import io
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from permcheck.checks.finding import Edit, Finding
from permcheck.errors import LoadError, Problem
from permcheck.loading.files import BOMS, decode
from permcheck.loading.text import parse_json, parse_yaml
from permcheck.printable import printable
from permcheck.system import reason_of


class Changed(NamedTuple):
    """A file before and after its edits."""

    file: Path
    before: str
    after: str
    encoding: str
    edits: int


def changes_of(findings: Iterable[Finding]) -> Iterator[Changed]:
    """Work out what the edits of findings make of their files. Raises LoadError if the result can't be parsed.

    The edits of one finding are made together or not at all; one that touches what another changes waits.
    """
    for file, edits in sorted(_fitting(findings).items()):
        data = Path(file).read_bytes()
        text = decode(file, data)
        after = text
        for edit in reversed(edits):
            new = edit.text.replace("\r\n", "\n").replace("\n", "\r\n" if "\r\n" in text else "\n")
            after = after[: edit.start] + new + after[edit.end :]
        _parse(file, after)
        yield Changed(Path(file), text, after, _encoding(data), len(edits))


def _fitting(findings: Iterable[Finding]) -> dict[str, list[Edit]]:
    result: dict[str, list[Edit]] = {}
    for finding in findings:
        if all(_is_free(edit, result.get(edit.file, [])) for edit in finding.edits):
            for edit in finding.edits:
                known = result.setdefault(edit.file, [])
                known += [] if edit in known else [edit]
    return {file: sorted(edits, key=lambda edit: (edit.start, edit.end)) for file, edits in result.items()}


def _is_free(edit: Edit, others: Iterable[Edit]) -> bool:
    """Tell whether an edit touches no other one; the same edit twice is one."""
    return all(edit == other or edit.end < other.start or other.end < edit.start for other in others)


def _parse(file: str, text: str) -> None:
    suffix = Path(file).suffix.lower()
    try:
        if suffix != ".xml":
            parse_json(file, text) if suffix == ".json" else parse_yaml(file, text)
    except LoadError:
        message = "the fix would break the file; nothing was written"
        raise LoadError((Problem(file, 0, 0, "fix", message, "change it by hand"),)) from None


def _encoding(data: bytes) -> str:
    """Name the encoding with its byte order mark, such that encoding gives the same bytes again."""
    mark, name = next(((mark, name) for mark, name in BOMS if data.startswith(mark)), (b"", "utf-8"))
    if name.startswith("utf-8"):
        return name
    return f"{name}-le" if mark[0] == 0xFF else f"{name}-be"  # noqa: PLR2004 - little end first


def write(changed: Changed) -> None:
    """Replace the file at once, or leave it as it is. Raises LoadError."""
    target = changed.file.resolve()
    mark = "" if changed.encoding.startswith("utf-8") else "\ufeff"
    try:
        with tempfile.NamedTemporaryFile(dir=target.parent, prefix=f".{target.name[:40]}.", delete=False) as stream:
            stream.write((mark + changed.after).encode(changed.encoding))
        try:
            shutil.copymode(target, stream.name)
            os.replace(stream.name, target)  # noqa: PTH105 - both names are texts already
        except OSError:
            Path(stream.name).unlink()
            raise
    except OSError as error:
        reason = reason_of(error, "it can't be written")
        raise LoadError((Problem(str(changed.file), 0, 0, "unwritable", f"can't write the file: {reason}"),)) from None


def diff(changed: Changed) -> str:
    """Return a unified diff; what a terminal would obey is escaped, except for the line ends of the file."""
    name = printable(changed.file.as_posix())
    before, after = (list(io.StringIO(text, newline="\n")) for text in (changed.before, changed.after))
    lines = difflib.unified_diff(before, after, f"a/{name}", f"b/{name}", n=2)
    return "".join(map(_safe, lines))


def _safe(line: str) -> str:
    text = line.removesuffix("\n")
    end = "\r" if text.endswith("\r") else ""
    shown = "\t".join(printable(part) for part in text.removesuffix("\r").split("\t"))
    return f"{shown}{end}\n" if line.endswith("\n") else f"{shown}\n\\ No newline at end of file\n"
