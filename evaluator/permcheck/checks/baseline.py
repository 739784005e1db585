"""A baseline: the findings that an old repository is adopted with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from permcheck.checks.lint import Report
from permcheck.checks.settings import WAIVER
from permcheck.errors import LoadError, Problem
from permcheck.loading.files import file_problem, read_text
from permcheck.loading.text import parse_json
from permcheck.system import reason_of

FORMAT: Final = "permcheck-baseline/1"


def read_baseline(path: Path) -> frozenset[str]:
    """Read the keys of known findings. Raises LoadError."""
    if not path.is_file():
        raise file_problem(path, "no-such-file", "there is no such baseline", "write one with --write-baseline")
    data = parse_json(str(path), read_text(path)).data
    keys = data.get("findings") if isinstance(data, dict) and data.get("format") == FORMAT else None
    if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys):
        raise file_problem(path, "shape", f"this is no baseline: no `{FORMAT}`", "write one with --write-baseline")
    return frozenset(keys)


def write_baseline(report: Report, path: Path) -> int:
    """Write the keys of all findings but those about suppressions; return how many. Raises LoadError."""
    keys = sorted({finding.key(report.root) for finding in report.findings if finding.check != WAIVER})
    text = json.dumps({"format": FORMAT, "findings": keys}, indent=1, ensure_ascii=False) + "\n"
    try:
        path.write_text(text, "utf-8", newline="\n")
    except OSError as error:
        reason = reason_of(error, "it can't be written")
        raise LoadError((Problem(str(path), 0, 0, "unwritable", f"can't write the file: {reason}"),)) from None
    return len(keys)
