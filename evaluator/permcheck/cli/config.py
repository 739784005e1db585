"""Find the configuration: permcheck.toml, or [tool.permcheck] in pyproject.toml, the nearest one upwards."""

from __future__ import annotations

import os
from typing import Any, Final

OWN: Final = "permcheck.toml"
SHARED: Final = "pyproject.toml"


def find_config(start: str | os.PathLike[str]) -> dict[str, Any]:
    """Defaults for the options of every command. Raises LoadError."""
    folder = os.path.abspath(start)
    while True:
        for path in (os.path.join(folder, OWN), os.path.join(folder, SHARED)):
            if os.path.isfile(path):
                from permcheck.cli.config_file import options_of  # most folders have none

                options = options_of(path)
                if options is not None:
                    return options
        folder, below = os.path.dirname(folder), folder
        if folder == below:
            return {}
