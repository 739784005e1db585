"""Where the shipped policy and schemas lie: one function knows."""

from __future__ import annotations

from functools import cache
from pathlib import Path


@cache
def data_root() -> Path:
    """Folder that holds `policy` and `schemas`: the package, else the checkout around it.

    A checkout counts only if its pyproject.toml is there: no other folder is ever read.
    """
    package = Path(__file__).resolve().parent.parent
    if (package / "policy").is_dir():
        return package
    checkout = package.parent.parent
    if (checkout / "pyproject.toml").is_file() and (checkout / "policy").is_dir():
        return checkout
    message = "permcheck is installed without its policy; install it again"
    raise FileNotFoundError(message)
